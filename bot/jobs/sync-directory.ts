import { scopeOfJob } from '../../shared/access.ts';
import type { Directory } from '../../shared/directory/directory.ts';
import { partOf } from '../../shared/directory/parts.ts';
import { cronFor } from '../../shared/tenants/cadence.ts';
import { isNotConnected } from '../../shared/tenants/not-connected.ts';
import {
  type DatasetName,
  type DatasetState,
  type DirectoryDatasetName,
  directoryDatasetNames,
  type Tenant,
} from '../../shared/tenants/tenant.ts';
import { never, plus } from '../../shared/time.ts';
import { errorCode, hasCode, WatchpostError } from '../errors.ts';
import type { Failure, Lease, Reading, Services, TenantAccess } from '../services.ts';
import { nextDue, retryDue } from './cadence.ts';
import { directoryStateOf, isWanted, passingFailure } from './directory-states.ts';
import { readMailDomains } from './mail-domains.ts';
import { knownHash } from './readings.ts';

/** `waiting`: all was read but the sign-ins, for which our own budget had no room yet. */
export type DirectoryOutcome = 'changed' | 'unchanged' | 'waiting' | 'failed' | 'gone';
/** Until the sign-ins are asked for again. */
const waitingMs = 5 * 60_000;

type Told = { outcome: DirectoryOutcome; failure?: Failure };

/**
 * Reads what is known of one tenant's users, MFA, roles, groups, policies, licences and domains, each by itself: what
 * cannot be read keeps its last facts and says why. Writes only while the lease's fence holds, the facts first and the
 * mark "read" last. It never touches the tenant's health: all of it is optional, and the scores' sync decides that.
 */
export async function syncDirectory(lease: Lease, services: Services): Promise<DirectoryOutcome> {
  const { store, log } = services;
  const started = performance.now();
  const scope = scopeOfJob(lease.tenantId);
  const row = await store.work.get(scope, lease.tenantId, lease.kind);
  const failures = row?.failures ?? 0;
  const again = failures > 0 || row?.lastOutcome === 'waiting';
  let told: Told;
  let tenant: Tenant | null = null;
  try {
    tenant = await store.tenants.get(scope, lease.tenantId);
    told = tenant === null ? { outcome: 'gone' } : await read(tenant, lease, again, services);
  } catch (error) {
    // Somebody else holds the lease now, or the program stops: not ours to finish.
    if (hasCode(error, 'conflict', 'stopped')) throw error;
    log.error({ tenant: lease.tenantId, code: errorCode(error), fence: lease.fence }, 'sync ended early');
    told = { outcome: 'failed' };
  }
  const now = services.now();
  const cron = cronFor(tenant, 'directory', services.settings);
  const failed = told.outcome === 'failed';
  const nextDueAt =
    told.outcome === 'gone'
      ? never
      : failed
        ? retryDue(cron, lease.tenantId, now, failures + 1, told.failure?.retryAfterMs)
        : told.outcome === 'waiting'
          ? plus(now, Math.max(told.failure?.retryAfterMs ?? 0, waitingMs))
          : nextDue(cron, lease.tenantId, now);
  const ms = Math.round(performance.now() - started);
  await store.work.finish(lease, { nextDueAt, outcome: told.outcome, ms, failed });
  return told.outcome;
}

/** `again`: a part of the last try is still missing, so what was read then is left alone. */
async function read(tenant: Tenant, lease: Lease, again: boolean, services: Services): Promise<Told> {
  const { store } = services;
  const scope = scopeOfJob(tenant.id);
  const access = await store.credentials.open(scope, tenant.id);
  // A company that was only added: connecting it makes this due again.
  if (access === null && isNotConnected(tenant.health)) return { outcome: 'gone' };
  const wanted = directoryDatasetNames.filter((name) => isWanted(tenant, name, again, services.now()));
  const directory = await store.directories.get(scope, tenant.id);
  const readings = new Map<DirectoryDatasetName, Reading<unknown>>();
  const parts: Partial<Directory> = {};

  async function take<K extends DirectoryDatasetName>(
    name: K,
    ask: (known: string | undefined) => Promise<Reading<NonNullable<Directory[(typeof partOf)[K]]>>>,
  ): Promise<void> {
    if (!wanted.includes(name)) return;
    const part = partOf[name];
    // A hash without its facts would keep them away for ever.
    const known = directory?.[part] === undefined ? undefined : knownHash(tenant, name);
    const reading = await ask(known);
    readings.set(name, reading);
    if (reading.kind === 'ok') Object.assign(parts, { [part]: reading.value });
  }

  const domains = take('mailDomains', (known) => readMailDomains(tenant, services.dns, known));
  await Promise.all([domains, graph(access, tenant, take, services)]);

  // What the stop cut off was not answered, and must not be told as if it had been asked in vain.
  if (services.signal.aborted) throw new WatchpostError('stopped', 'Watchpost is stopping.');
  await store.directories.save(scope, lease, parts);
  const now = services.now();
  const datasets: Partial<Record<DatasetName, DatasetState>> = {};
  for (const [name, reading] of readings) datasets[name] = directoryStateOf(tenant, name, reading, now);
  // Last of all, the mark "read": a crash before it makes the next sync read everything again.
  await store.work.saveTenant(scope, lease, { datasets });
  // A turn that has not come yet is no failure of anybody.
  const signIns = readings.get('signInActivity');
  const others = [...readings].flatMap(([name, one]) => (name === 'signInActivity' ? [] : [one]));
  const queued =
    signIns?.kind === 'failed' && signIns.failure.kind === 'throttled' ? signIns.failure : undefined;
  if (queued !== undefined && passingFailure(others) === undefined)
    return { outcome: 'waiting', failure: queued };
  const failure = passingFailure([...readings.values()]);
  if (failure !== undefined) return { outcome: 'failed', failure };
  return { outcome: Object.keys(parts).length > 0 ? 'changed' : 'unchanged' };
}

type Take = <K extends DirectoryDatasetName>(
  name: K,
  ask: (known: string | undefined) => Promise<Reading<NonNullable<Directory[(typeof partOf)[K]]>>>,
) => Promise<void>;

/** All that Graph is asked, once it lets us in at all. The gateway holds a tenant to four requests at once; policies go one a second. */
async function graph(
  access: TenantAccess | null,
  tenant: Tenant,
  take: Take,
  { microsoft }: Services,
): Promise<void> {
  const token = access === null ? noCredential : await microsoft.token(access);
  if (access === null || token.kind === 'failed') {
    const refused = token.kind === 'failed' ? token : noCredential;
    await Promise.all(ofGraph.map((name) => take(name, async () => refused)));
    return;
  }
  await Promise.all([
    take('users', (known) => microsoft.users(access, known)),
    take('licenceUse', (known) => microsoft.licenceUse(access, known)),
    take('licenceTerms', (known) => microsoft.licenceTerms(access, known)),
    take('groups', (known) => microsoft.groups(access, known)),
    take('directoryRoles', (known) => microsoft.directoryRoles(access, known)),
    take('securityDefaults', (known) => microsoft.securityDefaults(access, known)),
    take('conditionalAccess', (known) => microsoft.conditionalAccess(access, known)),
    take('mfaRegistration', (known) => withP1(tenant, () => microsoft.mfaRegistration(access, known))),
    take('signInActivity', () => withP1(tenant, () => microsoft.signInActivity(access))),
  ]);
}

/** What needs P1 is not asked of a tenant that is known not to have it. */
async function withP1<T>(tenant: Tenant, ask: () => Promise<Reading<T>>): Promise<Reading<T>> {
  const { entraP1 } = tenant.licences;
  if (!entraP1.known || entraP1.value) return await ask();
  return {
    kind: 'failed',
    failure: { kind: 'licence', cause: 'The feature needs Entra ID P1.', remedy: '', transient: false },
  };
}

const ofGraph = directoryDatasetNames.filter((name) => name !== 'mailDomains');

const noCredential = {
  kind: 'failed',
  failure: {
    kind: 'authentication',
    cause: 'Watchpost has no credential for this tenant.',
    remedy: 'An administrator connects it again.',
    transient: false,
  },
} as const;
