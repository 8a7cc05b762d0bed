import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { demoHome, demoPeople } from '../../bot/cast.ts';
import { scopeOfSystem } from '../../shared/access.ts';
import type { MyClaims, PeopleAnswer, PeopleList, Problem } from '../../shared/api.ts';
import { fiveTenants } from '../tab/seeded.ts';
import { openTabServer, type TabServer } from '../tab/tab-server.ts';

let server: TabServer;
let ana: string;
const group = 'abababab-0000-4000-8000-000000000001';
const [, bo, chidi, dana, eli] = demoPeople;

beforeAll(async () => {
  server = await openTabServer({
    seeds: fiveTenants.slice(0, 3),
    requireUser: { groupRoles: new Map([[group, 'Operator']]) },
  });
  await server.grant(0, 'Admin', 'all');
  for (const { oid, name, address } of demoPeople) {
    await server.store.people.seen({ tid: demoHome.id, oid, name, address });
  }
  const [first] = server.tenants;
  if (first === undefined) throw new Error('no tenants');
  await server.store.tenants.save(scopeOfSystem(), { ...first, tags: ['retail'] });
});
afterAll(() => server.close());
beforeEach(async () => {
  ana = `Bearer ${await server.tokenOf(0)}`;
});

async function post(what: string, body: unknown, token = ana): Promise<{ status: number; says: string }> {
  const answer = await server.post(`/api/tab/people/${what}`, body, token);
  const text = (await answer.json()) as PeopleAnswer & Problem;
  return { status: answer.status, says: text.says ?? text.detail };
}

async function people(q = '', token = ana): Promise<PeopleList> {
  return (await (await server.get(`/api/tab/people?q=${q}`, token)).json()) as PeopleList;
}

async function rowOf(oid: string | undefined) {
  return (await people()).rows.find(({ key }) => key === `${demoHome.id}/${oid}`);
}

const all = { all: true, tenants: [], tags: [] };

describe('an Admin on the People page', () => {
  test('gives a role by address, denies, lifts, takes; each is seen at once and audited', async () => {
    const [first, second] = server.tenants;
    const grant = {
      person: chidi?.address,
      role: 'Operator',
      all: false,
      tenants: [second?.id],
      tags: ['Retail'],
    };
    expect(await post('grant', grant)).toEqual({
      status: 200,
      says: `Chidi Okafor is now Operator of ${second?.name} and all tagged retail.`,
    });
    expect((await post('grant', grant)).says).toContain('has that already');
    expect(await rowOf(chidi?.oid)).toMatchObject({
      ...{ name: 'Chidi Okafor', role: 'Operator', you: false, disabled: false },
      grants: [{ role: 'Operator', covered: { tenants: [{ name: second?.name }], tags: ['retail'] } }],
      may: { take: true, lift: false, switch: true },
    });
    const person = `${demoHome.id}/${chidi?.oid}`;
    expect((await post('deny', { person, all: false, tenants: [first?.id], tags: [] })).status).toBe(200);
    const token = `Bearer ${await server.tokenOf(2)}`;
    const seen = async () =>
      ((await (await server.get('/api/tab/tenants', token)).json()) as { rows: { name: string }[] }).rows.map(
        ({ name }) => name,
      );
    expect(await seen()).toEqual([second?.name]);
    expect((await post('lift', { person })).says).toContain('is lifted');
    expect((await seen()).sort()).toEqual([first?.name, second?.name].sort());
    expect((await post('revoke', { person })).says).toContain('are taken');
    expect(await rowOf(chidi?.oid)).toBeUndefined();
    const { rows } = await server.store.audit.list({ limit: 20 });
    const done = rows.filter(
      ({ who, result }) => who.endsWith(demoPeople[0]?.oid ?? '') && result === 'done',
    );
    expect(done.map(({ what }) => what)).toEqual(
      expect.arrayContaining(['grant', 'deny', 'lift deny', 'revoke']),
    );
  });

  test('switches a person off and on: off is off in the tab, and the list says so', async () => {
    const token = `Bearer ${await server.tokenOf(3)}`;
    await server.grant(3, 'Reader', 'all');
    expect((await server.get('/api/tab/me', token)).status).toBe(200);
    const person = dana?.oid;
    expect((await post('switch', { person, off: true })).status).toBe(200);
    expect((await server.get('/api/tab/me', token)).status).toBe(403);
    expect(await rowOf(dana?.oid)).toMatchObject({
      disabled: true,
      role: null,
      grants: [{ role: 'Reader' }],
    });
    expect((await post('switch', { person, off: false })).status).toBe(200);
    expect((await server.get('/api/tab/me', token)).status).toBe(200);
  });

  test.each([
    {
      what: 'grant',
      body: { ...all, role: 'Reader', person: demoPeople[0]?.oid },
      status: 403,
      says: 'himself',
    },
    { what: 'deny', body: { ...all, person: demoPeople[0]?.oid }, status: 403, says: 'himself' },
    { what: 'switch', body: { off: true, person: demoPeople[0]?.oid }, status: 403, says: 'himself' },
    {
      what: 'grant',
      body: { ...all, role: 'Reader', person: 'nobody@fourthcoffee.example' },
      status: 404,
      says: 'Nobody is known',
    },
    {
      what: 'grant',
      body: { ...all, role: 'Customer', person: bo?.oid },
      status: 403,
      says: 'not of a connected tenant',
    },
    { what: 'grant', body: { ...all, role: 'Owner', person: bo?.oid }, status: 400, says: 'Choose a role' },
    {
      what: 'grant',
      body: { ...all, all: false, role: 'Reader', person: bo?.oid },
      status: 400,
      says: 'Name tenants or tags',
    },
    {
      what: 'grant',
      body: { ...all, tags: ['x'], role: 'Reader', person: bo?.oid },
      status: 400,
      says: 'not both',
    },
    {
      what: 'grant',
      body: { ...all, role: 'Reader', person: bo?.oid, until: '2020-01-01' },
      status: 400,
      says: 'is over',
    },
    {
      what: 'grant',
      body: { ...all, role: 'Reader', person: bo?.oid, until: '2027-02-30' },
      status: 400,
      says: 'year-month-day',
    },
    {
      what: 'grant',
      body: { all: false, tenants: [bo?.oid], tags: [], role: 'Reader', person: bo?.oid },
      ...{ status: 400, says: 'No such tenant' },
    },
    {
      what: 'deny',
      body: { all: false, tenants: [], tags: ['y'.repeat(41)], person: bo?.oid },
      status: 400,
      says: '1 to 40',
    },
    {
      what: 'revoke',
      body: { person: `${demoPeople[1]?.oid}/${bo?.oid}` },
      status: 404,
      says: 'Nobody is known',
    },
    { what: 'bind', body: { code: 'ABCD-EFGH' }, status: 404, says: 'not valid' },
    { what: 'bind', body: { code: 'nonsense!' }, status: 400, says: 'looks like' },
  ])('$what $body → $status $says', async ({ what, body, status, says }) => {
    const answer = await post(what, body);
    expect(answer).toEqual({ status, says: expect.stringContaining(says) });
    expect((await server.store.people.get(demoHome.id, bo?.oid ?? ''))?.grants ?? []).toEqual([]);
  });

  test('searches by name and address; an Admin of one tenant sees and gives only that', async () => {
    const [first, second] = server.tenants;
    if (first === undefined || second === undefined) throw new Error('no tenants');
    await server.grant(4, 'Admin', [first.id]);
    await server.grant(2, 'Reader', [second.id]);
    expect((await people('eli%20nov')).rows.map(({ name }) => name)).toEqual(['Eli Novak']);
    expect((await people('no%20such')).total).toBe(0);
    const token = `Bearer ${await server.tokenOf(4)}`;
    const seen = await people('', token);
    expect(seen.may.all).toBe(false);
    expect(seen.rows.map(({ name }) => name)).not.toContain('Chidi Okafor');
    expect(JSON.stringify(seen)).not.toContain(second.name);
    const give = (scope: object) =>
      post('grant', { ...all, ...scope, person: bo?.oid, role: 'Reader' }, token);
    expect((await give({})).status).toBe(403);
    expect((await give({ all: false, tenants: [second.id] })).says).toContain('No such tenant');
    expect((await give({ all: false, tags: ['retail'] })).says).toContain('by tag');
    expect((await post('revoke', { person: demoPeople[0]?.oid }, token)).says).toContain('does not cover');
  });
});

describe('who am I', () => {
  const claims = async (change: Record<string, unknown>, person = 1): Promise<MyClaims> => {
    const token = `Bearer ${await server.tokenOf(person, change)}`;
    return (await (await server.get('/api/tab/me/claims', token)).json()) as MyClaims;
  };
  const soon = (seconds: number) => Math.floor(Date.now() / 1000) - seconds;

  test('a group that the settings name gives its role, says so, and goes with the next token', async () => {
    const told = await claims({
      groups: [group.toUpperCase(), eli?.oid],
      iat: soon(60),
      wids: ['secret-role'],
    });
    expect(told).toMatchObject({ role: 'Operator', home: true, notes: [], denied: [] });
    expect(told.rights).toMatchObject([
      { says: 'Operator of all tenants', why: expect.stringContaining('group in Entra') },
    ]);
    expect(told.rights[0]?.until).not.toBeNull();
    const by = new Map(told.claims.map(({ claim, value }) => [claim, value]));
    expect(by.get('groups')).toBe('2 groups');
    expect(by.get('tid')).toBe(demoHome.id);
    expect(JSON.stringify(told)).not.toContain('secret-role');
    const later = await claims({ groups: [], iat: soon(50) });
    expect(later.role).toBeNull();
  });

  test.each([
    {
      what: 'too many groups',
      change: { _claim_names: { groups: 'src1' }, groups: [group] },
      note: 'overage',
    },
    { what: 'a guest', change: { groups: [group], acct: 1, roles: ['Watchpost.Admin'] }, note: 'guest' },
  ])('$what: no role follows, and it says why', async ({ change, note }) => {
    const told = await claims({ ...change, iat: soon(40) });
    expect(told.role).toBeNull();
    expect(told.notes.join(' ')).toContain(note);
  });

  test('what is shown as name and mail is no decision, whatever the token says (R12)', async () => {
    const told = await claims({ name: 'Ana Reyes', email: 'ana@fourthcoffee.example', iat: soon(30) });
    expect(told).toMatchObject({ name: 'Ana Reyes', mail: 'ana@fourthcoffee.example', role: null });
    // Nobody is found by an address that only a token said.
    const found = await server.store.people.byAddress(demoHome.id, 'ana@fourthcoffee.example');
    expect(found.map(({ oid }) => oid)).toEqual([demoPeople[0]?.oid]);
  });
});
