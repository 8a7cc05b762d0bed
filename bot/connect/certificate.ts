import { X509Certificate } from 'node:crypto';
import { scopeOfJob } from '../../shared/access.ts';
import type { WaitingCertificate } from '../../shared/api.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import type { CredentialFacts, Services, TenantAccess } from '../services.ts';
import { audit, type ConnectReport, connectKnown } from './connect-tenant.ts';
import { entraPageOf } from './entra-pages.ts';
import { makeCertificate } from './make-certificate.ts';
import { stepNames, type TestStep, within } from './test-connection.ts';

/**
 * A certificate whose key pair is made here and never leaves: it waits, sealed, beside the credential in use until
 * Entra accepts it, and only then takes its place (R19, R60). Who comes back finds the one that waits; `anew` makes
 * another, which makes the first one worthless.
 */
export async function waitingCertificate(
  id: TenantId,
  wanted: { appId: string; anew: boolean; by: string },
  services: Services,
): Promise<WaitingCertificate> {
  const { store, settings, now } = services;
  const scope = scopeOfJob(id);
  const { appId, anew, by } = wanted;
  const found = anew ? null : await opened(id, services);
  if (found !== null && found.access.appId === appId && !isOver(found.facts, now())) {
    return told(found.access, found.facts, settings.entraPortal);
  }
  const access: TenantAccess = {
    tenantId: id,
    appId,
    credential: { kind: 'certificate', ...(await makeCertificate(id, now())) },
  };
  await audit('make certificate', 'started', id, services, by);
  const facts = await store.nextCredentials.put(scope, access);
  await audit('make certificate', 'done', id, services, by);
  return told(access, facts, settings.entraPortal);
}

export type Tried =
  /** None waits: it was used, dropped, or never made. */
  | { kind: 'none' }
  /** `again`: Entra does not know the certificate yet, so it is worth asking once more. */
  | { kind: 'tried'; report: ConnectReport; again: boolean };

/** Tests what waits, and only when every step works puts it in the place of the one in use. */
export async function tryCertificate(
  id: TenantId,
  request: { domain: string; name?: string; by: string; what: 'connect tenant' | 'update credentials' },
  deadlineMs: number,
  services: Services,
): Promise<Tried> {
  const started = performance.now();
  const found =
    (await services.store.nextCredentials.open(scopeOfJob(id), id)) ?? (await halfDone(id, services));
  if (found === null) return { kind: 'none' };
  const { access, facts } = found;
  const { appId, credential } = access;
  const waiting = facts === null ? {} : { waiting: facts.version };
  const report = await connectKnown(id, { ...request, appId, credential, deadlineMs, ...waiting }, services);
  const again = report.steps.some(isUnknownYet);
  const steps = report.steps.map((step) => (isUnknownYet(step) ? notYet(step) : step));
  if (report.saved !== null) {
    const left = deadlineMs - (performance.now() - started);
    const line = await exchangeStep(access, services, left);
    if (line !== null) steps.push(line);
  }
  return { kind: 'tried', report: { ...report, steps }, again };
}

/** Killed after it was put in use and before the tenant was due to be read: asked again, it is tested and completed. */
async function halfDone(
  id: TenantId,
  { store }: Services,
): Promise<{ access: TenantAccess; facts: null } | null> {
  const scope = scopeOfJob(id);
  if ((await store.work.get(scope, id, 'sync-scores')) !== null) return null;
  const access = await store.credentials.open(scope, id);
  return access?.credential.kind === 'certificate' ? { access, facts: null } : null;
}

/** Nobody wants it any more. False when none waited. */
export async function dropCertificate(id: TenantId, by: string, services: Services): Promise<boolean> {
  await audit('drop certificate', 'started', id, services, by);
  const dropped = await services.store.nextCredentials.drop(scopeOfJob(id), id);
  if (dropped) await audit('drop certificate', 'done', id, services, by);
  return dropped;
}

/** One that cannot be opened any more is as good as none: another is made in its place. */
async function opened(id: TenantId, { store }: Services) {
  const facts = await store.nextCredentials.facts(scopeOfJob(id), id);
  if (facts?.kind !== 'certificate') return null;
  return await store.nextCredentials.open(scopeOfJob(id), id);
}

function isOver({ expiresAt }: CredentialFacts, now: string): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}

/** All of it from the sealed text: a certificate exchanged beside it would let somebody else in. */
function told(
  { tenantId, appId, credential }: TenantAccess,
  facts: CredentialFacts,
  portal: string,
): WaitingCertificate {
  const pem = credential.kind === 'certificate' ? credential.certificatePem : '';
  const { raw, fingerprint, fingerprint256, validToDate } = new X509Certificate(pem);
  return {
    tenant: tenantId,
    appId,
    madeAt: facts.createdAt,
    expiresAt: validToDate.toISOString(),
    pem,
    der: raw.toString('base64'),
    sha1: fingerprint.replaceAll(':', ''),
    sha256: fingerprint256.replaceAll(':', ''),
    link: entraPageOf('credentials', tenantId, appId, portal),
  };
}

function isUnknownYet({ step, code }: TestStep): boolean {
  return step === stepNames.token && code === 'AADSTS700027';
}

function notYet(step: TestStep): TestStep {
  return {
    ...step,
    says: 'Entra does not know this certificate yet: it was not uploaded, or only a moment ago.',
    remedy: 'Upload it to this application. After that it can take some minutes. (AADSTS700027)',
  };
}

const exchangePermission = 'Exchange.ManageAsApp';

/** Optional, so it never fails: whether the application may ask Exchange Online. The role beside it shows in no token. */
async function exchangeStep(
  access: TenantAccess,
  { microsoft }: Services,
  leftMs: number,
): Promise<TestStep | null> {
  if (microsoft.exchange === undefined || leftMs <= 0) return null;
  const step = 'Exchange settings (optional)';
  const reading = await within(performance.now() + leftMs, microsoft.exchange(access));
  if (reading.kind === 'failed') {
    return { step, works: true, gap: true, says: `not tested: ${reading.failure.cause}` };
  }
  if (reading.kind === 'ok' && reading.value.roles.includes(exchangePermission)) {
    return {
      step,
      works: true,
      says: `${exchangePermission} is granted; whether the role Global Reader was assigned is not tested`,
    };
  }
  return {
    step,
    works: true,
    gap: true,
    says: `${exchangePermission} is not granted; nothing else needs it`,
  };
}
