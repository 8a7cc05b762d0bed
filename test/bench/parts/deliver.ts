import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import { demoBotId, demoHome } from '../../../bot/cast.ts';
import type { Aim, Cell, Measure } from '../figures.ts';
import { type HelperProcess, startHelper } from '../helper-process.ts';
import type { Part } from '../part.ts';
import type { Contestant } from '../rounds.ts';
import { type Ground, prepareGround, saidIn } from '../sides.ts';

const measures: readonly Measure[] = [
  { key: 'cardsPerSecond', name: 'cards/s', digits: 0 },
  { key: 'cpuMsPerCard', name: 'CPU ms per card', digits: 3 },
  { key: 'rssMb', name: 'RSS MiB', digits: 0 },
];
const aims: readonly Aim[] = [
  { measure: 'cardsPerSecond', better: 'more', aim: 3, acceptable: 2.2 },
  { measure: 'cpuMsPerCard', better: 'less' },
  { measure: 'rssMb', better: 'less' },
];
const shown: readonly Aim[] = aims.map(({ measure, better }) => ({ measure, better }));
const took = v.object({ seconds: v.number(), cpuMs: v.number(), rssMb: v.number() });
const conversations = 1_500;
const fewest = 200;
/** Stands in every post about findings. */
const mark = '"watchpost":{"findings":[';

/** (b) Cards nobody asked for, 64 under way to as many conversations, beside stock botbuilder. */
export const deliver: Part = {
  name: 'cards that nobody asked for',
  async run({ seconds, inTurns }) {
    const ground = await prepareGround(undefined, mark);
    const encryptionKeys = `k1:${randomBytes(32).toString('base64')}`;
    const { url } = ground.microsoft;
    const common = { url, encryptionKeys, conversations, botId: demoBotId, homeTenantId: demoHome.id };
    const helpers: HelperProcess[] = [];
    const start = async (settings: { kind: string; activity?: object }): Promise<HelperProcess> => {
      const helper = await startHelper('deliver-side.ts', { ...common, ...settings });
      helpers.push(helper);
      return helper;
    };
    try {
      const post = await contestant(ground, await start({ kind: 'post' }), 'deliver.post', seconds);
      const activity = saidIn(await ground.reply());
      const sides = [
        post,
        await contestant(ground, await start({ kind: 'stock', activity }), 'stock botbuilder', seconds),
        await contestant(
          ground,
          await start({ kind: 'send-due' }),
          'outbox to "sent"',
          seconds,
          conversations,
        ),
      ];
      const [posted, stock, sent] = await inTurns(sides);
      const theirs = { name: 'continueConversationAsync', cells: stock ?? [] };
      return {
        comparisons: [
          {
            title: 'cards posted, 64 in flight over as many conversations',
            ...{ measures, aims, ours: { name: 'deliver.post', cells: posted ?? [] }, theirs },
          },
          {
            title: 'the same with all that the product does around the post (not judged)',
            ...{ measures, aims: shown, ours: { name: 'outbox to "sent"', cells: sent ?? [] }, theirs },
          },
        ],
        notes: [
          'deliver.post: who reads there now (store), card drawn and signed, gate, one POST. Stock: a finished card, one POST.',
          'outbox to "sent": claim, rows, tenant, finding, pace, attempt written, post, outcome written, release; each on disk before the next.',
        ],
      };
    } finally {
      for (const helper of helpers) await helper.stop();
      await ground.microsoft.stop();
    }
  },
};

/** Warmed up; a round sends as many cards as fill it, at most `most`, and every one must have arrived. */
async function contestant(
  ground: Ground,
  helper: HelperProcess,
  name: string,
  seconds: number,
  most = Number.POSITIVE_INFINITY,
): Promise<Contestant> {
  async function send(cards: number): Promise<Cell & { cardsPerSecond: number }> {
    const before = await ground.replies();
    const answer = v.parse(took, await helper.ask({ cards }));
    const arrived = (await ground.replies()) - before;
    if (arrived !== cards) throw new Error(`${name}: ${cards} cards were sent, ${arrived} arrived`);
    return {
      ...{ cards, seconds: answer.seconds, rssMb: answer.rssMb },
      cardsPerSecond: cards / answer.seconds,
      cpuMsPerCard: answer.cpuMs / cards,
    };
  }
  let pace = 0;
  const warm = performance.now() + seconds * 1_000;
  while (pace === 0 || performance.now() < warm) pace = (await send(fewest)).cardsPerSecond;
  return {
    name,
    async round() {
      const cell = await send(Math.max(fewest, Math.min(most, Math.round(pace * seconds))));
      pace = cell.cardsPerSecond;
      return cell;
    },
  };
}
