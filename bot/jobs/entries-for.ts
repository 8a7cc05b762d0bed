import { type Audience, scopeOfJob } from '../../shared/access.ts';
import type { Transition } from '../../shared/alerts/finding.ts';
import { outboxId } from '../../shared/alerts/outbox-id.ts';
import { mostSubscriptions, type NewsToRoute, routesFor, watches } from '../../shared/alerts/route.ts';
import { digest } from '../digest.ts';
import type { OutboxEntry, Services, SubscriptionRow } from '../services.ts';

/**
 * One outbox row for each transition and conversation that asks to hear of it. Who gets an earlier one of these transitions
 * hears of the later ones as well: after a crash both may come at once, and the rows of the first are not there yet.
 */
export async function entriesFor(
  tell: readonly Transition[],
  subscriptions: readonly SubscriptionRow[],
  services: Services,
): Promise<OutboxEntry[]> {
  const entries: OutboxEntry[] = [];
  if (subscriptions.length >= mostSubscriptions) {
    services.log.warn(
      { code: 'full', count: subscriptions.length },
      'more conversations watch than are told',
    );
  }
  const hearsNow = new Map<string, Set<string>>();
  for (const transition of tell) {
    const { tenantId, kind, findingId: finding, generation, name, rule } = transition;
    const concerned = subscriptions.filter((one) => watches(one, tenantId));
    if (concerned.length === 0) continue;
    const key = `${finding} ${generation}`;
    const now = hearsNow.get(key) ?? new Set<string>();
    hearsNow.set(key, now);
    const heard = new Set([
      ...now,
      ...(await services.store.outbox.heard(scopeOfJob(tenantId), tenantId, finding, generation)),
    ]);
    const audiences = await audiencesOf(concerned, services);
    const { hears, withheld } = routesFor(
      { tenantId, kind, ...lossOf(transition) },
      concerned,
      (conversationId) => audiences.get(conversationId) ?? null,
      (conversationId) => heard.has(conversationId),
    );
    for (const { conversationId, why } of withheld) {
      services.log.warn({ tenant: tenantId, code: 'withheld', kind }, 'a conversation may not hear of it');
      await services.store.subscriptions.broken(conversationId, why);
    }
    // Those too that may not hear of it today: the gate holds it there until it may go, and it is not lost (I-8).
    for (const conversationId of [...hears, ...withheld.map((one) => one.conversationId)]) {
      now.add(conversationId);
      entries.push({
        id: outboxId({ tenantId, conversationId, rule, finding, name, generation }, digest),
        tenantId,
        conversationId,
        finding: { id: finding, generation, transition: name },
        kind,
        transition,
      });
    }
  }
  return entries;
}

/** A fall is told from a threshold on; other news to everybody who watches. */
function lossOf(transition: Transition): Pick<NewsToRoute, 'loss'> {
  if (transition.rule !== 'scoreDrop') return {};
  const { points, percent } = transition.facts;
  return { loss: { points, percent } };
}

/**
 * Who reads in these conversations, as far as it is known without asking Teams. What only Teams can say counts as ours
 * here and is asked right before the post: nothing is lost by it, and nothing goes out that the gate does not let out.
 */
async function audiencesOf(
  subscriptions: readonly SubscriptionRow[],
  { store, settings }: Services,
): Promise<Map<string, Audience>> {
  const audiences = new Map<string, Audience>();
  for (const { conversationId, hostTenantId } of subscriptions) {
    const place = await store.places.get(conversationId);
    if (place?.removed === true) continue;
    const binding = place?.binding;
    if (binding?.kind === 'customer') audiences.set(conversationId, binding);
    else if ((place?.hostTenantId ?? hostTenantId) === settings.homeTenantId) {
      audiences.set(conversationId, { kind: 'internal' });
    } else {
      const why = 'another organisation owns this conversation';
      audiences.set(conversationId, { kind: 'unbound', why });
    }
  }
  return audiences;
}
