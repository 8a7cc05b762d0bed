import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Store } from '../../bot/services.ts';
import { type AuditDocument, auditDeclaration } from '../../bot/store/audit-chain.ts';
import { openSearch } from '../../bot/store/audit-search.ts';
import { collections } from '../../bot/store/collections.ts';
import type { Collection, Engine } from '../../bot/store/engine/collection.ts';
import { storeOver } from '../../bot/store/open.ts';
import { scopeOfJob, scopeOfSystem } from '../../shared/access.ts';
import { count } from '../support/counts.ts';
import { type Backend, type Database, testKeyring } from './backends.ts';
import { startChild } from './children.ts';
import { changed } from './faulty.ts';
import { contoso, fabrikam, home } from './samples.ts';

/** The audit log on either engine: one chain over all, one for each tenant, whoever writes, and what is seen of it. */
export function auditContract(backend: Backend): void {
  describe(`the audit log on the ${backend.kind} store`, () => {
    const everything = scopeOfSystem();
    const oid = '99999999-0000-4000-8000-000000000000';
    let database: Database;
    let engine: Engine;
    let rows: Collection<AuditDocument>;
    let store: Store;
    let folder: string;
    let clock: number;
    beforeEach(async () => {
      database = await backend.fresh();
      engine = await database.engine(collections);
      rows = engine.collection<AuditDocument>(auditDeclaration);
      folder = mkdtempSync(join(tmpdir(), 'watchpost-audit-'));
      clock = 1;
      store = over(engine);
    });
    afterEach(async () => {
      await store.audit.verify().catch(() => undefined);
      await database.end();
      rmSync(folder, { recursive: true, force: true });
    });

    function over(base: Engine, instanceId = 'instance-one'): Store {
      const checkpoints = { checkpointFile: join(folder, 'points.jsonl'), keyFile: join(folder, 'key.pem') };
      return storeOver(base, { instanceId, keyring: testKeyring, monotonic: () => clock, checkpoints });
    }

    /** `n` entries, two of three about Contoso. */
    async function fill(n: number, by = store): Promise<void> {
      await Promise.all(
        Array.from({ length: n }, (_, at) =>
          by.audit.write({
            who: `${home}/${oid}`,
            what: `deed ${at}`,
            result: 'done',
            ...(at % 3 === 0 ? {} : { tenant: contoso }),
          }),
        ),
      );
    }

    /** As somebody with the database in hand changes one entry. */
    async function tamper(seq: number, change: Record<string, unknown>): Promise<void> {
      await rows.updateOne({ _id: `e${String(seq).padStart(12, '0')}` }, { $set: change });
    }

    test('entries are numbered in one chain, and in their tenant’s', async () => {
      await fill(250);
      expect(await store.audit.verify()).toMatchObject({ kind: 'whole', entries: 250, tenants: 1, older: 0 });
      const { rows: newest } = await store.audit.list({ limit: 250 });
      expect(newest.map(({ seq }) => seq)).toEqual(Array.from({ length: 250 }, (_, at) => 250 - at));
      expect(newest[0]).toMatchObject({ what: 'deed 249', instance: 'instance-one' });
    });

    test('text that a store would change comes back as it was hashed', async () => {
      const odd = ['\ud800 half', 'nul \0 in it', 'ünï 🙂', `${'x'.repeat(999)}🙂`, '\u2028', ''];
      for (const detail of odd) {
        await store.audit.write({ who: 'cli:rööt', what: 'odd', target: detail, result: 'failed', detail });
      }
      expect(await over(engine).audit.verify()).toMatchObject({ kind: 'whole', entries: odd.length });
    });

    test('two instances and threads append at once: nothing is lost and both chains are whole', async () => {
      const each = count(50, 1_000);
      const other = over(await database.engine(collections), 'instance-two');
      const threads = ['thread-a', 'thread-b'].map((by) =>
        inThread({ where: database.where, by, entries: each }),
      );
      for (let n = 0; n < each; n += 5) await Promise.all([fill(5), fill(5, other)]);
      expect(await Promise.all(threads)).toEqual([0, 0]);
      expect(await store.audit.verify()).toMatchObject({ kind: 'whole', entries: 4 * each, tenants: 1 });
      for (const by of ['thread-a', 'thread-b']) expect(await rows.countDocuments({ who: by })).toBe(each);
    }, 120_000);

    test('a kill -9 while entries are appended leaves a whole chain with all that was acknowledged', async () => {
      const acknowledged: string[] = [];
      for (let round = 0; round < count(2, 20); round += 1) {
        const child = startChild('append-audit.ts', JSON.stringify(database.where));
        await child.says(9 + round * 3);
        await child.kill();
        acknowledged.push(...child.lines());
      }
      const verdict = await store.audit.verify();
      expect(verdict).toMatchObject({ kind: 'whole' });
      const there = new Set<string>();
      for (let after: string | undefined, more = true; more; ) {
        const page = await store.audit.list({ limit: 1_000, ...(after === undefined ? {} : { after }) });
        for (const { what } of page.rows) there.add(what);
        after = page.next ?? undefined;
        more = after !== undefined;
      }
      expect(acknowledged.filter((what) => !there.has(what))).toEqual([]);
    }, 120_000);

    test.each<{ does: string; tampering: () => Promise<unknown>; seq: number }>([
      { does: 'an edit', tampering: () => tamper(7, { who: 'somebody else' }), seq: 7 },
      { does: 'another time', tampering: () => tamper(7, { at: '2020-01-01T00:00:00.000Z' }), seq: 7 },
      { does: 'no entry at all', tampering: () => tamper(7, { seq: 'seven' }), seq: 7 },
      { does: 'a deletion', tampering: () => rows.deleteMany({ seq: 7 }), seq: 7 },
      {
        does: 'an insertion',
        tampering: () => rows.insertOne({ _id: 'e000000000006x', at: '', who: '', what: '', result: '' }),
        seq: 7,
      },
      {
        does: 'one as from before the chain',
        tampering: () => rows.insertOne({ _id: '2020-01-01', at: '', who: '', what: '', result: 'done' }),
        seq: 1,
      },
    ])('$does is found', async ({ tampering, seq }) => {
      await fill(12);
      await tampering();
      expect(await store.audit.verify()).toMatchObject({ kind: 'broken', chain: 'global', seq });
    });

    test('rows from before there was a chain are kept, and the first entry says what they were', async () => {
      const old = { _id: '2026-01-01T00:00:00.000Z-abc', at: '2026-01-01T00:00:00.000Z' };
      await rows.insertOne({ ...old, who: 'Ana', what: 'grant', result: 'done' });
      await rows.insertOne({ ...old, _id: `${old._id}2`, who: 'Ana', what: 'revoke', result: 'done' });
      await fill(3);
      const { rows: all } = await store.audit.list({ limit: 10 });
      expect(all.map(({ what }) => what)).toEqual([
        'deed 2',
        'deed 1',
        'deed 0',
        'audit chain begins',
        'revoke',
        'grant',
      ]);
      expect(all[3]?.detail).toMatch(/^2 older entries/);
      expect(await store.audit.verify()).toMatchObject({ kind: 'whole', entries: 4, older: 2 });
      await rows.updateOne({ _id: old._id }, { $set: { who: 'Bo' } });
      expect(await store.audit.verify()).toMatchObject({ kind: 'broken', chain: 'global', seq: 1 });
    });

    describe('checkpoints', () => {
      const file = (): string => join(folder, 'points.jsonl');

      test('are due after 100 entries or a minute with something new, and at the end', async () => {
        expect(await store.audit.checkpoint({ atOnce: true })).toBe(0);
        await fill(99);
        expect(await store.audit.checkpoint()).toBe(0);
        await fill(1);
        expect(await store.audit.checkpoint()).toBe(2);
        await fill(1);
        clock += 59_999;
        expect(await store.audit.checkpoint()).toBe(0);
        clock += 1;
        expect(await store.audit.checkpoint()).toBe(1);
        clock += 120_000;
        expect(await store.audit.checkpoint()).toBe(0);
        await fill(1);
        expect(await over(engine).audit.checkpoint({ atOnce: true })).toBe(1);
        expect(await store.audit.verify()).toMatchObject({ kind: 'whole', checkpoints: 3, covered: 102 });
        if (process.platform !== 'win32') expect(statSync(join(folder, 'key.pem')).mode & 0o777).toBe(0o600);
      });

      test('find what a chain cannot: a tail cut off, also when others follow it', async () => {
        await fill(20);
        await store.audit.checkpoint({ atOnce: true });
        await rows.deleteMany({ seq: { $gt: 15 } });
        expect(await store.audit.verify()).toMatchObject({ kind: 'broken', chain: 'global', seq: 16 });
        await fill(10, over(engine));
        expect(await store.audit.verify()).toMatchObject({ kind: 'broken', seq: 20 });
      });

      test('find a chain that was made anew', async () => {
        await fill(20);
        await store.audit.checkpoint({ atOnce: true });
        await rows.deleteMany({ seq: { $gt: 0 } });
        await fill(25, over(engine));
        expect(await store.audit.verify()).toMatchObject({ kind: 'broken', seq: 20 });
      });

      test('signed by somebody else are a fault; half a line of a crash is none', async () => {
        await fill(5);
        await store.audit.checkpoint({ atOnce: true });
        await appendFile(file(), '{"chain":"glob');
        await fill(5);
        await store.audit.checkpoint({ atOnce: true });
        expect(await store.audit.verify()).toMatchObject({ kind: 'whole', checkpoints: 2, covered: 10 });
        writeFileSync(file(), readFileSync(file(), 'utf8').replace('"seq":10', '"seq":9'));
        expect(await store.audit.verify()).toMatchObject({ kind: 'broken', seq: 9 });
        expect((await store.audit.verify()) as { why?: string }).toMatchObject({
          why: expect.stringMatching(/not signed/),
        });
      });
    });

    describe('when it cannot be written', () => {
      const failing = (): Store =>
        over(
          changed(engine, (_, name) =>
            name === 'audit' ? { insertOne: async () => Promise.reject(new Error('the disk is full')) } : {},
          ),
        );

      test('who asks first is told that nothing was done; a refusal stays one', async () => {
        const entry = { who: 'x', what: 'grant', result: 'started' } as const;
        await expect(failing().audit.writeFirst(entry)).rejects.toMatchObject({
          code: 'audit',
          message: expect.stringMatching(/^Nothing was done: /),
        });
        await failing().audit.denied({ ...entry, result: 'refused' });
        await store.audit.writeFirst(entry);
        expect(await store.audit.verify()).toMatchObject({ kind: 'whole', entries: 1 });
      });
    });

    test('a flood of refusals of one person is an entry each kind and one with a count', async () => {
      const refuse = (what: string, who = 'a') => store.audit.denied({ who, what, result: 'refused' });
      for (let n = 0; n < 30; n += 1) await refuse('grant');
      await refuse('revoke');
      await refuse('grant', 'b');
      clock += 60_000;
      await refuse('grant');
      for (let n = 0; n < 100; n += 1) await refuse(`deed ${n}`, 'c');
      await store.close();
      const { rows: all } = await over(await database.engine(collections)).audit.list({ limit: 100 });
      const of = (by: string) =>
        all.filter(({ who }) => who === by).map(({ what, detail }) => `${what} ${detail ?? ''}`);
      expect(of('a')).toEqual(['grant ', 'grant 29 more within a minute: grant 29', 'revoke ', 'grant ']);
      expect(of('b')).toEqual(['grant ']);
      expect(of('c')).toHaveLength(11);
      expect(of('c')[0]).toMatch(/^several refusals 90 more/);
    });

    test('what is looked for is found, within what may be seen', async () => {
      const own = { tid: home, oid };
      const me = `${home}/${oid}`;
      const entries = [
        { who: me, what: 'grant', result: 'done' },
        { who: 'b', what: 'sync', tenant: contoso, result: 'done' },
        { who: 'b', what: 'sync', tenant: fabrikam, result: 'refused' },
        { who: 'c', what: 'grant', result: 'failed' },
      ] as const;
      for (const entry of entries) await store.audit.write(entry);
      const found = async (
        ...[scope, filter]: [typeof everything, Parameters<Store['audit']['search']>[2]]
      ) => (await store.audit.search(scope, own, filter, { limit: 10 })).rows.map(({ seq }) => seq);
      expect(await found(everything, {})).toEqual([4, 3, 2, 1]);
      expect(await found(everything, { who: ['b', 'c'], result: 'done' })).toEqual([2]);
      expect(await found(everything, { who: [] })).toEqual([]);
      expect(await found(everything, { what: 'grant' })).toEqual([4, 1]);
      expect(await found(everything, { tenant: fabrikam })).toEqual([3]);
      const now = store.now();
      expect(await found(everything, { to: '2020-01-01T00:00:00.000Z' })).toEqual([]);
      expect(
        await found(everything, { from: '2020-01-01T00:00:00.000Z', to: `${now.slice(0, 3)}9` }),
      ).toHaveLength(4);
      expect(await found(scopeOfJob(contoso), {})).toEqual([2, 1]);
      expect(await found(scopeOfJob(contoso), { tenant: fabrikam })).toEqual([]);
      const forged = { ...everything };
      await expect(found(forged as typeof everything, {})).rejects.toMatchObject({ code: 'scope' });
    });

    test.each([1, 2, 5, 1_000])('looked through %d at a time, the same is found', async (atOnce) => {
      await rows.insertOne({
        _id: '2026-01-01T00:00:00.000Z-a',
        at: '2026-01-01T00:00:00.000Z',
        who: 'a',
        what: 'old',
        result: 'done',
      });
      await fill(12);
      await store.audit.write({ who: 'cli:x', what: 'rare', result: 'failed' });
      const kit = { engine, instanceId: 'x', now: store.now, monotonic: () => clock };
      const search = openSearch(kit, atOnce);
      const own = { tid: home, oid };
      const all = (await store.audit.list({ limit: 100 })).rows;
      const filters: {
        filter: Parameters<typeof search>[2];
        fits: (row: (typeof all)[number]) => boolean;
      }[] = [
        { filter: {}, fits: () => true },
        { filter: { tenant: contoso }, fits: ({ tenant }) => tenant === contoso },
        { filter: { result: 'failed' }, fits: ({ result }) => result === 'failed' },
        { filter: { what: 'old' }, fits: ({ what }) => what === 'old' },
        { filter: { from: '2026-01-02T00:00:00.000Z' }, fits: ({ what }) => what !== 'old' },
        { filter: { to: '2026-01-02T00:00:00.000Z' }, fits: ({ what }) => what === 'old' },
      ];
      for (const { filter, fits } of filters) {
        for (const limit of [1, 4, 100]) {
          const found: string[] = [];
          for (let after: string | undefined, more = true; more; ) {
            const page = await search(everything, own, filter, {
              limit,
              ...(after === undefined ? {} : { after }),
            });
            found.push(...page.rows.map(({ id }) => id));
            after = page.next ?? undefined;
            more = after !== undefined;
          }
          expect(found).toEqual(all.filter(fits).map(({ id }) => id));
        }
      }
      await expect(search(everything, own, {}, { limit: 1, after: 'x' })).rejects.toMatchObject({
        code: 'bad-input',
      });
    });

    test('pages end where the log does', async () => {
      await fill(7);
      const seen: (number | undefined)[] = [];
      for (let after: string | undefined, more = true; more; ) {
        const page = await store.audit.search(
          everything,
          { tid: home, oid },
          {},
          { limit: 3, ...(after === undefined ? {} : { after }) },
        );
        seen.push(...page.rows.map(({ seq }) => seq));
        after = page.next ?? undefined;
        more = after !== undefined;
      }
      expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1]);
    });
  });
}

function inThread(data: object): Promise<number> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./children/audit-thread.ts', import.meta.url), {
      workerData: { ...data, tenant: contoso },
    });
    worker.on('message', resolve);
    worker.on('error', reject);
  });
}
