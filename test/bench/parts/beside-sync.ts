import type { Aim, Cell, Measure } from '../figures.ts';
import { measured } from '../in-turns.ts';
import type { Part } from '../part.ts';
import { prepareGround } from '../sides.ts';
import { callsEach, startSynced } from '../synced-program.ts';

const inFlight = 2;
const warmUpTurns = 4_000;
const measures: readonly Measure[] = [
  { key: 'turnsPerSecond', name: 'turns/s', digits: 0 },
  { key: 'p50Ms', name: 'p50 ms', digits: 2 },
  { key: 'p99Ms', name: 'p99 ms', digits: 2 },
  { key: 'botCpuMsPerTurn', name: "bot's thread, CPU ms per turn", digits: 3 },
  { key: 'busy', name: 'cores busy', digits: 2 },
  { key: 'syncPerSecond', name: 'sync requests/s', digits: 0 },
  { key: 'rssMb', name: 'RSS MiB', digits: 0 },
];
const aims: readonly Aim[] = [
  { measure: 'turnsPerSecond', better: 'more', aim: 0.7, acceptable: 0.55 },
  { measure: 'p99Ms', better: 'less' },
  { measure: 'botCpuMsPerTurn', better: 'less' },
];

/** (d) The bot with 2 turns in flight, alone and while the clock thread of the same program syncs flat out. */
export const besideSync: Part = {
  name: 'the bot while a sync runs',
  async run({ seconds, seed, inTurns }) {
    const ground = await prepareGround();
    // More than can be read within a round, so that the sync outlasts it.
    const synced = await startSynced(ground, seed, Math.ceil(seconds * 300)).catch(async (error: unknown) => {
      await ground.microsoft.stop();
      throw error;
    });
    const { side } = synced;
    try {
      await synced.begin();
      await synced.finished(300_000);
      let alonePace = (await measured(side, warmUpTurns, inFlight)).turnsPerSecond;
      let syncedPace = alonePace * 0.4;
      const [beside, alone] = await inTurns([
        {
          name: 'while a sync runs',
          async round(): Promise<Cell> {
            await synced.begin();
            const before = await synced.asked();
            const cell = await measured(side, Math.max(200, Math.round(syncedPace * seconds)), inFlight);
            const after = await synced.asked();
            if (after >= synced.tenants * callsEach) throw new Error('the sync ended before the round did');
            syncedPace = cell.turnsPerSecond;
            await synced.finished(300_000);
            return { ...cell, syncPerSecond: (after - before) / cell.seconds };
          },
        },
        {
          name: 'alone',
          async round(): Promise<Cell> {
            const cell = await measured(side, Math.max(200, Math.round(alonePace * seconds)), inFlight);
            alonePace = cell.turnsPerSecond;
            return { ...cell, syncPerSecond: 0 };
          },
        },
      ]);
      return {
        comparisons: [
          {
            title: '/score with 2 in flight; one program, the sync in its clock thread',
            ...{ measures, aims, ours: { name: 'while a sync runs', cells: beside ?? [] } },
            theirs: { name: 'alone', cells: alone ?? [] },
          },
        ],
        notes: ["Both threads, the load and both fakes share this machine's cores."],
      };
    } finally {
      await synced.stop();
      await ground.microsoft.stop();
    }
  },
};
