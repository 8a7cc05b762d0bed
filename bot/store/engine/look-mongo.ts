import { type Db, MongoClient, MongoServerError, MongoServerSelectionError } from 'mongodb';
import { WatchpostError } from '../../errors.ts';
import type { CollectionDeclaration } from './collection.ts';
import type { Look } from './look-embedded.ts';
import { soon } from './mongo-asked.ts';

/** What a MongoDB says of itself, and its documents for reading. */
export type MongoLook = Look & {
  /** Members of the replica set; 0 for a server that is none, where there are no transactions. */
  members: number;
  sharded: boolean;
  /** Milliseconds that the server's clock is ahead of this machine's, and by how much that may be wrong. */
  aheadMs: number;
  uncertainMs: number;
  /** Declared indexes that are not there, as `collection: field,field`; of collections that are. */
  missingIndexes: string[];
  missingCollections: string[];
};

/** Looks into a MongoDB without making anything in it. Throws `store` or `config`: never the driver's own words. */
export async function lookIntoMongo(
  uri: string,
  declarations: readonly CollectionDeclaration[],
): Promise<MongoLook> {
  let client: MongoClient;
  try {
    client = new MongoClient(uri, {
      appName: 'watchpost-doctor',
      serverSelectionTimeoutMS: 2_000,
      connectTimeoutMS: 2_000,
      socketTimeoutMS: 4_000,
      maxPoolSize: 4,
    });
  } catch (cause) {
    throw new WatchpostError('config', 'MONGODB_URI is not an address of a MongoDB.', {
      hint: 'It looks like mongodb://user:password@host:27017/watchpost?replicaSet=rs0.',
      cause,
    });
  }
  try {
    await client.connect();
    const db = client.db();
    const before = Date.now();
    const started = performance.now();
    const hello = await db.command({ hello: 1 }, soon());
    const tookMs = performance.now() - started;
    const local: unknown = hello.localTime;
    const { missingCollections, missingIndexes } = await missing(db, declarations);
    return {
      members: hello.setName === undefined ? 0 : Array.isArray(hello.hosts) ? hello.hosts.length : 1,
      sharded: hello.msg === 'isdbgrid',
      aheadMs: local instanceof Date ? local.getTime() - (before + tookMs / 2) : Number.NaN,
      uncertainMs: tookMs / 2,
      missingCollections,
      missingIndexes,
      documents: (collection, limit) =>
        db.collection(collection).find({}, soon()).sort({ _id: 1 }).limit(limit).toArray(),
      document: (collection, id) => db.collection<{ _id: string }>(collection).findOne({ _id: id }, soon()),
      close: () => client.close(),
    };
  } catch (error) {
    await client.close();
    throw inWords(error);
  }
}

async function missing(db: Db, declarations: readonly CollectionDeclaration[]) {
  const there = new Set(
    (await db.listCollections({}, { nameOnly: true, ...soon() }).toArray()).map(({ name }) => name),
  );
  const missingIndexes = await Promise.all(
    declarations
      .filter(({ name }) => there.has(name))
      .map(async ({ name, indexes }) => {
        const known = await db.collection(name).listIndexes({ maxTimeMS: 4_000 }).toArray();
        const keys = new Set(known.map((index) => `${JSON.stringify(index.key)} ${index.unique === true}`));
        return indexes
          .filter((index) => !keys.has(`${JSON.stringify(index.keys)} ${index.unique === true}`))
          .map((index) => `${name}: ${Object.keys(index.keys).join(',')}`);
      }),
  );
  return {
    missingIndexes: missingIndexes.flat(),
    missingCollections: declarations.map(({ name }) => name).filter((name) => !there.has(name)),
  };
}

function inWords(error: unknown): WatchpostError {
  if (error instanceof WatchpostError) return error;
  const say = (message: string, hint: string) => new WatchpostError('store', message, { hint, cause: error });
  if (error instanceof MongoServerError && error.code === 18)
    return say(
      'The MongoDB refuses the user or the password.',
      'Correct them in MONGODB_URI; a password with special characters is written percent-encoded, and authSource names the database the user was made in.',
    );
  if (error instanceof MongoServerError && error.code === 13)
    return say(
      'The user of MONGODB_URI may not read its database.',
      'Give that user the role readWrite on the database that MONGODB_URI names.',
    );
  if (error instanceof MongoServerSelectionError)
    return say(
      'The MongoDB does not answer within 2 seconds, or none of its members may be written to.',
      'Look whether it runs, can be reached from here, and is called as replicaSet in MONGODB_URI says.',
    );
  return say('The MongoDB did not answer, or answered with an error.', 'Look at its log.');
}
