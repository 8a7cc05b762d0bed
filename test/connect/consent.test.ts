import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { beginInTab } from '../../bot/connect/consent.ts';
import type { Services } from '../../bot/services.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { certificatePem, privateKeyPem } from '../microsoft/certificate.ts';
import { count, seeded } from '../support/counts.ts';
import { type Sandbox, startSandbox } from '../support/sandbox.ts';
import { linkTests } from './consent-links.ts';
import {
  answering,
  type Browser,
  everything,
  openBrowser,
  openRig,
  publicUrl,
  type Rig,
  type Shown,
} from './consent-rig.ts';

/** *Sign in with Microsoft*, over real sockets against the sandbox: who is believed, and what each ending says. */

const patience = { consentMs: 2_500, rolesMs: 300, tokenMs: 700, betweenMs: 100 };
let sandbox: Sandbox;
let rig: Rig;
let company: Tenant;
let browser: Browser;
beforeAll(async () => {
  sandbox = await startSandbox();
  rig = await openRig(sandbox, { patience });
});
beforeEach(async () => {
  company = await rig.company();
  browser = openBrowser(rig.url);
});
afterEach(async () => {
  const { permissions } = sandbox.info.apps.graph;
  const usual = { permissions, delayMs: 0, delayCode: 7000229, nextIdToken: {} };
  await sandbox.control('POST', '/_sandbox/apps', { app: 'graph', ...usual });
});
afterAll(async () => {
  await rig.close();
  await sandbox.stop();
});

const admin = (kind = 'admin'): Record<string, string> => ({ account: `${company.domain}/${kind}` });

/** Where the popup begins; the API's own rate is for people. */
async function ticket(): Promise<string> {
  return (await beginInTab(company.id, rig.admin, rig.services)).address;
}

/** As far as Microsoft's page of consent. */
async function atConsent(with_: Browser = browser): Promise<URL> {
  const shown = await with_.open(await ticket());
  expect(shown.address.pathname).toBe(`/${company.id}/v2.0/adminconsent`);
  return shown.address;
}

/** Consents and goes on to the end, looking again as often as the page does. */
async function consentAs(kind: string, answer = 'accept', with_: Browser = browser): Promise<Shown> {
  let shown = await with_.open(answering(await atConsent(with_), { ...admin(kind), answer }));
  for (const end = performance.now() + 8_000; /Almost there/.test(shown.text) && performance.now() < end; )
    shown = await with_.open(shown.address.href);
  return shown;
}

/** All that could have changed of the company. */
async function standing(services: Services = rig.services) {
  const [tenant, facts] = await Promise.all([
    services.store.tenants.get(everything, company.id),
    services.store.credentials.facts(everything, company.id),
  ]);
  return { state: tenant?.health.state, cause: tenant?.health.cause, kind: facts?.kind ?? null };
}
const untouched = { state: 'waiting', cause: 'Not connected yet.', kind: null };

describe('the whole way', () => {
  test.each(['admin', 'roles'])('as %s: connected, synced, and no secret is kept', async (kind) => {
    const shown = await consentAs(kind);
    expect(shown.text).toContain('Fabrikam (fabrikam.com) is connected');
    expect(shown.text).toContain('data-outcome="connected"');
    expect(await standing()).toEqual({ state: 'waiting', cause: '', kind: 'consent' });
    rig.startClock();
    const { store } = rig.services;
    for (const end = performance.now() + 10_000; performance.now() < end; ) {
      const tenant = await store.tenants.get(everything, company.id);
      if (tenant?.health.state === 'connected') break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect((await standing()).state).toBe('connected');
    expect((await store.scores.posture(everything, company.id))?.percent).toBeGreaterThan(0);
    const access = await store.credentials.open(everything, company.id);
    expect(access).toEqual({
      tenantId: company.id,
      appId: sandbox.info.apps.graph.appId,
      credential: { kind: 'consent' },
    });
    expect(await rig.audit()).toEqual(
      expect.arrayContaining(['consent | started', 'consent | done', 'connect tenant | done']),
    );
  });

  test('the pages tell nobody where they are, keep nothing, and take a script from nowhere else', async () => {
    const first = await browser.open(
      String((await rig.api('POST', `/api/tab/tenants/${company.id}/consent`)).body.address),
      { follow: false },
    );
    expect(first.status).toBe(303);
    expect(first.headers.get('set-cookie')).toMatch(
      /^__Host-watchpost-connect=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/,
    );
    const to = new URL(first.headers.get('location') ?? '');
    expect(to.pathname).toBe(`/${company.id}/v2.0/adminconsent`);
    expect(Buffer.from(to.searchParams.get('state') ?? '', 'base64url')).toHaveLength(32);
    for (const shown of [first, await browser.open('/connect/callback')]) {
      expect(shown.headers.get('referrer-policy')).toBe('no-referrer');
      expect(shown.headers.get('cache-control')).toBe('no-store');
      expect(shown.headers.get('content-security-policy')).toMatch(
        /default-src 'none'.*frame-ancestors 'none'/,
      );
    }
    expect(first.way.join()).not.toContain('access_token');
  });

  test('the sign-in asks with PKCE and a nonce; neither stands in an address that comes back', async () => {
    const shown = await browser.open(answering(await atConsent(), { ...admin(), answer: 'accept' }));
    const signIn = shown.way
      .map((one) => new URL(one))
      .find(({ pathname }) => pathname.endsWith('/authorize'));
    expect(signIn?.searchParams.get('code_challenge_method')).toBe('S256');
    expect(signIn?.searchParams.get('code_challenge')).toMatch(/^[\w-]{43}$/);
    const nonce = signIn?.searchParams.get('nonce') ?? '';
    expect(nonce).toMatch(/^[\w-]{43}$/);
    const later = shown.way.slice(shown.way.findIndex((one) => one.includes('code_challenge')) + 1);
    expect(later.join()).not.toContain(nonce);
  });

  test('two windows of one browser each come to their end', async () => {
    const [one, two] = [await atConsent(), await atConsent()];
    for (const address of [two, one]) {
      const shown = await browser.open(answering(address, { ...admin(), answer: 'accept' }));
      expect(shown.text).toContain('is connected');
    }
  });
});

describe('each ending has its own words, and nothing is connected', () => {
  test.each([
    { what: 'declined', kind: 'admin', answer: 'decline', says: 'was declined at Microsoft' },
    {
      what: 'no administrator',
      kind: 'user',
      answer: 'back',
      says: 'A Global Administrator or a Privileged Role Administrator',
    },
    {
      what: 'an administrator of applications only',
      kind: 'apps',
      answer: 'back',
      says: 'may not consent for',
    },
  ])('$what', async ({ kind, answer, says }) => {
    const shown = await consentAs(kind, answer);
    expect(shown.text).toContain(says);
    expect(shown.text).toContain('data-outcome="failed"');
    expect(await standing()).toEqual(untouched);
    expect((await rig.audit())[0]).toMatch(/^consent \| refused \| Microsoft: AADSTS/);
  });

  const other = '11111111-2222-4333-8444-555555555555';
  const wrongTokens = [
    {
      what: 'another tenant',
      next: { claims: { tid: other, iss: `https://login.microsoftonline.com/${other}/v2.0` } },
      says: 'another organisation than',
    },
    {
      what: 'a tenant other than the issuer',
      next: { claims: { tid: other } },
      says: 'could not be verified',
    },
    {
      what: 'mixed-up issuer',
      next: { claims: { iss: `https://login.microsoftonline.com/${other}/v2.0` } },
      says: 'could not be verified',
    },
    {
      what: 'issuer of another host',
      next: { claims: { iss: 'https://evil.example/v2.0' } },
      says: 'could not be verified',
    },
    { what: 'another application', next: { claims: { aud: other } }, says: 'could not be verified' },
    {
      what: 'the nonce of another sign-in',
      next: { claims: { nonce: 'x'.repeat(43) } },
      says: 'could not be verified',
    },
    { what: 'no nonce', next: { claims: { nonce: null } }, says: 'could not be verified' },
    { what: 'expired', next: { claims: { exp: 1_700_000_000 } }, says: 'could not be verified' },
    { what: 'an older version', next: { claims: { ver: '1.0' } }, says: 'could not be verified' },
    { what: 'no object id', next: { claims: { oid: null } }, says: 'could not be verified' },
    { what: 'signed by somebody else', next: { sign: 'wrong' }, says: 'could not be verified' },
    { what: 'no roles named', next: { claims: { wids: null } }, says: 'groupMembershipClaims' },
    {
      what: 'everybody’s role only',
      next: { claims: { wids: ['b79fbf4d-3ef9-4689-8143-76b194e85509'] } },
      says: 'may not consent for',
    },
    {
      what: 'roles in another claim',
      next: { claims: { wids: [], roles: ['62e90394-69f5-4237-9190-012177145e10'] } },
      says: 'may not consent for',
    },
  ] as const;

  test.each(wrongTokens)('an ID token that is not right: $what', async ({ next, says }) => {
    await sandbox.control('POST', '/_sandbox/apps', { app: 'graph', nextIdToken: next });
    const shown = await consentAs('admin');
    expect(shown.text).toContain(says);
    expect(await standing()).toEqual(untouched);
    expect((await rig.audit())[0]).toMatch(/^consent \| refused/);
  });

  test('planted: where the ID token is not looked at, another tenant is believed', async () => {
    const { consent } = rig.services;
    if (consent === undefined) throw new Error('off');
    const blind = await rig.second({
      ...rig.services,
      consent: {
        ...consent,
        signedIn: async (tid) => ({ kind: 'person', tid, oid: other, administrator: true }),
      },
    });
    const [first] = wrongTokens;
    await sandbox.control('POST', '/_sandbox/apps', { app: 'graph', nextIdToken: first.next });
    const shown = await consentAs('admin', 'accept', openBrowser(blind.url));
    expect(shown.text).toContain('is connected');
    expect(await standing()).not.toEqual(untouched);
  });

  test('no consent at all, whatever the redirect says: five minutes later it is given up', async () => {
    const address = await atConsent();
    const state = address.searchParams.get('state') ?? '';
    // Signed in to Entra, but the consent page was left out.
    let shown = await browser.open(
      `/connect/callback?admin_consent=True&tenant=${company.id}&state=${state}`,
    );
    shown = await browser.open(answering(shown.address, admin()));
    expect(shown.text).toContain('up to five minutes');
    for (const end = performance.now() + 9_000; /Almost/.test(shown.text) && performance.now() < end; )
      shown = await browser.open(shown.address.href);
    expect(shown.text).toContain('still did not know of it');
    expect(await standing()).toEqual(untouched);
  });

  test.each([7000229, 700016, 650051])(
    'Entra needs a moment (AADSTS%i): the page waits, then it works',
    async (delayCode) => {
      await sandbox.control('POST', '/_sandbox/apps', { app: 'graph', delayMs: 3_600_000, delayCode });
      const first = await browser.open(answering(await atConsent(), { ...admin(), answer: 'accept' }));
      expect(first.text).toContain('up to five minutes');
      expect(first.headers.get('refresh')).toBe('4');
      expect(await standing()).toEqual(untouched);
      const grant = sandbox.info.apps.graph.permissions;
      await sandbox.control('POST', `/_sandbox/tenants/${company.id}/consent`, { grant });
      let shown = first;
      for (const end = performance.now() + 9_000; /Almost/.test(shown.text) && performance.now() < end; )
        shown = await browser.open(shown.address.href);
      expect(shown.text).toContain('is connected');
      expect((await standing()).kind).toBe('consent');
    },
  );

  test('a consent to less than is needed says what is missing, in the list too, and saves nothing', async () => {
    await sandbox.control('POST', '/_sandbox/apps', {
      app: 'graph',
      permissions: ['Organization.Read.All', 'LicenseAssignment.Read.All'],
    });
    const shown = await consentAs('admin');
    expect(shown.text).toContain('does not cover SecurityEvents.Read.All and Domain.Read.All');
    expect(await standing()).toEqual({
      state: 'permission-error',
      cause: 'The consent lacks the permissions SecurityEvents.Read.All and Domain.Read.All.',
      kind: null,
    });
  });

  test('a company that was removed meanwhile does not come back', async () => {
    const address = await atConsent();
    await rig.services.store.purge.tenant(everything, company.id, { people: false });
    const shown = await browser.open(answering(address, { ...admin(), answer: 'accept' }));
    expect(shown.text).toContain('did not ask for this answer');
    expect((await standing()).kind).toBeNull();
  });
});

test('removed while it was being tested, it does not come back', async () => {
  const { microsoft, store } = rig.services;
  const slow = await rig.second({
    ...rig.services,
    microsoft: {
      ...microsoft,
      secureScores: async (...given) => {
        await store.purge.tenant(everything, company.id, { people: false });
        return await microsoft.secureScores(...given);
      },
    },
  });
  const shown = await consentAs('admin', 'accept', openBrowser(slow.url));
  expect(shown.text).toContain('no longer in Watchpost');
  expect(await standing()).toEqual({ state: undefined, cause: undefined, kind: null });
});

test('a company that is not connected is not read, whoever asks, and stays as it is', async () => {
  const { store } = rig.services;
  const before = Math.max(0, ...(await sandbox.requests()).map(({ seq }) => seq));
  const wish = await store.syncRequests.add(everything, company.id, 'somebody');
  await store.work.schedule(everything, company.id, 'sync-scores', store.now());
  rig.startClock();
  let row = await store.syncRequests.get(everything, company.id, wish.id);
  for (const end = performance.now() + 8_000; row?.state !== 'failed' && performance.now() < end; ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    row = await store.syncRequests.get(everything, company.id, wish.id);
  }
  expect(row?.result).toContain('not connected yet');
  expect(await standing()).toEqual(untouched);
  const asked = (await sandbox.requests(`?after=${before}`)).filter(({ tenant }) => tenant === company.id);
  expect(asked.filter(({ path }) => path.includes('/token') || path.startsWith('/v1.0'))).toEqual([]);
});

describe('a step is good once, in its own browser', () => {
  test.each([
    { what: 'none', state: () => undefined },
    { what: 'empty', state: () => '' },
    { what: 'another of the right length', state: () => 'A'.repeat(43) },
    {
      what: 'one letter changed',
      state: (right: string) => `${right.startsWith('A') ? 'B' : 'A'}${right.slice(1)}`,
    },
    { what: 'cut off', state: (right: string) => right.slice(0, 42) },
    { what: 'twice', state: (right: string) => `${right}&state=${right}` },
  ])('a state that is wrong: $what', async ({ state }) => {
    const right = (await atConsent()).searchParams.get('state') ?? '';
    const wrong = state(right);
    const shown = await browser.open(
      `/connect/callback?admin_consent=True&tenant=${company.id}${wrong === undefined ? '' : `&state=${wrong}`}`,
    );
    expect([shown.status, shown.way.length]).toEqual([400, 1]);
    expect(shown.text).toContain('did not ask for this answer');
    expect(await standing()).toEqual(untouched);
  });

  test('another browser, or one without the cookie, is refused; the right one still comes through', async () => {
    const address = await atConsent();
    const back = `/connect/callback?admin_consent=True&tenant=${company.id}&state=${address.searchParams.get('state')}`;
    const stranger = openBrowser(rig.url);
    expect((await stranger.open(back)).text).toContain('belongs to another browser window');
    await stranger.open(await ticket());
    expect((await stranger.open(back)).text).toContain('belongs to another browser window');
    expect(await rig.audit()).toContain('consent | refused | state: other-session');
    const shown = await browser.open(answering(address, { ...admin(), answer: 'accept' }));
    expect(shown.text).toContain('is connected');
  });

  test('an answer that comes again is refused: of the consent, of the sign-in, of the start', async () => {
    const first = await ticket();
    const { address } = await browser.open(first);
    const shown = await browser.open(answering(address, { ...admin(), answer: 'accept' }));
    const back = shown.way.filter((one) => one.startsWith(`${publicUrl}/connect/callback`));
    expect(back).toHaveLength(2);
    for (const one of back) expect((await browser.open(one)).text).toContain('was used already');
    expect((await browser.open(first)).text).toContain('This page has ended');
  });

  test('the code of one window with the state of another is refused', async () => {
    const ends: URL[] = [];
    for (let n = 0; n < 2; n += 1) {
      const consented = await browser.open(answering(await atConsent(), { ...admin(), answer: 'accept' }), {
        follow: false,
      });
      const toSignIn = await browser.open(consented.headers.get('location') ?? '', { follow: false });
      const signedIn = await browser.open(toSignIn.headers.get('location') ?? '', { follow: false });
      ends.push(new URL(signedIn.headers.get('location') ?? ''));
    }
    const [one, two] = ends as [URL, URL];
    await rig.company();
    one.searchParams.set('code', two.searchParams.get('code') ?? '');
    await rig.services.store.tenants.save(everything, company);
    const shown = await browser.open(one.href);
    expect(shown.text).not.toContain('is connected');
    expect(shown.text).not.toContain('Almost there');
    expect(await standing()).toEqual(untouched);
  });

  test('who only looks, or guesses ahead, uses nothing up', async () => {
    const address = await ticket();
    for (let n = 0; n < 5; n += 1) {
      expect((await browser.open(address, { method: 'HEAD' })).way).toHaveLength(1);
      const ahead = await browser.open(address, {
        headers: { 'sec-purpose': 'prefetch;prerender' },
      });
      expect(ahead.status).toBe(503);
    }
    expect((await browser.open(address)).text).toContain('Pick an account');
  });

  test('who lost the right to connect meanwhile cannot begin', async () => {
    const { store } = rig.services;
    const address = await ticket();
    const [tid, oid] = rig.admin.split('/') as [typeof company.id, string];
    const person = await store.people.get(tid, oid);
    await store.people.removeGrants(tid, oid);
    const shown = await browser.open(address);
    for (const grant of person?.grants ?? []) await store.people.addGrant(tid, oid, 'Ana Reyes', grant);
    expect(shown.text).toContain('This page has ended');
  });

  test(`forged redirects, ${count(100, 1_000)} ways: nothing changes`, async () => {
    const random = seeded();
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    const before = JSON.stringify(await rig.services.store.tenants.list(everything));
    const right = (await atConsent()).searchParams.get('state') ?? '';
    const stranger = openBrowser(rig.url);
    for (let n = 0; n < count(100, 1_000); n += 1) {
      const query = new URLSearchParams();
      const parts: [string, readonly string[]][] = [
        ['tenant', [company.id, sandbox.info.tenants[0]?.id ?? '', company.domain, '', '<script>']],
        ['admin_consent', ['True', 'true', '1', 'False']],
        ['state', [right, right.toUpperCase(), 'A'.repeat(43), '', `${right}%00`, '__proto__']],
        ['code', ['a-code', 'x'.repeat(1_500), '']],
        ['scope', ['https://graph.microsoft.com/.default', 'everything']],
        ['id_token', ['eyJhbGciOiJub25lIn0.e30.']],
        ['error', ['access_denied', 'consent_required', '<b>']],
        ['error_description', ['AADSTS65004', '<img src=x onerror=alert(1)>']],
        ['session_state', ['1']],
        ['iss', ['https://login.microsoftonline.com/common/v2.0']],
      ];
      for (const [name, values] of parts) if (random() < 0.6) query.append(name, pick(values));
      const shown = await stranger.open(`/connect/callback?${query}`);
      expect(shown.status).toBe(400);
      expect(shown.way).toHaveLength(1);
      expect(shown.text).not.toMatch(/<script>alert|onerror|<b>$/);
    }
    expect(JSON.stringify(await rig.services.store.tenants.list(everything))).toBe(before);
    expect(await standing()).toEqual(untouched);
  });
});

test('without an application nobody can consent, and each place says so', async () => {
  const { consent: _, ...without } = rig.services;
  const off = await rig.second(without);
  for (const path of [
    '/connect/start?ticket=x',
    '/connect/callback?state=x',
    '/connect/wait',
    `/connect/${'A'.repeat(43)}`,
  ])
    expect((await openBrowser(off.url).open(path)).text).toContain('GRAPH_APP_ID');
});

test('with a certificate instead of a secret: the sign-in and the token are proved by it alone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'watchpost-graph-'));
  writeFileSync(join(folder, 'graph.pem'), certificatePem);
  writeFileSync(join(folder, 'graph.key'), privateKeyPem, { mode: 0o600 });
  const other = await openRig(sandbox, {
    patience,
    env: {
      GRAPH_APP_SECRET: '',
      GRAPH_CERTIFICATE_FILE: join(folder, 'graph.pem'),
      GRAPH_KEY_FILE: join(folder, 'graph.key'),
    },
  });
  const its = await other.company();
  const through = async (): Promise<string> => {
    const window = openBrowser(other.url);
    const { address } = await window.open((await beginInTab(its.id, other.admin, other.services)).address);
    return (await window.open(answering(address, { ...admin(), answer: 'accept' }))).text;
  };
  // Not registered with the application yet.
  expect(await through()).toContain('could not be verified');
  await sandbox.control('POST', '/_sandbox/apps', { app: 'graph', certificate: certificatePem });
  expect(await through()).toContain('is connected');
  await other.close();
  rmSync(folder, { recursive: true });
});

linkTests(() => ({ sandbox, rig }));
