import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { holdFolder } from '../../bot/store/engine/instance.ts';
import { oneLineOf, startChild } from './children.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'watchpost-folder-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('one process holds the data folder', () => {
  test('a second process is refused in one sentence, until the first is gone, however it went', async () => {
    const first = startChild('hold.ts', folder);
    const [said] = await first.says(1);
    expect(said).toMatch(/^held [0-9a-f-]{36}$/);
    expect(await oneLineOf('hold.ts', folder)).toBe(
      `start: Another Watchpost is already running in ${folder}.`,
    );
    expect(() => holdFolder(folder)).toThrow(/already running/);
    await first.kill();
    const held = holdFolder(folder);
    expect(`held ${held.instanceId}`).toBe(said); // the id is made once
    held.release();
  }, 30_000);

  test('this process is refused the second time as well, and may again after letting go', () => {
    const held = holdFolder(folder);
    expect(() => holdFolder(folder)).toThrow(/already running/);
    held.release();
    held.release();
    const again = holdFolder(folder);
    expect(again.instanceId).toBe(held.instanceId);
    again.release();
  });

  test('it makes the folder for itself only, all the way', async () => {
    const deep = join(folder, 'a', 'b');
    const held = holdFolder(deep);
    expect((await stat(deep)).mode & 0o077).toBe(0);
    expect((await stat(join(deep, 'instance-id'))).mode & 0o077).toBe(0);
    held.release();
  });

  test('an id that a crash cut short is made again', async () => {
    await writeFile(join(folder, 'instance-id'), 'f3a');
    const held = holdFolder(folder);
    expect(held.instanceId).toMatch(/^[0-9a-f-]{36}$/);
    expect((await readFile(join(folder, 'instance-id'), 'utf8')).trim()).toBe(held.instanceId);
    held.release();
  });

  test('a file in its place is said to be no folder to write in', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    expect(() => holdFolder(file)).toThrow(`The data folder ${file} cannot be written.`);
    expect(() => holdFolder(join(file, 'below'))).toThrow(/cannot be written/);
  });

  const mayEverything = process.getuid?.() === 0 || process.platform === 'win32';
  (mayEverything ? test.skip : test)(
    'a folder without the right to write is told in one sentence (not as root)',
    async () => {
      await chmod(folder, 0o500);
      expect(() => holdFolder(folder)).toThrow(`The data folder ${folder} cannot be written.`);
      await chmod(folder, 0o700);
    },
  );
});
