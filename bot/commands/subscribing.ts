import { type Caller, covers, scopeFor } from '../../shared/access.ts';
import { mostSubscriptions } from '../../shared/alerts/route.ts';
import { baseOf } from '../../shared/conversation.ts';
import { clean, plain } from '../../shared/foreign-text.ts';
import type { Tenant, TenantId } from '../../shared/tenants/tenant.ts';
import type { Here } from '../cards/watching.ts';
import type { Place, Reply, Services, SubscriptionRow } from '../services.ts';
import { auditor } from './audit.ts';
import { refuse } from './reply.ts';

/** What a conversation hears, changed: pure, for the store decides again when somebody else was first. */

/** The row that counts: of a conversation the bot was removed from, nothing is left. */
export function hearing(row: SubscriptionRow | null): SubscriptionRow | null {
  return row === null || row.ended !== undefined || row.tenants.length === 0 ? null : row;
}

/** With these tenants in addition. Who is asked where the bot is has it there: what was broken is whole. */
export function withTenants(
  row: SubscriptionRow | null,
  tenants: 'all' | readonly TenantId[],
  fresh: Omit<SubscriptionRow, 'tenants' | 'thresholds'>,
): SubscriptionRow {
  const before = hearing(row);
  if (before === null) return { ...fresh, tenants: listOf(tenants), thresholds: [] };
  const { broken: _, except = [], ...sound } = before;
  const both =
    before.tenants === 'all' || tenants === 'all' ? 'all' : [...new Set([...before.tenants, ...tenants])];
  const still = tenants === 'all' ? [] : except.filter((id) => !tenants.includes(id));
  return {
    ...sound,
    serviceUrl: fresh.serviceUrl,
    tenants: both,
    ...(still.length === 0 ? {} : { except: still }),
  };
}

/** All tenants but these, whoever is connected later too; and without their thresholds. */
export function exceptTenants(row: SubscriptionRow, gone: ReadonlySet<TenantId>): SubscriptionRow {
  return {
    ...withoutTenants(row, 'all', gone),
    except: [...new Set([...(row.except ?? []), ...gone])],
  };
}

/** Without these tenants, and without their thresholds. */
export function withoutTenants(
  row: SubscriptionRow,
  left: 'all' | readonly TenantId[],
  gone: ReadonlySet<TenantId>,
): SubscriptionRow {
  const { except: _, ...rest } = row;
  return {
    ...rest,
    tenants: listOf(left),
    thresholds: row.thresholds.filter(({ tenantId }) => !gone.has(tenantId)),
  };
}

function listOf(tenants: 'all' | readonly TenantId[]): 'all' | TenantId[] {
  return tenants === 'all' ? 'all' : [...tenants];
}

/** A subscription of this place as it begins. */
export function freshRow(
  who: Caller,
  where: Place,
  services: Services,
): Omit<SubscriptionRow, 'tenants' | 'thresholds'> {
  return {
    conversationId: baseOf(where.conversationId),
    serviceUrl: where.serviceUrl,
    hostTenantId: where.hostTenantId,
    kind: where.kind === 'channel' ? 'channel' : 'groupChat',
    by: clean(who.name, 80),
    since: services.now(),
  };
}

export function hereOf(where: Place): Here {
  return where.kind === 'channel' ? 'channel' : 'chat';
}

/** Null when there is room for one more conversation that watches, or this one does already; else the refusal, audited. */
export async function refusedForRoom(who: Caller, where: Place, services: Services): Promise<Reply | null> {
  const { subscriptions } = services.store;
  if (hearing(await subscriptions.get(baseOf(where.conversationId))) !== null) return null;
  if ((await subscriptions.count()) < mostSubscriptions) return null;
  await auditor(who, where, services)('watch', 'refused', { detail: 'no room' });
  const most = mostSubscriptions.toLocaleString('en');
  return refuse(
    where,
    `No more than ${most} channels and chats can watch tenants. Stop one that is not needed any more with unwatch.`,
  );
}

/** Null when this person may decide what is heard here of all these tenants; else the refusal, audited. */
export async function refusedWatch(
  what: 'watch' | 'unwatch' | 'threshold',
  tenants: readonly Tenant[],
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply | null> {
  const scope = scopeFor(who, where.audience, 'watch', services.now());
  const outside = tenants.find(({ id }) => !covers(scope, id));
  if (outside === undefined) return null;
  await auditor(who, where, services)(what, 'refused', {
    tenant: outside.id,
    detail: 'not an Operator of it',
  });
  const text = `What is heard of ${plain(outside.name, 80)} is decided by its Operators and Admins. You may look at it.`;
  return { ...refuse(where, text), tenants: [outside.id] };
}
