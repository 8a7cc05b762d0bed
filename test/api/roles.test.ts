import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { apiRoutes } from '../../bot/api/index.ts';
import { demoHome } from '../../bot/cast.ts';
import { Secret } from '../../bot/secrets.ts';
import { type Role, scopeOfSystem } from '../../shared/access.ts';
import type { Me, Problem, TenantPage } from '../../shared/api.ts';
import { fiveTenants } from '../tab/seeded.ts';
import { openTabServer, type TabServer } from '../tab/tab-server.ts';

/** Every route of the tab's API with every kind of person: who is let in is decided by the person alone. */

const people = [
  'nobody',
  'customer',
  'elsewhere',
  'reader',
  'operator',
  'admin',
  'admin of this one',
] as const;
type Who = (typeof people)[number];

let server: TabServer;
let here: string;
let sync: string;
const tokens = new Map<Who, string>();

beforeAll(async () => {
  server = await openTabServer({ seeds: fiveTenants.slice(0, 2) });
  const [first, second] = server.tenants;
  if (first === undefined || second === undefined) throw new Error('no tenants');
  here = first.id;
  const held: Record<Who, [Role, 'all' | (typeof first.id)[]] | null> = {
    nobody: null,
    customer: ['Customer', 'all'],
    elsewhere: ['Admin', [second.id]],
    reader: ['Reader', 'all'],
    operator: ['Operator', 'all'],
    admin: ['Admin', 'all'],
    'admin of this one': ['Admin', [first.id]],
  };
  for (const [at, who] of people.entries()) {
    const oid = `aaaaaaaa-0000-4000-8000-00000000000${at}`;
    const grant = held[who];
    if (grant !== null) {
      await server.store.people.addGrant(demoHome.id, oid, who, {
        ...{ id: who, role: grant[0], scope: grant[1], source: 'demo', by: 'demo', at: server.store.now() },
      });
    }
    tokens.set(who, `Bearer ${await server.entra.token({ oid, name: who })}`);
  }
  const everything = scopeOfSystem();
  await server.store.credentials.save(everything, {
    tenantId: first.id,
    appId: 'ffffffff-0000-4000-8000-000000000001',
    credential: { kind: 'secret', secret: new Secret('a-secret-of-the-table') },
  });
  sync = (await server.store.syncRequests.add(everything, first.id, 'somebody')).id;
  await server.store.work.schedule(everything, first.id, 'sync-scores', server.store.now());
  const [lease] = await server.store.work.claimDue('sync-scores', 1, 60_000);
  if (lease === undefined) throw new Error('nothing is due');
  await server.store.syncRequests.start(lease);
  await server.store.syncRequests.finish(lease, 'done', 'Nothing new.');
});
afterAll(() => server.close());

/** 400 is "let in, and the empty form is refused". */
const open = {
  nobody: 200,
  customer: 200,
  elsewhere: 200,
  reader: 200,
  operator: 200,
  admin: 200,
  'admin of this one': 200,
};
/** Let in, and the empty form is refused. */
const form = { elsewhere: 400, admin: 400, 'admin of this one': 400 };
const unseen = { nobody: 404, customer: 404, elsewhere: 404 };
/** What is for Admins of whichever tenants: to which it is done, the handler decides for each. */
const everywhere: Record<Who, number> = {
  ...{ nobody: 403, customer: 403, reader: 403, operator: 403 },
  ...{ elsewhere: 400, admin: 400, 'admin of this one': 400 },
};
const table: Record<string, Record<Who, number>> = {
  'GET /api/tab/config': open,
  'GET /api/tab/me': open,
  'GET /api/tab/me/claims': open,
  'GET /api/tab/people': { ...open, nobody: 403, customer: 403, reader: 403, operator: 403 },
  'POST /api/tab/people/grant': { ...form, nobody: 403, customer: 403, reader: 403, operator: 403 },
  'POST /api/tab/people/deny': { ...form, nobody: 403, customer: 403, reader: 403, operator: 403 },
  'POST /api/tab/people/revoke': { ...form, nobody: 403, customer: 403, reader: 403, operator: 403 },
  'POST /api/tab/people/lift': { ...form, nobody: 403, customer: 403, reader: 403, operator: 403 },
  'POST /api/tab/people/switch': { ...form, nobody: 403, customer: 403, reader: 403, operator: 403 },
  'POST /api/tab/people/bind': { ...form, nobody: 403, customer: 403, reader: 403, operator: 403 },
  'GET /api/tab/tenants': open,
  'GET /api/tab/tenants/:id': { ...open, ...unseen },
  'GET /api/tab/tenants/:id/directory': { ...open, ...unseen },
  'POST /api/tab/connect/test': {
    ...{ nobody: 403, customer: 403, elsewhere: 403, reader: 403, operator: 403 },
    ...{ admin: 400, 'admin of this one': 403 },
  },
  'POST /api/tab/connect': {
    ...{ nobody: 403, customer: 403, elsewhere: 403, reader: 403, operator: 403 },
    ...{ admin: 400, 'admin of this one': 403 },
  },
  'POST /api/tab/tenants/:id/credentials/test': {
    ...{ ...unseen, reader: 403, operator: 403, admin: 400, 'admin of this one': 400 },
  },
  'POST /api/tab/tenants/:id/credentials': {
    ...{ ...unseen, reader: 403, operator: 403, admin: 400, 'admin of this one': 400 },
  },
  // 409 is "let in, and there is no application to consent to here".
  'POST /api/tab/tenants/:id/consent': {
    ...{ ...unseen, reader: 403, operator: 403, admin: 409, 'admin of this one': 409 },
  },
  'POST /api/tab/tenants/:id/link': {
    ...{ ...unseen, reader: 403, operator: 403, admin: 409, 'admin of this one': 409 },
  },
  'GET /api/tab/tenants/:id/link': { ...open, ...unseen, reader: 403, operator: 403 },
  'POST /api/tab/connect/certificate': {
    ...{ nobody: 403, customer: 403, elsewhere: 403, reader: 403, operator: 403 },
    ...{ admin: 400, 'admin of this one': 403 },
  },
  'POST /api/tab/connect/certificate/test': {
    ...{ nobody: 403, customer: 403, elsewhere: 403, reader: 403, operator: 403 },
    ...{ admin: 400, 'admin of this one': 403 },
  },
  'POST /api/tab/tenants/:id/certificate': {
    ...{ ...unseen, reader: 403, operator: 403, admin: 400, 'admin of this one': 400 },
  },
  'POST /api/tab/tenants/:id/certificate/test': {
    ...{ ...unseen, reader: 403, operator: 403, admin: 409, 'admin of this one': 409 },
  },
  'POST /api/tab/tenants/:id/certificate/drop': {
    ...{ ...unseen, reader: 403, operator: 403, admin: 200, 'admin of this one': 200 },
  },
  'POST /api/tab/companies/read': { ...everywhere, elsewhere: 403, 'admin of this one': 403 },
  'POST /api/tab/companies/look-up': { ...everywhere, elsewhere: 403, 'admin of this one': 403 },
  'POST /api/tab/companies/add': { ...everywhere, elsewhere: 403, 'admin of this one': 403 },
  'POST /api/tab/tenants/tags': everywhere,
  'POST /api/tab/tenants/:id/tags': {
    ...{ ...unseen, reader: 403, operator: 403, admin: 400, 'admin of this one': 400 },
  },
  'POST /api/tab/tenants/cadence': everywhere,
  'POST /api/tab/tenants/links': everywhere,
  'POST /api/tab/tenants/sync': { ...everywhere, operator: 400 },
  'POST /api/tab/tenants/sync/progress': { ...everywhere, operator: 400 },
  'GET /api/tab/jobs': { ...open, nobody: 403, customer: 403, reader: 403 },
  'POST /api/tab/tenants/:id/sync': { ...open, ...unseen, reader: 403 },
  'GET /api/tab/tenants/:id/sync/:sync': { ...open, ...unseen, reader: 403 },
  'GET /api/tab/audit': { ...open, nobody: 403, customer: 403, reader: 403, operator: 403 },
  // Let in, and no format was chosen.
  'GET /api/tab/audit/export': {
    ...{ nobody: 403, customer: 403, elsewhere: 400, reader: 403, operator: 403 },
    ...{ admin: 400, 'admin of this one': 400 },
  },
  'POST /api/tab/tenants/:id/remove': {
    ...{ ...unseen, reader: 403, operator: 403, admin: 400, 'admin of this one': 400 },
  },
};

const rows = Object.entries(table).flatMap(([route, statuses]) =>
  people.map((who) => ({ route, who, status: statuses[who] })),
);

async function ask(route: string, who: Who | undefined, body: unknown = {}, query = ''): Promise<Response> {
  const [method, path = ''] = route.split(' ');
  const address = path.replace(':id', here).replace(':sync', sync) + query;
  const token = who === undefined ? undefined : tokens.get(who);
  return method === 'GET' ? server.get(address, token) : server.post(address, body, token);
}

describe('every route and every role', () => {
  test('the table has a row for each route there is', () => {
    const there = apiRoutes({ signIn: { signIn: 'teams-only' } }).map(
      ({ method, path }) => `${method} ${path}`,
    );
    expect(Object.keys(table).sort()).toEqual(there.sort());
  });

  test.each(rows)('$route as $who → $status', async ({ route, who, status }) => {
    const answer = await ask(route, who);
    const text = await answer.text();
    expect([answer.status, text.slice(0, 300)]).toEqual([status, expect.any(String)]);
    if (status < 400) return;
    const problem = JSON.parse(text) as Problem;
    expect(problem).toEqual({
      title: expect.stringMatching(/^[A-Z]/),
      status,
      detail: expect.stringMatching(/^[A-Z].*\.$/),
      id: expect.any(String),
    });
    // Who may not see the tenant learns nothing of it, not even that it is there.
    if (status === 404) expect(text).not.toMatch(/Fabrikam/);
  });

  test.each(Object.keys(table).filter((route) => !route.endsWith('/config')))(
    '%s without a token is refused',
    async (route) => {
      expect((await ask(route, undefined)).status).toBe(401);
    },
  );

  const good = {
    tenant: 'contoso.com',
    appId: 'ffffffff-0000-4000-8000-000000000002',
    secret: 'the-value-of-a-secret',
  };
  test.each([
    { what: 'a form that is right', body: good },
    { what: 'a role in the body', body: { ...good, role: 'Admin', roles: ['Watchpost.Admin'], home: true } },
    { what: 'a prototype', body: '{"__proto__":{"role":"Admin"},"name":"Fabrikam"}' },
    { what: 'the name of the tenant', body: { name: 'Fabrikam' } },
    { what: 'a list', body: [] },
    { what: 'a number', body: 7 },
  ])('a Reader is refused whatever is sent: $what', async ({ body }) => {
    for (const route of Object.keys(table).filter((one) => one.startsWith('POST'))) {
      const answer = await ask(route, 'reader', body, '?role=Admin&scope=all');
      expect([route, answer.status]).toEqual([route, 403]);
    }
    expect(await server.store.tenants.list(scopeOfSystem())).toHaveLength(2);
  });

  test('refusals are audited, and of a flood of the same the first', async () => {
    for (let n = 0; n < 30; n += 1) await ask('POST /api/tab/connect', 'operator');
    const { rows: all } = await server.store.audit.list({ limit: 200 });
    const refused = all.filter(({ result, what }) => result === 'refused' && what === 'connect tenant');
    const operator = refused.filter(({ who }) => who.endsWith(`00${people.indexOf('operator')}`));
    expect(operator).toHaveLength(1);
  });
});

describe('what the page offers', () => {
  test.each([
    { who: 'reader', may: { sync: false, connect: false, remove: false }, add: false },
    { who: 'operator', may: { sync: true, connect: false, remove: false }, add: false },
    { who: 'admin', may: { sync: true, connect: true, remove: true }, add: true },
    { who: 'admin of this one', may: { sync: true, connect: true, remove: true }, add: false },
  ] as const)('$who', async ({ who, may, add }) => {
    const page = (await (await ask('GET /api/tab/tenants/:id', who)).json()) as TenantPage;
    const me = (await (await ask('GET /api/tab/me', who)).json()) as Me;
    expect(page.may).toEqual(may);
    expect(me.may).toMatchObject({ connect: add, people: may.connect });
    expect(page.credential === null).toBe(!may.connect);
    expect(JSON.stringify(page)).not.toContain('a-secret-of-the-table');
    if (page.credential !== null) {
      expect(Object.keys(page.credential).sort()).toEqual([
        'appId',
        'createdAt',
        'expiresAt',
        'kind',
        'last4',
      ]);
    }
  });
});
