import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Gate } from '../../bot/teams/sender.ts';
import { count, seed, seeded } from '../support/counts.ts';
import { type InProcess, openInProcess } from '../support/in-process.ts';
import { type Sandbox, startSandbox } from '../support/sandbox.ts';
import { type Customer, canaryMaker, makeCustomers, storeCustomers } from './canary/customers.ts';
import { openJudge } from './canary/judge.ts';
import { type Outcome, run } from './canary/run.ts';
import { askBoth } from './canary/two-worlds.ts';
import { makePeople, makeRooms } from './canary/world.ts';

describe('fifty customers with a canary in every field', () => {
  let sandbox: Sandbox;
  let customers: Customer[];
  const random = seeded();
  const canary = canaryMaker(random);

  beforeAll(async () => {
    sandbox = await startSandbox({ empty: true });
    await sandbox.control('POST', '/_sandbox/limits', { off: true });
    customers = await makeCustomers(sandbox, 50, canary);
  }, 60_000);

  afterAll(async () => {
    await sandbox?.stop();
  });

  async function play(wanted: {
    actions: number;
    heldRounds: number;
    gate?: Gate;
  }): Promise<Outcome & { seen: number; texts: number }> {
    const inside: InProcess = await openInProcess(
      sandbox,
      wanted.gate === undefined ? {} : { gate: wanted.gate },
    );
    try {
      await storeCustomers(inside.services, customers, canary);
      inside.startClock();
      const people = await makePeople(sandbox, inside.services, customers, random);
      const rooms = await makeRooms(sandbox, inside.services, customers, people, random);
      const judge = openJudge(customers);
      const world = { home: sandbox.info.apps.bot.tenantId, people, rooms };
      const outcome = await run({ sandbox, inside, world, customers, judge, seed, ...wanted });
      return { ...outcome, ...judge.counts() };
    } finally {
      await inside.close();
    }
  }

  test('nothing of a customer is ever seen where it may not be', async () => {
    const outcome = await play({ actions: count(1_500, 5_000), heldRounds: 4 });
    const { actions, posts, answers, held, boundByCommand, seen, seconds } = outcome;
    console.log(
      `seed ${seed}: ${actions} actions, ${posts} posts and ${answers} answers judged, ${seen} canaries seen where they may be, ${held} turns held, ${boundByCommand} rooms bound by command, ${seconds} s`,
    );
    expect(boundByCommand).toBeGreaterThan(5);
    expect(outcome.leaks.slice(0, 5)).toEqual([]);
    expect(outcome.leaks).toHaveLength(0);
    expect(outcome.escalations).toEqual([]);
    expect(outcome.broken).toEqual([]);
    expect(seen).toBeGreaterThan(1_000);
  }, 300_000);

  test('without the gate the same judge finds leaks', async () => {
    const outcome = await play({ actions: 100, heldRounds: 1, gate: () => true });
    console.log(
      `gate taken out: ${outcome.leaks.length} leaks in ${outcome.actions} actions, ${outcome.held} turns held`,
    );
    expect(outcome.leaks.length).toBeGreaterThan(0);
  }, 120_000);

  test('a customer that is not for these eyes is answered byte for byte like one that does not exist', async () => {
    const pairs = await askBoth({
      ...{ sandbox, customers, count: count(150, 1_000) },
      random: seeded(seed + 1),
    });
    console.log(`seed ${seed}: ${pairs.asked} pairs, ${pairs.different.length} differ, ${pairs.seconds} s`);
    expect(pairs.different.slice(0, 3)).toEqual([]);
    expect(pairs.asked).toBe(count(150, 1_000));
    // The same comparison sees a difference where there is one: a customer that both may see in one world only.
    expect(pairs.control).toBe('differs');
  }, 120_000);
});
