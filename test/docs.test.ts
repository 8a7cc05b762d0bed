import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { names } from '../bot/config-reader.ts';
import { commandTable } from '../shared/command-table.ts';

/** What README and docs name is there: commands, options, files, settings, figures, routes. */

const root = fileURLToPath(new URL('..', import.meta.url));
const text = (path: string): string => readFileSync(join(root, path), 'utf8');
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs')).flatMap((one) => (one.endsWith('.md') ? [`docs/${one}`] : [])),
];
const scripts = (JSON.parse(text('package.json')) as { scripts: Record<string, string> }).scripts;

/** Names of others: Node's own, and of the files beside the program that have names of their own. */
const nodes = ['NODE_ENV', 'NODE_COMPILE_CACHE', 'NODE_USE_ENV_PROXY', 'NODE_OPTIONS', 'HTTPS_PROXY'];
const beside = ['compose.yaml', 'env/.env.dev', 'bot/cli/package-values.ts'].flatMap(
  (path) => text(path).match(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g) ?? [],
);
const settings = new Set<string>([...names, ...nodes, ...beside]);
/** Made while it runs, or by the reader: not in the repository. */
const made = [
  /^data\//,
  /^tab\/dist/,
  /^appPackage\/build/,
  /^watchpost\.(env|zip|sqlite|sqlite-wal)$/,
  /^watchpost-read-back\.zip$/,
  /^secret\.txt$/,
  /^copy\.sqlite$/,
  /^\.env$/,
  /^env\/\.env\.(NAME|dev\.user)$/,
];
const extensions = /\.(?:ts|tsx|js|json|md|yml|yaml|bicep|png|svg|txt|env|zip|sqlite|sqlite-wal)$/;

/** Sentences about what a page names and is not there. */
function complaints(page: string, content: string): string[] {
  const fences = [...content.matchAll(/```\w*\n([\s\S]*?)```/g)].flatMap(([, block]) =>
    (block ?? '').split('\n'),
  );
  const outside = content.replace(/```[\s\S]*?```/g, '');
  const inline = [...outside.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code ?? '');
  const code = [...fences, ...inline];
  return [
    ...code.flatMap(command),
    ...(content
      .match(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g)
      ?.flatMap((name) =>
        settings.has(name) ? [] : [`${page} names the setting ${name}, which nobody reads`],
      ) ?? []),
    ...(content.match(/\bwatchpost_\w+/g) ?? []).flatMap((name) =>
      text('bot/metrics.ts').includes(`'${name}'`)
        ? []
        : [`${page} names the figure ${name}, which is not counted`],
    ),
    ...code.flatMap((one) => one.split(/[\s,]+/)).flatMap(path),
    ...[...content.matchAll(/\]\((?!https?:)([^)#]+)/g)].flatMap(([, target]) =>
      existsSync(join(root, dirname(page), target ?? ''))
        ? []
        : [`${page} links to ${target}, which is not there`],
    ),
    ...inline.flatMap(route),
  ];

  function command(line: string): string[] {
    const found = [...line.matchAll(/npm run ([\w-]+)/g)].flatMap(([, script]) =>
      scripts[script ?? ''] === undefined ? [`${page} names npm run ${script}, which is no script`] : [],
    );
    const [, script] = /npm run (\w+) -- /.exec(line) ?? /node (bot\/cli\/\w+\.ts)/.exec(line) ?? [];
    if (script === undefined) return found;
    const file = script.includes('/') ? script : (scripts[script] ?? '').replace(/^node /, '');
    if (!file.startsWith('bot/')) return found;
    const own = line.slice(line.indexOf(script));
    const options = [...own.matchAll(/ --([a-z][\w-]+)/g)].map(([, option]) => option ?? '');
    return [
      ...found,
      ...options.flatMap((option) =>
        new RegExp(`'?\\b${option}'?\\s*: `).test(text(file))
          ? []
          : [`${page} names --${option}, which ${file} does not take`],
      ),
    ];
  }

  function path(word: string): string[] {
    const bare = word.replace(/^["'(]+|[)"';:]+$/g, '').replace(/^\.\//, '');
    const looksLike =
      /^(bot|tab|shared|test|docs|infra|env|appPackage|data)\/[\w./-]*$/.test(bare) ||
      (/^[\w./-]+$/.test(bare) && extensions.test(bare));
    if (!looksLike || bare.startsWith('/') || made.some((one) => one.test(bare))) return [];
    const there = existsSync(join(root, bare)) || existsSync(join(root, dirname(page), bare));
    return there ? [] : [`${page} names ${bare}, which is not there`];
  }

  function route(word: string): string[] {
    if (!/^\/[a-z]/.test(word)) return [];
    const [first = ''] = word.slice(1).split(' ');
    const known =
      commandTable.some(({ name }) => name === first) ||
      text('bot/server.ts').includes(`'/${first}`) ||
      ['/data', '/tmp'].includes(word);
    return known ? [] : [`${page} names ${word}, which is neither a route nor a command`];
  }
}

test.each(pages.map((page) => ({ page })))('$page names only what is there', ({ page }) => {
  expect(complaints(page, text(page))).toEqual([]);
});

test('every setting is documented, in a table', () => {
  const rows = ['README.md', 'docs/operating.md'].flatMap((page) =>
    text(page)
      .split('\n')
      .filter((line) => line.startsWith('|')),
  );
  expect(
    names.filter((name) => !rows.some((row) => (row.split('|')[1] ?? '').includes(`\`${name}\``))),
  ).toEqual([]);
});

test('the README is short and leads to the pages', () => {
  expect(text('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(160);
  for (const page of pages.slice(1)) expect(text('README.md')).toContain(`(${page})`);
});

test('the two files with secrets that the pages have people make are ignored by git', () => {
  const ignored = execFileSync('git', ['check-ignore', 'watchpost.env', '.env'], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(ignored.trim().split('\n')).toEqual(['watchpost.env', '.env']);
});

describe('a planted mistake is found', () => {
  test.each([
    { planted: 'Run `npm run docter`.', says: /npm run docter, which is no script/ },
    { planted: '```\nnpm run docter\n```', says: /npm run docter/ },
    {
      planted: 'npm: `npm run watchpost -- connect x --sekret-file F`',
      says: /--sekret-file, which bot\/cli\/main\.ts/,
    },
    { planted: '`node bot/cli/doctor.ts --yaml`', says: /--yaml/ },
    { planted: 'Set `BOT_PASWORD`.', says: /BOT_PASWORD, which nobody reads/ },
    { planted: 'See `bot/gone.ts`.', says: /bot\/gone\.ts, which is not there/ },
    { planted: 'See [this](gone.md).', says: /gone\.md, which is not there/ },
    { planted: 'Alarm on `watchpost_gone_seconds`.', says: /watchpost_gone_seconds/ },
    { planted: 'Ask `/healthy`.', says: /\/healthy, which is neither/ },
  ])('$planted', ({ planted, says }) => {
    expect(complaints('docs/x.md', planted).join('\n')).toMatch(says);
  });
});
