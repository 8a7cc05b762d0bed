import { randomInt } from 'node:crypto';
import { scopeOfJob } from '../../shared/access.ts';
import type { AuditResult } from '../../shared/audit/entry.ts';
import { keptPermissions } from '../../shared/tenants/permission-facts.ts';
import { shownNameOf } from '../../shared/tenants/shown-name.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { typedDomain } from '../../shared/tenants/typed-domain.ts';
import { plus } from '../../shared/time.ts';
import { directoryAfterMs } from '../cron.ts';
import { WatchpostError } from '../errors.ts';
import type { Services, TenantAccess } from '../services.ts';
import { type Tested, type TestStep, tenantOf, testConnection } from './test-connection.ts';

export type { TestStep };

export type ConnectRequest = {
  /** A domain of the tenant or its id. */
  domain: string;
  /** Shown name; absent: the organisation's own. */
  name?: string;
  appId: string;
  credential: TenantAccess['credential'];
  /** Who asks, for the audit: `cli:root`, or a person's tenant and object id. */
  by: string;
  /** How long the test may take; 60 s unless told. */
  deadlineMs?: number;
  /** The credential is the one that waits, of this version: it is promoted and not given anew. */
  waiting?: number;
  /** It stands in the list, connected or not: one that is removed meanwhile is not brought back. */
  listed?: true;
  /** What the audit calls it; `connect tenant` unless told. */
  what?: 'connect tenant' | 'update credentials';
};

export type ConnectReport = {
  steps: TestStep[];
  notTried: string[];
  /** `syncId`: the wish for the first sync, whose row gets its result. */
  saved: { tenantId: TenantId; name: string; domain: string; syncId: string } | null;
};

/**
 * Tests the way into a tenant step by step and, only when every step works, saves tenant and credential and makes
 * its first sync due at once. A licence gap is no failure. The same function serves the demo, the command line and
 * the tab. Throws `bad-input` for a domain that no tenant has.
 */
export async function connectTenant(request: ConnectRequest, services: Services): Promise<ConnectReport> {
  let id: TenantId;
  try {
    id = await tenantOf(typedDomain(request.domain), services);
  } catch (error) {
    await audit('connect tenant', 'refused', undefined, services, request.by);
    throw error;
  }
  return await connectKnown(id, request, services);
}

/** The same for a tenant whose id is known already. */
export async function connectKnown(
  id: TenantId,
  request: ConnectRequest,
  services: Services,
): Promise<ConnectReport> {
  const { store } = services;
  const { what = 'connect tenant', by } = request;
  const access: TenantAccess = { tenantId: id, appId: request.appId, credential: request.credential };
  const tested = await testConnection(access, services, request.deadlineMs);
  const { steps, notTried, organization, roles } = tested;
  if (organization === null) {
    await audit(what, 'failed', id, services, by);
    return { steps, notTried, saved: null };
  }
  const scope = scopeOfJob(id);
  // The test took seconds: new credentials must not bring back a tenant that somebody removed meanwhile.
  if (
    (what === 'update credentials' || request.listed === true) &&
    (await store.tenants.get(scope, id)) === null
  ) {
    await audit(what, 'failed', id, services, by);
    throw removedMeanwhile();
  }
  if (request.waiting !== undefined) {
    const waits = await store.nextCredentials.facts(scope, id);
    if (waits?.version !== request.waiting) {
      await audit(what, 'failed', id, services, by);
      throw anotherMade();
    }
  }
  await audit(what, 'started', id, services, by);
  const { name, domain } = await save(access, request, { ...organization, roles }, services);
  const wish = await store.syncRequests.add(scope, id, by);
  await store.work.schedule(scope, id, 'sync-scores', services.now());
  await store.work.schedule(scope, id, 'sync-directory', plus(services.now(), directoryAfterMs));
  if ((await store.tenants.get(scope, id)) === null) {
    // Somebody removed it in the same moment: then nothing of it stays, its credential least of all.
    await store.purge.tenant(scope, id, { people: false });
    await audit(what, 'failed', id, services, by);
    throw removedMeanwhile();
  }
  await audit(what, 'done', id, services, by);
  services.nudge();
  return { steps, notTried, saved: { tenantId: id, name, domain, syncId: wish.id } };
}

function removedMeanwhile(): WatchpostError {
  return new WatchpostError('conflict', 'This tenant was removed while it was being connected.', {
    hint: 'Connect it again.',
  });
}

/** The tenant first, then the credential: a crash between leaves nothing that runs without its keys. */
async function save(
  access: TenantAccess,
  request: ConnectRequest,
  organization: NonNullable<Tested['organization']> & Pick<Tested, 'roles'>,
  { store, now: clock }: Services,
): Promise<{ name: string; domain: string }> {
  const id = access.tenantId;
  const scope = scopeOfJob(id);
  const now = clock();
  const known = await store.tenants.get(scope, id);
  // Of a name that is nothing but invisible signs, nothing is left: then it counts as not given.
  const given = shownNameOf(request.name ?? '');
  const name =
    given ||
    (known?.named === true ? known.name : shownNameOf(organization.name) || typedDomain(request.domain));
  const domains = organization.domains;
  const domain = domains[0] ?? known?.domain ?? typedDomain(request.domain);
  await store.tenants.save(scope, {
    id,
    name,
    ...(given === '' ? {} : { named: true }),
    domain,
    domains,
    opaque: known?.opaque ?? randomInt(1, 2 ** 31),
    connectedAt: known?.connectedAt ?? now,
    permissions: keptPermissions(organization.roles, now),
    health: known?.health ?? { state: 'waiting', since: now, cause: '', remedy: '' },
    datasets: known?.datasets ?? {},
    licences: known?.licences ?? {
      entraP1: { known: false, why: 'licences not read yet' },
      entraP2: { known: false, why: 'licences not read yet' },
      skus: [],
    },
  });
  // Killed right after the credential it is read soon, and does not wait for ever.
  for (const kind of ['sync-scores', 'sync-directory'] as const) {
    await store.work.schedule(scope, id, kind, plus(now, 60_000));
  }
  await keep(access, request.waiting, known !== null, store);
  return { name, domain };
}

/** One that waits takes the place of the one in use, unless somebody made another one while it was tested. */
async function keep(
  access: TenantAccess,
  waiting: number | undefined,
  wasKnown: boolean,
  store: Services['store'],
): Promise<void> {
  const { tenantId } = access;
  const scope = scopeOfJob(tenantId);
  if (waiting === undefined) {
    await store.credentials.save(scope, access);
    return;
  }
  if ((await store.nextCredentials.promote(scope, tenantId, waiting)) !== null) return;
  // In the very moment between: no tenant without a credential is left behind.
  if (!wasKnown && (await store.credentials.facts(scope, tenantId)) === null)
    await store.purge.tenant(scope, tenantId, { people: false });
  throw anotherMade();
}

function anotherMade(): WatchpostError {
  return new WatchpostError('conflict', 'Another certificate was made for this tenant meanwhile.', {
    hint: 'Upload the newest one and test again.',
  });
}

/**
 * One row for what was tried with a tenant's credentials; never anything of them. `started` comes before what cannot be
 * taken back, and throws when it cannot be written.
 */
export async function audit(
  what:
    | 'connect tenant'
    | 'test connection'
    | 'update credentials'
    | 'remove tenant'
    | 'make certificate'
    | 'drop certificate',
  result: AuditResult,
  tenant: TenantId | undefined,
  services: Services,
  by: string,
): Promise<void> {
  const { audit: log } = services.store;
  const entry = { who: by, what, result, ...(tenant === undefined ? {} : { tenant }) };
  await (result === 'started' ? log.writeFirst(entry) : log.write(entry));
}
