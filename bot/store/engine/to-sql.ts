import type { Condition, Filter, Scalar } from './collection.ts';
import type { Step } from './cursor.ts';

/**
 * A filter as SQL that lets through at least what the filter means. `exact`: it lets through nothing else, so nobody
 * has to look again. SQL sees one type less than JSON (true is 1) and knows no type brackets, hence the difference.
 */
export type Where = { sql: string; params: SqlValue[]; exact: boolean };
export type SqlValue = string | number | null;

/** The column of a declared index; `_id` has its own. */
export function columnOf(path: string): string {
  return path === '_id' ? '_id' : `"@${path}"`;
}

/** The expression of any path. Paths have been checked: letters, digits, `_`, `-`, and dots between names. */
export function expressionOf(path: string): string {
  const names = path.split('.').map((name) => `."${name}"`);
  return `json_extract(doc, '$${names.join('')}')`;
}

const everything: Where = { sql: '', params: [], exact: true };
const somewhere: Where = { sql: '', params: [], exact: false };

/** Translates what stands on indexed fields; the rest is left to the caller (`exact: false`). */
export function whereOf(filter: Filter, indexed: ReadonlySet<string>): Where {
  const parts = Object.entries(filter).map(([key, value]): Where => {
    if (key === '$and') return both((value as Filter[]).map((part) => whereOf(part, indexed)));
    if (key === '$or') return either((value as Filter[]).map((part) => whereOf(part, indexed)));
    return indexed.has(key) ? conditionOf(columnOf(key), value as Condition) : somewhere;
  });
  return both(parts);
}

function both(parts: Where[]): Where {
  const kept = parts.filter((part) => part.sql !== '');
  if (kept.length === 0) return parts.every((part) => part.exact) ? everything : somewhere;
  return {
    sql: kept.map((part) => part.sql).join(' AND '),
    params: kept.flatMap((part) => part.params),
    exact: parts.every((part) => part.exact),
  };
}

/** A branch SQL cannot narrow makes the whole "or" unnarrowable. */
function either(parts: Where[]): Where {
  if (parts.some((part) => part.sql === '')) return parts.some(isEverything) ? everything : somewhere;
  return {
    sql: `(${parts.map((part) => `(${part.sql})`).join(' OR ')})`,
    params: parts.flatMap((part) => part.params),
    exact: parts.every((part) => part.exact),
  };
}

function isEverything(part: Where): boolean {
  return part.sql === '' && part.exact;
}

function conditionOf(column: string, condition: Condition): Where {
  if (typeof condition !== 'object' || condition === null) return equals(column, condition);
  return both(
    Object.entries(condition).map(([operator, value]): Where => {
      if (operator === '$eq') return equals(column, value as Scalar);
      if (operator === '$in') return isIn(column, value as Scalar[]);
      const sign = { $gt: '>', $gte: '>=', $lt: '<', $lte: '<=' }[operator];
      // `$ne` and `$exists` ask about null and missing, which SQL cannot tell apart.
      return sign === undefined ? somewhere : compares(column, sign, value as Scalar);
    }),
  );
}

/** Indexed fields are never lists or objects, so equal text in SQL is equal text in the document. */
function equals(column: string, value: Scalar): Where {
  if (value === null) return { sql: `${column} IS NULL`, params: [], exact: true };
  if (!survivesSql(value)) return somewhere;
  return { sql: `${column} = ?`, params: [sqlValue(value)], exact: typeof value === 'string' };
}

/** One parameter whatever the length of the list, so that the statement is prepared once. */
function isIn(column: string, values: Scalar[]): Where {
  if (!values.every(survivesSql)) return somewhere;
  const list = values.filter((value) => value !== null).map(sqlValue);
  const sql = `${column} IN (SELECT value FROM json_each(?))`;
  return {
    sql: list.length < values.length ? `(${sql} OR ${column} IS NULL)` : sql,
    params: [JSON.stringify(list)],
    exact: values.every((value) => value === null || typeof value === 'string'),
  };
}

function compares(column: string, sign: string, value: Scalar): Where {
  if (value === null || !survivesSql(value)) return somewhere;
  // Text sorts after every number in SQL: only "greater" keeps other types out by itself.
  const exact = typeof value === 'string' && sign.startsWith('>');
  return { sql: `${column} ${sign} ?`, params: [sqlValue(value)], exact };
}

/** The order as SQL; a field without an index is read out of the document. */
export function orderOf(steps: Step[], indexed: ReadonlySet<string>): string {
  return steps
    .map(({ path, direction }) => {
      const column = path === '_id' || indexed.has(path) ? columnOf(path) : expressionOf(path);
      return `${column} ${direction === 1 ? 'ASC' : 'DESC'}`;
    })
    .join(', ');
}

/** "After this row" in SQL, exactly: booleans and numbers are told apart by nobody in an order either. */
export function afterOf(steps: Step[], values: Scalar[], indexed: ReadonlySet<string>): Where {
  const column = (path: string): string =>
    path === '_id' || indexed.has(path) ? columnOf(path) : expressionOf(path);
  const branches = steps.flatMap(({ path, direction }, at): Where[] => {
    const value = values[at] ?? null;
    if (value === null && direction === -1) return [];
    const equal = steps.slice(0, at).map((one, i) => equals(column(one.path), values[i] ?? null));
    return [both([...equal, beyond(column(path), direction, value)])];
  });
  const [first] = steps;
  const start = values[0] ?? null;
  const after = either(branches);
  // The same bound once more outside the "or": it lets SQLite begin in the middle of the index.
  if (first === undefined || start === null || first.direction === -1) return { ...after, exact: true };
  return { ...both([compares(column(first.path), '>=', start), after]), exact: true };
}

function beyond(column: string, direction: 1 | -1, value: Scalar): Where {
  if (value === null) return { sql: `${column} IS NOT NULL`, params: [], exact: true };
  if (direction === 1) return compares(column, '>', value);
  const less = compares(column, '<', value);
  return { ...less, sql: `(${less.sql} OR ${column} IS NULL)` };
}

/** Half a surrogate pair and NUL are text in JSON but not the same text in SQL. */
function survivesSql(value: Scalar): boolean {
  return typeof value !== 'string' || (value.isWellFormed() && !value.includes('\0'));
}

export function sqlValue(value: Exclude<Scalar, null>): string | number {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value;
}
