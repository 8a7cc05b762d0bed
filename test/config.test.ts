import { expect, test } from '@jest/globals';
import { readConfig } from '../bot/config.ts';
import { WatchpostError } from '../bot/errors.ts';

const guid = '3f1c9a52-6d0e-4b7a-9c55-0a1b2c3d4e5f';
const required = {
  PUBLIC_URL: 'https://watchpost.example.com',
  BOT_ID: guid,
  BOT_PASSWORD: 'a-secret-of-the-bot',
  BOT_TENANT_ID: guid,
  ENCRYPTION_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
  AAD_APP_CLIENT_ID: guid,
  AAD_APP_TENANT_ID: guid,
};
const names = Object.keys(required) as (keyof typeof required)[];

function refusal(environment: Record<string, string>): string {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof WatchpostError && error.code === 'config') return error.message;
    throw error;
  }
  return '';
}

test('with nothing set the demo starts on loopback', () => {
  const config = readConfig({});
  expect(config).toMatchObject({
    demo: true,
    host: '127.0.0.1',
    port: 3978,
    role: 'all',
    syncScores: '* * * * *',
    syncDirectory: '*/10 * * * *',
  });
});

test('with everything set it is no demo and listens for everybody', () => {
  const config = readConfig(required);
  expect(config).toMatchObject({
    demo: false,
    host: '0.0.0.0',
    publicUrl: 'https://watchpost.example.com',
    homeTenantId: guid,
  });
  expect(JSON.stringify(config)).not.toContain('a-secret-of-the-bot');
});

test('every subset of the required settings but the empty and the whole one is refused, naming all that is missing', () => {
  for (let subset = 1; subset < 2 ** names.length - 1; subset += 1) {
    const chosen = names.filter((_, bit) => subset & (1 << bit));
    const message = refusal(Object.fromEntries(chosen.map((name) => [name, required[name]])));
    for (const name of names) expect(message.includes(`${name} is missing`)).toBe(!chosen.includes(name));
  }
});

test.each([
  { env: { BOT_ID: '' }, says: /BOT_ID is missing/ },
  { env: { HOST: '0.0.0.0' }, says: /BOT_ID is missing/ },
  { env: { NODE_ENV: 'production' }, says: /BOT_ID is missing/ },
  { env: { ...required, ENCRYPTION_KEYS: 'k1:AAAA' }, says: /ENCRYPTION_KEYS.*32 bytes/ },
  { env: { ...required, BOT_ID: 'bot' }, says: /BOT_ID must be a GUID/ },
  {
    env: { ...required, PUBLIC_URL: 'http://watchpost.example.com' },
    says: /PUBLIC_URL must be an https address/,
  },
  { env: { ...required, PUBLIC_URL: 'https://user@watchpost.example.com' }, says: /PUBLIC_URL must be/ },
  { env: { ...required, PORT: '70000' }, says: /PORT must be a port/ },
  { env: { ...required, CLOUD: 'moon' }, says: /CLOUD must be one of/ },
  { env: { ...required, WATCHPOST_ROLE: 'web' }, says: /needs MONGODB_URI/ },
  { env: { ...required, MONGODB_URI: 'postgres://x' }, says: /MONGODB_URI must begin/ },
  { env: { ...required, WATCHPOST_GROUP_ROLES: `${guid}=Owner` }, says: /WATCHPOST_GROUP_ROLES must be/ },
  { env: { ...required, WATCHPOST_GROUP_ROLES: `${guid}=Customer` }, says: /Roles are Admin/ },
  { env: { ...required, WATCHPOST_GROUP_ROLES: 'staff=Reader' }, says: /object ids of groups/ },
  {
    env: { ...required, WATCHPOST_GROUP_ROLES: `${guid}=Reader,${guid}=Admin` },
    says: /names a group twice/,
  },
  { env: { ...required, WATCHPOST_NAME_CLAIMS: 'name,oid' }, says: /WATCHPOST_NAME_CLAIMS must be some/ },
  { env: { ...required, SYNC_CRON_SCORES: 'often' }, says: /SYNC_CRON_SCORES is not a cron expression/ },
  { env: { ...required, SANDBOX_URL: 'http://127.0.0.1:1' }, says: /SANDBOX_URL is for the demo only/ },
  { env: { SANDBOX_URL: 'http://example.com' }, says: /SANDBOX_URL must be/ },
  { env: { ...required, BOT_PASSWORD: '', BOT_CERTIFICATE_FILE: 'x.pem' }, says: /belong together/ },
  { env: { ...required, GRAPH_APP_ID: guid }, says: /GRAPH_APP_ID is set without/ },
  { env: { ...required, METRICS_TOKEN: 'short' }, says: /METRICS_TOKEN is too short/ },
  { env: { ...required, DEBUG: '*' }, says: /DEBUG must not be set/ },
  { env: { ...required, NODE_ENV: 'production', NODE_DEBUG: 'tls' }, says: /NODE_DEBUG must not be set/ },
  { env: { ...required, NODE_OPTIONS: '--inspect=0.0.0.0:9229' }, says: /inspector must be off/ },
])('refused with $says', ({ env, says }) => {
  const message = refusal(env as unknown as Record<string, string>);
  expect(message).toMatch(says);
  expect(message).not.toContain('a-secret-of-the-bot');
});

test('roles by group and the claims that are shown', () => {
  const { people } = readConfig({
    ...required,
    WATCHPOST_GROUP_ROLES: ` ${guid.toUpperCase()} = operator `,
    WATCHPOST_NAME_CLAIMS: 'preferred_username, Name',
  });
  expect([...people.groupRoles]).toEqual([[guid, 'Operator']]);
  expect(people.shownBy).toEqual({
    name: ['preferred_username', 'name'],
    mail: ['email', 'preferred_username'],
  });
});

test('an unknown name of ours is one warning and never ends the demo', () => {
  const config = readConfig({ BOT_COLOUR: 'red', WATCHPOST_X: '1', OTHER: 'x' });
  expect(config.demo).toBe(true);
  expect(config.warnings).toHaveLength(2);
});

test('blanks, a BOM and a carriage return around a value do not matter', () => {
  const config = readConfig({ ...required, BOT_ID: `\uFEFF ${guid.toUpperCase()}\r` });
  expect(config.bot.id).toBe(guid);
});
