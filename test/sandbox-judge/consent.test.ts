import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { request } from 'undici';
import { type Sandbox, startSandbox } from '../support/sandbox.ts';

/** Microsoft's consent and sign-in pages as the sandbox plays them: what may be relied on elsewhere. */

let sandbox: Sandbox;
let tenant: Sandbox['info']['tenants'][number];
beforeAll(async () => {
  sandbox = await startSandbox();
  tenant = sandbox.info.tenants[1] as typeof tenant;
});
afterAll(() => sandbox.stop());

const redirect = 'https://watchpost.example.com/connect/callback';
const graphScope = 'https://graph.microsoft.com/.default';

async function open(
  path: string,
  query: Record<string, string>,
): Promise<{ status: number; to: URL | null; text: string }> {
  const address = new URL(`/${path}`, sandbox.url);
  address.search = new URLSearchParams({
    client_id: sandbox.info.apps.graph.appId,
    redirect_uri: redirect,
    state: 'a-state',
    ...query,
  }).toString();
  const answer = await fetch(address, { redirect: 'manual' });
  const location = answer.headers.get('location');
  return {
    status: answer.status,
    to: location === null ? null : new URL(location),
    text: await answer.text(),
  };
}
const consent = (query: Record<string, string>, where = tenant.id) =>
  open(`${where}/v2.0/adminconsent`, { scope: graphScope, ...query });

async function appToken(): Promise<{ error_codes?: number[]; access_token?: string }> {
  const { appId, secret } = sandbox.info.apps.graph;
  const answer = await request(`https://login.microsoftonline.com/${tenant.id}/oauth2/v2.0/token`, {
    dispatcher: sandbox.dispatcher,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: appId,
      client_secret: secret,
      scope: graphScope,
    }).toString(),
  });
  return (await answer.body.json()) as { error_codes?: number[]; access_token?: string };
}

test.each([
  {
    what: 'declined',
    query: { account: 'admin', answer: 'decline' },
    error: 'access_denied',
    code: 'AADSTS65004',
  },
  {
    what: 'not an administrator',
    query: { account: 'user', answer: 'back' },
    error: 'access_denied',
    code: 'AADSTS90094',
  },
  {
    what: 'an administrator of applications',
    query: { account: 'apps', answer: 'back' },
    error: 'access_denied',
    code: 'AADSTS90094',
  },
])('$what: an error beside admin_consent=True, and no consent', async ({ query, error, code }) => {
  const { to } = await consent({ ...query, account: `${tenant.domain}/${query.account}` });
  expect(Object.fromEntries(to?.searchParams ?? [])).toMatchObject({
    error,
    state: 'a-state',
    admin_consent: 'True',
  });
  expect(to?.searchParams.get('error_description')).toContain(code);
  expect((await appToken()).error_codes).toEqual([7000229]);
});

test.each([
  { what: 'an account of another tenant', query: { account: 'contoso.com/admin' }, says: 'AADSTS50020' },
  { what: 'another application', query: { client_id: 'another' }, says: 'AADSTS700016' },
  {
    what: 'an address nobody registered',
    query: { redirect_uri: 'https://evil.example/' },
    says: 'AADSTS50011',
  },
  {
    what: 'a scope of single permissions',
    query: { scope: 'openid', account: 'fabrikam.com/admin' },
    says: 'AADSTS70011',
  },
])('$what ends on a page of Microsoft, which leads nowhere', async ({ query, says }) => {
  const { status, to, text } = await consent(query as unknown as Record<string, string>);
  expect([status, to]).toEqual([400, null]);
  expect(text).toContain(says);
});

test('a tenant nobody knows has no page', async () => {
  expect((await consent({}, 'nobody.example')).text).toContain('AADSTS90002');
});

test.each([7000229, 700016, 650051])(
  'accepted, Entra says AADSTS%i for a while and then gives a token with what was granted',
  async (delayCode) => {
    await sandbox.control('POST', '/_sandbox/apps', { app: 'graph', delayMs: 300, delayCode });
    const { to } = await consent({ account: `${tenant.domain}/admin`, answer: 'accept' });
    expect(Object.fromEntries(to?.searchParams ?? [])).toMatchObject({
      admin_consent: 'True',
      tenant: tenant.id,
    });
    expect(to?.searchParams.has('error')).toBe(false);
    expect((await appToken()).error_codes).toEqual([delayCode]);
    let token = await appToken();
    for (const end = performance.now() + 5_000; token.access_token === undefined && performance.now() < end; )
      token = await appToken();
    const [, body = ''] = (token.access_token ?? '').split('.');
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as Record<string, unknown>;
    expect(claims).toMatchObject({ tid: tenant.id, appid: sandbox.info.apps.graph.appId });
    expect(claims.roles).toEqual(sandbox.info.apps.graph.permissions);
    await sandbox.control('POST', `/_sandbox/tenants/${tenant.id}/consent`, { revoke: true });
    expect((await appToken()).error_codes).toEqual([7000229]);
  },
);

test('the sign-in gives a code good once, for its verifier, and an ID token that says who it was', async () => {
  const verifier = 'v'.repeat(43);
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const signIn = async (): Promise<string> => {
    const { to } = await open(`${tenant.id}/oauth2/v2.0/authorize`, {
      response_type: 'code',
      scope: 'openid profile',
      nonce: 'a-nonce',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      account: `${tenant.domain}/roles`,
    });
    return to?.searchParams.get('code') ?? '';
  };
  const exchange = async (code: string, change: Record<string, string> = {}) => {
    const { appId, secret } = sandbox.info.apps.graph;
    const answer = await fetch(`${sandbox.url}/${tenant.id}/oauth2/v2.0/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: appId,
        client_secret: secret,
        code,
        redirect_uri: redirect,
        code_verifier: verifier,
        ...change,
      }),
    });
    return (await answer.json()) as { id_token?: string; error_codes?: number[] };
  };
  expect((await exchange(await signIn(), { code_verifier: 'another' })).error_codes).toEqual([501481]);
  expect((await exchange(await signIn(), { client_secret: 'another' })).error_codes).toEqual([7000215]);
  const code = await signIn();
  const { id_token = '' } = await exchange(code);
  expect((await exchange(code)).error_codes).toEqual([54005]);
  const [, body = ''] = id_token.split('.');
  expect(JSON.parse(Buffer.from(body, 'base64url').toString('utf8'))).toMatchObject({
    aud: sandbox.info.apps.graph.appId,
    iss: `https://login.microsoftonline.com/${tenant.id}/v2.0`,
    tid: tenant.id,
    nonce: 'a-nonce',
    wids: expect.arrayContaining(['e8611ab8-c189-46e8-94e1-60213ab1f814']),
  });
});
