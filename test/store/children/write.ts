import { parentPort, workerData } from 'node:worker_threads';
import { openAt, type Where } from '../backends.ts';
import { type Mark, marks } from './tables.ts';

/** A thread with a connection of its own: `rows` inserts and as many counts on one row all threads share. */
const { where, by, rows } = workerData as { where: Where; by: string; rows: number };
const engine = await openAt(where, [marks]);
const collection = engine.collection<Mark>(marks);
let failed = 0;
for (let n = 0; n < rows; n += 1) {
  try {
    await collection.insertOne({ _id: `${by}:${n}`, by, n, text: 'x'.repeat(500) });
    await collection.updateOne({ _id: 'shared' }, { $inc: { n: 1 } }, { upsert: true });
    // Every tenth time a group, as a sync writes it.
    if (n % 10 === 0) {
      await collection.bulkWrite(
        Array.from({ length: 50 }, (_, i) => ({
          updateOne: { filter: { _id: `${by}:group:${i}` }, update: { $set: { n } }, upsert: true },
        })),
      );
    }
  } catch {
    failed += 1;
  }
}
await engine.close();
parentPort?.postMessage(failed);
