import { scopeOfJob } from '../../shared/access.ts';
import { watches } from '../../shared/alerts/route.ts';
import type { Instant } from '../../shared/time.ts';
import type { OutboxLease, OutboxRow, Place, Services, SubscriptionRow } from '../services.ts';
import { listNews, type Telling, type Told } from './news-for.ts';
import { create, type Spot, tellOne } from './send-message.ts';
import { end, refusedHere, removed } from './send-outcome.ts';
import { nextOf } from './send-plan.ts';
import { endAll, goOn, lookAtWaiting, type Round, type Step } from './send-round.ts';

/**
 * Tells one conversation what waits for it, in order, under a lease: nobody else sends there at the same time. What
 * goes next says `send-plan`, how a message goes `send-message`, and what came of it `send-outcome`. Before each POST
 * the attempt is written down, after it its outcome, so that after a crash it is known that the message may have
 * arrived. Answers how many messages went out. A row ends as sent, held, withheld, or dead with a reason, and else
 * waits.
 */
export async function sendDue(lease: OutboxLease, services: Services, leaseMs = 60_000): Promise<number> {
  const { store, signal } = services;
  const { outbox } = store;
  const { conversationId, until } = lease;
  const known = await store.places.get(conversationId);
  const subscription = await store.subscriptions.get(conversationId);
  const broken = subscription?.broken !== undefined;
  const left = known?.removed === true || subscription?.ended !== undefined;
  const round: Round = { services, lease, leaseMs, until, waiting: [], sent: 0, broken, apart: false };
  // What Teams refused while nobody could be reached there, and what the gate held, comes first: news stays in order.
  if (!left && broken) await outbox.revive(conversationId);
  await lookAtWaiting(round);
  if (left && !(await endAll(round, removed))) return round.sent;

  const spot = spotOf(lease, known ?? subscription);
  const mayAcknowledge = known?.binding?.kind !== 'customer';
  let notBefore: Instant | undefined;
  while (!signal.aborted) {
    const next = nextOf(round.waiting, services.now(), round);
    if (next.kind === 'nothing') break;
    const { settings } = services;
    const telling: Telling = { now: services.now(), settings, mayAcknowledge };
    const step = await tell(round, next.kind === 'one' ? [next.row] : next.rows, subscription, spot, telling);
    if (step.kind === 'lost') return round.sent;
    if (step.kind === 'wait') {
      notBefore = step.until;
      break;
    }
  }
  await outbox.release(lease, notBefore);
  return round.sent;
}

/** These rows, each as far as it is still to be told: one by itself, or several in a list. */
async function tell(
  round: Round,
  rows: readonly OutboxRow[],
  subscription: SubscriptionRow | null,
  spot: Spot | null,
  telling: Telling,
): Promise<Step> {
  const told: Told[] = [];
  for (const row of rows) {
    const found = await foundOf(row, subscription, round.services);
    if (typeof found !== 'string') {
      told.push(found);
      continue;
    }
    const ended = await end(round, [row], { state: 'withheld', why: found });
    if (ended.kind === 'lost') return ended;
  }
  const [first] = told;
  if (first === undefined) return goOn;
  if (spot === null) return await refusedHere(round, told, 'Nobody knows where this conversation is.');
  if (rows.length === 1) return await tellOne(round, first, telling, spot);
  return await create(round, told, listNews(told, telling), spot, { collapsed: true });
}

/** Where a conversation is, as it wrote last or as it was when it asked for news. */
function spotOf(
  { conversationId }: OutboxLease,
  known: { kind: Place['kind']; serviceUrl: string; hostTenantId: Place['hostTenantId'] } | null,
): Spot | null {
  if (known === null) return null;
  const { kind, serviceUrl, hostTenantId } = known;
  return { kind, conversationId, serviceUrl, hostTenantId, targeted: false, personTeamsId: '' };
}

/** What a row is about, or why it is not told any more. */
async function foundOf(
  row: OutboxRow,
  subscription: SubscriptionRow | null,
  { store }: Services,
): Promise<Told | string> {
  const scope = scopeOfJob(row.tenantId);
  const tenant = await store.tenants.get(scope, row.tenantId);
  const finding = await store.findings.get(scope, row.tenantId, row.finding.id);
  if (tenant === null || finding === null) return 'This tenant is no longer connected.';
  const told = { row, tenant, finding: finding.value };
  // A card that stands there is kept true, whoever listens by now.
  if (row.kind === 'refresh') return told;
  if (subscription === null || !watches(subscription, row.tenantId)) {
    return 'This conversation no longer asks for news of this tenant.';
  }
  return told;
}
