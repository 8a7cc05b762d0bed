import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { clouds, entraMetadata } from '../../bot/clouds.ts';
import { openSigningKeys } from '../../bot/microsoft/keys.ts';
import { openOutbound } from '../../bot/outbound.ts';
import type { SigningKeys } from '../../bot/services.ts';
import { aWorld, rsa, type World } from './fake-microsoft.ts';

const minute = 60_000;
const hour = 60 * minute;
const metadataUrl = clouds.global.botOpenIdMetadata;
const metadataPath = 'login.botframework.com/v1/.well-known/openidconfiguration';
const keysPath = 'login.botframework.com/v1/.well-known/keys';
const metadata = { body: { issuer: 'https://api.botframework.com', jwks_uri: `https://${keysPath}` } };
const published = (kid: string, extra: Record<string, unknown> = {}, key: KeyObject = rsa.publicKey) => ({
  ...key.export({ format: 'jwk' }),
  kid,
  use: 'sig',
  endorsements: ['msteams', 'webchat'],
  ...extra,
});

let world: World;
let keys: SigningKeys;
beforeEach(async () => {
  world = await aWorld();
  world.fake.on(metadataPath, metadata);
  world.fake.on(keysPath, { body: { keys: [published('one')] } });
  keys = openSigningKeys({ outbound: world.outbound, metadataUrl, now: world.clock.now });
});
afterEach(() => world.fake.stop());
const readings = (): number =>
  world.fake.asked.filter(({ path }) => path.endsWith('openidconfiguration')).length;

test('a published key comes with its endorsements; a hundred askers at once are one reading', async () => {
  const found = await Promise.all(Array.from({ length: 100 }, () => keys.find('one')));
  expect(new Set(found).size).toBe(1);
  expect(found[0]?.endorsements).toEqual(['msteams', 'webchat']);
  expect(found[0]?.key.equals(rsa.publicKey)).toBe(true);
  expect(world.fake.asked).toHaveLength(2);
});

test('metadata down for 30 minutes under a storm: known keys never fail, at most 7 readings', async () => {
  await keys.prefetch();
  await world.clock.advance(13 * hour);
  world.fake.on(metadataPath, { status: 503 });
  const before = readings();
  let failed = 0;
  for (let second = 0; second < 1_800; second += 1) {
    for (let i = 0; i < 5; i += 1) if ((await keys.find('one')) === null) failed += 1;
    // Made-up kids must not make us ask more often, nor block.
    if ((await keys.find(`made-up-${second}`)) !== null) failed += 1;
    await world.clock.advance(1_000);
  }
  expect(failed).toBe(0);
  expect(readings() - before).toBeLessThanOrEqual(7);
  expect(readings() - before).toBeGreaterThanOrEqual(6);
});

test('an unknown key makes us look again, at most once in five minutes', async () => {
  await keys.prefetch();
  await world.clock.advance(5 * minute);
  expect(await keys.find('two')).toBeNull();
  world.fake.on(keysPath, { body: { keys: [published('one'), published('two')] } });
  expect(await keys.find('two')).toBeNull();
  expect(readings()).toBe(2);
  await world.clock.advance(5 * minute);
  expect(await keys.find('two')).not.toBeNull();
  expect(readings()).toBe(3);
});

test('a known key is answered at once while an unknown one is looked for', async () => {
  await keys.prefetch();
  await world.clock.advance(5 * minute);
  let answer: (() => void) | undefined;
  world.fake.on(
    metadataPath,
    () =>
      new Promise((resolve) => {
        answer = () => resolve(metadata);
      }),
  );
  const unknown = keys.find('two');
  while (answer === undefined) await new Promise(setImmediate);
  expect(await keys.find('one')).not.toBeNull();
  answer();
  expect(await unknown).toBeNull();
});

test('from 12 hours on the keys are read again in the background, before 24 hours are over', async () => {
  await keys.prefetch();
  await world.clock.advance(12 * hour - 1);
  await keys.find('one');
  expect(readings()).toBe(1);
  await world.clock.advance(2);
  world.fake.on(keysPath, { body: { keys: [published('two')] } });
  expect(await keys.find('one')).not.toBeNull();
  while (readings() < 2 || !world.quiet()) await new Promise(setImmediate);
  await new Promise(setImmediate);
  // Withdrawn: gone with the new reading.
  expect(await keys.find('two')).not.toBeNull();
  expect(await keys.find('one')).toBeNull();
});

test('24 hours after the last good reading a key is no longer believed', async () => {
  await keys.prefetch();
  world.fake.on(metadataPath, { status: 500 });
  await world.clock.advance(24 * hour - 1);
  expect(await keys.find('one')).not.toBeNull();
  while (!world.quiet()) await new Promise(setImmediate);
  await world.clock.advance(5 * minute);
  await expect(keys.find('one')).rejects.toMatchObject({ code: 'service-error' });
  world.fake.on(metadataPath, metadata);
  await world.clock.advance(5 * minute);
  expect(await keys.find('one')).not.toBeNull();
});

test('a start without Microsoft asks again soon, then less and less often', async () => {
  world.fake.on(metadataPath, { status: 503 });
  await keys.prefetch();
  for (let second = 0; second < 600; second += 1) {
    await expect(keys.find('one')).rejects.toMatchObject({ code: 'service-error' });
    await world.clock.advance(1_000);
  }
  expect(readings()).toBeLessThanOrEqual(9);
  world.fake.on(metadataPath, metadata);
  await world.clock.advance(5 * minute);
  expect(await keys.find('one')).not.toBeNull();
});

const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
test.each([
  { name: 'a key for encryption', key: published('bad', { use: 'enc' }) },
  { name: 'a key of 1,024 bits', key: published('bad', {}, small) },
  { name: 'a key on a curve', key: published('bad', {}, curve) },
  { name: 'a symmetric key', key: { kty: 'oct', kid: 'bad', k: 'c2VjcmV0' } },
  { name: 'a key for another algorithm', key: published('bad', { alg: 'RS1' }) },
  { name: 'a key without a number', key: published('bad', { n: undefined }) },
  { name: 'a key of nonsense', key: published('bad', { n: '!!!' }) },
  { name: 'a key that is text', key: 'bad' },
  { name: 'a key whose name is a number', key: published('bad', { kid: 7 }) },
])('$name is passed over, the others count', async ({ key }) => {
  world.fake.on(keysPath, { body: { keys: [key, published('one')] } });
  expect(await keys.find('bad')).toBeNull();
  expect(await keys.find('one')).not.toBeNull();
});

test.each([
  { name: 'keys on a foreign host', answer: { body: { jwks_uri: 'https://evil.example/keys' } } },
  { name: 'keys over http', answer: { body: { jwks_uri: `http://${keysPath}` } } },
  {
    name: 'keys of another cloud',
    answer: { body: { jwks_uri: 'https://login.botframework.azure.us/v1/.well-known/keys' } },
  },
  { name: 'no address', answer: { body: {} } },
  { name: 'HTML', answer: { body: '<html>' } },
  { name: 'a redirect', answer: { status: 302, headers: { location: 'https://evil.example/' } } },
])('metadata with $name: no key, and the ones we had stay', async ({ answer }) => {
  await keys.prefetch();
  world.fake.on(metadataPath, answer);
  await world.clock.advance(5 * minute);
  expect(await keys.find('two')).toBeNull();
  expect(await keys.find('one')).not.toBeNull();
  expect(world.fake.asked.some(({ host }) => !host.endsWith('botframework.com'))).toBe(false);
});

test('an answer without any usable key does not empty the memory', async () => {
  await keys.prefetch();
  world.fake.on(keysPath, { body: { keys: [] } });
  await world.clock.advance(5 * minute);
  expect(await keys.find('two')).toBeNull();
  expect(await keys.find('one')).not.toBeNull();
});

test.each(Object.values(clouds))(
  "Entra's keys in $name come from its own sign-in host and name their issuer",
  async (cloud) => {
    const { host } = new URL(cloud.authority);
    world.fake.on(`${host}/common/`, { body: { jwks_uri: `${cloud.authority}/common/discovery/v2.0/keys` } });
    world.fake.on(`${host}/common/discovery/`, {
      body: {
        keys: [published('entra', { endorsements: undefined, issuer: `${cloud.authority}/{tenantid}/v2.0` })],
      },
    });
    const entra = openSigningKeys({
      outbound: openOutbound({ cloud }),
      metadataUrl: entraMetadata(cloud, 'common'),
      now: world.clock.now,
    });
    expect(await entra.find('entra')).toMatchObject({
      endorsements: [],
      issuer: `${cloud.authority}/{tenantid}/v2.0`,
    });
  },
);
