import { WatchpostError } from '../../errors.ts';
import type { BulkWrite, Condition, Filter, FindOptions, Scalar, Update } from './collection.ts';

/** What both engines refuse before they look at a document: shapes that would mean something else in a database. */

const comparisons: ReadonlySet<string> = new Set(['$eq', '$gt', '$gte', '$lt', '$lte', '$ne']);
const updates: ReadonlySet<string> = new Set([
  '$set',
  '$unset',
  '$inc',
  '$setOnInsert',
  '$push',
  '$addToSet',
  '$min',
  '$max',
]);
const path = /^[A-Za-z_][\w-]*(\.[\w-]+)*$/;
const forbidden = /(^|\.)(__proto__|constructor|prototype)(\.|$)/;
const maxList = 1_000;
const maxWrites = 200;

/** Throws `bad-input` unless `filter` is made of known operators over scalars. */
export function checkFilter(filter: Filter): void {
  if (!isPlain(filter)) throw refused('a filter must be a plain object');
  for (const [key, value] of Object.entries(filter)) {
    if (key === '$and' || key === '$or') {
      if (!Array.isArray(value) || value.length === 0 || value.length > maxList) {
        throw refused(`${key} needs a list of filters`);
      }
      for (const part of value) checkFilter(part);
    } else {
      checkPath(key);
      checkCondition(value as Condition);
    }
  }
}

function checkCondition(condition: Condition): void {
  if (isScalar(condition)) return;
  if (!isPlain(condition)) throw refused('a filter compares with scalars only');
  const entries = Object.entries(condition);
  if (entries.length === 0) throw refused('an empty condition');
  for (const [operator, value] of entries) {
    if (comparisons.has(operator)) {
      if (!isScalar(value)) throw refused(`${operator} compares with scalars only`);
    } else if (operator === '$in') {
      if (!Array.isArray(value) || value.length > maxList || !value.every(isScalar)) {
        throw refused(`$in needs a list of at most ${maxList} scalars`);
      }
    } else if (operator === '$exists') {
      if (typeof value !== 'boolean') throw refused('$exists needs true or false');
    } else throw refused('an operator that no filter may have');
  }
}

/** Throws `bad-input` unless every operator is known and every path is a plain one that does not touch `_id`. */
export function checkUpdate(update: Update): void {
  if (!isPlain(update)) throw refused('an update must be a plain object');
  for (const [operator, fields] of Object.entries(update)) {
    if (!updates.has(operator)) throw refused('an operator that no update may have');
    for (const [key, value] of Object.entries(fields ?? {})) {
      checkPath(key);
      if (key === '_id' && operator !== '$setOnInsert') throw refused('the _id of a document never changes');
      if (operator === '$inc' && !Number.isFinite(value)) throw refused('$inc needs a number');
      if ((operator === '$min' || operator === '$max') && !isScalar(value)) {
        throw refused(`${operator} compares with scalars only`);
      }
    }
  }
}

/** Throws `bad-input` for more than 200 writes, or a write that would be refused by itself. */
export function checkWrites<T extends { _id: string }>(writes: BulkWrite<T>[]): void {
  if (writes.length > maxWrites) throw refused(`more than ${maxWrites} writes at once`);
  for (const write of writes) {
    if ('insertOne' in write) checkDocument(write.insertOne.document);
    else if ('replaceOne' in write) checkDocument(write.replaceOne.document);
    else if ('updateOne' in write) {
      checkFilter(write.updateOne.filter);
      checkUpdate(write.updateOne.update);
    } else checkFilter(write.deleteOne.filter);
  }
}

/** Throws `bad-input` unless the document has a string `_id`. */
export function checkDocument(document: { _id: string }): void {
  const id: unknown = document._id;
  if (typeof id !== 'string' || id === '') throw refused('a document without an _id');
  if (!id.isWellFormed() || id.includes('\0')) throw refused('an _id that is not text');
}

/** Throws `bad-input` unless the limit is 1 … 1,000 and the sort a list of paths. */
export function checkFind(options: FindOptions): void {
  const { limit, sort } = options;
  if (!Number.isInteger(limit) || limit < 1 || limit > maxList)
    throw refused(`a limit must be 1 to ${maxList}`);
  for (const key of Object.keys(sort ?? {})) checkPath(key);
}

function checkPath(key: string): void {
  if (!path.test(key) || forbidden.test(key)) throw refused('a field path that cannot be');
}

export function isScalar(value: unknown): value is Scalar {
  return (
    value === null ||
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && Number.isFinite(value))
  );
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The value never stands in the message: it may be somebody's data. */
function refused(what: string): WatchpostError {
  return new WatchpostError('bad-input', `The store was asked something it does not accept: ${what}.`);
}
