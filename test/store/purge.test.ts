import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Secret } from '../../bot/secrets.ts';
import type { Lease, OutboxEntry, Store } from '../../bot/services.ts';
import { collections } from '../../bot/store/collections.ts';
import type { CollectionDeclaration, Engine } from '../../bot/store/engine/collection.ts';
import { storeOver } from '../../bot/store/open.ts';
import { openPurge } from '../../bot/store/purge.ts';
import { scopeOfJob, scopeOfSystem } from '../../shared/access.ts';
import { fallOf, falls } from '../cards/fallen.ts';
import { type Database, embedded, mongoAt, testKeyring } from './backends.ts';
import { Crash, changed, crashing, ignoringGuards } from './faulty.ts';
import { ana, aTenant, contoso, fabrikam, found } from './samples.ts';

/** A tenant is taken out of every collection there is, and a sync that runs meanwhile does not bring it back. */

const everything = scopeOfSystem();
const scoped = collections.filter(({ tenantScoped }) => tenantScoped);

const uri = process.env.MONGODB_URI ?? '';
const backends = [embedded, ...(uri === '' ? [] : [mongoAt(uri)])];

describe.each(backends)('removing a tenant from the $kind store', (backend) => {
  let database: Database;
  let engine: Engine;
  let store: Store;
  beforeAll(async () => {
    database = await backend.fresh();
    engine = await database.engine(collections);
  });
  beforeEach(async () => {
    for (const declaration of collections) await engine.collection(declaration).deleteMany({});
    store = over(engine);
    for (const id of [contoso, fabrikam]) await fill(id);
  });
  afterAll(() => database.end());

  const over = (base: Engine): Store =>
    storeOver(base, { instanceId: 'instance-one', keyring: testKeyring, monotonic: () => 1 });

  /** Everything a tenant can have, by the store's own methods, and one loose row where these leave none. */
  async function fill(id: typeof contoso): Promise<void> {
    await store.tenants.save(everything, aTenant(id, 'Contoso'));
    await store.credentials.save(everything, {
      tenantId: id,
      appId: 'app',
      credential: { kind: 'secret', secret: new Secret('a-secret') },
    });
    await store.work.schedule(everything, id, 'sync-scores', store.now());
    await store.syncRequests.add(everything, id, 'Ana');
    await store.people.seen({ tid: id, oid: ana, name: 'Somebody' });
    for (const declaration of scoped) {
      const rows = engine.collection<{ _id: string; tenantId: string }>(declaration);
      const missing = (await rows.countDocuments({ tenantId: id })) === 0;
      const _id = declaration.tenantScoped === 'one' ? id : `${id}:loose`;
      if (missing) await rows.insertOne({ _id, ...loose(declaration), tenantId: id });
    }
  }

  /** How many rows each collection has of a tenant, without empty ones. */
  async function left(id: typeof contoso): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const declaration of scoped) {
      const count = await engine.collection(declaration).countDocuments({ tenantId: id });
      if (count > 0) counts[declaration.name] = count;
    }
    return counts;
  }

  async function claim(): Promise<Lease> {
    const leases = await store.work.claimDue('sync-scores', 5, 60_000);
    const lease = leases.find(({ tenantId }) => tenantId === contoso);
    if (lease === undefined) throw new Error('nothing was due');
    return lease;
  }

  test('empties every collection that is declared a tenant’s, and leaves the others alone', async () => {
    const before = await left(fabrikam);
    expect(Object.keys(before).sort()).toEqual(scoped.map(({ name }) => name).sort());
    const { rows } = await store.purge.tenant(scopeOfJob(contoso), contoso, { people: true });
    // Of the work only its fence stays, which is never due.
    expect(await left(contoso)).toEqual({ work: 1 });
    expect(await left(fabrikam)).toEqual(before);
    expect(rows).toMatchObject({ credentials: 1, tenantKeys: 1, tenants: 1, people: 1 });
    expect(await store.tenants.list(everything)).toHaveLength(1);
    expect(await store.credentials.open(everything, contoso)).toBeNull();
    expect((await store.work.claimDue('sync-scores', 5, 1_000)).map((one) => one.tenantId)).toEqual([
      fabrikam,
    ]);
  });

  test('a collection that is declared later is emptied as well, and one that was forgotten is noticed', async () => {
    const without = collections.filter(({ name }) => name !== 'snapshots');
    const forgetful = openPurge(kitOf(engine), without, () => undefined);
    await forgetful.tenant(everything, contoso, { people: true });
    expect(await left(contoso)).toEqual({ snapshots: 1, work: 1 });
  });

  test('people stay when the tenant is the one whose people use Watchpost', async () => {
    await store.purge.tenant(everything, contoso, { people: false });
    expect(Object.keys(await left(contoso)).sort()).toEqual(['claimTries', 'people', 'work']);
  });

  test('outside its scope nothing happens', async () => {
    const before = await left(contoso);
    await expect(store.purge.tenant(scopeOfJob(fabrikam), contoso, { people: true })).rejects.toMatchObject({
      code: 'scope',
    });
    expect(await left(contoso)).toEqual(before);
  });

  test('a sync that is running writes nothing back, and neither does its end', async () => {
    const lease = await claim();
    await store.purge.tenant(everything, contoso, { people: true });
    await expect(store.scores.saveSync(everything, lease, found(contoso, 1))).rejects.toMatchObject({
      code: 'conflict',
    });
    await expect(store.work.saveTenant(everything, lease, { name: 'Back again' })).rejects.toMatchObject({
      code: 'conflict',
    });
    const ended = { nextDueAt: store.now(), outcome: 'ok', ms: 1, failed: false };
    expect(await store.work.finish(lease, ended)).toBe(false);
    expect(await store.work.renew(lease, 60_000)).toBe(false);
    expect(await left(contoso)).toEqual({ work: 1 });
  });

  test('without fences it would: the check above can see it', async () => {
    const lease = await claim();
    await store.purge.tenant(everything, contoso, { people: true });
    await over(ignoringGuards(engine)).scores.saveSync(everything, lease, found(contoso, 1));
    expect(await left(contoso)).toMatchObject({ snapshots: expect.any(Number), postures: 1 });
  });

  test('connected again, the tenant begins at a fence no earlier sync holds', async () => {
    const old = await claim();
    await store.purge.tenant(everything, contoso, { people: true });
    await store.tenants.save(everything, aTenant(contoso, 'Contoso'));
    await store.work.schedule(everything, contoso, 'sync-scores', store.now());
    const now = await claim();
    expect(now.fence).toBeGreaterThan(old.fence);
    await expect(store.scores.saveSync(everything, old, found(contoso, 1))).rejects.toMatchObject({
      code: 'conflict',
    });
    await store.scores.saveSync(everything, now, found(contoso, 2));
    expect((await store.scores.posture(everything, contoso))?.current).toBe(2);
  });

  test('a second removal finds nothing and ends clean', async () => {
    await store.purge.tenant(everything, contoso, { people: true });
    const { rows } = await store.purge.tenant(everything, contoso, { people: true });
    expect(Object.values(rows).every((count) => count === 0)).toBe(true);
  });

  test('cut off at any write, the next one ends it; the credential is the first to go', async () => {
    for (let writes = 1; ; writes += 1) {
      await store.purge.tenant(everything, contoso, { people: true });
      await fill(contoso);
      let crashed = false;
      try {
        await over(crashing(engine, writes)).purge.tenant(everything, contoso, { people: true });
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
        crashed = true;
      }
      const remains = await left(contoso);
      // Nothing but the fence goes before the credential.
      if (remains.credentials === 1) expect(Object.keys(remains)).toHaveLength(scoped.length);
      await store.purge.tenant(everything, contoso, { people: true });
      expect(await left(contoso)).toEqual({ work: 1 });
      if (!crashed) {
        expect(writes).toBeGreaterThan(scoped.length / 2);
        return;
      }
    }
  });

  test('who acknowledges a fall while its tenant is removed leaves nothing of it behind', async () => {
    const { finding, transition } = fallOf(falls().opened, contoso);
    await store.findings.save(everything, finding, null, []);
    const refresh: OutboxEntry = {
      id: 'refresh',
      tenantId: contoso,
      conversationId: 'a channel',
      finding: { id: finding.id, generation: 1, transition: 'opened' },
      kind: 'refresh',
      transition,
    };
    const late = over(
      changed(engine, (inner, name) => ({
        bulkWrite: async (...given) => {
          if (name === 'outbox') await store.purge.tenant(everything, contoso, { people: true });
          return await inner.bulkWrite(...given);
        },
      })),
    );
    expect(await late.findings.save(everything, finding, 1, [refresh])).toBe(false);
    expect(await left(contoso)).toEqual({ work: 1 });
  });

  test('many rows go in groups', async () => {
    const rows = engine.collection<{ _id: string; tenantId: string; day: string }>(
      scoped.find(({ name }) => name === 'snapshots') as CollectionDeclaration,
    );
    for (let n = 0; n < 450; n += 1)
      await rows.insertOne({ _id: `many ${n}`, tenantId: contoso, day: `${n}` });
    const { rows: gone } = await store.purge.tenant(everything, contoso, { people: true });
    expect(gone.snapshots).toBe(451);
  });
});

function kitOf(engine: Engine) {
  return {
    engine,
    instanceId: 'instance-one',
    monotonic: () => 1,
    now: () => new Date(engine.now()).toISOString(),
  };
}

/** A row with a value in every field of every index. */
function loose({ indexes }: CollectionDeclaration): Record<string, string> {
  return Object.fromEntries(indexes.flatMap(({ keys }) => Object.keys(keys)).map((key) => [key, 'x']));
}
