import { afterEach, expect, test } from '@jest/globals';
import { measured } from './in-turns.ts';
import { type Ground, prepareGround, type Side, startBareBot } from './sides.ts';

const turns = 200;
const reply = {
  type: 'message',
  attachments: [
    {
      contentType: 'application/vnd.microsoft.card.adaptive',
      content: {
        type: 'AdaptiveCard',
        version: '1.5',
        body: [{ type: 'TextBlock', text: 'Secure Score · 7 March' }],
      },
    },
  ],
};

let ground: Ground | undefined;
let side: Side | undefined;
afterEach(async () => {
  await side?.stop();
  await ground?.microsoft.stop();
});

test('every turn of a round gets its card, and the round has figures', async () => {
  ground = await prepareGround();
  side = await startBareBot(ground, reply);
  const cell = await measured(side, turns);
  expect(cell.turns).toBe(turns);
  expect(await side.replies()).toBe(turns);
  expect(cell.turnsPerSecond).toBeGreaterThan(1);
  expect(cell.p99Ms).toBeGreaterThanOrEqual(cell.p50Ms);
  expect(await ground.reply()).toMatchObject(reply);
  if (process.platform === 'linux') {
    expect(cell.cpuMsPerTurn).toBeGreaterThan(0);
    expect(cell.rssMb).toBeGreaterThan(10);
  }
});

test('a round in which one reply of 200 is missing is no round', async () => {
  ground = await prepareGround(100);
  side = await startBareBot(ground, reply);
  await expect(measured(side, turns)).rejects.toThrow('1 of 200 turns got no reply');
});

test('a bot that says something else than the card has not answered', async () => {
  ground = await prepareGround();
  side = await startBareBot(ground, { type: 'message', text: 'Something went wrong.' });
  await expect(measured(side, turns)).rejects.toThrow('200 of 200 turns got no reply');
});

test('a bot that refuses our token has not answered either', async () => {
  ground = await prepareGround();
  const stranger = await prepareGround();
  try {
    // Keys of somebody else: authentication is really on.
    side = await startBareBot({ ...ground, key: stranger.key }, reply);
    await expect(measured(side, turns)).rejects.toThrow('200 of 200 turns were answered with');
  } finally {
    await stranger.microsoft.stop();
  }
});
