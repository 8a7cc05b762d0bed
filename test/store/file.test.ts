import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Secret } from '../../bot/secrets.ts';
import { collections } from '../../bot/store/collections.ts';
import type { CollectionDeclaration } from '../../bot/store/engine/collection.ts';
import { openEmbedded } from '../../bot/store/engine/embedded.ts';
import { openSqlite } from '../../bot/store/engine/sqlite.ts';
import { scopeOfSystem } from '../../shared/access.ts';
import { openTestStore } from '../support/store.ts';
import { aTenant, contoso, found } from './samples.ts';

/** What is on the disk: nothing in clear, a damaged file is told in a sentence, a changed declaration is followed. */

const everything = scopeOfSystem();
const appId = '77777777-7777-4777-8777-777777777777';
let opened: Awaited<ReturnType<typeof openTestStore>>;
beforeEach(async () => {
  opened = await openTestStore();
});
afterEach(async () => {
  await opened.close();
});

describe('the bytes on the disk', () => {
  const secret = 'canary~Q7x-2f9d.e81b_04aa/56+cc';
  const key = '-----BEGIN PRIVATE KEY-----\nMIGHcanaryAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----\n';

  test('hold no secret and no key, in the file or its journal, before and after closing', async () => {
    const { store, folder } = opened;
    for (const value of [secret, `${secret}2`, key]) {
      await store.credentials.save(everything, {
        tenantId: contoso,
        appId,
        credential: { kind: 'secret', secret: new Secret(value) },
      });
      await store.credentials.open(everything, contoso);
    }
    await store.tenants.save(everything, aTenant(contoso, 'Contoso Ltd'));
    await store.work.schedule(everything, contoso, 'sync-scores', store.now());
    const [lease] = await store.work.claimDue('sync-scores', 1, 60_000);
    if (lease === undefined) throw new Error('nothing due');
    await store.scores.saveSync(everything, lease, found(contoso, 50));
    expect(await hits(folder, 'Contoso Ltd')).toBeGreaterThan(0); // the sweep reads what is there
    for (const value of [secret, key])
      for (const form of forms(value)) expect(await hits(folder, form)).toBe(0);
    await store.close();
    for (const value of [secret, key])
      for (const form of forms(value)) expect(await hits(folder, form)).toBe(0);
  });

  test('a planted plain one is found', async () => {
    await opened.store.tenants.save(everything, aTenant(contoso, `name with ${secret}`));
    expect(await hits(opened.folder, secret)).toBeGreaterThan(0);
    await opened.store.tenants.save(everything, aTenant(contoso, Buffer.from(secret).toString('base64')));
    const found = await Promise.all(forms(secret).map((form) => hits(opened.folder, form)));
    expect(found.filter((count) => count > 0).length).toBeGreaterThan(1);
  });

  test('belong to the owner alone', async () => {
    for (const name of await readdir(opened.folder)) {
      expect({ name, mode: (await stat(join(opened.folder, name))).mode & 0o077 }).toEqual({ name, mode: 0 });
    }
  });
});

test('every write is on the disk before it is answered: a journal beside the file, and a full sync of it', () => {
  const sqlite = openSqlite(join(opened.folder, 'watchpost.sqlite'));
  expect(sqlite.statement('PRAGMA journal_mode').get()).toEqual(['wal']);
  expect(sqlite.statement('PRAGMA synchronous').get()).toEqual([2]);
  sqlite.close();
});

describe('a damaged file', () => {
  test('is told in a sentence when it is no database', async () => {
    const file = join(opened.folder, 'other.sqlite');
    await writeFile(file, 'this is not a database, it is a text that somebody put here'.repeat(20));
    expect(() => openEmbedded(file, collections)).toThrow(
      expect.objectContaining({
        code: 'store',
        message: 'The data file is damaged.',
        hint: expect.any(String),
      }),
    );
  });

  test('is told in a sentence when pages of it were overwritten', async () => {
    const { store, folder } = opened;
    await store.tenants.save(everything, aTenant(contoso, 'Contoso'));
    await store.close();
    const file = join(folder, 'watchpost.sqlite');
    const bytes = await readFile(file);
    bytes.fill(0xa5, 4_096);
    await writeFile(file, bytes);
    const work = (): unknown => {
      const engine = openEmbedded(file, collections);
      return engine;
    };
    expect(work).toThrow(expect.objectContaining({ code: 'store', message: 'The data file is damaged.' }));
  });

  test('a row that is no document is told by its collection, the other rows still come', async () => {
    const { store, folder } = opened;
    await store.tenants.save(everything, aTenant(contoso, 'Contoso'));
    const people: CollectionDeclaration = { name: 'loose', tenantScoped: false, indexes: [] };
    const engine = openEmbedded(join(folder, 'loose.sqlite'), [people]);
    const rows = engine.collection<{ _id: string }>(people);
    await rows.insertOne({ _id: 'good' });
    await rows.insertOne({ _id: 'bad' });
    const raw = new DatabaseSync(join(folder, 'loose.sqlite'));
    raw.exec(`UPDATE loose SET doc = '{"_id": "bad' WHERE _id = 'bad'`);
    raw.close();
    await expect(rows.findOne({ _id: 'bad' })).rejects.toMatchObject({
      code: 'store',
      message: 'A row of loose in the data file is damaged.',
    });
    expect(await rows.findOne({ _id: 'good' })).toEqual({ _id: 'good' });
    await expect(rows.updateOne({ _id: 'bad' }, { $set: { a: 1 } })).rejects.toMatchObject({ code: 'store' });
    await engine.close();
  });

  test('a folder that is not there is told in a sentence', () => {
    expect(() => openEmbedded(join(opened.folder, 'no', 'such', 'file'), collections)).toThrow(
      expect.objectContaining({ code: 'store', message: 'The data file cannot be opened.' }),
    );
  });
});

describe('a declaration that changed', () => {
  type Row = { _id: string; a: string; b?: string };
  const before: CollectionDeclaration = { name: 'rows', tenantScoped: false, indexes: [{ keys: { a: 1 } }] };
  const after: CollectionDeclaration = {
    name: 'rows',
    tenantScoped: false,
    indexes: [{ keys: { b: 1 }, unique: true, where: ['b'] }, { keys: { a: -1 } }],
  };

  test('gets its indexes at the next start, old ones go, the rows stay', async () => {
    const file = join(opened.folder, 'rows.sqlite');
    const first = openEmbedded(file, [before]);
    await first.collection<Row>(before).insertOne({ _id: '1', a: 'x', b: 'one' });
    await first.close();
    const second = openEmbedded(file, [after]);
    const rows = second.collection<Row>(after);
    await expect(rows.insertOne({ _id: '2', a: 'y', b: 'one' })).rejects.toMatchObject({ code: 'conflict' });
    expect((await rows.find({ b: 'one' }, { limit: 5 })).rows).toEqual([{ _id: '1', a: 'x', b: 'one' }]);
    await second.close();
    const raw = new DatabaseSync(file);
    const names = raw
      .prepare("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY 1")
      .all();
    expect(names.map((row) => row.name)).toEqual(['rows:a-', 'rows:b?b!']);
    raw.close();
  });

  test('an indexed field that holds a list is refused: SQL and MongoDB would mean different things by it', async () => {
    const engine = openEmbedded(join(opened.folder, 'rows.sqlite'), [before]);
    const rows = engine.collection<{ _id: string; a: unknown }>(before);
    await expect(rows.insertOne({ _id: '1', a: ['x'] })).rejects.toMatchObject({ code: 'bad-input' });
    await rows.insertOne({ _id: '1', a: 'x' });
    await expect(rows.updateOne({ _id: '1' }, { $set: { a: { x: 1 } } })).rejects.toMatchObject({
      code: 'bad-input',
    });
    await engine.close();
  });
});

/** How often `text` stands in any file of the folder. */
async function hits(folder: string, text: string): Promise<number> {
  const needle = Buffer.from(text, 'utf8');
  let counted = 0;
  for (const name of await readdir(folder)) {
    const bytes = await readFile(join(folder, name));
    for (let at = bytes.indexOf(needle); at !== -1; at = bytes.indexOf(needle, at + 1)) counted += 1;
  }
  return counted;
}

/** The ways a text may be written down: raw, in JSON, hex, percent, base64 at its three alignments and for URLs. */
function forms(text: string): string[] {
  const aligned = [0, 1, 2].map((shift) => {
    const encoded = Buffer.from(' '.repeat(shift) + text).toString('base64');
    return encoded.slice(shift === 0 ? 0 : 4, -4);
  });
  const raw = Buffer.from(text);
  return [
    ...[text, JSON.stringify(text).slice(1, -1), encodeURIComponent(text)],
    ...[raw.toString('hex'), raw.toString('hex').toUpperCase()],
    ...aligned,
    ...aligned.map((encoded) => encoded.replaceAll('+', '-').replaceAll('/', '_')),
    // A part is a leak as well: the lines of a key, the first half of a secret.
    ...text.split('\n').filter((line) => line.length > 12 && !line.startsWith('-----')),
    text.slice(0, Math.floor(text.length / 2)),
  ];
}
