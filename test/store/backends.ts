import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { newKeyringText, parseKeyring } from '../../bot/secrets.ts';
import type { Store } from '../../bot/services.ts';
import { collections } from '../../bot/store/collections.ts';
import type { CollectionDeclaration, Engine } from '../../bot/store/engine/collection.ts';
import { openEmbedded } from '../../bot/store/engine/embedded.ts';
import { openMongo } from '../../bot/store/engine/mongo.ts';
import { storeOver } from '../../bot/store/open.ts';

/** Where a database of one test is, as it can be told to another process. */
export type Where = { kind: 'embedded'; folder: string; timeoutMs?: number } | { kind: 'mongo'; uri: string };

/** An empty database of one test. Each `engine()` is a client of its own, closed by `end`. */
export type Database = {
  where: Where;
  engine(declarations: readonly CollectionDeclaration[]): Promise<Engine>;
  store(instanceId?: string): Promise<Store>;
  end(): Promise<void>;
};

export type Backend = { kind: Where['kind']; fresh(): Promise<Database> };

/** Keys that all clients of a test share. */
export const testKeyring = parseKeyring(newKeyringText());

export const embedded: Backend = {
  kind: 'embedded',
  async fresh() {
    const folder = await mkdtemp(join(tmpdir(), 'watchpost-store-'));
    return database({ kind: 'embedded', folder }, () => rm(folder, { recursive: true, force: true }));
  },
};

/** Every database has a name of its own in the MongoDB at `uri` and is dropped in the end. */
export function mongoAt(uri: string): Backend {
  return {
    kind: 'mongo',
    async fresh() {
      const address = new URL(uri);
      address.pathname = `/watchpost-test-${randomBytes(6).toString('hex')}`;
      return database({ kind: 'mongo', uri: address.href }, async () => {
        const client = await MongoClient.connect(address.href, {
          serverSelectionTimeoutMS: 5_000,
          connectTimeoutMS: 5_000,
          socketTimeoutMS: 10_000,
        });
        // A client that is left open keeps the whole run from ending.
        await client
          .db()
          .dropDatabase()
          .finally(() => client.close());
      });
    },
  };
}

/** Opens the engine at a place: what children of the tests do as well. */
export async function openAt(where: Where, declarations: readonly CollectionDeclaration[]): Promise<Engine> {
  return where.kind === 'mongo'
    ? await openMongo(where.uri, declarations)
    : openEmbedded(join(where.folder, 'watchpost.sqlite'), declarations, { timeoutMs: where.timeoutMs });
}

function database(where: Where, drop: () => Promise<void>): Database {
  const opened: Engine[] = [];
  async function engine(declarations: readonly CollectionDeclaration[]): Promise<Engine> {
    const made = await openAt(where, declarations);
    opened.push(made);
    return made;
  }
  return {
    where,
    engine,
    store: async (instanceId = 'instance-one') =>
      storeOver(await engine(collections), { instanceId, keyring: testKeyring }),
    async end() {
      for (const one of opened) await one.close();
      await drop();
    },
  };
}
