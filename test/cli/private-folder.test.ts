import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { privateFolder } from '../../bot/cli/private-folder.ts';

const onPosix = process.platform === 'win32' ? test.skip : test;
let outside: string;
beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), 'wp-private-'));
});
afterEach(() => rmSync(outside, { recursive: true, force: true }));

onPosix('a folder is made for its user alone, and is good the next time too', () => {
  const folder = join(outside, 'ours');
  for (let round = 0; round < 2; round += 1) expect(privateFolder(folder)).toBe(folder);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

const others: { what: string; make(path: string): void }[] = [
  {
    what: 'that others may write in',
    make(path) {
      mkdirSync(path);
      chmodSync(path, 0o777);
    },
  },
  {
    what: 'that is a link to somewhere else',
    make(path) {
      mkdirSync(`${path}-target`, { mode: 0o700 });
      symlinkSync(`${path}-target`, path);
    },
  },
];
for (const { what, make } of others) {
  onPosix(`a folder ${what} is refused`, () => {
    const folder = join(outside, 'theirs');
    make(folder);
    expect(() => privateFolder(folder)).toThrow("is not this user's alone");
  });
}

onPosix('a file in its place is no folder', () => {
  const file = join(outside, 'file');
  writeFileSync(file, '');
  expect(() => privateFolder(file)).toThrow();
});
