import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { tableOf } from './schema.ts';
import { sentence } from './sqlite.ts';

/** Documents of a store that is only looked at: nothing is made, changed or brought up to date. */
export type Look = {
  /** At most `limit` documents of a collection; none when there is no such collection yet. */
  documents(collection: string, limit: number): Promise<unknown[]>;
  document(collection: string, id: string): Promise<unknown>;
  close(): Promise<void>;
};

/**
 * Does another process work in this folder? Its lock is asked in passing and not taken. Undefined when this user may not
 * even look at it.
 */
export function isHeld(folder: string): boolean | undefined {
  const file = join(folder, 'lock');
  if (!existsSync(file)) return false;
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(file, { readOnly: true, timeout: 0 });
    lock.prepare('SELECT count(*) FROM sqlite_master').get();
    return false;
  } catch (error) {
    const code = (error as { errcode?: unknown }).errcode;
    return code === 5 || code === 6 ? true : undefined;
  } finally {
    lock?.close();
  }
}

/** The embedded file for reading, also beside the Watchpost that writes it; null when there is none yet. Throws `store`. */
export function lookIntoFile(file: string, timeoutMs: number): Look | null {
  if (!existsSync(file)) return null;
  const database = sentence(() => new DatabaseSync(file, { readOnly: true, timeout: timeoutMs }));
  const has = (collection: string): boolean =>
    database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(collection) !==
    undefined;
  const parsed = (row: Record<string, unknown>): unknown => JSON.parse(String(row.doc));
  return {
    async documents(collection, limit) {
      return sentence(() => {
        if (!has(collection)) return [];
        const sql = `SELECT doc FROM ${tableOf(collection)} ORDER BY _id LIMIT ?`;
        return database.prepare(sql).all(limit).map(parsed);
      });
    },
    async document(collection, id) {
      return sentence(() => {
        if (!has(collection)) return null;
        const row = database.prepare(`SELECT doc FROM ${tableOf(collection)} WHERE _id = ?`).get(id);
        return row === undefined ? null : parsed(row);
      });
    },
    async close() {
      database.close();
    },
  };
}
