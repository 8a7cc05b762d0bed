import { scopeOfJob } from '../../shared/access.ts';
import type { Finding, Transition } from '../../shared/alerts/finding.ts';
import type { Lease, Services, SubscriptionRow } from '../services.ts';
import { entriesFor } from './entries-for.ts';

/**
 * Saves a finding over the revision that was read, and an outbox row for everybody who hears of it (R34). Whoever began
 * to watch after `subscriptions` were read and before the finding stood there to be seen would learn of it from nobody:
 * those get their rows right after. Answers the revision that stands there now; null, and nothing was changed, when
 * somebody else changed it first. Throws `conflict` when the lease was lost.
 */
export async function saveAndTell(
  lease: Lease,
  decided: { finding: Finding; tell: readonly Transition[] },
  revision: number | null,
  subscriptions: readonly SubscriptionRow[],
  services: Services,
): Promise<number | null> {
  const { store, nudge } = services;
  const { finding, tell } = decided;
  const scope = scopeOfJob(lease.tenantId);
  const rows = await entriesFor(tell, subscriptions, services);
  if (!(await store.findings.save(scope, finding, revision, rows, lease))) return null;
  let stands = (revision ?? 0) + 1;
  if (rows.length > 0) nudge();
  if (tell.length === 0) return stands;

  const known = new Set(subscriptions.map(({ conversationId }) => conversationId));
  const came = (await store.subscriptions.all()).filter(({ conversationId }) => !known.has(conversationId));
  const late = came.length === 0 ? [] : await entriesFor(tell, came, services);
  if (late.length === 0) return stands;
  if (!(await store.findings.save(scope, finding, stands, late, lease))) return null;
  stands += 1;
  nudge();
  return stands;
}
