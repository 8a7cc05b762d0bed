import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTimetable } from '../../bot/jobs/index.ts';
import { openLane } from '../../bot/jobs/lane.ts';
import { silentLog } from '../../bot/log.ts';
import { openMetrics } from '../../bot/metrics.ts';
import { until } from '../teams/rig.ts';
import { fall, type HearRig, openHearRig } from './hear-rig.ts';

let rig: HearRig;
beforeAll(async () => {
  rig = await openHearRig();
});
afterAll(() => rig.close());

test('a nudge sends at once; a thread without a way into Teams leaves it to the others', async () => {
  const one = rig.instance('one');
  const channel = await rig.conversation('nudged');
  const cli = startTimetable(one.services, { sendAtOnce: 0 });
  await rig.tell(one.store, await rig.tenant(1), fall.opened, [channel]);
  cli.nudge();
  await cli.stop(1_000);
  expect(await one.store.outbox.backlog()).toMatchObject({ waiting: 1 });
  const clock = startTimetable(one.services);
  clock.nudge();
  await until(async () => ((await rig.posts(channel)).length === 1 ? true : undefined), 4_000);
  await clock.stop(2_000);
  expect(clock.running()).toBe(0);
  expect(await one.store.outbox.backlog()).toEqual({ waiting: 0, oldestSeconds: 0 });
});

test('a store that is away for a moment is asked again, and never more at once than allowed', async () => {
  const due = Array.from({ length: 10 }, (_, n) => n);
  const gates = Promise.withResolvers<void>();
  let calls = 0;
  let running = 0;
  let most = 0;
  const done: number[] = [];
  const lane = openLane<number>({
    atOnce: 3,
    async claim(limit) {
      calls += 1;
      if (calls === 1) throw new Error('away');
      return due.splice(0, limit);
    },
    async perform(piece) {
      running += 1;
      most = Math.max(most, running);
      await gates.promise;
      running -= 1;
      done.push(piece);
    },
    signal: new AbortController().signal,
    log: silentLog(),
  });
  lane.pump();
  await until(() => (calls === 1 ? true : undefined));
  lane.pump();
  await until(() => (lane.running() === 3 ? true : undefined));
  lane.pump();
  gates.resolve();
  await until(() => (done.length === 10 ? true : undefined));
  expect(most).toBe(3);
  lane.close();
  due.push(11);
  lane.pump();
  await lane.idle();
  expect(due).toEqual([11]);
});

test('what was claimed while the lane closed is not begun: it is given back, and whoever stops waits for that', async () => {
  const asked = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  const begun: number[] = [];
  const back: number[] = [];
  const lane = openLane<number>({
    atOnce: 2,
    async claim() {
      asked.resolve();
      await answered.promise;
      return [1, 2];
    },
    async perform(piece) {
      begun.push(piece);
    },
    async giveBack(piece) {
      if (piece === 1) throw new Error('away');
      back.push(piece);
    },
    signal: new AbortController().signal,
    log: silentLog(),
  });
  lane.pump();
  await asked.promise;
  lane.close();
  const idle = lane.idle();
  answered.resolve();
  await idle;
  expect({ begun, back }).toEqual({ begun: [], back: [2] });
});

test('what waits and how old it is stand in the figures', async () => {
  const metrics = openMetrics('clock', {
    work: async () => 4,
    outbox: async () => ({ waiting: 3, oldestSeconds: 12.5 }),
    unreachable: async () => 2,
  });
  const text = await metrics.text();
  expect(text).toMatch(/^watchpost_outbox_waiting\{.*\} 3$/m);
  expect(text).toMatch(/^watchpost_outbox_broken\{.*\} 2$/m);
  expect(text).toMatch(/^watchpost_outbox_oldest_seconds\{.*\} 12\.5$/m);
  expect(text).toMatch(/^watchpost_work_due\{.*\} 4$/m);
});
