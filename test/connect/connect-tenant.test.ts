import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type ConnectRequest, connectKnown, connectTenant } from '../../bot/connect/connect-tenant.ts';
import { removeTenant } from '../../bot/connect/remove-tenant.ts';
import { Secret } from '../../bot/secrets.ts';
import type { Failure, Microsoft, Reading, Services, Store } from '../../bot/services.ts';
import { scopeOfSystem } from '../../shared/access.ts';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { millis, never } from '../../shared/time.ts';
import { directoryReads } from '../support/directory-reads.ts';
import { openTestStore } from '../support/store.ts';
import { openTabServer, type TabServer } from '../tab/tab-server.ts';

/** What connecting and removing promise when they meet each other, a slow Microsoft, or a tenant that is not as it should be. */

const everything = scopeOfSystem();
const contoso = tenantId('11111111-1111-4111-8111-111111111111') as TenantId;
const other = tenantId('22222222-2222-4222-8222-222222222222') as TenantId;
const request: ConnectRequest = {
  domain: 'contoso.com',
  appId: 'ffffffff-0000-4000-8000-000000000001',
  credential: { kind: 'secret', secret: new Secret('a-good-secret') },
  by: 'test',
};

const ok = <T>(value: T): Reading<T> => ({ kind: 'ok', value, hash: 'h' });
const failed = (kind: Failure['kind'], cause: string): Reading<never> => ({
  kind: 'failed',
  failure: { kind, cause, remedy: 'Do something.', transient: false },
});
const well: Microsoft = {
  token: async () => ok({ roles: [] }),
  organization: async () => ok({ id: contoso, name: 'Contoso', domains: ['contoso.com'] }),
  domains: async () => ok([]),
  subscribedSkus: async () =>
    ok({ entraP1: { known: true, value: true }, entraP2: { known: true, value: true }, skus: [] }),
  secureScores: async () => ok([]),
  secureScoreControlProfiles: async () => ok([]),
  ...directoryReads(async () => failed('licence', 'Not asked here.')),
  tenantOfDomain: async () => contoso,
  forget: () => undefined,
};

let server: TabServer;
let services: Services;
let close: () => Promise<void>;
beforeAll(async () => {
  server = await openTabServer({ seeds: [] });
});
beforeEach(async () => {
  const opened = await openTestStore();
  close = opened.close;
  services = { ...server.services, store: opened.store, microsoft: well, now: () => opened.store.now() };
});
afterEach(() => close());
afterAll(() => server.close());

test('removed in the same moment, nothing of it stays: no credential without a tenant', async () => {
  const { store } = services;
  const work: Store['work'] = {
    ...store.work,
    schedule: async (...given) => {
      await store.work.schedule(...given);
      await removeTenant({ id: contoso }, 'somebody else', services);
      // What the other one left behind, had it been slower.
      await store.credentials.save(everything, { tenantId: contoso, ...request });
    },
  };
  const racing = { ...services, store: { ...store, work } };
  await expect(connectTenant(request, racing)).rejects.toMatchObject({ code: 'conflict' });
  expect(await store.tenants.get(everything, contoso)).toBeNull();
  expect(await store.credentials.facts(everything, contoso)).toBeNull();
  expect(await store.work.claimDue('sync-scores', 5, 1_000)).toEqual([]);
});

test('killed between the credential and the first sync, that comes all the same', async () => {
  const { store } = services;
  const add = async (): Promise<never> => {
    throw new Error('killed');
  };
  const dying = { ...services, store: { ...store, syncRequests: { ...store.syncRequests, add } } };
  await expect(connectTenant(request, dying)).rejects.toThrow('killed');
  expect(await store.credentials.facts(everything, contoso)).not.toBeNull();
  for (const kind of ['sync-scores', 'sync-directory'] as const) {
    const row = await store.work.get(everything, contoso, kind);
    expect(millis(row?.dueAt ?? never) - millis(store.now())).toBeLessThan(120_000);
  }
});

test('a removed tenant stands in no subscription any more, ended or asked for meanwhile', async () => {
  const { store } = services;
  await connectTenant(request, services);
  const threshold = { percent: null, points: 3 };
  const watching = (conversationId: string) =>
    store.subscriptions.change(conversationId, () => ({
      ...{ conversationId, kind: 'channel' as const, serviceUrl: 'https://smba.trafficmanager.net/emea/' },
      ...{ hostTenantId: other, tenants: [contoso, other], by: 'Ana', since: store.now() },
      thresholds: [{ tenantId: contoso, threshold }],
    }));
  await watching('19:live');
  await watching('19:ended');
  await store.subscriptions.end('19:ended');
  const tenant: Store['purge']['tenant'] = async (...given) => {
    await watching('19:late');
    return await store.purge.tenant(...given);
  };
  const racing = { ...services, store: { ...store, purge: { ...store.purge, tenant } } };
  const removal = await removeTenant({ id: contoso }, 'test', racing);
  expect(removal.channels).toBe(2);
  expect(await store.subscriptions.naming(contoso)).toEqual([]);
  await store.subscriptions.reinstalled('19:ended');
  const rows = await store.subscriptions.all();
  expect(rows.map(({ conversationId, tenants }) => [conversationId, tenants]).sort()).toEqual([
    ['19:ended', [other]],
    ['19:late', [other]],
    ['19:live', [other]],
  ]);
});

test('removed while new credentials were being tried, it stays removed', async () => {
  const { store } = services;
  await connectTenant(request, services);
  const slow: Microsoft = {
    ...well,
    secureScores: async () => {
      await removeTenant({ id: contoso }, 'somebody else', services);
      return ok([]);
    },
  };
  const update = { ...request, what: 'update credentials' as const };
  await expect(connectKnown(contoso, update, { ...services, microsoft: slow })).rejects.toMatchObject({
    code: 'conflict',
  });
  expect(await store.tenants.get(everything, contoso)).toBeNull();
  expect(await store.credentials.facts(everything, contoso)).toBeNull();
});

test.each([
  {
    what: 'another tenant answers',
    change: { organization: async () => ok({ id: other, name: 'Other', domains: ['other.com'] }) },
    step: 'Right tenant',
  },
  {
    what: 'no token',
    change: { token: async () => failed('authentication', 'No.') },
    step: 'Sign in to the tenant',
  },
  {
    what: 'no permission for the organisation, though all else can be read',
    change: { organization: async () => failed('permission', 'Not allowed.') },
    step: 'Read the organisation',
  },
  {
    what: 'Secure Score fails',
    change: { secureScores: async () => failed('service', 'Trouble.') },
    step: 'Read Secure Score',
  },
  {
    what: 'recommendations fail',
    change: { secureScoreControlProfiles: async () => failed('permission', 'Not allowed.') },
    step: 'Read the recommended actions',
  },
])('$what: nothing is saved, and the step says so', async ({ change, step }) => {
  const report = await connectTenant(request, { ...services, microsoft: { ...well, ...change } });
  expect(report.saved).toBeNull();
  expect(report.steps.filter(({ works }) => !works).map((one) => one.step)).toEqual([step]);
  expect(await services.store.tenants.get(everything, contoso)).toBeNull();
  expect(await services.store.credentials.facts(everything, contoso)).toBeNull();
  const { rows } = await services.store.audit.list({ limit: 10 });
  expect(rows[0]).toMatchObject({ what: 'connect tenant', result: 'failed', tenant: contoso });
});

test.each([
  { typed: 'Zo\u00eb \u202e abc \u200bdef\u2066', is: 'Zo\u00eb abc def' },
  { typed: '  Zo\u00eb\n GmbH ', is: 'Zo\u00eb GmbH' },
  { typed: '\u202e\u200b', is: 'Contoso' },
])('of a typed name only what is seen is kept: “$is”', async ({ typed, is }) => {
  const { saved } = await connectTenant({ ...request, name: typed }, services);
  expect(saved?.name).toBe(is);
  const kept = await services.store.tenants.get(everything, contoso);
  expect(kept?.name).toBe(is);
  expect(kept?.named ?? false).toBe(is !== 'Contoso');
});

test('the organisation’s own name is kept without marks that turn words round', async () => {
  const organization = async () => ok({ id: contoso, name: 'Con\u202etoso', domains: ['contoso.com'] });
  const microsoft = { ...well, organization };
  expect((await connectTenant(request, { ...services, microsoft })).saved?.name).toBe('Contoso');
});

test.each(['https://Contoso.com/', 'http://contoso.com', ' Contoso.com '])(
  'a pasted “%s” is the domain contoso.com',
  async (domain) => {
    const asked: string[] = [];
    const tenantOfDomain = async (one: string) => {
      asked.push(one);
      return contoso;
    };
    const microsoft = { ...well, tenantOfDomain };
    expect((await connectTenant({ ...request, domain }, { ...services, microsoft })).saved).not.toBeNull();
    expect(asked).toEqual(['contoso.com']);
  },
);

test.each([
  { domain: other, says: `No Microsoft 365 tenant has the id "${other}".` },
  { domain: 'nobody.example', says: 'No Microsoft 365 tenant has the domain "nobody.example".' },
])('who nobody is: $says', async ({ domain, says }) => {
  const microsoft = { ...well, tenantOfDomain: async () => null };
  const trying = connectTenant({ ...request, domain }, { ...services, microsoft });
  await expect(trying).rejects.toMatchObject({
    message: says,
    hint: expect.stringContaining('ask who runs'),
  });
});

test('a licence gap fails nothing', async () => {
  const gap: Microsoft = {
    ...well,
    secureScores: async () => failed('licence', 'Not licensed.'),
    subscribedSkus: async () =>
      ok({ entraP1: { known: true, value: false }, entraP2: { known: true, value: false }, skus: [] }),
  };
  const report = await connectTenant(request, { ...services, microsoft: gap });
  expect(report.saved?.name).toBe('Contoso');
  expect(report.steps.filter(({ gap: one }) => one === true).map(({ step }) => step)).toEqual([
    'Read the licences',
    'Read Secure Score',
  ]);
});

test('a Microsoft that never answers is a failure at the deadline, whichever step it is', async () => {
  for (const step of ['token', 'organization', 'secureScores'] as const) {
    const silent: Microsoft = { ...well, [step]: () => new Promise(() => undefined) };
    const began = performance.now();
    const report = await connectTenant({ ...request, deadlineMs: 200 }, { ...services, microsoft: silent });
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(report.saved).toBeNull();
    expect(report.steps.some(({ says }) => says === 'Microsoft did not answer in time.')).toBe(true);
  }
});

test('the tenant whose people use Watchpost may be removed without losing them', async () => {
  const home = services.settings.homeTenantId;
  const atHome: Microsoft = {
    ...well,
    tenantOfDomain: async () => home,
    organization: async () => ok({ id: home, name: 'Home', domains: ['home.example'] }),
  };
  const all = { ...services, microsoft: atHome };
  const oid = 'aaaaaaaa-0000-4000-8000-000000000001';
  await services.store.people.addGrant(home, oid, 'Ana', {
    ...{ id: 'g', role: 'Admin', scope: 'all', source: 'claim', by: 'claim', at: services.now() },
  });
  await connectTenant(request, all);
  await removeTenant({ id: home }, 'Ana', all);
  expect(await services.store.tenants.get(everything, home)).toBeNull();
  expect(await services.store.people.anyAdmin(services.now())).toBe(true);
});

test.each([
  {
    failure: { kind: 'service', cause: 'The connection was cut.', remedy: '', code: 'UND_ERR_SOCKET' },
    remedy: 'Try again in a few minutes.',
  },
  {
    failure: { kind: 'service', cause: 'No answer.', remedy: '', code: 'TIMEOUT' },
    remedy: 'Try again in a few minutes.',
  },
  {
    failure: { kind: 'service', cause: 'Trouble.', remedy: '', code: 'HTTP 503' },
    remedy: 'Try again in a few minutes. (HTTP 503)',
  },
  {
    failure: { kind: 'authentication', cause: 'Wrong.', remedy: 'Give the value.', code: 'AADSTS7000215' },
    remedy: 'Give the value. (AADSTS7000215)',
  },
  {
    failure: {
      kind: 'permission',
      cause: 'Missing.',
      remedy: 'Somebody has to consent; then sync once more.',
      code: 'Authorization_RequestDenied',
    },
    remedy: 'Somebody has to consent; then test again. (Authorization_RequestDenied)',
  },
] as const)('$failure.code is told as: $remedy', async ({ failure, remedy }) => {
  const token: Microsoft['token'] = async () => ({
    kind: 'failed',
    failure: { ...failure, transient: false },
  });
  const report = await connectTenant(request, { ...services, microsoft: { ...well, token } });
  expect(report.steps.at(-1)).toMatchObject({ works: false, remedy });
});
