import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { tellCredentialEnd } from '../../bot/jobs/tell-credential-end.ts';
import { Secret } from '../../bot/secrets.ts';
import { scopeOfJob } from '../../shared/access.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { plus } from '../../shared/time.ts';
import { Crash, crashing } from '../store/faulty.ts';
import { type HearRig, type Instance, openHearRig } from './hear-rig.ts';

/** The end of a tenant's credential, from the store to the channel: told once for each stage, killed wherever. */

const dayMs = 86_400_000;
let rig: HearRig;
beforeAll(async () => {
  rig = await openHearRig();
  await rig.limits(false);
}, 60_000);
afterAll(async () => await rig.close());

async function keep(one: Instance, tenantId: TenantId, days: number): Promise<void> {
  const expiresAt = plus(one.store.now(), days * dayMs);
  await one.store.credentials.save(scopeOfJob(tenantId), {
    tenantId,
    appId: 'app',
    credential: { kind: 'secret', secret: new Secret('a-secret-value'), expiresAt },
  });
}

/** The part of a sync that is about the credential; the mark last of all, as there. */
async function sync(one: Instance, tenantId: TenantId): Promise<void> {
  const { store } = one;
  const scope = scopeOfJob(tenantId);
  await store.work.schedule(scope, tenantId, 'sync-scores', store.now());
  const [lease] = await store.work.claimDue('sync-scores', 1, 60_000);
  if (lease === undefined) throw new Error('nothing was due');
  const tenant = await store.tenants.get(scope, tenantId);
  if (tenant === null) throw new Error('no tenant');
  const endTold = await tellCredentialEnd(lease, tenant, one.services);
  if (endTold !== undefined) await store.work.saveTenant(scope, lease, { endTold });
  await store.work.finish(lease, {
    ...{ nextDueAt: '9999-01-01T00:00:00.000Z', outcome: 'unchanged', ms: 1, failed: false },
  });
}

test('two channels hear of it once each; further news is in the thread; a new one closes the card', async () => {
  const one = rig.instance('one');
  const channels = [await rig.conversation('ends-a'), await rig.conversation('ends-b')];
  const tenant = await rig.tenant(21);
  await keep(one, tenant, 20.5);
  await sync(one, tenant);
  await sync(one, tenant);
  await one.send();
  for (const channel of channels) {
    const posts = await rig.posts(channel);
    expect(posts.map(({ kind }) => kind)).toEqual(['create']);
    expect(JSON.stringify(posts)).toContain('ends in 20 days');
    expect(JSON.stringify(posts)).not.toContain('a-secret-value');
  }
  rig.clock.ahead += 10 * dayMs;
  await sync(one, tenant);
  await one.send();
  expect((await rig.posts(channels[0])).map(({ kind }) => kind)).toEqual(['create', 'update', 'create']);
  await keep(one, tenant, 300);
  await sync(one, tenant);
  await one.send();
  const last = (await rig.posts(channels[0])).findLast(({ kind }) => kind === 'update');
  expect(JSON.stringify(last)).toContain('renewed');
}, 60_000);

test('killed at any write it is told all the same, and once', async () => {
  const channel = await rig.conversation('ends-killed');
  for (let writes = 0, whole = false; !whole; writes += 1) {
    const tenant = await rig.tenant(40 + writes);
    await keep(rig.instance('one'), tenant, 5);
    await rig.forget();
    const dying = rig.instance('one', (engine) => crashing(engine, writes));
    whole = await sync(dying, tenant)
      .then(() => true)
      .catch((error: unknown) => {
        if (error instanceof Crash) return false;
        throw error;
      });
    const next = rig.instance('one');
    await next.store.work.voidOwn();
    await sync(next, tenant);
    while (await rig.wait(next.store)) await next.send();
    const posts = await rig.posts(channel);
    expect({ writes, created: posts.filter(({ kind }) => kind === 'create').length }).toEqual({
      writes,
      created: 1,
    });
    expect(writes).toBeLessThan(12);
  }
}, 120_000);
