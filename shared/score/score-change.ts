import type { TenantId } from '../tenants/tenant.ts';
import { type Day, daysBetween, plusDays } from '../time.ts';
import type {
  ControlChange,
  ControlProfile,
  ControlScore,
  EvaluatedSnapshot,
  ScoreChange,
  ScoreSnapshot,
} from './score.ts';

/** Microsoft's points are binary fractions of percentages; less than this is noise. */
const noise = 0.005;

/** current / max × 100; null when nothing could be reached, which is not 0 %. */
export function percentOf(snapshot: Pick<ScoreSnapshot, 'current' | 'max'>): number | null {
  return snapshot.max > 0 ? (snapshot.current / snapshot.max) * 100 : null;
}

type Measured = Pick<ScoreSnapshot, 'day' | 'current' | 'max'>;

/** The difference of two days in percentage points and points; null when either has no maximum. */
export function scoreChange(before: Measured, after: Measured): ScoreChange | null {
  const from = percentOf(before);
  const to = percentOf(after);
  if (from === null || to === null) return null;
  return {
    from: before.day,
    to: after.day,
    percent: to - from,
    points: after.current - before.current,
    maxPoints: after.max - before.max,
  };
}

/**
 * The day to compare `day` with: `daysAgo` days earlier, or the nearest day before that, at most `reach` days
 * further back. Null when none was evaluated there: a gap is said, not bridged at any price.
 */
export function dayBefore<T extends Measured>(
  snapshots: readonly T[],
  day: Day,
  daysAgo: number,
  reach: number,
): T | null {
  const target = plusDays(day, -daysAgo);
  let best: T | null = null;
  for (const one of snapshots) {
    if (one.day > target || daysBetween(one.day, target) > reach) continue;
    if (best === null || one.day > best.day) best = one;
  }
  return best;
}

/**
 * What each control did between two evaluated days, biggest loss first. A control that Microsoft added has
 * `from: null`, one it retired `to: null`. Titles come from the profiles, else the control's name.
 */
export function controlChangesBetween(
  tenantId: TenantId,
  before: EvaluatedSnapshot,
  after: EvaluatedSnapshot,
  profiles: readonly ControlProfile[],
): ControlChange[] {
  const titles = new Map(profiles.map((profile) => [profile.name, profile.title]));
  const old = byName(before.controls);
  const now = byName(after.controls);
  const changes: ControlChange[] = [];
  for (const name of new Set([...old.keys(), ...now.keys()])) {
    const from = old.get(name)?.score ?? null;
    const to = now.get(name)?.score ?? null;
    if (from !== null && to !== null && Math.abs(to - from) < noise) continue;
    changes.push({ tenantId, day: after.day, name, title: titles.get(name) || name, from, to });
  }
  return changes.sort((a, b) => pointsMoved(a) - pointsMoved(b) || (a.name < b.name ? -1 : 1));
}

/** Points a control brought (negative: cost); 0 for one that Microsoft added or retired: that is nobody's doing. */
export function pointsMoved(change: Pick<ControlChange, 'from' | 'to'>): number {
  return change.from === null || change.to === null ? 0 : change.to - change.from;
}

function byName(controls: readonly ControlScore[]): Map<string, ControlScore> {
  return new Map(controls.map((control) => [control.name, control]));
}
