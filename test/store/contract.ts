import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Query } from 'mingo';
import type {
  BulkWrite,
  Collection,
  CollectionDeclaration,
  Condition,
  Engine,
  Filter,
  Guard,
  Sort,
  Update,
} from '../../bot/store/engine/collection.ts';
import { count, seed } from '../support/counts.ts';
import type { Backend, Database } from './backends.ts';

/** What both engines promise. `things` has indexes, so that SQL narrows; `plain` has none, so that mingo decides. */

type Thing = { _id: string; [field: string]: unknown };

const things: CollectionDeclaration = {
  name: 'things',
  tenantScoped: true,
  indexes: [
    { keys: { group: 1, rank: 1 } },
    { keys: { label: 1 } },
    { keys: { flag: 1 } },
    { keys: { 'deep.n': 1 } },
  ],
};
const plain: CollectionDeclaration = { name: 'plain', tenantScoped: false, indexes: [] };
const unique: CollectionDeclaration = {
  name: 'unique',
  tenantScoped: true,
  indexes: [
    { keys: { tenantId: 1, name: 1 }, unique: true },
    { keys: { tenantId: 1, alias: 1 }, unique: true, where: ['alias'] },
  ],
};
const holders: CollectionDeclaration = { name: 'holders', tenantScoped: true, indexes: [] };
export const declarations = [things, plain, unique, holders];

export function engineContract(backend: Backend): void {
  describe(`the ${backend.kind} engine`, () => {
    let database: Database;
    let engine: Engine;
    let all: Collection<Thing>;

    beforeAll(async () => {
      database = await backend.fresh();
      engine = await database.engine(declarations);
    });
    afterAll(async () => {
      await database.end();
    });
    beforeEach(async () => {
      for (const one of declarations) await engine.collection<Thing>(one).deleteMany({});
      all = engine.collection<Thing>(things);
    });

    test.each<{
      does: string;
      before: Record<string, unknown>;
      update: Update;
      after: Record<string, unknown>;
    }>([
      { does: '$set sets', before: { a: 1 }, update: { $set: { a: 2, b: [1] } }, after: { a: 2, b: [1] } },
      {
        does: '$set reaches in',
        before: { a: { x: 1 } },
        update: { $set: { 'a.y': 2 } },
        after: { a: { x: 1, y: 2 } },
      },
      {
        does: '$set makes the way',
        before: {},
        update: { $set: { 'a.b.c': 1 } },
        after: { a: { b: { c: 1 } } },
      },
      {
        does: '$set leaves out undefined',
        before: { a: 1 },
        update: { $set: { a: undefined, b: 1 } },
        after: { a: 1, b: 1 },
      },
      {
        does: '$set replaces an object',
        before: { a: { x: 1 } },
        update: { $set: { a: { y: 1 } } },
        after: { a: { y: 1 } },
      },
      {
        does: '$unset removes',
        before: { a: 1, b: { c: 1, d: 2 } },
        update: { $unset: { a: true, 'b.c': true } },
        after: { b: { d: 2 } },
      },
      { does: '$unset of nothing', before: { a: 1 }, update: { $unset: { 'x.y': true } }, after: { a: 1 } },
      { does: '$inc counts', before: { n: 1 }, update: { $inc: { n: 2, m: -1 } }, after: { n: 3, m: -1 } },
      {
        does: '$setOnInsert waits',
        before: { a: 1 },
        update: { $setOnInsert: { b: 1 }, $set: { a: 2 } },
        after: { a: 2 },
      },
      {
        does: '$push appends',
        before: { l: [1] },
        update: { $push: { l: { $each: [2, 3] } } },
        after: { l: [1, 2, 3] },
      },
      { does: '$push begins', before: {}, update: { $push: { l: { $each: ['x'] } } }, after: { l: ['x'] } },
      {
        does: '$push keeps the last',
        before: { l: [1, 2] },
        update: { $push: { l: { $each: [3, 4], $slice: -3 } } },
        after: { l: [2, 3, 4] },
      },
      {
        does: '$push keeps the first',
        before: { l: [1, 2] },
        update: { $push: { l: { $each: [3], $slice: 2 } } },
        after: { l: [1, 2] },
      },
      {
        does: '$push of an object',
        before: { l: [] },
        update: { $push: { l: { $each: [{ a: 1 }] } } },
        after: { l: [{ a: 1 }] },
      },
      {
        does: '$addToSet adds',
        before: { l: ['a'] },
        update: { $addToSet: { l: 'b' } },
        after: { l: ['a', 'b'] },
      },
      {
        does: '$addToSet knows it',
        before: { l: ['a'] },
        update: { $addToSet: { l: 'a' } },
        after: { l: ['a'] },
      },
      { does: '$addToSet begins', before: {}, update: { $addToSet: { l: 'a' } }, after: { l: ['a'] } },
      {
        does: '$min takes the lower',
        before: { n: 5, s: 'b' },
        update: { $min: { n: 3, s: 'c' } },
        after: { n: 3, s: 'b' },
      },
      { does: '$min fills', before: {}, update: { $min: { n: 3 } }, after: { n: 3 } },
      {
        does: '$max takes the higher',
        before: { n: 5, s: 'b' },
        update: { $max: { n: 3, s: 'c' } },
        after: { n: 5, s: 'c' },
      },
    ])('$does', async ({ before, update, after }) => {
      await all.insertOne({ _id: 'one', ...before });
      const result = await all.updateOne({ _id: 'one' }, update);
      expect(await all.findOne({ _id: 'one' })).toEqual({ _id: 'one', ...after });
      const changed = JSON.stringify(before) !== JSON.stringify(after);
      expect(result).toEqual({ matched: 1, modified: changed ? 1 : 0, upserted: false });
    });

    test('an update that finds nothing writes nothing, an upsert makes the document of its filter', async () => {
      expect(await all.updateOne({ _id: 'one' }, { $set: { a: 1 } })).toEqual({
        matched: 0,
        modified: 0,
        upserted: false,
      });
      expect(await all.findOne({ _id: 'one' })).toBeNull();
      const made = await all.updateOne(
        { _id: 'one', group: 'g', rank: { $gt: 1 } },
        { $set: { a: 1 }, $setOnInsert: { b: 2 }, $inc: { n: 1 } },
        { upsert: true },
      );
      expect(made.upserted).toBe(true);
      expect(await all.findOne({ _id: 'one' })).toEqual({ _id: 'one', group: 'g', a: 1, b: 2, n: 1 });
      expect(await all.findOneAndUpdate({ _id: 'two' }, { $set: { a: 1 } }, { upsert: true })).toEqual({
        _id: 'two',
        a: 1,
      });
    });

    test('a unique index refuses with conflict and changes nothing', async () => {
      const rows = engine.collection<Thing>(unique);
      await rows.insertOne({ _id: '1', tenantId: 't', name: 'a' });
      await rows.insertOne({ _id: '2', tenantId: 't', name: 'b' });
      await rows.insertOne({ _id: '3', tenantId: 'u', name: 'a' });
      await expect(rows.insertOne({ _id: '1', tenantId: 'x', name: 'x' })).rejects.toMatchObject({
        code: 'conflict',
      });
      await expect(rows.insertOne({ _id: '4', tenantId: 't', name: 'a' })).rejects.toMatchObject({
        code: 'conflict',
      });
      await expect(rows.updateOne({ _id: '2' }, { $set: { name: 'a' } })).rejects.toMatchObject({
        code: 'conflict',
      });
      expect(await rows.findOne({ _id: '2' })).toEqual({ _id: '2', tenantId: 't', name: 'b' });
      expect(await rows.countDocuments({})).toBe(3);
    });

    test('a unique index with `where` counts only documents that have the field', async () => {
      const rows = engine.collection<Thing>(unique);
      await rows.insertOne({ _id: '1', tenantId: 't', name: 'a' });
      await rows.insertOne({ _id: '2', tenantId: 't', name: 'b' });
      await rows.updateOne({ _id: '1' }, { $set: { alias: 'x' } });
      await expect(rows.updateOne({ _id: '2' }, { $set: { alias: 'x' } })).rejects.toMatchObject({
        code: 'conflict',
      });
    });

    test('many writes at once: a conflict in the middle is counted, the others are done', async () => {
      const rows = engine.collection<Thing>(unique);
      await rows.insertOne({ _id: '1', tenantId: 't', name: 'a' });
      const result = await rows.bulkWrite([
        { insertOne: { document: { _id: '2', tenantId: 't', name: 'b' } } },
        { insertOne: { document: { _id: '3', tenantId: 't', name: 'a' } } },
        { updateOne: { filter: { _id: '1' }, update: { $set: { seen: true } } } },
        { updateOne: { filter: { _id: '4' }, update: { $set: { tenantId: 't', name: 'd' } }, upsert: true } },
        { deleteOne: { filter: { _id: '2' } } },
        { deleteOne: { filter: { _id: 'none' } } },
      ]);
      expect(result).toEqual({ matched: 1, modified: 1, upserted: 1, inserted: 1, deleted: 1, conflicts: 1 });
      expect(await rows.countDocuments({})).toBe(2);
    });

    test('a document put in the place of another leaves nothing of it; the same once more changes nothing', async () => {
      const rows = engine.collection<Thing>(unique);
      await rows.insertOne({ _id: '1', tenantId: 't', name: 'a', alias: 'x' });
      await rows.insertOne({ _id: '2', tenantId: 't', name: 'b' });
      const put = (document: Thing) => rows.bulkWrite([{ replaceOne: { document } }]);
      const none = { matched: 0, modified: 0, upserted: 0, inserted: 0, deleted: 0, conflicts: 0 };
      expect(await put({ _id: '1', tenantId: 't', name: 'c' })).toEqual({ ...none, matched: 1, modified: 1 });
      expect(await rows.findOne({ _id: '1' })).toEqual({ _id: '1', tenantId: 't', name: 'c' });
      expect(await put({ _id: '1', tenantId: 't', name: 'c' })).toEqual({ ...none, matched: 1 });
      expect(await put({ _id: '3', tenantId: 't', name: 'd' })).toEqual({ ...none, upserted: 1 });
      // A unique field of somebody else's stays his.
      expect((await put({ _id: '1', tenantId: 't', name: 'b' })).conflicts).toBe(1);
      expect((await put({ _id: '4', tenantId: 't', name: 'b' })).conflicts).toBe(1);
      expect((await rows.find({}, { sort: { _id: 1 }, limit: 10 })).rows.map(({ name }) => name)).toEqual([
        'c',
        'b',
        'd',
      ]);
      await expect(put({ _id: '', tenantId: 't', name: 'e' })).rejects.toMatchObject({ code: 'bad-input' });
    });

    test('writes in order: with the guard all are there, without it none', async () => {
      const guard = { collection: 'holders', filter: { _id: 'h', fence: 1 } };
      await engine.collection<Thing>(holders).insertOne({ _id: 'h', fence: 1 } as Thing);
      const step = (id: string, onlyIf = guard) => ({
        collection: 'things',
        writes: [{ replaceOne: { document: { _id: id, n: 1 } } }],
        onlyIf,
      });
      await engine.inOrder([step('a'), step('b')]);
      const wrong = { ...guard, filter: { _id: 'h', fence: 2 } };
      await expect(engine.inOrder([step('c', wrong), step('d', wrong)])).rejects.toMatchObject({
        code: 'conflict',
      });
      // What is undone has nothing done after it.
      await expect(engine.inOrder([step('e', wrong), step('f')])).rejects.toMatchObject({ code: 'conflict' });
      expect((await all.find({}, { sort: { _id: 1 }, limit: 10 })).rows.map(({ _id }) => _id)).toEqual([
        'a',
        'b',
      ]);
      const many = Array.from({ length: 3 }, (_, at) => ({
        ...step('x'),
        writes: Array.from({ length: 150 }, (__, n) => ({
          replaceOne: { document: { _id: `m${at}-${n}`, n } },
        })),
      }));
      await engine.inOrder(many);
      expect(await all.countDocuments({})).toBe(452);
    });

    test('fifty at once count to fifty', async () => {
      await all.insertOne({ _id: 'n', n: 0 });
      const seen = await Promise.all(
        Array.from({ length: 50 }, () => all.findOneAndUpdate({ _id: 'n' }, { $inc: { n: 1 } })),
      );
      expect(new Set(seen.map((row) => row?.n)).size).toBe(50);
      expect(await all.findOne({ _id: 'n' })).toEqual({ _id: 'n', n: 50 });
    });

    test('each of twenty takers gets another row, the first in the order first', async () => {
      for (let rank = 0; rank < 20; rank += 1)
        await all.insertOne({ _id: `r${rank}`, group: 'free', rank: 19 - rank });
      const take = () =>
        all.findOneAndUpdate({ group: 'free' }, { $set: { group: 'taken' } }, { sort: { rank: 1 } });
      expect((await take())?.rank).toBe(0);
      const taken = await Promise.all(Array.from({ length: 25 }, take));
      expect(taken.filter((row) => row === null)).toHaveLength(6);
      expect(new Set(taken.flatMap((row) => row?._id ?? [])).size).toBe(19);
    });

    test('two clients upserting the same keys make one document each and lose no count', async () => {
      const other = (await database.engine(declarations)).collection<Thing>(things);
      const work = [all, other].flatMap((rows) =>
        Array.from({ length: 32 }, (_, i) =>
          rows.updateOne(
            { _id: `key${i % 4}` },
            { $inc: { n: 1 }, $setOnInsert: { made: true } },
            { upsert: true },
          ),
        ),
      );
      const results = await Promise.all(work);
      expect(results.filter((one) => one.upserted)).toHaveLength(4);
      const { rows } = await all.find({}, { sort: { _id: 1 }, limit: 10 });
      expect(rows.map((row) => [row._id, row.n])).toEqual([0, 1, 2, 3].map((i) => [`key${i}`, 16]));
    });

    test('writes happen only while the guard matches', async () => {
      const rows = engine.collection<Thing>(holders);
      await rows.insertOne({ _id: 'work', fence: 7 });
      const write = (fence: number, id: string) =>
        all.bulkWrite([{ updateOne: { filter: { _id: id }, update: { $set: { fence } }, upsert: true } }], {
          onlyIf: { collection: 'holders', filter: { _id: 'work', fence } },
        });
      expect(await write(7, 'a')).toMatchObject({ upserted: 1 });
      await expect(write(6, 'b')).rejects.toMatchObject({ code: 'conflict' });
      await expect(write(8, 'c')).rejects.toMatchObject({ code: 'conflict' });
      expect((await all.find({}, { limit: 10 })).rows).toEqual([{ _id: 'a', fence: 7 }]);
    });

    test('of a guarded write and a taking of the guard at the same moment, none slips through', async () => {
      const rounds = count(10, 100);
      expect(await slips(rounds, (id, onlyIf) => all.bulkWrite([insertOf(id)], { onlyIf }))).toBe(0);
    });

    test('a guard that is looked at before the write, not with it, is caught by the same check', async () => {
      const guards = engine.collection<Thing>(holders);
      const found = await slips(3, async (id, onlyIf, taken) => {
        if ((await guards.findOne(onlyIf.filter)) === null) throw new Error('refused');
        await taken;
        await all.bulkWrite([insertOf(id)]);
      });
      expect(found).toBeGreaterThan(0);
    });

    /** Writes and a taking of their guard at once; answers how many rows came after the guard was gone. */
    async function slips(
      rounds: number,
      write: (id: string, onlyIf: Guard, taken: Promise<unknown>) => Promise<unknown>,
    ): Promise<number> {
      const guards = (await database.engine(declarations)).collection<Thing>(holders);
      let slipped = 0;
      for (let round = 0; round < rounds; round += 1) {
        await guards.insertOne({ _id: `w${round}`, fence: 1 });
        const onlyIf = { collection: 'holders', filter: { _id: `w${round}`, fence: 1 } };
        const ofRound = { _id: { $gte: `${round}:`, $lt: `${round};` } };
        let tell: (value?: unknown) => void = () => undefined;
        const taken = new Promise((resolve) => {
          tell = resolve;
        });
        const writes = Array.from({ length: 5 }, (_, i) =>
          write(`${round}:${i}`, onlyIf, taken).then(
            () => 1,
            () => 0,
          ),
        );
        await guards.updateOne({ _id: `w${round}` }, { $inc: { fence: 1 } });
        const atTaking = await all.countDocuments(ofRound);
        tell();
        const written = (await Promise.all(writes)).reduce((sum: number, one) => sum + one, 0);
        expect(await all.countDocuments(ofRound)).toBe(written);
        slipped += written - atTaking;
      }
      return slipped;
    }

    test.each<{ by: Sort; says: string }>([
      { by: { rank: 1 }, says: 'an indexed field' },
      { by: { rank: -1 }, says: 'an indexed field downwards' },
      { by: { group: 1, rank: -1 }, says: 'two fields, one downwards' },
      { by: { label: 1 }, says: 'a field some have not' },
      { by: { label: -1 }, says: 'a field some have not, downwards' },
      { by: { loose: 1 }, says: 'a field without an index' },
      { by: { 'deep.n': -1 }, says: 'a field inside' },
      { by: { _id: -1 }, says: 'the id downwards' },
    ])('pages by $says hold every row once and in order', async ({ by }) => {
      const made: Thing[] = Array.from({ length: 47 }, (_, i) => ({
        _id: `r${String(i).padStart(2, '0')}`,
        group: 'abc'[i % 3],
        rank: (i * 7) % 10,
        ...(i % 4 === 0 ? {} : { label: `l${i % 5}` }),
        ...(i % 6 === 0 ? { label: null } : {}),
        loose: `x${i % 7}`,
        deep: i % 5 === 0 ? {} : { n: i % 9 },
      }));
      await all.bulkWrite(made.map((document) => ({ insertOne: { document } })));
      const expected = [...made].sort((a, b) => order(a, b, by)).map((row) => row._id);
      for (const limit of [1, 5, 46, 47, 48]) {
        const seen: string[] = [];
        let after: string | undefined;
        do {
          const page: { rows: Thing[]; next: string | null } = await all.find({}, { sort: by, limit, after });
          expect(page.rows.length).toBeLessThanOrEqual(limit);
          seen.push(...page.rows.map((row) => row._id));
          after = page.next ?? undefined;
        } while (after !== undefined);
        expect(seen).toEqual(expected);
      }
    });

    test('rows that come and go while somebody pages move no other row', async () => {
      for (let i = 0; i < 20; i += 1) await all.insertOne({ _id: `r${i}`, rank: i });
      const first = await all.find({}, { sort: { rank: 1 }, limit: 10 });
      await all.insertOne({ _id: 'before', rank: 3.5 });
      await all.deleteMany({ _id: { $in: ['r0', 'r9', 'r12'] } });
      await all.insertOne({ _id: 'behind', rank: 12 });
      const second = await all.find({}, { sort: { rank: 1 }, limit: 20, after: first.next ?? '' });
      expect(second.rows.map((row) => row.rank)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
      expect(second.next).toBeNull();
    });

    test.each([
      { what: 'noise', after: 'no cursor' },
      { what: 'nothing', after: '' },
      { what: 'an object in it', after: Buffer.from('[{"$gt":""},"x"]').toString('base64url') },
      { what: 'too few values', after: Buffer.from('["x"]').toString('base64url') },
    ])('a cursor with $what is refused', async ({ after }) => {
      await expect(all.find({}, { sort: { rank: 1 }, limit: 5, after })).rejects.toMatchObject({
        code: 'bad-input',
      });
    });

    test.each<{ what: string; filter: unknown }>([
      { what: 'an operator from outside', filter: { name: { $regex: '.*' } } },
      { what: 'code', filter: { $where: 'sleep(1)' } },
      { what: 'code inside', filter: { name: { $where: '1' } } },
      { what: 'an expression', filter: { $expr: { $eq: ['$a', '$a'] } } },
      { what: 'an object as value', filter: { name: { $eq: { $gt: '' } } } },
      { what: 'a plain object as value', filter: { name: { first: 'a' } } },
      { what: 'a list as value', filter: { name: ['a'] } },
      { what: 'an object in $in', filter: { name: { $in: ['a', { $gt: '' }] } } },
      { what: '$in without a list', filter: { name: { $in: 'abc' } } },
      { what: 'an endless $in', filter: { name: { $in: Array.from({ length: 1_001 }, String) } } },
      { what: 'nothing as value', filter: { name: undefined } },
      { what: 'an empty condition', filter: { name: {} } },
      { what: 'a date', filter: { name: new Date(0) } },
      { what: 'a pattern', filter: { name: /a/ } },
      { what: 'no number', filter: { name: Number.NaN } },
      { what: '$not', filter: { name: { $not: { $eq: 1 } } } },
      { what: '$or of no list', filter: { $or: { a: 1 } } },
      { what: '$or of nothing', filter: { $or: [] } },
      { what: '$nor', filter: { $nor: [{ a: 1 }] } },
      { what: 'something bad deep in', filter: { $and: [{ $or: [{ a: { $size: 1 } }] }] } },
      { what: 'a path with SQL in it', filter: { "a') OR 1=1 --": 1 } },
      { what: 'a path with a quote', filter: { 'a"b': 1 } },
      { what: 'a prototype', filter: { 'constructor.name': 'x' } },
      { what: 'an object of a class', filter: new Map([['a', 1]]) },
      { what: 'a text', filter: 'a' },
      { what: '$exists with an object', filter: { a: { $exists: { $gt: 0 } } } },
    ])('a filter with $what is refused by every operation', async ({ filter }) => {
      await all.insertOne({ _id: 'one', name: 'a' });
      const given = filter as Filter;
      const refused = { code: 'bad-input' };
      await expect(all.findOne(given)).rejects.toMatchObject(refused);
      await expect(all.find(given, { limit: 1 })).rejects.toMatchObject(refused);
      await expect(all.updateOne(given, { $set: { a: 1 } })).rejects.toMatchObject(refused);
      await expect(all.findOneAndUpdate(given, { $set: { a: 1 } })).rejects.toMatchObject(refused);
      await expect(all.deleteMany(given)).rejects.toMatchObject(refused);
      await expect(all.countDocuments(given)).rejects.toMatchObject(refused);
      await expect(all.bulkWrite([{ deleteOne: { filter: given } }])).rejects.toMatchObject(refused);
      await expect(
        all.bulkWrite([], { onlyIf: { collection: 'holders', filter: given } }),
      ).rejects.toMatchObject(refused);
      expect(await all.findOne({ _id: 'one' })).toEqual({ _id: 'one', name: 'a' });
    });

    test.each<{ what: string; update: unknown }>([
      { what: 'an unknown operator', update: { $rename: { a: 'b' } } },
      { what: 'a replacement', update: { a: 1 } },
      { what: 'the id', update: { $set: { _id: 'two' } } },
      { what: 'a prototype', update: { $set: { '__proto__.admin': true } } },
      { what: 'a path with an operator', update: { $set: { 'a.$[].b': 1 } } },
      { what: '$inc by a text', update: { $inc: { a: '1' } } },
      { what: '$min with an object', update: { $min: { a: {} } } },
    ])('an update of $what is refused', async ({ update }) => {
      await all.insertOne({ _id: 'one', a: 1 });
      await expect(all.updateOne({ _id: 'one' }, update as Update)).rejects.toMatchObject({
        code: 'bad-input',
      });
      expect(await all.findOne({ _id: 'one' })).toEqual({ _id: 'one', a: 1 });
    });

    test('limits and ids are held to', async () => {
      for (const limit of [0, -1, 1.5, 1_001, Number.NaN]) {
        await expect(all.find({}, { limit })).rejects.toMatchObject({ code: 'bad-input' });
      }
      const many = Array.from({ length: 201 }, (_, i) => ({ deleteOne: { filter: { _id: `${i}` } } }));
      await expect(all.bulkWrite(many)).rejects.toMatchObject({ code: 'bad-input' });
      for (const _id of ['', undefined, 5, { $gt: '' }] as unknown as string[]) {
        await expect(all.insertOne({ _id })).rejects.toMatchObject({ code: 'bad-input' });
      }
    });

    test('a collection that nobody declared cannot be opened', () => {
      const stray: CollectionDeclaration = { name: 'stray', tenantScoped: false, indexes: [] };
      expect(() => engine.collection(stray)).toThrow(/stray is not declared/);
    });

    test('hundreds of rows are deleted and counted', async () => {
      for (let from = 0; from < 500; from += 100) {
        await all.bulkWrite(
          Array.from({ length: 100 }, (_, i) => ({
            insertOne: { document: { _id: `r${from + i}`, rank: from + i, flag: i % 2 === 0 } },
          })),
        );
      }
      expect(await all.countDocuments({ flag: true })).toBe(250);
      expect(await all.countDocuments({ rank: { $gte: 50 }, flag: { $ne: true } })).toBe(225);
      expect(await all.deleteMany({ rank: { $lt: 450 } })).toBe(450);
      expect(await all.countDocuments({})).toBe(50);
    });

    test('what is stored comes back as it was', async () => {
      const document = {
        _id: 'ünï ©ode – \u{1F512}',
        text: 'line\nline\u2028 "quoted" \\ \' \u0000 end',
        empty: '',
        list: [1, 'two', null, { three: [] }],
        none: null,
        number: -0.1,
        big: 2 ** 53,
        nested: { 'key with space': { deep: true } },
      };
      await all.insertOne(document);
      expect(await all.findOne({ _id: document._id })).toEqual(document);
    });

    test('random filters find what mingo finds, with indexes and without', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(anyThing, { minLength: 1, maxLength: 12 }),
          fc.array(anyFilter, { minLength: 1, maxLength: 8 }),
          async (documents, filters) => {
            const rows = documents.map((document, i): Thing => ({ ...document, _id: `id${i}` }));
            const loose = engine.collection<Thing>(plain);
            for (const collection of [all, loose]) {
              await collection.deleteMany({});
              await collection.bulkWrite(rows.map((document) => ({ insertOne: { document } })));
            }
            for (const filter of filters) {
              const query = new Query(filter);
              const expected = rows.filter((row) => query.test(row)).map((row) => row._id);
              for (const collection of [all, loose]) {
                const { rows: found } = await collection.find(filter, { limit: 100 });
                expect(found.map((row) => row._id).sort()).toEqual([...expected].sort());
                expect(await collection.countDocuments(filter)).toBe(expected.length);
              }
            }
          },
        ),
        { numRuns: backend.kind === 'embedded' ? count(150, 3_000) : count(8, 60), seed },
      );
    }, 60_000);

    test('the clock of the database goes with the world', async () => {
      const before = engine.now();
      expect(Math.abs(before - Date.now())).toBeLessThan(2_000);
      await engine.ping();
      expect(engine.now()).toBeGreaterThanOrEqual(before);
    });
  });
}

// One kind of scalar in a field, as indexes ask for; now and then null or nothing.
const sparsely = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof(
    { weight: 6, arbitrary },
    { weight: 1, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  );
const word = fc.constantFrom('', 'a', 'b', 'ab', 'B', 'ä', '\u{1F512}', 'null', '1');
const number = fc.constantFrom(-1, 0, 0.5, 1, 2, 10);

const anyThing = fc
  .record({
    group: sparsely(word),
    rank: sparsely(number),
    label: sparsely(word),
    flag: sparsely(fc.boolean()),
    deep: sparsely(fc.record({ n: sparsely(number) })),
    tags: sparsely(fc.array(word, { maxLength: 3 })),
  })
  // The way through JSON drops what is undefined, as both engines do.
  .map((thing) => JSON.parse(JSON.stringify(thing)) as Record<string, unknown>);

function conditionOn(scalar: fc.Arbitrary<string | number | boolean>): fc.Arbitrary<Condition> {
  const orNull = fc.oneof({ weight: 8, arbitrary: scalar }, { weight: 1, arbitrary: fc.constant(null) });
  return fc.oneof(
    orNull,
    orNull.map(($eq) => ({ $eq })),
    orNull.map(($ne) => ({ $ne })),
    fc.array(orNull, { maxLength: 3 }).map(($in) => ({ $in })),
    fc.boolean().map(($exists) => ({ $exists })),
    scalar.map(($gt) => ({ $gt })),
    scalar.map(($gte) => ({ $gte })),
    scalar.map(($lt) => ({ $lt })),
    scalar.map(($lte) => ({ $lte })),
    fc.tuple(scalar, scalar).map(([$gte, $lt]) => ({ $gte, $lt })),
  );
}

const fieldFilter: fc.Arbitrary<Filter> = fc.oneof(
  ...(['group', 'label', 'tags'] as const).map((path) =>
    conditionOn(fc.oneof(word, number)).map((c): Filter => ({ [path]: c })),
  ),
  ...(['rank', 'deep.n'] as const).map((path) =>
    conditionOn(fc.oneof(number, word)).map((c): Filter => ({ [path]: c })),
  ),
  conditionOn(fc.oneof(fc.boolean(), fc.constantFrom(0, 1))).map((flag): Filter => ({ flag })),
  conditionOn(fc.constantFrom('id0', 'id1', 'id5')).map((_id): Filter => ({ _id })),
);
const { filter: anyFilter } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fieldFilter,
    fc.tuple(fieldFilter, fieldFilter).map(([a, b]): Filter => ({ ...a, ...b })),
    fc.array(tie('filter'), { minLength: 1, maxLength: 3 }).map(($and): Filter => ({ $and })),
    fc.array(tie('filter'), { minLength: 1, maxLength: 3 }).map(($or): Filter => ({ $or })),
  ),
}));

function insertOf(_id: string): BulkWrite<Thing> {
  return { insertOne: { document: { _id } } };
}

function order(a: Thing, b: Thing, by: Sort): number {
  for (const [path, direction] of Object.entries({ ...by, ...('_id' in by ? {} : { _id: 1 as const }) })) {
    const [left, right] = [at(a, path), at(b, path)];
    if (left === right) continue;
    if (left === null || right === null) return left === null ? -direction : direction;
    return left < right ? -direction : direction;
  }
  return 0;
}

function at(row: Thing, path: string): string | number | null {
  let value: unknown = row;
  for (const name of path.split('.')) value = (value as Record<string, unknown>)[name] ?? null;
  return value as string | number | null;
}
