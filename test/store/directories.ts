import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Store } from '../../bot/services.ts';
import { collections } from '../../bot/store/collections.ts';
import type { Engine } from '../../bot/store/engine/collection.ts';
import { storeOver } from '../../bot/store/open.ts';
import { scopeOfJob, scopeOfSystem } from '../../shared/access.ts';
import { type Backend, type Database, testKeyring } from './backends.ts';
import { dump, ignoringGuards } from './faulty.ts';
import { aTenant, contoso, fabrikam } from './samples.ts';

const everything = scopeOfSystem();

/** What is known of users, groups and domains: part by part, under the lease, gone with the tenant. */
export function directoryContract(backend: Backend): void {
  describe(`directories on the ${backend.kind} store`, () => {
    let database: Database;
    let engine: Engine;
    let store: Store;
    const over = (base: Engine): Store =>
      storeOver(base, { instanceId: 'instance-one', keyring: testKeyring });
    beforeAll(async () => {
      database = await backend.fresh();
      engine = await database.engine(collections);
      store = over(engine);
    });
    beforeEach(async () => {
      for (const declaration of collections) await engine.collection(declaration).deleteMany({});
      for (const [id, name] of [
        [contoso, 'Contoso'],
        [fabrikam, 'Fabrikam'],
      ] as const) {
        await store.tenants.save(everything, aTenant(id, name));
        await store.work.schedule(everything, id, 'sync-directory', store.now());
      }
    });
    afterAll(() => database.end());

    test('a part is replaced whole, the others stay, and each tenant has its own', async () => {
      const leases = await store.work.claimDue('sync-directory', 5, 60_000);
      const [one, two] = [contoso, fabrikam].map((id) => leases.find((lease) => lease.tenantId === id));
      if (one === undefined || two === undefined) throw new Error('not due');
      const scope = scopeOfJob(contoso);
      expect(await store.directories.get(scope, contoso)).toBeNull();
      await store.directories.save(scope, one, {});
      expect(await store.directories.get(scope, contoso)).toBeNull();
      await store.directories.save(scope, one, { securityDefaults: { isOn: true }, mail: [] });
      await store.directories.save(scopeOfJob(fabrikam), two, { securityDefaults: { isOn: false } });
      const licences = { lines: [], count: 3 };
      await store.directories.save(scope, one, { licences, securityDefaults: { isOn: false } });
      expect(await store.directories.get(scope, contoso)).toEqual({
        ...{ licences, mail: [], securityDefaults: { isOn: false } },
      });
      await expect(store.directories.get(scope, fabrikam)).rejects.toMatchObject({ code: 'scope' });
      await expect(store.directories.save(scope, two, { mail: [] })).rejects.toMatchObject({ code: 'scope' });
      // The work of scores is another row: neither takes the other's lease.
      expect(await store.work.claimDue('sync-scores', 5, 60_000)).toEqual([]);
      await store.purge.tenant(everything, contoso, { people: true });
      expect((await dump(engine, ['directories'])).directories).toEqual([
        expect.objectContaining({ tenantId: fabrikam }),
      ]);
    });

    test('who has lost the lease writes nothing; with the fence ignored it would', async () => {
      const [old] = await store.work.claimDue('sync-directory', 1, 60_000);
      if (old === undefined) throw new Error('not due');
      await store.work.voidOwn();
      await store.work.claimDue('sync-directory', 5, 60_000);
      const scope = scopeOfJob(old.tenantId);
      const late = { securityDefaults: { isOn: true } };
      await expect(store.directories.save(scope, old, late)).rejects.toMatchObject({ code: 'conflict' });
      expect(await store.directories.get(scope, old.tenantId)).toBeNull();
      await over(ignoringGuards(engine)).directories.save(scope, old, late);
      expect(await store.directories.get(scope, old.tenantId)).toEqual(late);
    });
  });
}
