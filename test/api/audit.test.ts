import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { audited } from '../../bot/api/audited.ts';
import { apiRoutes } from '../../bot/api/index.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from '../../bot/api/route.ts';
import { demoHome, demoPeople } from '../../bot/cast.ts';
import { hasCode, WatchpostError } from '../../bot/errors.ts';
import type { AuditRow, Services } from '../../bot/services.ts';
import { callerOf, scopeOfSystem } from '../../shared/access.ts';
import type { Problem } from '../../shared/api.ts';
import { type AuditExport, type AuditPage, exportLimits } from '../../shared/api-audit.ts';
import { fiveTenants } from '../tab/seeded.ts';
import { openTabServer, type TabServer } from '../tab/tab-server.ts';

/** The audit of the tab's API: that nothing it does goes without an entry, and who sees, filters and exports them. */

const routes = apiRoutes({ signIn: { signIn: 'teams-only' } });
const [ana, bo, chidi] = demoPeople;
let server: TabServer;
const tokens: string[] = [];

beforeAll(async () => {
  server = await openTabServer({ seeds: fiveTenants.slice(0, 2) });
  const [first] = server.tenants;
  if (first === undefined) throw new Error('no tenants');
  await server.grant(0, 'Admin', 'all');
  await server.grant(1, 'Admin', [first.id]);
  await server.grant(2, 'Reader', 'all');
  for (const person of [0, 1, 2, 3]) tokens.push(`Bearer ${await server.tokenOf(person)}`);
  for (const token of tokens) await server.get('/api/tab/me', token);
});
afterAll(() => server.close());

async function newest(limit = 5): Promise<AuditRow[]> {
  return (await server.store.audit.list({ limit })).rows;
}
const keyOf = (person: (typeof demoPeople)[number] | undefined) => `${demoHome.id}/${person?.oid}`;

async function page(query: string, person = 0): Promise<AuditPage> {
  const answer = await server.get(`/api/tab/audit${query}`, tokens[person]);
  expect(answer.status).toBe(200);
  return (await answer.json()) as AuditPage;
}

describe('every route that changes something', () => {
  const request = (route: ApiRoute): ApiRequest => ({
    ...{ method: route.method, params: { id: 'x' }, query: new URLSearchParams(), body: {}, id: 'request-1' },
    signal: AbortSignal.timeout(5_000),
  });
  const who = callerOf(null, { tid: demoHome.id, oid: 'someone', name: '' }, demoHome.id);

  /** What a handler of this route may do at worst: answer, or fail, and note nothing. */
  async function run(route: ApiRoute, handle: () => Promise<ApiAnswer>, wrap = audited): Promise<AuditRow[]> {
    const before = (await newest(1))[0]?.seq ?? 0;
    const careless = wrap({ ...route, handle } as ApiRoute);
    try {
      if (careless.auth === 'none') await careless.handle(request(route), server.services);
      else await careless.handle(request(route), who, server.services);
    } catch (error) {
      if (!hasCode(error, 'scope', 'store')) throw error;
    }
    return (await newest()).filter(({ seq = 0 }) => seq > before);
  }
  const fails = (code: 'scope' | 'store') => async (): Promise<never> => {
    throw new WatchpostError(code, 'It failed.');
  };
  const changing = routes.filter(
    (one) => one.method === 'POST' && !(one.auth === 'tab' && one.reads === true),
  );
  beforeEach(() => server.store.audit.denied({ who: 'x', what: 'x', result: 'refused' }));

  test('there are such routes', () => expect(changing.length).toBeGreaterThan(8));

  test.each(changing.map((route) => ({ name: `${route.method} ${route.path}`, route })))(
    '$name leaves an entry whatever its handler forgets',
    async ({ route }) => {
      const id = { request: 'request-1' };
      expect(await run(route, async () => ({ status: 200, body: {} }))).toMatchObject([
        { result: 'done', ...id },
      ]);
      expect(await run(route, fails('store'))).toMatchObject([{ result: 'failed', ...id }]);
    },
  );

  test('one that is not seen to leaves none: the check above can see it', async () => {
    const [route] = changing;
    if (route === undefined) throw new Error('no route');
    expect(
      await run(
        route,
        async () => ({ status: 200, body: {} }),
        (one) => one,
      ),
    ).toEqual([]);
  });

  test.each(routes.filter(({ auth }) => auth === 'tab').map(({ method, path }) => ({ method, path })))(
    'a refusal by $method $path is an entry with who, what and the id of the request',
    async ({ method, path }) => {
      const stranger = `Bearer ${await server.entra.token({ oid: crypto.randomUUID(), name: 'Stranger' })}`;
      await server.get('/api/tab/me', stranger);
      const before = (await newest(1))[0]?.seq ?? 0;
      const real = path.replace(':id', server.tenants[0]?.id ?? '').replace(/:\w+/g, crypto.randomUUID());
      const answer =
        method === 'GET' ? await server.get(real, stranger) : await server.post(real, {}, stranger);
      const entries = (await newest()).filter(({ seq = 0 }) => seq > before);
      if (answer.status !== 403 && answer.status !== 404) return expect(entries).toEqual([]);
      const problem = (await answer.json()) as Problem;
      expect(entries).toMatchObject([{ result: 'refused', where: 'tab', request: problem.id }]);
    },
  );
});

describe('when the audit log cannot be written', () => {
  const refuse = async (): Promise<never> => {
    throw new WatchpostError('audit', 'Nothing was done: the audit log cannot be written right now.');
  };
  const away = (): Services => {
    const { audit } = server.store;
    const cut = { ...audit, write: refuse, writeFirst: refuse, denied: async () => undefined };
    return { ...server.services, store: { ...server.store, audit: cut } };
  };

  test.each([
    { path: '/api/tab/tenants/:id/remove', body: () => ({ name: server.tenants[0]?.name }), query: '' },
    { path: '/api/tab/audit/export', body: () => undefined, query: 'format=csv' },
  ])('$path is not done, and says so', async ({ path, body, query }) => {
    const route = routes.find((one) => one.path === path);
    if (route?.auth !== 'tab') throw new Error('no such route');
    const who = await server.store.people.get(demoHome.id, ana?.oid ?? '');
    const answer = await route.handle(
      {
        ...{ method: route.method, params: { id: server.tenants[0]?.id ?? '' }, body: body(), id: 'one' },
        ...{ query: new URLSearchParams(query), signal: AbortSignal.timeout(5_000) },
      },
      callerOf(who, { tid: demoHome.id, oid: ana?.oid ?? '', name: 'Ana' }, demoHome.id),
      away(),
    );
    expect(answer).toMatchObject({
      status: 503,
      body: { detail: expect.stringMatching(/^Nothing was done: /) },
    });
    expect(await server.store.tenants.list(scopeOfSystem())).toHaveLength(2);
  });
});

describe('signing in', () => {
  test('is an entry for the first sight of a token, and none for the next', async () => {
    const token = `Bearer ${await server.tokenOf(3, { roles: ['Watchpost.Reader'] })}`;
    for (let n = 0; n < 3; n += 1) await server.get('/api/tab/me', token);
    const entries = (await newest(3)).filter(
      ({ what, detail }) => what === 'sign in' && detail !== undefined,
    );
    expect(entries).toMatchObject([{ result: 'done', detail: 'app roles in the token: Watchpost.Reader' }]);
  });

  test('that fails is an entry, of a flood of the same the first', async () => {
    const before = (await newest(1))[0]?.seq ?? 0;
    const other = await server.entra.token({ oid: crypto.randomUUID(), aud: crypto.randomUUID() });
    for (let n = 0; n < 5; n += 1)
      expect((await server.get('/api/tab/me', `Bearer ${other}`)).status).toBe(401);
    const entries = (await newest(9)).filter(({ seq = 0 }) => seq > before);
    expect(entries).toMatchObject([{ who: 'anybody', what: 'sign in', result: 'refused' }]);
  });
});

describe('the page', () => {
  const detail = '=HYPERLINK("http://evil")';
  beforeAll(async () => {
    const [first, second] = server.tenants;
    const { audit } = server.store;
    const about = { where: '19:abc@thread.tacv2', result: 'done' } as const;
    const grantee = keyOf(chidi);
    await audit.write({
      ...about,
      who: keyOf(ana),
      what: 'deed one',
      tenant: first?.id,
      detail: `Reader to ${grantee}`,
    });
    await audit.write({ ...about, who: keyOf(ana), what: 'deed two', tenant: second?.id, detail });
    await audit.write({
      ...about,
      who: keyOf(bo),
      what: 'deed three',
      result: 'failed',
      detail: 'a\u2028b, "c"\nd',
    });
    await audit.write({ ...about, who: 'cli:root', what: 'deed four' });
  });
  const deeds = ({ rows }: AuditPage) =>
    rows.map(({ what }) => what).filter((what) => what.startsWith('deed'));

  test.each([
    { query: '', finds: ['deed four', 'deed three', 'deed two', 'deed one'] },
    { query: '?action=deed one', finds: ['deed one'] },
    { query: '?result=failed', finds: ['deed three'] },
    { query: '?person=cli:root', finds: ['deed four'] },
    { query: `?person=${ana?.oid}`, finds: ['deed two', 'deed one'] },
    { query: `?person=${encodeURIComponent(bo?.name ?? '')}`, finds: ['deed three'] },
    { query: '?person=Nobody At All', finds: [] },
    { query: '?tenant=contoso', finds: ['deed one'] },
    { query: '?tenant=no such tenant', finds: [] },
    { query: '?from=2020-01-01T00:00:00.000Z&person=cli:root', finds: ['deed four'] },
    { query: '?to=2020-01-01T00:00:00.000Z', finds: [] },
  ])('$query finds $finds', async ({ query, finds }) => {
    const name = server.tenants[0]?.name ?? '';
    expect(deeds(await page(query.replace('contoso', encodeURIComponent(name))))).toEqual(finds);
  });

  test.each(['?result=maybe', '?from=yesterday', `?person=${'x'.repeat(300)}`])(
    '%s is refused',
    async (query) => {
      expect((await server.get(`/api/tab/audit${query}`, tokens[0])).status).toBe(400);
    },
  );

  test('ids are shown as names, where there are some', async () => {
    const [row] = (await page('?action=deed one')).rows;
    expect(row).toMatchObject({
      who: { key: keyOf(ana), name: ana?.name },
      tenant: { id: server.tenants[0]?.id, name: server.tenants[0]?.name },
      where: 'chat',
      detail: expect.stringMatching(/^Reader to /),
    });
  });

  test('an Admin of one tenant sees its entries and his own, no others', async () => {
    expect(deeds(await page('', 1))).toEqual(['deed three', 'deed one']);
    expect(deeds(await page(`?tenant=${server.tenants[1]?.id}`, 1))).toEqual([]);
    expect(deeds(await page('?person=cli:root', 1))).toEqual([]);
    const all = (await page('', 1)).rows;
    const seen = all.filter(
      ({ who, tenant }) => who.key !== keyOf(bo) && tenant?.id !== server.tenants[0]?.id,
    );
    expect(seen).toEqual([]);
  });

  test('pages go on where the last one ended', async () => {
    for (let n = 0; n < 120; n += 1)
      await server.store.audit.write({ who: 'x', what: 'many', result: 'done' });
    const numbers: (number | null)[] = [];
    for (let after: string | null = ''; after !== null; ) {
      const { rows, next }: AuditPage = await page(`?action=many${after === '' ? '' : `&after=${after}`}`);
      expect(rows.length).toBeLessThanOrEqual(50);
      numbers.push(...rows.map(({ seq }) => seq));
      after = next;
    }
    expect(numbers).toHaveLength(120);
    expect([...numbers].sort((a, b) => Number(b) - Number(a))).toEqual(numbers);
  });

  async function exported(query: string, person = 0): Promise<AuditExport> {
    const answer = await server.get(`/api/tab/audit/export?${query}`, tokens[person]);
    expect(answer.status).toBe(200);
    return (await answer.json()) as AuditExport;
  }

  test('the CSV has what was filtered, and no cell that a spreadsheet would run', async () => {
    const { text, rows, next } = await exported('format=csv&action=deed two');
    expect([rows, next]).toEqual([1, null]);
    const [record] = parse(text, { bom: true, columns: true }) as Record<string, string>[];
    expect(record).toMatchObject({
      action: 'deed two',
      actor: keyOf(ana),
      person: ana?.name,
      result: 'done',
    });
    expect(record?.detail).toBe(`'${detail}`);
    expect(record?.hash).toMatch(/^[0-9a-f]{64}$/);
  });

  test('JSON lines are one a line for every reader', async () => {
    const { text } = await exported('format=jsonl&action=deed three');
    expect(text).not.toMatch(/[\u2028\u2029]/);
    expect(JSON.parse(text)).toMatchObject({ action: 'deed three', detail: 'a\u2028b, "c"\nd' });
  });

  test('an export is itself an entry, of somebody’s scope only', async () => {
    await exported('format=jsonl', 1);
    expect((await newest(1))[0]).toMatchObject({
      who: keyOf(bo),
      what: 'export audit',
      detail: 'jsonl: everything',
    });
    const { text } = await exported('format=jsonl', 1);
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { actor: string; tenantId: string });
    const foreign = lines.filter(
      ({ actor, tenantId }) => actor !== keyOf(bo) && tenantId !== server.tenants[0]?.id,
    );
    expect([lines.length > 2, foreign]).toEqual([true, []]);
  });

  test('a long export comes in pieces without a gap, a header only in the first', async () => {
    const { audit } = server.store;
    const many = exportLimits.piece + 10;
    for (let n = 0; n < many; n += 500) {
      await Promise.all(
        Array.from({ length: Math.min(500, many - n) }, () =>
          audit.write({ who: 'y', what: 'bulk', result: 'done' }),
        ),
      );
    }
    const one = await exported('format=csv&action=bulk');
    const two = await exported(`format=csv&action=bulk&after=${one.next}`);
    expect([one.rows, two.rows, two.next]).toEqual([exportLimits.piece, 10, null]);
    const records = parse(one.text + two.text, { bom: true, columns: true }) as { seq: string }[];
    expect(new Set(records.map(({ seq }) => seq)).size).toBe(many);
  });
});
