import { LRUCache } from 'lru-cache';
import { Query } from 'mingo';
import type { Filter } from './collection.ts';

// Compiling costs more than reading a row, and the same few filters come again and again.
const compiled = new LRUCache<string, Query>({ max: 500 });

/** A function that says whether a document matches: MongoDB's rules, by mingo. */
export function matcherOf(filter: Filter): (document: object) => boolean {
  const key = JSON.stringify(filter);
  let query = compiled.get(key);
  if (query === undefined) {
    query = new Query(filter);
    if (key.length < 2_000) compiled.set(key, query);
  }
  const found = query;
  return (document) => found.test(document as Record<string, unknown>);
}
