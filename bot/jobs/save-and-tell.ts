import { scopeOfJob } from '../../shared/access.ts';
import { type Finding, findingId, type Rule, type Transition } from '../../shared/alerts/finding.ts';
import { digest } from '../digest.ts';
import { WatchpostError } from '../errors.ts';
import type { Lease, Services, SubscriptionRow } from '../services.ts';
import { entriesFor } from './entries-for.ts';

/** Somebody may change a finding while it is judged, by *Acknowledge*. */
export const mostTries = 5;

export function neverStill(): WatchpostError {
  return new WatchpostError('store', 'A finding was changed again and again while it was judged.');
}

/**
 * Judges the tenant's one finding of a rule with what stands there now, and saves and tells what follows; judged again
 * when somebody changed it meanwhile. Answers the finding as it stands then, null when there is none. Throws `conflict`
 * when the lease was lost.
 */
export async function judgeAndTell<R extends Rule>(
  lease: Lease,
  { rule, object }: { rule: R; object: string },
  decide: (finding: Extract<Finding, { rule: R }> | null) => {
    tell: readonly Transition[];
    finding: Extract<Finding, { rule: R }> | null;
  },
  services: Services,
): Promise<Extract<Finding, { rule: R }> | null> {
  const { store } = services;
  const { tenantId } = lease;
  const id = findingId(tenantId, rule, object, digest);
  for (let tries = 0; tries < mostTries; tries += 1) {
    const kept = await store.findings.get(scopeOfJob(tenantId), tenantId, id);
    const known = kept?.value.rule === rule ? (kept.value as Extract<Finding, { rule: R }>) : null;
    const { finding, tell } = decide(known);
    if (finding === null || tell.length === 0) return finding;
    const subscriptions = await store.subscriptions.all();
    const told = { finding, tell };
    if ((await saveAndTell(lease, told, kept?.revision ?? null, subscriptions, services)) !== null)
      return finding;
  }
  throw neverStill();
}

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
