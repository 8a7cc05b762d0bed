import { scopeOfJob } from '../../shared/access.ts';
import { credentialObject, decideCredentialEnd, toldMark } from '../../shared/alerts/credential-end.ts';
import { findingId } from '../../shared/alerts/finding.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { digest } from '../digest.ts';
import { WatchpostError } from '../errors.ts';
import type { Lease, Services } from '../services.ts';
import { saveAndTell } from './save-and-tell.ts';

const mostTries = 5;

/**
 * What is to be told of the end of a tenant's credential, in the order of a crash: finding, outbox rows, and only then
 * may the caller write the answered mark with the tenant. Undefined: nothing was ever told.
 */
export async function tellCredentialEnd(
  lease: Lease,
  tenant: Pick<Tenant, 'endTold'>,
  services: Services,
): Promise<string | undefined> {
  const { store, now } = services;
  const { tenantId } = lease;
  const scope = scopeOfJob(tenantId);
  const facts = await store.credentials.facts(scope, tenantId);
  const ending =
    facts === null || facts.kind === 'consent' || facts.expiresAt === undefined
      ? null
      : { kind: facts.kind, version: facts.version, expiresAt: facts.expiresAt };
  if (ending === null && tenant.endTold === undefined) return undefined;
  const id = findingId(tenantId, 'credentialEnd', credentialObject, digest);
  for (let tries = 0; tries < mostTries; tries += 1) {
    const kept = await store.findings.get(scope, tenantId, id);
    const finding = kept?.value.rule === 'credentialEnd' ? kept.value : null;
    const known = { tenantId, ending, mark: tenant.endTold, finding, now: now(), digest };
    const decided = decideCredentialEnd(known);
    if (decided.finding === null) return undefined;
    if (decided.tell.length === 0) return toldMark(decided.finding);
    const { finding: next, tell } = decided;
    const subscriptions = await store.subscriptions.all();
    const told = { finding: next, tell };
    const stands = await saveAndTell(lease, told, kept?.revision ?? null, subscriptions, services);
    // Somebody changed it meanwhile, by *Acknowledge*: judged again with what stands there now.
    if (stands === null) continue;
    return toldMark(decided.finding);
  }
  throw new WatchpostError('store', 'A finding was changed again and again while it was judged.');
}
