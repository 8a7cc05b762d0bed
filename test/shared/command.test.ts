import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Command, type Mention, parseCommand } from '../../shared/command.ts';
import { commandTable, rowOfCommand } from '../../shared/command-table.ts';
import { count, seed } from '../support/counts.ts';

const bot: Mention = { teamsId: '28:bot', text: '<at>Watchpost</at>', isBot: true };
const ana: Mention = { teamsId: '29:ana', text: '<at>Ana</at>', isBot: false };
const contoso: Command = { kind: 'score', tenant: 'contoso' };
const contosoLtd: Command = { kind: 'score', tenant: 'Contoso Ltd' };

test.each<{ text: string; is: Command; mentions?: Mention[] }>([
  { text: '/score contoso', is: contoso },
  { text: 'score contoso', is: contoso },
  { text: 'score contoso.com', is: { kind: 'score', tenant: 'contoso.com' } },
  { text: 'score "Contoso Ltd"', is: contosoLtd },
  { text: 'score “Contoso Ltd”', is: contosoLtd },
  { text: 'score „Contoso Ltd“', is: contosoLtd },
  { text: 'score ‘Contoso Ltd’', is: contosoLtd },
  { text: "score 'Contoso Ltd'", is: contosoLtd },
  { text: 'score «Contoso Ltd»', is: contosoLtd },
  { text: 'score »Contoso Ltd«', is: contosoLtd },
  { text: 'score "Contoso Ltd', is: contosoLtd },
  { text: 'score Contoso Ltd', is: contosoLtd },
  { text: 'score for Contoso Ltd', is: contosoLtd },
  { text: 'score "for"', is: { kind: 'score', tenant: 'for' } },
  { text: 'score for', is: { kind: 'score', tenant: 'for' } },
  { text: 'score&nbsp;contoso', is: contoso },
  { text: 'score\u00a0contoso', is: contoso },
  { text: 'score\u2003\u202f\u3000contoso', is: contoso },
  { text: '  score    contoso  ', is: contoso },
  { text: 'score\n\tcontoso\r\n', is: contoso },
  { text: 'sc\u200bore con\u00adtoso', is: contoso },
  { text: '\ufeffscore contoso', is: contoso },
  { text: 'score \u200b contoso', is: contoso },
  { text: 'SCORE contoso', is: contoso },
  { text: 'ＳＣＯＲＥ contoso', is: contoso },
  { text: 'Score contoso?', is: contoso },
  { text: 'score contoso?!', is: contoso },
  { text: 'score contoso.', is: contoso },
  { text: 'score contoso,', is: contoso },
  { text: 'score "contoso"?', is: contoso },
  { text: '`score contoso`', is: contoso },
  { text: '**score contoso**', is: contoso },
  { text: '"score contoso"', is: contoso },
  { text: '<p>score&nbsp;contoso</p>', is: contoso },
  { text: '<p>score <strong>contoso</strong><br/></p>', is: contoso },
  { text: '<div style="x"><span>score</span> contoso</div>', is: contoso },
  // Not what Teams marks text up with: it was typed, as it stands or as Teams escapes it.
  { text: 'score <script>', is: { kind: 'score', tenant: '<script>' } },
  { text: 'score &lt;script&gt;', is: { kind: 'score', tenant: '<script>' } },
  { text: 'score <Contoso> Ltd', is: { kind: 'score', tenant: '<Contoso> Ltd' } },
  { text: 'score </script>', is: { kind: 'score', tenant: '</script>' } },
  { text: 'score a<b', is: { kind: 'score', tenant: 'a<b' } },
  { text: 'sync <p', is: { kind: 'sync', tenant: '<p' } },
  { text: 'score O’Brien &amp; Sons', is: { kind: 'score', tenant: 'O’Brien & Sons' } },
  { text: 'score &#8220;Contoso Ltd&#x201d;', is: contosoLtd },
  { text: 'score Northwind, Traders', is: { kind: 'score', tenant: 'Northwind, Traders' } },
  { text: '<at>Watchpost</at> score contoso', is: contoso, mentions: [bot] },
  { text: '<at>Watchpost</at>\u00a0score contoso', is: contoso, mentions: [bot] },
  { text: 'score contoso <at>Watchpost</at>', is: contoso, mentions: [bot] },
  { text: '<at>Watchpost</at>score contoso', is: contoso, mentions: [bot] },
  { text: '<at id="0">Watchpost</at> score contoso', is: contoso, mentions: [] },
  { text: '<at>Ana</at> score contoso', is: contoso, mentions: [ana] },
  { text: '@Watchpost score contoso', is: contoso, mentions: [{ ...bot, text: '@Watchpost' }] },
  { text: 'score', is: { kind: 'ranking', page: 1 } },
  { text: '/score', is: { kind: 'ranking', page: 1 } },
  { text: 'score?', is: { kind: 'ranking', page: 1 } },
  { text: 'scores', is: { kind: 'ranking', page: 1 } },
  { text: 'score 2', is: { kind: 'ranking', page: 2 } },
  { text: 'score page 2', is: { kind: 'ranking', page: 2 } },
  { text: 'score 0', is: { kind: 'ranking', page: 1 } },
  { text: 'score "2"', is: { kind: 'score', tenant: '2' } },
  { text: 'score 3M', is: { kind: 'score', tenant: '3M' } },
  { text: 'score 1e309', is: { kind: 'score', tenant: '1e309' } },
  { text: 'score 9999999999', is: { kind: 'score', tenant: '9999999999' } },
  { text: 'tenants', is: { kind: 'tenants', page: 1 } },
  { text: '/Tenants page 3', is: { kind: 'tenants', page: 3 } },
  { text: 'health', is: { kind: 'health', tenant: '', page: 1 } },
  { text: 'Health of "Contoso Ltd"?', is: { kind: 'health', tenant: 'Contoso Ltd', page: 1 } },
  { text: 'connect contoso', is: { kind: 'connect', tenant: 'contoso' } },
  { text: '/reconnect "Contoso Ltd"', is: { kind: 'connect', tenant: 'Contoso Ltd' } },
  { text: '/health page 2', is: { kind: 'health', tenant: '', page: 2 } },
  { text: 'sync contoso', is: { kind: 'sync', tenant: 'contoso' } },
  { text: 'who am i', is: { kind: 'who-am-i' } },
  { text: 'Who am I?', is: { kind: 'who-am-i' } },
  { text: 'whoami', is: { kind: 'who-am-i' } },
  { text: '', is: { kind: 'help' } },
  { text: '   \u200b ', is: { kind: 'help' } },
  { text: '<at>Watchpost</at>', is: { kind: 'help' }, mentions: [bot] },
  { text: 'hi', is: { kind: 'help' } },
  { text: 'Hello!', is: { kind: 'help' } },
  { text: 'hey there', is: { kind: 'help' } },
  { text: 'HELP', is: { kind: 'help' } },
  { text: '?', is: { kind: 'help' } },
  { text: 'flarb the tenant', is: { kind: 'help', unknown: 'flarb', said: 'flarb the tenant' } },
  { text: 'scorecontoso', is: { kind: 'help', unknown: 'scorecontoso', said: 'scorecontoso' } },
  {
    text: '[a](http://evil)',
    is: { kind: 'help', unknown: '\\[a\\](http:\u2060//evil)', said: '[a](http://evil)' },
  },
  { text: 'constructor', is: { kind: 'help', unknown: 'constructor', said: 'constructor' } },
  { text: 'contoso.com?', is: { kind: 'help', unknown: 'contoso.\u2060com?', said: 'contoso.com' } },
  { text: 'Contoso Ltd', is: { kind: 'help', unknown: 'Contoso', said: 'Contoso Ltd' } },
  { text: 'how is contoso?', is: { kind: 'help', unknown: 'how', said: 'contoso' } },
  { text: 'what is the score of contoso?', is: contoso },
  { text: 'What’s the secure score of Contoso Ltd?', is: contosoLtd },
  { text: 'show me the score for "Contoso Ltd"', is: contosoLtd },
  { text: 'please score contoso', is: contoso },
  { text: 'people', is: { kind: 'people', page: 1 } },
  { text: 'people 2', is: { kind: 'people', page: 2 } },
  { text: 'claim ABCD-EFGH', is: { kind: 'claim', code: 'ABCD-EFGH' } },
  { text: 'claim abcd efgh.', is: { kind: 'claim', code: 'abcdefgh' } },
])('“$text” is $is', ({ text, is, mentions }) => {
  expect(parseCommand(text, mentions ?? [])).toEqual(is);
});

const byMention = { by: 'mention', teamsId: '29:ana', text: '<at>Ana</at>' } as const;
const byAddress = { by: 'address', address: 'ana@contoso.com' } as const;

test.each<{ text: string; is: Command }>([
  {
    text: 'grant <at>Ana</at> operator',
    is: { kind: 'grant', person: byMention, role: 'Operator', tenants: [] },
  },
  {
    text: 'grant <at>Ana</at> as Reader.',
    is: { kind: 'grant', person: byMention, role: 'Reader', tenants: [] },
  },
  {
    text: 'grant Ana@Contoso.com operator all',
    is: { kind: 'grant', person: byAddress, role: 'Operator', tenants: [] },
  },
  {
    text: 'grant ana@contoso.com operator contoso, "Northwind Traders" until 2027-03-31',
    is: {
      kind: 'grant',
      person: byAddress,
      role: 'Operator',
      tenants: ['contoso', 'Northwind Traders'],
      until: '2027-03-31',
    },
  },
  {
    text: 'grant ana@contoso.com operator [contoso, “Northwind Traders”] [until 2028-02-29]',
    is: {
      kind: 'grant',
      person: byAddress,
      role: 'Operator',
      tenants: ['contoso', 'Northwind Traders'],
      until: '2028-02-29',
    },
  },
  {
    text: 'grant ana@contoso.com reader northwind traders, contoso ltd',
    is: { kind: 'grant', person: byAddress, role: 'Reader', tenants: ['northwind traders', 'contoso ltd'] },
  },
  {
    text: 'grant 0A4E8D52-19c7-4b3f-a6d0-72f5b8c1e931 admin',
    is: {
      kind: 'grant',
      person: { by: 'oid', oid: '0a4e8d52-19c7-4b3f-a6d0-72f5b8c1e931' },
      role: 'Admin',
      tenants: [],
    },
  },
  { text: 'revoke <at>Ana</at>', is: { kind: 'revoke', person: byMention } },
  { text: 'revoke ana@contoso.com', is: { kind: 'revoke', person: byAddress } },
])('“$text” is $is', ({ text, is }) => {
  expect(parseCommand(`<at>Watchpost</at> ${text}`, [bot, ana])).toEqual(is);
});

const three = { percent: 3, points: null };
const five = { percent: null, points: 5 };
test.each<{ text: string; is: Command }>([
  { text: 'watch contoso', is: { kind: 'watch', tenants: ['contoso'] } },
  { text: '/watch contoso', is: { kind: 'watch', tenants: ['contoso'] } },
  { text: 'watch&nbsp;“Contoso Ltd”', is: { kind: 'watch', tenants: ['Contoso Ltd'] } },
  { text: 'Watch contoso, fabrikam.', is: { kind: 'watch', tenants: ['contoso', 'fabrikam'] } },
  {
    text: 'watch "Contoso Ltd", "Smith, Jones"',
    is: { kind: 'watch', tenants: ['Contoso Ltd', 'Smith, Jones'] },
  },
  { text: 'watch all', is: { kind: 'watch', tenants: 'all' } },
  { text: 'watch ALL tenants!', is: { kind: 'watch', tenants: 'all' } },
  { text: 'watch "all"', is: { kind: 'watch', tenants: ['all'] } },
  { text: 'watch all, all', is: { kind: 'watch', tenants: 'all' } },
  { text: 'watching', is: { kind: 'watching' } },
  { text: 'Watching?', is: { kind: 'watching' } },
  { text: 'unwatch contoso', is: { kind: 'unwatch', tenants: ['contoso'] } },
  { text: 'unwatch', is: { kind: 'unwatch', tenants: 'all' } },
  { text: 'unwatch all', is: { kind: 'unwatch', tenants: 'all' } },
  { text: 'threshold contoso 3%', is: { kind: 'threshold', tenant: 'contoso', threshold: three } },
  { text: 'threshold contoso 3 %', is: { kind: 'threshold', tenant: 'contoso', threshold: three } },
  { text: 'threshold contoso to 3%', is: { kind: 'threshold', tenant: 'contoso', threshold: three } },
  { text: 'threshold for contoso 3%?', is: { kind: 'threshold', tenant: 'contoso', threshold: three } },
  { text: 'threshold contoso, 3%', is: { kind: 'threshold', tenant: 'contoso', threshold: three } },
  { text: 'threshold 3M 3%', is: { kind: 'threshold', tenant: '3M', threshold: three } },
  { text: 'threshold Area 51 5 points', is: { kind: 'threshold', tenant: 'Area 51', threshold: five } },
  {
    text: 'threshold "Contoso Ltd" 2,5 %',
    is: { kind: 'threshold', tenant: 'Contoso Ltd', threshold: { percent: 2.5, points: null } },
  },
  {
    text: 'threshold contoso 3%, 5 points',
    is: { kind: 'threshold', tenant: 'contoso', threshold: { percent: 3, points: 5 } },
  },
  {
    text: 'threshold Contoso Ltd 3% or 5 points',
    is: { kind: 'threshold', tenant: 'Contoso Ltd', threshold: { percent: 3, points: 5 } },
  },
  {
    text: 'threshold contoso\u00a05\u00a0points',
    is: { kind: 'threshold', tenant: 'contoso', threshold: five },
  },
  {
    text: 'threshold contoso default',
    is: { kind: 'threshold', tenant: 'contoso', threshold: { percent: 2, points: 5 } },
  },
  { text: 'threshold "all" 3%', is: { kind: 'threshold', tenant: 'all', threshold: three } },
])('“$text” is $is', ({ text, is }) => {
  expect(parseCommand(`<at>Watchpost</at> ${text}`, [bot, ana])).toEqual(is);
});

test.each([
  { text: 'watch', say: 'Which tenants shall be watched here?' },
  { text: 'watch ""', say: 'Which tenants shall be watched here?' },
  { text: 'watch all, contoso', say: 'not both' },
  { text: 'watch "Contoso Ltd" fabrikam', say: 'commas between tenants' },
  { text: `watch ${'x,'.repeat(51)}`, say: 'at most 50 tenants' },
  { text: 'threshold', say: 'For which tenant, and from which loss on?' },
  { text: 'threshold contoso', say: 'From which loss on?' },
  { text: 'threshold 3%', say: 'For which tenant?' },
  { text: 'threshold contoso 3', say: '3 of what?' },
  { text: 'threshold contoso 90%', say: 'between 0.5 and 50' },
  { text: 'threshold contoso 3% or 4%', say: 'one figure for each' },
  { text: 'threshold all 3%', say: 'one tenant at a time' },
  { text: 'sync', say: 'Which tenant' },
  { text: 'grant', say: 'Whom?' },
  {
    text: 'grant Ana operator',
    say: 'I cannot find a person by “Ana”: mention them, or give the address or object id.',
  },
  { text: 'grant <at>Watchpost</at> operator', say: 'Whom?' },
  { text: 'grant <at>Ana</at>', say: 'Which role?' },
  { text: 'grant <at>Ana</at> boss', say: 'Which role?' },
  { text: 'grant <at>Ana</at> reader contoso until 2027-02-30', say: '“2027-02-30” is not a date' },
  { text: 'grant <at>Ana</at> reader until 2027-02-29', say: '“2027-02-29” is not a date' },
  { text: 'grant <at>Ana</at> reader until 2027-13-01', say: 'is not a date' },
  { text: 'grant <at>Ana</at> reader until 31 Mar 2027', say: '“31 Mar 2027” is not a date' },
  { text: 'grant <at>Ana</at> reader until 2027-03-31T24:00', say: 'is not a date' },
  { text: 'grant <at>Ana</at> reader until', say: 'no date after' },
  { text: 'grant <at>Ana</at> reader ""', say: 'Which tenants?' },
  { text: 'grant <at>Ana</at> reader "Northwind Traders" untl 2027-03-31', say: 'commas' },
  { text: 'grant <at>Ana</at> reader "Northwind Traders" contoso', say: 'commas' },
  { text: 'revoke', say: 'Whom?' },
  { text: 'claim', say: 'code is missing' },
])('“$text” is told: $say', ({ text, say }) => {
  const command = parseCommand(text, [bot, ana]);
  expect(command).toMatchObject({ kind: 'misused', say: expect.stringContaining(say) });
});

test('what was not understood is echoed with at most 80 characters', () => {
  const command = parseCommand(`${'x*[y]'.repeat(5000)} z`, []);
  const echoed = command.kind === 'help' ? (command.unknown ?? '') : '';
  expect(echoed.length).toBeGreaterThan(10);
  expect(echoed.length).toBeLessThanOrEqual(80);
});

const anything = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({
    unit: fc.constantFrom(
      ...'score "“”‘’«»,<>at/&;#x\\`*[]\u200b\u00a0\ud800\udfff\ue000\ue001grant @until0123',
    ),
  }),
);

test('any text gives one of the known commands and never throws', () => {
  const kinds = new Set(['misused', 'ranking', 'who-am-i', ...commandTable.map((row) => row.name)]);
  fc.assert(
    fc.property(
      anything,
      fc.array(fc.record({ teamsId: fc.string(), text: anything, isBot: fc.boolean() })),
      (text, mentions) => {
        const command = parseCommand(text, mentions);
        expect(kinds).toContain(command.kind);
        expect(commandTable).toContain(rowOfCommand(command));
        expect(JSON.stringify(command).isWellFormed()).toBe(true);
      },
    ),
    { numRuns: count(1000, 100_000), seed },
  );
});

// Each of these made some tokenizer quadratic once.
test.each([
  { what: 'opening tags', unit: '<at ' },
  { what: 'entities', unit: '&#' },
  { what: 'apostrophes', unit: " '" },
  { what: 'quotation marks', unit: '"' },
  { what: 'spaces', unit: ' ' },
  { what: 'zero-width characters', unit: '\u200b' },
  { what: 'placeholders', unit: '\ue000' },
  { what: 'words', unit: 'score ' },
  { what: 'commas', unit: ',' },
  { what: 'combining marks', unit: 'e\u0301' },
])('256 KB of $what are read in time', ({ unit }) => {
  const text = unit.repeat(Math.ceil(262_144 / unit.length));
  const mentions = Array.from({ length: 100 }, () => ({ ...ana, text: unit }));
  parseCommand(text, mentions);
  const started = performance.now();
  parseCommand(text, mentions);
  expect(performance.now() - started).toBeLessThan(1000);
});

test('a command after 200 KB of spaces is still found', () => {
  expect(parseCommand(`${' '.repeat(200_000)}score contoso`, [])).toEqual(contoso);
});

test.each(commandTable)('help for “$name” shows a form that means it', (row) => {
  const shown = row.usage.replace('@Ana', 'ana@contoso.com');
  expect(rowOfCommand(parseCommand(shown, []))).toBe(row);
  expect(row.summary).not.toMatch(/[.]$/);
});

test('the menu fits into the manifest: at most 10 rows, none beginning with a slash', () => {
  const menu = commandTable.filter((row) => row.menu);
  expect(menu.length).toBeLessThanOrEqual(10);
  expect(menu.every((row) => /^[a-z]/.test(row.name))).toBe(true);
});
