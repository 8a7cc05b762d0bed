import { type Db, type IndexDescription, MongoClient, MongoServerError } from 'mongodb';
import { WatchpostError } from '../../errors.ts';
import type { Collection, CollectionDeclaration, Engine, Index } from './collection.ts';
import { asked, inWords, soon } from './mongo-asked.ts';
import { type OpenMongo, openCollection } from './mongo-collection.ts';

const clockEveryMs = 60_000;
/** A clock read in an answer that took longer says too little: this process may have been stopped meanwhile. */
const helloMs = 1_000;

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
    const hello = await bestHello(db);
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
        if (hello.tookMs <= helloMs) offsetMs = hello.offsetMs;
      },
      // The last offset stays good; whoever needs the server now hears from it himself.
      () => undefined,
    );
  }, clockEveryMs);
  timer.unref();
  const names = new Set(declarations.map((declaration) => declaration.name));
  const open: OpenMongo = { client, db, transactions };
  return {
    kind: 'mongo',
    collection<T extends { _id: string }>(declaration: CollectionDeclaration): Collection<T> {
      if (!names.has(declaration.name)) {
        throw new WatchpostError('bad-input', `The collection ${declaration.name} is not declared.`);
      }
      return openCollection<T>(open, declaration.name);
    },
    async inOrder(steps) {
      for (const { collection, writes, onlyIf } of steps) {
        await openCollection<{ _id: string }>(open, collection).bulkWrite(writes, { onlyIf });
      }
    },
    now: () => Math.round(Date.now() + offsetMs),
    version: () => undefined,
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

type Hello = { tookMs: number; offsetMs: number; transactions: boolean };

/** The quickest of up to three: the shorter the answer took, the less the offset can be wrong. */
async function bestHello(db: Db): Promise<Hello> {
  let best = await sayHello(db);
  for (let i = 0; i < 2 && best.tookMs > helloMs; i += 1) {
    const next = await sayHello(db);
    if (next.tookMs < best.tookMs) best = next;
  }
  return best;
}

/** The server's clock against ours: its answer was written half-way between question and answer. */
async function sayHello(db: Db): Promise<Hello> {
  const before = Date.now();
  const started = performance.now();
  const hello = await db.command({ hello: 1 }, soon());
  const tookMs = performance.now() - started;
  const server: unknown = hello.localTime;
  if (!(server instanceof Date)) throw new WatchpostError('store', 'The MongoDB does not tell the time.');
  return {
    tookMs,
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
