import { scopeOfJob } from '../../shared/access.ts';
import { connectionObject, decideConnection } from '../../shared/alerts/connection-health.ts';
import { findingId } from '../../shared/alerts/finding.ts';
import type { Health } from '../../shared/tenants/tenant.ts';
import { digest } from '../digest.ts';
import { WatchpostError } from '../errors.ts';
import type { Lease, Services } from '../services.ts';
import { saveAndTell } from './save-and-tell.ts';

const mostTries = 5;

/**
 * What a change of a tenant's health tells, in the order of a crash (R34): the finding, the outbox rows of those who
 * watch, and only then may the caller write the health. Throws `conflict` when the lease was lost.
 */
export async function tellConnection(
  lease: Lease,
  { before, after }: { before: Health; after: Health },
  services: Services,
): Promise<void> {
  const { store, now } = services;
  const { tenantId } = lease;
  const scope = scopeOfJob(tenantId);
  const id = findingId(tenantId, 'connectionHealth', connectionObject, digest);
  for (let tries = 0; tries < mostTries; tries += 1) {
    const kept = await store.findings.get(scope, tenantId, id);
    const finding = kept?.value.rule === 'connectionHealth' ? kept.value : null;
    const decided = decideConnection({ tenantId, before, after, finding, now: now(), digest });
    if (decided.finding === null || decided.tell.length === 0) return;
    const { finding: next, tell } = decided;
    const subscriptions = await store.subscriptions.all();
    const told = { finding: next, tell };
    const stands = await saveAndTell(lease, told, kept?.revision ?? null, subscriptions, services);
    // Somebody changed it meanwhile, by *Acknowledge*: judged again with what stands there now.
    if (stands === null) continue;
    return;
  }
  throw new WatchpostError('store', 'A finding was changed again and again while it was judged.');
}
