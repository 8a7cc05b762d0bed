import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { digest } from '../../bot/digest.ts';
import { sendDue } from '../../bot/jobs/send-due.ts';
import { tellConnection } from '../../bot/jobs/tell-connection.ts';
import { tellDrop } from '../../bot/jobs/tell-drop.ts';
import type { Lease, OutboxEntry, Services, Store } from '../../bot/services.ts';
import type { Engine } from '../../bot/store/engine/collection.ts';
import { scopeOfJob, scopeOfSystem } from '../../shared/access.ts';
import { findingId } from '../../shared/alerts/finding.ts';
import type { EvaluatedSnapshot } from '../../shared/score/score.ts';
import type { Health, TenantId } from '../../shared/tenants/tenant.ts';
import type { Post } from '../sandbox/ledger.ts';
import { dayOf, profilesOf } from '../shared/alerts/drops.ts';
import { Crash, crashing } from '../store/faulty.ts';
import { count, seed, seeded } from '../support/counts.ts';
import { type Sandbox, startSandbox } from '../support/sandbox.ts';
import { fall, type HearRig, type Instance, type Judged, judge, openHearRig } from './hear-rig.ts';

/**
 * Nothing is lost, and nothing comes twice without saying so: with connectors that take a message and then fail, with
 * Teams at its worst, and with a process that dies before any of its writes. The ledger of the sandbox judges.
 */

const everything = scopeOfSystem();
let sandbox: Sandbox;
let rig: HearRig;
beforeAll(async () => {
  sandbox = await startSandbox({ empty: true });
});
afterAll(() => sandbox.stop());
beforeEach(async () => {
  await sandbox.control('DELETE', '/_sandbox/faults');
  rig = await openHearRig(sandbox);
  await rig.limits(false);
});
afterEach(() => rig.close());

let made = 0;
/** Conversations of this test alone. */
async function conversations(many: number): Promise<string[]> {
  made += 1;
  return await Promise.all(Array.from({ length: many }, (_, n) => rig.conversation(`${made}-${n}`)));
}

/** Each tenant's fall to each conversation, in an order that mixes both. */
async function tellAll(store: Store, tenants: number, to: readonly string[]): Promise<OutboxEntry[]> {
  const wanted: OutboxEntry[] = [];
  for (let n = 1; n <= tenants; n += 1) {
    wanted.push(...(await rig.tell(store, await rig.tenant(n), fall.opened, to)));
  }
  return wanted;
}

/** The next POSTs meet these, in order; `null` is an undisturbed one. */
async function plan(faults: readonly (Record<string, unknown> | null)[]): Promise<void> {
  for (const one of faults) {
    const wish = one ?? { delayMs: 0 };
    await sandbox.control('POST', '/_sandbox/faults', {
      path: '/v3/conversations/',
      method: 'POST',
      times: 1,
      ...wish,
    });
  }
}

/** Until nothing waits: time passes, and a bot that was thrown out is installed again. */
async function drain(instances: readonly Instance[], to: readonly string[], leaseMs?: number): Promise<void> {
  const store = (instances[0] as Instance).store;
  for (let rounds = 0; rounds < 400; rounds += 1) {
    const due = await Promise.all(instances.map((one) => one.send(leaseMs)));
    if (due.some((many) => many > 0)) continue;
    if (await rig.wait(store)) continue;
    let back = 0;
    for (const id of to) {
      if ((await store.subscriptions.get(id))?.broken === undefined) continue;
      await store.subscriptions.reinstalled(id);
      back += 1;
    }
    if (back === 0) return;
  }
  throw new Error('it never came to rest');
}

const takenAndFailed = [
  { status: 502, accept: true },
  { status: 500, accept: true },
  { status: 504, accept: true, html: true },
  { reset: true, accept: true },
  { truncate: true },
];
const worst = [
  { status: 429, retryAfter: 1 },
  { status: 429, retryAfter: 30 },
  ...[500, 502, 503, 504, 408, 412].map((status) => ({ status })),
  ...[500, 503, 412].map((status) => ({ status, accept: true })),
  { status: 502, html: true },
  { reset: true },
  { reset: true, accept: true },
  { truncate: true },
  ...[401, 403, 404].map((status) => ({ status })),
];

test('a connector that takes every second message and then fails: none lost, every repeat says so', async () => {
  const random = seeded();
  const sends = count(150, 2_000);
  const to = await conversations(sends / 10);
  const one = rig.instance('one');
  // Limits are off here, and so is our patience: thirty seconds go by in one.
  rig.clock.speed = 30;
  const wanted = await tellAll(one.store, 10, to);
  const faults = Array.from({ length: sends }, () =>
    random() < 0.5 ? (takenAndFailed[Math.floor(random() * takenAndFailed.length)] ?? null) : null,
  );
  await plan(faults);
  await drain([one], to, 900_000);
  const judged = judge(await rig.posts(), wanted);
  expect({ seed, ...judged }).toEqual({
    seed,
    wanted: sends,
    lost: [],
    unlabelled: [],
    repeated: expect.any(Number),
  });
  expect(judged.repeated).toBeGreaterThan(sends / 4);
}, 600_000);

test('Teams at its worst, within its limits: none lost, every repeat says so, none refused for being too fast', async () => {
  await rig.limits(true);
  const random = seeded(seed + 1);
  const to = await conversations(count(5, 60));
  const tenants = 9;
  const sends = to.length * tenants;
  const [one, two] = [rig.instance('one'), rig.instance('two')];
  const wanted = await tellAll(one.store, tenants, to);
  const faults = Array.from({ length: sends }, () =>
    random() < 0.3 ? (worst[Math.floor(random() * worst.length)] ?? null) : null,
  );
  await plan(faults);
  await drain([one, two], to);
  expect({ seed, ...judge(await rig.posts(), wanted) }).toEqual({
    seed,
    wanted: sends,
    lost: [],
    unlabelled: [],
    repeated: expect.any(Number),
  });
  const planned = faults.filter((one) => one !== null && 'status' in one && one.status === 429).length;
  const throttled = [...one.statuses, ...two.statuses].filter((status) => status === 429).length;
  expect(throttled).toBeLessThanOrEqual(planned);
}, 600_000);

test('two instances over one store: one card each, whoever comes first', async () => {
  const to = await conversations(30);
  const [one, two] = [rig.instance('one'), rig.instance('two')];
  rig.clock.speed = 30;
  const wanted = await tellAll(one.store, 2, to);
  await drain([one, two, one, two], to, 900_000);
  const posts = await rig.posts();
  expect(judge(posts, wanted)).toEqual({ wanted: 60, lost: [], repeated: 0, unlabelled: [] });
}, 60_000);

describe('a process that dies before any of its writes', () => {
  type Plant = { engine?(engine: Engine): Engine; store?(store: Store): Store };
  type Died = Judged & { at: number };

  const profiles = profilesOf({ AdminMFAV2: 10, SafeLinks: 9, rest: 300 });
  const days: EvaluatedSnapshot[] = [
    dayOf({ day: '2026-11-19', scores: { AdminMFAV2: 10, SafeLinks: 9, rest: 200 } }),
    dayOf({ day: '2026-11-20', scores: { AdminMFAV2: 0, SafeLinks: 9, rest: 200 } }),
    dayOf({ day: '2026-11-21', scores: { AdminMFAV2: 0, SafeLinks: 0, rest: 200 } }),
  ];
  const recovered = dayOf({ day: '2026-11-21', scores: { AdminMFAV2: 10, SafeLinks: 9, rest: 200 } });

  /** What the clock thread does with a tenant, from its start on: judges what it has read, and tells. */
  type Work = (lease: Lease, services: Services) => Promise<void>;
  const judging =
    (day: EvaluatedSnapshot): Work =>
    async (lease, services) => {
      const snapshot = { ...day, tenantId: lease.tenantId };
      const judged = {
        snapshot: async () => snapshot,
        profiles: async () => profiles,
        content: day.day,
        again: false,
      };
      await tellDrop(lease, judged, services, new Map());
    };
  /** The last of a sync: what is new of the connection is told, and then its health is written. */
  const reaching =
    (after: Health): Work =>
    async (lease, services) => {
      const { store } = services;
      const scope = scopeOfJob(lease.tenantId);
      const before = (await store.tenants.get(scope, lease.tenantId))?.health;
      if (before === undefined) throw new Error('no tenant');
      await tellConnection(lease, { before, after }, services);
      await store.work.saveTenant(scope, lease, { health: after });
    };
  async function evening(
    instance: Instance,
    tenant: TenantId,
    work: Work,
    plant: Plant,
    { sends = true } = {},
  ) {
    const store = plant.store?.(instance.store) ?? instance.store;
    const services: Services = { ...instance.services, store };
    await store.work.voidOwn();
    await store.outbox.voidOwn();
    await store.work.schedule(scopeOfJob(tenant), tenant, 'sync-scores', store.now());
    const leases = await store.work.claimDue('sync-scores', 50, 60_000);
    const lease = leases.find((one) => one.tenantId === tenant);
    if (lease === undefined) throw new Error('the tenant is not due');
    await work(lease, services);
    const nextDueAt = '9999-01-01T00:00:00.000Z';
    await store.work.finish(lease, { nextDueAt, outcome: 'changed', ms: 1, failed: false });
    if (!sends) return;
    for (const one of await store.outbox.claimDue(16, 60_000)) await sendDue(one, services);
  }

  /** Dies before every write of a day's work in turn, starts again, and is judged: one row for each death. */
  async function die(
    day: number,
    plant: Plant = {},
    enough: (died: Died) => boolean = () => false,
  ): Promise<Died[]> {
    const all: Died[] = [];
    for (let at = 0; ; at += 1) {
      const tenant = await rig.tenant(1_000 * (day + 1) + at);
      const to = await conversations(2);
      const before = rig.instance('one');
      for (const id of to)
        await before.store.subscriptions.change(id, (row) => row && { ...row, tenants: [tenant] });
      for (const one of days.slice(0, day)) await evening(before, tenant, judging(one), {});
      await rig.forget();

      const today = judging(days[day] as EvaluatedSnapshot);
      const dying = rig.instance('one', (engine) => crashing(plant.engine?.(engine) ?? engine, at));
      const whole = await evening(dying, tenant, today, plant)
        .then(() => true)
        .catch((error: unknown) => {
          if (error instanceof Crash) return false;
          throw error;
        });
      const next = rig.instance('one');
      // Microsoft shows the same day again, and later what was begun is repeated.
      await evening(next, tenant, today, plant);
      const planted = plant.store?.(next.store) ?? next.store;
      const services = { ...next.services, store: planted };
      while (await rig.wait(next.store)) {
        for (const lease of await planted.outbox.claimDue(16, 60_000)) await sendDue(lease, services);
      }
      const posts = await rig.posts();
      const id = findingId(tenant, 'scoreDrop', 'secureScore', digest);
      const transition = day === 1 ? 'opened' : 'worsened';
      const wanted = to.map((conversationId) => ({
        conversationId,
        finding: { id, generation: 1, transition },
      })) as OutboxEntry[];
      all.push({ at, ...judge(posts, wanted) });
      const last = all.at(-1);
      if (whole || (last !== undefined && enough(last))) return all;
    }
  }

  beforeEach(() => {
    // Waiting for limits that are off would only take time.
    rig.clock.speed = 10;
  });

  test.each([
    { day: 1, what: 'a fall' },
    { day: 2, what: 'a further fall' },
  ])(
    'tells $what all the same, and twice only where nobody can know',
    async ({ day }) => {
      const deaths = await die(day);
      expect(deaths.length).toBeGreaterThan(20);
      expect(deaths.filter(({ lost, unlabelled }) => lost.length + unlabelled.length > 0)).toEqual([]);
      // Only between the word that it begins and the word that it is done: once for each of the two conversations.
      expect(deaths.filter(({ repeated }) => repeated > 0).length).toBeLessThanOrEqual(2);
      expect(deaths.reduce((sum, { repeated }) => sum + repeated, 0)).toBe(2);
    },
    120_000,
  );

  const broken: Health = {
    state: 'authentication-error',
    since: '2026-11-20T06:00:00.000Z',
    cause: 'The secret has expired.',
    remedy: 'An administrator gives a new one.',
  };
  const works: Health = { state: 'connected', since: '2026-11-21T06:00:00.000Z', cause: '', remedy: '' };

  test.each([
    {
      what: 'a fall',
      before: days.slice(0, 1).map(judging),
      begins: judging(days[1] as EvaluatedSnapshot),
      ends: judging(recovered),
    },
    {
      what: 'a broken connection',
      before: [reaching(works)],
      begins: reaching(broken),
      ends: reaching(works),
    },
  ])(
    'and $what that is over when it is back is told whole or not at all, to everybody alike',
    async ({ before, begins, ends }) => {
      const told: string[][] = [];
      for (let at = 0, whole = false; !whole; at += 1) {
        const tenant = await rig.tenant(10_000 + at);
        const to = await conversations(2);
        const first = rig.instance('one');
        for (const id of to)
          await first.store.subscriptions.change(id, (row) => row && { ...row, tenants: [tenant] });
        for (const work of before) await evening(first, tenant, work, {});
        await rig.forget();
        whole = await evening(
          rig.instance('one', (engine) => crashing(engine, at)),
          tenant,
          begins,
          {},
          { sends: false },
        )
          .then(() => true)
          .catch((error: unknown) => {
            if (error instanceof Crash) return false;
            throw error;
          });
        const next = rig.instance('one');
        await evening(next, tenant, ends, {});
        while (await rig.wait(next.store)) await next.send();
        const heard = await Promise.all(to.map(async (id) => transitionsIn(await rig.posts(id))));
        expect({ at, heard: heard[1] }).toEqual({ at, heard: heard[0] });
        told.push(heard[0] ?? []);
        expect(judge(await rig.posts(), []).unlabelled).toEqual([]);
      }
      // Nothing when it died before it was known, and else both; the last of all did not die.
      expect(new Set(told.map(String))).toEqual(new Set(['', 'opened,resolved']));
      expect(told.at(-1)).toEqual(['opened', 'resolved']);
      expect(told.filter((one) => one.length === 2).length).toBeGreaterThan(3);
    },
    120_000,
  );

  /** What was told there, each once, in order. */
  function transitionsIn(posts: readonly Post[]): string[] {
    const names = posts
      .filter(({ kind }) => kind === 'create')
      .flatMap(({ activity }) => {
        const data = activity?.channelData as { watchpost?: { findings?: { transition: string }[] } };
        return data?.watchpost?.findings?.map(({ transition }) => transition) ?? [];
      });
    return [...new Set(names)];
  }

  test('the baseline saved before the finding loses it', async () => {
    const baselineFirst = (store: Store): Store => {
      let held: (() => Promise<unknown>) | undefined;
      return {
        ...store,
        findings: {
          ...store.findings,
          async save(...given) {
            held = () => store.findings.save(...given);
            return true;
          },
          async saveBaseline(...given) {
            await store.findings.saveBaseline(...given);
            await held?.();
          },
        },
      };
    };
    const isRed = ({ lost }: Died): boolean => lost.length > 0;
    expect((await die(1, { store: baselineFirst }, isRed)).some(isRed)).toBe(true);
  }, 120_000);

  test('an id with the time in it tells it twice, and does not say so', async () => {
    const withTime = (store: Store): Store => ({
      ...store,
      findings: {
        ...store.findings,
        save: (scope, finding, revision, tell, lease) =>
          store.findings.save(
            scope,
            finding,
            revision,
            tell.map((entry) => ({ ...entry, id: `${entry.id} ${store.now()}` })),
            lease,
          ),
      },
    });
    const isRed = ({ unlabelled }: Died): boolean => unlabelled.length > 0;
    expect((await die(1, { store: withTime }, isRed)).some(isRed)).toBe(true);
  }, 120_000);

  test('without the word that it begins, the repeat does not say that it is one', async () => {
    const silent = (store: Store): Store => ({
      ...store,
      outbox: { ...store.outbox, attempting: async () => true },
    });
    const isRed = ({ unlabelled }: Died): boolean => unlabelled.length > 0;
    expect((await die(1, { store: silent }, isRed)).some(isRed)).toBe(true);
  }, 120_000);
});

describe('one who falls asleep right before the message and wakes up when another has sent it', () => {
  /** The sleeper's store answers the pace only when `wake` is called. */
  async function slept(plant: (store: Store) => Store): Promise<Judged> {
    const to = await conversations(1);
    const [one, two] = [rig.instance('one'), rig.instance('two')];
    const wanted = await tellAll(one.store, 1, to);
    const asleep = Promise.withResolvers<void>();
    const awake = Promise.withResolvers<void>();
    const sleepy: Store = {
      ...one.store,
      outbox: {
        ...one.store.outbox,
        async pace(...given) {
          const said = await one.store.outbox.pace(...given);
          asleep.resolve();
          await awake.promise;
          return said;
        },
      },
    };
    const [lease] = await one.store.outbox.claimDue(1, 60_000);
    if (lease === undefined) throw new Error('nothing was due');
    const sleeping = sendDue(lease, { ...one.services, store: plant(sleepy) });
    await asleep.promise;
    rig.clock.ahead += 61_000;
    await two.send();
    awake.resolve();
    await sleeping;
    return judge(await rig.posts(to[0]), wanted);
  }

  test('sends nothing', async () => {
    expect(await slept((store) => store)).toEqual({ wanted: 1, lost: [], repeated: 0, unlabelled: [] });
  });

  test('with the fence ignored sends it again, and does not say so', async () => {
    const judged = await slept((store) => ({
      ...store,
      outbox: { ...store.outbox, renew: async () => true, attempting: async () => true },
    }));
    expect(judged.unlabelled).toHaveLength(1);
  });
});

test('the first day is silent, and what is put aside is told when that is over', async () => {
  const one = rig.instance('one');
  const tenant = await rig.tenant(7);
  const [channel = ''] = await conversations(1);
  const id = findingId(tenant, 'scoreDrop', 'secureScore', digest);
  const profiles = profilesOf({ AdminMFAV2: 10, SafeLinks: 9, rest: 300 });
  async function evening(day: string, scores: Record<string, number>, again = false): Promise<string[]> {
    await one.store.work.schedule(scopeOfJob(tenant), tenant, 'sync-scores', one.store.now());
    const [lease] = await one.store.work.claimDue('sync-scores', 1, 60_000);
    if (lease === undefined) throw new Error('not due');
    const snapshot = { ...dayOf({ day, scores: { rest: 200, ...scores } }), tenantId: tenant };
    await tellDrop(
      lease,
      { snapshot: async () => snapshot, profiles: async () => profiles, content: day, again },
      one.services,
      judged,
    );
    const nextDueAt = '9999-01-01T00:00:00.000Z';
    await one.store.work.finish(lease, { nextDueAt, outcome: 'changed', ms: 1, failed: false });
    return (
      (await one.store.findings.get(everything, tenant, id))?.value.history.map(({ what }) => what) ?? []
    );
  }
  const judged = new Map<string, string>();
  expect(await evening('2026-11-19', { AdminMFAV2: 10, SafeLinks: 9 })).toEqual([]);
  expect(await evening('2026-11-20', { AdminMFAV2: 7, SafeLinks: 9 })).toEqual([]);
  // A finer threshold tells of the same day what was not worth telling before.
  await one.store.subscriptions.change(
    channel,
    (row) => row && { ...row, thresholds: [{ tenantId: tenant, threshold: { percent: null, points: 3 } }] },
  );
  expect(await evening('2026-11-20', { AdminMFAV2: 7, SafeLinks: 9 }, true)).toEqual(['opened']);
  expect(await evening('2026-11-20', { AdminMFAV2: 7, SafeLinks: 9 }, true)).toEqual(['opened']);
  const kept = await one.store.findings.get(everything, tenant, id);
  if (kept === null) throw new Error('no finding');
  const until = new Date(Date.parse(one.store.now()) + 3_600_000).toISOString();
  await one.store.findings.save(
    everything,
    { ...kept.value, aside: { kind: 'snoozed', until } },
    kept.revision,
    [],
  );
  expect(await evening('2026-11-21', { AdminMFAV2: 7, SafeLinks: 0 })).toEqual(['opened']);
  rig.clock.ahead += 3_700_000;
  expect(await evening('2026-11-21', { AdminMFAV2: 7, SafeLinks: 0 }, true)).toEqual(['opened', 'worsened']);
  await one.send();
  expect((await rig.posts(channel)).map(({ kind }) => kind)).toEqual(['create', 'update', 'create']);
});

test('somebody acknowledges while the day is judged: it is judged again with that', async () => {
  const one = rig.instance('one');
  const tenant = await rig.tenant(8);
  await conversations(1);
  await rig.tell(one.store, tenant, fall.opened, []);
  const id = findingId(tenant, 'scoreDrop', 'secureScore', digest);
  let raced = 0;
  const racing: Store = {
    ...one.store,
    findings: {
      ...one.store.findings,
      async save(scope, finding, revision, tell, lease) {
        raced += 1;
        const kept = await one.store.findings.get(scope, tenant, id);
        if (raced === 1 && kept !== null) {
          await one.store.findings.save(scope, { ...kept.value, state: 'acknowledged' }, kept.revision, []);
        }
        return await one.store.findings.save(scope, finding, revision, tell, lease);
      },
    },
  };
  await one.store.work.schedule(scopeOfJob(tenant), tenant, 'sync-scores', one.store.now());
  const [lease] = await one.store.work.claimDue('sync-scores', 1, 60_000);
  if (lease === undefined) throw new Error('not due');
  const snapshot = { ...dayOf({ day: '2026-11-20', scores: { AdminMFAV2: 0 } }), tenantId: tenant };
  const day = { snapshot: async () => snapshot, profiles: async () => [], content: 'x', again: false };
  await tellDrop(lease, day, { ...one.services, store: racing }, new Map());
  expect(raced).toBe(2);
  expect((await one.store.findings.get(everything, tenant, id))?.value.state).toBe('acknowledged');
});

test('who begins to watch while the finding is being written hears of it too', async () => {
  const one = rig.instance('one');
  const tenant = await rig.tenant(9);
  const [channel = '', late = ''] = await conversations(2);
  const wishes = await one.store.subscriptions.get(late);
  await one.store.subscriptions.end(late);
  const racing: Store = {
    ...one.store,
    findings: {
      ...one.store.findings,
      async save(...given) {
        await one.store.subscriptions.change(late, () => wishes);
        return await one.store.findings.save(...given);
      },
    },
  };
  await one.store.work.schedule(scopeOfJob(tenant), tenant, 'sync-scores', one.store.now());
  const [lease] = await one.store.work.claimDue('sync-scores', 1, 60_000);
  if (lease === undefined) throw new Error('not due');
  const broken: Health = {
    state: 'authentication-error',
    since: one.store.now(),
    cause: 'The secret has expired.',
    remedy: 'An administrator gives a new one.',
  };
  const before: Health = { state: 'connected', since: one.store.now(), cause: '', remedy: '' };
  await tellConnection(lease, { before, after: broken }, { ...one.services, store: racing });
  await one.send();
  expect((await rig.posts(channel)).length).toBe(1);
  expect((await rig.posts(late)).length).toBe(1);
});
