import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { adminsToAsk } from '../../bot/people/admins.ts';
import { Secret } from '../../bot/secrets.ts';
import { scopeOfSystem } from '../../shared/access.ts';
import type { Me, TenantList, TenantPage } from '../../shared/api.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { plus } from '../../shared/time.ts';
import { fiveTenants } from '../tab/seeded.ts';
import { openTabServer, type TabServer } from '../tab/tab-server.ts';

/** What the list and a tenant's page tell of a connection: its end, what waits, and what may be read. */

const everything = scopeOfSystem();
const dayMs = 86_400_000;
const appId = 'ffffffff-0000-4000-8000-000000000001';
let server: TabServer;
let ids: TenantId[];

beforeAll(async () => {
  server = await openTabServer({ seeds: fiveTenants.slice(0, 3) });
  server.services.settings.ownCredentials = [
    { of: 'the bot', kind: 'secret', expiresAt: '2020-01-01T00:00:00.000Z' },
  ];
  ids = server.tenants.map(({ id }) => id);
  await server.grant(0, 'Admin', 'all');
  await server.grant(1, 'Reader', 'all');
  for (const [at, days] of [6, 40, -2].entries()) {
    await server.store.credentials.save(everything, {
      ...{ tenantId: ids[at] as TenantId, appId },
      credential: {
        kind: 'secret',
        secret: new Secret('a-secret-of-the-page'),
        expiresAt: plus(server.store.now(), days * dayMs),
      },
    });
  }
});
afterAll(() => server.close());

async function ask<T>(path: string, person: number): Promise<T> {
  const answer = await server.get(path, `Bearer ${await server.tokenOf(person)}`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as T;
}

test('a credential that has ended or ends within 30 days needs attention, one that ends later does not', async () => {
  const list = await ask<TenantList>('/api/tab/tenants', 1);
  const ending = new Map(list.rows.map((row) => [row.id, row.ending]));
  expect(ids.map((id) => ending.get(id)?.kind)).toEqual(['secret', undefined, 'secret']);
  const attention = await ask<TenantList>('/api/tab/tenants?show=attention', 1);
  const shown = attention.rows.map(({ id }) => id);
  expect(shown).toEqual(expect.arrayContaining([ids[0], ids[2]]));
  expect(shown.includes(String(ids[1]))).toBe(false);
});

test("Watchpost's own credentials are told to Admins of all tenants and to nobody else", async () => {
  expect((await ask<TenantList>('/api/tab/tenants', 0)).notices).toEqual([
    'Client secret of the bot ended on 1 Jan 2020. Whoever runs Watchpost renews it.',
  ]);
  expect((await ask<TenantList>('/api/tab/tenants', 1)).notices).toEqual([]);
});

test('who has no role is told whom to ask, as in chat; others are told nobody', async () => {
  expect((await ask<Me>('/api/tab/me', 4)).admins).toEqual(['Ana Reyes']);
  expect(await ask<Me>('/api/tab/me', 1)).not.toHaveProperty('admins');
  const { rows } = await server.store.people.withGrants({ limit: 10 });
  const ana = rows.find(({ name }) => name === 'Ana Reyes');
  if (ana === undefined) throw new Error('Ana is not known');
  const stranger = {
    tid: ids[0] as TenantId,
    oid: 'stranger',
    name: 'Vi',
    home: false,
    disabled: false,
    grants: [],
  };
  expect(await adminsToAsk(stranger, server.services)).toEqual([]);
  expect(await adminsToAsk({ ...stranger, tid: ana.tid, home: true }, server.services)).toEqual([
    'Ana Reyes',
  ]);
});

test('a channel that cannot be told is told to who looks after all tenants, with the way out', async () => {
  const { subscriptions } = server.store;
  const id = '19:unreachable@thread.tacv2';
  await subscriptions.change(id, () => ({
    conversationId: id,
    tenants: 'all',
    thresholds: [],
    serviceUrl: 'https://smba.trafficmanager.net/emea/',
    hostTenantId: ids[0] as TenantId,
    kind: 'channel',
    by: 'Chidi \u202eOkafor',
    since: server.store.now(),
  }));
  await subscriptions.broken(id, 'Teams said 403 Forbidden.');
  await server.grant(2, 'Operator', 'all');
  await server.grant(3, 'Operator', [ids[0] as TenantId]);
  const told = async (person: number) => (await ask<TenantList>('/api/tab/tenants', person)).notices;
  const [says] = await told(2);
  expect(says).toMatch(
    /^News does not arrive in the channel that Chidi Okafor set up since \d+ \w+, \d\d:\d\d UTC\. Teams said 403 Forbidden\. Remove Watchpost from that channel and add it again: what waited is told then\.$/,
  );
  expect(await told(0)).toContain(says);
  expect(await told(1)).toEqual([]);
  expect(await told(3)).toEqual([]);
  await subscriptions.heal(id);
  expect(await told(2)).toEqual([]);
});

test('the page tells what may be read, what is missing and what is too much; the credential only to who may change it', async () => {
  const [id] = ids as [TenantId];
  const tenant = await server.store.tenants.get(everything, id);
  if (tenant === null) throw new Error('no tenant');
  expect((await ask<TenantPage>(`/api/tab/tenants/${id}`, 0)).permissions).toBeNull();
  const roles = ['Organization.Read.All', 'SecurityEvents.Read.All', 'Mail.Read'];
  await server.store.tenants.save(everything, {
    ...tenant,
    permissions: { roles, at: server.store.now() },
  });
  await server.store.nextCredentials.put(everything, {
    ...{ tenantId: id, appId, credential: { kind: 'secret', secret: new Secret('a-secret-that-waits') } },
  });
  const page = await ask<TenantPage>(`/api/tab/tenants/${id}`, 0);
  expect(page.permissions?.missing.map(({ name }) => name)).toEqual(['Domain.Read.All']);
  expect(page.permissions?.excess).toEqual(['Mail.Read']);
  expect(page.waiting).toMatchObject({ appId });
  expect(page.credential).toMatchObject({ kind: 'secret', expiresAt: expect.any(String) });
  const reader = await ask<TenantPage>(`/api/tab/tenants/${id}`, 1);
  expect(reader).toMatchObject({ credential: null, waiting: null });
  expect(reader.permissions?.excess).toEqual(['Mail.Read']);
  expect(JSON.stringify(page)).not.toMatch(/a-secret-/);
});
