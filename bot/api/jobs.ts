import * as v from 'valibot';
import { type Caller, covers, scopeFor } from '../../shared/access.ts';
import { type JobFilter, type JobList, type JobRow, jobFilters } from '../../shared/api.ts';
import { foldedName } from '../../shared/score/worst-first.ts';
import { type CadencePart, cadenceParts } from '../../shared/tenants/cadence.ts';
import { isNotConnected } from '../../shared/tenants/not-connected.ts';
import { directoryDatasetNames, type Tenant } from '../../shared/tenants/tenant.ts';
import { failingTries, healthReason } from '../../shared/tenants/tenant-health.ts';
import { type Instant, millis, never } from '../../shared/time.ts';
import { sentence } from '../../shared/words.ts';
import type { Services, WorkRow } from '../services.ts';
import { allWork } from './all-work.ts';
import { type Gate, tooFast } from './allowed.ts';
import { kindOf } from './bulk.ts';
import { problem } from './problem.ts';
import type { ApiRoute } from './route.ts';
import { onlyOnce, tabOf } from './tenants.ts';

const pageSize = 200;
/** A row that is due waits for the next tick; later than this nobody has taken it. */
const overdueAfterMs = 60_000;

const querySchema = v.strictObject({
  q: v.optional(v.pipe(v.string(), v.maxLength(80)), ''),
  show: v.optional(v.picklist(jobFilters), 'all'),
  /** How many of this list were seen: it is made anew each time, so a row may come twice or not at all. */
  after: v.optional(v.pipe(v.string(), v.regex(/^\d{1,5}$/), v.transform(Number)), '0'),
});

/** `GET /api/tab/jobs`: what the clock does for the tenants this person may sync, failing first. */
export function jobsRoute(gate: Gate): ApiRoute {
  return {
    method: 'GET',
    path: '/api/tab/jobs',
    auth: 'tab',
    handle: async (request, who, services) => {
      const refusal =
        (await gate.door.toSome(request, who, 'sync', services)) ?? tooFast(gate.bulk, who, request);
      if (refusal !== null) return refusal;
      const query = v.safeParse(querySchema, onlyOnce(request.query));
      if (!query.success) {
        return problem(
          400,
          'This page of the list does not exist. Load it again from the start.',
          request.id,
        );
      }
      return { status: 200, body: await listFor(who, query.output, services) };
    },
  };
}

async function listFor(
  who: Caller,
  { q, show, after }: v.InferOutput<typeof querySchema>,
  services: Services,
): Promise<JobList> {
  const now = services.now();
  const scope = scopeFor(who, tabOf(who), 'sync', now);
  const tenants = new Map(
    (await services.store.tenants.list(scope)).map((tenant) => [tenant.id, tenant] as const),
  );
  const asked = foldedName(q);
  const all: JobRow[] = [];
  const instances = new Set<string>();
  for (const row of await allWork(scope, services)) {
    const tenant = tenants.get(row.tenantId);
    const part = cadenceParts.find((one) => kindOf[one] === row.kind);
    // Removed meanwhile, or there is no way in yet: nothing is to be done about it here.
    if (tenant === undefined || part === undefined || isNotConnected(tenant.health)) continue;
    const job = jobRow(row, tenant, part, now, covers(scope, tenant.id));
    if (job.lease !== null) instances.add(job.lease.instance);
    all.push(job);
  }
  const counts = Object.fromEntries(
    jobFilters.map((filter) => [filter, all.filter((job) => fits(job, filter)).length]),
  ) as Record<JobFilter, number>;
  const wanted = all
    .filter((job) => fits(job, show) && (asked === '' || matches(job, asked)))
    .sort(compareJobs);
  const waiting = all.filter(({ overdue }) => overdue).map(({ dueAt }) => millis(dueAt ?? now));
  const end = after + pageSize;
  return {
    now,
    rows: wanted.slice(after, end),
    next: wanted.length > end ? String(end) : null,
    total: wanted.length,
    counts,
    instances: [...instances].sort().slice(0, 50),
    oldestSeconds: waiting.length === 0 ? 0 : Math.round((millis(now) - Math.min(...waiting)) / 1000),
  };
}

function jobRow(row: WorkRow, tenant: Tenant, part: CadencePart, now: Instant, maySync: boolean): JobRow {
  const held = row.lease !== undefined && row.lease.until > now ? row.lease : undefined;
  return {
    tenant: { id: tenant.id, name: tenant.name, domain: tenant.domain },
    part,
    startedAt: row.lastStartedAt ?? null,
    doneAt: row.lastDoneAt ?? null,
    ms: row.lastMs ?? null,
    outcome: row.lastOutcome ?? '',
    dueAt: row.dueAt >= never ? null : row.dueAt,
    failures: row.failures,
    why: row.failures > 0 ? reasonOf(tenant, part) : '',
    lease: held === undefined ? null : { instance: held.owner, until: held.until },
    overdue: held === undefined && millis(now) - millis(row.dueAt) > overdueAfterMs,
    maySync,
  };
}

const unknown = 'Watchpost could not finish it and tries again by itself; its log says more.';

/** What is known of why it fails: the health of the tenant, or what could not be read beside it. */
function reasonOf(tenant: Tenant, part: CadencePart): string {
  const health = [failingTries(tenant.health), healthReason(tenant.health)].filter(Boolean).join(' ');
  if (health !== '') return health;
  if (part === 'scores') return unknown;
  const reasons = directoryDatasetNames.flatMap((name) => {
    const dataset = tenant.datasets[name];
    return dataset?.state === 'error' || dataset?.state === 'throttled' ? [dataset.why ?? ''] : [];
  });
  const known = [...new Set(reasons)].filter(Boolean).slice(0, 3).map(sentence).join(' ');
  return known === '' ? unknown : known;
}

function fits(job: JobRow, filter: JobFilter): boolean {
  switch (filter) {
    case 'failing':
      return job.failures > 0;
    case 'running':
      return job.lease !== null;
    case 'overdue':
      return job.overdue;
    default:
      return true;
  }
}

function matches({ tenant }: JobRow, asked: string): boolean {
  return foldedName(tenant.name).includes(asked) || tenant.domain.includes(asked);
}

/** Most failures first, then what is due first, then by name. */
function compareJobs(a: JobRow, b: JobRow): number {
  if (a.failures !== b.failures) return b.failures - a.failures;
  const due = (a.dueAt ?? never) < (b.dueAt ?? never) ? -1 : (a.dueAt ?? never) > (b.dueAt ?? never) ? 1 : 0;
  if (due !== 0) return due;
  const left = `${a.tenant.name} ${a.tenant.id} ${a.part}`;
  return left < `${b.tenant.name} ${b.tenant.id} ${b.part}` ? -1 : 1;
}
