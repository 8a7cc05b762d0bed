import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { addCompany } from '../../bot/connect/add-company.ts';
import type { Services } from '../../bot/services.ts';
import { scopeOfSystem } from '../../shared/access.ts';
import { isNotConnected } from '../../shared/tenants/not-connected.ts';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { healthSentence } from '../../shared/tenants/tenant-health.ts';
import { openTestStore } from '../support/store.ts';
import { openTabServer, type TabServer } from '../tab/tab-server.ts';

/** A company can stand in the list before there is a way into its tenant. */

const everything = scopeOfSystem();
const id = tenantId('11111111-1111-4111-8111-111111111111') as TenantId;
let server: TabServer;
let services: Services;
let close: () => Promise<void> = async () => undefined;
beforeAll(async () => {
  server = await openTabServer({ seeds: [] });
});
beforeEach(async () => {
  await close();
  const opened = await openTestStore();
  close = opened.close;
  const microsoft = {
    ...server.services.microsoft,
    tenantOfDomain: async (domain: string) => (domain === 'nobody.example' ? null : id),
  };
  services = { ...server.services, microsoft, store: opened.store, now: () => opened.store.now() };
});
afterAll(async () => {
  await close();
  await server.close();
});

test('added: in the list as not connected, with name and tags, and nothing is due', async () => {
  const wish = { domain: 'Contoso.com', name: 'Contoso', tags: ['gold', 'emea', 'gold'], by: 'tid/oid' };
  const { kind, tenant } = await addCompany(wish, services);
  expect(kind).toBe('added');
  expect(tenant).toMatchObject({
    id,
    name: 'Contoso',
    named: true,
    domain: 'contoso.com',
    tags: ['gold', 'emea'],
  });
  expect(isNotConnected(tenant.health)).toBe(true);
  expect(healthSentence(tenant.health, services.now())).toMatch(/^Not connected yet\. An Admin connects it/);
  expect(await services.store.tenants.list(everything)).toEqual([tenant]);
  expect(await services.store.credentials.facts(everything, id)).toBeNull();
  expect(await services.store.work.claimDue('sync-scores', 5, 1_000)).toEqual([]);
  const { rows } = await services.store.audit.list({ limit: 5 });
  expect(rows.map(({ what, result }) => `${what} ${result}`)).toEqual([
    'add company done',
    'add company started',
  ]);
});

test.each([
  { domain: 'contoso.com', shown: 'contoso.com', domains: ['contoso.com'] },
  { domain: id, shown: id, domains: [] },
])('added as $domain without a name', async ({ domain, shown, domains }) => {
  const { tenant } = await addCompany({ domain, by: 'tid/oid' }, services);
  expect(tenant).toMatchObject({ name: shown, domains });
  expect(tenant).not.toHaveProperty('named');
  expect(tenant).not.toHaveProperty('tags');
});

test('added twice it stays as it is; a domain that nobody has is told', async () => {
  const first = await addCompany({ domain: 'contoso.com', name: 'Contoso', by: 'tid/oid' }, services);
  const again = await addCompany(
    { domain: 'contoso.com', name: 'Other', tags: ['x'], by: 'tid/oid' },
    services,
  );
  expect(again).toEqual({ kind: 'known', tenant: first.tenant });
  await expect(addCompany({ domain: 'nobody.example', by: 'tid/oid' }, services)).rejects.toMatchObject({
    code: 'bad-input',
  });
  expect(await services.store.tenants.list(everything)).toHaveLength(1);
});
