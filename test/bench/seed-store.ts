import { parseKeyring } from '../../bot/secrets.ts';
import { holdFolder } from '../../bot/store/engine/instance.ts';
import { openStore } from '../../bot/store/open.ts';
import { scopeOfJob } from '../../shared/access.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { plus } from '../../shared/time.ts';
import { guidOf } from '../sandbox/seeded.ts';
import type { Customer } from './customers.ts';

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

  const byId = new Map(options.customers.map((one) => [one.tenant.id, one]));
  for (const { tenant } of options.customers) {
    await store.tenants.save(scopeOfJob(tenant.id), tenant);
    await store.work.schedule(scopeOfJob(tenant.id), tenant.id, 'sync-scores', now);
  }
  for (;;) {
    const leases = await store.work.claimDue('sync-scores', 50, 60_000);
    if (leases.length === 0) break;
    for (const lease of leases) {
      const scope = scopeOfJob(lease.tenantId);
      const customer = byId.get(lease.tenantId);
      if (customer === undefined) throw new Error('the store holds a tenant that was not put there');
      await store.scores.saveSync(scope, lease, customer.found);
      const { health, datasets, licences } = customer.tenant;
      await store.work.saveTenant(scope, lease, { health, datasets, licences });
      await store.work.finish(lease, {
        nextDueAt: plus(now, 86_400_000),
        outcome: 'ok',
        ms: 1,
        failed: false,
      });
    }
  }
  await store.close();
  held.release();
}
