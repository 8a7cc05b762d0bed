import { trimEnd, type Word } from './command-text.ts';
import { tagOf } from './tenants/tag.ts';

/** What stands after a role: the words of tenants, and the tags among them. `wrong` is a tag nobody can have. */
export type Named = { rest: Word[]; tags: string[] } | { wrong: string };

const begins = /^\[*tags?:/i;

/**
 * Takes `tag:retail`, `tag: retail` and `tag:"north america"` out of the words; what is left are tenants. A tag reaches
 * to the next comma, or to the next word that begins one.
 */
export function withoutTagWords(said: readonly Word[]): Named {
  const rest: Word[] = [];
  const tags: string[] = [];
  for (let at = 0; at < said.length; at += 1) {
    const first = said[at];
    if (first === undefined) break;
    if (first.quoted || !begins.test(first.text)) {
      rest.push(first);
      continue;
    }
    const parts = [first.text.replace(begins, '')];
    let last = first;
    for (let next = said[at + 1]; !last.comma && next !== undefined; next = said[at + 1]) {
      if (next.mention !== undefined || (!next.quoted && begins.test(next.text))) break;
      parts.push(next.text);
      last = next;
      at += 1;
    }
    const text = parts.filter((part) => part !== '').join(' ');
    const tag = tagOf(last.quoted ? text : trimEnd(text.replace(/\]+$/, '')));
    if (tag === undefined) return { wrong: text };
    if (!tags.includes(tag)) tags.push(tag);
  }
  return { rest, tags };
}
