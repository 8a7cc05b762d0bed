import { WatchpostError } from '../../errors.ts';
import { applyUpdate, seedOf } from './apply-update.ts';
import { checkDocument } from './check.ts';
import type { BulkResult, BulkWrite, Filter, Guard, Sort, Update, WriteResult } from './collection.ts';
import { scalarAt } from './cursor.ts';
import { isConflict } from './sqlite.ts';
import { first, rows, type Table } from './table-read.ts';

/** One collection as a table of the file: how it is written. All of it runs inside a transaction that holds the lock. */

export const deletedAtOnce = 200;

export function insert(table: Table, document: object): void {
  const id = (document as { _id: string })._id;
  checkFields(table, document);
  const sql = `INSERT INTO ${table.table} (_id, doc) VALUES (?, ?)`;
  table.sqlite.statement(sql).run(id, JSON.stringify(document));
}

/** What was there, if anything, is not parsed: its text is compared. */
function replace(table: Table, document: object, result: BulkResult): void {
  const id = (document as { _id: string })._id;
  checkFields(table, document);
  const text = JSON.stringify(document);
  const changed = table.sqlite
    .statement(`UPDATE ${table.table} SET doc = ?2 WHERE _id = ?1 AND doc IS NOT ?2`)
    .run(id, text);
  if (Number(changed.changes) > 0) {
    result.matched += 1;
    result.modified += 1;
    return;
  }
  const there = table.sqlite.statement(`SELECT 1 FROM ${table.table} WHERE _id = ?`).get(id);
  if (there !== undefined) {
    result.matched += 1;
    return;
  }
  table.sqlite.statement(`INSERT INTO ${table.table} (_id, doc) VALUES (?, ?)`).run(id, text);
  result.upserted += 1;
}

export function change(
  table: Table,
  filter: Filter,
  update: Update,
  options: { upsert?: boolean; sort?: Sort },
): { result: WriteResult; document: object | null } {
  const row = first(table, filter, options.sort);
  if (row === undefined) {
    if (options.upsert !== true) {
      return { result: { matched: 0, modified: 0, upserted: false }, document: null };
    }
    const made = seedOf(filter);
    applyUpdate(made, update, true);
    checkDocument(made as { _id: string });
    insert(table, made);
    return { result: { matched: 0, modified: 0, upserted: true }, document: made };
  }
  const { document } = row;
  applyUpdate(document, update, false);
  const text = JSON.stringify(document);
  if (text === row.text) return { result: { matched: 1, modified: 0, upserted: false }, document };
  checkFields(table, document);
  table.sqlite.statement(`UPDATE ${table.table} SET doc = ? WHERE rowid = ?`).run(text, row.rowid);
  return { result: { matched: 1, modified: 1, upserted: false }, document };
}

/** What the declaration promises of indexed fields, so that SQL and MongoDB mean the same by them. */
function checkFields(table: Table, document: object): void {
  for (const path of table.indexed) {
    if (path === '_id') continue;
    const value = at(document, path);
    if (typeof value === 'object' && value !== null) {
      throw new WatchpostError(
        'bad-input',
        `${table.name}.${path} is indexed and holds more than one value.`,
      );
    }
  }
  for (const path of table.required) {
    if (scalarAt(document, path) === null) {
      throw new WatchpostError('bad-input', `${table.name}.${path} is part of a unique index and missing.`);
    }
  }
}

function at(document: object, path: string): unknown {
  let value: unknown = document;
  for (const name of path.split('.')) {
    if (Array.isArray(value)) return value;
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

export function guard(onlyIf: Guard | undefined, tableNamed: (name: string) => Table): void {
  if (onlyIf === undefined) return;
  if (first(tableNamed(onlyIf.collection), onlyIf.filter) !== undefined) return;
  throw new WatchpostError('conflict', 'Somebody else does this work by now; nothing was written.');
}

export function bulk<T extends { _id: string }>(table: Table, writes: BulkWrite<T>[]): BulkResult {
  const result = { matched: 0, modified: 0, upserted: 0, inserted: 0, deleted: 0, conflicts: 0 };
  for (const write of writes) {
    try {
      one(table, write, result);
    } catch (error) {
      // A statement that hits a unique index undoes itself; the others stay.
      if (!isConflict(error)) throw error;
      result.conflicts += 1;
    }
  }
  return result;
}

function one<T extends { _id: string }>(table: Table, write: BulkWrite<T>, result: BulkResult): void {
  if ('insertOne' in write) {
    insert(table, write.insertOne.document);
    result.inserted += 1;
  } else if ('replaceOne' in write) {
    replace(table, write.replaceOne.document, result);
  } else if ('updateOne' in write) {
    const { filter, update, upsert } = write.updateOne;
    const done = change(table, filter, update, upsert === true ? { upsert } : {}).result;
    result.matched += done.matched;
    result.modified += done.modified;
    result.upserted += done.upserted ? 1 : 0;
  } else {
    const row = first(table, write.deleteOne.filter);
    if (row === undefined) return;
    table.sqlite.statement(`DELETE FROM ${table.table} WHERE rowid = ?`).run(row.rowid);
    result.deleted += 1;
  }
}

export function removeSome(table: Table, filter: Filter): number {
  // Gathered first: deleting under a running read may skip rows.
  const found = [...rows(table, filter, '', deletedAtOnce)].map((row) => row.rowid);
  const statement = table.sqlite.statement(`DELETE FROM ${table.table} WHERE rowid = ?`);
  for (const rowid of found) statement.run(rowid);
  return found.length;
}
