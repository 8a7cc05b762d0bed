import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import MarkdownIt from 'markdown-it';
import { clean, plain } from '../../shared/foreign-text.ts';
import { count, seed } from '../support/counts.ts';

// The renderer that card clients use, once as they set it up and once with everything that could act switched on.
const usual = new MarkdownIt();
const eager = new MarkdownIt({ html: true, linkify: true, breaks: true });

/** What the reader sees: the rendered text without tags, entities decoded. */
function shown(html: string): string {
  return html
    .replace(/<\/?p>\n?/g, '')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&amp;/g, '&')
    .replace(/\u2060/g, '');
}

/** Only a paragraph of text: no other tag came out of the renderer. */
function isInert(markdown: string): boolean {
  return [usual, eager].every((renderer) => {
    const html = renderer.render(`Before ${markdown} after`) + renderer.render(markdown);
    return !/<(?!\/?p>)/.test(html) && html.split('<p>').length <= 3;
  });
}

const attacks = [
  '*bold* _it_ **b** __u__ ~~s~~ `code`',
  '[click](https://evil.example/)',
  '![img](https://evil.example/x.png)',
  '[ref]: https://evil.example',
  'https://evil.example/?a=b',
  'evil.com',
  'evil.co.uk/path',
  'www.evil.com',
  'mailto:x@evil.example',
  'x@evil.com',
  '<https://evil.example>',
  '<at>Ana</at>',
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '&lt;at&gt;Ana&lt;/at&gt;',
  '&#60;b&#62;',
  '# heading',
  '> quote',
  '- item',
  '+ item',
  '* item',
  '1. item',
  '123456789) item',
  '---',
  '***',
  '___',
  '===',
  '| a | b |',
  '{{DATE(2026-11-20T00:00:00Z)}}',
  '$' + '{name}',
  '\\*escaped\\*',
  'trailing\\',
  '    code block',
  '```\ncode\n```',
  '<!-- comment -->',
  '[x]',
  '[^1]',
  ':smile:',
  'a\u2028b\u2029c\u0085d',
];

test.each(attacks)('%s does not act', (attack) => {
  expect(isInert(plain(attack, 200))).toBe(true);
});

test('the judge is awake: the same texts unescaped do act', () => {
  expect(attacks.filter((attack) => !isInert(attack)).length).toBeGreaterThan(20);
});

test('any mixture of attacks stays inert and bounded', () => {
  const piece = fc.oneof(
    fc.constantFrom(...attacks),
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.constantFrom(...'\\`*_{}[]()#+-.!|<>&~:/@$=^"\' \n\t1a'),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.integer({ min: 1, max: 200 }), (pieces, max) => {
      const text = pieces.join('');
      const escaped = plain(text, max);
      expect(escaped.length).toBeLessThanOrEqual(max);
      expect(clean(text, max).length).toBeLessThanOrEqual(max);
      expect(escaped.isWellFormed() && clean(text, max).isWellFormed()).toBe(true);
      expect({ escaped, inert: isInert(escaped) }).toEqual({ escaped, inert: true });
    }),
    { numRuns: count(2000, 200_000), seed },
  );
});

test.each([
  { name: 'Contoso Ltd', is: 'Contoso Ltd' },
  { name: 'Müller & Söhne', is: 'Müller & Söhne' },
  { name: 'R&D [EU] #1', is: 'R&D [EU] #1' },
  { name: 'C++ *Corp*', is: 'C++ *Corp*' },
  { name: '1. FC Köln', is: '1. FC Köln' },
  { name: 'contoso.com', is: 'contoso.com' },
  { name: 'scid_2016', is: 'scid_2016' },
  { name: '東京商事', is: '東京商事' },
  { name: '<Contoso>', is: '‹Contoso›' },
])('a reader sees “$name” as $is', ({ name, is }) => {
  expect(shown(usual.render(plain(name, 80)))).toBe(is);
});

test.each([
  { what: 'direction override', text: 'safe\u202egpj.exe', is: 'safegpj.exe' },
  { what: 'isolates', text: '\u2066a\u2069', is: 'a' },
  { what: 'zero-width characters', text: 'a\u200b\u200c\u2060\ufeffb', is: 'ab' },
  { what: 'tag characters', text: 'a\u{e0041}b', is: 'ab' },
  { what: 'Hangul filler', text: '\u3164', is: '' },
  { what: 'control characters', text: 'a\u0000\u001b[31mb', is: 'a [31mb' },
  { what: 'a lone surrogate', text: 'a\ud800b', is: 'a\ufffdb' },
  { what: 'towers of accents', text: `e${'\u0301'.repeat(50)}`, is: 'e\u0301\u0301\u0301' },
  { what: 'line breaks', text: 'a\r\n\r\nb\u2028c', is: 'a b c' },
])('$what do not come through', ({ text, is }) => {
  expect(clean(text, 80)).toBe(is);
});

test.each([
  { text: 'abcdefgh', max: 5, is: 'abcd…' },
  { text: 'abcde', max: 5, is: 'abcde' },
  { text: 'ab😀cd', max: 4, is: 'ab…' },
])('“$text” in $max characters is $is', ({ text, max, is }) => {
  expect(clean(text, max)).toBe(is);
  expect(plain(text, max)).toBe(is);
});

test('a megabyte is cut in no time', () => {
  const started = performance.now();
  expect(plain('*'.repeat(1_000_000), 80).length).toBeLessThanOrEqual(80);
  expect(performance.now() - started).toBeLessThan(500);
});

test.each([
  { text: 'permission missing: SecurityEvents.Read.All', same: true },
  { text: 'AuditLog.Read.All; Domain.Read.All.', same: true },
  { text: 'evil.Read.All', same: false },
  { text: 'Read.All.evil.com', same: false },
  { text: 'https://Evil.Read.All/x', same: false },
  { text: 'Domain.Read.All.com', same: false },
])('“$text” can be copied as it stands: $same', ({ text, same }) => {
  expect(plain(text, 200) === text).toBe(same);
});
