import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

/** The arrows of the house: who may import whom, and which library may be used in which room. */

const root = fileURLToPath(new URL('..', import.meta.url));

type Rule = { room: RegExp; may: RegExp[] };

// `cron.ts` is arithmetic on a cron expression: jobs ask when work is due, lists and cards when data is old. `digest.ts`
// makes the ids of findings and outbox rows, which jobs and commands must make alike.
// `noted.ts` sees to it that what changes something leaves an audit entry, whoever serves it.
// `csv.ts` is the one safe writer of CSV.
const ports = [/^bot\/(services|errors|log|cron|csv|digest|json-lines|noted)\.ts$/];
const edge = [/^shared\//, /^bot\/(outbound|clouds|loopback|errors|log|secrets|services)\.ts$/];

/** First matching row decides. `services.ts` is types only and is checked as such below. */
const rules: Rule[] = [
  { room: /^shared\//, may: [/^shared\//] },
  { room: /^tab\//, may: [/^tab\//, /^shared\//] },
  { room: /^bot\/cards\//, may: [/^bot\/cards\//, /^shared\//, /^bot\/services\.ts$/] },
  // What people may do is changed in chat and in the tab by the same hands.
  { room: /^bot\/people\//, may: [/^bot\/people\//, /^shared\//, ...ports] },
  {
    room: /^bot\/commands\//,
    may: [
      /^bot\/commands\//,
      /^bot\/people\//,
      // *Generate link* in the tab and `connect` in chat make the same link.
      /^bot\/connect\/links\.ts$/,
      /^shared\//,
      /^bot\/cards\//,
      ...ports,
    ],
  },
  { room: /^bot\/jobs\//, may: [/^bot\/jobs\//, /^shared\//, /^bot\/cards\//, ...ports] },
  {
    room: /^bot\/(api|connect)\//,
    may: [
      /^bot\/api\//,
      /^bot\/connect\//,
      /^bot\/people\//,
      // *Sync now* in the tab joins the same wish as `sync` in chat.
      /^bot\/commands\/request-sync\.ts$/,
      // How often a tenant is read is chosen in the tab; when it is due then is worked out as its job does it.
      /^bot\/jobs\/cadence\.ts$/,
      /^shared\//,
      /^bot\/cards\//,
      /^bot\/secrets\.ts$/,
      ...ports,
    ],
  },
  { room: /^bot\/microsoft\//, may: [/^bot\/microsoft\//, ...edge] },
  { room: /^bot\/store\//, may: [/^bot\/store\//, ...edge] },
  // The door dispatches to the handlers.
  { room: /^bot\/teams\/application\.ts$/, may: [/^bot\/teams\//, /^bot\/commands\//, ...edge] },
  { room: /^bot\/teams\//, may: [/^bot\/teams\//, ...edge] },
  { room: /^bot\/server(\.ts|\/)/, may: [/^bot\/(server|teams|api|connect)(\.ts|\/)/, ...edge] },
  {
    room: /^bot\/(main|program|demo|demo-sandbox|build-tab|clock|clock-thread|open-services|open-teams|open-way-out|first-admin)\.ts$|^bot\/cli\//,
    may: [/^bot\//, /^shared\//],
  },
  { room: /^bot\/[^/]+\.ts$/, may: [/^shared\//, /^bot\/[^/]+\.ts$/] },
  { room: /^test\//, may: [/^test\//, /^bot\//, /^shared\//, /^tab\//] },
];

/** Where a library may be used, and why only there. Node's own modules: everywhere but in `shared/` and `tab/`. */
const libraries: { name: RegExp; rooms: RegExp[]; why: string }[] = [
  { name: /^valibot$/, rooms: [/^bot\//, /^shared\//], why: 'the schema library, at every edge' },
  { name: /^fastest-levenshtein$/, rooms: [/^shared\/(tenants|command)/], why: 'nearest names' },
  {
    name: /^(botbuilder|botframework-|@microsoft\/teams-ai)/,
    rooms: [/^bot\/teams\//],
    why: 'the archived SDKs stay behind one door',
  },
  {
    name: /^(@azure\/msal-node|@microsoft\/microsoft-graph-client)/,
    rooms: [/^bot\/microsoft\//],
    why: 'one gateway to Entra and Graph',
  },
  {
    name: /^undici(\/|$)/,
    rooms: [/^bot\/(microsoft|teams)\//, /^bot\/(outbound|sandbox-dispatcher)\.ts$/],
    why: 'one way out',
  },
  {
    name: /^(mongodb|mingo)/,
    rooms: [/^bot\/store\/engine\//],
    why: 'code above the store cannot tell which engine it is',
  },
  { name: /^node:sqlite$/, rooms: [/^bot\/store\/engine\//], why: 'as above' },
  { name: /^restify$/, rooms: [/^bot\/server(\.ts|\/)/], why: 'routes and nothing else' },
  { name: /^node-cron$/, rooms: [/^bot\/jobs\/index\.ts$/], why: 'only the tick' },
  {
    name: /^cron-parser$/,
    rooms: [/^bot\/cron\.ts$/, /^bot\/config-reader\.ts$/],
    why: 'one piece computes when work is due and when data is old; the settings are checked with it',
  },
  {
    name: /^jose(\/|$)/,
    rooms: [/^bot\/api\/require-user\.ts$/, /^bot\/teams\//, /^bot\/microsoft\//],
    why: 'tokens',
  },
  {
    name: /^@microsoft\/teams-js$/,
    rooms: [/^tab\/(teams|popup-host)\.ts$/],
    why: 'one file knows the host, one its windows',
  },
  { name: /^(react|react-dom|@fluentui\/)/, rooms: [/^tab\//], why: 'the page' },
  { name: /^(vite|@vitejs\/)/, rooms: [/^tab\/vite\.config\.ts$/], why: "the tab's build" },
  {
    name: /^(adaptivecards-templating|adaptive-expressions)$/,
    rooms: [/^bot\/cards\//],
    why: 'card templates',
  },
  {
    name: /^html-to-text$/,
    rooms: [/^bot\/microsoft\//],
    why: "Microsoft's HTML becomes plain text where it comes in",
  },
  {
    name: /^(@peculiar\/x509|reflect-metadata)$/,
    rooms: [/^bot\/connect\/make-certificate\.ts$/],
    why: "makes customers' certificates: no ASN.1 of our own; the second is what the first's container asks for",
  },
  { name: /^lru-cache$/, rooms: [/^bot\//], why: 'every cache has a bound' },
  {
    name: /^csv-parse(\/|$)/,
    rooms: [/^bot\/connect\/read-companies\.ts$/],
    why: 'reads the lists of companies people paste: quotes, line ends and byte-order marks of every spreadsheet',
  },
  {
    name: /^csv-stringify(\/|$)/,
    rooms: [/^bot\/csv\.ts$/],
    why: 'one writer of CSV, safe against formulas',
  },
  { name: /^pino$/, rooms: [/^bot\/log\.ts$/], why: 'one log' },
  {
    name: /^(@microsoft\/app-manifest|fflate)$/,
    rooms: [/^bot\/cli\/package/],
    why: 'builds and judges the app package; nothing that runs needs it',
  },
  { name: /^prom-client$/, rooms: [/^bot\/metrics\.ts$/], why: 'one set of figures' },
];

type Import = { from: string; to: string; typeOnly: boolean };

const files = [...walk('shared'), ...walk('bot'), ...walk('tab'), ...walk('test')];
const imports = files.flatMap(importsOf);

test('the source was really read', () => {
  expect(files.length).toBeGreaterThan(40);
  expect(imports.some((one) => one.from === 'bot/jobs/sync-scores.ts' && one.to === 'shared/access.ts')).toBe(
    true,
  );
});

test('every import goes along an arrow of the house', () => {
  expect(imports.flatMap(complaint)).toEqual([]);
});

test.each([
  {
    line: "import { x } from '../store/open.ts';",
    from: 'bot/microsoft/gateway.ts',
    says: /may not import bot\/store\/open.ts/,
  },
  { line: "import { MongoClient } from 'mongodb';", from: 'bot/commands/score.ts', says: /mongodb/ },
  { line: "const { MongoClient } = require('mongodb');", from: 'bot/commands/score.ts', says: /mongodb/ },
  { line: "import { readFileSync } from 'node:fs';", from: 'shared/words.ts', says: /node:fs/ },
  {
    line: "import { openGateway } from '../bot/microsoft/gateway.ts';",
    from: 'shared/words.ts',
    says: /may not import/,
  },
  { line: "import type { Services } from '../bot/services.ts';", from: 'tab/api.ts', says: /may not import/ },
])('a planted import is found: $from $line', ({ line, from, says }) => {
  expect(parse(line, from).flatMap(complaint).join('\n')).toMatch(says);
});

test('only settings are read from the environment in one place', () => {
  const readers = files.filter(
    (file) => /^(bot|shared|tab)\//.test(file) && /process\.env\b/.test(code(file)),
  );
  expect(
    readers.filter(
      (file) =>
        ![
          'bot/config.ts',
          'bot/main.ts',
          'bot/program.ts',
          'bot/clock.ts',
          'bot/cli/main.ts',
          'bot/cli/package.ts',
          'bot/cli/doctor.ts',
        ].includes(file),
    ),
  ).toEqual([]);
});

function complaint(one: Import): string[] {
  const local = one.to.includes('/') && /^(shared|bot|tab|test)\//.test(one.to);
  if (!local) {
    if (one.to.startsWith('node:') && one.to !== 'node:sqlite') {
      return /^(shared|tab)\//.test(one.from) && one.from !== 'tab/vite.config.ts'
        ? [`${one.from} may not use ${one.to}: no Node there`]
        : [];
    }
    if (one.from.startsWith('test/')) return [];
    const known = libraries.find((library) => library.name.test(one.to));
    if (known === undefined) return [`${one.from} uses ${one.to}, which has no row in the library table`];
    const allowed =
      known.rooms.some((room) => room.test(one.from)) || (one.typeOnly && one.from.startsWith('bot/'));
    return allowed ? [] : [`${one.from} may not use ${one.to}: ${known.why}`];
  }
  if (one.to.startsWith('test/') && !one.from.startsWith('test/'))
    return [`${one.from} may not import ${one.to}: nobody imports test/`];
  if (/^(shared|tab)\//.test(one.from) && one.to.startsWith('bot/'))
    return [`${one.from} may not import ${one.to}, not even its types`];
  // Type imports are free, except out of bot/ into shared/ or tab/ (checked above).
  if (one.typeOnly) return [];
  const rule = rules.find((row) => row.room.test(one.from));
  if (rule === undefined) return [`${one.from} stands in no room`];
  return rule.may.some((room) => room.test(one.to)) ? [] : [`${one.from} may not import ${one.to}`];
}

function importsOf(file: string): Import[] {
  return parse(readFileSync(join(root, file), 'utf8'), file);
}

function parse(text: string, file: string): Import[] {
  const found: Import[] = [];
  for (const match of text.matchAll(
    /^(?:import|export)\s+(type\s+)?(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]/gm,
  )) {
    add(match[2] ?? '', match[1] !== undefined);
  }
  for (const match of text.matchAll(/\b(?:import|require)\(\s*['"]([^'"]+)['"]\s*\)/g))
    add(match[1] ?? '', false);
  return found;

  function add(specifier: string, typeOnly: boolean): void {
    const to = specifier.startsWith('.')
      ? relative(root, resolve(root, dirname(file), specifier))
      : specifier;
    found.push({ from: file, to: to.replaceAll('\\', '/'), typeOnly });
  }
}

function code(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

function walk(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'dist' || entry.name === 'node_modules' ? [] : walk(path);
    return /\.tsx?$/.test(entry.name) ? [path] : [];
  });
}
