import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { unzipSync } from 'fflate';
import { type PackageFiles, zipOf } from '../../bot/cli/package-build.ts';
import { ruleProblems } from '../../bot/cli/package-check.ts';
import { project, real } from './real.ts';

/** `npm run package` as a person runs it: the real program, its zips opened again. */

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wp-package-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(
  env: Record<string, string>,
  ...args: string[]
): { code: number | null; out: string; err: string } {
  const done = spawnSync(process.execPath, ['bot/cli/package.ts', ...args], {
    cwd: project,
    encoding: 'utf8',
    // A zone far from Greenwich: times must not get into the bytes.
    env: { PATH: process.env.PATH ?? '', TZ: 'Pacific/Auckland', ...env },
    timeout: 25_000,
  });
  return { code: done.status, out: done.stdout, err: done.stderr };
}

function opened(name: string): PackageFiles {
  return unzipSync(new Uint8Array(readFileSync(join(folder, name))));
}

test('without settings: the demo, and it says so', () => {
  const { code, out, err } = run({}, '--out', folder);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/These are the demo's ids/);
  expect(Object.keys(opened('watchpost.zip'))).toEqual(['color.png', 'manifest.json', 'outline.png']);
});

test('with settings from a file: both packages, good when opened again, the same bytes on any machine', () => {
  const file = join(folder, 'settings');
  const lines = Object.entries(real).map(([name, value]) => `${name}=${value}`);
  writeFileSync(file, `# ours\r\n${lines.join('\r\n')}\r\nTAB_DOMAIN=\r\n`);
  const env = { BOT_ID: 'what the file says wins', TAB_DOMAIN: 'watchpost.contoso.com' };
  const { code, out, err } = run(env, '--out', folder, '--env', file);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/Built for https:\/\/watchpost.contoso.com\./);
  for (const [name, variant] of [
    ['watchpost.zip', 'standard'],
    ['watchpost-read-back.zip', 'read-back'],
  ] as const) {
    const files = opened(name);
    expect(ruleProblems(files, variant)).toEqual([]);
    const manifest = new TextDecoder().decode(files['manifest.json']);
    for (const value of Object.values(real)) expect(manifest).toContain(value);
    // Packed here, in another time zone and another order, it is the same file.
    const backwards = Object.fromEntries(Object.entries(files).reverse());
    expect(Buffer.from(zipOf(backwards)).equals(readFileSync(join(folder, name)))).toBe(true);
  }
});

test('a line that the file leaves blank takes nothing away', () => {
  const file = join(folder, 'settings');
  writeFileSync(file, 'PUBLIC_URL=\nBOT_ID=" "\n');
  const { code, out } = run({ ...real }, '--out', folder, '--env', file);
  expect(code).toBe(0);
  expect(out).toMatch(/Built for https:\/\/watchpost.contoso.com\./);
});

test.each([
  { what: 'a setting is missing', env: { ...real, PUBLIC_URL: '' }, args: [], says: /PUBLIC_URL is missing/ },
  {
    what: 'the file is not there',
    env: {},
    args: ['--env', 'nowhere/.env'],
    says: /nowhere\/.env cannot be read/,
  },
  {
    what: 'an option is unknown',
    env: {},
    args: ['--zip'],
    says: /Unknown option '--zip'\.\nnpm run package/,
  },
])('$what: a sentence, exit 1, nothing written', ({ env, args, says }) => {
  const { code, err } = run(env, '--out', folder, ...args);
  expect(code).toBe(1);
  expect(err).toMatch(says);
  expect(err).not.toMatch(/\n\s+at /);
  expect(existsSync(join(folder, 'watchpost.zip'))).toBe(false);
});
