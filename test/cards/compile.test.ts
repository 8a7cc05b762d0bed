import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compileTemplate } from '../../bot/cards/compile.ts';
import { byLibrary } from '../../bot/cards/render.ts';
import { count, seed } from '../support/counts.ts';

const folder = new URL('../../bot/cards/', import.meta.url);
const templates = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => ({ file, json: JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as object }));

/** An expression of the templating language. */
const of = (expression: string): string => `$\{${expression}}`;

const text = fc.oneof(fc.constant(''), fc.string(), fc.constantFrom(of('name'), "it's", '**b**', 'ŻÓŁĆ · ▲'));
const button = fc.record({
  type: fc.constant('Action.Execute'),
  title: text,
  data: fc.record({ verb: text }),
});
const row = fc.record({
  ...{ name: text, detail: text, value: text, change: text, note: text, line: text },
  ...{ headline: text, color: text, gain: text, title: text, points: text },
  ...{ valueColor: text, changeColor: text },
  changeSubtle: fc.boolean(),
  clickable: fc.boolean(),
  select: fc.record({ title: text, verb: text, data: fc.record({ verb: text }) }),
});
/** Everything that any of our templates names. */
const data = fc.record({
  ...{ fallback: text, name: text, caption: text, percent: text, points: text, notice: text, text },
  ...{
    noticeStyle: text,
    trend: text,
    range: text,
    actionsTitle: text,
    notSeen: text,
    title: text,
    foot: text,
  },
  ...{ bandStyle: text, detail: text, label: text, acknowledged: text },
  ...{ whyTitle: text, more: text, first: text },
  ...{ reasons: fc.array(row), aside: fc.array(row) },
  ...{ facts: fc.array(row), actions: fc.array(row), rows: fc.array(row), lines: fc.array(row) },
  buttons: fc.array(button),
});

test('the templates were really read', () => {
  expect(templates.length).toBeGreaterThan(2);
});

test.each(templates)('$file is filled as the templating library fills it, byte for byte', ({ json }) => {
  const ours = compileTemplate(json);
  const theirs = byLibrary(json);
  if (ours === undefined) throw new Error('not compiled: it says more than compile.ts knows');
  fc.assert(
    fc.property(data, (one) => {
      expect(JSON.stringify(ours(one))).toBe(JSON.stringify(theirs(one)));
    }),
    { numRuns: count(100, 5_000), seed },
  );
});

test.each(templates)(
  '$file is filled anew each time: what one turn does to its card, no other sees',
  ({ json }) => {
    const fill = compileTemplate(json);
    const [one] = fc.sample(data, { numRuns: 1, seed: 7 });
    if (fill === undefined || one === undefined) throw new Error('nothing to fill');
    const first = fill(one) as { body: { type: string }[] };
    const before = JSON.stringify(first);
    for (const element of first.body) element.type = 'Spoilt';
    first.body.length = 0;
    expect(JSON.stringify(fill(one))).toBe(before);
  },
);

test.each([
  { why: 'text around a member', json: { text: `Hello ${of('name')}` } },
  { why: 'a function', json: { text: of('toUpper(name)') } },
  { why: 'a comparison with something', json: { $when: of("name == 'x'") } },
  { why: 'the root', json: { text: of('$root.name') } },
  { why: 'a repeated member', json: { item: { $data: of('rows'), text: of('name') } } },
  { why: 'a host', json: { text: 'x', $host: of('name') } },
])('a template with $why is left to the library', ({ json }) => {
  expect(compileTemplate(json)).toBeUndefined();
});

test('a part that is not there is no part, and a repeated one without rows is none either', () => {
  const fill = compileTemplate({
    body: [{ $when: of("a != ''"), text: of('a') }, { $data: of('rows'), text: of('a') }, 1],
    more: { $when: of('yes'), text: 'x' },
  });
  expect(fill?.({ a: '', rows: [], yes: false })).toEqual({ body: [1] });
  expect(fill?.({ a: 'A', rows: [{ a: 1 }, { a: 2 }], yes: true })).toEqual({
    body: [{ text: 'A' }, { text: 1 }, { text: 2 }, 1],
    more: { text: 'x' },
  });
});
