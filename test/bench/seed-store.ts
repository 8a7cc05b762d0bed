import { parseKeyring } from '../../bot/secrets.ts';
import type { Lease, Store } from '../../bot/services.ts';
import { holdFolder } from '../../bot/store/engine/instance.ts';
import { openStore } from '../../bot/store/open.ts';
import { scopeOfJob } from '../../shared/access.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { plus } from '../../shared/time.ts';
import { guidOf } from '../sandbox/seeded.ts';
import type { Customer } from './customers.ts';
import { inHands } from './hands.ts';

/** Somebody who asks: known to the store with a grant over all tenants. */
export type Asker = { oid: string; teamsId: string; name: string };

/** `count` people of the home tenant, the same in every run. */
export function askers(count: number): Asker[] {
  return Array.from({ length: count }, (_, number) => ({
    oid: guidOf(`bench person ${number}`),
    teamsId: `29:1bench-${guidOf(`bench teams ${number}`)}`,
    name: `Person ${number}`,
  }));
}

/**
 * Fills the store in `folder` by the store's own functions, as syncs and an Admin would have, and closes it again.
 * Nothing is due afterwards for a day, so that the clock thread of the program under test has nothing to read.
 */
export async function seedStore(options: {
  folder: string;
  encryptionKeys: string;
  homeTenantId: TenantId;
  customers: readonly Customer[];
  askers: readonly Asker[];
}): Promise<void> {
  const held = holdFolder(options.folder);
  const store = await openStore({
    folder: options.folder,
    instanceId: held.instanceId,
    keyring: parseKeyring(options.encryptionKeys),
  });
  const now = store.now();
  const { homeTenantId } = options;
  for (const { oid, name } of options.askers) {
    const grant = {
      id: `bench-${oid}`,
      role: 'Operator',
      scope: 'all',
      source: 'cli',
      by: 'bench',
      at: now,
    } as const;
    await store.people.addGrant(homeTenantId, oid, name, grant);
  }
  // An Admin too, so that no code for the first one is waiting.
  const admin = {
    id: 'bench-admin',
    role: 'Admin',
    scope: 'all',
    source: 'cli',
    by: 'bench',
    at: now,
  } as const;
  await store.people.addGrant(homeTenantId, guidOf('bench admin'), 'Admin', admin);
  await saveCustomers(store, options.customers);
  await store.close();
  held.release();
}

/** Customers as syncs leave them; nothing is due of them for a day. */
export async function saveCustomers(store: Store, customers: readonly Customer[]): Promise<void> {
  const byId = new Map(customers.map((one) => [one.tenant.id, one]));
  await inHands(customers, 16, ({ tenant }) => store.tenants.save(scopeOfJob(tenant.id), tenant));
  const leases = await leasesOf(
    store,
    customers.map(({ tenant }) => tenant.id),
  );
  const nextDueAt = plus(store.now(), 86_400_000);
  await inHands(leases, 16, async (lease) => {
    const scope = scopeOfJob(lease.tenantId);
    const customer = byId.get(lease.tenantId);
    if (customer === undefined) throw new Error('the store holds a tenant that was not put there');
    await store.scores.saveSync(scope, lease, customer.found);
    const { health, datasets, licences } = customer.tenant;
    await store.work.saveTenant(scope, lease, { health, datasets, licences });
    await store.work.finish(lease, { nextDueAt, outcome: 'ok', ms: 1, failed: false });
  });
}

/** A lease of each of these tenants for an hour. */
export async function leasesOf(store: Store, tenants: readonly TenantId[]): Promise<Lease[]> {
  const at = store.now();
  await inHands(tenants, 64, (id) => store.work.schedule(scopeOfJob(id), id, 'sync-scores', at));
  const leases: Lease[] = [];
  for (;;) {
    const more = await store.work.claimDue('sync-scores', 100, 3_600_000);
    if (more.length === 0) return leases;
    leases.push(...more);
  }
}
