import type { LRUCache } from 'lru-cache';
import { WatchpostError } from '../../errors.ts';
import type { Filter, FindOptions, Page, Sort } from './collection.ts';
import { cursorOf, stepsOf, valuesOf } from './cursor.ts';
import { matcherOf } from './matches.ts';
import type { Sqlite } from './sqlite.ts';
import { afterOf, orderOf, type SqlValue, whereOf } from './to-sql.ts';

/** One collection as a table of the file: how it is read. */
export type Table = {
  sqlite: Sqlite;
  name: string;
  /** Quoted. */
  table: string;
  indexed: ReadonlySet<string>;
  /** Paths of unique indexes: never missing. */
  required: readonly string[];
  /** Documents by `_id` with the text they were made from; only where the declaration says `readMostly`. */
  parsed: LRUCache<string, Parsed> | undefined;
};

/** A frozen document (null: there is none), the text it was made from, and the version of the file at which it stood so. */
type Parsed = { text: string; document: object | null; version: number };

export type Row = { rowid: number; text: string; document: Record<string, unknown> };
type Where = { sql: string; params: SqlValue[] };

/**
 * The document with this `_id`. Reading and parsing are most of a turn's work for the store, so a document that was
 * parsed before is given again while nobody has written to the file, and after a write while its text is the same.
 * Whoever writes, in whatever thread or process: SQLite tells.
 */
export function readById(table: Table, id: string): object | null {
  const { sqlite, parsed } = table;
  if (parsed === undefined) return readText(table, id, (row) => rowOf(table, row).document);
  const version = sqlite.version();
  const known = parsed.get(id);
  if (known?.version === version) return known.document;
  const found = readText(table, id, (row) => {
    if (known !== undefined && known.text === row[1]) {
      known.version = version;
      return known.document;
    }
    const document = frozen(rowOf(table, row).document);
    parsed.set(id, { text: row[1], document, version });
    return document;
  });
  if (found === null) parsed.set(id, { text: '', document: null, version });
  return found;
}

function readText<T>(table: Table, id: string, use: (row: [number, string]) => T): T | null {
  const found = table.sqlite.statement(`SELECT rowid, doc FROM ${table.table} WHERE _id = ?`).get(id);
  return found === undefined ? null : use(found as unknown as [number, string]);
}

export function* rows(
  table: Table,
  filter: Filter,
  order: string,
  limit: number,
  after?: Where,
): Generator<Row> {
  const id = (filter as Record<string, unknown>)._id;
  // One row at most, whatever else is asked of it: SQLite itself might begin with an index that many rows share.
  if (typeof id === 'string' && after === undefined) {
    const row = readText(table, id, (found) => rowOf(table, found));
    if (row !== null && matcherOf(filter)(row.document)) yield row;
    return;
  }
  const where = whereOf(filter, table.indexed);
  const conditions = [where.sql, after?.sql ?? ''].filter((sql) => sql !== '');
  const params: SqlValue[] = [...where.params, ...(after?.params ?? [])];
  let sql = `SELECT rowid, doc FROM ${table.table}`;
  if (conditions.length > 0) sql += ` WHERE ${conditions.join(' AND ')}`;
  if (order !== '') sql += ` ORDER BY ${order}`;
  if (where.exact) {
    sql += ' LIMIT ?';
    params.push(limit);
  }
  let matches: ReturnType<typeof matcherOf> | undefined;
  let left = limit;
  for (const found of table.sqlite.statement(sql).iterate(...params)) {
    const row = rowOf(table, found as unknown as [number, string]);
    // Made when there is something to look at: many questions find nothing.
    if (!where.exact) matches ??= matcherOf(filter);
    if (matches !== undefined && !matches(row.document)) continue;
    yield row;
    left -= 1;
    if (left === 0) return;
  }
}

function rowOf(table: Table, [rowid, text]: [number, string]): Row {
  try {
    return { rowid, text, document: JSON.parse(text) as Record<string, unknown> };
  } catch (cause) {
    throw new WatchpostError('store', `A row of ${table.name} in the data file is damaged.`, {
      hint: 'Stop Watchpost, put the last good copy of the data folder in its place, and start again.',
      cause,
    });
  }
}

export function first(table: Table, filter: Filter, sort?: Sort): Row | undefined {
  const id = onlyId(filter);
  if (id !== undefined) {
    return readText(table, id, (row) => rowOf(table, row)) ?? undefined;
  }
  const order = sort === undefined ? '' : orderOf(stepsOf(sort), table.indexed);
  for (const row of rows(table, filter, order, 1)) return row;
  return undefined;
}

/** The `_id` when the filter asks for nothing else: the read that happens on every turn. */
export function onlyId(filter: Filter): string | undefined {
  const id = (filter as Record<string, unknown>)._id;
  return typeof id === 'string' && Object.keys(filter).length === 1 ? id : undefined;
}

export function page<T extends object>(table: Table, filter: Filter, options: FindOptions): Page<T> {
  const steps = stepsOf(options.sort);
  const after =
    options.after === undefined ? undefined : afterOf(steps, valuesOf(options.after, steps), table.indexed);
  const found: T[] = [];
  let more = false;
  // One more than asked for tells whether there is a next page.
  for (const row of rows(table, filter, orderOf(steps, table.indexed), options.limit + 1, after)) {
    if (found.length === options.limit) more = true;
    else found.push(row.document as T);
  }
  const last = found.at(-1);
  return { rows: found, next: more && last !== undefined ? cursorOf(last, steps) : null };
}

function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const inner of Object.values(value)) frozen(inner);
  return Object.freeze(value);
}

export function count(table: Table, filter: Filter): number {
  const where = whereOf(filter, table.indexed);
  if (!where.exact) {
    let counted = 0;
    for (const _ of rows(table, filter, '', Number.MAX_SAFE_INTEGER)) counted += 1;
    return counted;
  }
  const sql = `SELECT count(*) FROM ${table.table}${where.sql === '' ? '' : ` WHERE ${where.sql}`}`;
  const [counted] = table.sqlite.statement(sql).get(...where.params) as unknown as [number];
  return counted;
}
