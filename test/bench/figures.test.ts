import { expect, test } from '@jest/globals';
import { type Aim, ratios, type SideFigures, spread } from './figures.ts';
import { percentile } from './load.ts';
import { table } from './table.ts';

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

const more: Aim = { metric: 'turnsPerSecond', better: 'more', aim: 2.5, acceptable: 2 };
const less: Aim = { metric: 'cpuMsPerTurn', better: 'less', aim: 0.4, acceptable: 0.5 };

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
  { aim: { metric: 'rssMb', better: 'less' } as Aim, ours: 300, theirs: 100, verdict: 'shown' },
])('$ours beside $theirs, $aim.better is better: $verdict', ({ aim, ours, theirs, verdict }) => {
  const [judged] = ratios(side(aim, ours), side(aim, theirs), [aim]);
  expect(judged?.verdict).toBe(verdict);
});

test('the table names what is worse than acceptable, with the aim and the limit beside it', () => {
  const [ours, theirs] = [side(more, 150), side(more, 100)];
  const lines = table(
    'title',
    [
      { name: 'Watchpost', figures: ours },
      { name: 'bare', figures: theirs },
    ],
    ratios(ours, theirs, [more]),
  );
  const row = lines.find((line) => line.startsWith('turns/s'));
  expect(row).toMatch(/150 \(150 to 150\) +100 \(100 to 100\) +1\.50 x +>= 2\.50 \[2\.00\] +WORSE/);
});

function side({ metric }: Aim, value: number | null): SideFigures {
  const none = {
    turnsPerSecond: null,
    p50Ms: null,
    p99Ms: null,
    cpuMsPerTurn: null,
    busy: null,
    rssMb: null,
  };
  return { ...none, [metric]: spread([value]) };
}
