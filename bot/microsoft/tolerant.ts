import { createRequire } from 'node:module';
import type { HtmlToTextOptions } from 'html-to-text';
import { LRUCache } from 'lru-cache';
import * as v from 'valibot';

/** Schemas for what Microsoft is sloppy about: nulls, numbers as text, casing, HTML where text is meant. */

/** A finite number, also as text; null for anything else. */
export function numberOf(value: unknown): number | null {
  const number =
    typeof value === 'string' && /^\s*[+-]?\d{1,15}(\.\d+)?\s*$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}

/** The same as a schema. */
export const looseNumber = v.pipe(v.unknown(), v.transform(numberOf));

/** Text, or '' for anything else. */
export const looseText = v.fallback(v.string(), '');

/** True for true, also as text in any case; false for anything else. */
export const looseFlag = v.fallback(
  v.union([
    v.boolean(),
    v.pipe(
      v.string(),
      v.toLowerCase(),
      v.transform((text) => text === 'true'),
    ),
  ]),
  false,
);

/** The items of a list that fit `item`; an absent list, null or another shape is an empty one. */
export function looseList<S extends v.GenericSchema>(item: S) {
  return v.pipe(
    v.unknown(),
    v.transform((list): v.InferOutput<S>[] =>
      (Array.isArray(list) ? list : []).flatMap((one) => {
        const parsed = v.safeParse(item, one);
        return parsed.success ? [parsed.output] : [];
      }),
    ),
  );
}

/** The address when it is http(s), else null: nothing else of Microsoft's may become a link. */
export function httpLink(text: string): string | null {
  const url = URL.parse(text.trim());
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') && url.username === ''
    ? url.href
    : null;
}

// Read with the first HTML: at start it would cost each thread more than opening the store.
const load = createRequire(import.meta.url);
let converter: ((html: string) => string) | undefined;

function fromHtml(html: string): string {
  if (converter === undefined) {
    const { compile } = load('html-to-text') as typeof import('html-to-text');
    converter = compile(conversion);
  }
  return converter(html);
}

const conversion: HtmlToTextOptions = {
  wordwrap: false,
  limits: { maxDepth: 40, maxChildNodes: 2_000, ellipsis: '…' },
  selectors: [
    {
      selector: 'a',
      options: {
        hideLinkHrefIfSameAsText: true,
        linkBrackets: ['(', ')'],
        pathRewrite: (path: string) => httpLink(path) ?? '',
      },
    },
    { selector: 'img', format: 'skip' },
    { selector: 'h1', options: { uppercase: false } },
    { selector: 'h2', options: { uppercase: false } },
    { selector: 'h3', options: { uppercase: false } },
    { selector: 'h4', options: { uppercase: false } },
    { selector: 'table', options: { uppercaseHeaderCells: false } },
  ],
};

// The remediation texts are alike for all tenants; turning HTML into text is the dearest part of reading a profile.
const converted = new LRUCache<string, string>({
  max: 2_000,
  maxSize: 16_000_000,
  sizeCalculation: (text, html) => text.length + html.length + 1,
});
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
const unseen = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;
/** Words with one blank between them and nothing to take out: most of what comes. */
const ordinary = /^[!-%'-;=-~\u00a1-\u00ff\u2010-\u2027]+(?: [!-%'-;=-~\u00a1-\u00ff\u2010-\u2027]+)*$/;

/**
 * Microsoft's text or HTML as plain text of at most `most` characters: tags gone, links only to http(s) addresses,
 * control and direction characters gone. Still foreign: escape it where it is shown.
 */
export function plainText(html: string, most: number): string {
  if (html.length <= most && ordinary.test(html)) return html;
  let text = converted.get(html);
  if (text === undefined) {
    text = /[<&]/.test(html) ? fromHtml(html.slice(0, 200_000)) : html;
    text = text
      .replace(/\r\n?/g, '\n')
      .replace(unseen, '')
      .replace(/[ \t\u00a0]+/g, ' ')
      .replace(/\n{3,}/g, '\n\n')
      .trim();
    converted.set(html, text);
  }
  return text.length > most
    ? `${text
        .slice(0, most - 1)
        .trimEnd()
        .toWellFormed()}…`
    : text.toWellFormed();
}
