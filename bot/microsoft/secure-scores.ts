import * as v from 'valibot';
import type {
  CategoryScore,
  Comparison,
  ControlReach,
  ControlScore,
  EvaluatedSnapshot,
} from '../../shared/score/score.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import type { Day } from '../../shared/time.ts';
import type { Ask } from './gateway.ts';
import { mapItems, wrongTenant } from './items.ts';
import { looseList, looseNumber, looseText, plainText } from './tolerant.ts';

/** Microsoft keeps 90 days; older ones are ours alone. */
export const keptDays = 90;

/** `GET /security/secureScores` (`graph.md` §1.1): `$top` counts days, newest first. */
export function askSecureScores(days: number): Ask {
  return {
    path: '/security/secureScores',
    query: (request) => request.top(Math.max(1, Math.min(keptDays, Math.floor(days)))),
  };
}

const scoreSchema = v.object({
  id: v.optional(looseText, ''),
  azureTenantId: v.optional(looseText, ''),
  createdDateTime: v.optional(looseText, ''),
  currentScore: looseNumber,
  maxScore: looseNumber,
  licensedUserCount: v.optional(looseNumber, null),
  activeUserCount: v.optional(looseNumber, null),
  averageComparativeScores: v.optional(
    looseList(v.object({ basis: v.pipe(v.string(), v.nonEmpty()), averageScore: looseNumber })),
    [],
  ),
  controlScores: v.optional(
    looseList(
      v.object({
        controlName: v.pipe(v.string(), v.nonEmpty(), v.maxLength(300)),
        controlCategory: v.optional(looseText, ''),
        score: looseNumber,
        implementationStatus: v.optional(looseText, ''),
        // Undeclared, and numbers or texts as it pleases.
        count: v.optional(looseNumber, null),
        total: v.optional(looseNumber, null),
      }),
    ),
    [],
  ),
});

/**
 * Snapshots of `tenant`, newest first, one a day, at most `days`. A day without points is left out: a gap is known to
 * be one, a zero would be a lie. Throws MicrosoftError when nothing of what came can be used.
 */
export function snapshotsOf(items: unknown[], tenant: TenantId, days: number): EvaluatedSnapshot[] {
  const byDay = new Map<Day, EvaluatedSnapshot>();
  for (const snapshot of mapItems(items, scoreSchema, (score) => snapshotOf(score, tenant))) {
    if (!byDay.has(snapshot.day)) byDay.set(snapshot.day, snapshot);
  }
  return [...byDay.values()].sort((a, b) => (a.day < b.day ? 1 : -1)).slice(0, days);
}

function snapshotOf(
  score: v.InferOutput<typeof scoreSchema>,
  tenant: TenantId,
): EvaluatedSnapshot | undefined {
  if (score.azureTenantId !== '' && score.azureTenantId.toLowerCase() !== tenant) throw wrongTenant();
  const day = dayIn(score.id) ?? dayIn(score.createdDateTime);
  const { currentScore: current, maxScore: max } = score;
  if (day === undefined || current === null || max === null || current < 0 || max < 0) return undefined;
  const controls = controlsOf(score.controlScores);
  return {
    tenantId: tenant,
    day,
    current,
    max,
    licensedUsers: count(score.licensedUserCount),
    activeUsers: count(score.activeUserCount),
    comparisons: comparisonsOf(score.averageComparativeScores),
    categories: categoriesOf(controls),
    controls,
  };
}

/** `{tenant}_2026-08-19` or `2026-08-19T00:00:00Z`: Microsoft's own label of the day. */
function dayIn(text: string): Day | undefined {
  const day = /(?:^|_)(\d{4}-\d{2}-\d{2})(?:$|T)/.exec(text)?.[1];
  if (day === undefined) return undefined;
  const at = new Date(`${day}T00:00:00Z`);
  return Number.isNaN(at.getTime()) || at.toISOString().slice(0, 10) !== day ? undefined : day;
}

/** Percentages of 0 to 100; Microsoft has sent empty lists for weeks, −1 for all, and points instead of percent. */
function comparisonsOf(sent: { basis: string; averageScore: number | null }[]): Comparison[] {
  return sent.flatMap(({ basis, averageScore: percent }) =>
    percent !== null && percent >= 0 && percent <= 100 ? [{ basis, percent }] : [],
  );
}

function controlsOf(sent: v.InferOutput<typeof scoreSchema>['controlScores']): ControlScore[] {
  const byName = new Map<string, ControlScore>();
  for (const one of sent) {
    const { controlName: name, controlCategory, score, implementationStatus } = one;
    if (score === null || byName.has(name)) continue;
    const status = plainText(implementationStatus, 1_000);
    const reach = reachOf(one.count, one.total);
    byName.set(name, {
      name,
      category: controlCategory.trim() || 'Other',
      score,
      ...(status === '' ? {} : { status }),
      ...(reach === undefined ? {} : { reach }),
    });
  }
  return [...byName.values()];
}

/** So many of so many users or devices; what cannot be such a share is not said. */
function reachOf(sent: number | null, all: number | null): ControlReach | undefined {
  const covered = count(sent);
  const total = count(all);
  if (covered === null || total === null || total === 0 || covered > total) return undefined;
  return { covered, total };
}

/** Points by category; what could be reached needs the profiles and is added by the job. */
function categoriesOf(controls: ControlScore[]): CategoryScore[] {
  const points = new Map<string, number>();
  for (const { category, score } of controls) points.set(category, (points.get(category) ?? 0) + score);
  return [...points]
    .map(([category, current]) => ({ category, current: Math.round(current * 100) / 100, max: null }))
    .sort((a, b) => (a.category < b.category ? -1 : 1));
}

function count(value: number | null): number | null {
  return value !== null && value >= 0 ? Math.floor(value) : null;
}
