import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, expect, test } from '@jest/globals';
import { builtTab, tabSources } from './built-tab.ts';

/** Budgets of performance.md §5, in bytes of gzip. */
const budgets = { initial: 110 * 1024, firstPage: 175 * 1024, styles: 12 * 1024 };

let folder: string;
let page: string;
beforeAll(async () => {
  folder = await builtTab();
  page = readFileSync(join(folder, 'index.html'), 'utf8');
}, 90_000);

const zipped = (file: string): number =>
  gzipSync(readFileSync(join(folder, 'assets', file)), { level: 9 }).length;
const assets = (ending: string): string[] =>
  readdirSync(join(folder, 'assets')).filter((file) => file.endsWith(ending));
const sum = (sizes: number[]): number => sizes.reduce((a, b) => a + b, 0);

/** The files and all they import before they run. */
function withImports(files: readonly string[]): string[] {
  const found = new Set<string>();
  const look = (file: string): void => {
    if (found.has(file)) return;
    found.add(file);
    const text = readFileSync(join(folder, 'assets', file), 'utf8');
    for (const [, next = ''] of text.matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)) look(next);
  };
  for (const file of files) look(file);
  return [...found];
}

test('the script the page begins with holds its budget', () => {
  const initial = [...page.matchAll(/(?:src|href)="\/tab\/assets\/([^"]+\.js)"/g)].map(
    ([, file]) => file ?? '',
  );
  expect(initial.length).toBeGreaterThan(0);
  const size = sum(initial.map(zipped));
  expect(size).toBeGreaterThan(50 * 1024); // the measure itself works
  expect(size).toBeLessThanOrEqual(budgets.initial);
});

test('all scripts of the first page together hold theirs', () => {
  // What the page begins with asks at once for a tenant's page and, in Teams, for the client's library.
  const begun = assets('.js').filter((file) => /^(index|TenantView|teams)-/.test(file));
  expect(begun).toHaveLength(3);
  const scripts = withImports(begun);
  expect(scripts.length).toBeGreaterThan(begun.length);
  expect(sum(scripts.map(zipped))).toBeLessThanOrEqual(budgets.firstPage);
  // Pages that are opened later come on top of it; none of them is large.
  const later = assets('.js').filter((file) => !scripts.includes(file));
  for (const file of later) expect({ file, fits: zipped(file) < 12 * 1024 }).toEqual({ file, fits: true });
  expect(sum(assets('.css').map(zipped))).toBeLessThanOrEqual(budgets.styles);
});

test('the page has no inline script or style, no source maps, and files named by their content', () => {
  expect(page).not.toMatch(/<script(?![^>]*\bsrc=)[^>]*>/);
  expect(page).not.toMatch(/<style|style="|\son\w+="/);
  for (const file of readdirSync(join(folder, 'assets'))) expect(file).toMatch(/-[\w-]{8}\.(js|css)$/);
});

test('nothing secret or of this machine is in the scripts', () => {
  const all = assets('.js')
    .map((file) => readFileSync(join(folder, 'assets', file), 'utf8'))
    .join('\n');
  expect(all).not.toMatch(/BEGIN [A-Z ]*PRIVATE KEY|client_secret|localStorage\.setItem/);
  expect(all).not.toContain(process.cwd());
});

/** A colour by number, by function or by one of the names people use. */
const colour =
  /#[0-9a-f]{3,8}\b(?![\w-])|\b(?:rgba?|hsla?|oklch|oklab|color-mix|lab|lch)\(|(?<=[:\s'"])(?:white|black|red|green|blue|gr[ae]y|orange|yellow|purple|pink|brown|silver|gold)(?=[;'"\s,)])/i;

test('only the theme file names colours', () => {
  const guilty = tabSources()
    .filter((file) => /[\\/]tab[\\/].*\.(tsx?|css|html)$/.test(file) && basename(file) !== 'theme.ts')
    .flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => !/^\s*(\/?\*|\/\/)/.test(line) && colour.test(line))
        .map((line) => `${basename(file)}: ${line.trim()}`),
    );
  expect(guilty).toEqual([]);
});

test.each(['color: #fff;', 'fill: rgb(0 0 0);', "stroke: 'red',", 'background: white;', 'oklch(0.5 0.1 20)'])(
  'the judge of colours sees "%s"',
  (line) => expect(colour.test(line)).toBe(true),
);
