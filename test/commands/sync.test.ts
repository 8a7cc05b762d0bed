import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { cardActions } from '../../bot/commands/index.ts';
import { followSync, requestSync } from '../../bot/commands/request-sync.ts';
import { scopeOfJob, scopeOfSystem } from '../../shared/access.ts';
import { aTenant } from '../cards/samples.ts';
import { addTenant, admin, internal, leaseOf, openRig, operator, type Rig } from './rig.ts';

const contoso = aTenant(1, 'Contoso *Ltd*');
const scope = scopeOfJob(contoso.id);

let rig: Rig;
beforeEach(async () => {
  rig = await openRig();
  await addTenant(rig, contoso);
});
afterEach(async () => {
  rig.stop.abort();
  await rig.close();
});

/** Waits for a condition, as the clock thread would meet it. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('it did not come to this');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The clock thread's side of one sync. */
async function clockSyncs(state: 'done' | 'failed', result: string): Promise<void> {
  const { store } = rig.services;
  const lease = await leaseOf(rig, contoso.id);
  await store.syncRequests.start(lease);
  await store.syncRequests.finish(lease, state, result);
  await store.work.finish(lease, {
    nextDueAt: '2099-01-01T00:00:00.000Z',
    outcome: state,
    ms: 1,
    failed: false,
  });
}

test.each([
  {
    state: 'done' as const,
    result: '62.4 %, down 3.1: _MFA_ −10.0.',
    says: '**Contoso \\*Ltd\\*** is synced. 62.4 %, down 3.1: \\_MFA\\_ −10.0.',
  },
  {
    state: 'failed' as const,
    result: 'Consent was withdrawn.',
    says: '**Contoso \\*Ltd\\*** could not be synced. Consent was withdrawn.',
  },
])('a sync that is $state replaces its own message: $says', async ({ state, result, says }) => {
  const answer = rig.say('sync contoso.com', operator, internal);
  await until(() => rig.sent.length === 1 && rig.nudges() > 0);
  expect(rig.sent[0]?.reply).toEqual({
    text: 'Syncing Contoso \\*Ltd\\* …',
    to: 'conversation',
    tenants: [contoso.id],
  });
  await clockSyncs(state, result);
  expect(await answer).toMatchObject({ text: says, replaces: 'activity-1', tenants: [contoso.id] });
  const { rows } = await rig.services.store.audit.list({ limit: 5 });
  expect(rows).toMatchObject([{ what: 'sync', result: 'done', tenant: contoso.id }]);
});

test('a private wish is announced and answered privately', async () => {
  const answer = rig.say('sync contoso.com', operator, { ...internal, targeted: true });
  await until(() => rig.sent.length === 1);
  await clockSyncs('done', 'Nothing changed.');
  expect([rig.sent[0]?.reply.to, (await answer).to]).toEqual(['caller', 'caller']);
});

test('many who ask at once make one request, the next one after its end a new one', async () => {
  const ask = () => requestSync(scope, contoso.id, 'x', rig.services);
  const first = await Promise.all([ask(), ask(), ask(), ask()]);
  expect(new Set(first.map(({ id }) => id)).size).toBe(1);
  const lease = await leaseOf(rig, contoso.id);
  await rig.services.store.syncRequests.start(lease);
  expect((await ask()).id).toBe(first[0]?.id);
  await rig.services.store.syncRequests.finish(lease, 'done', 'x');
  expect((await ask()).id).not.toBe(first[0]?.id);
});

/** Somebody's wish, carried out at once. */
async function askedAndDone(by: string, state: 'done' | 'failed' = 'done'): Promise<string> {
  const { id } = await requestSync(scope, contoso.id, by, rig.services);
  await clockSyncs(state, 'x');
  return id;
}

test.each([
  { by: 'bo', state: 'done' as const, afterMs: 0, makes: 'none: Ana had it read a moment ago' },
  { by: 'bo', state: 'done' as const, afterMs: 4_000, makes: 'none: Ana had it read a moment ago' },
  { by: 'bo', state: 'done' as const, afterMs: 5_000, makes: 'a new one: that is old news by now' },
  { by: 'ana', state: 'done' as const, afterMs: 0, makes: 'a new one: Ana may have changed something' },
  { by: 'bo', state: 'failed' as const, afterMs: 0, makes: 'a new one: the failure may be mended' },
])('$afterMs ms after a sync for Ana that is $state, a wish of $by makes $makes', async (row) => {
  const first = await askedAndDone('ana', row.state);
  const asked = Date.parse((await rig.services.store.syncRequests.get(scope, contoso.id, first))?.at ?? '');
  const later = { ...rig.services, now: () => new Date(asked + row.afterMs).toISOString() };
  const second = await requestSync(scope, contoso.id, row.by, later);
  expect(second.id === first).toBe(row.makes.startsWith('none'));
  expect(second.state).toBe(second.id === first ? 'done' : 'waiting');
});

test('fifty people within a few seconds make one sync', async () => {
  const first = await askedAndDone('ana');
  const asked = Date.parse((await rig.services.store.syncRequests.get(scope, contoso.id, first))?.at ?? '');
  const ids = new Set<string>();
  for (let n = 0; n < 50; n += 1) {
    const later = { ...rig.services, now: () => new Date(asked + n * 99).toISOString() };
    ids.add((await requestSync(scope, contoso.id, `person ${n}`, later)).id);
  }
  expect([...ids]).toEqual([first]);
});

test('who asks a moment after somebody else is told so in one sentence and shown the score', async () => {
  const answer = rig.say('sync contoso.com', operator, internal);
  await until(() => rig.sent.length === 1 && rig.nudges() > 0);
  await clockSyncs('done', 'Nothing changed.');
  await answer;
  const { rows } = await rig.services.store.audit.list({ limit: 1 });
  // Three seconds later by the store's clock, however slow this machine is.
  const later = new Date(Date.parse(rows[0]?.at ?? '') + 3_000).toISOString();
  rig.services.now = () => later;
  const nudges = rig.nudges();
  const second = await rig.say('sync contoso.com', admin, { ...internal, targeted: true });
  expect(rig.sent).toHaveLength(2);
  expect(rig.sent[1]?.reply).toEqual({
    text: expect.stringMatching(
      /^Contoso \\\*Ltd\\\* was read [34] s ago for somebody else, so it is not read again yet\.$/,
    ),
    to: 'caller',
    tenants: [contoso.id],
  });
  expect(second).toMatchObject({ text: expect.stringContaining('318 of 510 points'), tenants: [contoso.id] });
  expect(rig.nudges()).toBe(nudges);

  const clicked = await cardActions.sync?.run(
    { verb: 'sync', tenant: contoso.id },
    {},
    admin,
    internal,
    rig.services,
  );
  expect(JSON.stringify(clicked?.card)).toContain('318 of 510');
  await until(() => rig.sent.length === 3);
  expect(rig.sent[2]?.reply.text).toContain('not read again yet');
});

test('a wish that comes while a sync is running is made due again after it', async () => {
  const { store } = rig.services;
  await store.work.schedule(scope, contoso.id, 'sync-scores', rig.services.now());
  const running = await leaseOf(rig, contoso.id);
  const request = await requestSync(scope, contoso.id, 'x', rig.services);
  const followed = followSync(request, scope, rig.services);
  // The running sync began before the wish: it ends without answering it, and puts the next one far away.
  await store.syncRequests.finish(running, 'done', 'old');
  await store.work.finish(running, {
    nextDueAt: '2099-01-01T00:00:00.000Z',
    outcome: 'done',
    ms: 1,
    failed: false,
  });
  await until(async () => ((await store.work.get(scope, contoso.id, 'sync-scores'))?.dueAt ?? '9') < '2099');
  await clockSyncs('done', 'new');
  expect(await followed).toMatchObject({ state: 'done', result: 'new' });
});

test('a sync that takes too long is followed no further, and one that the stop interrupts neither', async () => {
  const request = await requestSync(scope, contoso.id, 'x', rig.services);
  expect(await followSync(request, scope, rig.services, 50)).toMatchObject({ state: 'waiting' });
  const answer = rig.say('sync contoso.com', operator, internal);
  await until(() => rig.sent.length === 1);
  rig.stop.abort();
  expect((await answer).text).toContain('is still syncing. The result will be in Watchpost');
});

test('Sync now on a card answers with the card at once; the result follows as one message', async () => {
  const reply = await cardActions.sync?.run(
    { verb: 'sync', tenant: contoso.id },
    {},
    admin,
    internal,
    rig.services,
  );
  // The card hears of no end, so it says nothing of a beginning; and it stays as it is for those who read along.
  expect(reply?.to).toBe('caller');
  expect(JSON.stringify(reply?.card)).not.toContain('Syncing');
  await until(() => rig.sent.length === 1);
  await clockSyncs('done', 'Nothing changed.');
  await until(() => rig.sent.length === 2);
  expect(rig.sent[1]?.reply).toMatchObject({ replaces: 'activity-1', tenants: [contoso.id] });
});

test('a card’s wish may not name a tenant outside', async () => {
  await rig.services.store.tenants.save(scopeOfSystem(), aTenant(2, 'Fabrikam'));
  const where = { ...internal, audience: { kind: 'customer' as const, tenant: contoso.id } };
  const reply = await cardActions.sync?.run(
    { verb: 'sync', tenant: aTenant(2, 'x').id },
    {},
    admin,
    where,
    rig.services,
  );
  expect(reply).toMatchObject({ text: 'This tenant is not available here any more.', tenants: [] });
  expect(rig.nudges()).toBe(0);
});
