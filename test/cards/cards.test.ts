import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { Template } from 'adaptivecards-templating';
import fc from 'fast-check';
import MarkdownIt from 'markdown-it';
import { tenantUrl } from '../../bot/cards/actions.ts';
import { noticeCard } from '../../bot/cards/notice.ts';
import { cardTemplate } from '../../bot/cards/render.ts';
import scoreTemplate from '../../bot/cards/score.json' with { type: 'json' };
import { scoreCard } from '../../bot/cards/score.ts';
import type { CardData } from '../../bot/services.ts';
import { openCardSigner } from '../../bot/teams/card-data.ts';
import { clean } from '../../shared/foreign-text.ts';
import { plus } from '../../shared/time.ts';
import { count, seed } from '../support/counts.ts';
import { channel, gallery } from './gallery.ts';
import { aTenant, contosoPosture, idOf, now, settings } from './samples.ts';

const cards = Object.entries(gallery()).map(([name, card]) => ({ name, card }));
const root = fileURLToPath(new URL('../..', import.meta.url));

/** All objects and strings of a card with the way to them. */
function* nodes(node: unknown, path = ''): Generator<{ path: string; value: unknown }> {
  yield { path, value: node };
  if (typeof node !== 'object' || node === null) return;
  for (const [name, value] of Object.entries(node)) yield* nodes(value, `${path}/${name}`);
}

function strings(card: CardData): { path: string; text: string }[] {
  return [...nodes(card)].flatMap(({ path, value }) =>
    typeof value === 'string' ? [{ path, text: value }] : [],
  );
}

/** The tree without its words: which elements stand where with which options. */
function shape(card: CardData): string {
  const words = /\/(text|title|fallbackText|speak|tooltip|url|tenant)$/;
  return JSON.stringify(
    [...nodes(card)].map(({ path, value }) => [
      path,
      typeof value === 'object' || words.test(path) ? typeof value : value,
    ]),
  );
}

test.each(cards)(
  '$name: version 1.5, a fallback text, at most 6 buttons, no template left over',
  ({ card }) => {
    expect(card).toMatchObject({ type: 'AdaptiveCard', version: '1.5' });
    expect(card.fallbackText).toEqual(expect.stringMatching(/\S/));
    expect(Array.isArray(card.actions) && card.actions.length).toBeLessThanOrEqual(6);
    expect(JSON.stringify(card)).not.toContain('${');
    expect(JSON.stringify(card)).not.toContain('$when');
    expect([...nodes(card)].filter(({ value }) => value === null || value === undefined)).toEqual([]);
  },
);

test.each(cards.filter(({ name }) => name.startsWith('score')))(
  '$name has at most three buttons, the first leads on',
  ({ card }) => {
    const buttons = card.actions as { title: string }[];
    expect(buttons.length).toBeLessThanOrEqual(3);
    expect(buttons[0]?.title).toBe('Open in Watchpost');
  },
);

test.each(cards)(
  '$name uses only colours and styles of the card language, and words beside colours',
  ({ card }) => {
    for (const { path, text } of strings(card)) {
      if (path.endsWith('/color'))
        expect(['Default', 'Good', 'Attention', 'Warning', 'Accent']).toContain(text);
      expect(text).not.toMatch(/#[0-9a-f]{6}\b/i);
    }
  },
);

test('a card reads: how good, is it getting better, what to do, how old, what is not seen', () => {
  const texts = strings(gallery().score as CardData).map(({ text }) => text);
  for (const needed of [
    'Contoso Ltd',
    'Secure Score · 20 Nov · read 14 min ago',
    '62.4\u2009%',
    '318 of 510 points',
    '▼ 3.1',
    '%-points since 19\u00a0Nov, 2 controls regressed',
    '▲ 4.8',
    '%-points in 30\u00a0days, from 57.6\u2009% on 21\u00a0Oct',
    '9.2 above',
    'tenants of similar size (53.2\u2009%)',
    ' 30\u00a0days,\u00a057.6–65.5\u2009%',
    'Worth most now, in points',
    '+8.0',
    'Block legacy authentication',
    'Open in Watchpost',
    'Sync now',
    'All tenants',
  ]) {
    expect(texts).toContain(needed);
  }
});

test('the maximum that Microsoft moved is nobody’s fall', () => {
  const posture = contosoPosture();
  const change = { from: '2026-11-19', to: '2026-11-20', percent: -1.2, points: 0, maxPoints: 10 };
  const moved = { ...posture, sinceYesterday: change, regressed: 0, improved: 0 };
  const said = (one: typeof posture) =>
    JSON.stringify(
      scoreCard({
        tenant: aTenant(1, 'Contoso Ltd'),
        posture: one,
        now,
        settings,
        maySync: false,
        staleAfterMs: 86_400_000,
        fall: '',
      }).card,
    );
  const text = '%-points since 19\u00a0Nov, Microsoft moved the maximum by +10.0\u00a0points';
  expect(said(moved)).toContain(text);
  expect(said(moved)).toContain('"text":"▼ 1.2","color":"Default"');
  expect(said({ ...moved, regressed: 1 })).toContain('"text":"▼ 1.2","color":"Attention"');
});

test('asked again, a score is the same card until anything that it says has changed', () => {
  const tenant = aTenant(1, 'Contoso Ltd');
  const asked = {
    tenant,
    posture: contosoPosture(),
    now,
    settings,
    maySync: true,
    staleAfterMs: 86_400_000,
    fall: '',
  };
  const ill = { ...tenant.health, state: 'service-error' as const, cause: 'Graph is away.', remedy: '' };
  const changes: Partial<typeof asked>[] = [
    { now: plus(now, 60_000) },
    { now: plus(now, 30 * 3_600_000) },
    { now: plus(now, 60 * 86_400_000) },
    { tenant: { ...tenant, name: 'Contoso Group' } },
    { tenant: { ...tenant, health: ill } },
    { tenant: { ...tenant, datasets: {} } },
    { settings: { ...settings, publicUrl: 'https://elsewhere.example' } },
    { maySync: false },
    { fall: 'Contoso Ltd fell 3.1 %-points.' },
    {
      tenant: {
        ...tenant,
        health: { ...tenant.health, failing: { times: 2, since: now, cause: 'Graph is away.' } },
      },
    },
  ];
  for (const change of changes) {
    const before = scoreCard(asked);
    expect(scoreCard({ ...asked, now: plus(now, 1) })).toBe(before);
    const wanted = { ...asked, ...change };
    const after = scoreCard(wanted);
    expect(JSON.stringify(after)).not.toBe(JSON.stringify(before));
    // Made anew from an equal posture that nobody has seen yet: the same.
    expect(after).toEqual(scoreCard({ ...wanted, posture: contosoPosture() }));
  }
});

test.each(cards)('the toast of $name is plain text: no stars, no escapes, nothing invisible', ({ card }) => {
  expect(card.fallbackText).not.toMatch(/\*\*|\\[[\]*_@.]|\u2060/);
});

test('a notice without a text for the toast gets one without Markdown', () => {
  const card = noticeCard({
    text: '**Contoso** says \\[x\\] to a\\@\u2060b.\u2060example.',
    lines: ['More.'],
  });
  expect(card.fallbackText).toBe('Contoso says [x] to a@b.example. More.');
});

test('what is not known is said, never 0', () => {
  const ill = strings(gallery().scoreIll as CardData).map(({ text }) => text);
  expect(ill).toContain('not available');
  expect(ill).toContain('not known');
  expect(ill).toContain('no earlier day');
  expect(ill.join('\n')).toContain(
    'Permission Error since 18 Nov. Consent was withdrawn. Ask an administrator',
  );
  expect(ill.join('\n')).toContain('Not seen: Secure Score (permission missing: SecurityEvents.Read.All)');
});

// ------------------------------------------------------------------------------------------- types and renderer

type Parser = {
  AdaptiveCard: new () => {
    parse(json: unknown, context: unknown): void;
    validateProperties(): { validationEvents: unknown[] };
  };
  SerializationContext: new (
    version: unknown,
  ) => { eventCount: number; getEventAt(i: number): { message: string } };
  Versions: { v1_5: unknown };
};
const parser: Parser = createRequire(import.meta.url)('adaptivecards/dist/adaptivecards.js');

function complaints(json: unknown): string[] {
  const card = new parser.AdaptiveCard();
  const context = new parser.SerializationContext(parser.Versions.v1_5);
  card.parse(json, context);
  return [
    ...Array.from({ length: context.eventCount }, (_, i) => context.getEventAt(i).message),
    ...card.validateProperties().validationEvents.map((event) => JSON.stringify(event)),
  ];
}

test.each(cards)('$name is read without a complaint by the card library', ({ card }) => {
  expect(complaints(card)).toEqual([]);
});

test('the card library is awake: an unknown element and a wrong colour are complained about', () => {
  const body = [{ type: 'Badgee' }, { type: 'TextBlock', text: 'x', color: 'pink' }];
  expect(complaints({ type: 'AdaptiveCard', version: '1.5', body }).length).toBeGreaterThanOrEqual(2);
});

test('every card fits the types of Teams, and a wrong one does not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'watchpost-cards-'));
  const types = join(root, 'node_modules/@microsoft/teams.cards');
  const typed = (name: string, card: unknown): string =>
    `export const ${name}: IAdaptiveCard = ${JSON.stringify(card)};\n`;
  const head = `import type { IAdaptiveCard } from '${types}/dist/index.js';\n`;
  await writeFile(join(folder, 'good.ts'), head + cards.map(({ name, card }) => typed(name, card)).join(''));
  const wrong = {
    type: 'AdaptiveCard',
    version: '1.5',
    body: [{ type: 'TextBlock', text: 'x', color: 'pink' }],
  };
  await writeFile(join(folder, 'bad.ts'), head + typed('wrong', wrong));
  const check = async (file: string): Promise<string> => {
    const compilerOptions = { noEmit: true, strict: true, skipLibCheck: true, module: 'nodenext', types: [] };
    const config = join(folder, `${file}.json`);
    await writeFile(config, JSON.stringify({ compilerOptions, files: [file] }));
    try {
      await promisify(execFile)(join(root, 'node_modules/.bin/tsc'), ['-p', config]);
      return '';
    } catch (error) {
      // Errors of Node's own modules come from outside the test's world: no instanceof.
      return typeof error === 'object' && error !== null && 'stdout' in error
        ? `failed: ${error.stdout}`
        : String(error);
    }
  };
  try {
    expect(await check('good.ts')).toBe('');
    expect(await check('bad.ts')).toContain('"pink"');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 60_000);

// ------------------------------------------------------------------------------------------- foreign text

const renderers = [new MarkdownIt(), new MarkdownIt({ html: true, linkify: true })];

/** Texts that act when rendered as Markdown: anything but a paragraph. */
function acting(card: CardData): string[] {
  return strings(card)
    .filter(({ path }) => path.endsWith('/text'))
    .filter(({ text }) => renderers.some((renderer) => /<(?!\/?p>)/.test(renderer.render(text))))
    .map(({ text }) => text);
}

const templateCode = ['$', '{'].join('');
const hostile = [
  `${templateCode}$root.fallback}`,
  `${templateCode}json('{"type":"Image"}')}`,
  '"},{"type":"Image","url":"https://evil.example"},{"a":"',
  '[click](https://evil.example)',
  '![x](https://evil.example/x.png)',
  '<at>Ana</at> <img src=x>',
  '{{DATE(2026-11-20T00:00:00Z, SHORT)}}',
  '# big\n- list\n\n```code```',
  'https://evil.example evil.com x@evil.com',
  '\u202eevil\u200b\ud800\u0000',
  'x'.repeat(1_000_000),
  '',
  '-1',
  'null',
];

// One harmless text in every field, as the hostile ones are: where two fields say the same, a card says it once.
const shapes = Object.fromEntries(
  Object.entries(gallery(() => 'x')).map(([name, card]) => [name, shape(card)]),
);

function isHarmless(text: string): void {
  for (const [name, card] of Object.entries(gallery(() => (clean(text, 80) === '' ? 'x' : text)))) {
    expect({ name, shape: shape(card) === shapes[name] }).toEqual({ name, shape: true });
    expect({ name, acting: acting(card) }).toEqual({ name, acting: [] });
    const urls = [...nodes(card)]
      .filter(({ path }) => path.endsWith('/url'))
      .map(({ value }) => String(value));
    expect(urls.filter((url) => !url.startsWith(settings.publicUrl))).toEqual([]);
    expect(Buffer.byteLength(JSON.stringify(card))).toBeLessThan(28 * 1024);
    expect(JSON.stringify(card)).not.toMatch(/\{\{(DATE|TIME)\(/);
    expect(strings(card).every((one) => one.text.isWellFormed())).toBe(true);
  }
}

test.each(hostile.map((text) => ({ text: text.slice(0, 60), whole: text })))(
  '“$text” in every field changes no card',
  ({ whole }) => {
    isHarmless(whole);
  },
);

test('any text in every field changes no card (R29)', () => {
  const piece = fc.oneof(
    fc.constantFrom(...hostile.filter((text) => text.length < 200)),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 5 }), (pieces) => isHarmless(pieces.join(' '))),
    { numRuns: count(40, 5000), seed },
  );
});

test('the judge is awake: the same text put in unescaped acts', () => {
  const fill = cardTemplate<{ text: string }>({
    type: 'AdaptiveCard',
    version: '1.5',
    body: [{ type: 'TextBlock', text: `${templateCode}text}` }],
  });
  expect(acting(fill({ text: '[click](https://evil.example)' }))).toHaveLength(1);
});

test('data is never read as a template', () => {
  const fill = cardTemplate<{ name: string; list: object[]; whole: object }>({
    type: 'AdaptiveCard',
    version: '1.5',
    body: [{ $data: `${templateCode}list}`, type: 'TextBlock', text: `A ${templateCode}name} B` }],
    whole: `${templateCode}whole}`,
  });
  const code = `${templateCode}$root.secret}`;
  const card = fill({
    name: code,
    list: [{ name: code, $when: `${templateCode}false}` }],
    whole: { $when: false, a: code },
  });
  expect(card.body).toEqual([{ type: 'TextBlock', text: `A ${code} B` }]);
  expect(card.whole).toEqual({ $when: false, a: code });
});

test('with 500 tenants and names of 1,000 characters every signed card is under 28 KB', () => {
  const signer = openCardSigner([{ kid: 'k1', key: Buffer.alloc(32, 7) }]);
  const place = { conversationId: channel.conversationId, audience: channel.audience };
  for (const wide of ['m', '*', '漢', '😀', '"']) {
    for (const [name, card] of Object.entries(gallery(() => wide.repeat(1000), 500))) {
      const bytes = Buffer.byteLength(signer.sign(card, place, Date.UTC(2026, 10, 20)));
      expect({ name, wide, fits: bytes < 28 * 1024 }).toEqual({ name, wide, fits: true });
    }
  }
});

test.each([
  { teamsAppId: undefined, demo: true, url: `https://wp.example/tab/tenants/${idOf(1)}` },
  { teamsAppId: undefined, demo: false, url: `https://wp.example/tab/tenants/${idOf(1)}` },
  {
    teamsAppId: 'app-id',
    demo: false,
    url: `https://teams.microsoft.com/l/entity/app-id/tenants?webUrl=${encodeURIComponent(
      `https://wp.example/tab/tenants/${idOf(1)}`,
    )}&context=${encodeURIComponent(`{"subEntityId":"tenant:${idOf(1)}"}`)}`,
  },
])('with app id $teamsAppId a tenant opens at $url', ({ url, ...links }) => {
  expect(tenantUrl(idOf(1), { ...links, publicUrl: 'https://wp.example' })).toBe(url);
});

test('a template is read once: filling it again is far cheaper than reading it', () => {
  const data = { ...cards[0]?.card, name: 'x', facts: [], actions: [], buttons: [] };
  const time = (work: () => unknown): number => {
    const started = performance.now();
    for (let i = 0; i < 30; i += 1) work();
    return performance.now() - started;
  };
  const fill = cardTemplate<object>(scoreTemplate);
  const reading = () => new Template(scoreTemplate).expand({ $root: data });
  time(() => fill(data));
  time(reading);
  expect(time(() => fill(data)) * 3).toBeLessThan(time(reading));
});
