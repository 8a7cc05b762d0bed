import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { demoHome } from '../../bot/cast.ts';
import type { Lease } from '../../bot/services.ts';
import { scopeOfSystem } from '../../shared/access.ts';
import { millis, plus } from '../../shared/time.ts';
import { count } from '../support/counts.ts';
import type { Backend, Database } from './backends.ts';
import { type Mark, marks } from './children/tables.ts';
import { oneLineOf, startChild } from './children.ts';

const tenMinutes = 600_000;
const tenant = demoHome.id;

/** What holds across processes: what was acknowledged stays, and no clock but the database's decides about a lease. */
export function processContract(backend: Backend): void {
  describe(`several processes on the ${backend.kind} store`, () => {
    let database: Database;
    beforeEach(async () => {
      database = await backend.fresh();
    });
    afterEach(async () => {
      await database.end();
    });

    test('what was acknowledged before a kill -9 is there afterwards', async () => {
      const acknowledged: string[] = [];
      for (let round = 0; round < count(3, 20); round += 1) {
        const child = startChild('append.ts', JSON.stringify(database.where));
        await child.says(20 + round * 7);
        await child.kill();
        acknowledged.push(...child.lines());
        const engine = await database.engine([marks]);
        const rows = engine.collection<Mark>(marks);
        const missing: string[] = [];
        for (const id of acknowledged) if ((await rows.findOne({ _id: id })) === null) missing.push(id);
        expect(missing).toEqual([]);
        // At most the one write that was under way is there without having been acknowledged.
        expect(
          (await rows.countDocuments({ by: String(child.process.pid) })) - child.lines().length,
        ).toBeLessThan(2);
        await engine.close();
      }
    }, 60_000);

    test.each([
      { clock: '10 minutes ahead', skewMs: tenMinutes },
      { clock: '10 minutes behind', skewMs: -tenMinutes },
    ])(
      'an instance whose clock is $clock takes no lease that is held, and its own end in time',
      async ({ skewMs }) => {
        const store = await database.store();
        await store.work.schedule(scopeOfSystem(), tenant, 'sync-scores', store.now());
        const [held] = await store.work.claimDue('sync-scores', 1, 60_000);
        expect(held).toBeDefined();
        const first = await claimBy('none', skewMs, 60_000);
        expect(Math.abs(first.date - Date.now() - skewMs)).toBeLessThan(30_000); // its clock really is off
        expect(Math.abs(millis(first.now) - millis(store.now()))).toBeLessThan(30_000); // and the store's is not
        expect(first.leases).toEqual([]);

        await store.work.finish(held as Lease, {
          nextDueAt: store.now(),
          outcome: 'ok',
          ms: 1,
          failed: false,
        });
        const second = await claimBy('none', skewMs, 60_000);
        expect(second.leases).toHaveLength(1);
        const [taken] = second.leases;
        const left = millis(taken?.until ?? '') - millis(store.now());
        expect(left).toBeGreaterThan(20_000);
        expect(left).toBeLessThanOrEqual(61_000);
        expect(taken?.fence).toBe((held as Lease).fence + 1);
        // Held by the one with the wrong clock: nobody else gets it.
        expect(await store.work.claimDue('sync-scores', 1, 60_000)).toEqual([]);
      },
      60_000,
    );

    test('an instance that trusts its own clock takes a lease that is held: the check above can see it', async () => {
      const store = await database.store();
      await store.work.schedule(scopeOfSystem(), tenant, 'sync-scores', store.now());
      expect(await store.work.claimDue('sync-scores', 1, 60_000)).toHaveLength(1);
      expect((await claimBy('trusts-its-clock', tenMinutes, 60_000)).leases).toHaveLength(1);
    }, 60_000);

    test('a lease that ran out is taken by the next one, with a higher fence', async () => {
      const store = await database.store();
      await store.work.schedule(scopeOfSystem(), tenant, 'sync-scores', store.now());
      const [held] = await store.work.claimDue('sync-scores', 1, 300);
      const until = plus(store.now(), 20_000);
      let leases: Lease[] = [];
      while (leases.length === 0 && store.now() < until)
        ({ leases } = await claimBy('none', -tenMinutes, 60_000));
      expect(leases[0]?.fence).toBe((held as Lease).fence + 1);
      expect(await store.work.renew(held as Lease, 60_000)).toBe(false);
    }, 60_000);

    async function claimBy(plant: string, skewMs: number, leaseMs: number) {
      const line = await oneLineOf(
        'claim.ts',
        JSON.stringify({ where: database.where, plant, leaseMs }),
        skewMs,
      );
      return JSON.parse(line) as { date: number; now: string; leases: Lease[] };
    }
  });
}
