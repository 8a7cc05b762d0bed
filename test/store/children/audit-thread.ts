import { parentPort, workerData } from 'node:worker_threads';
import { collections } from '../../../bot/store/collections.ts';
import { storeOver } from '../../../bot/store/open.ts';
import { tenantId } from '../../../shared/tenants/tenant.ts';
import { openAt, testKeyring, type Where } from '../backends.ts';

/** A thread with a connection of its own that appends `entries` to the audit log, some of them for a tenant. */
const { where, by, entries, tenant } = workerData as {
  where: Where;
  by: string;
  entries: number;
  tenant: string;
};
const engine = await openAt(where, collections);
const store = storeOver(engine, { instanceId: by, keyring: testKeyring });
let failed = 0;
for (let n = 0; n < entries; n += 5) {
  const group = Array.from({ length: 5 }, (_, one) =>
    store.audit.write({
      who: by,
      what: `${by}:${n + one}`,
      result: 'done',
      ...(one % 2 === 0 ? { tenant: tenantId(tenant) } : {}),
    }),
  );
  failed += (await Promise.allSettled(group)).filter(({ status }) => status === 'rejected').length;
}
await store.close();
parentPort?.postMessage(failed);
