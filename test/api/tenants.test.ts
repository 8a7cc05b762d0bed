import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { scopeOfJob } from '../../shared/access.ts';
import type { TenantList, TenantPage } from '../../shared/api.ts';
import { fiveTenants, manyTenants, type Seed } from '../tab/seeded.ts';
import { openTabServer, type TabServer } from '../tab/tab-server.ts';

const ana = 0;
const chidi = 2;
const eli = 4;

async function listOf(server: TabServer, person: number, query = ''): Promise<TenantList> {
  const answer = await server.get(`/api/tab/tenants${query}`, `Bearer ${await server.tokenOf(person)}`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as TenantList;
}

describe('the list of tenants', () => {
  const waiting: Seed = {
    name: 'Zzz Waiting',
    domain: 'zzz.example',
    percent: 0,
    read: false,
    health: 'waiting',
  };
  let server: TabServer;
  beforeAll(async () => {
    server = await openTabServer({ seeds: [...fiveTenants, waiting] });
    await server.grant(ana, 'Admin', 'all');
    await server.grant(chidi, 'Operator', [idOf(1), idOf(3)]);
  });
  afterAll(() => server.close());
  const idOf = (index: number) => {
    const tenant = server.tenants[index];
    if (tenant === undefined) throw new Error('no such tenant');
    return tenant.id;
  };

  test('worst change first, then what is in trouble, then the rest, what is unknown last', async () => {
    const { rows, total } = await listOf(server, ana);
    expect(rows.map(({ name }) => name)).toEqual([
      'Fabrikam',
      'Contoso Ltd',
      'Woodgrove Bank',
      'Adventure Works',
      'Northwind Traders',
      'Zzz Waiting',
    ]);
    expect(total).toBe(6);
  });

  test('what is not known is null with its reason, never 0', async () => {
    const { rows } = await listOf(server, ana);
    const never = rows.find(({ name }) => name === 'Zzz Waiting');
    expect(never).toMatchObject({ score: null, readAt: null, stale: false, health: { state: 'waiting' } });
    const woodgrove = rows.find(({ name }) => name === 'Woodgrove Bank');
    expect(woodgrove).toMatchObject({
      stale: true,
      health: { state: 'permission-error', cause: 'Consent was withdrawn.' },
    });
    expect(woodgrove?.notRead.join()).toContain('consent was withdrawn (SecurityEvents.Read.All)');
  });

  test('the figures count all that this person may see', async () => {
    const { figures } = await listOf(server, ana, '?show=fell&q=contoso');
    expect(figures).toMatchObject({
      tenants: 6,
      scored: 5,
      unreadable: 1,
      fell: { count: 2, names: ['Fabrikam', 'Contoso Ltd'] },
      attention: { count: 1, names: ['Woodgrove Bank'] },
      blind: { count: 3 },
    });
    const percents = (await listOf(server, ana)).rows.flatMap(({ score }) => score?.percent ?? []);
    expect(figures.median).toBe(percents.sort((a, b) => a - b)[2]);
  });

  test.each([
    { query: '?show=fell', finds: ['Fabrikam', 'Contoso Ltd'] },
    { query: '?show=attention', finds: ['Woodgrove Bank'] },
    { query: '?show=blind', finds: ['Woodgrove Bank', 'Adventure Works', 'Zzz Waiting'] },
    { query: '?q=CONTOSO', finds: ['Contoso Ltd'] },
    { query: '?q=adventure-works.onmicrosoft', finds: ['Adventure Works'] },
    { query: '?q=%20northwind%C2%A0%20traders', finds: ['Northwind Traders'] },
    { query: '?q=nothing', finds: [] },
    { query: '?show=fell&q=woodgrove', finds: [] },
  ])('$query finds $finds', async ({ query, finds }) => {
    const { rows, total } = await listOf(server, ana, query);
    expect(rows.map(({ name }) => name)).toEqual(finds);
    expect(total).toBe(finds.length);
  });

  test.each([
    '?after=x',
    '?after=bm90IGpzb24',
    `?after=${Buffer.from('[0,1]').toString('base64url')}`,
    `?after=${Buffer.from('[9,0,"a"]').toString('base64url')}`,
    '?show=everything',
    '?show[$ne]=all',
    '?q=a&q=b',
    `?q=${'x'.repeat(81)}`,
    '?limit=100000',
    '?__proto__=1',
  ])('%s is refused with a problem', async (query) => {
    const answer = await server.get(`/api/tab/tenants${query}`, `Bearer ${await server.tokenOf(ana)}`);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ status: 400, detail: expect.stringMatching(/\.$/) });
  });

  test('a scope of two tenants shows, counts and names two', async () => {
    const list = await listOf(server, chidi);
    expect(list.rows.map(({ name }) => name)).toEqual(['Contoso Ltd', 'Adventure Works']);
    expect(list).toMatchObject({
      total: 2,
      figures: { tenants: 2, scored: 2, attention: { count: 0, names: [] } },
    });
    expect(JSON.stringify(list)).not.toMatch(/Fabrikam|Woodgrove|Northwind/);
    expect((await listOf(server, chidi, '?q=fabrikam')).total).toBe(0);
  });

  test('tries that failed need attention, before the state says so', async () => {
    const northwind = server.tenants[4];
    if (northwind === undefined) throw new Error('nothing was seeded');
    const { work, now } = server.store;
    const scope = scopeOfJob(northwind.id);
    await work.schedule(scope, northwind.id, 'sync-scores', '2000-01-01T00:00:00.000Z');
    const [lease] = await work.claimDue('sync-scores', 1, 60_000);
    if (lease === undefined) throw new Error('no lease');
    const failing = { times: 1, since: now(), cause: 'Microsoft did not answer within 10 s' };
    await work.saveTenant(scope, lease, { health: { ...northwind.health, failing } });
    try {
      const { rows, figures, total } = await listOf(server, ana, '?show=attention');
      expect(rows.map(({ name }) => name)).toEqual(['Woodgrove Bank', 'Northwind Traders']);
      expect(total).toBe(2);
      expect(figures).toMatchObject({
        unreadable: 1,
        attention: { count: 2, names: ['Woodgrove Bank', 'Northwind Traders'] },
      });
    } finally {
      await work.saveTenant(scope, lease, { health: northwind.health });
      const ended = { nextDueAt: '2100-01-01T00:00:00.000Z', outcome: 'ok', ms: 1, failed: false };
      await work.finish(lease, ended);
    }
    expect((await listOf(server, ana, '?show=attention')).total).toBe(1);
  });

  test('a person without a role gets an empty list', async () => {
    expect(await listOf(server, eli)).toMatchObject({
      rows: [],
      total: 0,
      figures: { tenants: 0, median: null },
    });
  });

  test('a foreign tenant and one that does not exist are answered alike, byte for byte', async () => {
    const token = `Bearer ${await server.tokenOf(chidi)}`;
    const bodyOf = async (id: string): Promise<string> => {
      const answer = await server.get(`/api/tab/tenants/${id}`, token);
      expect(answer.status).toBe(404);
      const text = await answer.text();
      const { id: problem } = JSON.parse(text) as { id: string };
      return text.replace(problem, 'id');
    };
    const foreign = await bodyOf(idOf(0));
    expect(await bodyOf('99999999-0000-4000-8000-000000000000')).toBe(foreign);
    expect(await bodyOf('not-an-id')).toBe(foreign);
    // The check is awake: the same tenant answers somebody who may see it.
    const own = await server.get(`/api/tab/tenants/${idOf(0)}`, `Bearer ${await server.tokenOf(ana)}`);
    expect(own.status).toBe(200);
  });

  test('the page of one tenant has the trend, the reasons and all actions', async () => {
    const answer = await server.get(`/api/tab/tenants/${idOf(1)}`, `Bearer ${await server.tokenOf(chidi)}`);
    const page = (await answer.json()) as TenantPage;
    expect(page.tenant.name).toBe('Contoso Ltd');
    expect(page.trend).toHaveLength(91);
    expect(page.comparison).toMatchObject({ percent: 53.2, label: 'tenants of similar size' });
    expect(page.moved[0]).toMatchObject({ name: 'AdminMFAV2', points: -7 });
    expect(page.actions.length).toBe(page.actionCount);
    expect(page.actions.length).toBeGreaterThan(10);
    expect(page.actions.filter(({ regressed }) => regressed).map(({ control }) => control)).toEqual([
      'AdminMFAV2',
    ]);
    const gains = page.actions.map(({ gain }) => gain);
    expect(gains).toEqual([...gains].sort((a, b) => b - a));
    expect(page.datasets.every(({ state }) => state === 'ok')).toBe(true);
    expect(page.licences).toEqual(['Microsoft 365 E5']);
  });

  test('a tenant with thousands of domains answers with the first hundred and says how many there are', async () => {
    const { store } = server;
    const known = await store.tenants.get(scopeOfJob(idOf(3)), idOf(3));
    if (known === null) throw new Error('nothing was seeded');
    const names = Array.from({ length: 2_500 }, (_, n) => `school-${n}.example`);
    const pageOf = async (): Promise<TenantPage> => {
      const answer = await server.get(`/api/tab/tenants/${idOf(3)}`, `Bearer ${await server.tokenOf(ana)}`);
      return (await answer.json()) as TenantPage;
    };
    await store.tenants.save(scopeOfJob(idOf(3)), { ...known, domains: [known.domain, ...names] });
    try {
      const page = await pageOf();
      expect(page).toMatchObject({ domainCount: 2_501, licenceCount: page.licences.length });
      expect(page.domains).toEqual([known.domain, ...names.slice(0, 99)]);
    } finally {
      await store.tenants.save(scopeOfJob(idOf(3)), known);
    }
    expect(await pageOf()).toMatchObject({ domains: known.domains, domainCount: known.domains.length });
  });

  test('no list of the page is longer than is said', async () => {
    const answer = await server.get(`/api/tab/tenants/${idOf(1)}`, `Bearer ${await server.tokenOf(ana)}`);
    const page = (await answer.json()) as TenantPage;
    const most: Record<string, number> = {
      ...{ domains: 100, licences: 100, datasets: 5, trend: 400, actions: 300 },
      ...{ categories: 50, comparisons: 50, moved: 10 },
    };
    const lists = Object.entries(page).filter(([, value]) => Array.isArray(value));
    // A new list without a bound here is noticed.
    expect(lists.map(([name]) => name).sort()).toEqual(Object.keys(most).sort());
    expect(lists.filter(([name, value]) => (value as unknown[]).length > (most[name] ?? 0))).toEqual([]);
  });

  test('a score that is read anew shows anew', async () => {
    const before = (await listOf(server, ana)).rows.find(({ id }) => id === idOf(4));
    const { store } = server;
    const scope = scopeOfJob(idOf(4));
    const [posture, evaluated] = await Promise.all([
      store.scores.posture(scope, idOf(4)),
      store.scores.evaluated(scope, idOf(4)),
    ]);
    if (posture === null || evaluated === null) throw new Error('nothing was seeded');
    await store.work.schedule(scope, idOf(4), 'sync-scores', '2000-01-01T00:00:00.000Z');
    const [lease] = await store.work.claimDue('sync-scores', 1, 60_000);
    if (lease === undefined) throw new Error('no lease');
    const now = store.now();
    const change = { from: posture.day, to: posture.day, percent: -30, points: -50, maxPoints: 0 };
    await store.scores.saveSync(scope, lease, {
      snapshots: [],
      changes: [],
      posture: { ...posture, percent: 12.3, sinceYesterday: change, readAt: now },
      evaluated,
    });
    await store.work.saveTenant(scope, lease, {
      datasets: { secureScores: { state: 'ok', readAt: now, triedAt: now, hash: 'other' } },
    });
    const after = await listOf(server, ana);
    expect(before?.score?.percent).not.toBe(12.3);
    expect(after.rows[0]).toMatchObject({ id: idOf(4), score: { percent: 12.3 } });
    expect(after.figures.fell.count).toBe(3);
  });
});

describe('a long list', () => {
  let server: TabServer;
  beforeAll(async () => {
    server = await openTabServer({ seeds: manyTenants(430) });
    await server.grant(ana, 'Reader', 'all');
  }, 60_000);
  afterAll(() => server.close());

  test('comes in pages of 200, every tenant once, in one order', async () => {
    const names: string[] = [];
    const changes: number[] = [];
    const sizes: number[] = [];
    let after: string | null = null;
    do {
      const page: TenantList = await listOf(server, ana, after === null ? '' : `?after=${after}`);
      sizes.push(page.rows.length);
      names.push(...page.rows.map(({ name }) => name));
      changes.push(...page.rows.map(({ score }) => Math.round((score?.sinceYesterday?.percent ?? 0) * 10)));
      expect(page.total).toBe(430);
      after = page.next;
    } while (after !== null);
    expect(sizes).toEqual([200, 200, 30]);
    expect(new Set(names).size).toBe(430);
    expect(changes).toEqual([...changes].sort((a, b) => a - b));
  });
});
