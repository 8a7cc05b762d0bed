import { update as mingoUpdate } from 'mingo/updater';
import { WatchpostError } from '../../errors.ts';
import type { Filter, Update } from './collection.ts';

type Document = Record<string, unknown>;

/** Applies `update` to a document that nobody else holds. `inserting`: `$setOnInsert` counts too. */
export function applyUpdate(document: Document, update: Update, inserting: boolean): void {
  // Plain fields without mingo: 76 µs are more than the whole read.
  for (const [path, value] of Object.entries(update.$set ?? {})) put(document, path, value);
  for (const path of Object.keys(update.$unset ?? {})) remove(document, path);
  for (const [path, by] of Object.entries(update.$inc ?? {})) increase(document, path, by);
  if (inserting) {
    for (const [path, value] of Object.entries(update.$setOnInsert ?? {})) put(document, path, value);
  }
  const { $push, $addToSet, $min, $max } = update;
  // One operator at a time: mingo's modifier takes only those that are there.
  if ($push !== undefined) mingoUpdate(document, { $push });
  if ($addToSet !== undefined) mingoUpdate(document, { $addToSet });
  if ($min !== undefined) bound(document, $min, -1);
  if ($max !== undefined) bound(document, $max, 1);
}

/** What an upsert starts from: the fields the filter says are equal to something. */
export function seedOf(filter: Filter): Document {
  const seed: Document = {};
  for (const [key, value] of Object.entries(filter)) {
    if (key === '$and') {
      for (const part of value as Filter[]) Object.assign(seed, seedOf(part));
    } else if (key !== '$or') {
      if (typeof value !== 'object' || value === null) put(seed, key, value);
      else if ('$eq' in value) put(seed, key, value.$eq);
    }
  }
  return seed;
}

function put(document: Document, path: string, value: unknown): void {
  if (value === undefined) return; // as the driver's `ignoreUndefined`
  const { holder, name } = holderOf(document, path, true);
  if (holder !== undefined) holder[name] = value;
}

function remove(document: Document, path: string): void {
  const { holder, name } = holderOf(document, path, false);
  if (holder !== undefined) delete holder[name];
}

function increase(document: Document, path: string, by: number): void {
  const { holder, name } = holderOf(document, path, true);
  if (holder === undefined) return;
  const before = holder[name] ?? 0;
  if (typeof before !== 'number') throw wrongType('$inc', 'a number');
  holder[name] = before + by;
}

/** Sets the value when it lies further in `direction` than what is there, or nothing is there. */
function bound(document: Document, fields: Record<string, unknown>, direction: 1 | -1): void {
  for (const [path, value] of Object.entries(fields)) {
    const { holder, name } = holderOf(document, path, true);
    if (holder === undefined) continue;
    const before = holder[name];
    if (before === undefined) holder[name] = value;
    else if (typeof before !== typeof value) throw wrongType('$min and $max', 'a value of the same kind');
    else if (direction * compare(value, before) > 0) holder[name] = value;
  }
}

function compare(a: unknown, b: unknown): number {
  const [left, right] = [a as string, b as string];
  if (left < right) return -1;
  return left > right ? 1 : 0;
}

function holderOf(document: Document, path: string, make: boolean): { holder?: Document; name: string } {
  const names = path.split('.');
  const name = names.pop() ?? '';
  let holder = document;
  for (const part of names) {
    let next = holder[part];
    if (next === undefined && make) {
      next = {};
      holder[part] = next;
    }
    if (typeof next !== 'object' || next === null) {
      if (make) throw wrongType('an update', 'an object on its way');
      return { name };
    }
    holder = next as Document;
  }
  return { holder, name };
}

function wrongType(operator: string, what: string): WatchpostError {
  return new WatchpostError('bad-input', `The store expected ${what} for ${operator}.`);
}
