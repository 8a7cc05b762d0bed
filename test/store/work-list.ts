import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Store } from '../../bot/services.ts';
import { collections } from '../../bot/store/collections.ts';
import type { Engine } from '../../bot/store/engine/collection.ts';
import { storeOver } from '../../bot/store/open.ts';
import { callerOf, scopeFor, scopeOfJob, scopeOfSystem, type TenantScope } from '../../shared/access.ts';
import { type Backend, type Database, testKeyring } from './backends.ts';
import { aGrant, ana, aTenant, contoso, fabrikam, home } from './samples.ts';

const everything = scopeOfSystem();

/** What the work list of tenants asks of either engine: their tags, how often they are read, and all jobs at once. */
export function workListContract(backend: Backend): void {
  describe(`the work list on the ${backend.kind} store`, () => {
    let database: Database;
    let engine: Engine;
    let store: Store;
    let other: Store;
    beforeAll(async () => {
      database = await backend.fresh();
      engine = await database.engine(collections);
      const second = await database.engine(collections);
      other = storeOver(second, { instanceId: 'instance-two', keyring: testKeyring });
    });
    beforeEach(async () => {
      for (const declaration of collections) await engine.collection(declaration).deleteMany({});
      store = storeOver(engine, { instanceId: 'instance-one', keyring: testKeyring });
      await store.tenants.save(everything, aTenant(contoso, 'Contoso'));
      await store.tenants.save(everything, aTenant(fabrikam, 'Fabrikam'));
    });
    afterAll(() => database.end());

    test('tags are sorted, there once, and stay when the tenant is saved again', async () => {
      const scope = scopeOfJob(contoso);
      expect(
        await store.tenants.changeTags(scope, contoso, (tags) => [...tags, 'north', 'gold', 'gold']),
      ).toEqual({
        before: [],
        after: ['gold', 'north'],
      });
      await store.tenants.save(everything, aTenant(contoso, 'Contoso again'));
      expect(await store.tenants.get(scope, contoso)).toMatchObject({
        name: 'Contoso again',
        tags: ['gold', 'north'],
      });
      expect(Object.keys((await store.tenants.get(scope, contoso)) ?? {})).not.toContain('tagged');
      await expect(store.tenants.changeTags(scope, fabrikam, () => [])).rejects.toMatchObject({
        code: 'scope',
      });
      expect(await store.tenants.changeTags(everything, home, () => ['x'])).toBeNull();
      await expect(
        store.tenants.changeTags(scope, contoso, () => Array.from({ length: 21 }, (_, n) => `tag ${n}`)),
      ).rejects.toMatchObject({ code: 'bad-input' });
    });

    test('ten people who add a tag each at the same moment, over two instances, are all heard', async () => {
      await Promise.all(
        Array.from({ length: 10 }, (_, n) =>
          (n % 2 === 0 ? store : other).tenants.changeTags(everything, contoso, (tags) => [
            ...tags,
            `tag-${n}`,
          ]),
        ),
      );
      expect((await store.tenants.get(everything, contoso))?.tags).toHaveLength(10);
    });

    test('how often a part is read is set, and is again as the settings say', async () => {
      const scope = scopeOfJob(contoso);
      await store.tenants.setCadence(scope, contoso, 'scores', '7 * * * *');
      await store.tenants.setCadence(scope, contoso, 'directory', '7 4 * * 1');
      await store.tenants.setCadence(scope, contoso, 'scores', undefined);
      expect((await store.tenants.get(scope, contoso))?.cadence).toEqual({ directory: '7 4 * * 1' });
      await expect(store.tenants.setCadence(scope, fabrikam, 'scores', '7 * * * *')).rejects.toMatchObject({
        code: 'scope',
      });
    });

    test('all work comes page by page within the scope, with who holds it', async () => {
      const now = store.now();
      for (const id of [contoso, fabrikam]) {
        await store.work.schedule(everything, id, 'sync-scores', now);
        await store.work.schedule(everything, id, 'sync-directory', now);
      }
      const [lease] = await store.work.claimDue('sync-scores', 1, 60_000);
      const found: string[] = [];
      let after: string | undefined;
      do {
        const page = await store.work.list(everything, {
          limit: 3,
          ...(after === undefined ? {} : { after }),
        });
        expect(page.rows.length).toBeLessThanOrEqual(3);
        found.push(...page.rows.map(({ tenantId, kind }) => `${tenantId} ${kind}`));
        after = page.next ?? undefined;
      } while (after !== undefined);
      expect(new Set(found).size).toBe(4);
      expect(found).toHaveLength(4);

      const { rows } = await store.work.list(everything, { limit: 10, kind: 'sync-scores' });
      expect(rows).toHaveLength(2);
      const held = rows.filter(({ lease: one }) => one !== undefined);
      expect(held).toMatchObject([{ tenantId: lease?.tenantId, lease: { owner: 'instance-one' } }]);

      const who = callerOf(
        { disabled: false, grants: [aGrant('Operator', { scope: [contoso] })] },
        { tid: home, oid: ana, name: 'Ana' },
        home,
      );
      const own = scopeFor(who, { kind: 'personal', tid: home, oid: ana }, 'sync', now);
      expect((await store.work.list(own, { limit: 10 })).rows.map(({ tenantId }) => tenantId)).toEqual([
        contoso,
        contoso,
      ]);
      const forged = { all: true, ids: new Set() } as unknown as TenantScope;
      await expect(store.work.list(forged, { limit: 10 })).rejects.toMatchObject({ code: 'scope' });
    });
  });
}
