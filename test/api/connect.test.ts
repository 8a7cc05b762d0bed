import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { syncScores } from '../../bot/jobs/sync-scores.ts';
import type { LogFields } from '../../bot/log.ts';
import type { Microsoft } from '../../bot/services.ts';
import { scopeOfSystem } from '../../shared/access.ts';
import type {
  ConnectAnswer,
  ConnectStep,
  Problem,
  RemoveAnswer,
  SyncAnswer,
  TenantPage,
} from '../../shared/api.ts';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { openMicrosoftOf, type Sandboxed } from '../jobs/sandboxed.ts';
import { seedTenants } from '../tab/seeded.ts';
import { openTabServer, type TabServer } from '../tab/tab-server.ts';

/** Connecting, exchanging credentials and removing, through the real API against the sandbox over real HTTP. */

const everything = scopeOfSystem();
/** One person for each test: each may test twenty times a minute. */
const admins = Array.from({ length: 80 }, (_, n) => `bbbbbbbb-0000-4000-8000-0000000000${n + 10}`);

let world: Sandboxed;
let server: TabServer;
let token: string;
const logged: string[] = [];
/** All that was ever answered, to look for secrets in. */
const said: string[] = [];
const secrets: string[] = [];

beforeAll(async () => {
  world = await openMicrosoftOf();
  await world.sandbox.control('POST', '/_sandbox/limits', { off: true });
  const note = (fields: LogFields, message: string) => logged.push(`${JSON.stringify(fields)} ${message}`);
  server = await openTabServer({
    seeds: [],
    services: {
      microsoft: world.microsoft,
      log: { debug: note, info: note, warn: note, error: note },
    },
  });
  for (const oid of admins) {
    await server.store.people.addGrant(server.services.settings.homeTenantId, oid, 'An Admin', {
      ...{ id: oid, role: 'Admin', scope: 'all', source: 'demo', by: 'demo', at: server.store.now() },
    });
  }
}, 60_000);
afterAll(async () => {
  await server?.close();
  await world?.stop();
});

let turn = 0;
async function asSomebodyElse(): Promise<void> {
  const oid = admins[turn % admins.length];
  turn += 1;
  token = `Bearer ${await server.entra.token({ oid })}`;
}

async function post<T>(path: string, body: unknown): Promise<{ status: number; body: T; text: string }> {
  const answer = await server.post(path, body, token);
  const text = await answer.text();
  said.push(text);
  return { status: answer.status, body: JSON.parse(text) as T, text };
}

async function customer(
  name: string,
): Promise<{ id: string; domain: string; appId: string; secret: string }> {
  const domain = `${name.toLowerCase()}.com`;
  const known = world.sandbox.info.tenants.find((one) => one.domain === domain);
  const made =
    known ??
    (await world.sandbox.control<{ id: string; domain: string; appId: string; secret: string }>(
      'POST',
      '/_sandbox/tenants',
      { name, domain, seed: 'connect' },
    ));
  secrets.push(made.secret);
  await asSomebodyElse();
  return made;
}

/** What the clock thread does with what is due. */
async function runSyncs(): Promise<void> {
  for (const lease of await server.store.work.claimDue('sync-scores', 20, 60_000)) {
    await syncScores(lease, server.services);
  }
}

const stepOf = ({ steps }: ConnectAnswer, step: string): ConnectStep => {
  const found = steps.find((one) => one.step === step);
  if (found === undefined) throw new Error(`no step "${step}" in ${JSON.stringify(steps)}`);
  return found;
};
const usual = [
  'Organization.Read.All',
  'Domain.Read.All',
  'LicenseAssignment.Read.All',
  'SecurityEvents.Read.All',
];

describe('a test', () => {
  test('says step by step that all works, and saves nothing', async () => {
    const { tenant, form } = await formOf('Tailspin');
    const { status, body } = await post<ConnectAnswer>('/api/tab/connect/test', form);
    expect(status).toBe(200);
    expect(body.steps.map(({ step, state }) => [step, state === 'gap' ? 'works' : state])).toEqual([
      ['Find the tenant', 'works'],
      ['Sign in to the tenant', 'works'],
      ['Read the organisation', 'works'],
      ['Read the domains', 'works'],
      ['Read the licences', 'works'],
      ['Read Secure Score', 'works'],
      ['Read the recommended actions', 'works'],
    ]);
    expect(body).toMatchObject({ works: true, known: null, saved: null, organization: { name: 'Tailspin' } });
    expect(await server.store.tenants.get(everything, id(tenant.id))).toBeNull();
    expect(await server.store.credentials.facts(everything, id(tenant.id))).toBeNull();
  });

  test('a name that is taken is said before saving, and does not keep anybody from it', async () => {
    const [seed] = await seedTenants(
      server.store,
      [{ name: 'Wideworld', domain: 'wideworld-holding.example', percent: 50, days: 2 }],
      server.store.now(),
    );
    if (seed === undefined) throw new Error('nothing was seeded');
    const { form } = await formOf('Wideworld');
    const taken = { name: 'Wideworld', domain: 'wideworld-holding.example' };
    const { body } = await post<ConnectAnswer>('/api/tab/connect/test', form);
    expect(body).toMatchObject({ works: true, namesake: taken });
    for (const { name, namesake } of [
      { name: ' WIDEWORLD\u00a0', namesake: taken },
      { name: 'Wideworld Toys', namesake: null },
    ]) {
      const own = await post<ConnectAnswer>('/api/tab/connect/test', { ...form, name });
      expect(own.body).toMatchObject({ works: true, namesake });
    }
    // What does not work gets no name, so there is nothing to say of one.
    const wrong = await post<ConnectAnswer>('/api/tab/connect/test', {
      ...form,
      secret: 'not-its-secret-at-all',
    });
    expect(wrong.body).toMatchObject({ works: false, namesake: null });
    await asSomebodyElse();
    const gone = await post<RemoveAnswer>(`/api/tab/tenants/${seed.id}/remove`, { name: seed.domain });
    expect(gone.status).toBe(200);
    const free = await post<ConnectAnswer>('/api/tab/connect/test', form);
    expect(free.body).toMatchObject({ works: true, namesake: null });
  });

  async function formOf(name: string) {
    const tenant = await customer(name);
    return { tenant, form: { tenant: tenant.domain, appId: tenant.appId, secret: tenant.secret } };
  }
  const entra = (page: string) =>
    new RegExp(`^https://entra\\.microsoft\\.com/[0-9a-f-]{36}/#view/Microsoft_[A-Za-z_]+/[\\w/~]*${page}`);

  test.each([
    {
      what: 'a wrong secret',
      prepare: async () => undefined,
      change: { secret: 'this-is-another-secret' },
      step: 'Sign in to the tenant',
      says: /client secret is wrong/,
      remedy: /its value, not its id.*AADSTS7000215/,
      link: entra('Credentials/appId/'),
    },
    {
      what: 'an expired secret',
      prepare: (domain: string) =>
        world.sandbox.control('POST', `/_sandbox/tenants/${domain}/app`, { expireSecret: true }),
      change: {},
      step: 'Sign in to the tenant',
      says: /secret has expired/,
      remedy: /new secret.*AADSTS7000222/,
      link: entra('Credentials/appId/'),
    },
    {
      what: 'an app that this tenant does not know',
      prepare: async () => undefined,
      change: { appId: 'ffffffff-0000-4000-8000-000000000003' },
      step: 'Sign in to the tenant',
      says: /does not know this application/,
      remedy: /App id and the tenant id.*AADSTS700016/,
      link: entra('ApplicationsListBlade'),
    },
    {
      what: 'consent that was never given',
      prepare: (domain: string) =>
        world.sandbox.control('POST', `/_sandbox/tenants/${domain}/consent`, { revoke: true }),
      change: {},
      step: 'Sign in to the tenant',
      says: /Consent was withdrawn or never given/,
      remedy: /has to consent.*AADSTS7000229/,
      link: entra('CallAnAPI/appId/'),
    },
    {
      what: 'one permission that is missing',
      prepare: (domain: string) =>
        world.sandbox.control('POST', `/_sandbox/tenants/${domain}/consent`, { grant: usual.slice(0, 3) }),
      change: {},
      step: 'Read Secure Score',
      says: /SecurityEvents\.Read\.All is missing/,
      remedy: /grant the permission/,
      link: entra('CallAnAPI/appId/'),
    },
    {
      what: 'an application that is switched off',
      prepare: (domain: string) =>
        world.sandbox.control('POST', `/_sandbox/tenants/${domain}/app`, { state: 'disabled' }),
      change: {},
      step: 'Sign in to the tenant',
      says: /disabled in the tenant/,
      remedy: /enable the enterprise application/,
      link: entra('AppAppsPreview'),
    },
    {
      what: 'a policy that blocks the application',
      prepare: (domain: string) =>
        world.sandbox.control('POST', `/_sandbox/tenants/${domain}/app`, { state: 'blocked' }),
      change: {},
      step: 'Sign in to the tenant',
      says: /Conditional Access policy/,
      remedy: /exclude the application/,
      link: entra('Policies'),
    },
    {
      what: 'a domain that nobody has',
      prepare: async () => undefined,
      change: { tenant: 'nobody-has-this.com' },
      step: 'Find the tenant',
      says: /No Microsoft 365 tenant has the domain "nobody-has-this\.com"/,
      remedy: /spelling/,
      link: null,
    },
  ])(
    '$what is said with what to do and where; it cannot be saved',
    async ({ what, prepare, change, ...expected }) => {
      const { tenant, form } = await formOf(`Case${what.replaceAll(/\W/g, '')}`);
      await prepare(tenant.domain);
      for (const path of ['/api/tab/connect/test', '/api/tab/connect']) {
        const { status, body } = await post<ConnectAnswer>(path, { ...form, ...change });
        expect(status).toBe(200);
        expect(body).toMatchObject({ works: false, saved: null, organization: null });
        const step = stepOf(body, expected.step);
        expect(step).toMatchObject({ state: 'failed', says: expect.stringMatching(expected.says) });
        expect(step.remedy).toMatch(expected.remedy);
        if (expected.link === null) expect(step.link).toBeNull();
        else expect(step.link?.href).toMatch(expected.link);
        // What was not tried says so.
        const after = body.steps.slice(body.steps.indexOf(step) + 1);
        if (expected.step !== 'Read Secure Score')
          expect(after.every(({ state }) => state === 'not-tried')).toBe(true);
      }
      expect(await server.store.tenants.get(everything, id(tenant.id))).toBeNull();
      expect(await server.store.credentials.facts(everything, id(tenant.id))).toBeNull();
    },
  );

  test('a tenant without Entra ID P2 works, and what that means is said', async () => {
    const { form } = await formOf('adventure-works');
    const { body } = await post<ConnectAnswer>('/api/tab/connect/test', form);
    expect(stepOf(body, 'Read the licences')).toMatchObject({
      state: 'gap',
      says: expect.stringMatching(/No Entra ID P/),
      remedy: '',
    });
    expect(body.works).toBe(true);
  });

  test('Microsoft that does not answer is a failure in words within the time of one answer', async () => {
    const { tenant } = await formOf('Silent');
    const never = new Promise<never>(() => undefined);
    const silent: Microsoft = { ...world.microsoft, organization: () => never };
    const { testConnection } = await import('../../bot/connect/test-connection.ts');
    const { Secret } = await import('../../bot/secrets.ts');
    const tested = await testConnection(
      {
        tenantId: id(tenant.id),
        appId: tenant.appId,
        credential: { kind: 'secret', secret: new Secret(tenant.secret) },
      },
      { ...server.services, microsoft: silent },
      500,
    );
    expect(tested.organization).toBeNull();
    expect(tested.steps.at(-1)).toMatchObject({ works: false, says: 'Microsoft did not answer in time.' });
  });

  test.each([
    { field: 'no tenant', change: { tenant: '' }, says: /domain of the tenant/ },
    { field: 'an address', change: { tenant: 'https://evil.example/x' }, says: /domain of the tenant/ },
    { field: 'a path', change: { tenant: 'contoso.com/../../x' }, says: /domain of the tenant/ },
    { field: 'user and host', change: { tenant: 'a@evil.example' }, says: /domain of the tenant/ },
    { field: 'a port', change: { tenant: 'contoso.com:8080' }, says: /domain of the tenant/ },
    { field: 'a query', change: { tenant: 'contoso.com?x=1' }, says: /domain of the tenant/ },
    { field: 'IPv6', change: { tenant: '[::1]' }, says: /domain of the tenant/ },
    { field: 'a tenant that is no text', change: { tenant: { $ne: '' } }, says: /domain of the tenant/ },
    {
      field: 'a tenant too long',
      change: { tenant: `${'a'.repeat(300)}.com` },
      says: /domain of the tenant/,
    },
    { field: 'an app id that is none', change: { appId: 'my-app' }, says: /must be a GUID/ },
    { field: 'an app id with more', change: { appId: `${'f'.repeat(8)}/../x` }, says: /must be a GUID/ },
    { field: 'no secret', change: { secret: '' }, says: /value of the client secret/ },
    {
      field: 'a secret too short to be one',
      change: { secret: 'abc' },
      says: /too short to be a client secret\. Give its Value, .* not its Secret ID/,
    },
    { field: 'a secret in two lines', change: { secret: 'canary-one\ncanary-two' }, says: /client secret/ },
    { field: 'a secret too long', change: { secret: 'canary'.repeat(100) }, says: /at most 512/ },
    { field: 'a name in two lines', change: { name: 'a\nb' }, says: /on one line/ },
    { field: 'a name too long', change: { name: 'a'.repeat(200) }, says: /120 characters/ },
    { field: 'something more', change: { publicUrl: 'https://evil.example' }, says: /form again/ },
  ])('$field is refused before anybody is asked, and not repeated', async ({ change, says }) => {
    await asSomebodyElse();
    const form = {
      ...{
        tenant: 'contoso.com',
        appId: 'ffffffff-0000-4000-8000-000000000003',
        secret: 'canary-of-a-secret',
      },
      ...change,
    };
    const before = (await world.sandbox.requests()).length;
    const { status, body, text } = await post<Problem>('/api/tab/connect/test', form);
    expect(status).toBe(400);
    expect(body.detail).toMatch(says);
    expect(text).not.toMatch(/canary|evil/);
    expect((await world.sandbox.requests()).length).toBe(before);
  });

  test.each([
    'localhost',
    '127.0.0.1',
    '169.254.169.254',
    'metadata.google.internal',
    '0x7f000001',
    'login.microsoftonline.com.evil.example',
    'xn--80ak6aa92e.com',
  ])('"%s" reaches nobody but Microsoft’s own hosts', async (tenant) => {
    await asSomebodyElse();
    const before = (await world.sandbox.requests()).length;
    const form = { tenant, appId: 'ffffffff-0000-4000-8000-000000000003', secret: 'canary-of-a-secret' };
    const { body } = await post<ConnectAnswer>('/api/tab/connect/test', form);
    expect(stepOf(body, 'Find the tenant').state).toBe('failed');
    const asked = (await world.sandbox.requests(`?after=${before}`)).map(({ host }) => host);
    expect(asked.every((host) => host === 'login.microsoftonline.com')).toBe(true);
  });

  test('the twenty-first within a minute is refused, for this person only', async () => {
    await asSomebodyElse();
    const form = {
      tenant: 'nobody-has-this.com',
      appId: 'ffffffff-0000-4000-8000-000000000003',
      secret: 'whatever-it-is',
    };
    for (let n = 0; n < 20; n += 1) expect((await post('/api/tab/connect/test', form)).status).toBe(200);
    const last = await post<Problem>('/api/tab/connect', form);
    expect([last.status, last.body.detail]).toEqual([429, expect.stringMatching(/Try again in \d+ seconds/)]);
    await asSomebodyElse();
    expect((await post('/api/tab/connect/test', form)).status).toBe(200);
  });
});

describe('the life of a tenant', () => {
  let tenant: { id: string; domain: string; appId: string; secret: string };
  const path = (rest = '') => `/api/tab/tenants/${tenant.id}${rest}`;
  const page = async () => (await (await server.get(path(), token)).json()) as TenantPage;

  test('saved, it stands in the list at once and is read for the first time', async () => {
    tenant = await customer('Litware');
    const { domain, appId, secret } = tenant;
    const { body } = await post<ConnectAnswer>('/api/tab/connect', {
      ...{
        name: '  Litware of ours ',
        tenant: domain.toUpperCase(),
        appId: appId.toUpperCase(),
        secret: ` ${secret} `,
      },
    });
    expect(body.saved).toMatchObject({ id: tenant.id, name: 'Litware of ours', domain });
    expect((await page()).tenant).toMatchObject({ name: 'Litware of ours', health: { state: 'waiting' } });
    await runSyncs();
    const sync = (await (await server.get(path(`/sync/${body.saved?.sync}`), token)).json()) as SyncAnswer;
    expect(sync).toMatchObject({ state: 'done', result: expect.stringMatching(/^First read: /) });
    expect((await page()).tenant.health.state).toBe('connected');
  });

  test('a second time it is said that it is there, and nothing is tried', async () => {
    await asSomebodyElse();
    const before = (await world.sandbox.requests()).length;
    const form = { tenant: tenant.domain, appId: tenant.appId, secret: 'something-else-entirely' };
    for (const where of ['/api/tab/connect/test', '/api/tab/connect']) {
      const { body } = await post<ConnectAnswer>(where, form);
      expect(body).toMatchObject({
        works: false,
        saved: null,
        known: { id: tenant.id, name: 'Litware of ours' },
      });
    }
    const asked = await world.sandbox.requests(`?after=${before}`);
    expect(asked.some(({ path: one }) => /token/.test(one))).toBe(false);
  });

  test('new credentials are tested first: wrong ones change nothing, right ones replace the old', async () => {
    await asSomebodyElse();
    const before = await server.store.credentials.facts(everything, id(tenant.id));
    const wrong = await post<ConnectAnswer>(path('/credentials'), {
      appId: tenant.appId,
      secret: 'not-the-secret-of-it',
    });
    expect(wrong.body).toMatchObject({ works: false, saved: null });
    expect(await server.store.credentials.facts(everything, id(tenant.id))).toEqual(before);
    const { newSecret } = await exchangeSecret();
    const tested = await post<ConnectAnswer>(path('/credentials/test'), {
      appId: tenant.appId,
      secret: newSecret,
    });
    expect(tested.body.works).toBe(true);
    expect(await server.store.credentials.facts(everything, id(tenant.id))).toEqual(before);
    const saved = await post<ConnectAnswer>(path('/credentials'), { appId: tenant.appId, secret: newSecret });
    expect(saved.body.saved).toMatchObject({ name: 'Litware of ours' });
    expect((await server.store.credentials.facts(everything, id(tenant.id)))?.version).toBe(
      (before?.version ?? 0) + 1,
    );
    await runSyncs();
    expect((await page()).tenant.health.state).toBe('connected');
  });

  async function exchangeSecret(): Promise<{ newSecret: string }> {
    await world.sandbox.control('POST', `/_sandbox/tenants/${tenant.domain}/app`, { newSecret: true });
    const { tenants } = await world.sandbox.control<{ tenants: { id: string; secret: string }[] }>(
      'GET',
      '/_sandbox',
    );
    const newSecret = tenants.find((one) => one.id === tenant.id)?.secret ?? '';
    expect(newSecret).not.toBe(tenant.secret);
    secrets.push(newSecret);
    return { newSecret };
  }

  test('Sync now says what changed, and many who press make one sync', async () => {
    await asSomebodyElse();
    await world.sandbox.control('POST', `/_sandbox/tenants/${tenant.domain}/score`, { drop: 5 });
    const asked = await Promise.all(Array.from({ length: 5 }, () => post<SyncAnswer>(path('/sync'), {})));
    expect(new Set(asked.map(({ body }) => body.id)).size).toBe(1);
    await runSyncs();
    const end = await server.get(path(`/sync/${asked[0]?.body.id}`), token);
    expect(await end.json()).toMatchObject({ state: 'done', result: expect.stringMatching(/−\d/) });
  });

  test('trouble shows its cause, since when, and the page of Entra that ends it', async () => {
    await world.sandbox.control('POST', `/_sandbox/tenants/${tenant.domain}/consent`, { revoke: true });
    world.microsoft.forget(id(tenant.id));
    await post(path('/sync'), {});
    await runSyncs();
    const { tenant: row, mend } = await page();
    expect(row.health).toMatchObject({
      state: 'permission-error',
      cause: expect.stringMatching(/Consent was withdrawn/),
      remedy: expect.stringMatching(/consent again/),
      since: expect.stringMatching(/^2/),
    });
    expect(mend?.href).toBe(
      `https://entra.microsoft.com/${tenant.id}/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/CallAnAPI/appId/${tenant.appId}`,
    );
  });

  test('removed only by who types its name; then nothing of it is left, and channels go on without it', async () => {
    const other = await customer('Proseware');
    await post('/api/tab/connect', { tenant: other.domain, appId: other.appId, secret: other.secret });
    const watching = { serviceUrl: 'https://smba.trafficmanager.net/emea/', kind: 'channel' } as const;
    const home = server.services.settings.homeTenantId;
    for (const [conversationId, tenants] of [
      ['19:both', [id(tenant.id), id(other.id)]],
      ['19:all', 'all'],
      ['19:other', [id(other.id)]],
    ] as const) {
      await server.store.subscriptions.change(
        conversationId,
        () =>
          ({
            ...{ conversationId, hostTenantId: home, by: 'Ana', since: server.store.now(), ...watching },
            ...{
              tenants: tenants === 'all' ? 'all' : [...tenants],
              thresholds: [{ tenantId: id(tenant.id), threshold: { percent: 3 } }],
            },
          }) as never,
      );
    }
    const wrong = await post<Problem>(path('/remove'), { name: 'Proseware' });
    expect([wrong.status, wrong.body.detail]).toEqual([400, expect.stringMatching(/nothing was removed/)]);
    expect((await page()).tenant.name).toBe('Litware of ours');

    // A sync is under way while it goes.
    await server.store.work.schedule(everything, id(tenant.id), 'sync-scores', server.store.now());
    const leases = await server.store.work.claimDue('sync-scores', 20, 60_000);
    const both = await Promise.all([
      post<RemoveAnswer>(path('/remove'), { name: ' litware  OF ours ' }),
      post<RemoveAnswer>(path('/remove'), { name: tenant.domain }),
    ]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    const deleted = both.flatMap(({ body }) => body.deleted).join(', ');
    expect(deleted).toMatch(/1 credential/);
    expect(deleted).toMatch(/9\d days of scores/);
    for (const lease of leases) await syncScores(lease, server.services).catch(() => undefined);

    expect((await server.get(path(), token)).status).toBe(404);
    expect((await post(path('/remove'), { name: 'Litware of ours' })).status).toBe(404);
    expect(await server.store.credentials.open(everything, id(tenant.id))).toBeNull();
    expect(await server.store.scores.posture(everything, id(tenant.id))).toBeNull();
    expect(await server.store.tenants.get(everything, id(tenant.id))).toBeNull();
    const rows = await server.store.subscriptions.all();
    expect(
      rows
        .map(({ conversationId, tenants, thresholds }) => [conversationId, tenants, thresholds.length])
        .sort(),
    ).toEqual([
      ['19:all', 'all', 0],
      ['19:both', [id(other.id)], 0],
      ['19:other', [id(other.id)], 0],
    ]);
    const { rows: audit } = await server.store.audit.list({ limit: 50 });
    const removals = audit.filter(({ what, tenant: of }) => what === 'remove tenant' && of === id(tenant.id));
    expect(removals.map(({ result }) => result).sort()).toEqual(['done', 'done', 'started', 'started']);
  });

  test('connected again it begins anew', async () => {
    await asSomebodyElse();
    await world.sandbox.control('POST', `/_sandbox/tenants/${tenant.domain}/consent`, { grant: usual });
    const { tenants } = await world.sandbox.control<{ tenants: { id: string; secret: string }[] }>(
      'GET',
      '/_sandbox',
    );
    const secret = tenants.find((one) => one.id === tenant.id)?.secret ?? '';
    const { body } = await post<ConnectAnswer>('/api/tab/connect', {
      tenant: tenant.id,
      appId: tenant.appId,
      secret,
    });
    expect(body.saved).toMatchObject({ name: 'Litware' });
    await runSyncs();
    expect((await page()).tenant).toMatchObject({ name: 'Litware', health: { state: 'connected' } });
  });
});

test('of all secrets that went in, none is in an answer, a log line or the audit', async () => {
  const { rows } = await server.store.audit.list({ limit: 500 });
  const all = [...said, ...logged, JSON.stringify(rows)].join('\n');
  expect(secrets.length).toBeGreaterThan(10);
  expect(all.length).toBeGreaterThan(10_000);
  expect(secrets.filter((secret) => all.includes(secret))).toEqual([]);
  expect(all).not.toMatch(
    /this-is-another-secret|not-the-secret-of-it|something-else-entirely|whatever-it-is/,
  );
});

function id(text: string): TenantId {
  const known = tenantId(text);
  if (known === undefined) throw new Error('no GUID');
  return known;
}
