import { expect, test } from '@jest/globals';
import { type Aim, judged, type Measure, type SideFigures, sideFigures, spread } from './figures.ts';
import { percentile } from './load.ts';
import { inRounds } from './rounds.ts';
import { table } from './table.ts';

const measure: Measure = { key: 'rate', name: 'turns/s', digits: 0 };

test.each([
  { values: [3], says: { median: 3, min: 3, max: 3 } },
  { values: [5, 1, 3], says: { median: 3, min: 1, max: 5 } },
  { values: [4, 1, 3, 2], says: { median: 2.5, min: 1, max: 4 } },
  { values: [1, null, 3], says: null },
  { values: [], says: null },
])('the spread of $values is $says', ({ values, says }) => {
  expect(spread(values)).toEqual(says);
});

test.each([
  { rank: 0.5, says: 50 },
  { rank: 0.99, says: 99 },
  { rank: 1, says: 100 },
])('of 1 to 100 the percentile $rank is $says', ({ rank, says }) => {
  expect(
    percentile(
      Array.from({ length: 100 }, (_, at) => at + 1),
      rank,
    ),
  ).toBe(says);
});

const more: Aim = { measure: 'rate', better: 'more', aim: 2.5, acceptable: 2 };
const less: Aim = { measure: 'rate', better: 'less', aim: 0.4, acceptable: 0.5 };
const longer: Aim = { measure: 'rate', better: 'less', as: 'difference', aim: 4, acceptable: 6 };
const alone: Aim = { measure: 'rate', better: 'less', as: 'figure', aim: 10, acceptable: 10 };

test.each([
  { aim: more, ours: 250, theirs: 100, verdict: 'met' },
  { aim: more, ours: 249, theirs: 100, verdict: 'acceptable' },
  { aim: more, ours: 200, theirs: 100, verdict: 'acceptable' },
  { aim: more, ours: 199, theirs: 100, verdict: 'worse' },
  { aim: less, ours: 40, theirs: 100, verdict: 'met' },
  { aim: less, ours: 50, theirs: 100, verdict: 'acceptable' },
  { aim: less, ours: 51, theirs: 100, verdict: 'worse' },
  { aim: less, ours: null, theirs: 100, verdict: 'not measured' },
  { aim: less, ours: 1, theirs: 0, verdict: 'not measured' },
  { aim: less, ours: 1, theirs: null, verdict: 'not measured' },
  { aim: { measure: 'rate', better: 'less' } as Aim, ours: 300, theirs: 100, verdict: 'shown' },
  { aim: longer, ours: 12, theirs: 8, verdict: 'met' },
  { aim: longer, ours: 14, theirs: 8, verdict: 'acceptable' },
  { aim: longer, ours: 14.1, theirs: 8, verdict: 'worse' },
  { aim: alone, ours: 10, theirs: null, verdict: 'met' },
  { aim: alone, ours: 10.1, theirs: null, verdict: 'worse' },
])('$ours beside $theirs, $aim.better is better, as $aim.as: $verdict', ({ aim, ours, theirs, verdict }) => {
  const [one] = judged(side(ours), side(theirs), [aim]);
  expect(one?.verdict).toBe(verdict);
});

test('a side has the median of each measure over its rounds, and none when one round lacks it', () => {
  const cells = [
    { rate: 3, cpu: 1 },
    { rate: 1, cpu: null },
    { rate: 2, cpu: 1 },
  ];
  const figures = sideFigures(cells, [measure, { key: 'cpu', name: 'CPU', digits: 1 }]);
  expect(figures).toEqual({ rate: { median: 2, min: 1, max: 3 }, cpu: null });
});

test.each([
  { aim: more, says: /^turns\/s +150 +100 +1\.50 x +>= 2\.50 \[2\.00\] +WORSE/ },
  { aim: longer, says: /^turns\/s +150 +100 +\+50 +<= 4\.00 \[6\.00\] +WORSE/ },
  { aim: alone, says: /^turns\/s +150 +100 +<= 10\.00 \[10\.00\] +WORSE/ },
])('the table names what is worse than acceptable, with the limit beside it: as $aim.as', ({ aim, says }) => {
  const [ours, theirs] = [side(150), side(100)];
  const lines = table(
    'title',
    [measure],
    [
      { name: 'Watchpost', figures: ours },
      { name: 'bare', figures: theirs },
    ],
    judged(ours, theirs, [aim]),
  );
  expect(lines.find((line) => line.startsWith('turns/s'))).toMatch(says);
});

/** Three sides that say when they are played; `canaries` are what the machine was like, calm at first. */
async function play(rounds: number, repeats: number, canaries: number[] = []) {
  const order: string[] = [];
  const sides = ['a', 'b', 'c'].map((name) => ({
    name,
    round: async (number: number) => {
      order.push(`${name}${number}`);
      return { rate: order.length };
    },
  }));
  const calm = [1, 1, 1, ...canaries];
  const cells = await inRounds(sides, {
    ...{ rounds, repeats, say: () => undefined },
    canary: () => calm.shift() ?? 1,
  });
  return { order: order.join(' '), rates: cells.map((side) => side.map(({ rate }) => rate)) };
}

test('who goes first changes from round to round', async () => {
  const { order, rates } = await play(3, 2);
  expect(order).toBe('a0 b0 c0 b1 c1 a1 c2 a2 b2');
  expect(rates).toEqual([
    [1, 6, 8],
    [2, 4, 9],
    [3, 5, 7],
  ]);
});

test.each([
  { repeats: 2, canaries: [1, 2, 1], order: 'a0 b0 b0 c0', b: 3 },
  { repeats: 2, canaries: [1, 4, 2, 3], order: 'a0 b0 b0 b0 c0', b: 3 },
  { repeats: 0, canaries: [1, 4], order: 'a0 b0 c0', b: 2 },
])(
  'disturbed like $canaries, a round is played again at most $repeats times and the calmest counts',
  async ({ repeats, canaries, order, b }) => {
    const played = await play(1, repeats, canaries);
    expect(played.order).toBe(order);
    expect(played.rates[1]).toEqual([b]);
  },
);

function side(value: number | null): SideFigures {
  return { rate: spread([value]) };
}
