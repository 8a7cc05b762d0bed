import { scopeOfJob } from '../../shared/access.ts';
import { connectionObject, decideConnection } from '../../shared/alerts/connection-health.ts';
import { findingId } from '../../shared/alerts/finding.ts';
import type { Health } from '../../shared/tenants/tenant.ts';
import { digest } from '../digest.ts';
import { WatchpostError } from '../errors.ts';
import type { Lease, Services } from '../services.ts';
import { entriesFor } from './entries-for.ts';

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
  const { store, now, nudge } = services;
  const { tenantId } = lease;
  const scope = scopeOfJob(tenantId);
  const id = findingId(tenantId, 'connectionHealth', connectionObject, digest);
  for (let tries = 0; tries < mostTries; tries += 1) {
    const kept = await store.findings.get(scope, tenantId, id);
    const finding = kept?.value.rule === 'connectionHealth' ? kept.value : null;
    const decided = decideConnection({ tenantId, before, after, finding, now: now(), digest });
    if (decided.finding === null || decided.tell.length === 0) return;
    const tell = await entriesFor(decided.tell, await store.subscriptions.all(), services);
    // Somebody changed it meanwhile, by *Acknowledge*: judged again with what stands there now.
    if (!(await store.findings.save(scope, decided.finding, kept?.revision ?? null, tell, lease))) continue;
    if (tell.length > 0) nudge();
    return;
  }
  throw new WatchpostError('store', 'A finding was changed again and again while it was judged.');
}
