import { scopeOfJob } from '../../shared/access.ts';
import { evaluateScores } from '../../shared/score/evaluate.ts';
import {
  type DatasetName,
  type DatasetState,
  datasetNames,
  type Tenant,
} from '../../shared/tenants/tenant.ts';
import { nextHealth } from '../../shared/tenants/tenant-health.ts';
import { dayOf, daysBetween, type Instant, plusDays } from '../../shared/time.ts';
import { errorCode, hasCode } from '../errors.ts';
import type { Failure, Lease, Reading, Services, TenantAccess, TenantChange } from '../services.ts';
import { nextDue, retryDue } from './cadence.ts';

/** Microsoft keeps 90 days; the first read takes them all, later ones what is new and two days more. */
const keptDays = 90;

type Told = { outcome: 'changed' | 'unchanged' | 'failed' | 'gone'; says: string; failure?: Failure };

/**
 * Reads one tenant's score and what it needs to be understood, evaluates and stores it. Every write is conditional
 * on the lease's fence and safe to repeat; the mark "done" comes last. Answers the outcome for log and metrics.
 */
export async function syncScores(lease: Lease, services: Services): Promise<Told['outcome']> {
  const { store, log } = services;
  const started = performance.now();
  const scope = scopeOfJob(lease.tenantId);
  await store.syncRequests.start(lease);
  let told: Told;
  let failures = 0;
  try {
    const tenant = await store.tenants.get(scope, lease.tenantId);
    told =
      tenant === null
        ? { outcome: 'gone', says: 'This tenant is no longer connected.' }
        : await read(tenant, lease, services);
  } catch (error) {
    // Somebody else holds the lease now, or the program stops: not ours to finish. What the stop cuts off stays
    // leased, its wishes stay open, and the next start does it again.
    if (hasCode(error, 'conflict', 'stopped')) throw error;
    log.error({ tenant: lease.tenantId, code: errorCode(error), fence: lease.fence }, 'sync ended early');
    told = {
      outcome: 'failed',
      says: hasCode(error, 'secret')
        ? `${error.message} ${error.hint ?? ''}`.trim()
        : 'Watchpost could not finish this sync. It tries again by itself.',
    };
  }
  if (told.outcome === 'failed')
    failures = ((await store.work.get(scope, lease.tenantId, lease.kind))?.failures ?? 0) + 1;
  const now = services.now();
  const cron = services.settings.syncScores;
  const permanent =
    told.failure !== undefined && !told.failure.transient && told.failure.kind !== 'throttled';
  const nextDueAt =
    told.outcome !== 'failed' || permanent
      ? nextDue(cron, lease.tenantId, now)
      : retryDue(cron, lease.tenantId, now, failures, told.failure?.retryAfterMs);
  await store.syncRequests.finish(
    lease,
    told.outcome === 'failed' || told.outcome === 'gone' ? 'failed' : 'done',
    told.says,
  );
  await store.work.finish(lease, {
    nextDueAt,
    outcome: told.outcome,
    ms: Math.round(performance.now() - started),
    failed: told.outcome === 'failed',
  });
  return told.outcome;
}

async function read(tenant: Tenant, lease: Lease, services: Services): Promise<Told> {
  const { store, microsoft } = services;
  const scope = scopeOfJob(tenant.id);
  const access = await store.credentials.open(scope, tenant.id);
  if (access === null) {
    const failure: Failure = {
      kind: 'authentication',
      cause: 'Watchpost has no credential for this tenant.',
      remedy: 'An administrator connects it again.',
      transient: false,
    };
    return await sayFailed(tenant, lease, failure, services);
  }

  // The organisation is the cheapest thing every tenant has: when it cannot be read, nothing else is tried.
  const organization = await microsoft.organization(access, knownHash(tenant, 'organization'));
  if (organization.kind === 'failed') {
    const failure = await explained(organization.failure, access, services);
    return await sayFailed(tenant, lease, failure, services);
  }
  const before = await store.scores.evaluated(scope, tenant.id);
  const days =
    before === null ? keptDays : Math.min(keptDays, daysBetween(before.day, dayOf(services.now())) + 3);
  const [domains, skus, profiles, firstScores] = await Promise.all([
    microsoft.domains(access, knownHash(tenant, 'domains')),
    microsoft.subscribedSkus(access, knownHash(tenant, 'subscribedSkus')),
    microsoft.secureScoreControlProfiles(access, knownHash(tenant, 'secureScoreControlProfiles')),
    microsoft.secureScores(access, days, before === null ? undefined : knownHash(tenant, 'secureScores')),
  ]);
  // New descriptions of the controls need the days with their controls beside them: once more, whole.
  const again = before !== null && profiles.kind === 'ok' && firstScores.kind === 'unchanged';
  const scores = again ? await microsoft.secureScores(access, days) : firstScores;
  const now = services.now();
  const datasets: Partial<Record<DatasetName, DatasetState>> = {
    organization: stateOf(tenant, 'organization', organization, now),
    domains: stateOf(tenant, 'domains', domains, now),
    subscribedSkus: stateOf(tenant, 'subscribedSkus', skus, now),
    secureScoreControlProfiles: stateOf(tenant, 'secureScoreControlProfiles', profiles, now),
    secureScores: stateOf(tenant, 'secureScores', scores, now),
  };
  const failure = worst([domains, skus, profiles, scores]);
  const change: TenantChange = { datasets };
  if (organization.kind === 'ok') change.name = organization.value.name;
  if (domains.kind === 'ok') Object.assign(change, namesOf(domains.value, tenant));
  if (skus.kind === 'ok') change.licences = skus.value;

  let says = 'Nothing changed since the last sync.';
  let changed = false;
  if (scores.kind === 'ok') {
    const since = plusDays(dayOf(now), -keptDays - 1);
    const known = profiles.kind === 'ok' ? profiles.value : await store.scores.profiles(scope, tenant.id);
    const evaluation = evaluateScores({
      tenantId: tenant.id,
      read: scores.value,
      stored: await store.scores.snapshots(scope, tenant.id, since),
      before,
      profiles: known,
      readAt: now,
    });
    if (evaluation !== null) {
      await store.scores.saveSync(
        scope,
        lease,
        profiles.kind === 'ok' ? { ...evaluation.found, profiles: known } : evaluation.found,
      );
      says = evaluation.says;
      changed = true;
    } else says = 'Microsoft has no Secure Score for this tenant yet.';
  }
  change.health = nextHealth(tenant.health, failure, now);
  // Last of all, the mark "read": a crash before it makes the next sync read everything again.
  await store.work.saveTenant(scope, lease, change);
  if (failure !== undefined) {
    return { outcome: 'failed', says: `${says} ${failure.cause} ${failure.remedy}`.trim(), failure };
  }
  return { outcome: changed ? 'changed' : 'unchanged', says };
}

/**
 * Without permission for the one thing that every tenant grants, consent itself may be gone: only a new token tells,
 * because one in memory outlives a withdrawn consent by up to an hour.
 */
async function explained(failure: Failure, access: TenantAccess, { microsoft }: Services): Promise<Failure> {
  if (failure.kind !== 'permission') return failure;
  microsoft.forget(access.tenantId);
  const token = await microsoft.token(access);
  if (token.kind === 'failed') return token.failure.transient ? failure : token.failure;
  if (token.kind !== 'ok' || token.value.roles.length > 0) return failure;
  return {
    kind: 'permission',
    cause: 'Consent was withdrawn or never given: the tenant grants Watchpost no permission.',
    remedy: 'Ask an administrator of the tenant to consent again, then sync once more.',
    transient: false,
    ...(failure.code === undefined ? {} : { code: failure.code }),
  };
}

/** Nothing could be read: the tenant's health says why, and so does each dataset. */
async function sayFailed(tenant: Tenant, lease: Lease, failure: Failure, services: Services): Promise<Told> {
  const now = services.now();
  const health = nextHealth(tenant.health, failure, now);
  const reading = { kind: 'failed', failure } as const;
  const datasets = Object.fromEntries(
    datasetNames.map((name) => [name, stateOf(tenant, name, reading, now)]),
  );
  await services.store.work.saveTenant(scopeOfJob(tenant.id), lease, { health, datasets });
  return { outcome: 'failed', says: `${failure.cause} ${failure.remedy}`.trim(), failure };
}

function knownHash(tenant: Tenant, name: DatasetName): string | undefined {
  const state = tenant.datasets[name];
  return state?.state === 'ok' ? state.hash : undefined;
}

/** What is known of a dataset after a try. A failed try keeps the time and hash of the last good one. */
function stateOf<T>(tenant: Tenant, name: DatasetName, reading: Reading<T>, now: Instant): DatasetState {
  if (reading.kind !== 'failed') return { state: 'ok', readAt: now, triedAt: now, hash: reading.hash };
  const { failure } = reading;
  const before = tenant.datasets[name];
  const state: DatasetState = { state: stateWord[failure.kind], triedAt: now, why: failure.cause };
  if (before?.readAt !== undefined) state.readAt = before.readAt;
  if (before?.hash !== undefined) state.hash = before.hash;
  if (failure.permission !== undefined) state.permission = failure.permission;
  return state;
}

const stateWord: Record<Failure['kind'], DatasetState['state']> = {
  authentication: 'error',
  permission: 'permission-missing',
  licence: 'not-licensed',
  throttled: 'throttled',
  service: 'error',
  'not-found': 'error',
  bug: 'error',
};

const weight: Record<Failure['kind'], number> = {
  authentication: 6,
  permission: 5,
  bug: 4,
  service: 3,
  throttled: 2,
  // Not a fault of the tenant's connection: it must not hide one that passes, nor when to come back.
  'not-found': 1,
  licence: 0,
};

/** The failure that decides health; a licence gap never does. */
function worst(readings: Reading<unknown>[]): Failure | undefined {
  return readings
    .flatMap((reading) =>
      reading.kind === 'failed' && reading.failure.kind !== 'licence' ? [reading.failure] : [],
    )
    .sort((a, b) => weight[b.kind] - weight[a.kind])[0];
}

function namesOf(
  domains: { name: string; isDefault: boolean; isVerified: boolean }[],
  tenant: Tenant,
): Pick<TenantChange, 'domain' | 'domains'> {
  const verified = domains.filter((one) => one.isVerified).map((one) => one.name.toLowerCase());
  const standard =
    domains.find((one) => one.isDefault && one.isVerified)?.name.toLowerCase() ??
    verified[0] ??
    tenant.domain;
  return { domain: standard, domains: [standard, ...verified.filter((name) => name !== standard)] };
}
