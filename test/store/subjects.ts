import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Lease, PlaceRow, PlaceSeen, PlaceStore, Store } from '../../bot/services.ts';
import { collections } from '../../bot/store/collections.ts';
import type { Condition, Engine } from '../../bot/store/engine/collection.ts';
import { storeOver } from '../../bot/store/open.ts';
import { placesDeclaration } from '../../bot/store/places.ts';
import { type TenantDocument, tenantsDeclaration } from '../../bot/store/tenants.ts';
import {
  callerOf,
  may,
  type Role,
  scopeFor,
  scopeOfJob,
  scopeOfSystem,
  type TenantScope,
} from '../../shared/access.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { millis, plus } from '../../shared/time.ts';
import { type Backend, type Database, testKeyring } from './backends.ts';
import { Crash, changed, crashing, dump, ignoringGuards } from './faulty.ts';
import { aGrant, ana, aSnapshot, aTenant, bo, contoso, fabrikam, found, home } from './samples.ts';

const everything = scopeOfSystem();
const dayMs = 86_400_000;

/** What the subject files promise above either engine. */
export function subjectContract(backend: Backend): void {
  describe(`the ${backend.kind} store`, () => {
    let database: Database;
    let engine: Engine;
    /** A client of its own, as another instance has one. */
    let second: Engine;
    let store: Store;
    let clock: number;
    beforeAll(async () => {
      database = await backend.fresh();
      engine = await database.engine(collections);
      second = await database.engine(collections);
    });
    beforeEach(async () => {
      for (const declaration of collections) await engine.collection(declaration).deleteMany({});
      clock = 1;
      store = over(engine);
    });
    afterAll(async () => {
      await database.end();
    });

    function over(base: Engine, instanceId = 'instance-one'): Store {
      return storeOver(base, { instanceId, keyring: testKeyring, monotonic: () => clock });
    }

    function countingWrites(): { store: Store; writes(): number } {
      let writes = 0;
      const counting = changed(engine, (inner) => ({
        updateOne: (...given) => {
          writes += 1;
          return inner.updateOne(...given);
        },
      }));
      return { store: over(counting), writes: () => writes };
    }

    async function claimed(by: Store, leaseMs = 60_000): Promise<Lease> {
      const [lease] = await by.work.claimDue('sync-scores', 1, leaseMs);
      if (lease === undefined) throw new Error('nothing was due');
      return lease;
    }

    /** A tenant with due work; the lease of `leaseMs` is taken by `by`. */
    async function leased(by: Store, leaseMs = 60_000): Promise<Lease> {
      await store.tenants.save(everything, aTenant(contoso, 'Contoso'));
      await store.work.schedule(everything, contoso, 'sync-scores', store.now());
      return await claimed(by, leaseMs);
    }

    /** A holder whose lease ran out and was taken by somebody else. */
    async function zombie(): Promise<{ old: Lease; taken: Lease }> {
      const old = await leased(store, 1);
      const until = performance.now() + 10_000;
      for (;;) {
        const [taken] = await over(engine, 'instance-two').work.claimDue('sync-scores', 1, 60_000);
        if (taken !== undefined) return { old, taken };
        if (performance.now() > until) throw new Error('the lease never ran out');
      }
    }

    /** A store whose first read of one collection has been answered but not yet arrived, until `release`. */
    function halting(name: string): { store: Store; reached: Promise<void>; release(): void } {
      let release: () => void = () => undefined;
      let reach: () => void = () => undefined;
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      const reached = new Promise<void>((resolve) => {
        reach = resolve;
      });
      let first = true;
      async function held<R>(of: string, read: Promise<R>): Promise<R> {
        const answer = await read;
        if (of !== name || !first) return answer;
        first = false;
        reach();
        await released;
        return answer;
      }
      const engineHeld = changed(engine, (inner, of) => ({
        findOne: (...given) => held(of, inner.findOne(...given)),
        find: (...given) => held(of, inner.find(...given)),
      }));
      return { store: over(engineHeld), reached, release };
    }

    describe('tenants', () => {
      test('come by name within the scope, and a forged scope gets nothing', async () => {
        await store.tenants.save(everything, aTenant(fabrikam, 'fabrikam'));
        await store.tenants.save(everything, aTenant(contoso, 'Contoso'));
        expect((await store.tenants.list(everything)).map((tenant) => tenant.name)).toEqual([
          'Contoso',
          'fabrikam',
        ]);
        const one = scopeOfJob(fabrikam);
        expect((await store.tenants.list(one)).map((tenant) => tenant.id)).toEqual([fabrikam]);
        expect((await store.tenants.get(one, fabrikam))?.name).toBe('fabrikam');
        await expect(store.tenants.get(one, contoso)).rejects.toMatchObject({ code: 'scope' });
        const forged = { all: true, ids: new Set() } as unknown as TenantScope;
        await expect(store.tenants.list(forged)).rejects.toMatchObject({ code: 'scope' });
        await expect(store.tenants.get(forged, contoso)).rejects.toMatchObject({ code: 'scope' });
      });

      test('keep health and datasets when saved again', async () => {
        const lease = await leased(store);
        await store.work.saveTenant(everything, lease, {
          health: { state: 'connected', since: store.now(), cause: '', remedy: '' },
          datasets: { secureScores: { state: 'ok', triedAt: store.now(), hash: 'h' } },
        });
        await store.tenants.save(everything, { ...aTenant(contoso, 'Contoso Ltd'), opaque: 99 });
        const tenant = await store.tenants.get(everything, contoso);
        expect(tenant).toMatchObject({ name: 'Contoso Ltd', opaque: 7, health: { state: 'connected' } });
        expect(tenant?.datasets.secureScores?.hash).toBe('h');
        expect(Object.keys(tenant ?? {}).sort()).toEqual(Object.keys(aTenant(contoso, '')).sort());
      });

      test('a dataset is replaced whole and leaves the others alone', async () => {
        const lease = await leased(store);
        const at = store.now();
        const state = { state: 'ok' as const, triedAt: at };
        await store.work.saveTenant(everything, lease, {
          datasets: { domains: { ...state, hash: '1' }, organization: { ...state, hash: '2' } },
        });
        await store.work.saveTenant(everything, lease, {
          datasets: { domains: { state: 'error', triedAt: at } },
        });
        expect((await store.tenants.get(everything, contoso))?.datasets).toEqual({
          domains: { state: 'error', triedAt: at },
          organization: { ...state, hash: '2' },
        });
      });

      test('a list that was dear to read is kept, for 5 s at most; own writes show at once', async () => {
        const dear = over(
          changed(engine, (inner) => ({
            find: (...given) => {
              clock += 200;
              return inner.find(...given);
            },
          })),
        );
        expect(await dear.tenants.list(everything)).toEqual([]);
        await over(second, 'two').tenants.save(everything, aTenant(contoso, 'Contoso'));
        expect(await dear.tenants.list(everything)).toEqual([]);
        clock += 5_001;
        const [tenant] = await dear.tenants.list(everything);
        expect(() => Object.assign(tenant?.health ?? {}, { state: 'connected' })).toThrow(TypeError);
        await dear.tenants.save(everything, aTenant(fabrikam, 'Fabrikam'));
        expect(await dear.tenants.list(everything)).toHaveLength(2);
      });

      test('a tenant saved while somebody reads the list is in the next one', async () => {
        const halt = halting('tenants');
        const reading = halt.store.tenants.list(everything);
        await halt.reached;
        await halt.store.tenants.save(everything, aTenant(contoso, 'Contoso'));
        clock += 200; // dear enough to be kept, if it were right
        halt.release();
        expect(await reading).toEqual([]);
        expect(await halt.store.tenants.list(everything)).toHaveLength(1);
      });
    });

    describe('scores', () => {
      test('a sync is saved whole and read back within the scope', async () => {
        const lease = await leased(store);
        const saved = found(contoso, 50);
        await store.scores.saveSync(everything, lease, saved);
        const scope = scopeOfJob(contoso);
        expect(await store.scores.posture(scope, contoso)).toEqual(saved.posture);
        expect(await store.scores.postures(everything, [contoso, fabrikam, contoso])).toEqual([
          saved.posture,
        ]);
        expect(await store.scores.snapshots(scope, contoso, '2026-11-19')).toEqual(saved.snapshots.slice(1));
        expect(await store.scores.changes(scope, contoso, '2026-11-01')).toEqual(saved.changes);
        expect(await store.scores.profiles(scope, contoso)).toEqual(saved.profiles);
        expect(await store.scores.evaluated(scope, contoso)).toEqual(saved.evaluated);
        expect(await store.scores.postures(scopeOfJob(fabrikam), [contoso])).toEqual([]);
        for (const read of ['posture', 'evaluated', 'profiles'] as const) {
          await expect(store.scores[read](scopeOfJob(fabrikam), contoso)).rejects.toMatchObject({
            code: 'scope',
          });
        }
        await expect(store.scores.snapshots(scopeOfJob(fabrikam), contoso, '')).rejects.toMatchObject({
          code: 'scope',
        });
        await expect(store.scores.changes(scopeOfJob(fabrikam), contoso, '')).rejects.toMatchObject({
          code: 'scope',
        });
        await expect(store.scores.saveSync(scopeOfJob(fabrikam), lease, saved)).rejects.toMatchObject({
          code: 'scope',
        });
      });

      test('nothing of another tenant gets in by mistake', async () => {
        const lease = await leased(store);
        const mixed = { ...found(contoso, 50), posture: found(fabrikam, 50).posture };
        await expect(store.scores.saveSync(everything, lease, mixed)).rejects.toThrow(/another tenant/);
        expect(await store.scores.snapshots(everything, contoso, '')).toEqual([]);
      });

      test('without new descriptions the old ones stay', async () => {
        const lease = await leased(store);
        await store.scores.saveSync(everything, lease, found(contoso, 50));
        const { profiles: _, ...rest } = found(contoso, 60);
        await store.scores.saveSync(everything, lease, rest);
        expect(await store.scores.profiles(everything, contoso)).toHaveLength(1);
        expect((await store.scores.posture(everything, contoso))?.current).toBe(60);
      });

      test('killed at any write and done again, it equals an undisturbed run; "done" is never there early', async () => {
        const lease = await leased(store);
        const saved = found(contoso, 50);
        const parts = ['snapshots', 'changes', 'profiles', 'postures', 'evaluated'];
        let kills = 0;
        for (let after = 0; ; after += 1) {
          const dying = over(crashing(engine, after)).scores.saveSync(everything, lease, saved);
          const died = await dying.then(
            () => false,
            (error: unknown) => {
              expect(error).toBeInstanceOf(Crash);
              return true;
            },
          );
          if (!died) break;
          kills += 1;
          expect(await store.scores.evaluated(everything, contoso)).toBeNull();
        }
        expect(kills).toBe(parts.length);
        const after = await dump(engine, parts);
        await store.scores.saveSync(everything, lease, saved);
        expect(await dump(engine, parts)).toEqual(after);
        expect(Object.values(after).map((rows) => rows.length)).toEqual([3, 1, 1, 1, 1]);
      });

      test('more days than are kept: the newest 400 come, oldest first', async () => {
        const lease = await leased(store);
        const days = Array.from({ length: 450 }, (_, i) =>
          new Date(Date.UTC(2025, 0, 1) + i * dayMs).toISOString().slice(0, 10),
        );
        const snapshots = days.map((day) => aSnapshot(contoso, day, 1));
        await store.scores.saveSync(everything, lease, { ...found(contoso, 1), snapshots });
        const read = await store.scores.snapshots(everything, contoso, '2025-01-01');
        expect(read.map((one) => one.day)).toEqual(days.slice(50));
      });
    });

    describe('work', () => {
      test('is due once, claimed once, and due again when it says so', async () => {
        await store.work.schedule(everything, contoso, 'sync-scores', plus(store.now(), 60_000));
        expect(await store.work.claimDue('sync-scores', 5, 60_000)).toEqual([]);
        await store.work.schedule(everything, contoso, 'sync-scores', plus(store.now(), -1));
        await store.work.schedule(everything, contoso, 'sync-scores', plus(store.now(), 60_000)); // never back
        expect(await store.work.backlog()).toBe(1);
        const lease = await claimed(store);
        expect(lease).toMatchObject({ tenantId: contoso, owner: 'instance-one', fence: 1 });
        expect(await store.work.claimDue('sync-scores', 5, 60_000)).toEqual([]);
        expect(await store.work.backlog()).toBe(0);
        const nextDueAt = plus(store.now(), 3_600_000);
        expect(await store.work.finish(lease, { nextDueAt, outcome: 'failed', ms: 12, failed: true })).toBe(
          true,
        );
        const row = await store.work.get(everything, contoso, 'sync-scores');
        expect(row).toMatchObject({
          dueAt: nextDueAt,
          failures: 1,
          lastMs: 12,
          lastOutcome: 'failed',
          fence: 1,
        });
        expect(row?.lease).toBeUndefined();
        expect(await store.work.finish(lease, { nextDueAt, outcome: 'ok', ms: 1, failed: false })).toBe(
          false,
        );
      });

      test('thirty rows and four takers: each row once', async () => {
        const takers = [store, over(engine), over(second, 'two'), over(engine, 'three')];
        for (let i = 0; i < 30; i += 1) {
          const tenant = `3333333${i % 10}-1111-4111-8111-11111111111${Math.floor(i / 10)}` as typeof contoso;
          await store.work.schedule(everything, tenant, 'sync-scores', store.now());
        }
        const leases = (
          await Promise.all(takers.map((taker) => taker.work.claimDue('sync-scores', 10, 60_000)))
        ).flat();
        expect(leases).toHaveLength(30);
        expect(new Set(leases.map((lease) => lease.workId)).size).toBe(30);
      });

      test('who asks while it runs gets a run of its own', async () => {
        const lease = await leased(store);
        const asked = store.now();
        await store.work.schedule(everything, contoso, 'sync-scores', asked);
        const nextDueAt = plus(store.now(), 3_600_000);
        await store.work.finish(lease, { nextDueAt, outcome: 'ok', ms: 1, failed: false });
        expect((await store.work.get(everything, contoso, 'sync-scores'))?.dueAt).toBe(asked);
        expect((await claimed(store)).fence).toBe(2);
      });

      test('a wish that comes between the last look and the end is not lost', async () => {
        const lease = await leased(store);
        // A first wish makes it look at the row; the second, an earlier one, comes right after that look.
        await store.work.schedule(everything, contoso, 'sync-scores', plus(store.now(), 60_000));
        const halt = halting('work');
        const ending = halt.store.work.finish(lease, {
          ...{ nextDueAt: plus(store.now(), 3_600_000), outcome: 'ok', ms: 1, failed: false },
        });
        await halt.reached;
        const asked = store.now();
        await store.work.schedule(everything, contoso, 'sync-scores', asked);
        halt.release();
        expect(await ending).toBe(true);
        expect((await store.work.get(everything, contoso, 'sync-scores'))?.dueAt).toBe(asked);
      });

      test('is renewed while it is ours', async () => {
        const lease = await leased(store, 30_000);
        expect(await store.work.renew(lease, 90_000)).toBe(true);
        const row = await store.work.get(everything, contoso, 'sync-scores');
        expect(millis(row?.lease?.until ?? '') - millis(store.now())).toBeGreaterThan(60_000);
        expect(await store.work.renew({ ...lease, owner: 'somebody' }, 90_000)).toBe(false);
        expect(await store.work.renew({ ...lease, fence: 0 }, 90_000)).toBe(false);
      });

      test('leases an earlier process of this instance left behind are void, and that process writes nothing more', async () => {
        const old = await leased(store);
        await over(engine, 'instance-two').work.voidOwn();
        expect(await store.work.claimDue('sync-scores', 1, 60_000)).toEqual([]);
        expect(await over(engine).work.voidOwn()).toBe(1);
        expect(await store.work.renew(old, 60_000)).toBe(false);
        await expect(store.scores.saveSync(everything, old, found(contoso, 1))).rejects.toMatchObject({
          code: 'conflict',
        });
        expect((await claimed(store)).fence).toBeGreaterThan(old.fence);
      });

      test('a zombie writes nothing', async () => {
        const { old, taken } = await zombie();
        await store.syncRequests.add(everything, contoso, 'Ana');
        expect(await zombieChanges(store, old)).toEqual([]);
        // and the one who holds the lease does write
        await store.scores.saveSync(everything, taken, found(contoso, 60));
        expect((await store.scores.posture(everything, contoso))?.current).toBe(60);
      });

      test('a zombie that nobody fences off does write: the check above can see it', async () => {
        const { old } = await zombie();
        await store.syncRequests.add(everything, contoso, 'Ana');
        expect(await zombieChanges(over(ignoringGuards(engine)), old)).toEqual(
          expect.arrayContaining(['snapshots', 'postures', 'evaluated', 'tenants', 'syncRequests']),
        );
      });

      /** Everything a zombie tries; answers the collections in which it changed something. */
      async function zombieChanges(through: Store, old: Lease): Promise<string[]> {
        const before = await dump(engine);
        const health = { state: 'service-error' as const, since: store.now(), cause: 'x', remedy: 'y' };
        const refused: unknown[] = [];
        for (const attempt of [
          () => through.scores.saveSync(everything, old, found(contoso, 10)),
          () => through.work.saveTenant(everything, old, { name: 'Zombie', health }),
          () => through.syncRequests.start(old),
          () => through.syncRequests.finish(old, 'failed', 'by a zombie'),
        ]) {
          await attempt().catch((error: unknown) => refused.push(error));
        }
        for (const error of refused) expect(error).toMatchObject({ code: 'conflict' });
        expect(await through.work.renew(old, 60_000)).toBe(false);
        expect(
          await through.work.finish(old, { nextDueAt: store.now(), outcome: 'ok', ms: 1, failed: false }),
        ).toBe(false);
        const after = await dump(engine);
        return Object.keys(after).filter(
          (name) => JSON.stringify(after[name]) !== JSON.stringify(before[name]),
        );
      }
    });

    describe('sync requests', () => {
      test('wait, run, and are answered in the same row', async () => {
        const request = await store.syncRequests.add(everything, contoso, 'Ana Reyes');
        expect(request).toMatchObject({ state: 'waiting', by: 'Ana Reyes', tenantId: contoso });
        const lease = await leased(store);
        await store.syncRequests.start(lease);
        expect((await store.syncRequests.get(everything, contoso, request.id))?.state).toBe('running');
        const late = await store.syncRequests.add(everything, contoso, 'Bo');
        await store.syncRequests.finish(lease, 'done', 'Up by 2 points.');
        expect(await store.syncRequests.get(everything, contoso, request.id)).toEqual({
          ...request,
          state: 'done',
          result: 'Up by 2 points.',
        });
        expect((await store.syncRequests.get(everything, contoso, late.id))?.state).toBe('waiting');
        await expect(store.syncRequests.get(scopeOfJob(fabrikam), contoso, request.id)).rejects.toMatchObject(
          {
            code: 'scope',
          },
        );
        expect(await store.syncRequests.get(everything, fabrikam, request.id)).toBeNull();
      });

      test('that a dead run left running are answered by the next one', async () => {
        const request = await store.syncRequests.add(everything, contoso, 'Ana');
        const first = await leased(store);
        await store.syncRequests.start(first);
        await over(engine).work.voidOwn();
        const second = await claimed(store);
        await store.syncRequests.start(second);
        await store.syncRequests.finish(second, 'done', 'ok');
        expect((await store.syncRequests.get(everything, contoso, request.id))?.state).toBe('done');
      });
    });

    describe('people', () => {
      const person = {
        tid: home,
        oid: ana,
        name: 'Ana Reyes',
        address: 'Ana@FourthCoffee.example',
        teamsId: '29:ana',
      };

      test('who wrote to us is found by address and holds nothing', async () => {
        await store.people.seen(person);
        expect(await store.people.get(home, ana)).toMatchObject({ ...person, grants: [], disabled: false });
        expect(await store.people.byAddress(home, ' ana@fourthcoffee.example ')).toHaveLength(1);
        expect(await store.people.byAddress(contoso, 'ana@fourthcoffee.example')).toEqual([]);
        expect(await store.people.get(home, bo)).toBeNull();
        await store.people.seen({ ...person, tid: contoso, name: 'Ana elsewhere' });
        expect((await store.people.byOid(ana)).map(({ tid, name }) => [tid, name]).sort()).toEqual(
          [
            [contoso, 'Ana elsewhere'],
            [home, person.name],
          ].sort(),
        );
        expect(await store.people.byOid(bo)).toEqual([]);
        expect((await store.people.withGrants({ limit: 5 })).rows).toEqual([]);
      });

      test('being seen again writes once an hour, a new name at once, and never a grant', async () => {
        const { store: counting, writes } = countingWrites();
        await counting.people.seen(person);
        await counting.people.addGrant(home, ana, person.name, aGrant('Reader'));
        const before = writes();
        for (let i = 0; i < 5; i += 1) await counting.people.seen(person);
        // A chat message does not say the address that is known already.
        const { address: _, ...said } = person;
        for (let i = 0; i < 5; i += 1) await counting.people.seen(said);
        expect(writes()).toBe(before);
        expect(await counting.people.get(home, ana)).toMatchObject({ address: person.address });
        await counting.people.seen({ ...person, name: 'Ana R.' });
        expect(writes()).toBe(before + 1);
        expect(await store.people.get(home, ana)).toMatchObject({
          name: 'Ana R.',
          grants: [{ role: 'Reader' }],
        });
      });

      test('grants add up, and go all or by where they came from', async () => {
        await store.people.addGrant(home, ana, 'Ana', aGrant('Reader'));
        await store.people.addGrant(home, ana, 'Ana', aGrant('Operator', { id: 'two', source: 'demo' }));
        await store.people.addGrant(
          home,
          ana,
          'Ana',
          aGrant('Operator', { id: 'two', source: 'demo', scope: [contoso] }),
        );
        expect((await store.people.get(home, ana))?.grants.map((grant) => grant.role)).toEqual([
          'Reader',
          'Operator',
        ]);
        expect(await store.people.removeGrants(home, ana, 'demo')).toBe(1);
        expect(await store.people.removeGrants(home, ana, 'demo')).toBe(0);
        expect(await store.people.removeGrants(home, ana)).toBe(1);
        expect(await store.people.removeGrants(home, bo)).toBe(0);
        expect((await store.people.withGrants({ limit: 5 })).rows).toEqual([]);
        expect((await store.people.get(home, ana))?.name).toBe('Ana');
      });

      test('twenty grants at once, by two instances, are all there', async () => {
        const other = over(second, 'two');
        await Promise.all(
          Array.from({ length: 20 }, (_, i) =>
            (i % 2 === 0 ? store : other).people.addGrant(
              home,
              ana,
              'Ana',
              aGrant('Reader', { id: `g${i}` }),
            ),
          ),
        );
        clock += 60_000;
        expect((await store.people.get(home, ana))?.grants).toHaveLength(20);
      });

      test('the list of those with grants is paged by name', async () => {
        for (const [i, name] of ['Ümit', 'bo', 'Ana', 'Dana', 'chidi'].entries()) {
          await store.people.addGrant(home, `${bo}${i}`, name, aGrant('Reader'));
        }
        const names: string[] = [];
        let after: string | undefined;
        do {
          const page: { rows: { name: string }[]; next: string | null } = await store.people.withGrants({
            limit: 2,
            after,
          });
          names.push(...page.rows.map((row) => row.name));
          after = page.next ?? undefined;
        } while (after !== undefined);
        expect(names).toEqual(['Ana', 'bo', 'chidi', 'Dana', 'Ümit']);
      });

      test('a revocation holds at once here and within 30 s on the others', async () => {
        const other = over(second, 'two');
        await store.people.addGrant(home, ana, 'Ana', aGrant('Admin'));
        expect((await other.people.get(home, ana))?.grants).toHaveLength(1);
        await store.people.removeGrants(home, ana);
        expect((await store.people.get(home, ana))?.grants).toEqual([]);
        expect((await other.people.get(home, ana))?.grants).toHaveLength(1);
        clock += 30_001;
        expect((await other.people.get(home, ana))?.grants).toEqual([]);
      });

      test('revoking decides by what is held now, not by what was read half a minute ago', async () => {
        const other = over(second, 'two');
        await other.people.seen({ tid: home, oid: ana, name: 'Ana' });
        expect((await other.people.get(home, ana))?.grants).toEqual([]);
        await store.people.addGrant(home, ana, 'Ana', aGrant('Admin'));
        const noAdmins = (grants: { role: string }[]) => grants.every(({ role }) => role !== 'Admin');
        expect(await other.people.revoke(home, ana, noAdmins)).toEqual({ kind: 'refused' });
        expect(await other.people.revoke(home, ana, () => true)).toMatchObject({
          kind: 'taken',
          grants: [{ role: 'Admin' }],
        });
        expect((await other.people.get(home, ana))?.grants).toEqual([]);
        expect(await other.people.revoke(home, ana, () => true)).toEqual({ kind: 'none' });
        expect(await other.people.revoke(home, bo, () => true)).toEqual({ kind: 'none' });
      });

      test('what a tag covers is looked up each time, and a deny is kept with the person', async () => {
        const tagged = (tenant: TenantId, name: string, tags: string[]) =>
          engine
            .collection<TenantDocument>(tenantsDeclaration)
            .updateOne(
              { _id: tenant },
              { $set: { tags, tenantId: tenant, ...aTenant(tenant, name), sortName: name } },
              { upsert: true },
            );
        const view = async (tenant: TenantId): Promise<boolean> => {
          const who = callerOf(await store.people.get(home, ana), { tid: home, oid: ana, name: 'Ana' }, home);
          return may(who, 'view', tenant, store.now());
        };
        await tagged(contoso, 'contoso', ['retail']);
        await store.people.addGrant(
          home,
          ana,
          'Ana',
          aGrant('Reader', { scope: [], tags: ['retail', 'nobody has it'] }),
        );
        expect([await view(contoso), await view(fabrikam)]).toEqual([true, false]);
        await tagged(fabrikam, 'fabrikam', ['retail']);
        clock += 5_001;
        expect([await view(contoso), await view(fabrikam)]).toEqual([true, true]);
        const deny = { id: 'deny', scope: [contoso], by: 'Bo', at: store.now() };
        await store.people.change(home, ana, 'Ana', ({ denies }) => ({ denies: [...denies, deny] }));
        expect([await view(contoso), await view(fabrikam)]).toEqual([false, true]);
        await tagged(fabrikam, 'fabrikam', []);
        clock += 5_001;
        expect([await view(contoso), await view(fabrikam)]).toEqual([false, false]);
        // An old row knows nothing of denies or tags, and reads as before.
        await store.people.addGrant(home, bo, 'Bo', aGrant('Reader'));
        expect(await store.people.get(home, bo)).not.toHaveProperty('denies');
        expect(await store.people.get(home, bo)).not.toHaveProperty('reach');
      });

      test('who is only denied something, or switched off, is in the list of people', async () => {
        const deny = { id: 'deny', scope: 'all' as const, by: 'Bo', at: store.now() };
        await store.people.change(home, ana, 'Ana', () => ({ denies: [deny] }));
        await store.people.change(home, bo, 'Bo', () => ({ disabled: true }));
        const { rows } = await store.people.withGrants({ limit: 5 });
        expect(rows.map(({ name, disabled, denies }) => [name, disabled, denies?.length ?? 0])).toEqual([
          ['Ana', false, 1],
          ['Bo', true, 0],
        ]);
        await store.people.change(home, bo, undefined, () => ({ disabled: false }));
        expect((await store.people.withGrants({ limit: 5 })).rows).toHaveLength(1);
        // Nobody is made without a name, and what is decided against changes nothing.
        expect(await store.people.change(contoso, bo, undefined, () => ({ disabled: true }))).toMatchObject({
          after: { disabled: false },
        });
        expect(await store.people.get(contoso, bo)).toBeNull();
      });

      test('an Admin who is denied everything is no Admin', async () => {
        await store.people.addGrant(home, ana, 'Ana', aGrant('Admin'));
        expect(await store.people.anyAdmin(store.now())).toBe(true);
        const until = plus(store.now(), 60_000);
        const deny = { id: 'deny', scope: 'all' as const, by: 'Bo', at: store.now(), until };
        await store.people.change(home, ana, 'Ana', () => ({ denies: [deny] }));
        expect(await store.people.anyAdmin(store.now())).toBe(false);
        expect(await store.people.anyAdmin(until)).toBe(true);
      });

      test('roles by group go and come with the token like app roles, and stay apart from them', async () => {
        const until = plus(store.now(), 14 * dayMs);
        const issued = (seconds: number) => plus(store.now(), seconds * 1_000);
        const save = (at: number, roles: Role[], groupRoles?: Role[]) =>
          store.people.saveAppRoles(home, ana, 'Ana', roles, { issuedAt: issued(at), until, groupRoles });
        const held = async () =>
          (await store.people.get(home, ana))?.grants.map(({ role, source }) => `${source} ${role}`);
        await save(-90, ['Reader'], ['Operator']);
        expect(await held()).toEqual(['app-role Reader', 'group Operator']);
        await save(-80, ['Operator'], []);
        expect(await held()).toEqual(['app-role Operator']);
        await save(-70, [], ['Operator']);
        expect(await held()).toEqual(['group Operator']);
        await save(-60, []);
        expect(await held()).toEqual([]);
      });

      test('a revocation while somebody reads is not undone by what was read', async () => {
        await store.people.addGrant(home, ana, 'Ana', aGrant('Admin'));
        const halt = halting('people');
        const reading = halt.store.people.get(home, ana);
        await halt.reached;
        await halt.store.people.removeGrants(home, ana);
        halt.release();
        expect((await reading)?.grants).toHaveLength(1); // what it had read before
        expect((await halt.store.people.get(home, ana))?.grants).toEqual([]);
      });

      test('app roles are written at sign-in, replaced when they change, and gone without one', async () => {
        const until = plus(store.now(), 14 * dayMs);
        await store.people.addGrant(home, ana, 'Ana', aGrant('Reader'));
        const issued = (seconds: number) => plus(store.now(), seconds * 1_000);
        await store.people.saveAppRoles(home, ana, 'Ana', ['Admin'], { issuedAt: issued(-90), until });
        const roles = async () =>
          (await store.people.get(home, ana))?.grants.map((grant) => [grant.role, grant.source]);
        expect(await roles()).toEqual([
          ['Reader', 'chat'],
          ['Admin', 'app-role'],
        ]);
        expect((await store.people.get(home, ana))?.grants[1]?.until).toBe(until);
        await store.people.saveAppRoles(home, ana, 'Ana', ['Operator', 'Operator'], {
          issuedAt: issued(-60),
          until: plus(until, dayMs),
        });
        expect(await roles()).toEqual([
          ['Reader', 'chat'],
          ['Operator', 'app-role'],
        ]);
        await store.people.saveAppRoles(home, ana, 'Ana', [], { issuedAt: issued(-30), until });
        expect(await roles()).toEqual([['Reader', 'chat']]);
        await store.people.saveAppRoles(home, bo, 'Bo', [], { issuedAt: issued(-30), until });
        expect(await store.people.get(home, bo)).toMatchObject({ name: 'Bo', grants: [] });
        expect((await store.people.withGrants({ limit: 5 })).rows.map(({ oid }) => oid)).toEqual([ana]);
      });

      test.each([
        { before: 'with the role', first: ['Admin' as const] },
        { before: 'without one', first: [] },
      ])(
        'an older token brings no role back, not on another instance either ($before before)',
        async (row) => {
          const at = store.now();
          const token = (secondsAgo: number) => ({
            issuedAt: plus(at, -secondsAgo * 1_000),
            until: plus(at, 14 * dayMs),
          });
          const other = over(second, 'instance-two');
          await store.people.saveAppRoles(home, ana, 'Ana', row.first, token(90));
          await store.people.saveAppRoles(home, ana, 'Ana', [], token(30));
          for (const older of [90, 60, 30])
            await other.people.saveAppRoles(home, ana, 'Ana', ['Admin'], token(older));
          expect((await other.people.get(home, ana))?.grants).toEqual([]);
          // The check is awake: a newer one does bring it.
          await other.people.saveAppRoles(home, ana, 'Ana', ['Admin'], token(20));
          expect((await other.people.get(home, ana))?.grants).toMatchObject([{ role: 'Admin' }]);
        },
      );

      test('a token that was looked at before writes nothing', async () => {
        const { store: counting, writes } = countingWrites();
        const until = plus(store.now(), 14 * dayMs);
        const token = { issuedAt: store.now(), until };
        await counting.people.saveAppRoles(home, ana, 'Ana', ['Reader'], token);
        const first = writes();
        for (let i = 0; i < 5; i += 1)
          await counting.people.saveAppRoles(home, ana, 'Ana', ['Reader'], {
            ...token,
            until: plus(until, i),
          });
        expect([first, writes()]).toEqual([1, 1]);
      });

      test('there is an Admin only while a live one is there', async () => {
        const now = store.now();
        expect(await store.people.anyAdmin(now)).toBe(false);
        await store.people.addGrant(home, bo, 'Bo', aGrant('Operator'));
        await store.people.addGrant(home, ana, 'Ana', aGrant('Admin', { until: plus(now, 1_000) }));
        expect(await store.people.anyAdmin(now)).toBe(true);
        expect(await store.people.anyAdmin(plus(now, 1_000))).toBe(false);
        await store.people.addGrant(home, bo, 'Bo', aGrant('Admin', { id: 'more' }));
        expect(await store.people.anyAdmin(plus(now, 1_000))).toBe(true);
      });

      test('nobody holds grants without end', async () => {
        for (let i = 0; i < 100; i += 1)
          await store.people.addGrant(home, ana, 'Ana', aGrant('Reader', { id: `g${i}` }));
        await expect(
          store.people.addGrant(home, ana, 'Ana', aGrant('Reader', { id: 'more' })),
        ).rejects.toMatchObject({
          code: 'bad-input',
        });
      });
    });

    describe('places', () => {
      const row = {
        conversationId: '19:abc@thread.tacv2;messageid=1',
        kind: 'channel' as const,
        serviceUrl: 'https://smba.trafficmanager.net/emea/',
        hostTenantId: home,
        seenAt: '2026-11-20T00:00:00.000Z',
      };
      const team = '19:team@thread.tacv2';
      const roster = { outsiders: 0, readAt: row.seenAt };

      test('remember what they are; a binding outlives being seen again', async () => {
        expect(await store.places.get(row.conversationId)).toBeNull();
        await store.places.save(row);
        await store.places.saveRoster(row.conversationId, roster, 0);
        await store.places.bind(row.conversationId, { kind: 'customer', tenant: contoso });
        await store.places.save({ ...row, seenAt: '2026-11-21T00:00:00.000Z' });
        expect(await store.places.get(row.conversationId)).toEqual({
          ...row,
          seenAt: '2026-11-21T00:00:00.000Z',
          roster,
          binding: { kind: 'customer', tenant: contoso },
          lastCustomer: contoso,
        });
        await store.places.dropRoster(row.conversationId);
        await store.places.markRemoved(row.conversationId);
        await store.places.bind(row.conversationId, undefined);
        expect(await store.places.get(row.conversationId)).toEqual({
          ...row,
          seenAt: '2026-11-21T00:00:00.000Z',
          removed: true,
          membersChanged: 2,
          lastCustomer: contoso,
        });
      });

      test('are bound by the code that was asked for last, once, and only as they were then', async () => {
        const { conversationId } = row;
        const until = plus(store.now(), 60_000);
        const request = (hash: string, tenant?: TenantId) => ({ hash, tenant, by: 'ana', until });
        expect(await store.places.askToBind(conversationId, request('a', contoso))).toBe(false);
        await store.places.save(row);
        await store.places.askToBind(conversationId, request('a', contoso));
        await store.places.askToBind(conversationId, request('b', contoso));
        await store.places.save(row);
        expect(await store.places.byBindCode('a')).toBeNull();
        const asked = await store.places.byBindCode('b');
        if (asked === null) throw new Error('the request is gone');
        const both = await Promise.all(
          [store, over(second, 'two')].map((one) => one.places.bindAsAsked(asked)),
        );
        expect(both.sort()).toEqual([false, true]);
        expect(await store.places.get(conversationId)).toEqual({
          ...row,
          binding: { kind: 'customer', tenant: contoso },
          lastCustomer: contoso,
        });
        // Bound to another one between looking and binding: what was decided before counts no more.
        await store.places.askToBind(conversationId, request('c', fabrikam));
        const late = await store.places.byBindCode('c');
        expect(await store.places.confirmBind(conversationId, 'c', until)).toBe(true);
        expect((await store.places.byBindCode('c'))?.bindRequest?.confirmed).toBe(true);
        await store.places.bind(conversationId, undefined);
        if (late === null) throw new Error('the request is gone');
        expect(await store.places.bindAsAsked(late)).toBe(false);
        expect(await store.places.confirmBind(conversationId, 'c', until)).toBe(false);
        expect(await store.places.get(conversationId)).toEqual({ ...row, lastCustomer: contoso });
        // A code for nothing binds nothing.
        await store.places.askToBind(conversationId, request('d'));
        const nothing = await store.places.byBindCode('d');
        if (nothing === null) throw new Error('the request is gone');
        expect(await store.places.bindAsAsked(nothing)).toBe(false);
      });

      test.each<{ place: string; seen: PlaceSeen; changes: number | undefined }>([
        { place: 'a new place', seen: { ...row, conversationId: '19:new' }, changes: undefined },
        {
          place: 'a new place in a team',
          seen: { ...row, conversationId: '19:new', teamId: team },
          changes: undefined,
        },
        { place: 'a known place', seen: row, changes: 1 },
        { place: 'a known place, now in a team', seen: { ...row, teamId: team }, changes: 2 },
      ])('who sees $place says nothing of its members', async ({ seen, changes }) => {
        await store.places.save(row);
        await store.places.dropRoster(row.conversationId);
        await store.places.save({ ...seen, roster, membersChanged: 9, welcomedAt: row.seenAt } as PlaceSeen);
        const membersChanged = changes === undefined ? {} : { membersChanged: changes };
        expect(await store.places.get(seen.conversationId)).toEqual({ ...seen, ...membersChanged });
      });

      const inTeam = { ...row, teamId: team };
      const events: { change: string; known: PlaceSeen; by(places: PlaceStore): Promise<unknown> }[] = [
        { change: 'members changed', known: row, by: (places) => places.dropRoster(row.conversationId) },
        { change: 'members of its team changed', known: inTeam, by: (places) => places.dropRoster(team) },
        {
          change: 'members changed in a team not known to be its own',
          known: row,
          async by(places) {
            await places.dropRoster(team);
            await places.save(inTeam);
          },
        },
        {
          change: 'members changed in another team, to which it moved',
          known: { ...row, teamId: '19:old-team@thread.tacv2' },
          async by(places) {
            await places.dropRoster(team);
            await places.save(inTeam);
          },
        },
        {
          change: 'Watchpost was removed',
          known: row,
          by: (places) => places.markRemoved(row.conversationId),
        },
      ];
      test.each(events.flatMap((event) => [false, true].map((kept) => ({ ...event, kept }))))(
        'a list of members begun before $change is not kept; one was there: $kept',
        async ({ known, by, kept }) => {
          const { conversationId } = row;
          const other = over(second, 'two').places;
          await store.places.save(known);
          if (kept) expect(await other.saveRoster(conversationId, roster, 0)).toBe(true);
          await by(other);
          expect(await store.places.saveRoster(conversationId, roster, 0)).toBe(false);
          expect((await store.places.get(conversationId))?.roster).toBeUndefined();
          expect(await store.places.saveRoster(conversationId, roster, 1)).toBe(true);
          expect(await store.places.get(conversationId)).toMatchObject({ roster, membersChanged: 1 });
        },
      );

      test('a change of a team reaches each of its channels, and no other', async () => {
        const ids = Array.from({ length: 450 }, (_, at) => `19:c${at}@thread.tacv2`);
        const rows = engine.collection<PlaceRow & { _id: string }>(placesDeclaration);
        for (let at = 0; at < ids.length; at += 150) {
          await rows.bulkWrite(
            ids.slice(at, at + 150).map((_id, index) => ({
              insertOne: {
                document: { ...row, _id, conversationId: _id, teamId: index % 3 === 0 ? 'elsewhere' : team },
              },
            })),
          );
        }
        await store.places.save({ ...row, conversationId: team, teamId: team });
        await store.places.dropRoster(team);
        expect(await rows.countDocuments({ teamId: team, membersChanged: 1 })).toBe(301);
        expect(await rows.countDocuments({ membersChanged: { $exists: true } })).toBe(301);
      });

      test('no change is lost, however many are told at once, over two clients', async () => {
        await store.places.save({ ...row, teamId: team });
        const both = [store.places, over(second, 'two').places];
        await Promise.all(
          Array.from({ length: 40 }, (_, at) =>
            both[at % 2]?.dropRoster(at % 4 < 2 ? team : row.conversationId),
          ),
        );
        expect((await store.places.get(row.conversationId))?.membersChanged).toBe(40);
      });

      test('a list kept and a change told at the same moment: the list is gone in the end', async () => {
        expect(await listsLeft(over(second, 'two').places)).toBe(0);
      });

      test('a store that does not look at the count keeps such lists: the check above can see it', async () => {
        const careless = changed(second, (inner) => ({
          updateOne: ({ membersChanged: _, ...filter }: Record<string, Condition>, ...given) =>
            inner.updateOne(filter, ...given),
        }));
        expect(await listsLeft(over(careless, 'two').places)).toBeGreaterThan(0);
      });

      /** How many of 30 lists, each kept by `other` while or after `store` is told of a change, are there in the end. */
      async function listsLeft(other: PlaceStore): Promise<number> {
        let left = 0;
        await store.places.save(row);
        for (let at = 0; at < 30; at += 1) {
          const began = (await store.places.get(row.conversationId))?.membersChanged ?? 0;
          const told = store.places.dropRoster(row.conversationId);
          if (at % 3 === 0) await told;
          await Promise.all([told, other.saveRoster(row.conversationId, roster, began)]);
          if ((await store.places.get(row.conversationId))?.roster !== undefined) left += 1;
        }
        return left;
      }

      test('of a place nobody knows no members are kept', async () => {
        await store.places.dropRoster(row.conversationId);
        await store.places.markRemoved(row.conversationId);
        expect(await store.places.saveRoster(row.conversationId, roster, 0)).toBe(false);
        expect(await store.places.get(row.conversationId)).toBeNull();
      });

      test('are greeted once, whoever asks', async () => {
        await store.places.save(row);
        const other = over(second, 'two');
        const asked = [store, other, store, other].map((one) => one.places.welcomeOnce(row.conversationId));
        expect((await Promise.all(asked)).filter(Boolean)).toHaveLength(1);
      });
    });

    describe('the code of the first Admin', () => {
      const right = hash('ABCD-EFGH');
      const wrong = hash('ABCD-EFGX');

      test('is used up by one of two who know it', async () => {
        await store.claims.put(hash('an earlier one'));
        await store.claims.put(right);
        expect(await store.claims.redeem(hash('an earlier one'), home, ana)).toBe('wrong');
        const said = await Promise.all([
          store.claims.redeem(right, home, ana),
          store.claims.redeem(right, home, bo),
        ]);
        expect(said.filter((one) => one === 'right')).toHaveLength(1);
        expect(await store.claims.redeem(right, home, ana)).toBe('none');
      });

      test('five wrong tries in an hour are the end for that person, even at once and with the right code', async () => {
        await store.claims.put(right);
        const said = await Promise.all(
          Array.from({ length: 12 }, () => store.claims.redeem(wrong, home, ana)),
        );
        expect(said.filter((one) => one === 'wrong')).toHaveLength(5);
        expect(said.filter((one) => one === 'too-many')).toHaveLength(7);
        expect(await store.claims.redeem(right, home, ana)).toBe('too-many');
        expect(await store.claims.redeem(right, home, bo)).toBe('right');
      });

      test('an hour later the same person may try again', async () => {
        await store.claims.put(right);
        for (let i = 0; i < 5; i += 1) await store.claims.redeem(wrong, home, ana);
        const later = over({ ...engine, now: () => engine.now() + 3_600_001 });
        expect(await later.claims.redeem(right, home, ana)).toBe('right');
      });
    });

    test('what changes something is done once per key for 24 hours, over all instances', async () => {
      const other = over(second, 'two');
      const at = (hours: number) => over({ ...engine, now: () => engine.now() + hours * 3_600_000 });
      const key = `${home}|19:abc|${'1'.repeat(2_000)}`;
      const said = await Promise.all(
        [store, other, store, other, store].map((one) => one.inbound.firstTime(key)),
      );
      expect(said.filter(Boolean)).toHaveLength(1);
      expect(await store.inbound.firstTime(`${key}2`)).toBe(true);
      expect(await at(23).inbound.firstTime(key)).toBe(false);
      expect(await at(25).inbound.firstTime(key)).toBe(true);
      expect(await at(26).inbound.firstTime(key)).toBe(false);
    });

    test('the audit is read newest first, page by page', async () => {
      for (let i = 0; i < 5; i += 1) {
        const at = over({ ...engine, now: () => engine.now() + i });
        await at.audit.write({
          who: 'Ana',
          what: `deed ${i}`,
          tenant: contoso,
          result: 'done',
          detail: 'x'.repeat(5_000),
        });
      }
      const first = await store.audit.list({ limit: 3 });
      expect(first.rows.map((row) => row.what)).toEqual(['deed 4', 'deed 3', 'deed 2']);
      const second = await store.audit.list({ limit: 3, after: first.next ?? '' });
      expect(second.rows.map((row) => row.what)).toEqual(['deed 1', 'deed 0']);
      expect(second.next).toBeNull();
      expect(second.rows[0]).toMatchObject({ who: 'Ana', tenant: contoso, result: 'done' });
      expect(second.rows[0]?.detail).toHaveLength(1_000);
    });

    test('the sweep takes what is old, at most 1,000 rows a call, and nothing else', async () => {
      await store.inbound.firstTime('fresh');
      const kept = await store.syncRequests.add(everything, contoso, 'Ana');
      const old = (days: number) => over({ ...engine, now: () => engine.now() - days * dayMs });
      await old(8).syncRequests.add(everything, contoso, 'Ana');
      await old(2).claims.put('x');
      await old(2).claims.redeem('y', home, ana);
      for (let i = 0; i < 6; i += 1) await old(2).inbound.firstTime(`old ${i}`);
      const addOld = async (name: string, many: number): Promise<void> => {
        const declaration = collections.find((one) => one.name === name);
        if (declaration === undefined) throw new Error('no such collection');
        const rows = engine.collection<{ _id: string; at: string }>(declaration);
        const at = plus(store.now(), -9 * dayMs);
        for (let from = 0; from < many; from += 200) {
          await rows.bulkWrite(
            Array.from({ length: 200 }, (_, i) => ({ insertOne: { document: { _id: `o${from + i}`, at } } })),
          );
        }
      };
      await addOld('inbound', 800);
      await addOld('syncRequests', 400);
      expect(await store.sweep()).toBe(1_000);
      expect(await store.sweep()).toBe(208);
      expect(await store.sweep()).toBe(0);
      expect(await store.inbound.firstTime('fresh')).toBe(false);
      expect(await store.syncRequests.get(everything, contoso, kept.id)).toEqual(kept);
    }, 30_000);

    test('a scope of a person covers what the table says, in the store as well', async () => {
      await store.tenants.save(everything, aTenant(contoso, 'Contoso'));
      const who = {
        tid: home,
        oid: ana,
        name: 'Ana',
        home: true,
        disabled: false,
        grants: [aGrant('Reader', { scope: [contoso] })],
      };
      const scope = scopeFor(who, { kind: 'internal' }, 'view', store.now());
      expect((await store.tenants.list(scope)).map((tenant) => tenant.id)).toEqual([contoso]);
      const none = scopeFor({ ...who, disabled: true }, { kind: 'internal' }, 'view', store.now());
      expect(await store.tenants.list(none)).toEqual([]);
      await expect(store.scores.posture(none, contoso)).rejects.toMatchObject({ code: 'scope' });
    });
  });
}

function hash(code: string): string {
  return createHash('sha256').update(code).digest('hex');
}
