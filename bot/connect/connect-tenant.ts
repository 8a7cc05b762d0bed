import { randomInt } from 'node:crypto';
import { scopeOfJob } from '../../shared/access.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { WatchpostError } from '../errors.ts';
import type { Failure, Reading, Services, TenantAccess } from '../services.ts';

/** One line of a connection test: what was tried, whether it works, and what to do when it does not. */
export type TestStep = { step: string; works: boolean; says: string; remedy?: string };

export type ConnectRequest = {
  /** A domain of the tenant or its id. */
  domain: string;
  /** Shown name; absent: the organisation's own. */
  name?: string;
  appId: string;
  credential: TenantAccess['credential'];
  /** Who asks, for the audit: a name or `cli:root`. */
  by: string;
};

export type ConnectReport = {
  steps: TestStep[];
  /** `syncId`: the wish for the first sync, whose row gets its result. */
  saved: { tenantId: TenantId; name: string; domain: string; syncId: string } | null;
};

/**
 * Tests the way into a tenant step by step and, only when every step works, saves tenant and credential and makes
 * its first sync due at once. A licence gap is no failure. The same function serves the demo, the command line and
 * later the tab. Throws `bad-input` for a domain that no tenant has.
 */
export async function connectTenant(request: ConnectRequest, services: Services): Promise<ConnectReport> {
  const { microsoft, store } = services;
  const id = await microsoft.tenantOfDomain(request.domain);
  if (id === null) {
    await audit('refused', undefined, services, request.by);
    throw new WatchpostError('bad-input', `No Microsoft 365 tenant has the domain "${request.domain}".`, {
      hint: 'Check the spelling, and that CLOUD names the national cloud of this tenant.',
    });
  }
  const access: TenantAccess = { tenantId: id, appId: request.appId, credential: request.credential };
  // A token of earlier credentials must not make wrong new ones look right.
  microsoft.forget(id);
  const steps: TestStep[] = [];
  const tried = <T>(step: string, reading: Reading<T>): boolean => {
    steps.push(told(step, reading));
    return reading.kind !== 'failed' || reading.failure.kind === 'licence';
  };

  const token = await microsoft.token(access);
  if (!tried('Sign in to the tenant', token)) return await failed();
  const organization = await microsoft.organization(access);
  // What is missing of the permissions is told whole; without an answer for another reason nothing else is tried.
  const readable = tried('Read the organisation', organization);
  if (organization.kind === 'failed' && organization.failure.kind !== 'permission') return await failed();
  if (organization.kind === 'ok' && organization.value.id !== id) {
    steps.push({
      step: 'Right tenant',
      works: false,
      says: 'Microsoft answered for another tenant than the domain belongs to.',
      remedy: 'Check the domain.',
    });
    return await failed();
  }
  const results = [
    readable,
    tried('Read the domains', await microsoft.domains(access)),
    tried('Read the licences', await microsoft.subscribedSkus(access)),
    tried('Read Secure Score', await microsoft.secureScores(access, 1)),
    tried('Read the recommended actions', await microsoft.secureScoreControlProfiles(access)),
  ];
  if (results.includes(false) || organization.kind !== 'ok') return await failed();

  const scope = scopeOfJob(id);
  const now = services.now();
  const known = await store.tenants.get(scope, id);
  const name = request.name ?? (known?.named === true ? known.name : organization.value.name);
  const domains = organization.value.domains;
  const domain = domains[0] ?? request.domain.toLowerCase();
  // The tenant first, then the credential, then the work: a crash between leaves nothing that runs without its keys.
  await store.tenants.save(scope, {
    id,
    name,
    ...(request.name === undefined ? {} : { named: true }),
    domain,
    domains,
    opaque: known?.opaque ?? randomInt(1, 2 ** 31),
    connectedAt: known?.connectedAt ?? now,
    health: known?.health ?? { state: 'waiting', since: now, cause: '', remedy: '' },
    datasets: known?.datasets ?? {},
    licences: known?.licences ?? {
      entraP1: { known: false, why: 'licences not read yet' },
      entraP2: { known: false, why: 'licences not read yet' },
      skus: [],
    },
  });
  await store.credentials.save(scope, access);
  const wish = await store.syncRequests.add(scope, id, request.by);
  await store.work.schedule(scope, id, 'sync-scores', now);
  await audit('done', id, services, request.by);
  services.nudge();
  return { steps, saved: { tenantId: id, name, domain, syncId: wish.id } };

  async function failed(): Promise<ConnectReport> {
    await audit('failed', id ?? undefined, services, request.by);
    return { steps, saved: null };
  }
}

function told<T>(step: string, reading: Reading<T>): TestStep {
  if (reading.kind !== 'failed') return { step, works: true, says: 'works' };
  const { failure } = reading;
  if (failure.kind === 'licence')
    return { step, works: true, says: `not in this tenant's licences: ${failure.cause}` };
  return { step, works: false, says: failure.cause, remedy: remedyOf(failure) };
}

function remedyOf(failure: Failure): string {
  const code = failure.code === undefined ? '' : ` (${failure.code})`;
  return `${failure.remedy || 'Try again in a few minutes.'}${code}`;
}

async function audit(
  result: 'done' | 'refused' | 'failed',
  tenant: TenantId | undefined,
  services: Services,
  by: string,
): Promise<void> {
  await services.store.audit.write({
    who: by,
    what: 'connect tenant',
    result,
    ...(tenant === undefined ? {} : { tenant }),
  });
}
