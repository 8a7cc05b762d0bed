import { scopeOfJob } from '../../shared/access.ts';
import type { Tenant, TenantId } from '../../shared/tenants/tenant.ts';
import type { Services, SubscriptionRow } from '../services.ts';
import { audit } from './connect-tenant.ts';

export type Removal = {
  /** Rows that went, by collection. */
  rows: Record<string, number>;
  /** Conversations that heard of this tenant by name and do so no longer. */
  channels: number;
};

/**
 * Takes a tenant out of Watchpost: its credential first, then what channels hear of it, then everything else. Each
 * step can be repeated: what is cut off in the middle leaves a tenant that can be removed again. Who of the tenant's
 * own people is known goes as well, unless it is the tenant whose people use Watchpost.
 */
export async function removeTenant(
  tenant: Pick<Tenant, 'id'>,
  by: string,
  services: Services,
): Promise<Removal> {
  const { store, settings, microsoft } = services;
  const { id } = tenant;
  const scope = scopeOfJob(id);
  await audit('remove tenant', 'started', id, services, by);
  try {
    const first = await store.purge.credentials(scope, id);
    microsoft.forget(id);
    const before = await unsubscribe(id, services);
    const { rows } = await store.purge.tenant(scope, id, { people: id !== settings.homeTenantId });
    for (const [name, count] of Object.entries(first.rows)) rows[name] = (rows[name] ?? 0) + count;
    // Who asked for it while it went asks for nothing that is there.
    const channels = before + (await unsubscribe(id, services));
    await audit('remove tenant', 'done', id, services, by);
    return { rows, channels };
  } catch (error) {
    await audit('remove tenant', 'failed', id, services, by);
    throw error;
  }
}

/**
 * Also where it ended: the bot may be installed there again, and the tenant connected again. Conversations that watch
 * all tenants go on watching all that are left.
 */
async function unsubscribe(id: TenantId, { store }: Services): Promise<number> {
  let channels = 0;
  for (const { conversationId, tenants, ended } of await store.subscriptions.naming(id)) {
    await store.subscriptions.change(conversationId, (row) => (row === null ? null : without(row, id)));
    if (ended === undefined && tenants !== 'all' && tenants.includes(id)) channels += 1;
  }
  return channels;
}

function without(row: SubscriptionRow, id: TenantId): SubscriptionRow {
  return {
    ...row,
    tenants: row.tenants === 'all' ? 'all' : row.tenants.filter((one) => one !== id),
    ...(row.except === undefined ? {} : { except: row.except.filter((one) => one !== id) }),
    thresholds: row.thresholds.filter(({ tenantId }) => tenantId !== id),
  };
}
