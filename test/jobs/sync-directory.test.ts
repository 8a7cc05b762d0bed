import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { dueForAll } from '../../bot/jobs/due-for-all.ts';
import { syncDirectory } from '../../bot/jobs/sync-directory.ts';
import { scopeOfJob } from '../../shared/access.ts';
import { notConnected } from '../../shared/tenants/not-connected.ts';
import {
  type DirectoryDatasetName,
  directoryDatasetNames,
  type TenantId,
} from '../../shared/tenants/tenant.ts';
import { millis, never, plus } from '../../shared/time.ts';
import { Crash, crashing, dump, ignoringGuards } from '../store/faulty.ts';
import { count } from '../support/counts.ts';
import { type DirectoryRig, openDirectoryRig } from './directory-rig.ts';

/** What is known of a tenant beside its score: every part by itself, and a reason for each that is missing. */

let rig: DirectoryRig;
beforeAll(async () => {
  rig = await openDirectoryRig();
}, 30_000);
afterAll(() => rig?.close());
beforeEach(() => rig.world.sandbox.control('DELETE', '/_sandbox/faults'));

async function fault(id: TenantId, wish: Record<string, unknown>): Promise<void> {
  await rig.world.sandbox.control('POST', '/_sandbox/faults', { tenant: id, ...wish });
}
async function grant(id: TenantId, permissions: string[]): Promise<void> {
  await rig.world.sandbox.control('POST', `/_sandbox/tenants/${id}/consent`, { grant: permissions });
  rig.world.microsoft.forget(id);
}

const allOk = Object.fromEntries(directoryDatasetNames.map((name) => [name, 'ok']));

test('everything granted and licensed: all is read, says one thing, and is skipped while it stays the same', async () => {
  const id = await rig.connect('contoso.com');
  const before = await rig.tenant(id);
  expect(await rig.sync(id)).toBe('changed');
  expect(await rig.states(id)).toEqual(allOk);
  const facts = await rig.facts(id);
  expect(facts.users).toMatchObject({ members: 240, guests: 29, synced: 0 });
  const { users, mfa, roles } = facts;
  // The report leaves out who is switched off.
  expect(mfa?.users.total).toBe(users?.enabledMembers);
  expect(mfa?.guests.total).toBe(users?.enabledGuests);
  expect(mfa?.admins).toMatchObject({ total: 10 });
  expect(mfa?.adminsWithoutCount).toBe((mfa?.admins.total ?? 0) - (mfa?.admins.capable ?? 0));
  expect(mfa?.adminsWithout).toHaveLength(mfa?.adminsWithoutCount ?? -1);
  expect(roles).toMatchObject({ people: 10, apps: 1, globalAdminCount: 3 });
  expect(facts.groups?.total).toBeGreaterThan(40);
  expect(facts.groups?.ownerless).toHaveLength(facts.groups?.ownerlessCount ?? -1);
  expect(facts.securityDefaults).toEqual({ isOn: false });
  expect(facts.conditionalAccess).toMatchObject({ off: 1 });
  expect(facts.licences?.lines.map(({ partNumber, free }) => [partNumber, free])).toEqual([
    ['SPE_E5', false],
    ['FLOW_FREE', true],
  ]);
  expect(facts.terms?.ends).toEqual([expect.objectContaining({ partNumber: 'SPE_E5' })]);
  expect(facts.mail).toEqual([
    expect.objectContaining({
      name: 'contoso.com',
      dmarc: expect.objectContaining({ policy: 'none' }),
      dkim: [
        expect.objectContaining({ key: { kind: 'ok' } }),
        expect.objectContaining({ key: { kind: 'ok' } }),
      ],
    }),
  ]);
  const after = await rig.tenant(id);
  expect(after.health).toEqual(before.health);
  // Again: the same bodies, nothing is written but the time; sign-ins are a matter of once a week.
  const asked = (await rig.world.sandbox.requests('?limit=1000')).length;
  expect(await rig.sync(id)).toBe('unchanged');
  expect(await rig.facts(id)).toEqual(facts);
  expect((await rig.tenant(id)).datasets.users?.readAt).not.toBe(after.datasets.users?.readAt);
  const again = (await rig.asked(id)).slice(-14).map(({ path }) => path);
  expect(again.filter((path) => /signInActivity/.test(path))).toEqual([]);
  expect(asked).toBeGreaterThan(10);
}, 30_000);

test('nothing optional was granted: said with the permission, health untouched, and no reason to try again', async () => {
  const id = await rig.connect('adventure-works.com');
  expect(await rig.sync(id)).toBe('changed');
  expect(await rig.states(id)).toEqual({
    ...allOk,
    ...{ signInActivity: 'not-granted', mfaRegistration: 'not-granted', groups: 'not-granted' },
    ...{ directoryRoles: 'not-granted', securityDefaults: 'not-granted', conditionalAccess: 'not-granted' },
  });
  const { datasets, health } = await rig.tenant(id);
  expect(health.state).toBe('connected');
  expect(datasets.signInActivity).toMatchObject({
    why: 'not granted (AuditLog.Read.All)',
    permission: 'AuditLog.Read.All',
  });
  expect(datasets.mfaRegistration?.permission).toBe('AuditLog.Read.All');
  expect(datasets.groups?.permission).toBe('GroupMember.Read.All');
  expect(datasets.directoryRoles?.permission).toBe('RoleManagement.Read.Directory');
  expect(datasets.conditionalAccess?.permission).toBe('Policy.Read.All');
  const row = await rig.store.work.get(scopeOfJob(id), id, 'sync-directory');
  expect(row).toMatchObject({ failures: 0 });
  expect(Object.keys(await rig.facts(id)).sort()).toEqual(['licences', 'mail', 'terms', 'users']);
});

test('a permission that was there and is gone is missing, not "not granted", and what it showed stays', async () => {
  const id = await rig.make({ name: 'Taken Back', domain: 'taken-back.example', users: 20 });
  await rig.sync(id);
  const before = await rig.facts(id);
  await grant(id, [
    'Organization.Read.All',
    'User.Read.All',
    'AuditLog.Read.All',
    'Policy.Read.All',
    'RoleManagement.Read.Directory',
  ]);
  await rig.sync(id);
  const { datasets } = await rig.tenant(id);
  expect(datasets.groups).toMatchObject({
    state: 'permission-missing',
    permission: 'GroupMember.Read.All',
    readAt: expect.any(String),
  });
  expect(await rig.facts(id)).toEqual(before);
}, 30_000);

test('without P1 it is not licensed; a tenant known to have none is not even asked', async () => {
  const id = await rig.make({ name: 'No P1', domain: 'no-p1.example', licence: 'BusinessBasic', users: 12 });
  expect(await rig.sync(id)).toBe('changed');
  expect(await rig.states(id)).toEqual({
    ...allOk,
    signInActivity: 'not-licensed',
    mfaRegistration: 'not-licensed',
  });
  expect((await rig.facts(id)).securityDefaults).toEqual({ isOn: true });
  const asked = async (): Promise<number> =>
    (await rig.asked(id)).filter(({ path }) => /userRegistrationDetails|signInActivity/.test(path)).length;
  expect(await asked()).toBe(2);
  const lease = await rig.lease(id);
  const none = { known: true, value: false } as const;
  await rig.store.work.saveTenant(scopeOfJob(id), lease, {
    licences: { entraP1: none, entraP2: none, skus: [] },
  });
  await syncDirectory(lease, rig.services);
  expect(await asked()).toBe(2);
  expect((await rig.tenant(id)).health.state).toBe('connected');
}, 30_000);

test('an empty tenant has nobody: zero that was read, not zero for want of knowing', async () => {
  const id = await rig.make({ name: 'Nobody Here', domain: 'nobody-here.example', empty: true });
  expect(await rig.sync(id)).toBe('changed');
  expect(await rig.states(id)).toEqual(allOk);
  expect(await rig.facts(id)).toMatchObject({
    users: { members: 0, guests: 0 },
    mfa: { users: { total: 0 }, adminsWithout: [], asOf: null },
    groups: { total: 0, ownerlessCount: 0 },
    roles: { people: 0, globalAdmins: [] },
  });
});

test('thousands of users come over pages, each counted once, and lists of names are cut', async () => {
  const members = count(1_800, 12_000);
  const people = members + Math.round(members * 0.12);
  const id = await rig.make({ name: 'Many', domain: 'many.example', licence: 'E5', users: members });
  expect(await rig.sync(id)).toBe('changed');
  const { users, signIns, mfa } = await rig.facts(id);
  expect(users).toMatchObject({ members, guests: people - members, synced: members });
  expect(signIns?.counted).toBe((users?.enabledMembers ?? 0) + (users?.enabledGuests ?? 0));
  expect(signIns?.neverSeen).toBeGreaterThan(5);
  expect(signIns?.inactiveMembers).toBeGreaterThan(60);
  expect(mfa?.users.total).toBe(users?.enabledMembers);
  const pages = (await rig.asked(id)).filter(({ path }) => path.startsWith('/v1.0/users?'));
  // Pages of 999; with sign-ins Microsoft gives 500 whatever is asked for.
  expect(pages.filter(({ path }) => !/signInActivity/.test(path))).toHaveLength(Math.ceil(people / 999));
  expect(pages.filter(({ path }) => /signInActivity/.test(path))).toHaveLength(Math.ceil(people / 500));
}, 30_000);

test.each<{
  name: string;
  wish: Record<string, unknown>;
  dataset: DirectoryDatasetName;
  path: string;
  state: { state: string; why: unknown };
}>([
  {
    name: 'throttled for long',
    wish: { path: '/identity/conditionalAccess', status: 429, code: 'TooManyRequests', retryAfter: 600 },
    dataset: 'conditionalAccess',
    path: '/v1.0/identity/conditionalAccess/policies',
    state: { state: 'throttled', why: 'Microsoft asks us to wait.' },
  },
  {
    name: 'cut in the middle',
    wish: { path: '/groups', truncate: true },
    dataset: 'groups',
    path: '/v1.0/groups',
    state: { state: 'error', why: expect.stringMatching(/was cut/) },
  },
])(
  '$name: that part alone waits, says so, and is tried again soon and alone',
  async ({ name, wish, dataset, path, state }) => {
    const id = await rig.make({
      name,
      domain: `${name.replaceAll(' ', '-')}.example`,
      licence: 'E5',
      users: 15,
    });
    await rig.sync(id);
    const before = await rig.facts(id);
    await fault(id, wish);
    expect(await rig.sync(id)).toBe('failed');
    expect(await rig.states(id)).toEqual({ ...allOk, [dataset]: state.state });
    const tenant = await rig.tenant(id);
    expect(tenant.datasets[dataset]).toMatchObject({ ...state, readAt: expect.any(String) });
    expect(tenant.health.state).toBe('connected');
    expect(await rig.facts(id)).toEqual(before);
    const row = await rig.store.work.get(scopeOfJob(id), id, 'sync-directory');
    expect(row?.failures).toBe(1);
    expect(millis(row?.dueAt ?? never) - millis(rig.store.now())).toBeLessThanOrEqual(601_000);
    // Parked for ten minutes in this gateway; another one is let in at once.
    await rig.world.sandbox.control('DELETE', '/_sandbox/faults');
    const asked = (await rig.asked(id)).length;
    expect(await rig.sync(id, { ...rig.services, microsoft: rig.freshMicrosoft() })).toBe('changed');
    expect((await rig.asked(id)).slice(asked).map((one) => one.path.split('?')[0])).toEqual([path]);
    expect(await rig.states(id)).toEqual(allOk);
  },
  30_000,
);

test('sign-ins whose turn has not come are waited for: no failure, and nothing else is read again', async () => {
  const id = await rig.make({ name: 'In Line', domain: 'in-line.example', licence: 'E5', users: 12 });
  const { microsoft } = rig.services;
  const queued = {
    kind: 'failed',
    failure: {
      kind: 'throttled',
      cause: 'Microsoft asks us to wait.',
      remedy: '',
      transient: true,
      retryAfterMs: 400_000,
    },
  } as const;
  const busy = { ...rig.services, microsoft: { ...microsoft, signInActivity: async () => queued } };
  expect(await rig.sync(id, busy)).toBe('waiting');
  const row = await rig.store.work.get(scopeOfJob(id), id, 'sync-directory');
  expect(row).toMatchObject({ failures: 0, lastOutcome: 'waiting' });
  const wait = millis(row?.dueAt ?? never) - millis(rig.store.now());
  expect(wait).toBeGreaterThan(390_000);
  expect(wait).toBeLessThanOrEqual(400_000);
  const asked = (await rig.asked(id)).length;
  expect(await rig.sync(id)).toBe('changed');
  const again = (await rig.asked(id)).slice(asked).map(({ path }) => path);
  expect(again).toEqual([expect.stringMatching(/signInActivity/)]);
  expect(await rig.states(id)).toEqual(allOk);
});

test('a credential that is refused: Entra is asked once, not once for each part', async () => {
  const id = await rig.make({ name: 'Refused', domain: 'refused.example', users: 10 });
  await rig.sync(id);
  await rig.world.sandbox.control('POST', `/_sandbox/tenants/${id}/app`, { newSecret: true });
  rig.world.microsoft.forget(id);
  const before = (await rig.world.sandbox.requests()).at(-1)?.seq ?? 0;
  expect(await rig.sync(id)).toBe('unchanged');
  const sent = await rig.world.sandbox.requests(`?after=${before}`);
  expect(sent.filter(({ host }) => host === 'login.microsoftonline.com')).toHaveLength(1);
  expect((await rig.tenant(id)).datasets.users).toMatchObject({ state: 'error', readAt: expect.any(String) });
}, 30_000);

test('a tenant that is gone is never due again', async () => {
  const id = await rig.make({ name: 'Gone', domain: 'gone.example', users: 10 });
  const lease = await rig.lease(id);
  await rig.engine.collection({ name: 'tenants', tenantScoped: true, indexes: [] }).deleteMany({ _id: id });
  expect(await syncDirectory(lease, rig.services)).toBe('gone');
  expect((await rig.store.work.get(scopeOfJob(id), id, 'sync-directory'))?.dueAt).toBe(never);
});

test('a company that is not connected yet is left alone; what the stop cuts off is not told as a failure', async () => {
  const id = await rig.make({ name: 'Only Added', domain: 'only-added.example', users: 10 });
  const stopping = AbortSignal.abort();
  const lease = await rig.lease(id);
  const silent = async () => ({ kind: 'unknown', why: 'Watchpost is stopping' }) as const;
  const stopped = { ...rig.services, signal: stopping, dns: { txt: silent, cname: silent } };
  await expect(syncDirectory(lease, stopped)).rejects.toMatchObject({ code: 'stopped' });
  expect(await rig.states(id)).toEqual({});
  await rig.store.work.saveTenant(scopeOfJob(id), lease, { health: notConnected(rig.store.now()) });
  await rig.store.purge.credentials(scopeOfJob(id), id);
  expect(await rig.sync(id)).toBe('gone');
  expect(await rig.states(id)).toEqual({});
});

test('killed before any of its writes: what is marked as read is there, and the next sync completes it', async () => {
  // Two writes and the end: the facts, the mark, the row of the work.
  for (let after = 0; after < 3; after += 1) {
    const id = await rig.make({
      name: `Killed ${after}`,
      domain: `killed-${after}.example`,
      licence: 'E5',
      users: 25,
    });
    const lease = await rig.lease(id);
    const dying = { ...rig.services, store: rig.over(crashing(rig.engine, after)) };
    await expect(syncDirectory(lease, dying)).rejects.toBeInstanceOf(Crash);
    const states = await rig.states(id);
    const facts = await rig.facts(id);
    if (Object.keys(states).length > 0) expect(Object.keys(facts).length).toBe(directoryDatasetNames.length);
    expect([after, Object.keys(facts).length, Object.keys(states).length]).toEqual(
      [
        [0, 0, 0],
        [1, 10, 0],
        [2, 10, 10],
      ][after],
    );
    await rig.store.work.voidOwn();
    expect(await rig.sync(id)).toMatch(/changed/);
    expect(await rig.states(id)).toEqual(allOk);
    expect(Object.keys(await rig.facts(id))).toHaveLength(directoryDatasetNames.length);
  }
}, 60_000);

test('who has lost the lease writes nothing; with the fence ignored it would', async () => {
  const id = await rig.make({ name: 'Lost', domain: 'lost.example', users: 10 });
  const old = await rig.lease(id);
  await rig.store.work.voidOwn();
  await rig.lease(id);
  const before = await dump(rig.engine, ['directories', 'tenants']);
  await expect(syncDirectory(old, rig.services)).rejects.toMatchObject({ code: 'conflict' });
  expect(await dump(rig.engine, ['directories', 'tenants'])).toEqual(before);
  const planted = { ...rig.services, store: rig.over(ignoringGuards(rig.engine)) };
  await syncDirectory(old, planted);
  expect(await dump(rig.engine, ['directories', 'tenants'])).not.toEqual(before);
}, 30_000);

test('tenants from before get their row, each at its own moment; who has one keeps it', async () => {
  const id = await rig.make({ name: 'From Before', domain: 'from-before.example', users: 10 });
  const known = await rig.make({ name: 'Has One', domain: 'has-one.example', users: 10 });
  const soon = plus(rig.store.now(), 5_000);
  await rig.store.work.schedule(scopeOfJob(known), known, 'sync-directory', soon);
  await dueForAll('sync-directory', rig.services);
  const due = async (tenant: TenantId) =>
    (await rig.store.work.get(scopeOfJob(tenant), tenant, 'sync-directory'))?.dueAt ?? '';
  expect(await due(known)).toBe(soon);
  const wait = millis(await due(id)) - millis(rig.store.now());
  expect(wait).toBeGreaterThan(0);
  expect(wait).toBeLessThanOrEqual(25 * 3_600_000);
  expect(await rig.store.work.backlog()).toBe(0);
});
