import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { scopeOfSystem } from '../../shared/access.ts';
import type { DropFinding } from '../../shared/alerts/score-drop.ts';
import type { TenantFall, TenantList, TenantPage } from '../../shared/api.ts';
import { acknowledged, type Fall, fallOf, falls } from '../cards/fallen.ts';
import { fiveTenants } from '../tab/seeded.ts';
import { openTabServer, type TabServer } from '../tab/tab-server.ts';

/** The page of a tenant tells of its fall while that stands, to those who may see the tenant. */

const ana = 0;
const chidi = 2;
const fallen = falls((what) => `${what} *now*`);

let server: TabServer;
beforeAll(async () => {
  server = await openTabServer({ seeds: fiveTenants.slice(0, 2) });
  await server.grant(ana, 'Admin', 'all');
  await server.grant(chidi, 'Reader', [idOf(1)]);
});
afterAll(() => server.close());
beforeEach(() => stands(fallen.resolved));

function idOf(index: number) {
  const tenant = server.tenants[index];
  if (tenant === undefined) throw new Error('no such tenant');
  return tenant.id;
}

/** Of Contoso, and nobody else. */
async function stands(fall: Fall): Promise<void> {
  const finding: DropFinding = fallOf(fall, idOf(1)).finding;
  const kept = await server.store.findings.get(scopeOfSystem(), finding.tenantId, finding.id);
  expect(await server.store.findings.save(scopeOfSystem(), finding, kept?.revision ?? null, [])).toBe(true);
}

async function pageOf(person: number, tenant: number): Promise<Response> {
  return await server.get(`/api/tab/tenants/${idOf(tenant)}`, `Bearer ${await server.tokenOf(person)}`);
}

async function shownFall(person = ana, tenant = 1): Promise<TenantFall | null> {
  const answer = await pageOf(person, tenant);
  expect(answer.status).toBe(200);
  return ((await answer.json()) as TenantPage).fall;
}

test('a fall is told with its reasons in plain text, whatever the last two days say', async () => {
  await stands(fallen.opened);
  expect(await shownFall()).toEqual({
    headline: expect.stringMatching(
      /^Contoso Ltd fell 3\.1\s%-points \(65\.5\s% → 62\.4\s%\), 2 controls regressed\.$/,
    ),
    acknowledged: '',
    known: false,
    reasons: [
      { title: 'MFA for all administrators *now*', points: '−10.0' },
      { title: 'Self-service password reset *now*', points: '−6.0' },
    ],
    more: '',
    aside: [],
    since: '2026-11-19',
  });
});

test('what moved the score too is told as on the card', async () => {
  await stands(fallen.aside);
  const shown = await shownFall();
  expect(shown?.headline).toMatch(/: −3\.1 by these controls, −1\.2 by Microsoft\.$/);
  expect(shown?.aside).toEqual([
    'Microsoft moved the maximum by +10; that is not counted.',
    'Licences or users changed: −5 licensed users; that is not counted.',
  ]);
});

test.each([
  { what: 'that grew', fall: fallen.worsened, says: /^Contoso Ltd lost a further 10\spoints/ },
  { what: 'that came again', fall: fallen.reopened, says: /^Contoso Ltd again fell 3\.1/ },
  { what: 'somebody has acknowledged', fall: acknowledged(fallen.opened), says: /^Contoso Ltd fell 3\.1/ },
])('a fall $what still stands', async ({ fall, says }) => {
  await stands(fall);
  expect((await shownFall())?.headline).toMatch(says);
});

test('who has acknowledged it is said', async () => {
  await stands(acknowledged(fallen.opened));
  expect(await shownFall()).toMatchObject({
    acknowledged: expect.stringMatching(/^Acknowledged by Ana Reyes on 20 Nov.*, 09:14 UTC$/),
    known: true,
  });
  await stands(acknowledged(fallen.worsened));
  expect(await shownFall()).toMatchObject({
    acknowledged: expect.stringMatching(/UTC, before it fell further$/),
    known: false,
  });
});

test('of many reasons the eight largest are told, and what the rest comes to', async () => {
  await stands(fallen.many);
  const shown = await shownFall();
  expect(shown?.reasons).toHaveLength(8);
  expect(shown?.reasons[0]?.points).toBe('−10.0');
  expect(shown?.more).toBe('and 5 more controls with −15.0 points');
});

test('what is over is no longer told', async () => {
  await stands(fallen.opened);
  expect(await shownFall()).not.toBeNull();
  await stands(fallen.resolved);
  expect(await shownFall()).toBeNull();
});

test('nobody hears of the fall of a tenant that is not theirs to see', async () => {
  await stands(fallen.opened);
  expect(await shownFall(ana, 0)).toBeNull();
  expect(await shownFall(chidi, 1)).not.toBeNull();
  const foreign = await pageOf(chidi, 0);
  expect(foreign.status).toBe(404);
  expect(await foreign.json()).not.toHaveProperty('fall');
});

async function listOf(person: number, query = ''): Promise<TenantList> {
  const answer = await server.get(`/api/tab/tenants${query}`, `Bearer ${await server.tokenOf(person)}`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as TenantList;
}
const lost = { points: 16 };

test.each([
  { what: 'stands', fall: () => fallen.opened, row: { ...lost, acknowledged: false } },
  { what: 'is acknowledged', fall: () => acknowledged(fallen.opened), row: { ...lost, acknowledged: true } },
  { what: 'is over', fall: () => fallen.resolved, row: undefined },
])('a fall that $what: the list marks it, and it needs attention while it stands', async ({ fall, row }) => {
  await stands(fall());
  const { rows, figures } = await listOf(ana);
  const contoso = rows.find(({ id }) => id === idOf(1));
  expect(contoso?.fall).toEqual(row);
  expect(rows.filter((one) => one.fall !== undefined)).toHaveLength(row === undefined ? 0 : 1);
  const names = row === undefined ? [] : ['Contoso Ltd'];
  expect(figures.attention).toEqual({ count: names.length, names });
  expect((await listOf(ana, '?show=attention')).rows.map(({ name }) => name)).toEqual(names);
});

test('who may not see the tenant hears nothing of its fall in the list', async () => {
  await stands(fallen.opened);
  await server.grant(3, 'Reader', [idOf(0)]);
  const list = await listOf(3);
  expect(list.rows.map(({ name }) => name)).toEqual(['Fabrikam']);
  expect(list.figures.attention.count).toBe(0);
  expect(JSON.stringify(list)).not.toMatch(/"fall"|Contoso/);
});

test('the list asks for falls once, not once a tenant', async () => {
  const asked: string[] = [];
  const { findings } = server.store;
  const counted: typeof findings = {
    ...findings,
    standing: (scope) => {
      asked.push('standing');
      return findings.standing(scope);
    },
    ofTenant: (scope, id) => {
      asked.push('ofTenant');
      return findings.ofTenant(scope, id);
    },
    get: (scope, tenant, id) => {
      asked.push('get');
      return findings.get(scope, tenant, id);
    },
  };
  server.services.store = { ...server.store, findings: counted };
  try {
    expect((await listOf(ana)).rows).toHaveLength(2);
  } finally {
    server.services.store = server.store;
  }
  expect(asked).toEqual(['standing']);
});
