import { readdirSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { collections } from '../../bot/store/collections.ts';
import type { CollectionDeclaration } from '../../bot/store/engine/collection.ts';

const folder = new URL('../../bot/store/', import.meta.url);

/** Every declaration that a subject file exports. */
async function declared(): Promise<CollectionDeclaration[]> {
  const found: CollectionDeclaration[] = [];
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.ts'))) {
    const subject = (await import(new URL(name, folder).href)) as Record<string, unknown>;
    for (const [member, value] of Object.entries(subject)) {
      if (member.endsWith('Declaration')) found.push(value as CollectionDeclaration);
    }
  }
  return found;
}

/** What is wrong with a set of declarations, one sentence each. */
function complaints(
  all: readonly CollectionDeclaration[],
  gathered: readonly CollectionDeclaration[],
): string[] {
  const said = all
    .filter((one) => !gathered.includes(one))
    .map((one) => `${one.name} is declared but not gathered in collections.ts`);
  for (const { name, tenantScoped, indexes } of gathered) {
    for (const { keys, unique } of indexes) {
      const [first] = Object.keys(keys);
      if (tenantScoped && unique === true && first !== 'tenantId')
        said.push(`${name}: a unique index begins with ${first}`);
    }
  }
  return said;
}

test('every collection is gathered, and what grows with tenants can be sharded by tenant', async () => {
  const all = await declared();
  expect(all.length).toBe(collections.length);
  expect(complaints(all, collections)).toEqual([]);
  expect(new Set(collections.map((one) => one.name)).size).toBe(collections.length);
});

test('a collection nobody gathered, and an index that begins wrongly, are complained about', () => {
  const stray: CollectionDeclaration = {
    name: 'stray',
    tenantScoped: true,
    indexes: [{ keys: { name: 1, tenantId: 1 }, unique: true }],
  };
  expect(complaints([stray], collections)).toEqual(['stray is declared but not gathered in collections.ts']);
  expect(complaints([], [stray])).toEqual(['stray: a unique index begins with name']);
});
