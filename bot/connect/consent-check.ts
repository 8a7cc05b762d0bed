import { scopeOfJob } from '../../shared/access.ts';
import { missingPermissions } from '../../shared/tenants/permissions.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { plus } from '../../shared/time.ts';
import { listed } from '../../shared/words.ts';
import { hasCode } from '../errors.ts';
import type { ConnectOutcome, ConnectPass, Failure, Reading, Services, TenantAccess } from '../services.ts';
import { connectKnown } from './connect-tenant.ts';
import * as words from './consent-words.ts';

/**
 * How long Microsoft may take to know of a consent everywhere, and to name all that was granted (`graph.md` §6.2);
 * a token, until it is asked for again; between two tries.
 */
export type Patience = { consentMs: number; rolesMs: number; tokenMs: number; betweenMs: number };
export const usualPatience: Patience = {
  consentMs: 5 * 60_000,
  rolesMs: 45_000,
  tokenMs: 8_000,
  betweenMs: 3_000,
};

/** Token and test together stay below the server's own limit for an answer. */
const testMs = 12_000;
/** What Entra says of an application that it does not know everywhere yet. */
const notKnownYet = ['AADSTS7000229', 'AADSTS700016', 'AADSTS650051'];

/**
 * The proof after a consent (R18): a new app-only token for this very tenant, whose roles cover what is needed, and
 * every reading works. Only then tenant and consent are saved, and the first sync is wished. `null`: not yet.
 */
export async function checkConsent(
  pass: ConnectPass,
  services: Services,
  patience: Patience,
): Promise<ConnectOutcome | null> {
  const { store, microsoft, consent, now } = services;
  const { tenantId: id, via } = pass;
  const scope = scopeOfJob(id);
  const tenant = await store.tenants.get(scope, id);
  if (tenant === null || consent === undefined) return words.gone();
  const lasts = (ms: number): boolean => now() < plus(pass.at, ms);
  const access: TenantAccess = { tenantId: id, appId: consent.appId, credential: { kind: 'consent' } };

  // One from before the consent would not carry what was granted just now.
  microsoft.forget(id);
  const token = await soon(microsoft.token(access), patience.tokenMs);
  if (token.kind === 'failed') {
    if (!passes(token.failure))
      return words.microsoftAway(`${token.failure.cause} ${token.failure.remedy}`, via);
    return lasts(patience.consentMs) ? null : words.tooSlow(via);
  }
  const missing = token.kind === 'ok' ? missingPermissions(token.value.roles) : [];
  if (missing.length > 0) {
    if (lasts(patience.rolesMs)) return null;
    await sayPartial(tenant, missing, pass, services);
    return words.partial(tenant, missing, via);
  }
  const before = await store.credentials.facts(scope, id);
  let report: Awaited<ReturnType<typeof connectKnown>>;
  try {
    report = await connectKnown(
      id,
      {
        domain: tenant.domain,
        appId: consent.appId,
        credential: { kind: 'consent' },
        by: pass.by,
        deadlineMs: testMs,
        listed: true,
        what: before === null ? 'connect tenant' : 'update credentials',
      },
      services,
    );
  } catch (error) {
    if (hasCode(error, 'conflict')) return words.gone();
    throw error;
  }
  if (report.saved === null) {
    // A token is there before every service of Microsoft knows of it.
    if (lasts(patience.consentMs)) return null;
    const broken = report.steps.find(({ works }) => !works);
    return words.notReadable(tenant, broken?.says ?? 'Microsoft did not answer.', via);
  }
  if (before === null)
    await store.tenants.setHealth(scope, id, { state: 'waiting', since: now(), cause: '', remedy: '' });
  return words.connected({ name: report.saved.name, domain: report.saved.domain });
}

/** Behind the port a request that may do better is repeated with pauses: here the page does that, and says so. */
async function soon<T>(reading: Promise<Reading<T>>, ms: number): Promise<Reading<T>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Reading<T>>((resolve) => {
    const failure: Failure = { kind: 'service', cause: 'Microsoft takes long.', remedy: '', transient: true };
    timer = setTimeout(() => resolve({ kind: 'failed', failure }), ms);
  });
  return await Promise.race([reading, late]).finally(() => clearTimeout(timer));
}

function passes({ transient, code = '' }: Failure): boolean {
  return transient || notKnownYet.includes(code);
}

/** Nothing is saved; of a tenant that cannot be read anyhow it is said what its consent lacks. */
async function sayPartial(
  tenant: Tenant,
  missing: readonly string[],
  pass: ConnectPass,
  { store, now }: Services,
): Promise<void> {
  const scope = scopeOfJob(tenant.id);
  await store.audit.write({
    who: pass.by,
    what: 'connect tenant',
    tenant: tenant.id,
    result: 'failed',
    detail: `the consent lacks ${missing.join(', ')}`.slice(0, 500),
  });
  if ((await store.credentials.facts(scope, tenant.id)) !== null) return;
  const some = missing.length === 1 ? 'permission' : 'permissions';
  await store.tenants.setHealth(scope, tenant.id, {
    state: 'permission-error',
    since: now(),
    cause: `The consent lacks the ${some} ${listed(missing)}.`,
    remedy: `Add the ${some} to Watchpost's application in Entra, then let an administrator consent again.`,
  });
}
