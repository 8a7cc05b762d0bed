import {
  type AnyBulkWriteOperation,
  type ClientSession,
  type Db,
  type Document,
  type Collection as DriverCollection,
  type IndexDescription,
  MongoBulkWriteError,
  MongoClient,
  MongoError,
  MongoServerError,
} from 'mongodb';
import { WatchpostError } from '../../errors.ts';
import { checkDocument, checkFilter, checkFind, checkUpdate, checkWrites } from './check.ts';
import type {
  BulkResult,
  BulkWrite,
  Collection,
  CollectionDeclaration,
  Engine,
  Filter,
  FindOptions,
  Guard,
  Index,
  Page,
  Sort,
  Update,
} from './collection.ts';
import { afterFilter, cursorOf, stepsOf, valuesOf } from './cursor.ts';

const operationMs = 5_000;
const clockEveryMs = 60_000;
const tries = 5;

type Doc = { _id: string } & Document;
type Open = { client: MongoClient; db: Db; transactions: boolean };

/**
 * MongoDB by its driver. Every operation ends within 5 s. `now()` is this machine's clock corrected by the server's,
 * measured on connect and every minute (never `$$NOW`). Throws `store` when the server cannot be reached.
 */
export async function openMongo(
  uri: string,
  declarations: readonly CollectionDeclaration[],
): Promise<Engine> {
  const client = newClient(uri);
  let offsetMs: number;
  let transactions: boolean;
  const db = client.db();
  try {
    await client.connect();
    const hello = await sayHello(db);
    offsetMs = hello.offsetMs;
    transactions = hello.transactions;
    await ensureIndexes(db, declarations);
  } catch (error) {
    await client.close();
    throw inWords(error);
  }
  const timer = setInterval(() => {
    sayHello(db).then(
      (hello) => {
        offsetMs = hello.offsetMs;
      },
      // The last offset stays good; whoever needs the server now hears from it himself.
      () => undefined,
    );
  }, clockEveryMs);
  timer.unref();
  const names = new Set(declarations.map((declaration) => declaration.name));
  const open: Open = { client, db, transactions };
  return {
    kind: 'mongo',
    collection<T extends { _id: string }>(declaration: CollectionDeclaration): Collection<T> {
      if (!names.has(declaration.name)) {
        throw new WatchpostError('bad-input', `The collection ${declaration.name} is not declared.`);
      }
      return openCollection<T>(open, declaration.name);
    },
    now: () => Math.round(Date.now() + offsetMs),
    async ping() {
      await asked(() => db.command({ ping: 1 }, soon()));
    },
    async close() {
      clearInterval(timer);
      await client.close();
    },
  };
}

function newClient(uri: string): MongoClient {
  try {
    return new MongoClient(uri, {
      appName: 'watchpost',
      serverSelectionTimeoutMS: 2_000,
      connectTimeoutMS: 2_000,
      socketTimeoutMS: 5_000,
      waitQueueTimeoutMS: 2_000,
      maxPoolSize: 20,
      ignoreUndefined: true,
      retryWrites: true,
      writeConcern: { w: 'majority', j: true },
      readConcern: { level: 'majority' },
    });
  } catch (cause) {
    throw new WatchpostError('config', 'MONGODB_URI is not an address of a MongoDB.', {
      hint: 'It looks like mongodb://host:27017/watchpost?replicaSet=rs0.',
      cause,
    });
  }
}

/** The server's clock against ours: its answer was written half-way between question and answer. */
async function sayHello(db: Db): Promise<{ offsetMs: number; transactions: boolean }> {
  const before = Date.now();
  const started = performance.now();
  const hello = await db.command({ hello: 1 }, soon());
  const tookMs = performance.now() - started;
  const server: unknown = hello.localTime;
  if (!(server instanceof Date)) throw new WatchpostError('store', 'The MongoDB does not tell the time.');
  return {
    offsetMs: server.getTime() - (before + tookMs / 2),
    transactions: hello.setName !== undefined || hello.msg === 'isdbgrid',
  };
}

async function ensureIndexes(db: Db, declarations: readonly CollectionDeclaration[]): Promise<void> {
  const there = new Set(
    (await db.listCollections({}, { nameOnly: true, ...soon() }).toArray()).map((one) => one.name),
  );
  const made = declarations.map(async ({ name, indexes }) => {
    // Made before the first write: a transaction cannot always make a collection.
    if (!there.has(name)) await db.createCollection(name).catch(unlessThere);
    if (indexes.length > 0) await db.collection(name).createIndexes(indexes.map(nativeIndex));
  });
  await Promise.all(made);
}

function nativeIndex({ keys, unique, where }: Index): IndexDescription {
  const only = (where ?? []).map((path) => [path, { $exists: true }] as const);
  return {
    key: keys,
    ...(unique === true ? { unique } : {}),
    ...(only.length > 0 ? { partialFilterExpression: Object.fromEntries(only) } : {}),
  };
}

/** Two instances may start together. */
function unlessThere(error: unknown): void {
  if (!(error instanceof MongoServerError) || error.code !== 48) throw error;
}

function openCollection<T extends { _id: string }>(open: Open, name: string): Collection<T> {
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
  open: Open,
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
        await session.commitTransaction();
        return result;
      } catch (error) {
        if (session.inTransaction()) await session.abortTransaction();
        if (i === tries || !mayRepeat(error)) throw error;
      } finally {
        await session.endSession();
      }
    }
  });
}

/** Writes have ids of their own, so that doing them again changes nothing. */
function mayRepeat(error: unknown): boolean {
  if (!(error instanceof MongoError)) return false;
  if (error.hasErrorLabel('TransientTransactionError')) return true;
  return error.hasErrorLabel('UnknownTransactionCommitResult') || isDuplicate(error);
}

/** Two upserts of one key may both try to insert; the second finds the row when it looks again (R35). */
async function again<R>(work: () => Promise<R>, upsert: boolean): Promise<R> {
  return await asked(async () => {
    for (let i = 1; ; i += 1) {
      try {
        return await work();
      } catch (error) {
        if (!upsert || i === tries || !isDuplicate(error)) throw error;
      }
    }
  });
}

async function asked<R>(work: () => Promise<R>): Promise<R> {
  try {
    return await work();
  } catch (error) {
    throw inWords(error);
  }
}

function inWords(error: unknown): unknown {
  if (error instanceof WatchpostError) return error;
  if (isDuplicate(error)) {
    return new WatchpostError('conflict', 'Something with this identity is already in the store.', {
      cause: error,
    });
  }
  return new WatchpostError('store', 'The MongoDB did not answer, or answered with an error.', {
    hint: 'Look whether it runs and MONGODB_URI is right.',
    cause: error,
  });
}

function isDuplicate(error: unknown): boolean {
  return error instanceof MongoError && error.code === 11000;
}

function lost(): WatchpostError {
  return new WatchpostError('conflict', 'Somebody else does this work by now; nothing was written.');
}

function soon(): { signal: AbortSignal } {
  return { signal: AbortSignal.timeout(operationMs) };
}

function limits(): { signal: AbortSignal; maxTimeMS: number } {
  return { ...soon(), maxTimeMS: operationMs };
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
  return write as unknown as AnyBulkWriteOperation<Doc>;
}
