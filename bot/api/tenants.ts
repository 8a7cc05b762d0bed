import * as v from 'valibot';
import { type Audience, type Caller, scopeFor, type TenantScope } from '../../shared/access.ts';
import {
  type TenantFigures,
  type TenantFilter,
  type TenantList,
  type TenantMatch,
  type TenantRow,
  tenantFilters,
} from '../../shared/api.ts';
import {
  compareRanks,
  foldedName,
  lastGroup,
  type Rank,
  rate,
  readAtOf,
} from '../../shared/score/worst-first.ts';
import { expiryHorizon, ownNotices as noticesOf } from '../../shared/tenants/credential-expiry.ts';
import { notRead } from '../../shared/tenants/not-read.ts';
import type { Tenant, TenantId } from '../../shared/tenants/tenant.ts';
import { failingTries } from '../../shared/tenants/tenant-health.ts';
import { type WorkState, workStateOf, workStates } from '../../shared/tenants/work-state.ts';
import type { Instant } from '../../shared/time.ts';
import { brokenNotices } from '../cards/broken-route.ts';
import { nameApart, namesakes } from '../cards/tenants-apart.ts';
import { staleBy } from '../cron.ts';
import type { Services } from '../services.ts';
import { problem } from './problem.ts';
import type { ApiRoute } from './route.ts';
import type { Standing, Standings } from './standings.ts';
import { tenantRow } from './tenant-row.ts';

const pageSize = 200;
const mostTagsShown = 100;

/** Where the last page ended, in the order of the list. */
const cursorSchema = v.strictTuple([
  v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(lastGroup)),
  v.pipe(v.number(), v.finite()),
  v.pipe(v.string(), v.maxLength(400)),
]);

const querySchema = v.strictObject({
  q: v.optional(v.pipe(v.string(), v.maxLength(80)), ''),
  show: v.optional(v.picklist(tenantFilters), 'all'),
  state: v.optional(v.picklist(workStates)),
  tag: v.optional(v.pipe(v.string(), v.maxLength(80))),
  after: v.optional(
    v.pipe(
      v.string(),
      v.maxLength(1_000),
      v.regex(/^[\w-]+$/),
      v.transform((text) => Buffer.from(text, 'base64url').toString('utf8')),
      v.parseJson(),
      cursorSchema,
    ),
  ),
});

/** A tenant with all that ordering, counting and filtering need. */
type Line = {
  tenant: Tenant;
  standing: Standing | undefined;
  fell: boolean;
  /** Its connection is in trouble: what is known of it stays as it was. */
  unreadable: boolean;
  /** The fall that stands. */
  fall: TenantRow['fall'];
  ending: TenantRow['ending'];
  attention: boolean;
  blind: boolean;
  rank: Rank;
};

/** `GET /api/tab/tenants`: the tenants this person may see, worst change first, with the figures above them. */
export function tenantsRoute(standings: Standings): ApiRoute {
  return {
    method: 'GET',
    path: '/api/tab/tenants',
    auth: 'tab',
    handle: async (request, who, services) => {
      const query = v.safeParse(querySchema, onlyOnce(request.query));
      if (!query.success) {
        return problem(
          400,
          'This page of the list does not exist. Load it again from the start.',
          request.id,
        );
      }
      return { status: 200, body: await listFor(who, query.output, standings, services) };
    },
  };
}

/** The place a tab shows things in: one person alone. */
export function tabOf(who: Caller): Audience {
  return { kind: 'personal', oid: who.oid, tid: who.tid };
}

async function listFor(
  who: Caller,
  query: v.InferOutput<typeof querySchema>,
  standings: Standings,
  services: Services,
): Promise<TenantList> {
  const now = services.now();
  const scope = scopeFor(who, tabOf(who), 'view', now);
  const staleMs = staleBy(services.settings, now);
  const lines = await linesOf(scope, standings, services, now, staleMs);

  const asked = foldedName(query.q);
  const wanted = lines.filter((line) => fits(line, { ...query, q: asked }));
  const { after } = query;
  const rest = after === undefined ? wanted : wanted.filter((line) => compareRanks(line.rank, after) > 0);
  const page = rest.slice(0, pageSize);
  const postures = await services.store.scores.postures(
    scope,
    page.filter((line) => line.standing !== undefined).map(({ tenant }) => tenant.id),
  );
  const byId = new Map(postures.map((posture) => [posture.tenantId, posture]));
  const shared = namesakes(lines.map(({ tenant }) => tenant));
  const last = page.at(-1);
  return {
    now,
    rows: page.map(({ tenant, fall, ending }) =>
      tenantRow(tenant, byId.get(tenant.id) ?? null, now, staleMs(tenant), {
        namesake: shared.has(tenant.id),
        fall,
        ending,
      }),
    ),
    next:
      last === undefined || rest.length <= pageSize
        ? null
        : Buffer.from(JSON.stringify(last.rank)).toString('base64url'),
    total: wanted.length,
    figures: figuresOf(lines, shared),
    notices: [...ownNotices(who, services.settings, now), ...(await unreachable(who, services, now))],
  };
}

async function linesOf(
  scope: TenantScope,
  standings: Standings,
  services: Services,
  now: Instant,
  staleMs: (tenant: Tenant) => number,
): Promise<Line[]> {
  const tenants = await services.store.tenants.list(scope);
  const [known, falls, endings] = await Promise.all([
    standings.of(scope, tenants, services),
    services.store.findings.standing(scope),
    services.store.credentials.ending(scope, expiryHorizon(now)),
  ]);
  const fallen = new Map(
    falls.map(({ tenantId, points, state }) => [
      tenantId,
      { points, acknowledged: state === 'acknowledged' },
    ]),
  );
  const ending = new Map(endings.map(({ tenantId, kind, expiresAt }) => [tenantId, { kind, expiresAt }]));
  return tenants
    .map((tenant) => {
      const signs = { fall: fallen.get(tenant.id), ending: ending.get(tenant.id) };
      return lineOf(tenant, known.get(tenant.id), signs, now, staleMs(tenant));
    })
    .sort((a, b) => compareRanks(a.rank, b.rank));
}

function lineOf(
  tenant: Tenant,
  standing: Standing | undefined,
  { fall, ending }: Pick<TenantRow, 'fall' | 'ending'>,
  now: Instant,
  staleMs: number,
): Line {
  const { fell, unreadable, stale, rank } = rate(tenant, standing, now, staleMs);
  return {
    tenant,
    standing,
    fell,
    unreadable,
    fall,
    ending,
    attention:
      fall !== undefined || ending !== undefined || unreadable || stale || failingTries(tenant.health) !== '',
    blind: unreadable || notRead(tenant).length > 0,
    rank,
  };
}

/** Watchpost's own credentials concern who may connect any tenant: with them everything ends. */
function ownNotices(who: Caller, settings: Services['settings'], now: Instant): string[] {
  if (!scopeFor(who, tabOf(who), 'connect', now).all) return [];
  return noticesOf(settings.ownCredentials ?? [], now);
}

/** Where news does not arrive, for who looks after all tenants: there nobody can be told. */
async function unreachable(who: Caller, { store }: Services, now: Instant): Promise<string[]> {
  if (!scopeFor(who, tabOf(who), 'watch', now).all) return [];
  return brokenNotices(await store.subscriptions.unreachable(), now);
}

/** `q` is folded already. */
function fits(
  line: Line,
  { q, show, state, tag }: { q: string; show: TenantFilter; state?: WorkState; tag?: string },
): boolean {
  return (
    (show === 'all' || line[show]) &&
    (state === undefined || workStateOf(line.tenant.health) === state) &&
    (tag === undefined || line.tenant.tags?.includes(tag) === true) &&
    matches(line.tenant, q)
  );
}

/** The tenants this person may see that fit, in the order of the list: what "all of these" means to a change. */
export async function matching(
  who: Caller,
  match: TenantMatch,
  standings: Standings,
  services: Services,
): Promise<Tenant[]> {
  const now = services.now();
  const scope = scopeFor(who, tabOf(who), 'view', now);
  const lines = await linesOf(scope, standings, services, now, staleBy(services.settings, now));
  const asked = { ...match, q: foldedName(match.q ?? ''), show: match.show ?? 'all' };
  return lines.filter((line) => fits(line, asked)).map(({ tenant }) => tenant);
}

function matches(tenant: Tenant, asked: string): boolean {
  if (asked === '') return true;
  return foldedName(tenant.name).includes(asked) || tenant.domains.some((domain) => domain.includes(asked));
}

function figuresOf(lines: readonly Line[], shared: ReadonlySet<TenantId>): TenantFigures {
  const percents = lines
    .map(({ standing }) => standing?.percent ?? null)
    .filter((percent) => percent !== null)
    .sort((a, b) => a - b);
  const compared = lines.filter(({ standing }) => (standing?.aboveSize ?? null) !== null);
  const those = (some: Line[]): { count: number; names: string[] } => ({
    count: some.length,
    names: some.slice(0, 2).map(({ tenant }) => nameApart(tenant, shared, asItIs, 0)),
  });
  let readAt: Instant | null = null;
  for (const { tenant, standing } of lines) {
    if (standing === undefined) continue;
    const at = readAtOf(tenant, standing);
    if (readAt === null || at > readAt) readAt = at;
  }
  return {
    tenants: lines.length,
    median: median(percents),
    scored: percents.length,
    unreadable: lines.filter(({ unreadable }) => unreadable).length,
    aboveSize: {
      above: compared.filter(({ standing }) => standing?.aboveSize === true).length,
      of: compared.length,
    },
    fell: those(lines.filter(({ fell }) => fell)),
    attention: those(lines.filter(({ attention }) => attention)),
    blind: those(lines.filter(({ blind }) => blind)),
    ...worked(lines.map(({ tenant }) => tenant)),
    readAt,
  };
}

/** How far the work of connecting is, and by what it can be sorted. */
function worked(tenants: readonly Tenant[]): Pick<TenantFigures, 'connected' | 'states' | 'tags'> {
  const states = counts(tenants.map(({ health }) => workStateOf(health)));
  const tags = counts(tenants.flatMap((tenant) => tenant.tags ?? []));
  return {
    connected: states.get('connected') ?? 0,
    states: workStates
      .map((state) => ({ state, count: states.get(state) ?? 0 }))
      .filter(({ count }) => count > 0),
    tags: [...tags]
      .map(([tag, count]) => ({ tag, count }))
      .sort((a, b) => b.count - a.count || (a.tag < b.tag ? -1 : 1))
      .slice(0, mostTagsShown),
  };
}

function counts<T>(all: readonly T[]): Map<T, number> {
  const found = new Map<T, number>();
  for (const one of all) found.set(one, (found.get(one) ?? 0) + 1);
  return found;
}

/** The page shows texts as they are and cannot be made to act by them. */
function asItIs(text: string): string {
  return text;
}

function median(sorted: readonly number[]): number | null {
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  return upper === undefined || lower === undefined ? null : (upper + lower) / 2;
}

/** The query as an object; a name that comes twice has no one meaning and becomes a value no schema accepts. */
export function onlyOnce(query: URLSearchParams): Record<string, unknown> {
  const found: Record<string, unknown> = Object.create(null);
  for (const name of new Set(query.keys())) {
    const all = query.getAll(name);
    found[name] = all.length === 1 ? all[0] : all;
  }
  return found;
}
