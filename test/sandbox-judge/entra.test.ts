import { constants, createHash, randomUUID, sign, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { certificatePem, otherKeyPem, privateKeyPem } from '../microsoft/certificate.ts';
import { type Sandbox, startSandbox } from '../support/sandbox.ts';
import { ask, postForm } from './talk.ts';

/** Entra as the sandbox plays it: what the token endpoint refuses, with which number, and what its tokens say. */

const login = 'https://login.microsoftonline.com';
const graphScope = 'https://graph.microsoft.com/.default';
let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.stop());

function contoso() {
  const tenant = sandbox.info.tenants.find((one) => one.domain === 'contoso.com');
  if (tenant === undefined) throw new Error('no contoso');
  return tenant;
}
function rightForm(): Record<string, string> {
  const { appId, secret } = contoso();
  return { grant_type: 'client_credentials', client_id: appId, client_secret: secret, scope: graphScope };
}
const tokenUrl = (tenant: string): string => `${login}/${tenant}/oauth2/v2.0/token`;

type Row = {
  name: string;
  number: number;
  tenant?: string;
  form?: Record<string, string | undefined>;
  app?: object;
  consent?: object;
};
beforeEach(async () => {
  await sandbox.control('POST', '/_sandbox/tenants/contoso.com/app', { state: 'enabled' });
});

test.each<Row>([
  { name: 'a tenant that does not exist', number: 90002, tenant: '11111111-1111-4111-8111-111111111111' },
  { name: 'a domain nobody has', number: 90002, tenant: 'nobody.example' },
  { name: 'a tenant that is no name at all', number: 900023, tenant: 'con toso' },
  { name: 'the common endpoint', number: 9001023, tenant: 'common' },
  { name: 'the organizations endpoint', number: 9001023, tenant: 'organizations' },
  { name: 'no grant', number: 900144, form: { grant_type: undefined } },
  { name: 'a grant nobody knows', number: 70003, form: { grant_type: 'password' } },
  { name: 'no client id', number: 900144, form: { client_id: undefined } },
  {
    name: 'the app of another tenant',
    number: 700016,
    form: { client_id: '22222222-2222-4222-8222-222222222222' },
  },
  { name: 'an app that was removed', number: 700016, app: { state: 'removed' } },
  { name: 'no scope', number: 900144, form: { scope: undefined } },
  {
    name: 'a scope that is not .default',
    number: 70011,
    form: { scope: 'https://graph.microsoft.com/User.Read' },
  },
  {
    name: 'a resource of another cloud',
    number: 500011,
    form: { scope: 'https://graph.microsoft.us/.default' },
  },
  { name: 'neither secret nor assertion', number: 7000218, form: { client_secret: undefined } },
  { name: 'a wrong secret', number: 7000215, form: { client_secret: 'not it' } },
  { name: 'a secret with one character more', number: 7000215, form: { client_secret: 'right+x' } },
  { name: 'a disabled app', number: 7000112, app: { state: 'disabled' } },
  { name: 'Conditional Access', number: 53003, app: { state: 'blocked' } },
])('$name is refused with AADSTS$number', async ({ number, tenant, form, app }) => {
  if (app !== undefined) await sandbox.control('POST', '/_sandbox/tenants/contoso.com/app', app);
  const wanted: Record<string, string> = rightForm();
  for (const [name, value] of Object.entries(form ?? {})) {
    if (value === undefined) delete wanted[name];
    else wanted[name] = value === 'right+x' ? `${wanted[name]}x` : value;
  }
  const answer = await postForm(sandbox, tokenUrl(encodeURIComponent(tenant ?? contoso().id)), wanted);
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.body).toMatchObject({
    error: expect.stringMatching(/^[a-z_]+$/),
    error_description: expect.stringMatching(
      new RegExp(`^AADSTS${number}: .*Trace ID: .*Correlation ID: .*Timestamp: `),
    ),
    error_codes: [number],
    trace_id: expect.any(String),
    correlation_id: expect.any(String),
  });
  expect(answer.text).not.toContain(contoso().secret);
});

test('the right form gets a token whose claims are those of an app with what was granted', async () => {
  const answer = await postForm(sandbox, tokenUrl('contoso.com'), rightForm());
  expect(answer).toMatchObject({ status: 200, body: { token_type: 'Bearer', expires_in: 3599 } });
  const keys = await ask(sandbox, 'GET', `${login}/common/discovery/v2.0/keys`);
  const { payload, protectedHeader } = await jwtVerify(
    String(answer.body.access_token),
    createLocalJWKSet(keys.body as unknown as JSONWebKeySet),
  );
  expect(protectedHeader).toMatchObject({ alg: 'RS256', typ: 'JWT' });
  expect(payload).toMatchObject({
    aud: 'https://graph.microsoft.com',
    iss: `https://sts.windows.net/${contoso().id}/`,
    tid: contoso().id,
    appid: contoso().appId,
    idtyp: 'app',
    roles: expect.arrayContaining(['SecurityEvents.Read.All']),
  });
  expect(Number(payload.exp) - Number(payload.iat)).toBe(3599);
});

test('without consent there is no token, with none of the permissions one without roles', async () => {
  const { usual } = await sandbox.control<{ usual: string[] }>(
    'POST',
    '/_sandbox/tenants/contoso.com/consent',
    {
      revoke: true,
    },
  );
  expect((await postForm(sandbox, tokenUrl('contoso.com'), rightForm())).body).toMatchObject({
    error_codes: [7000229],
  });
  await sandbox.control('POST', '/_sandbox/tenants/contoso.com/consent', { grant: [] });
  const { body } = await postForm(sandbox, tokenUrl('contoso.com'), rightForm());
  expect(claimsOf(String(body.access_token))).not.toHaveProperty('roles');
  await sandbox.control('POST', '/_sandbox/tenants/contoso.com/consent', { grant: usual });
});

test('an expired secret is refused, the new one is taken', async () => {
  await sandbox.control('POST', '/_sandbox/tenants/fabrikam.com/app', { expireSecret: true });
  const { appId, secret } = sandbox.info.tenants.find((one) => one.domain === 'fabrikam.com') ?? contoso();
  const form = { ...rightForm(), client_id: appId, client_secret: secret };
  expect((await postForm(sandbox, tokenUrl('fabrikam.com'), form)).body).toMatchObject({
    error_codes: [7000222],
  });
  const fresh = await sandbox.control<{ secret: string }>('POST', '/_sandbox/tenants/fabrikam.com/app', {
    newSecret: true,
  });
  expect(
    (await postForm(sandbox, tokenUrl('fabrikam.com'), { ...form, client_secret: fresh.secret })).status,
  ).toBe(200);
});

test('who has no token cache is told of a loop', async () => {
  const { appId, secret } =
    sandbox.info.tenants.find((one) => one.domain === 'northwindtraders.com') ?? contoso();
  const form = { ...rightForm(), client_id: appId, client_secret: secret };
  const statuses = new Set<unknown>();
  for (let times = 0; times < 125; times++) {
    const { body } = await postForm(sandbox, tokenUrl('northwindtraders.com'), form);
    statuses.add((body.error_codes as number[] | undefined)?.[0] ?? 'token');
  }
  expect([...statuses]).toEqual(['token', 50196]);
});

function assertion(change: { header?: object; claims?: object; key?: string } = {}): string {
  const certificate = new X509Certificate(certificatePem);
  const thumbprint = Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const header = { alg: 'PS256', typ: 'JWT', 'x5t#S256': thumbprint, ...change.header };
  const claims = {
    aud: tokenUrl(contoso().id),
    iss: contoso().appId,
    sub: contoso().appId,
    jti: randomUUID(),
    nbf: now,
    exp: now + 600,
    ...change.claims,
  };
  const text = [header, claims]
    .map((one) => Buffer.from(JSON.stringify(one)).toString('base64url'))
    .join('.');
  const key = change.key ?? privateKeyPem;
  const signature =
    header.alg === 'PS256'
      ? sign('sha256', Buffer.from(text), { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 })
      : sign('RSA-SHA256', Buffer.from(text), key);
  return `${text}.${signature.toString('base64url')}`;
}
const sha1Thumbprint = Buffer.from(
  new X509Certificate(certificatePem).fingerprint.replaceAll(':', ''),
  'hex',
).toString('base64url');

test.each<{ name: string; number: number | 'token'; change?: Parameters<typeof assertion>[0] }>([
  { name: 'PS256 with x5t#S256', number: 'token' },
  {
    name: 'RS256 with x5t',
    number: 'token',
    change: { header: { alg: 'RS256', 'x5t#S256': undefined, x5t: sha1Thumbprint } },
  },
  { name: 'a certificate nobody registered', number: 700027, change: { header: { 'x5t#S256': 'abc' } } },
  { name: 'the signature of another key', number: 700027, change: { key: otherKeyPem } },
  { name: 'a life that is over', number: 700024, change: { claims: { exp: 1_700_000_000 } } },
  { name: 'a life that has not begun', number: 700024, change: { claims: { nbf: 4_000_000_000 } } },
  {
    name: 'a life of a year',
    number: 700024,
    change: { claims: { exp: Math.floor(Date.now() / 1000) + 31_000_000 } },
  },
  {
    name: 'the audience of another tenant',
    number: 50027,
    change: { claims: { aud: `${login}/fabrikam.com/oauth2/v2.0/token` } },
  },
  { name: 'no id', number: 50027, change: { claims: { jti: undefined } } },
  { name: 'another subject', number: 50027, change: { claims: { sub: 'somebody' } } },
])('an assertion with $name gives $number', async ({ number, change }) => {
  await sandbox.control('POST', '/_sandbox/tenants/contoso.com/app', { certificate: certificatePem });
  const { client_secret: _secret, ...form } = rightForm();
  const { status, body } = await postForm(sandbox, tokenUrl(contoso().id), {
    ...form,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion(change),
  });
  if (number === 'token') expect(status).toBe(200);
  else expect(body).toMatchObject({ error_codes: [number] });
});

test.each([{ ring: 'entra' as const }, { ring: 'bot' as const }])(
  'a rotated $ring key signs from then on, the old one stays until it is dropped',
  async ({ ring }) => {
    const url =
      ring === 'entra'
        ? `${login}/common/discovery/v2.0/keys`
        : 'https://login.botframework.com/v1/.well-known/keys';
    const token = () => sandbox.token({ for: ring === 'entra' ? 'tab' : 'bot' });
    async function verifies(text: string): Promise<boolean> {
      const { body } = await ask(sandbox, 'GET', url);
      return jwtVerify(text, createLocalJWKSet(body as unknown as JSONWebKeySet)).then(
        () => true,
        () => false,
      );
    }
    const old = await token();
    await sandbox.control('POST', '/_sandbox/keys/rotate', { for: ring });
    const fresh = await token();
    expect([await verifies(old), await verifies(fresh)]).toEqual([true, true]);
    await sandbox.control('POST', '/_sandbox/keys/rotate', { for: ring, drop: true });
    expect([await verifies(old), await verifies(fresh), await verifies(await token())]).toEqual([
      false,
      false,
      true,
    ]);
  },
);

test.each([
  { sign: 'right' as const, good: true },
  { sign: 'wrong' as const, good: false },
  { sign: 'none' as const, good: false },
])('a token signed $sign verifies: $good', async ({ sign: wish, good }) => {
  const { body } = await ask(sandbox, 'GET', 'https://login.botframework.com/v1/.well-known/keys');
  const token = await sandbox.token({
    for: 'bot',
    sign: wish,
    claims: { aud: 'somebody', nbf: null },
    header: { extra: 1 },
  });
  expect(claimsOf(token)).toMatchObject({ aud: 'somebody' });
  expect(claimsOf(token)).not.toHaveProperty('nbf');
  const verified = await jwtVerify(token, createLocalJWKSet(body as unknown as JSONWebKeySet)).then(
    () => true,
    () => false,
  );
  expect(verified).toBe(good);
});

const verifier = 'v'.repeat(64);
const redirect = 'http://localhost:3978/tab/';
function authorizeUrl(change: Record<string, string> = {}): string {
  const query = new URLSearchParams({
    client_id: sandbox.info.apps.tab.appId,
    response_type: 'code',
    redirect_uri: redirect,
    scope: `openid profile api://localhost/${sandbox.info.apps.tab.appId}/access_as_user`,
    state: 'round trip',
    nonce: 'once',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...change,
  });
  return `${sandbox.url}/common/oauth2/v2.0/authorize?${query}`;
}
async function codeFor(person: string): Promise<string> {
  const answer = await ask(sandbox, 'GET', authorizeUrl({ person }));
  expect(answer.status).toBe(302);
  const target = new URL(String(answer.headers.location));
  expect(target.searchParams.get('state')).toBe('round trip');
  return target.searchParams.get('code') ?? '';
}
function exchange(code: string, change: Record<string, string> = {}) {
  return ask(sandbox, 'POST', `${sandbox.url}/common/oauth2/v2.0/token`, {
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'http://localhost:3978' },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: sandbox.info.apps.tab.appId,
      code,
      redirect_uri: redirect,
      code_verifier: verifier,
      ...change,
    }).toString(),
  });
}

test('the sign-in page lists the five people and gives the chosen one a token for the tab', async () => {
  const page = await ask(sandbox, 'GET', authorizeUrl());
  for (const person of sandbox.info.people) expect(page.text).toContain(person.name);
  const [, , chidi] = sandbox.info.people;
  await sandbox.control('POST', '/_sandbox/people', { person: chidi?.oid, roles: ['Watchpost.Reader'] });
  const answer = await exchange(await codeFor(chidi?.oid ?? ''));
  expect(answer.headers['access-control-allow-origin']).toBe('http://localhost:3978');
  expect(claimsOf(String(answer.body.access_token))).toMatchObject({
    aud: sandbox.info.apps.tab.appId,
    azp: sandbox.info.apps.tab.appId,
    iss: `${login}/${chidi?.tenantId}/v2.0`,
    oid: chidi?.oid,
    scp: 'access_as_user',
    ver: '2.0',
    roles: ['Watchpost.Reader'],
  });
  expect(claimsOf(String(answer.body.id_token))).toMatchObject({ nonce: 'once', oid: chidi?.oid });
});

test.each<{ name: string; number: number; change: Record<string, string> }>([
  { name: 'a wrong verifier', number: 501481, change: { code_verifier: 'w'.repeat(64) } },
  { name: 'another redirect address', number: 50011, change: { redirect_uri: 'http://localhost:1/' } },
  { name: 'another app', number: 700016, change: { client_id: sandboxId() } },
  { name: 'a code nobody gave', number: 70000, change: { code: 'x' } },
])('$name ends the exchange with AADSTS$number', async ({ number, change }) => {
  const answer = await exchange(await codeFor('Ana'), change);
  expect(answer.body).toMatchObject({ error_codes: [number] });
});
function sandboxId(): string {
  return '33333333-3333-4333-8333-333333333333';
}

test('a code works once, and an address that is not loopback gets nothing', async () => {
  const code = await codeFor('Ana');
  expect((await exchange(code)).status).toBe(200);
  expect((await exchange(code)).body).toMatchObject({ error_codes: [54005] });
  const foreign = await ask(
    sandbox,
    'GET',
    authorizeUrl({ redirect_uri: 'https://evil.example/', person: 'Ana' }),
  );
  expect(foreign.status).toBe(400);
  expect(foreign.headers.location).toBeUndefined();
});

function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as Record<
    string,
    unknown
  >;
}
