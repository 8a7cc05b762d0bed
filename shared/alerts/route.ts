import { type Audience, mayGo } from '../access.ts';
import type { TenantId } from '../tenants/tenant.ts';
import { sentence } from '../words.ts';
import type { TransitionKind } from './finding.ts';
import { defaultThreshold, finest, type Loss, reaches, type Threshold } from './threshold.ts';

/** So many conversations can hear of tenants; more are refused when they ask. */
export const mostSubscriptions = 50_000;

/** What one conversation wants to hear. */
export type Subscription = {
  conversationId: string;
  tenants: 'all' | TenantId[];
  /** Of all tenants, those it does not want to hear of. */
  except?: TenantId[];
  /** Where it wants to hear of a tenant earlier or later than by default. */
  thresholds: { tenantId: TenantId; threshold: Threshold }[];
};

/** Does the conversation want to hear of this tenant at all? */
export function watches(
  { tenants, except }: Omit<Subscription, 'conversationId'>,
  tenantId: TenantId,
): boolean {
  return tenants === 'all' ? except?.includes(tenantId) !== true : tenants.includes(tenantId);
}

/** From which loss on this conversation wants to hear of the tenant. */
export function thresholdOf({ thresholds }: Subscription, tenantId: TenantId): Threshold {
  return thresholds.find((one) => one.tenantId === tenantId)?.threshold ?? defaultThreshold;
}

/** From which losses on the conversations that watch a tenant want to hear of it, each once. */
export function thresholdsFor(tenantId: TenantId, subscriptions: readonly Subscription[]): Threshold[] {
  const all = new Map<string, Threshold>();
  for (const one of subscriptions) {
    const threshold = thresholdOf(one, tenantId);
    if (watches(one, tenantId)) all.set(`${threshold.percent} ${threshold.points}`, threshold);
  }
  return [...all.keys()].sort().map((key) => all.get(key) as Threshold);
}

/**
 * The threshold a tenant is judged by: the finest of the conversations that watch it, so that one finding serves them
 * all; the default when nobody does, for the tab.
 */
export function tenantThreshold(tenantId: TenantId, subscriptions: readonly Subscription[]): Threshold {
  return finest(thresholdsFor(tenantId, subscriptions));
}

/** What is to be told of a tenant; without a `loss` there is no threshold to reach. */
export type NewsToRoute = { tenantId: TenantId; kind: TransitionKind; loss?: Loss };

export type Routes = {
  hears: string[];
  /** Watching, but not allowed to hear: said to the operators, never silently nowhere (I-9). */
  withheld: { conversationId: string; why: string }[];
};

/**
 * Which conversations hear of a transition. `audienceOf` is what a conversation is today, null when it is not known
 * or the bot was removed; only one that is `internal`, or bound to exactly this tenant, may hear. Worse news goes to
 * whoever wants to hear of a loss that large, and to those who have heard of this finding's generation (`hasHeard`);
 * its end only to those, since nobody needs the end of what was never told.
 */
export function routesFor(
  news: NewsToRoute,
  subscriptions: readonly Subscription[],
  audienceOf: (conversationId: string) => Audience | null,
  hasHeard: (conversationId: string) => boolean,
): Routes {
  const routes: Routes = { hears: [], withheld: [] };
  const seen = new Set<string>();
  for (const subscription of subscriptions) {
    const { conversationId } = subscription;
    if (seen.has(conversationId) || !wants(subscription, news, hasHeard)) continue;
    seen.add(conversationId);
    const audience = audienceOf(conversationId);
    if (audience !== null && mayHear(news.tenantId, audience)) routes.hears.push(conversationId);
    else routes.withheld.push({ conversationId, why: whyNot(audience) });
  }
  return routes;
}

function wants(
  subscription: Subscription,
  { tenantId, kind, loss }: NewsToRoute,
  hasHeard: (conversationId: string) => boolean,
): boolean {
  if (!watches(subscription, tenantId)) return false;
  if (hasHeard(subscription.conversationId)) return true;
  if (kind === 'resolved') return false;
  return loss === undefined || reaches(loss, thresholdOf(subscription, tenantId));
}

/** News has no reader of its own: a personal chat is no place for it, whatever its person may see. */
export function mayHear(tenantId: TenantId, audience: Audience): boolean {
  return mayGo([tenantId], audience);
}

function whyNot(audience: Audience | null): string {
  switch (audience?.kind) {
    case undefined:
      return 'Watchpost is no longer in this conversation.';
    case 'customer':
      return 'This conversation belongs to another customer.';
    case 'personal':
      return 'News is for channels and group chats.';
    case 'unbound':
      return sentence(audience.why);
    default:
      return 'This conversation may not hear of this tenant.';
  }
}
