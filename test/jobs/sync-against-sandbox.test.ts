import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connectTenant } from '../../bot/connect/connect-tenant.ts';
import { syncScores } from '../../bot/jobs/sync-scores.ts';
import { Secret } from '../../bot/secrets.ts';
import type { SyncRequest } from '../../bot/services.ts';
import { scopeOfJob } from '../../shared/access.ts';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { leaseOf, openRig, type Rig } from '../commands/rig.ts';
import { openMicrosoftOf, type Sandboxed } from './sandboxed.ts';

/** The sync job against the sandbox over real HTTP: what it says, and what it must not lose. */

let rig: Rig;
let world: Sandboxed;
let contoso: TenantId;

beforeAll(async () => {
  rig = await openRig();
  world = await openMicrosoftOf();
  rig.services.microsoft = world.microsoft;
  const made = world.sandbox.info.tenants.find(({ domain }) => domain === 'contoso.com');
  if (made === undefined) throw new Error('the sandbox has no Contoso');
  contoso = tenantId(made.id) as TenantId;
  const report = await connectTenant(
    {
      domain: made.domain,
      name: 'Contoso of ours',
      appId: made.appId,
      credential: { kind: 'secret', secret: new Secret(made.secret) },
      by: 'test',
    },
    rig.services,
  );
  expect(report.saved).not.toBeNull();
}, 30_000);
afterAll(async () => {
  await world?.stop();
  await rig?.close();
});

/** A wish, one sync, what it said. */
async function synced(): Promise<SyncRequest> {
  const scope = scopeOfJob(contoso);
  const wish = await rig.services.store.syncRequests.add(scope, contoso, 'a person');
  await rig.services.store.work.schedule(scope, contoso, 'sync-scores', rig.services.now());
  await syncScores(await leaseOf(rig, contoso), rig.services);
  const row = await rig.services.store.syncRequests.get(scope, contoso, wish.id);
  if (row === null) throw new Error('the wish is gone');
  return row;
}

test('the first sync reads 90 days; the name that an Admin gave stays', async () => {
  expect((await synced()).result).toMatch(/^First read: \d+\.\d.% \(/);
  const scope = scopeOfJob(contoso);
  expect(await rig.services.store.scores.snapshots(scope, contoso, '2000-01-01')).toHaveLength(90);
  expect((await rig.services.store.tenants.get(scope, contoso))?.name).toBe('Contoso of ours');
});

test('nothing new: it says where the tenant stands and what moved last', async () => {
  await synced();
  expect((await synced()).result).toMatch(
    /^Nothing new since the last sync\. On \d+ \w+, Microsoft's newest day: .* since \d+ \w+: .*−\d/,
  );
});

test('several days between two syncs, also ahead of our clock: none is lost', async () => {
  for (let day = 0; day < 6; day += 1)
    await world.sandbox.control('POST', '/_sandbox/tenants/contoso.com/score', { drop: 1 });
  await synced();
  const days = (await rig.services.store.scores.snapshots(scopeOfJob(contoso), contoso, '2000-01-01')).map(
    ({ day }) => day,
  );
  const gaps = days.filter(
    (day, at) => at > 0 && Date.parse(day) - Date.parse(days[at - 1] ?? day) !== 86_400_000,
  );
  expect(gaps).toEqual([]);
  expect(days.length).toBe(96);
}, 30_000);

test('permissions that are missing are named together; what can still be read is read', async () => {
  await world.sandbox.control('POST', '/_sandbox/tenants/contoso.com/consent', {
    grant: ['SecurityEvents.Read.All'],
  });
  world.microsoft.forget(contoso);
  const { state, result } = await synced();
  expect(state).toBe('failed');
  for (const name of ['Organization.Read.All', 'Domain.Read.All', 'LicenseAssignment.Read.All'])
    expect(result).toContain(name);
  const tenant = await rig.services.store.tenants.get(scopeOfJob(contoso), contoso);
  expect(tenant?.health.state).toBe('permission-error');
  expect(tenant?.datasets.secureScores?.state).toBe('ok');
});

test('withdrawn consent is called so, and its end is said', async () => {
  await world.sandbox.control('POST', '/_sandbox/tenants/contoso.com/consent', { revoke: true });
  const gone = await synced();
  expect(gone.result).toMatch(/Consent was withdrawn/);
  await world.sandbox.control('POST', '/_sandbox/tenants/contoso.com/consent', {
    grant: [
      'Organization.Read.All',
      'Domain.Read.All',
      'LicenseAssignment.Read.All',
      'SecurityEvents.Read.All',
    ],
  });
  world.microsoft.forget(contoso);
  const back = await synced();
  expect(back.state).toBe('done');
  expect(back.result).toMatch(/It can be read again: Permission Error since \d+ \w+ is over\./);
});

test('a score that cannot be read is never called unchanged', async () => {
  await world.sandbox.control('POST', '/_sandbox/faults', {
    path: '/security/secureScores',
    status: 400,
    code: 'BadRequest',
    times: 1,
  });
  const { state, result } = await synced();
  expect(state).toBe('failed');
  expect(result).toMatch(/could not be read, so what changed is not known/);
  expect(result).not.toMatch(/Nothing/);
});
