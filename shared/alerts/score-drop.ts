import type { ControlProfile, EvaluatedSnapshot } from '../score/score.ts';
import type { Instant } from '../time.ts';
import { counted, total } from '../words.ts';
import { absentees, type Baseline, baselineOf } from './baseline.ts';
import { type DropFacts, dropFacts, type Regressed } from './drop-facts.ts';
import {
  type FindingOf,
  findingId,
  isAside,
  isStanding,
  lastTransition,
  type Severity,
  type Transition,
} from './finding.ts';
import { type Losses, lossesSince, lossOf } from './losses.ts';
import { isUnfinished, marked, nextBaseline, owing } from './next-baseline.ts';
import { opened, reopened, resolved, worsened } from './tell.ts';
import { atMostHalf, type Loss, reaches, type Threshold, thousandths } from './threshold.ts';

export type DropFinding = FindingOf<'scoreDrop'>;

/** Microsoft's object of this rule: a tenant has one score. */
export const scoreObject = 'secureScore';

export type DropKnown = {
  /** What the day is compared with; null at the first sync of a tenant. */
  baseline: Baseline | null;
  /** The newest evaluated day, and the descriptions of its controls. */
  snapshot: EvaluatedSnapshot;
  profiles: readonly ControlProfile[];
  /** The tenant's threshold. */
  threshold: Threshold;
  /** Those of all who watch it, coarser ones too: who hears only of larger losses hears when it has become one. */
  thresholds?: readonly Threshold[];
  /** The finding as it stands in the store; null when there never was one. */
  finding: DropFinding | null;
  now: Instant;
  /** A hash of a text: makes the finding's id. */
  digest: (text: string) => string;
};

export type DropDecision = {
  /** What is to be told, in this order; each id is told once. More than one only after a crash in between. */
  tell: Transition<'scoreDrop'>[];
  /** To be saved before the baseline, together with the outbox rows of `tell`; the same object when nothing is new. */
  finding: DropFinding | null;
  /** To be saved last of all; the same object when nothing is new. */
  baseline: Baseline;
};

/**
 * The rule of a score drop (contracts §5). Compares the newest evaluated day with the baseline, by the points that
 * comparable controls lost (`lossesSince`), and says what to tell and what to compare with next time.
 *
 * It opens (again) when the loss reaches the threshold; worsens when controls lost another threshold since what was
 * told last, or the loss has come to that of somebody who hears only of larger ones; is over when at most half a threshold is still lost or all controls that were told are back. The
 * baseline moves to now then and on every rise, never on a fall. The first sync sets it and tells nothing. Days that
 * were missed make no difference, older days than the last evaluated one and days without any control are no days.
 *
 * Safe to repeat: the same day again tells nothing; when the baseline does not yet hold the mark of what the finding
 * was told with last, that very transition comes again, with the same id.
 */
export function decideScoreDrop(known: DropKnown): DropDecision {
  const { baseline, snapshot, profiles, finding } = known;
  const today = baselineOf(snapshot, profiles);
  const tell = finding === null || !isUnfinished(finding, baseline) ? [] : [lastTransition(finding)];
  if (baseline === null) return { tell, finding, baseline: marked(owing(today, finding), finding) };
  if (snapshot.day < baseline.evaluated || snapshot.controls.length === 0) {
    return { tell, finding, baseline: marked(baseline, finding) };
  }

  const losses = lossesSince(baseline, today, profiles);
  const next = judged(known, baseline, today, losses);
  if (next !== null && next !== finding) tell.push(lastTransition(next));
  const after = marked(nextBaseline(baseline, today, losses, next), next);
  return { tell, finding: next, baseline: isSame(baseline, after) ? baseline : after };
}

/** The finding after this day; the same object when nothing is to be told. */
function judged(known: DropKnown, before: Baseline, today: Baseline, losses: Losses): DropFinding | null {
  const { snapshot, profiles, threshold, finding, now, digest } = known;
  const first = firstToDo(losses.regressed, profiles);
  const facts = (further: number): DropFacts =>
    dropFacts(before, today, losses, further, { first, threshold });
  const severity = severityOf(losses);
  const lost = `${total(losses.points)} points lost by ${counted(losses.regressed.length, 'control')}`;

  if (finding === null || !isStanding(finding)) {
    if (!reaches(losses, threshold)) return finding;
    const news = { facts: facts(losses.points), severity, at: now, why: lost };
    if (finding !== null) return reopened(finding, news);
    const { tenantId } = snapshot;
    const id = findingId(tenantId, 'scoreDrop', scoreObject, digest);
    return opened({ id, tenantId, rule: 'scoreDrop', object: scoreObject }, news);
  }

  const further = furtherThan(finding, losses, before);
  const worse =
    reaches(further, threshold) ||
    (further.points > 0 &&
      (known.thresholds ?? []).some((one) => reaches(losses, one) && !reaches(finding.facts, one)));
  if (worse && !isAside(finding, now)) {
    return worsened(finding, { facts: facts(further.points), severity, at: now, why: lost });
  }
  const missing = missingPoints(finding, before, today);
  const left = missing === 0 ? losses : lossOf(losses.points + missing, before);
  const lower = new Set(losses.regressed.map(({ name }) => name));
  const back = missing === 0 && finding.facts.regressed.every(({ name }) => !lower.has(name));
  if (atMostHalf(left, threshold) || (back && !worse)) {
    const why =
      losses.regressed.length === 0 ? 'all of it is back' : `${total(losses.points)} points are left`;
    const { points, percent, since } = finding.facts;
    return resolved(finding, { facts: { ...facts(0), was: { points, percent, since } }, at: now, why });
  }
  return finding;
}

/** What was lost since it was told last: each control beyond what it had lost then. */
function furtherThan(finding: DropFinding, losses: Losses, before: Baseline): Loss {
  const told = new Map(finding.facts.regressed.map(({ name, points }) => [name, thousandths(points)]));
  const points =
    losses.regressed.reduce(
      (sum, one) => sum + Math.max(0, thousandths(one.points) - (told.get(one.name) ?? 0)),
      0,
    ) / 1000;
  return lossOf(points, before);
}

/**
 * Points told as lost by controls that are not scored today. A control that is missing for some days is not back;
 * one that stays away is no longer Microsoft's to count, and counts no more.
 */
function missingPoints(finding: DropFinding, before: Baseline, today: Baseline): number {
  const away = new Set(absentees(before, today).map(({ name }) => name));
  return (
    finding.facts.regressed
      .filter(({ name }) => away.has(name))
      .reduce((sum, { points }) => sum + thousandths(points), 0) / 1000
  );
}

/** A fixed scale: how bad a fall is does not depend on how early somebody wants to hear of it. */
function severityOf({ percent }: Loss): Severity {
  if (percent === null) return 'medium';
  if (thousandths(percent) >= 10_000) return 'critical';
  if (thousandths(percent) >= 3_000) return 'high';
  return thousandths(percent) >= 1_000 ? 'medium' : 'low';
}

/** What is done elsewhere or given up by Microsoft is no work, whatever it lost. */
function firstToDo(regressed: readonly Regressed[], profiles: readonly ControlProfile[]): DropFacts['first'] {
  const known = new Map(profiles.map((profile) => [profile.name, profile]));
  const [one] = regressed.filter(({ name }) => known.get(name)?.deprecated !== true);
  if (one === undefined) return null;
  return { title: one.title, points: one.points, actionUrl: known.get(one.name)?.actionUrl ?? null };
}

function isSame(one: Baseline, other: Baseline): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
