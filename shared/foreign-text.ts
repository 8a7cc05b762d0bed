/**
 * Foreign text (R29): names, titles, sentences that a tenant or a person chose. It may be shown, it must not act:
 * no Markdown, no mention, no HTML, no link, no direction override, no invisible characters, bounded length.
 */

import { invisible } from './tenants/shown-name.ts';

const wordJoiner = '\u2060';
// The thin space stays: our own numbers carry it.
const unsafe = /[\p{Cc}\p{Zl}\p{Zp}\u0020\u00a0\u1680\u2000-\u2008\u200a\u202f\u205f\u3000]+/gu;
const longStacks = /(\p{M}{3})\p{M}+/gu;

/**
 * The text in safe characters on one line, at most `max` UTF-16 units with "…" when cut; Markdown is left as it is.
 * For places that know no Markdown: `fallbackText`, `speak`, titles of buttons, stored sentences.
 */
export function clean(text: string, max: number): string {
  return cut(safe(text, max), max);
}

/** The same for places that read Markdown (TextBlock, message text): every sign that would act is escaped. */
export function plain(text: string, max: number): string {
  return escapeMarkdown(safe(text, max), max);
}

/** What `plain` and our own Markdown made of a sentence, undone: for places that know no Markdown. */
export function unescaped(markdown: string): string {
  return markdown.replace(/\\([!-/:-@[-`{-~])|\*\*|\u2060/g, '$1');
}

// Most names are plain words: known to be safe at a glance, they are spared the thorough way.
const simple = /^[\x21-\x7a]+(?: [\x21-\x7a]+)*$/;
const inertAnyway = /^[A-Za-z][A-Za-z0-9 ,'%/]*$/;

function safe(text: string, max: number): string {
  if (text.length <= max && simple.test(text)) return text;
  // Nobody reads past `max`; cutting first keeps a megabyte from being worked on. The slack is for what is removed.
  const bounded = text.length > max * 8 + 1024 ? text.slice(0, max * 8 + 1024) : text;
  return (
    bounded
      .toWellFormed()
      .replace(unsafe, ' ')
      .replace(invisible, '')
      .replace(longStacks, '$1')
      // Cards compute "{{DATE(…)}}" wherever it stands.
      .replace(/\{(?=\{)/g, '{ ')
      .replace(/[ \u2009]{2,}/g, ' ')
      .trim()
  );
}

function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  let end = Math.max(max - 1, 0);
  // Not between the two halves of one character.
  if (/[\uD800-\uDBFF]/.test(text[end - 1] ?? '')) end -= 1;
  return `${text.slice(0, end).trimEnd()}…`;
}

/** One pass over the characters: what was made safe is never looked at again, so nothing can combine into an act. */
function escapeMarkdown(text: string, max: number): string {
  if (text.length <= max && inertAnyway.test(text)) return text;
  const characters = [...text];
  const own = ownNames(text);
  const parts: string[] = [];
  let length = 0;
  for (const [index, character] of characters.entries()) {
    const part = character === '.' && own.has(index) ? '.' : inert(character, characters, index);
    if (length + part.length > max - (index < characters.length - 1 ? 1 : 0)) {
      return `${parts.join('').trimEnd()}…`;
    }
    parts.push(part);
    length += part.length;
  }
  return parts.join('');
}

// Names of Graph permissions are copied by technicians, so nothing invisible goes in; no domain ends in "All".
const permissionNames =
  /(?<![\p{L}\p{N}.@:/\\-])[A-Z][A-Za-z]{2,40}(?:\.[A-Z][A-Za-z]{2,40})?\.(?:Read|ReadWrite|Send)\.All(?![\p{L}\p{N}@:/\\-]|\.\S)/gu;

/** Where, counted in characters, the text stands within the name of a permission. */
function ownNames(text: string): ReadonlySet<number> {
  const places = new Set<number>();
  if (!text.includes('.All')) return places;
  for (const { 0: name, index } of text.matchAll(permissionNames)) {
    const from = [...text.slice(0, index)].length;
    for (let at = 0; at < name.length; at += 1) places.add(from + at);
  }
  return places;
}

const always = new Set('\\`*~[]{}|');
const atStart = new Set('#+-=>');

function inert(character: string, all: readonly string[], index: number): string {
  const before = all[index - 1] ?? '';
  const after = all[index + 1] ?? '';
  if (always.has(character)) return `\\${character}`;
  switch (character) {
    // Angle brackets become quotation marks that look alike: harmless in whatever order a client decodes.
    case '<':
      return '‹';
    case '>':
      return '›';
    case '_':
      return isWord(before) && isWord(after) ? '_' : '\\_';
    case '&':
      // Not the beginning of an entity.
      return after !== ' ' && after !== '' ? `&${wordJoiner}` : '&';
    case '@':
      // Two locks: clients that find addresses by themselves look either at the text or at its pieces.
      return `\\@${wordJoiner}`;
    case ':':
      return after === '/' || isLetter(after) ? `:${wordJoiner}` : ':';
    case '.':
      // "evil.com" stays readable and is no link; "1." at the start is no list; "TLS 1.2" stays as it is.
      if (isLetter(after) && before !== '' && before !== ' ') return `.${wordJoiner}`;
      return startsList(all, index) ? '\\.' : '.';
    case ')':
      return startsList(all, index) ? '\\)' : ')';
    default:
      if (atStart.has(character) && index === 0) return `\\${character}`;
      // "---" is a line, "--" is not a reason to wait for the third.
      return character === '-' && before === '-' ? '\\-' : character;
  }
}

function isWord(character: string): boolean {
  return /^[\p{L}\p{N}]$/u.test(character);
}

function isLetter(character: string): boolean {
  return /^\p{L}$/u.test(character);
}

/** True when `index` ends a number that begins the text and stands alone: Markdown's ordered list. */
function startsList(all: readonly string[], index: number): boolean {
  const after = all[index + 1] ?? ' ';
  return index > 0 && index <= 9 && after === ' ' && all.slice(0, index).every((one) => /^[0-9]$/.test(one));
}
