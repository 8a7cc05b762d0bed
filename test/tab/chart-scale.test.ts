import { describe, expect, test } from '@jest/globals';
import { dayTicks, marksOf, pathOf, scaleOf } from '../../tab/chart-scale.ts';

describe('a scale that fits the data', () => {
  test.each([
    { values: [57.1, 65.6], low: 56, high: 66, ticks: [56, 58, 60, 62, 64, 66] },
    { values: [62.1, 62.4], low: 61, high: 63.5, ticks: [61, 61.5, 62, 62.5, 63, 63.5] },
    { values: [0, 100], low: 0, high: 100, ticks: [0, 20, 40, 60, 80, 100] },
    { values: [99.5, 100], low: 98.5, high: 100, ticks: [98.5, 99, 99.5, 100] },
    { values: [0, 0.3], low: 0, high: 1.5, ticks: [0, 0.5, 1, 1.5] },
    { values: [50], low: 49, high: 51, ticks: [49, 49.5, 50, 50.5, 51] },
  ])('$values → $low…$high', ({ values, low, high, ticks }) => {
    expect(scaleOf(values)).toEqual({ low, high, ticks });
  });
});

test('a line has a gap where a day is missing', () => {
  const points = [
    { day: '2026-11-01', x: 0, y: 10 },
    { day: '2026-11-02', x: 10, y: 9.96 },
    { day: '2026-11-05', x: 40, y: 5 },
    { day: '2026-11-06', x: 50, y: 6 },
  ];
  expect(pathOf(points)).toBe('M0 10L10 10M40 5L50 6');
  expect(pathOf([])).toBe('');
});

describe('what happened', () => {
  const day = (n: number, current: number, max = 200) => ({
    day: `2026-11-${String(n).padStart(2, '0')}`,
    percent: (current / max) * 100,
    current,
    max,
  });
  test.each([
    { what: 'daily weather is no event', trend: [day(1, 100), day(2, 101), day(3, 99)], marks: [] },
    { what: 'points lost in one day', trend: [day(1, 100), day(2, 84)], marks: ['fell 2026-11-02 -16'] },
    { what: 'points gained', trend: [day(1, 84), day(2, 100)], marks: ['rose 2026-11-02 16'] },
    { what: 'a moved maximum', trend: [day(1, 100), day(2, 100, 210)], marks: ['maximum 2026-11-02 10'] },
    { what: 'nothing across a gap', trend: [day(1, 100), day(9, 80)], marks: [] },
    {
      what: 'the bigger of two that are close',
      trend: [day(1, 100), day(2, 95), day(3, 70)],
      marks: ['fell 2026-11-03 -25'],
    },
    {
      what: 'at most three',
      trend: [1, 6, 11, 16, 21].flatMap((n) => [day(n, 100), day(n + 1, 80)]).filter((_, i) => i < 10),
      marks: ['fell 2026-11-02 -20', 'fell 2026-11-07 -20', 'fell 2026-11-12 -20'],
    },
  ])('$what', ({ trend, marks }) => {
    expect(marksOf(trend, 3).map((mark) => `${mark.kind} ${mark.day} ${mark.points}`)).toEqual(marks);
  });
});

test.each([
  { days: 0, count: 4, ticks: 0 },
  { days: 1, count: 4, ticks: 1 },
  { days: 3, count: 4, ticks: 3 },
  { days: 90, count: 4, ticks: 4 },
])('$days days have $ticks ticks, first and last among them', ({ days, count, ticks }) => {
  const all = Array.from({ length: days }, (_, i) => `day ${i}`);
  const found = dayTicks(all, count);
  expect(found).toHaveLength(ticks);
  expect(found[0]).toBe(all[0]);
  expect(found.at(-1)).toBe(all.at(-1));
});
