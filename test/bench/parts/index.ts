import type { Part } from '../part.ts';
import { besideSync } from './beside-sync.ts';
import { deliver } from './deliver.ts';
import { score } from './score.ts';
import { size } from './size.ts';
import { store } from './store.ts';
import { sync } from './sync.ts';

/** All parts by the letters they are chosen with. */
export const parts: Readonly<Record<string, Part>> = {
  a: score,
  b: deliver,
  c: sync,
  d: besideSync,
  e: store,
  f: size,
};
const quickOnes = ['a', 'b', 'c', 'e'];

/** The letters of `--only`, or all; of a quick run those that fit into three minutes. Throws for a letter nobody knows. */
export function chosen(only: string | undefined, quick: boolean): string[] {
  if (only === undefined) return quick ? quickOnes : Object.keys(parts);
  const letters = only.split(',').map((letter) => letter.trim());
  const unknown = letters.filter((letter) => !Object.hasOwn(parts, letter));
  if (unknown.length > 0)
    throw new Error(`There is no part ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}.`);
  return letters;
}
