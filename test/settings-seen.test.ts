import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type Keyring, newKeyringText, parseKeyring } from '../bot/secrets.ts';
import { noteSettings } from '../bot/settings-seen.ts';
import { openRig, type Rig } from './commands/rig.ts';

const one = newKeyringText();
const other = newKeyringText();
const secret = 'a-value-nobody-may-read-anywhere';
let rig: Rig;
let folder: string;
beforeEach(async () => {
  rig = await openRig();
  folder = mkdtempSync(join(tmpdir(), 'wp-settings-'));
});
afterEach(async () => {
  await rig.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(
  environment: NodeJS.ProcessEnv,
  keyring: Keyring = parseKeyring(one),
): Promise<string[]> {
  const { audit } = rig.services.store;
  const before = (await audit.list({ limit: 100 })).rows.length;
  await noteSettings(environment, folder, keyring, rig.services);
  const { rows } = await audit.list({ limit: 100 });
  return rows.slice(0, rows.length - before).map(({ who, what, detail }) => `${who} ${what} ${detail}`);
}

test('what differs from the last start is an entry by name; the same again is none', async () => {
  const settings = { PORT: '3978', BOT_PASSWORD: secret, PATH: '/bin', LOG_LEVEL: ' ' };
  expect(await start(settings)).toEqual(['watchpost settings first start with PORT BOT_PASSWORD']);
  expect(await start({ ...settings, PATH: '/usr/bin' })).toEqual([]);
  expect(await start({ BOT_PASSWORD: `${secret}2`, CLOUD: 'china' })).toEqual([
    'watchpost settings set: CLOUD; changed: BOT_PASSWORD; removed: PORT',
  ]);
  const file = join(folder, 'settings-seen.json');
  expect(readFileSync(file, 'utf8')).not.toContain(secret);
  if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('new encryption keys change that one setting only, as long as the old key is there', async () => {
  await start({ PORT: '1', ENCRYPTION_KEYS: one });
  const both = `${other},${one}`;
  expect(await start({ PORT: '1', ENCRYPTION_KEYS: both }, parseKeyring(both))).toEqual([
    'watchpost settings changed: ENCRYPTION_KEYS',
  ]);
  expect(await start({ PORT: '1', ENCRYPTION_KEYS: other }, parseKeyring(other))).toEqual([
    'watchpost settings changed: ENCRYPTION_KEYS',
  ]);
});

test('a spoilt file is a first start', async () => {
  await start({ PORT: '1' });
  writeFileSync(join(folder, 'settings-seen.json'), '{"kid');
  expect(await start({ PORT: '1' })).toEqual(['watchpost settings first start with PORT']);
});
