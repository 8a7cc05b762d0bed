import { constants, createPublicKey, createVerify, X509Certificate } from 'node:crypto';
import { inspect } from 'node:util';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { clouds } from '../../bot/clouds.ts';
import { openBotTokens } from '../../bot/microsoft/bot-tokens.ts';
import { openTokens, type Tokens } from '../../bot/microsoft/tokens.ts';
import { Secret } from '../../bot/secrets.ts';
import type { TenantAccess } from '../../bot/services.ts';
import { certificatePem, otherKeyPem, privateKeyPem } from './certificate.ts';
import {
  accessTo,
  appId,
  aToken,
  aWorld,
  graphRequests,
  secretText,
  tenantNumber,
  tokenAnswer,
  tokenCanary,
  tokenRequests,
  type World,
} from './fake-microsoft.ts';

const contoso = tenantNumber(1);
const fabrikam = tenantNumber(2);
let world: World;
let tokens: Tokens;
beforeEach(async () => {
  world = await aWorld();
  tokens = openTokens({ outbound: world.outbound, cloud: clouds.global, now: world.clock.now });
});
afterEach(() => world.fake.stop());

test('fifty first calls at once are one token request', async () => {
  const got = await Promise.all(Array.from({ length: 50 }, () => tokens.get(accessTo(contoso))));
  expect(tokenRequests(world.fake)).toHaveLength(1);
  expect(new Set(got).size).toBe(1);
});

test('planted: without one flight fifty calls are fifty requests', async () => {
  // A port of its own for each call shares no flight.
  await Promise.all(
    Array.from({ length: 50 }, () =>
      openTokens({ outbound: world.outbound, cloud: clouds.global, now: world.clock.now }).get(
        accessTo(contoso),
      ),
    ),
  );
  expect(tokenRequests(world.fake)).toHaveLength(50);
});

test('what is sent: the tenant by its id, the secret, the scope, and nothing else is asked', async () => {
  await tokens.get(accessTo(contoso));
  expect(world.fake.asked).toHaveLength(1);
  const [asked] = tokenRequests(world.fake);
  expect(`${asked?.host}${asked?.path}`).toBe(`login.microsoftonline.com/${contoso}/oauth2/v2.0/token`);
  expect(Object.fromEntries(new URLSearchParams(asked?.body))).toMatchObject({
    grant_type: 'client_credentials',
    client_id: appId,
    client_secret: secretText,
    scope: 'https://graph.microsoft.com/.default',
  });
});

test('a token is kept until five minutes before its end', async () => {
  await tokens.get(accessTo(contoso));
  await world.clock.advance((3_599 - 301) * 1000);
  await tokens.get(accessTo(contoso));
  expect(tokenRequests(world.fake)).toHaveLength(1);
  await world.clock.advance(2_000);
  await tokens.get(accessTo(contoso));
  expect(tokenRequests(world.fake)).toHaveLength(2);
});

test('a token of two minutes is kept for one', async () => {
  world.fake.on('login.microsoftonline.com/', (asked) =>
    tokenAnswer(asked, world.clock.now(), { exp: Math.floor(world.clock.now() / 1000) + 120 }),
  );
  await tokens.get(accessTo(contoso));
  await world.clock.advance(59_000);
  await tokens.get(accessTo(contoso));
  expect(tokenRequests(world.fake)).toHaveLength(1);
  await world.clock.advance(2_000);
  await tokens.get(accessTo(contoso));
  expect(tokenRequests(world.fake)).toHaveLength(2);
});

test('tenants, apps and credentials have tokens of their own: a wrong secret is not helped by a right one', async () => {
  await tokens.get(accessTo(contoso));
  await tokens.get(accessTo(fabrikam));
  await tokens.get({ ...accessTo(contoso), appId: tenantNumber(9) });
  expect(tokenRequests(world.fake)).toHaveLength(3);
  world.fake.on('login.microsoftonline.com/', {
    status: 401,
    body: { error: 'invalid_client', error_codes: [7000215] },
  });
  await expect(tokens.get(accessTo(contoso, 'wrong secret'))).rejects.toMatchObject({
    code: 'authentication-error',
  });
  await expect(tokens.get(accessTo(contoso))).resolves.toBeDefined();
});

test("forgetting a tenant drops its tokens and nobody else's", async () => {
  await tokens.get(accessTo(contoso));
  await tokens.get(accessTo(fabrikam));
  tokens.forget(contoso);
  await tokens.get(accessTo(contoso));
  await tokens.get(accessTo(fabrikam));
  expect(tokenRequests(world.fake)).toHaveLength(3);
});

test('twenty callers with the same refused token cause one renewal', async () => {
  const refused = await tokens.get(accessTo(contoso));
  const renewed = await Promise.all(
    Array.from({ length: 20 }, () => tokens.renew(accessTo(contoso), refused)),
  );
  await tokens.renew(accessTo(contoso), refused);
  expect(new Set(renewed).size).toBe(1);
  expect(renewed[0]).not.toBe(refused);
  expect(tokenRequests(world.fake)).toHaveLength(2);
});

test('the number of kept tokens is bounded', async () => {
  tokens = openTokens({ outbound: world.outbound, cloud: clouds.global, now: world.clock.now, most: 3 });
  for (let number = 1; number <= 4; number += 1) await tokens.get(accessTo(tenantNumber(number)));
  await tokens.get(accessTo(tenantNumber(4)));
  expect(tokenRequests(world.fake)).toHaveLength(4);
  await tokens.get(accessTo(tenantNumber(1)));
  expect(tokenRequests(world.fake)).toHaveLength(5);
});

test('a failed request is not remembered as a token', async () => {
  world.fake.on('login.microsoftonline.com/', {
    status: 400,
    body: { error: 'invalid_client', error_codes: [7000222] },
  });
  await expect(tokens.get(accessTo(contoso))).rejects.toMatchObject({ code: 'authentication-error' });
  world.fake.on('login.microsoftonline.com/', (asked) => tokenAnswer(asked, world.clock.now()));
  await expect(tokens.get(accessTo(contoso))).resolves.toBeDefined();
});

test('in the last five minutes a trouble of Entra leaves the old token in use; a refusal does not', async () => {
  const old = await tokens.get(accessTo(contoso));
  await world.clock.advance((3_599 - 200) * 1000);
  world.fake.on('login.microsoftonline.com/', { status: 503, body: { error: 'temporarily_unavailable' } });
  expect(await tokens.get(accessTo(contoso))).toBe(old);
  world.fake.on('login.microsoftonline.com/', {
    status: 400,
    body: { error: 'invalid_client', error_codes: [7000222] },
  });
  await expect(tokens.get(accessTo(contoso))).rejects.toMatchObject({ code: 'authentication-error' });
  world.fake.on('login.microsoftonline.com/', { status: 503, body: {} });
  await world.clock.advance(200_000);
  await expect(tokens.get(accessTo(contoso))).rejects.toMatchObject({ code: 'service-error' });
});

test('a token that is on its way while the tenant is forgotten is not kept', async () => {
  const late = tokens.get(accessTo(contoso));
  tokens.forget(contoso);
  const first = await late;
  expect(await tokens.get(accessTo(contoso))).not.toBe(first);
  expect(tokenRequests(world.fake)).toHaveLength(2);
});

// ---------------------------------------------------------------------------------------------- certificates

const withCertificate = (key = privateKeyPem, certificate = certificatePem): TenantAccess => ({
  tenantId: contoso,
  appId,
  credential: { kind: 'certificate', certificatePem: certificate, key: new Secret(key) },
});

test('a certificate signs a PS256 assertion with its SHA-256 thumbprint, for this token endpoint, for ten minutes', async () => {
  await tokens.get(withCertificate());
  const form = new URLSearchParams(tokenRequests(world.fake)[0]?.body);
  expect(form.get('client_assertion_type')).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
  expect(form.has('client_secret')).toBe(false);
  const [head = '', payload = '', signature = ''] = (form.get('client_assertion') ?? '').split('.');
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  const thumbprint = Buffer.from(
    new X509Certificate(certificatePem).fingerprint256.replaceAll(':', ''),
    'hex',
  );
  expect(read(head)).toEqual({ alg: 'PS256', typ: 'JWT', 'x5t#S256': thumbprint.toString('base64url') });
  const claims = read(payload);
  expect(claims).toMatchObject({
    aud: `https://login.microsoftonline.com/${contoso}/oauth2/v2.0/token`,
    iss: appId,
    sub: appId,
    jti: expect.any(String),
  });
  expect(claims.exp - claims.nbf).toBe(600);
  const verified = createVerify('RSA-SHA256')
    .update(`${head}.${payload}`)
    .verify(
      { key: createPublicKey(certificatePem), padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
      Buffer.from(signature, 'base64url'),
    );
  expect(verified).toBe(true);
});

test.each([
  { name: 'another key', access: () => withCertificate(otherKeyPem), says: /does not belong to the key/ },
  { name: 'no key', access: () => withCertificate('not a key'), says: /cannot be read/ },
  { name: 'no certificate', access: () => withCertificate(privateKeyPem, 'nothing'), says: /cannot be read/ },
])('a certificate with $name is said to be unusable without asking', async ({ access, says }) => {
  const error = await tokens.get(access()).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'authentication-error', message: expect.stringMatching(says) });
  expect(world.fake.asked).toEqual([]);
});

// ---------------------------------------------------------------------------------------------- the bot's own

test.each(Object.values(clouds))(
  "the bot's own token in $name is for its Bot Framework and its one tenant",
  async (cloud) => {
    await world.fake.stop();
    world = await aWorld({ cloud });
    const bot = openBotTokens({
      outbound: world.outbound,
      cloud,
      now: world.clock.now,
      bot: accessTo(contoso),
    });
    const [one, two] = await Promise.all([bot.get(), bot.get()]);
    expect(one).toBe(two);
    expect(one).toBeInstanceOf(Secret);
    const asked = tokenRequests(world.fake);
    expect(asked).toHaveLength(1);
    expect(`https://${asked[0]?.host}${asked[0]?.path}`).toBe(
      `${cloud.authority}/${contoso}/oauth2/v2.0/token`,
    );
    expect(new URLSearchParams(asked[0]?.body).get('scope')).toBe(cloud.botScope);
    bot.forget();
    await bot.get();
    expect(tokenRequests(world.fake)).toHaveLength(2);
  },
);

// ---------------------------------------------------------------------------------------------- nothing leaks

/** All that a careless log could print of a value. */
function printed(value: unknown): string {
  const seen = inspect(value, {
    depth: Number.POSITIVE_INFINITY,
    showHidden: true,
    maxStringLength: null,
    maxArrayLength: null,
  });
  let json = '';
  try {
    json = JSON.stringify(value) ?? '';
  } catch (error) {
    json = String(error);
  }
  return `${seen}${json}${String(value)}`;
}
const leak = new RegExp(
  `${secretText.replaceAll('.', '\\.')}|${encodeURIComponent(secretText)}|${tokenCanary}|PRIVATE KEY|client_assertion=`,
);

test('no secret, key or token is in any error or exported object', async () => {
  const values: unknown[] = [accessTo(contoso), withCertificate(), tokens, world.microsoft];
  values.push(await tokens.get(accessTo(contoso)), tokens, await tokens.get(withCertificate()));
  const badAnswers: [
    path: string,
    answer: { status?: number; headers?: Record<string, string>; body?: unknown },
  ][] = [
    [
      'login.microsoftonline.com/',
      { status: 401, body: { error: 'invalid_client', error_description: secretText } },
    ],
    ['login.microsoftonline.com/', { body: `<html>${tokenCanary}</html>` }],
    [
      'login.microsoftonline.com/',
      { body: { access_token: aToken({ tid: fabrikam }), token_type: 'Bearer' } },
    ],
    ['login.microsoftonline.com/', { status: 500, body: tokenCanary }],
  ];
  for (const [path, answer] of badAnswers) {
    world.fake.on(path, answer);
    tokens.forget(contoso);
    for (const access of [accessTo(contoso), withCertificate()]) {
      values.push(await tokens.get(access).catch((error: unknown) => error));
    }
  }
  world.fake.on('login.microsoftonline.com/', (asked) => tokenAnswer(asked, world.clock.now()));
  for (const answer of [
    { status: 403, body: { error: { message: tokenCanary } } },
    { body: tokenCanary },
    { status: 400, body: tokenCanary },
  ]) {
    world.fake.on('/v1.0/domains', answer);
    values.push(await world.microsoft.domains(accessTo(contoso)));
  }
  expect(graphRequests(world.fake).length).toBeGreaterThan(2);
  expect(values.filter((value) => leak.test(printed(value)))).toEqual([]);
});

test('planted: an error that carries what was sent is found', () => {
  expect(
    printed(new Error('failed', { cause: { body: `client_secret=${encodeURIComponent(secretText)}` } })),
  ).toMatch(leak);
  expect(printed({ deep: [{ token: aToken({}) }] })).toMatch(leak);
});
