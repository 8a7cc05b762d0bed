import type { CollectionDeclaration, Index } from './collection.ts';
import type { Sqlite } from './sqlite.ts';
import { columnOf, expressionOf } from './to-sql.ts';

/** The paths that have a column of their own: those of the declared indexes. */
export function indexedPaths(declaration: CollectionDeclaration): Set<string> {
  const paths = declaration.indexes.flatMap((index) => [...Object.keys(index.keys), ...(index.where ?? [])]);
  return new Set(['_id', ...paths]);
}

/**
 * Brings the file's tables to what is declared: one table a collection, the document as text, a virtual column for
 * each indexed path. Indexes nobody declares any more go. Writes nothing when all is there already.
 */
export function ensureSchema(sqlite: Sqlite, declarations: readonly CollectionDeclaration[]): void {
  if (declarations.every((declaration) => missing(sqlite, declaration).length === 0)) return;
  sqlite.exec('BEGIN IMMEDIATE');
  try {
    // Looked at again under the lock: the other thread may have been quicker.
    for (const declaration of declarations) for (const sql of missing(sqlite, declaration)) sqlite.exec(sql);
    sqlite.exec('COMMIT');
  } catch (error) {
    sqlite.exec('ROLLBACK');
    throw error;
  }
}

function missing(sqlite: Sqlite, declaration: CollectionDeclaration): string[] {
  const table = tableOf(declaration.name);
  const wanted: string[] = [];
  const columns = new Set(names(sqlite, 'SELECT name FROM pragma_table_xinfo(?)', declaration.name));
  if (columns.size === 0) wanted.push(`CREATE TABLE ${table} (_id TEXT PRIMARY KEY, doc TEXT NOT NULL)`);
  for (const path of indexedPaths(declaration)) {
    if (path === '_id' || columns.has(`@${path}`)) continue;
    wanted.push(
      `ALTER TABLE ${table} ADD COLUMN ${columnOf(path)} GENERATED ALWAYS AS (${expressionOf(path)}) VIRTUAL`,
    );
  }
  const there = new Set(
    names(
      sqlite,
      "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = ?",
      declaration.name,
    ),
  );
  for (const index of declaration.indexes) {
    const name = indexName(declaration.name, index);
    if (!there.delete(name)) wanted.push(createIndex(name, table, index));
  }
  for (const name of there) wanted.push(`DROP INDEX "${name}"`);
  return wanted;
}

export function tableOf(name: string): string {
  if (!/^[a-z][A-Za-z]*$/.test(name)) throw new Error(`not a collection name: ${name}`);
  return `"${name}"`;
}

/** The whole meaning of an index is its name, so that a changed declaration makes a new one. */
function indexName(collection: string, index: Index): string {
  const keys = Object.entries(index.keys).map(([path, direction]) => `${path}${direction === 1 ? '' : '-'}`);
  const where = index.where === undefined ? '' : `?${index.where.join(',')}`;
  return `${collection}:${keys.join(',')}${where}${index.unique === true ? '!' : ''}`;
}

function createIndex(name: string, table: string, index: Index): string {
  const keys = Object.entries(index.keys).map(
    ([path, direction]) => `${columnOf(path)}${direction === 1 ? '' : ' DESC'}`,
  );
  const where = (index.where ?? []).map((path) => `${columnOf(path)} IS NOT NULL`);
  return [
    `CREATE ${index.unique === true ? 'UNIQUE ' : ''}INDEX "${name}" ON ${table} (${keys.join(', ')})`,
    ...(where.length === 0 ? [] : [`WHERE ${where.join(' AND ')}`]),
  ].join(' ');
}

function names(sqlite: Sqlite, sql: string, name: string): string[] {
  return (sqlite.statement(sql).all(name) as unknown as [string][]).map(([found]) => found);
}
