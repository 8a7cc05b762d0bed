import type { ControlProfile } from '../score/score.ts';
import type { Baseline } from './baseline.ts';
import type { NotCounted, Regressed } from './drop-facts.ts';
import { maxChanged, ownDoing } from './own-doing.ts';
import { type Loss, thousandths } from './threshold.ts';

/** What moved between a baseline and an evaluated day, told apart by whose doing it is. */
export type Losses = Loss & {
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
    ...lossOf(lost / 1000, before),
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

/** So many points as a loss: percentage points of what could be reached on the baseline's day. */
export function lossOf(points: number, { max }: Pick<Baseline, 'max'>): Loss {
  return { points, percent: max > 0 ? (points / max) * 100 : null };
}

function difference(before: number | null, after: number | null): number | null {
  return before === null || after === null ? null : after - before;
}
