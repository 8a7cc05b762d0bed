import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { FoundScores } from '../../bot/services.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';

/**
 * The other side of the store: the same documents by bare SQL and JSON, prepared statements, as durable as ours (WAL,
 * synchronous FULL), 50 tenants in a transaction. No leases, no checks, no second thread.
 */
export function openBare(folder: string) {
  const database = new DatabaseSync(join(folder, 'bare.sqlite'));
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE snapshots (id TEXT PRIMARY KEY, tenantId TEXT, day TEXT, doc TEXT);
    CREATE UNIQUE INDEX snapshotsOf ON snapshots (tenantId, day);
    CREATE TABLE changes (id TEXT PRIMARY KEY, tenantId TEXT, day TEXT, name TEXT, doc TEXT);
    CREATE UNIQUE INDEX changesOf ON changes (tenantId, day, name);
    CREATE TABLE profiles (id TEXT PRIMARY KEY, doc TEXT);
    CREATE TABLE postures (id TEXT PRIMARY KEY, doc TEXT);
    CREATE TABLE evaluated (id TEXT PRIMARY KEY, doc TEXT);
  `);
  const again = 'ON CONFLICT (id) DO UPDATE SET doc = excluded.doc';
  const put = {
    snapshot: database.prepare(`INSERT INTO snapshots VALUES (?, ?, ?, ?) ${again}`),
    change: database.prepare(`INSERT INTO changes VALUES (?, ?, ?, ?, ?) ${again}`),
    profiles: database.prepare(`INSERT INTO profiles VALUES (?, ?) ${again}`),
    posture: database.prepare(`INSERT INTO postures VALUES (?, ?) ${again}`),
    evaluated: database.prepare(`INSERT INTO evaluated VALUES (?, ?) ${again}`),
  };
  const posture = database.prepare('SELECT doc FROM postures WHERE id = ?');
  const snapshots = database.prepare(
    'SELECT doc FROM snapshots WHERE tenantId = ? AND day >= ? ORDER BY day LIMIT 400',
  );
  posture.setReturnArrays(true);
  snapshots.setReturnArrays(true);

  function write(id: TenantId, found: FoundScores): void {
    for (const one of found.snapshots) put.snapshot.run(`${id}:${one.day}`, id, one.day, JSON.stringify(one));
    for (const one of found.changes) {
      put.change.run(`${id}:${one.day}:${one.name}`, id, one.day, one.name, JSON.stringify(one));
    }
    if (found.profiles !== undefined) put.profiles.run(id, JSON.stringify(found.profiles));
    put.posture.run(id, JSON.stringify(found.posture));
    put.evaluated.run(id, JSON.stringify(found.evaluated));
  }

  return {
    save(all: readonly { id: TenantId; found: FoundScores }[]): void {
      for (let from = 0; from < all.length; from += 50) {
        database.exec('BEGIN IMMEDIATE');
        for (const { id, found } of all.slice(from, from + 50)) write(id, found);
        database.exec('COMMIT');
      }
    },
    postures: (ids: readonly TenantId[]): unknown[] =>
      ids.flatMap((id) => parsed(posture.all(id) as unknown as [string][])),
    snapshots: (id: TenantId, since: string): unknown[] =>
      parsed(snapshots.all(id, since) as unknown as [string][]),
    close: () => database.close(),
  };
}

function parsed(rows: readonly [string][]): unknown[] {
  return rows.map(([doc]) => JSON.parse(doc));
}
