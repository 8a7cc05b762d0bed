import { accountInWords, accountOf } from '../alerts/account.ts';
import { baselineOf } from '../alerts/baseline.ts';
import { lossesSince } from '../alerts/losses.ts';
import { movedBesides } from '../alerts/words.ts';
import { clean } from '../foreign-text.ts';
import type { TenantId } from '../tenants/tenant.ts';
import type { Instant } from '../time.ts';
import { dayText, decimal, direction, listed, percentText, pointsOf, signed } from '../words.ts';
import { categoriesOf, postureOf } from './posture.ts';
import type { ControlChange, ControlProfile, EvaluatedSnapshot, Posture, ScoreSnapshot } from './score.ts';
import { controlChangesBetween, scoreChange } from './score-change.ts';

/** What one sync found, ready to be stored: the same shape as the store's `FoundScores`. */
export type Evaluation = {
  found: {
    snapshots: ScoreSnapshot[];
    changes: ControlChange[];
    posture: Posture;
    evaluated: EvaluatedSnapshot;
  };
  /** What changed since the last sync, one sentence; foreign titles in it are clean but not escaped. */
  says: string;
};

/**
 * Evaluates what was read of one tenant. `read`: Microsoft's days with their controls, any order; `stored`: the days
 * known already; `before`: the last evaluated day. Only days that are new or differ come back. Null when Microsoft
 * has no day at all, or only older ones than `before`: then nothing is to be said or stored.
 */
export function evaluateScores(known: {
  tenantId: TenantId;
  read: readonly EvaluatedSnapshot[];
  stored: readonly ScoreSnapshot[];
  before: EvaluatedSnapshot | null;
  profiles: readonly ControlProfile[];
  readAt: Instant;
}): Evaluation | null {
  const { tenantId, before, profiles, readAt } = known;
  const days = [...new Map(known.read.map((one) => [one.day, one])).values()].sort((a, b) =>
    a.day < b.day ? -1 : 1,
  );
  const newest = days.at(-1);
  if (newest === undefined || (before !== null && newest.day < before.day)) return null;

  const evaluated: EvaluatedSnapshot = {
    ...newest,
    categories: categoriesOf(newest.controls, profiles),
  };
  // The day before may have been read along, or be the one that was evaluated last.
  const earliest = days[0]?.day ?? newest.day;
  const chain = before !== null && before.day < earliest ? [before, ...days] : days;
  const previous = chain.at(-2) ?? null;
  const fresh = days.map((one) => (one === newest ? withoutControls(evaluated) : withoutControls(one)));
  const stored = new Map(known.stored.map((one) => [one.day, one]));
  const all = new Map([...known.stored, ...fresh].map((one) => [one.day, one]));
  const posture = postureOf({
    tenantId,
    snapshots: [...all.values()],
    evaluatedBefore: previous,
    evaluatedNow: evaluated,
    profiles,
    readAt,
  });
  return {
    found: {
      snapshots: fresh.filter((one) => !sameDay(stored.get(one.day), one)),
      changes: changesAlong(tenantId, chain, before, profiles),
      posture,
      evaluated,
    },
    says: inWords(before, evaluated, profiles, posture, stored.size, readAt),
  };
}

/** The changes of every day since `before` (of the whole chain at the first read), each against the day before it. */
function changesAlong(
  tenantId: TenantId,
  chain: readonly EvaluatedSnapshot[],
  before: EvaluatedSnapshot | null,
  profiles: readonly ControlProfile[],
): ControlChange[] {
  return chain.flatMap((day, index) => {
    const earlier = chain[index - 1];
    // The day evaluated last counts again: Microsoft corrects a day now and then.
    if (earlier === undefined || (before !== null && day.day < before.day)) return [];
    return controlChangesBetween(tenantId, earlier, day, profiles);
  });
}

function withoutControls({ controls: _, ...snapshot }: EvaluatedSnapshot): ScoreSnapshot {
  return snapshot;
}

/** Older days are kept with the categories they were stored with: their maxima were known only then. */
function sameDay(stored: ScoreSnapshot | undefined, fresh: ScoreSnapshot): boolean {
  return (
    stored !== undefined &&
    stored.current === fresh.current &&
    stored.max === fresh.max &&
    stored.licensedUsers === fresh.licensedUsers &&
    stored.activeUsers === fresh.activeUsers &&
    (stored.categories.some(({ max }) => max !== null) || fresh.categories.every(({ max }) => max === null))
  );
}

function inWords(
  before: EvaluatedSnapshot | null,
  now: EvaluatedSnapshot,
  profiles: readonly ControlProfile[],
  posture: Posture,
  storedDays: number,
  readAt: Instant,
): string {
  const percent = now.max > 0 ? (now.current / now.max) * 100 : null;
  const score = `${percentText(percent)} (${pointsOf(now.current, now.max)})`;
  if (before === null && storedDays === 0) return `First read: ${score} on ${dayText(now.day, readAt)}.`;
  if (before === null) return `${score} on ${dayText(now.day, readAt)}.`;

  const losses = lossesSince(baselineOf(before, profiles), baselineOf(now, profiles), profiles);
  const gained = [...losses.gained.values()].reduce((sum, points) => sum + points, 0);
  const reasons = [
    ...losses.regressed.map(({ title, points }) => ({ title, points: -points })),
    ...[...losses.gained].map(([name, points]) => ({ title: titleOf(name, profiles), points })),
  ]
    .sort((a, b) => Math.abs(b.points) - Math.abs(a.points))
    .map(({ title, points }) => `${clean(title, 80)} ${signed(points)}`);
  const change = scoreChange(before, now);
  const movement = { before, after: now, points: losses.points, gained, notCounted: losses.notCounted };
  // For who subtracts and finds more than the controls moved.
  const parties = accountOf(movement);
  const mixed = parties.length > 1 && parties.some(({ by }) => by !== 'lost' && by !== 'gained');
  const split = mixed ? ` (${accountInWords(movement, 'controls that regressed')})` : '';
  const parts = [`${score}${changeInWords(change?.percent, before, now, readAt)}${split}`];
  if (reasons.length > 0) parts.push(listed(reasons, 3));
  parts.push(...movedBesides(losses.notCounted).map((what) => what.replace(/^Licences/, 'licences')));
  const nothing = reasons.length === 0 && parts.length === 1 && direction(change?.percent ?? 0) === 'level';
  if (!nothing) return `${parts[0]}${parts.length > 1 ? `: ${parts.slice(1).join('; ')}` : ''}.`;
  return before.day === now.day
    ? `Nothing new since the last sync. ${standing(posture, readAt)}`
    : `Nothing changed since ${dayText(before.day, readAt)}: ${score}.`;
}

function titleOf(control: string, profiles: readonly ControlProfile[]): string {
  return profiles.find(({ name }) => name === control)?.title || control;
}

function changeInWords(
  percent: number | undefined,
  before: EvaluatedSnapshot,
  now: EvaluatedSnapshot,
  readAt: Instant,
): string {
  const since = before.day === now.day ? 'since the last sync' : `since ${dayText(before.day, readAt)}`;
  if (percent === undefined) return '';
  const way = direction(percent);
  return way === 'level' ? `, unchanged ${since}` : `, ${way} ${decimal(Math.abs(percent))} ${since}`;
}

/**
 * Where a tenant stands when nothing new was read: the score, Microsoft's newest day, and what that day brought. Who
 * asks for a sync wants to know what changed, also when a scheduled one has seen it a minute before.
 */
export function standing(posture: Posture, now: Instant): string {
  const score = `${percentText(posture.percent)} (${pointsOf(posture.current, posture.max)})`;
  const change = posture.sinceYesterday;
  const way = change === null ? 'level' : direction(change.percent);
  const moved = posture.moved.map(
    (one) =>
      `${clean(one.title, 80)} ${signed(one.points)}${one.byUsers === true ? ' by licences or users' : ''}`,
  );
  const since =
    change === null
      ? ''
      : `, ${way === 'level' ? 'unchanged' : `${way} ${decimal(Math.abs(change.percent))}`} since ${dayText(change.from, now)}`;
  const why = moved.length === 0 ? '' : `: ${listed(moved, 3)}`;
  return `On ${dayText(posture.day, now)}, Microsoft's newest day: ${score}${since}${why}.`;
}
