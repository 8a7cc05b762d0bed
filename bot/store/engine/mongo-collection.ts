import { setTimeout } from 'node:timers/promises';
import {
  type AnyBulkWriteOperation,
  type ClientSession,
  type Db,
  type Document,
  type Collection as DriverCollection,
  MongoBulkWriteError,
  type MongoClient,
} from 'mongodb';
import { checkDocument, checkFilter, checkFind, checkUpdate, checkWrites } from './check.ts';
import type {
  BulkResult,
  BulkWrite,
  Collection,
  Filter,
  FindOptions,
  Guard,
  Page,
  Sort,
  Update,
} from './collection.ts';
import { afterFilter, cursorOf, stepsOf, valuesOf } from './cursor.ts';
import { again, asked, isUnclearCommit, limits, lost, mayRepeat, tries } from './mongo-asked.ts';

/** Longer from try to try: whoever was in the way gets time to finish. */
const backOffMs = 20;

type Doc = { _id: string } & Document;
/** `transactions`: the server is a replica set or a cluster. */
export type OpenMongo = { client: MongoClient; db: Db; transactions: boolean };

/** One collection of a MongoDB behind the port. */
export function openCollection<T extends { _id: string }>(open: OpenMongo, name: string): Collection<T> {
  const collection = open.db.collection<Doc>(name);
  return {
    async findOne(filter) {
      checkFilter(filter);
      return (await asked(() => collection.findOne(native(filter), limits()))) as T | null;
    },
    async find(filter, options) {
      checkFilter(filter);
      checkFind(options);
      return await page<T>(collection, filter, options);
    },
    async insertOne(document) {
      checkDocument(document);
      await asked(() => collection.insertOne({ ...document }, limits()));
    },
    async updateOne(filter, update, options) {
      checkFilter(filter);
      checkUpdate(update);
      return await again(async () => {
        const upsert = options?.upsert === true;
        const done = await collection.updateOne(native(filter), change(update), { upsert, ...limits() });
        return {
          matched: done.matchedCount,
          modified: done.modifiedCount,
          upserted: done.upsertedCount > 0,
        };
      }, options?.upsert === true);
    },
    async findOneAndUpdate(filter, update, options) {
      checkFilter(filter);
      checkUpdate(update);
      const upsert = options?.upsert === true;
      const sort: Sort = options?.sort ?? {};
      return (await again(
        () =>
          collection.findOneAndUpdate(native(filter), change(update), {
            upsert,
            sort,
            returnDocument: 'after',
            ...limits(),
          }),
        upsert,
      )) as T | null;
    },
    async bulkWrite(writes, options) {
      checkWrites(writes);
      if (options?.onlyIf === undefined) return await asked(() => bulk(collection, writes));
      checkFilter(options.onlyIf.filter);
      return await guarded(open, options.onlyIf, (session) => bulk(collection, writes, session));
    },
    async deleteMany(filter) {
      checkFilter(filter);
      return (await asked(() => collection.deleteMany(native(filter), limits()))).deletedCount;
    },
    async countDocuments(filter) {
      checkFilter(filter);
      return await asked(() => collection.countDocuments(native(filter), limits()));
    },
  };
}

async function page<T extends { _id: string }>(
  collection: DriverCollection<Doc>,
  filter: Filter,
  options: FindOptions,
): Promise<Page<T>> {
  const steps = stepsOf(options.sort);
  const whole: Filter =
    options.after === undefined
      ? filter
      : { $and: [filter, afterFilter(steps, valuesOf(options.after, steps))] };
  const sort = Object.fromEntries(steps.map((step) => [step.path, step.direction]));
  const found = await asked(() =>
    collection.find(native(whole), { sort, limit: options.limit + 1, ...limits() }).toArray(),
  );
  const rows = found.slice(0, options.limit) as unknown as T[];
  const last = rows.at(-1);
  return { rows, next: found.length > rows.length && last !== undefined ? cursorOf(last, steps) : null };
}

async function bulk<T extends { _id: string }>(
  collection: DriverCollection<Doc>,
  writes: BulkWrite<T>[],
  session?: ClientSession,
): Promise<BulkResult> {
  if (writes.length === 0) {
    return { matched: 0, modified: 0, upserted: 0, inserted: 0, deleted: 0, conflicts: 0 };
  }
  const operations = writes.map(nativeWrite);
  try {
    const done = await collection.bulkWrite(operations, { ordered: false, session, ...limits() });
    return resultOf(done, 0);
  } catch (error) {
    // In a transaction a conflict has undone everything already.
    if (session !== undefined || !(error instanceof MongoBulkWriteError)) throw error;
    const errors = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
    if (errors.length === 0 || !errors.every((one) => one.code === 11000)) throw error;
    return resultOf(error.result, errors.length);
  }
}

function resultOf(
  done: {
    matchedCount: number;
    modifiedCount: number;
    upsertedCount: number;
    insertedCount: number;
    deletedCount: number;
  },
  conflicts: number,
): BulkResult {
  return {
    matched: done.matchedCount,
    modified: done.modifiedCount,
    upserted: done.upsertedCount,
    inserted: done.insertedCount,
    deleted: done.deletedCount,
    conflicts,
  };
}

/**
 * The guard and the writes in one transaction. The guard writes to the row it looks at, so that somebody who takes
 * the lease in the same moment and this one cannot both succeed. A server without transactions stands alone, and
 * with it there is one instance only: there the guard is looked at just before.
 */
async function guarded(
  open: OpenMongo,
  guard: Guard,
  work: (session?: ClientSession) => Promise<BulkResult>,
): Promise<BulkResult> {
  const rows = open.db.collection<Doc>(guard.collection);
  if (!open.transactions) {
    if ((await asked(() => rows.findOne(native(guard.filter), limits()))) === null) throw lost();
    return await asked(() => work());
  }
  return await asked(async () => {
    for (let i = 1; ; i += 1) {
      const session = open.client.startSession();
      try {
        session.startTransaction({ readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority' } });
        const held = await rows.updateOne(
          native(guard.filter),
          { $inc: { guards: 1 } },
          { session, ...limits() },
        );
        if (held.matchedCount === 0) throw lost();
        const result = await work(session);
        await commit(session);
        return result;
      } catch (error) {
        if (session.inTransaction()) await session.abortTransaction();
        if (i === tries || !mayRepeat(error)) throw error;
        await setTimeout(i * backOffMs);
      } finally {
        await session.endSession();
      }
    }
  });
}

async function commit(session: ClientSession): Promise<void> {
  for (let i = 1; ; i += 1) {
    try {
      await session.commitTransaction();
      return;
    } catch (error) {
      if (i === tries || !isUnclearCommit(error) || mayRepeat(error)) throw error;
      await setTimeout(i * backOffMs);
    }
  }
}

type NativeFilter = Parameters<DriverCollection<Doc>['findOne']>[0];
type NativeUpdate = Parameters<DriverCollection<Doc>['updateOne']>[1];

/** The port is a subset of the driver's own language; what it holds has been checked. */
function native(filter: Filter): NonNullable<NativeFilter> {
  return filter as NonNullable<NativeFilter>;
}

function change(update: Update): NativeUpdate {
  return update as NativeUpdate;
}

function nativeWrite<T extends { _id: string }>(write: BulkWrite<T>): AnyBulkWriteOperation<Doc> {
  if (!('replaceOne' in write)) return write as unknown as AnyBulkWriteOperation<Doc>;
  const { _id, ...replacement } = write.replaceOne.document;
  return {
    replaceOne: { filter: { _id }, replacement, upsert: true },
  } as unknown as AnyBulkWriteOperation<Doc>;
}
