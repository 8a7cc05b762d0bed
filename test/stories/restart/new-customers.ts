import { Secret } from '../../../bot/secrets.ts';
import type { Store } from '../../../bot/services.ts';
import { scopeOfJob } from '../../../shared/access.ts';
import { type TenantId, tenantId } from '../../../shared/tenants/tenant.ts';
import type { Somebody } from '../../support/actors.ts';
import type { SandboxCustomer } from '../../support/production.ts';

export function idOf(customer: { id: string; tid?: string }): TenantId {
  const id = tenantId(customer.id);
  if (id === undefined) throw new Error(`${customer.id} is no tenant id`);
  return id;
}

/** Customers that are connected and were never read, and one Admin: what each side of the story begins with. */
export async function storeNewCustomers(
  store: Store,
  customers: readonly SandboxCustomer[],
  admin: Pick<Somebody, 'oid' | 'tid' | 'name'>,
): Promise<void> {
  for (const [at, customer] of customers.entries()) {
    const id = idOf(customer);
    await store.tenants.save(scopeOfJob(id), {
      id,
      name: customer.name,
      domain: customer.domain,
      domains: [customer.domain],
      opaque: at + 1,
      connectedAt: store.now(),
      health: { state: 'waiting', since: store.now(), cause: '', remedy: '' },
      datasets: {},
      licences: {
        entraP1: { known: false, why: 'licences not read yet' },
        entraP2: { known: false, why: 'licences not read yet' },
        skus: [],
      },
    });
    await store.credentials.save(scopeOfJob(id), {
      tenantId: id,
      appId: customer.appId,
      credential: { kind: 'secret', secret: new Secret(customer.secret) },
    });
  }
  await store.people.addGrant(idOf({ id: admin.tid }), admin.oid, admin.name, {
    id: 'story',
    role: 'Admin',
    scope: 'all',
    source: 'cli',
    by: 'the story',
    at: store.now(),
  });
}
