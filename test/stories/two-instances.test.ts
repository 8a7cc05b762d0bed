import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type OutboxDocument,
  outboxDeclaration,
  outboxQueuesDeclaration,
  type QueueDocument,
} from '../../bot/store/outbox-rows.ts';
import { scopeOfJob } from '../../shared/access.ts';
import { mongoAt } from '../store/backends.ts';
import { personalWith, type Spot } from '../support/actors.ts';
import { proving } from '../support/counts.ts';
import type { Planted } from '../support/planted.ts';
import { addCustomer, type SandboxCustomer } from '../support/production.ts';
import { poll } from '../support/program.ts';
import { openSoc, type Soc, type Told } from './hear/soc.ts';
import { idOf, storeNewCustomers } from './restart/new-customers.ts';

/**
 * Two processes over one MongoDB share the work: what they tell comes once, whoever tells it, within Teams' limits over
 * both, also when one of them stands still in the middle of it for longer than its lease.
 */

const mongoUri = process.env.MONGODB_URI ?? '';
const suite = mongoUri === '' ? describe.skip : describe;

/** The lease is shorter here than in life, so that nobody sleeps for a minute; and each takes few at a time. */
const short: Planted = {
  file: 'bot/clock.ts',
  from: 'startTimetable(services)',
  to: 'startTimetable(services, { leaseMs: 5_000, atOnce: 3 })',
};
/** Posts what it was about to post, however long it slept. */
const careless: Planted = {
  file: 'bot/jobs/send-due.ts',
  from: 'return millis(until) - millis(services.now()) >= Math.min(postMs, leaseMs / 2);',
  to: 'return true;',
};
const planted = (...all: Planted[]) => ({ TEST_PLANT: JSON.stringify(all) });
/** It falls asleep within this time, whatever else the machine does. */
const delayMs = 3_500;

suite('two instances over one MongoDB', () => {
  let soc: Soc;
  const channels: Spot[] = [];
  const customers: SandboxCustomer[] = [];
  const sleepy: SandboxCustomer[] = [];

  beforeAll(async () => {
    soc = await openSoc({
      backend: mongoAt(mongoUri),
      limits: true,
      preload: ['test/support/planted.ts'],
      env: { SYNC_CRON_SCORES: '0 0 1 1 *', ...planted(short) },
    });
    await soc.start(1);
    for (const name of ['night', 'day', 'heads']) {
      const where = await soc.channel(name);
      await soc.ask(soc.bo, where, 'watch all', /now watches all/);
      channels.push(where);
    }
    const all = await Promise.all(
      Array.from({ length: 15 }, (_, n) =>
        addCustomer(soc.sandbox, `Customer ${n + 1}`, `two-${n + 1}.example`),
      ),
    );
    customers.push(...all.slice(0, 12));
    sleepy.push(...all.slice(12));
    await storeNewCustomers(soc.store, all, soc.ana);
    await read(all);
  }, 180_000);

  afterAll(async () => await soc?.end(), 60_000);

  /** All are due at the same moment; ends when each has been read. */
  async function read(all: readonly SandboxCustomer[]): Promise<void> {
    await due(all);
    await poll(
      async () => (await Promise.all(all.map(isRead))).every(Boolean),
      90_000,
      () => `not all were read:\n${[0, 1].map((at) => soc.program(at).err().slice(-2_000)).join('\n---\n')}`,
    );
  }

  async function due(all: readonly SandboxCustomer[]): Promise<void> {
    const at = soc.store.now();
    await Promise.all(
      all.map((one) => soc.store.work.schedule(scopeOfJob(idOf(one)), idOf(one), 'sync-scores', at)),
    );
  }

  async function isRead(customer: SandboxCustomer): Promise<boolean> {
    const row = await soc.store.work.get(scopeOfJob(idOf(customer)), idOf(customer), 'sync-scores');
    return row !== null && row.lease === undefined && row.dueAt > soc.store.now();
  }

  const outbox = () => soc.engine.collection<OutboxDocument>(outboxDeclaration);
  const queues = () => soc.engine.collection<QueueDocument>(outboxQueuesDeclaration);

  async function atRest(): Promise<void> {
    await poll(
      async () => (await outbox().countDocuments({ state: 'waiting' })) === 0,
      60_000,
      () => 'something waits for ever',
    );
  }

  /** Twelve customers' news of one kind in each channel: each once, and none says that it may be a repeat. */
  async function expectOnce(transition: string): Promise<void> {
    for (const where of channels) {
      const created = (await soc.told(where, 'create')).filter((one) => one.transition === transition);
      expect(created).toHaveLength(customers.length);
      expect(new Set(created.map(({ id }) => id)).size).toBe(customers.length);
      expect(created.filter(({ repeated }) => repeated)).toEqual([]);
    }
  }

  const did = (at: number, what: RegExp) => [...soc.program(at).err().matchAll(what)].length;

  test('twelve customers fall at once: each channel has each fall once, and both worked on it', async () => {
    for (const customer of customers) await soc.score(customer, { drop: 12 });
    await read(customers);
    await atRest();
    await expectOnce('opened');
    for (const at of [0, 1]) expect(did(at, /sync done/g)).toBeGreaterThan(0);
  }, 180_000);

  test('they fall further: each card is drawn anew with the same words, and each is said once', async () => {
    for (const customer of customers) await soc.score(customer, { drop: 10 });
    await read(customers);
    await atRest();
    await expectOnce('worsened');
  }, 180_000);

  // ------------------------------------------------------------------------------------------ one falls asleep

  type Slept = { sleeper: number; where: Spot; known: string | undefined };

  /**
   * A customer falls; whoever tells it stands still (SIGSTOP) in the middle until its lease is over and the other has
   * told it, then goes on (SIGCONT).
   */
  async function slept(
    name: string,
    customer: SandboxCustomer,
    fault: { method: 'GET' | 'POST' },
  ): Promise<Slept> {
    const where = await soc.channel(name);
    await soc.ask(soc.bo, where, `watch ${customer.domain}`, /now watches/);
    // Somebody joined: before the next message Teams is asked again who is there.
    await soc.tell(where, soc.ana, { membersAdded: [{ id: soc.eli.teamsId, aadObjectId: soc.eli.oid }] });
    const path = `/v3/conversations/${encodeURIComponent(where.id)}`;
    await soc.sandbox.control('POST', '/_sandbox/faults', { path, times: 1, delayMs, ...fault });
    await soc.score(customer, { drop: 12 });
    soc.say(soc.bo, personalWith(soc.bo), `sync ${customer.domain}`);
    await poll(
      async () => (await soc.sandbox.control<object[]>('GET', '/_sandbox/faults')).length === 0,
      30_000,
      () => 'nobody began to tell it',
    );
    // Nothing else is being written: a wire server stands still with who stands still inside a transaction.
    await poll(
      async () =>
        (await isRead(customer)) && (await queues().countDocuments({ leaseOwner: { $ne: '' } })) === 1,
      delayMs,
      () => 'it did not get quiet',
    );
    const held = await queues().findOne({ _id: where.id });
    const sleeper = held?.leaseOwner === (await soc.instanceId(0)) ? 0 : 1;
    const { child } = soc.program(sleeper);
    child.kill('SIGSTOP');
    try {
      // Who asks for the members first has not begun; a message that is under way was written down before.
      expect((await rowIn(where))?.attempting).toBe(fault.method === 'POST' ? true : undefined);
      let held: unknown;
      await poll(
        async () => {
          held = await queues().findOne({ _id: where.id });
          return (await rowIn(where))?.state === 'sent';
        },
        30_000,
        () =>
          `the other did not take it over: ${JSON.stringify(held)}\n${soc
            .program(1 - sleeper)
            .err()
            .slice(-2_000)}`,
      );
    } finally {
      child.kill('SIGCONT');
    }
    return { sleeper, where, known: (await rowIn(where))?.activityId };
  }

  function rowIn(where: Spot): Promise<OutboxDocument | null> {
    return outbox().findOne({ conversationId: where.id });
  }

  /** The sleeper answers again and what it was about to do is done: somebody acknowledges through it. */
  async function awake({ sleeper, where, known }: Slept): Promise<Told[]> {
    const card = (await soc.told(where, 'create')).find(({ post }) => post.activityId === known);
    if (card === undefined) throw new Error('the card that Watchpost knows of is not there');
    expect(await soc.press(soc.bo, where, card.post, /Acknowledge/, sleeper)).toContain('Acknowledged by');
    const words = `Acknowledged by ${soc.bo.name}`;
    const redrawn = await soc.hears(
      where,
      (told) => told.post.kind === 'update' && told.words.includes(words),
    );
    expect(redrawn.post.activityId).toBe(known);
    await atRest();
    // Its late word that it was sent changes nothing.
    expect((await rowIn(where))?.activityId).toBe(known);
    return await soc.told(where, 'create');
  }

  test('asleep right before its message: it sends nothing when it wakes up', async () => {
    const found = await slept('before', sleepy[0] as SandboxCustomer, { method: 'GET' });
    expect(await awake(found)).toHaveLength(1);
  }, 120_000);

  test('asleep while its message is under way: the second says that it may be one, and is the card from then on', async () => {
    const found = await slept('under-way', sleepy[1] as SandboxCustomer, { method: 'POST' });
    const creates = await awake(found);
    expect(creates.map(({ repeated }) => repeated)).toEqual([false, true]);
    expect(found.known).toBe(creates[1]?.post.activityId);
  }, 120_000);

  test('over all of it Teams never had to say that it was too much, and nothing came twice without a word', async () => {
    const requests = await soc.sandbox.requests();
    expect(requests.filter(({ status }) => status === 429)).toEqual([]);
    for (const where of channels) {
      const seen = new Set<string>();
      for (const { id, generation, transition, repeated } of await soc.told(where, 'create')) {
        const key = `${id} ${generation} ${transition}`;
        expect({ key, again: seen.has(key) && !repeated }).toEqual({ key, again: false });
        seen.add(key);
      }
      expect(seen.size).toBeGreaterThanOrEqual(2 * customers.length);
    }
  });

  // The same defect inside one process is found in every run: jobs/told-once.
  const inDepth = proving ? test : test.skip;
  inDepth(
    'one that does not look at its lease when it wakes up is found out',
    async () => {
      await Promise.all(
        [0, 1].map(async (at) => {
          await soc.program(at).stop();
          await soc.start(at, planted(short, careless));
        }),
      );
      const found = await slept('careless', sleepy[2] as SandboxCustomer, { method: 'GET' });
      const creates = await awake(found);
      expect(creates).toHaveLength(2);
      expect(creates.slice(1).every(({ repeated }) => repeated)).toBe(false);
    },
    120_000,
  );
});
