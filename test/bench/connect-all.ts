import { randomUUID } from 'node:crypto';
import { Secret } from '../../bot/secrets.ts';
import type { Store } from '../../bot/services.ts';
import { scopeOfJob } from '../../shared/access.ts';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { inHands } from './hands.ts';

/** A tenant as the bench's Graph lists it. */
export type Listed = { id: string; domain: string; name: string };

/** Tenants as *Connect* leaves them: known, with a way in, nothing read yet. */
export async function connectAll({ store }: { store: Store }, tenants: readonly Listed[]): Promise<void> {
  await inHands(tenants, 64, (one) => connect(store, one));
}

async function connect(store: Store, one: Listed): Promise<void> {
  const id = sure(one.id);
  const now = store.now();
  const scope = scopeOfJob(id);
  await store.tenants.save(scope, {
    ...{ id, name: one.name, domain: one.domain, domains: [one.domain], opaque: 1, connectedAt: now },
    health: { state: 'waiting', since: now, cause: '', remedy: '' },
    datasets: {},
    licences: {
      entraP1: { known: false, why: 'not read yet' },
      entraP2: { known: false, why: 'not read yet' },
      skus: [],
    },
  });
  await store.credentials.save(scope, {
    tenantId: id,
    appId: randomUUID(),
    credential: { kind: 'secret', secret: new Secret('a secret of the bench') },
  });
}

export function sure(text: string): TenantId {
  const id = tenantId(text);
  if (id === undefined) throw new Error('not a GUID');
  return id;
}
