import type { ControlProfile } from '../score/score.ts';
import type { Baseline, BaselineControl } from './baseline.ts';
import type { DropFacts, NotCounted, Regressed } from './drop-facts.ts';
import { thousandths } from './threshold.ts';

/** Less than this is rounding of Microsoft's binary fractions, not a movement; in thousandths of a point. */
const noise = 5;

/** What moved between a baseline and an evaluated day, told apart by whose doing it is. */
export type Losses = {
  points: number;
  percent: number | null;
  /** By loss, then name. */
  regressed: Regressed[];
  /** Points gained, by control. */
  gained: Map<string, number>;
  notCounted: NotCounted;
};

/**
 * What comparable controls lost and gained since `before`; `now` is the newest evaluated day as a baseline. A control
 * is comparable when it was scored on both days. Points lost are the sum over the controls that lost, whatever others
 * gained. `percent` is that sum in percentage points of the comparable maximum: what could be reached on the
 * baseline's day, so that no maximum Microsoft moves afterwards makes or unmakes a fall. All sums are of whole
 * thousandths of a point.
 */
export function lossesSince(before: Baseline, now: Baseline, profiles: readonly ControlProfile[]): Losses {
  const known = new Map(profiles.map((profile) => [profile.name, profile]));
  const old = new Map(before.controls.map((control) => [control.name, control]));
  const regressed: Regressed[] = [];
  const gained = new Map<string, number>();
  let lost = 0;
  let microsoft = 0;
  let tenant = 0;
  let rescaled = 0;
  let added = 0;
  for (const control of now.controls) {
    const was = old.get(control.name);
    if (was === undefined || was.joined !== undefined) added += 1;
    if (was === undefined) {
      microsoft += thousandths(control.score);
      continue;
    }
    const all = thousandths(control.score) - thousandths(was.score);
    const own = ownDoing(was, control);
    if (own < 0) {
      lost -= own;
      const title = known.get(control.name)?.title || control.name;
      regressed.push({
        name: control.name,
        title,
        from: was.score,
        to: control.score,
        points: -own / 1000,
      });
    } else if (own > 0) gained.set(control.name, own / 1000);
    const other = all - own;
    if (maxChanged(was, control)) {
      rescaled += 1;
      microsoft += other;
    } else tenant += other;
  }
  const scored = new Set(now.controls.map(({ name }) => name));
  let retired = 0;
  let unlicensed = 0;
  for (const { name, score } of before.controls) {
    if (scored.has(name)) continue;
    // Described still, but no longer scored for this tenant: its licence went, not the control.
    const described = known.get(name)?.deprecated === false;
    if (described) unlicensed += 1;
    else retired += 1;
    if (described) tenant -= thousandths(score);
    else microsoft -= thousandths(score);
  }
  return {
    points: lost / 1000,
    percent: before.max > 0 ? (lost / 1000 / before.max) * 100 : null,
    regressed: regressed.sort((a, b) => b.points - a.points || (a.name < b.name ? -1 : 1)),
    gained,
    notCounted: {
      microsoft: {
        added,
        retired,
        rescaled,
        maxMoved: now.max - before.max,
        points: microsoft / 1000,
      },
      tenant: {
        unlicensed,
        licensedUsersMoved: difference(before.licensedUsers, now.licensedUsers),
        activeUsersMoved: difference(before.activeUsers, now.activeUsers),
        points: tenant / 1000,
      },
    },
  };
}

/**
 * Thousandths of a point a control moved by the tenant's own doing: what lies outside the span that a changed maximum
 * and changed numbers of users explain by themselves.
 */
function ownDoing(was: BaselineControl, is: BaselineControl): number {
  const span = explained(was, is);
  const score = thousandths(is.score);
  const low = Math.min(thousandths(was.score), thousandths(span.low));
  const high = Math.max(thousandths(was.score), thousandths(span.high));
  const own = score < low ? score - low : score > high ? score - high : 0;
  return Math.abs(own) < noise ? 0 : own;
}

/** The scores that would be there had nobody done anything. */
function explained(was: BaselineControl, is: BaselineControl): { low: number; high: number } {
  const scale = maxChanged(was, is) && was.max && is.max ? is.max / was.max : 1;
  const rescaled = was.score * scale;
  const before = trusted(was);
  const after = trusted(is);
  if (before === null || after === null || before.total === after.total)
    return { low: rescaled, high: rescaled };
  const max = is.max ?? 0;
  // By the score rather than by heads: Microsoft rounds those.
  const covered = was.max ? (was.score / was.max) * before.total : 0;
  const came = Math.max(0, after.total - before.total);
  const left = Math.max(0, before.total - after.total);
  // At worst all who left were covered and none who came is; at best the other way round.
  return {
    low: (max * Math.max(0, covered - left)) / after.total,
    high: (max * Math.min(after.total, covered + came)) / after.total,
  };
}

function maxChanged(was: BaselineControl, is: BaselineControl): boolean {
  return was.max !== null && is.max !== null && thousandths(was.max) !== thousandths(is.max);
}

/** How many are covered, when that is really what Microsoft counts points by: the two shares must agree. */
function trusted({ reach, score, max }: BaselineControl): { covered: number; total: number } | null {
  if (reach === undefined || max === null || max <= 0 || reach.total <= 0) return null;
  const apart = Math.abs(score / max - reach.covered / reach.total);
  return apart <= 1 / reach.total + 0.005 ? reach : null;
}

function difference(before: number | null, after: number | null): number | null {
  return before === null || after === null ? null : after - before;
}

/** The facts of a fall as they are told. */
export function dropFacts(
  before: Baseline,
  now: Baseline,
  losses: Losses,
  further: number,
  rest: Pick<DropFacts, 'first' | 'threshold'>,
): DropFacts {
  let gained = 0;
  for (const points of losses.gained.values()) gained += thousandths(points);
  return {
    since: before.day,
    day: now.day,
    before: { current: before.current, max: before.max },
    after: { current: now.current, max: now.max },
    points: losses.points,
    percent: losses.percent,
    further,
    gained: gained / 1000,
    regressed: losses.regressed,
    notCounted: losses.notCounted,
    ...rest,
  };
}
