import { Worker } from 'node:worker_threads';
import { expect, test } from '@jest/globals';
import { count } from '../support/counts.ts';
import { embedded } from './backends.ts';
import { type Mark, marks } from './children/tables.ts';

test('two threads and this one write to one file: nothing is locked, nothing is lost', async () => {
  const database = await embedded.fresh();
  try {
    const rows = count(150, 3_000);
    const engine = await database.engine([marks]);
    const collection = engine.collection<Mark>(marks);
    const threads = ['a', 'b'].map((by) => write({ where: database.where, by, rows }));
    for (let n = 0; n < rows; n += 1) {
      await collection.insertOne({ _id: `main:${n}`, by: 'main', n });
      await collection.updateOne({ _id: 'shared' }, { $inc: { n: 1 } }, { upsert: true });
    }
    expect(await Promise.all(threads)).toEqual([0, 0]);
    expect((await collection.findOne({ _id: 'shared' }))?.n).toBe(3 * rows);
    for (const by of ['a', 'b', 'main']) expect(await collection.countDocuments({ by })).toBe(rows);
  } finally {
    await database.end();
  }
}, 120_000);

test('without waiting for each other they do get in each other’s way: the check above can see it', async () => {
  const database = await embedded.fresh();
  try {
    const engine = await database.engine([marks]); // makes the table before the threads meet
    const where = { ...database.where, timeoutMs: 0 };
    let failed = 0;
    for (let round = 0; round < 20 && failed === 0; round += 1) {
      const told = await Promise.all(
        ['a', 'b'].map((by) => write({ where, by: `${by}${round}`, rows: 100 })),
      );
      failed += told.reduce((sum, one) => sum + one, 0);
    }
    expect(failed).toBeGreaterThan(0);
    await engine.ping();
  } finally {
    await database.end();
  }
}, 120_000);

test('a document that is kept in memory is given again until anybody writes, and never one moment longer', async () => {
  const database = await embedded.fresh();
  const kept = { ...marks, readMostly: true };
  try {
    const reading = await database.engine([kept]);
    const writing = await database.engine([kept]);
    const here = reading.collection<Mark>(kept);
    const there = writing.collection<Mark>(kept);
    await there.insertOne({ _id: 'one', n: 0 });
    await there.insertOne({ _id: 'other', n: 0 });
    for (let n = 1; n <= count(50, 5_000); n += 1) {
      await (n % 3 === 0 ? here : there).updateOne({ _id: 'one' }, { $set: { n } });
      const version = reading.version();
      const read = await here.findOne({ _id: 'one' });
      expect(read?.n).toBe(n);
      expect(await here.findOne({ _id: 'one' })).toBe(read);
      expect(reading.version()).toBe(version);
      // Somebody else's row: what was made from this one's text still holds.
      await there.updateOne({ _id: 'other' }, { $set: { n } });
      expect(reading.version()).not.toBe(version);
      expect(await here.findOne({ _id: 'one' })).toBe(read);
    }
    await there.deleteMany({ _id: 'one' });
    expect(await here.findOne({ _id: 'one' })).toBeNull();
  } finally {
    await database.end();
  }
});

/** Starts a thread that writes; answers how many of its rounds failed. */
function write(data: object): Promise<number> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./children/write.ts', import.meta.url), { workerData: data });
    worker.on('message', resolve);
    worker.on('error', reject);
  });
}
