import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  atMostHalf,
  defaultThreshold,
  finest,
  parseThreshold,
  reaches,
  thresholdInWords,
} from '../../../shared/alerts/threshold.ts';
import { count, seed } from '../../support/counts.ts';

test.each([
  { said: '3%', is: '3.0 %-points' },
  { said: ' 3 % ', is: '3.0 %-points' },
  { said: '3\u00a0%', is: '3.0 %-points' },
  { said: '2,5%', is: '2.5 %-points' },
  { said: '2.5 %', is: '2.5 %-points' },
  { said: '3％', is: '3.0 %-points' },
  { said: '3 percent', is: '3.0 %-points' },
  { said: '3 Percent', is: '3.0 %-points' },
  { said: '3 %-points', is: '3.0 %-points' },
  { said: '3 percentage points', is: '3.0 %-points' },
  { said: '5 points', is: '5 points' },
  { said: '5points', is: '5 points' },
  { said: '1 point', is: '1 point' },
  { said: '5pt', is: '5 points' },
  { said: '7.5 pts', is: '7.5 points' },
  { said: '3% or 5 points', is: '3.0 %-points or 5 points' },
  { said: '5 points, 3%', is: '3.0 %-points or 5 points' },
  { said: '3% 5 points', is: '3.0 %-points or 5 points' },
  { said: '3%/5pt', is: '3.0 %-points or 5 points' },
  { said: 'default', is: '2.0 %-points or 5 points' },
  { said: 'Default', is: '2.0 %-points or 5 points' },
  { said: '0.5%', is: '0.5 %-points' },
  { said: '50%', is: '50.0 %-points' },
  { said: '500 points', is: '500 points' },
])('"$said" is $is', ({ said, is }) => {
  const parsed = parseThreshold(said);
  expect(parsed.kind === 'threshold' && thresholdInWords(parsed.threshold)).toBe(is);
});

test.each([
  { said: '', says: /^From which loss on\?/ },
  { said: '3', says: /^3 of what\?/ },
  { said: '0.4%', says: /between 0.5 and 50/ },
  { said: '51%', says: /between 0.5 and 50/ },
  { said: '0.9 points', says: /between 1 and 500/ },
  { said: '501pt', says: /between 1 and 500/ },
  { said: '-3%', says: /no threshold I know/ },
  { said: '1e3%', says: /no threshold I know/ },
  { said: '0x3%', says: /no threshold I know/ },
  { said: '3% or 4%', says: /one figure for each/ },
  { said: 'lots', says: /no threshold I know/ },
  { said: '3% or so', says: /no threshold I know/ },
  { said: `3${'0'.repeat(500)}%`, says: /no threshold I know/ },
])('"$said" is none, and a sentence says why', ({ said, says }) => {
  const parsed = parseThreshold(said);
  expect(parsed.kind === 'wrong' && parsed.say).toMatch(says);
});

test('any text is answered, quickly, and what is understood lies within the bounds', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (said) => {
      const parsed = parseThreshold(said);
      if (parsed.kind === 'wrong') return expect(parsed.say).toMatch(/[.?`]$/);
      const { percent, points } = parsed.threshold;
      expect(percent !== null || points !== null).toBe(true);
    }),
    { seed, numRuns: count(500, 20_000) },
  );
});

test('what the words say can be typed again', () => {
  const value = (from: number, to: number) =>
    fc.option(fc.integer({ min: from * 10, max: to * 10 }).map((tenths) => tenths / 10));
  fc.assert(
    fc.property(value(0.5, 50), value(1, 500), (percent, points) => {
      if (percent === null && points === null) return;
      const threshold = { percent, points };
      expect(parseThreshold(thresholdInWords(threshold))).toEqual({ kind: 'threshold', threshold });
    }),
    { seed, numRuns: count(200, 5_000) },
  );
});

test.each([
  { points: 4.9994, percent: 1.9994, is: false },
  { points: 5, percent: 0.1, is: true },
  { points: 4.9996, percent: 0.1, is: true },
  { points: 0.1, percent: 2, is: true },
  { points: 5, percent: null, is: true },
  { points: 4.9, percent: null, is: false },
])('$points points, $percent percent reach the default: $is', ({ is, ...loss }) => {
  expect(reaches(loss, defaultThreshold)).toBe(is);
});

test.each([
  { points: 2.5, percent: 1, is: true },
  { points: 2.501, percent: 0.1, is: false },
  { points: 0.1, percent: 1.001, is: false },
  { points: 2.5, percent: null, is: true },
  { points: 0, percent: 0, is: true },
])('$points points, $percent percent are at most half the default: $is', ({ is, ...loss }) => {
  expect(atMostHalf(loss, defaultThreshold)).toBe(is);
});

test('the finest of several is reached first; nobody there means the default', () => {
  expect(finest([])).toEqual(defaultThreshold);
  expect(finest([{ percent: 3, points: null }])).toEqual({ percent: 3, points: null });
  expect(
    finest([
      { percent: 3, points: null },
      { percent: 4, points: 20 },
    ]),
  ).toEqual({ percent: 3, points: 20 });
});
