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
import { looseList, looseNumber, looseText, numberOf, plainText } from './tolerant.ts';

/** Microsoft keeps 90 days; older ones are ours alone. */
export const keptDays = 90;

/** `GET /security/secureScores` (`graph.md` §1.1): `$top` counts days, newest first. */
export function askSecureScores(days: number): Ask {
  const most = Math.max(1, Math.min(keptDays, Math.floor(days)));
  const ask = asks.get(most) ?? { path: '/security/secureScores', query: (request) => request.top(most) };
  asks.set(most, ask);
  return ask;
}
const asks = new Map<number, Ask>();

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
  // Hundreds a day: a schema for each would be a third of what reading a tenant costs. `controlsOf` looks at them.
  controlScores: v.optional(v.unknown()),
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

/** The controls that have a name and points; whatever else is sent is left out. */
function controlsOf(sent: unknown): ControlScore[] {
  const byName = new Map<string, ControlScore>();
  for (const one of Array.isArray(sent) ? (sent as unknown[]) : []) {
    if (typeof one !== 'object' || one === null) continue;
    const item: { [name in keyof SentControl]?: unknown } = one;
    const name = item.controlName;
    const score = numberOf(item.score);
    if (typeof name !== 'string' || name === '' || name.length > 300) continue;
    if (score === null || byName.has(name)) continue;
    const status = plainText(textOf(item.implementationStatus), 1_000);
    const control: ControlScore = { name, category: textOf(item.controlCategory).trim() || 'Other', score };
    if (status !== '') control.status = status;
    const reach = reachOf(numberOf(item.count), numberOf(item.total));
    if (reach !== undefined) control.reach = reach;
    byName.set(name, control);
  }
  return [...byName.values()];
}

/** What is read of a `controlScore`; `count` and `total` are undeclared, and numbers or texts as it pleases. */
type SentControl = {
  controlName: string;
  controlCategory: string;
  score: number;
  implementationStatus: string;
  count: number | string;
  total: number | string;
};

function textOf(sent: unknown): string {
  return typeof sent === 'string' ? sent : '';
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
