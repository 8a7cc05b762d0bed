import type { Aim } from '../figures.ts';
import { bot, measured, turnMeasures } from '../in-turns.ts';
import { inFlight } from '../load.ts';
import type { Part } from '../part.ts';
import { prepareGround, type Side, startBareBot, startPlainServer, startWatchpost } from '../sides.ts';

const aims: readonly Aim[] = [
  { measure: 'turnsPerSecond', better: 'more', aim: 2.5, acceptable: 2 },
  { measure: 'cpuMsPerTurn', better: 'less', aim: 0.4, acceptable: 0.5 },
  { measure: 'p99Ms', better: 'less', aim: 0.5, acceptable: 0.8 },
  { measure: 'p50Ms', better: 'less' },
  { measure: 'rssMb', better: 'less' },
];
const ceiling: readonly Aim[] = aims.map(({ measure, better }) => ({ measure, better }));

/** (a) `/score <tenant>`, 16 in flight, beside a bare botbuilder bot, and beside the least that answers at all. */
export const score: Part = {
  name: 'the bot answers /score',
  async run({ seconds, seed, quick, profiled, inTurns }) {
    const ground = await prepareGround();
    const sides: Side[] = [];
    try {
      const watchpost = await startWatchpost(ground, seed, profiled('watchpost'));
      sides.push(watchpost);
      // The other sides say what Watchpost really said.
      await measured(watchpost, inFlight);
      const reply = await ground.reply();
      sides.push(await startBareBot(ground, reply, profiled('bare-bot')));
      if (!quick) sides.push(await startPlainServer(ground, reply));
      const bots = [];
      for (const side of sides) bots.push(await bot(side, seconds));
      const [ours, bare, plain] = await inTurns(bots);
      const title = '/score <tenant> with token check, store and card, 16 in flight';
      const watched = { name: 'Watchpost', cells: ours ?? [] };
      return {
        comparisons: [
          {
            ...{ title, measures: turnMeasures, aims, ours: watched },
            theirs: { name: 'bare botbuilder', cells: bare ?? [] },
          },
          ...(plain === undefined
            ? []
            : [
                {
                  ...{ title: 'the same beside the ceiling', measures: turnMeasures, aims: ceiling },
                  ours: watched,
                  theirs: { name: 'node:http + undici', cells: plain },
                },
              ]),
        ],
        notes: ['The bare bot looks nothing up; it and the ceiling answer the same card every time.'],
      };
    } finally {
      for (const side of sides) await side.stop();
      await ground.microsoft.stop();
    }
  },
};
