import type { Mention } from './command.ts';

/** Chat text made simple: one line, plain spaces, no mark-up, no invisible characters, mentions as single words. */

/** No command is longer; what comes after is not read. */
const longest = 8192;

// Private-use characters stand for mentions while the text is cut into words; any in the text itself go first.
const open = '\uE000';
const close = '\uE001';

const blank = /[\s\p{Cc}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]+/gu;

const simple = /^[\x21-\x25\x27-\x3b\x3d-\x7e]+(?: [\x21-\x25\x27-\x3b\x3d-\x7e]+)*$/;

/** One word of a command. `quoted` words are taken as they stand; `mention` is an index into the mentions. */
export type Word = { text: string; quoted: boolean; comma: boolean; mention?: number };

/** Text as typed → one clean line. Mentions of the bot are gone, those of people stand as placeholders. */
export function simplified(raw: string, mentions: readonly Mention[]): string {
  // What most people type in a personal chat is simple already.
  if (mentions.length === 0 && raw.length <= longest && simple.test(raw)) return raw;
  const bare = raw.toWellFormed().replace(/[\uE000\uE001]/g, ' ');
  const short = markMentions(bare, mentions)
    .replace(/\s{2,}/g, ' ')
    .slice(0, longest * 4);
  return decodeEntities(withoutTags(short))
    .replace(blank, (run) => (joins(run) ? '' : ' '))
    .trim()
    .slice(0, longest)
    .toWellFormed()
    .normalize('NFC');
}

/** Invisible characters inside a word vanish; anything that is (also) a space is a space. */
function joins(run: string): boolean {
  return /^\p{Default_Ignorable_Code_Point}+$/u.test(run);
}

/** The mentions are looked for in their order of appearance, each once, so that the work stays in proportion. */
function markMentions(text: string, mentions: readonly Mention[]): string {
  const found: { at: number; length: number; index: number }[] = [];
  let from = 0;
  for (const [index, mention] of mentions.slice(0, 20).entries()) {
    if (mention.text === '') continue;
    let at = text.indexOf(mention.text, from);
    if (at < 0) at = text.indexOf(mention.text);
    if (
      at < 0 ||
      found.some((other) => at < other.at + other.length && other.at < at + mention.text.length)
    ) {
      continue;
    }
    found.push({ at, length: mention.text.length, index });
    from = at + mention.text.length;
  }
  found.sort((a, b) => a.at - b.at);
  let result = '';
  let end = 0;
  for (const { at, length, index } of found) {
    const person = mentions[index]?.isBot === false ? ` ${open}${index}${close} ` : ' ';
    result += text.slice(end, at) + person;
    end = at + length;
  }
  return result + text.slice(end);
}

/** What a message may be marked up with. Anything else between angle brackets was typed, and may be a name. */
const markUp =
  /<\/?(?:a|at|attachment|b|blockquote|br|code|codeblock|customemoji|del|div|em|emoji|font|h[1-6]|hr|i|img|li|ol|p|pre|readonly|s|span|strike|strong|sub|sup|table|tbody|td|th|thead|tr|u|ul)(?=[\s/>])[^<>]{0,200}>/gi;

/** Mentions without an entity lose their name with the tag; other tags vanish, their text stays. */
function withoutTags(text: string): string {
  return text.replace(/<at(?:\s[^<>]{0,200})?>[^<>]{0,200}<\/at>/gi, ' ').replace(markUp, ' ');
}

const named: Record<string, string> = {
  nbsp: ' ',
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  ldquo: '“',
  rdquo: '”',
  bdquo: '„',
  lsquo: '‘',
  rsquo: '’',
  laquo: '«',
  raquo: '»',
  ensp: ' ',
  emsp: ' ',
  thinsp: ' ',
  zwsp: '',
  shy: '',
};

function decodeEntities(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-zA-Z]{2,8}));/g,
    (all, decimal, hex, name) => {
      if (typeof name === 'string') return named[name.toLowerCase()] ?? all;
      const code = typeof decimal === 'string' ? Number(decimal) : Number.parseInt(String(hex), 16);
      const valid = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
      return valid && code !== 0xe000 && code !== 0xe001 ? String.fromCodePoint(code) : ' ';
    },
  );
}

const quotes = new Set('"“”„‟«»″＂');
// An apostrophe is a quotation mark only where a word begins or ends: O'Brien is one word.
const apostrophes = new Set("'‘’‚‛‹›`");

/** Cuts a simplified line into words; quoted ones keep their spaces; commas are noted, not kept. */
export function words(line: string): Word[] {
  const found: Word[] = [];
  let at = 0;
  while (at < line.length) {
    const character = line[at] ?? '';
    if (character === ' ') {
      at += 1;
    } else if (character === ',' || character === ';' || character === '，' || character === '、') {
      const last = found.at(-1);
      if (last !== undefined) last.comma = true;
      at += 1;
    } else if (character === open) {
      const end = line.indexOf(close, at);
      found.push({ text: '', quoted: false, comma: false, mention: Number(line.slice(at + 1, end)) });
      at = end + 1;
    } else if (quotes.has(character) || apostrophes.has(character)) {
      const end = closing(line, at + 1, quotes.has(character) ? quotes : apostrophes);
      found.push({ text: line.slice(at + 1, end).trim(), quoted: true, comma: false });
      at = end + 1;
    } else {
      const end = endOfWord(line, at);
      found.push({ text: line.slice(at, end), quoted: false, comma: false });
      at = end;
    }
  }
  return found;
}

/** Where the quotation ends: at the next mark of its kind (an apostrophe only at a word's end), or with the line. */
function closing(line: string, from: number, kind: ReadonlySet<string>): number {
  for (let at = from; at < line.length; at += 1) {
    if (!kind.has(line[at] ?? '')) continue;
    if (kind === quotes || /^[\s,;.!?]?$/.test(line[at + 1] ?? '')) return at;
  }
  return line.length;
}

function endOfWord(line: string, from: number): number {
  let at = from;
  while (at < line.length && !/[ ,;，、\uE000]/.test(line[at] ?? '') && !quotes.has(line[at] ?? '')) at += 1;
  return at;
}

/** The word without what people put at the end of a sentence. */
export function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && '?!.,;:…？！。*_`'.includes(text[end - 1] ?? '')) end -= 1;
  return text.slice(0, end);
}
