import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { syncScores } from '../../bot/jobs/sync-scores.ts';
import type { Failure, Services } from '../../bot/services.ts';
import { scopeOfJob } from '../../shared/access.ts';
import { never } from '../../shared/time.ts';
import { aTenant } from '../cards/samples.ts';
import { leaseOf, openRig, type Rig } from '../commands/rig.ts';
import { accessTo, aWorld, type World } from '../microsoft/fake-microsoft.ts';

const contoso = aTenant(1, 'Contoso Ltd');
const scope = scopeOfJob(contoso.id);
let rig: Rig;
let world: World;
let services: Services;

beforeEach(async () => {
  rig = await openRig();
  world = await aWorld();
  services = { ...rig.services, microsoft: world.microsoft, signal: world.stop.signal };
  await services.store.tenants.save(scope, contoso);
  await services.store.credentials.save(scope, accessTo(contoso.id));
  await services.store.work.schedule(scope, contoso.id, 'sync-scores', services.now());
});
afterEach(async () => {
  await world.fake.stop();
  await rig.close();
});

test('a sync that the stop cuts off is no failure: its wish waits and the next start does it again', async () => {
  const { store } = services;
  world.fake.on('/v1.0/organization', () => undefined); // never answers
  const wish = await store.syncRequests.add(scope, contoso.id, 'a person');
  const sync = syncScores(await leaseOf(rig, contoso.id), services);
  const ended = expect(sync).rejects.toMatchObject({ code: 'stopped' });
  while (!world.fake.asked.some(({ path }) => path === '/v1.0/organization')) await pause(10);
  world.stop.abort();
  await ended;

  expect(await store.syncRequests.get(scope, contoso.id, wish.id)).toMatchObject({ state: 'running' });
  expect(await store.work.get(scope, contoso.id, 'sync-scores')).toMatchObject({ failures: 0 });
  expect((await store.tenants.get(scope, contoso.id))?.health).toEqual(contoso.health);
  await store.work.voidOwn();
  const again = await leaseOf(rig, contoso.id);
  await store.syncRequests.start(again);
  await store.syncRequests.finish(again, 'done', 'read');
  expect(await store.syncRequests.get(scope, contoso.id, wish.id)).toMatchObject({ state: 'done' });
});

test('a tenant that is removed while its sync waits is read once more for its wishes, and never again', async () => {
  const { store } = services;
  await store.purge.tenant(scope, contoso.id, { people: true });
  // Somebody asked a moment too late.
  const wish = await store.syncRequests.add(scope, contoso.id, 'a person');
  await store.work.schedule(scope, contoso.id, 'sync-scores', services.now());
  expect(await syncScores(await leaseOf(rig, contoso.id), services)).toBe('gone');
  expect(await store.syncRequests.get(scope, contoso.id, wish.id)).toMatchObject({
    state: 'failed',
    result: expect.stringContaining('no longer connected'),
  });
  expect((await store.work.get(scope, contoso.id, 'sync-scores'))?.dueAt).toBe(never);
  expect(world.fake.asked).toEqual([]);
});

test('what a tenant does not have does not hide that Microsoft asks us to wait', async () => {
  const failed = (failure: Failure) => async () => ({ kind: 'failed' as const, failure });
  const absent = failed({ kind: 'not-found', cause: 'Not there.', remedy: '', transient: false });
  const wait = {
    kind: 'throttled',
    cause: 'Wait.',
    remedy: '',
    transient: true,
    retryAfterMs: 600_000,
  } as const;
  const microsoft: Services['microsoft'] = {
    ...world.microsoft,
    organization: async () => ({
      kind: 'ok',
      value: { id: contoso.id, name: 'Contoso Ltd', domains: ['contoso.com'] },
      hash: 'x',
    }),
    domains: absent,
    subscribedSkus: absent,
    secureScoreControlProfiles: absent,
    secureScores: failed(wait),
  };
  const began = Date.now();
  await syncScores(await leaseOf(rig, contoso.id), { ...services, microsoft });
  const row = await services.store.work.get(scope, contoso.id, 'sync-scores');
  const minutes = (Date.parse(row?.dueAt ?? '') - began) / 60_000;
  expect(minutes).toBeGreaterThan(9);
  expect(minutes).toBeLessThan(11);
});
