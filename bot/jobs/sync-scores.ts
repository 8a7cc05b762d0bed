import { scopeOfJob, type TenantScope } from '../../shared/access.ts';
import { evaluateScores, standing } from '../../shared/score/evaluate.ts';
import type { EvaluatedSnapshot } from '../../shared/score/score.ts';
import { cronFor } from '../../shared/tenants/cadence.ts';
import { isNotConnected } from '../../shared/tenants/not-connected.ts';
import { keptPermissions } from '../../shared/tenants/permission-facts.ts';
import {
  type DatasetName,
  type DatasetState,
  datasetNames,
  type Health,
  type Tenant,
} from '../../shared/tenants/tenant.ts';
import { healthLabel, nextHealth } from '../../shared/tenants/tenant-health.ts';
import { type Day, dayOf, daysBetween, never, plusDays } from '../../shared/time.ts';
import { dayText } from '../../shared/words.ts';
import { errorCode, hasCode } from '../errors.ts';
import { tolerant } from '../noted.ts';
import type { Failure, Lease, Reading, Services, TenantAccess, TenantChange } from '../services.ts';
import { nextDue, retryDue } from './cadence.ts';
import { explained, knownHash, stateOf, worst } from './readings.ts';
import { tellConnection } from './tell-connection.ts';
import { tellCredentialEnd } from './tell-credential-end.ts';
import { type Judged, tellDrop } from './tell-drop.ts';

/** Microsoft keeps 90 days; the first read takes them all, later ones what is new and two days more. */
const keptDays = 90;

type Told = { outcome: 'changed' | 'unchanged' | 'failed' | 'gone'; says: string; failure?: Failure };

/**
 * Reads one tenant's score and what it needs to be understood, evaluates and stores it. Every write is conditional
 * on the lease's fence and safe to repeat; the mark "done" comes last. Answers the outcome for log and metrics.
 * `judged` spares a thread to judge the same day twice.
 */
export async function syncScores(
  lease: Lease,
  services: Services,
  judged: Judged = new Map(),
): Promise<Told['outcome']> {
  const { store, log } = services;
  const started = performance.now();
  const scope = scopeOfJob(lease.tenantId);
  const asked = await store.syncRequests.start(lease);
  let told: Told;
  let failures = 0;
  let tenant: Tenant | null = null;
  try {
    tenant = await store.tenants.get(scope, lease.tenantId);
    told =
      tenant === null
        ? { outcome: 'gone', says: 'This tenant is no longer connected.' }
        : await read(tenant, lease, services, judged, asked > 0);
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
  // News when it begins to fail; each further try is in health and log.
  if (told.failure?.kind === 'authentication' && tenant?.health.state !== 'authentication-error') {
    const detail = [told.failure.code, told.failure.cause].filter(Boolean).join(': ');
    await tolerant(
      { who: 'watchpost', what: 'use credential', tenant: lease.tenantId, result: 'failed', detail },
      services,
    );
  }
  if (told.outcome === 'failed')
    failures = ((await store.work.get(scope, lease.tenantId, lease.kind))?.failures ?? 0) + 1;
  const now = services.now();
  const cron = cronFor(tenant, 'scores', services.settings);
  const permanent =
    told.failure !== undefined && !told.failure.transient && told.failure.kind !== 'throttled';
  const nextDueAt =
    told.outcome === 'gone'
      ? never
      : told.outcome !== 'failed' || permanent
        ? nextDue(cron, lease.tenantId, now)
        : retryDue(cron, lease.tenantId, now, failures, told.failure?.retryAfterMs);
  if (asked > 0) {
    await store.syncRequests.finish(
      lease,
      told.outcome === 'failed' || told.outcome === 'gone' ? 'failed' : 'done',
      told.says,
    );
  }
  await store.work.finish(lease, {
    nextDueAt,
    outcome: told.outcome,
    ms: Math.round(performance.now() - started),
    failed: told.outcome === 'failed',
  });
  return told.outcome;
}

/** `asked`: somebody waits for a sentence about it. */
async function read(
  tenant: Tenant,
  lease: Lease,
  services: Services,
  judged: Judged,
  asked: boolean,
): Promise<Told> {
  const { store, microsoft } = services;
  const scope = scopeOfJob(tenant.id);
  const access = await store.credentials.open(scope, tenant.id);
  if (access === null && isNotConnected(tenant.health)) {
    return { outcome: 'gone', says: 'This company is not connected yet, so there is nothing to read.' };
  }
  if (access === null) {
    const failure: Failure = {
      kind: 'authentication',
      cause: 'Watchpost has no credential for this tenant.',
      remedy: 'An administrator connects it again.',
      transient: false,
    };
    return await sayFailed(tenant, lease, failure, services);
  }

  // Whatever Microsoft answers: a credential's end comes also while nothing can be read.
  const endTold = await tellCredentialEnd(lease, tenant, services);

  // The organisation is the cheapest thing every tenant has: when it cannot be read, nothing else is tried. Only a
  // permission that is missing there says nothing of the others: all that are missing are named at once.
  const organization = await microsoft.organization(access, knownHash(tenant, 'organization'));
  if (organization.kind === 'failed') {
    const failure = await explained(organization.failure, access, services);
    if (failure !== organization.failure || failure.kind !== 'permission') {
      return await sayFailed(tenant, lease, failure, services, endTold);
    }
  }
  // The day itself is large and needed only when there is a new one.
  const evaluatedDay =
    tenant.datasets.secureScores?.day ?? (await store.scores.evaluated(scope, tenant.id))?.day;
  const days = evaluatedDay === undefined ? keptDays : daysToRead(evaluatedDay, dayOf(services.now()));
  const [domains, skus, profiles, firstScores] = await Promise.all([
    microsoft.domains(access, knownHash(tenant, 'domains')),
    microsoft.subscribedSkus(access, knownHash(tenant, 'subscribedSkus')),
    microsoft.secureScoreControlProfiles(access, knownHash(tenant, 'secureScoreControlProfiles')),
    microsoft.secureScores(access, days, evaluatedDay && knownHash(tenant, 'secureScores')),
  ]);
  const scores = await whole(firstScores, evaluatedDay, profiles.kind === 'ok', days, access, services);
  const now = services.now();
  const datasets: Partial<Record<DatasetName, DatasetState>> = {
    organization: stateOf(tenant, 'organization', organization, now),
    domains: stateOf(tenant, 'domains', domains, now),
    subscribedSkus: stateOf(tenant, 'subscribedSkus', skus, now),
    secureScoreControlProfiles: stateOf(tenant, 'secureScoreControlProfiles', profiles, now),
    secureScores: stateOf(tenant, 'secureScores', scores, now),
  };
  const failure = worst([organization, domains, skus, profiles, scores]);
  const change: TenantChange = { datasets, ...toldNow(endTold, tenant) };
  // A name that an Admin gave stays.
  if (organization.kind === 'ok' && tenant.named !== true) change.name = organization.value.name;
  if (domains.kind === 'ok') Object.assign(change, namesOf(domains.value, tenant));
  if (skus.kind === 'ok') change.licences = skus.value;
  // From memory: what was just read was read with it.
  const token = await microsoft.token(access);
  if (token.kind === 'ok') change.permissions = keptPermissions(token.value.roles, now);

  let says = asked ? await sayUnread(scores, scope, tenant, services) : '';
  let changed = false;
  if (scores.kind === 'ok') {
    const before = await store.scores.evaluated(scope, tenant.id);
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
      const { evaluated } = evaluation.found;
      datasets.secureScores = { ...stateOf(tenant, 'secureScores', scores, now), day: evaluated.day };
      await tellDrop(
        lease,
        {
          snapshot: async () => evaluated,
          profiles: async () => known,
          content: contentOf(scores, profiles),
          again: false,
        },
        services,
        judged,
      );
    } else says = 'Microsoft has no Secure Score for this tenant yet.';
  }
  // The same day again, but perhaps with other wishes: a finer threshold tells what was not worth telling before.
  if (scores.kind === 'unchanged') {
    await tellDrop(
      lease,
      {
        snapshot: () => store.scores.evaluated(scope, tenant.id),
        profiles: () => store.scores.profiles(scope, tenant.id),
        content: contentOf(scores, profiles),
        again: true,
      },
      services,
      judged,
    );
  }
  change.health = nextHealth(tenant.health, failure, now);
  if (inTrouble(tenant.health) && change.health.state === 'connected') {
    says = `It can be read again: ${healthLabel(tenant.health.state)} since ${dayText(dayOf(tenant.health.since), now)} is over. ${says}`;
  }
  await tellConnection(lease, { before: tenant.health, after: change.health }, services);
  // Last of all, the mark "read": a crash before it makes the next sync read everything again.
  await store.work.saveTenant(scope, lease, change);
  if (failure !== undefined) {
    return { outcome: 'failed', says: `${says} ${failure.cause} ${failure.remedy}`.trim(), failure };
  }
  return { outcome: changed ? 'changed' : 'unchanged', says };
}

/** Days since the last evaluated one and two more, for corrections; at least three, whatever our clock says. */
function daysToRead(evaluated: Day, today: Day): number {
  return Math.max(3, Math.min(keptDays, daysBetween(evaluated, today) + 3));
}

/**
 * The days that are needed, with their controls. New descriptions of the controls need them although the scores did
 * not change; and when more days have passed than were asked for, all that Microsoft keeps are read, so that no day
 * is lost between two syncs.
 */
async function whole(
  first: Reading<EvaluatedSnapshot[]>,
  before: Day | undefined,
  newProfiles: boolean,
  days: number,
  access: TenantAccess,
  { microsoft }: Services,
): Promise<Reading<EvaluatedSnapshot[]>> {
  const again = before !== undefined && newProfiles && first.kind === 'unchanged';
  const read = again ? await microsoft.secureScores(access, days) : first;
  if (read.kind !== 'ok' || before === undefined || read.value.length < days) return read;
  const oldest = read.value.reduce((day, one) => (one.day < day ? one.day : day), read.value[0]?.day ?? '');
  return oldest > plusDays(before, 1) ? await microsoft.secureScores(access, keptDays) : read;
}

function contentOf(...read: Reading<unknown>[]): string {
  return read.map((one) => (one.kind === 'failed' ? '' : one.hash)).join(' ');
}

/** What is said when no new score was read: where the tenant stands, or that it is not known. */
async function sayUnread(
  scores: Reading<unknown>,
  scope: TenantScope,
  tenant: Tenant,
  { store, now }: Services,
): Promise<string> {
  if (scores.kind === 'failed') return 'Its Secure Score could not be read, so what changed is not known.';
  const posture = await store.scores.posture(scope, tenant.id);
  return posture === null
    ? 'Microsoft has no Secure Score for this tenant yet.'
    : `Nothing new since the last sync. ${standing(posture, now())}`;
}

function inTrouble(health: Health): boolean {
  return health.state !== 'connected' && health.state !== 'waiting';
}

/** Nothing could be read: the tenant's health says why, and so does each dataset. */
async function sayFailed(
  tenant: Tenant,
  lease: Lease,
  failure: Failure,
  services: Services,
  endTold?: string,
): Promise<Told> {
  const now = services.now();
  const health = nextHealth(tenant.health, failure, now);
  const reading = { kind: 'failed', failure } as const;
  const datasets = Object.fromEntries(
    datasetNames.map((name) => [name, stateOf(tenant, name, reading, now)]),
  );
  await tellConnection(lease, { before: tenant.health, after: health }, services);
  await services.store.work.saveTenant(scopeOfJob(tenant.id), lease, {
    ...{ health, datasets },
    ...toldNow(endTold, tenant),
  });
  return { outcome: 'failed', says: `${failure.cause} ${failure.remedy}`.trim(), failure };
}

function toldNow(endTold: string | undefined, tenant: Tenant): Pick<TenantChange, 'endTold'> {
  return endTold === undefined || endTold === tenant.endTold ? {} : { endTold };
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
