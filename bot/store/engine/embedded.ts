import { WatchpostError } from '../../errors.ts';
import { applyUpdate, seedOf } from './apply-update.ts';
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
  Page,
  Sort,
  Update,
  WriteResult,
} from './collection.ts';
import { cursorOf, scalarAt, stepsOf, valuesOf } from './cursor.ts';
import { matcherOf } from './matches.ts';
import { ensureSchema, indexedPaths, tableOf } from './schema.ts';
import { isConflict, openSqlite, type Sqlite, sentence } from './sqlite.ts';
import { afterOf, orderOf, type SqlValue, whereOf } from './to-sql.ts';

const deletedAtOnce = 200;

type Row = { rowid: number; text: string; document: Record<string, unknown> };
type Table = { sqlite: Sqlite; name: string; table: string; indexed: Set<string>; required: string[] };

/**
 * MongoDB's interface over one SQLite file. SQL narrows by the indexed fields, mingo decides the rest. One connection
 * a thread; every write is immediate and on disk before it is answered.
 */
export function openEmbedded(file: string, declarations: readonly CollectionDeclaration[]): Engine {
  const sqlite = openSqlite(file);
  const tables = new Map<string, Table>();
  try {
    sentence(() => ensureSchema(sqlite, declarations));
  } catch (error) {
    sqlite.close();
    throw error;
  }
  for (const declaration of declarations) {
    tables.set(declaration.name, {
      sqlite,
      name: declaration.name,
      table: tableOf(declaration.name),
      indexed: indexedPaths(declaration),
      required: declaration.indexes.flatMap((index) =>
        index.unique === true && index.where === undefined ? Object.keys(index.keys) : [],
      ),
    });
  }
  const tableNamed = (name: string): Table => {
    const table = tables.get(name);
    if (table === undefined) throw new WatchpostError('bad-input', `The collection ${name} is not declared.`);
    return table;
  };
  return {
    kind: 'embedded',
    collection: <T extends { _id: string }>(declaration: CollectionDeclaration) =>
      openCollection<T>(tableNamed(declaration.name), tableNamed),
    now: () => sentence(() => clockOf(sqlite)),
    async ping() {
      sentence(() => clockOf(sqlite));
    },
    async close() {
      sqlite.close();
    },
  };
}

/** SQLite's own clock: nothing that shifts `Date` in this process shifts it. */
function clockOf(sqlite: Sqlite): number {
  const [seconds] = sqlite.statement("SELECT unixepoch('subsec')").get() as unknown as [number];
  return Math.round(seconds * 1000);
}

function openCollection<T extends { _id: string }>(
  table: Table,
  tableNamed: (name: string) => Table,
): Collection<T> {
  const { sqlite } = table;
  return {
    async findOne(filter) {
      checkFilter(filter);
      return sentence(() => (first(table, filter)?.document as T | undefined) ?? null);
    },
    async find(filter, options) {
      checkFilter(filter);
      checkFind(options);
      return sentence(() => page<T>(table, filter, options));
    },
    async insertOne(document) {
      checkDocument(document);
      await sqlite.write(1, () => insert(table, document));
    },
    async updateOne(filter, update, options) {
      checkFilter(filter);
      checkUpdate(update);
      return await sqlite.write(1, () => change(table, filter, update, options ?? {}).result);
    },
    async findOneAndUpdate(filter, update, options) {
      checkFilter(filter);
      checkUpdate(update);
      const changed = await sqlite.write(1, () => change(table, filter, update, options ?? {}));
      return changed.document as T | null;
    },
    async bulkWrite(writes, options) {
      checkWrites(writes);
      if (options?.onlyIf !== undefined) checkFilter(options.onlyIf.filter);
      return await sqlite.write(writes.length, () => {
        guard(options?.onlyIf, tableNamed);
        return bulk(table, writes);
      });
    },
    async deleteMany(filter) {
      checkFilter(filter);
      let deleted = 0;
      for (;;) {
        const gone = await sqlite.write(deletedAtOnce, () => removeSome(table, filter));
        deleted += gone;
        if (gone < deletedAtOnce) return deleted;
      }
    },
    async countDocuments(filter) {
      checkFilter(filter);
      return sentence(() => count(table, filter));
    },
  };
}

function* rows(table: Table, filter: Filter, order: string, limit: number, after?: Where): Generator<Row> {
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
  const matches = where.exact ? undefined : matcherOf(filter);
  let left = limit;
  for (const found of table.sqlite.statement(sql).iterate(...params)) {
    const row = rowOf(table, found as unknown as [number, string]);
    if (matches !== undefined && !matches(row.document)) continue;
    yield row;
    left -= 1;
    if (left === 0) return;
  }
}
type Where = { sql: string; params: SqlValue[] };

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

function first(table: Table, filter: Filter, sort?: Sort): Row | undefined {
  const id = onlyId(filter);
  if (id !== undefined) {
    const found = table.sqlite.statement(`SELECT rowid, doc FROM ${table.table} WHERE _id = ?`).get(id);
    return found === undefined ? undefined : rowOf(table, found as unknown as [number, string]);
  }
  const order = sort === undefined ? '' : orderOf(stepsOf(sort), table.indexed);
  for (const row of rows(table, filter, order, 1)) return row;
  return undefined;
}

/** The `_id` when the filter asks for nothing else: the read that happens on every turn. */
function onlyId(filter: Filter): string | undefined {
  const id = (filter as Record<string, unknown>)._id;
  return typeof id === 'string' && Object.keys(filter).length === 1 ? id : undefined;
}

function page<T extends object>(table: Table, filter: Filter, options: FindOptions): Page<T> {
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

function insert(table: Table, document: object): void {
  const id = (document as { _id: string })._id;
  checkFields(table, document);
  const sql = `INSERT INTO ${table.table} (_id, doc) VALUES (?, ?)`;
  table.sqlite.statement(sql).run(id, JSON.stringify(document));
}

function change(
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

function guard(onlyIf: Guard | undefined, tableNamed: (name: string) => Table): void {
  if (onlyIf === undefined) return;
  if (first(tableNamed(onlyIf.collection), onlyIf.filter) !== undefined) return;
  throw new WatchpostError('conflict', 'Somebody else does this work by now; nothing was written.');
}

function bulk<T extends { _id: string }>(table: Table, writes: BulkWrite<T>[]): BulkResult {
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

function removeSome(table: Table, filter: Filter): number {
  // Gathered first: deleting under a running read may skip rows.
  const found = [...rows(table, filter, '', deletedAtOnce)].map((row) => row.rowid);
  const statement = table.sqlite.statement(`DELETE FROM ${table.table} WHERE rowid = ?`);
  for (const rowid of found) statement.run(rowid);
  return found.length;
}

function count(table: Table, filter: Filter): number {
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
