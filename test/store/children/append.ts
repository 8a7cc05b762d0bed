import { openAt, type Where } from '../backends.ts';
import { type Mark, marks } from './tables.ts';

/** Inserts rows for ever and says the number of each one as soon as the store has acknowledged it. */
const where = JSON.parse(process.argv[2] ?? '') as Where;
const engine = await openAt(where, [marks]);
const collection = engine.collection<Mark>(marks);
for (let n = 0; ; n += 1) {
  await collection.insertOne({ _id: `${process.pid}:${n}`, by: String(process.pid), n });
  process.stdout.write(`${process.pid}:${n}\n`);
}
