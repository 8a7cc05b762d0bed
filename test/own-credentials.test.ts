import { expect, test } from '@jest/globals';
import { readConfig } from '../bot/config.ts';
import { ownCredentials } from '../bot/own-credentials.ts';
import { Secret } from '../bot/secrets.ts';
import { ownNotices } from '../shared/tenants/credential-expiry.ts';
import { certificatePem } from './microsoft/certificate.ts';

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
const now = '2026-11-21T20:00:00.000Z';

test('secrets end when the settings say so, certificates when they do; what nobody said is not known', () => {
  const config = readConfig({
    ...required,
    BOT_PASSWORD_EXPIRES: '2026-12-01',
    AAD_APP_SECRET: 'a-secret-of-the-tab',
  });
  const certificate = { kind: 'certificate', certificatePem, key: new Secret('key') } as const;
  expect(ownCredentials({ ...config, graph: { appId: guid, credential: certificate } })).toEqual([
    { of: 'the bot', kind: 'secret', expiresAt: '2026-12-01T00:00:00.000Z' },
    { of: 'the tab', kind: 'secret' },
    {
      of: 'the application that customers consent to',
      kind: 'certificate',
      expiresAt: '2036-01-01T00:00:00.000Z',
    },
  ]);
});

test.each([
  { expiresAt: '2027-02-01T00:00:00.000Z', says: [] },
  { expiresAt: undefined, says: [] },
  {
    expiresAt: '2026-12-01T00:00:00.000Z',
    says: ['Client secret of the bot ends in 9 days, on 1 Dec. Whoever runs Watchpost renews it.'],
  },
  {
    expiresAt: '2026-11-20T00:00:00.000Z',
    says: ['Client secret of the bot ended on 20 Nov. Whoever runs Watchpost renews it.'],
  },
])('$expiresAt: $says', ({ expiresAt, says }) => {
  const end = expiresAt === undefined ? {} : { expiresAt };
  expect(ownNotices([{ of: 'the bot', kind: 'secret', ...end }], now)).toEqual(says);
});

test.each([
  {
    what: 'no day',
    environment: { BOT_PASSWORD_EXPIRES: 'soon' },
    says: /BOT_PASSWORD_EXPIRES must be a day/,
  },
  { what: 'no such day', environment: { BOT_PASSWORD_EXPIRES: '2027-02-31' }, says: /must be a day/ },
  {
    what: 'without its secret',
    environment: { GRAPH_APP_SECRET_EXPIRES: '2027-02-01' },
    says: /GRAPH_APP_SECRET_EXPIRES is set without GRAPH_APP_SECRET/,
  },
])('$what is refused at start', ({ environment, says }) => {
  expect(() => readConfig({ ...required, ...environment })).toThrow(says);
});
