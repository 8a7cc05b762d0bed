import { LRUCache } from 'lru-cache';
import { Context } from 'mingo/core';
import * as operators from 'mingo/operators/query';
import { Query } from 'mingo/query';
import type { Condition, Filter } from './collection.ts';

/** What a filter may say; the pipelines of mingo's main entry would be read at start and never used. */
const context = Context.init({ query: { ...operators } });
// Compiling costs more than reading a row, and the same few filters come again and again.
const compiled = new LRUCache<string, Query>({ max: 500 });

type Matches = (document: object) => boolean;

/** A function that says whether a document matches: MongoDB's rules, by mingo. */
export function matcherOf(filter: Filter): Matches {
  return plainly(filter) ?? byMingo(filter);
}

function byMingo(filter: Filter): Matches {
  const key = JSON.stringify(filter);
  let query = compiled.get(key);
  if (query === undefined) {
    query = new Query(filter, { context });
    if (key.length < 2_000) compiled.set(key, query);
  }
  const found = query;
  return (document) => found.test(document as Record<string, unknown>);
}

/**
 * Most filters name ids, fences and times that no other filter has named before: compiling each would be most of the
 * work. A text, number or truth value compared with another of its kind means the same to everybody; whatever else a
 * filter or a document says is left to mingo.
 */
function plainly(filter: Filter): Matches | undefined {
  const tests: { path: string; test: (value: unknown) => boolean }[] = [];
  for (const [path, condition] of Object.entries(filter) as [string, Condition][]) {
    if (path.startsWith('$') || path.includes('.')) return undefined;
    const test = testOf(condition);
    if (test === undefined) return undefined;
    tests.push({ path, test });
  }
  let thorough: Matches | undefined;
  return (document) => {
    for (const { path, test } of tests) {
      const value: unknown = Reflect.get(document, path);
      if (typeof value === 'object' && value !== null) {
        thorough ??= byMingo(filter);
        return thorough(document);
      }
      if (!test(value)) return false;
    }
    return true;
  };
}

function testOf(condition: Condition): ((value: unknown) => boolean) | undefined {
  if (typeof condition === 'string' || typeof condition === 'boolean' || Number.isFinite(condition)) {
    return (value) => value === condition;
  }
  if (typeof condition !== 'object' || condition === null) return undefined;
  const tests = Object.entries(condition).map(([operator, bound]) => comparison(operator, bound));
  if (tests.length === 0 || tests.includes(undefined)) return undefined;
  return (value) => tests.every((test) => test?.(value) === true);
}

function comparison(operator: string, bound: unknown): ((value: unknown) => boolean) | undefined {
  if (operator === '$exists') return (value) => (value !== undefined) === bound;
  // Texts by their code units, as SQLite does by bytes and MongoDB by its simple collation: ASCII is the same to all.
  const isPlain = typeof bound === 'string' ? isAscii(bound) : Number.isFinite(bound);
  if (!isPlain) return undefined;
  const kind = typeof bound;
  switch (operator) {
    case '$gt':
      return (value) => typeof value === kind && (value as string) > (bound as string);
    case '$gte':
      return (value) => typeof value === kind && (value as string) >= (bound as string);
    case '$lt':
      return (value) => typeof value === kind && (value as string) < (bound as string);
    case '$lte':
      return (value) => typeof value === kind && (value as string) <= (bound as string);
    default:
      return undefined;
  }
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}
