import fc from 'fast-check';
import type { Transition } from '../../../shared/alerts/finding.ts';
import { decideScoreDrop } from '../../../shared/alerts/score-drop.ts';
import { plusDays } from '../../../shared/time.ts';
import { type Decide, dayOf, evaluate, nothing, type Scores, type Standing } from './drops.ts';

/**
 * Random lives of a tenant, and a judge that knows nothing of baselines: it compares what was told with the controls
 * themselves.
 */

/** What happens on a day: points to set, and where between two writes the process is killed. */
export type Step = { set: [control: number, hundredths: number][]; missed: boolean; crash: Crash };
/** The finding is written; then its rows, unless killed before; then the baseline, unless killed before. */
export type Crash = 'none' | 'before the rows' | 'before the baseline';

export const controls = 5;

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    set: fc.array(fc.tuple(fc.nat(controls - 1), fc.nat(1000)), { maxLength: 3 }),
    missed: fc.constant(false),
    crash: fc.oneof(
      { arbitrary: fc.constant<Crash>('none'), weight: 8 },
      { arbitrary: fc.constantFrom<Crash>('before the rows', 'before the baseline'), weight: 2 },
    ),
  }),
  { minLength: 2, maxLength: 40 },
);

/** The same, with days on which nothing was read. */
export const stepsWithGaps = fc
  .tuple(steps, fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }))
  .map(([all, gaps]) => all.map((step, i) => ({ ...step, missed: gaps[i] === true })));

const points = 5;
const threshold = { percent: null, points };

/**
 * Lives the steps and answers the first thing that is wrong, null when nothing is. `decide` is the rule, or a variant
 * with a planted defect.
 */
export function whatIsWrong(all: readonly Step[], decide: Decide = decideScoreDrop): string | null {
  const outbox = new Map<string, Transition<'scoreDrop'>>();
  const scores: Scores = Object.fromEntries(Array.from({ length: controls }, (_, i) => [`c${i}`, 10]));
  let standing: Standing = nothing;
  /** The best total since it was last quiet, and the controls when something was told last. */
  let peak: number | null = null;
  let atTelling: Scores | null = null;
  let before: Scores | null = null;
  let wasTop = false;
  let day = '2026-01-01';
  for (const step of all) {
    day = plusDays(day, 1);
    for (const [control, hundredths] of step.set) scores[`c${control}`] = hundredths / 100;
    if (step.missed) continue;
    const snapshot = dayOf({ day, scores: { ...scores } });
    const around = { threshold, decide, now: `${day}T06:00:00.000Z` };
    const stood = standing.finding !== null && standing.finding.state !== 'resolved';
    let after = evaluate(standing, snapshot, around);
    if (step.crash !== 'before the rows' || standing.baseline === null) write(outbox, after.tell);
    const news = after.finding === standing.finding ? null : (after.tell.at(-1) ?? null);
    if (step.crash !== 'none' && standing.baseline !== null) {
      // The next process comes a day later by the clock and finds the same day of Microsoft's.
      after = evaluate({ baseline: standing.baseline, finding: after.finding }, snapshot, {
        ...around,
        now: `${plusDays(day, 1)}T06:00:00.000Z`,
      });
      write(outbox, after.tell);
    }
    const again = evaluate(after, snapshot, around);
    if (again.tell.length > 0) return `${day}: the same day again tells ${again.tell[0]?.name}`;
    if (again.baseline !== after.baseline) return `${day}: the same day again moves the baseline`;

    const total = sum(scores);
    const isTop = peak === null || total > peak;
    peak = peak === null ? total : Math.max(peak, total);
    const stands = after.finding !== null && after.finding.state !== 'resolved';
    if (!stood && !stands && peak - total >= points * 100) return `${day}: a fall from the peak was not told`;
    // From the top it counts whatever else rose; lower down, what rose may be what had been lost before.
    const counts = wasTop || (before !== null && fall(scores, before) === 0);
    if (!stood && !stands && before !== null && counts && fall(before, scores) >= points * 100) {
      return `${day}: a fall since the day before was not told`;
    }
    if (stood && stands && news === null && atTelling !== null && fall(atTelling, scores) >= points * 100) {
      return `${day}: a further fall was not told`;
    }
    if (news !== null) {
      const { regressed, points: lost } = news.facts;
      if (Math.round(lost * 100) !== regressed.reduce((all, one) => all + Math.round(one.points * 100), 0)) {
        return `${day}: the reasons do not add up to ${lost}`;
      }
      atTelling = { ...scores };
      if (news.kind === 'resolved') peak = total;
    }
    wasTop = isTop || news?.kind === 'resolved';
    standing = after;
    before = { ...scores };
  }
  return outOfOrder([...outbox.values()]);
}

/** A row is inserted when its id is new, and never changed. */
function write(outbox: Map<string, Transition<'scoreDrop'>>, tell: readonly Transition<'scoreDrop'>[]): void {
  for (const one of tell) if (!outbox.has(one.id)) outbox.set(one.id, one);
}

/** The rows of one finding: each generation opens once, worsens 1, 2, 3 … and ends at most once, before the next. */
function outOfOrder(told: readonly Transition[]): string | null {
  let expected = ['1 opened 0'];
  for (const { generation, kind, step } of told) {
    const is = `${generation} ${kind} ${step}`;
    if (!expected.includes(is)) return `told ${is} instead of ${expected.join(' or ')}`;
    expected =
      kind === 'resolved'
        ? [`${generation + 1} reopened 0`]
        : [`${generation} worsened ${step + 1}`, `${generation} resolved 0`];
  }
  return null;
}

function sum(scores: Scores): number {
  return Object.values(scores).reduce((all, score) => all + Math.round(score * 100), 0);
}

/** Hundredths of a point lost by controls, whatever others gained. */
function fall(before: Scores, after: Scores): number {
  return Object.entries(before).reduce(
    (all, [name, score]) => all + Math.max(0, Math.round(score * 100) - Math.round((after[name] ?? 0) * 100)),
    0,
  );
}
