import { baselineOf } from '../alerts/baseline.ts';
import { ownDoing } from '../alerts/own-doing.ts';
import type { TenantId } from '../tenants/tenant.ts';
import { type Instant, plusDays } from '../time.ts';
import type {
  Action,
  CategoryScore,
  ControlProfile,
  ControlScore,
  EvaluatedSnapshot,
  Posture,
  ScoreSnapshot,
} from './score.ts';
import { controlChangesBetween, dayBefore, percentOf, pointsMoved, scoreChange } from './score-change.ts';

/** How far before the wanted day a snapshot may lie and still stand for it, in days. */
const reachOfYesterday = 3;
const reachOfMonth = 7;
const trendDays = 90;
const most = 10;

/**
 * What is shown of a tenant's score, from `evaluatedNow` and what is known before it. `snapshots` may come in any
 * order and hold `evaluatedNow`'s day or not; `evaluatedBefore` is the last evaluated day before it.
 */
export function postureOf(known: {
  tenantId: TenantId;
  snapshots: readonly ScoreSnapshot[];
  evaluatedBefore: EvaluatedSnapshot | null;
  evaluatedNow: EvaluatedSnapshot;
  profiles: readonly ControlProfile[];
  readAt: Instant;
}): Posture {
  const { tenantId, evaluatedBefore, evaluatedNow, profiles, readAt } = known;
  const { day, current, max } = evaluatedNow;
  const earlier = known.snapshots.filter((one) => one.day < day);
  const yesterday = dayBefore(earlier, day, 1, reachOfYesterday);
  const monthAgo = dayBefore(earlier, day, 30, reachOfMonth);

  const changes =
    evaluatedBefore === null || evaluatedBefore.day >= day
      ? []
      : controlChangesBetween(tenantId, evaluatedBefore, evaluatedNow, profiles);
  const moved = changes.filter((change) => pointsMoved(change) !== 0);
  const own = doingsBetween(evaluatedBefore, evaluatedNow, profiles);
  const doing = ({ name }: { name: string }): number => own.get(name) ?? 0;
  const regressed = new Set(moved.filter((change) => doing(change) < 0).map(({ name }) => name));
  const improved = moved.filter((change) => doing(change) > 0).length;
  const byUsers = moved.length - regressed.size - improved;
  const actions = actionsWorthMost(evaluatedNow.controls, profiles, regressed);

  return {
    tenantId,
    day,
    current,
    max,
    percent: percentOf(evaluatedNow),
    sinceYesterday: yesterday === null ? null : scoreChange(yesterday, evaluatedNow),
    over30Days: monthAgo === null ? null : scoreChange(monthAgo, evaluatedNow),
    regressed: regressed.size,
    improved,
    ...(byUsers === 0 ? {} : { byUsers }),
    moved: moved
      .map((change) => ({
        name: change.name,
        title: change.title,
        points: pointsMoved(change),
        ...(doing(change) === 0 ? { byUsers: true as const } : {}),
      }))
      .sort(
        (a, b) => Math.abs(b.points) - Math.abs(a.points) || a.points - b.points || compare(a.name, b.name),
      )
      .slice(0, most),
    trend: trendOf([...earlier, evaluatedNow], plusDays(day, 1 - trendDays)),
    comparisons: evaluatedNow.comparisons,
    categories: categoriesOf(evaluatedNow.controls, profiles),
    actions: actions.slice(0, most),
    actionCount: actions.length,
    actionGain: actions.reduce((points, action) => points + action.gain, 0),
    readAt,
  };
}

/** What each control moved by the tenant's own doing, in thousandths of a point: the same judgement as of a fall. */
function doingsBetween(
  before: EvaluatedSnapshot | null,
  now: EvaluatedSnapshot,
  profiles: readonly ControlProfile[],
): Map<string, number> {
  if (before === null) return new Map();
  const old = new Map(baselineOf(before, profiles).controls.map((control) => [control.name, control]));
  const found = new Map<string, number>();
  for (const control of baselineOf(now, profiles).controls) {
    const was = old.get(control.name);
    if (was !== undefined) found.set(control.name, ownDoing(was, control));
  }
  return found;
}

function trendOf(snapshots: readonly ScoreSnapshot[], since: string): Posture['trend'] {
  const byDay = new Map(snapshots.filter((one) => one.day >= since).map((one) => [one.day, one]));
  return [...byDay.values()]
    .sort((a, b) => compare(a.day, b.day))
    .map((one) => ({ day: one.day, percent: percentOf(one), current: one.current, max: one.max }));
}

const usualOrder = ['Identity', 'Data', 'Device', 'Apps', 'Infrastructure'];

/** Points by category; `max` is null as soon as one of its controls has no profile: an unknown sum is no sum. */
export function categoriesOf(
  controls: readonly ControlScore[],
  profiles: readonly ControlProfile[],
): CategoryScore[] {
  const maxOf = new Map(profiles.map((profile) => [profile.name, profile.max]));
  const found = new Map<string, CategoryScore>();
  for (const control of controls) {
    const sum = found.get(control.category) ?? { category: control.category, current: 0, max: 0 };
    const max = maxOf.get(control.name);
    found.set(control.category, {
      category: control.category,
      current: sum.current + control.score,
      max: sum.max === null || max === undefined ? null : sum.max + max,
    });
  }
  const place = (name: string): number =>
    usualOrder.includes(name) ? usualOrder.indexOf(name) : usualOrder.length;
  return [...found.values()].sort(
    (a, b) => place(a.category) - place(b.category) || compare(a.category, b.category),
  );
}

/** Done elsewhere or accepted as a risk: not work that is left. */
const settled = new Set(['thirdparty', 'ignored']);
const efforts = ['low', 'moderate', 'high'];
const smallestGain = 0.05;

/**
 * What is left to do, worth most first: by points, then Microsoft's rank, then effort. Only controls scored for this
 * tenant (others do not apply or are not licensed), not retired, not settled by a person.
 */
export function actionsWorthMost(
  controls: readonly ControlScore[],
  profiles: readonly ControlProfile[],
  regressed: ReadonlySet<string>,
): Action[] {
  const scores = new Map(controls.map((control) => [control.name, control]));
  const ranked: { action: Action; rank: number }[] = [];
  for (const profile of profiles) {
    const control = scores.get(profile.name);
    if (control === undefined || profile.deprecated || settled.has(profile.state.toLowerCase())) continue;
    const gain = profile.max - control.score;
    if (!(gain >= smallestGain)) continue;
    const action: Action = {
      control: profile.name,
      title: profile.title || profile.name,
      category: profile.category,
      service: profile.service,
      gain,
      current: control.score,
      max: profile.max,
      effort: profile.effort,
      userImpact: profile.userImpact,
      actionUrl: profile.actionUrl,
      remediation: profile.remediation,
      regressed: regressed.has(profile.name),
    };
    if (control.status !== undefined) action.status = control.status;
    ranked.push({ action, rank: profile.rank });
  }
  return ranked
    .sort(
      (a, b) =>
        b.action.gain - a.action.gain ||
        a.rank - b.rank ||
        effortOf(a.action) - effortOf(b.action) ||
        compare(a.action.control, b.action.control),
    )
    .map(({ action }) => action);
}

function effortOf(action: Action): number {
  const place = efforts.indexOf(action.effort.toLowerCase());
  return place < 0 ? efforts.length : place;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
