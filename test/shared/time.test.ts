import { expect, test } from '@jest/globals';
import { dayOf, daysBetween, plus, plusDays } from '../../shared/time.ts';

test.each([
  { day: '2026-11-20', days: 1, gives: '2026-11-21' },
  { day: '2026-03-29', days: -1, gives: '2026-03-28' },
  { day: '2027-12-31', days: 60, gives: '2028-02-29' },
])('$day plus $days days is $gives', ({ day, days, gives }) => {
  expect(plusDays(day, days)).toBe(gives);
  expect(daysBetween(day, gives)).toBe(days);
});

test('an instant keeps its milliseconds over midnight', () => {
  expect(plus('2026-11-20T23:59:59.999Z', 1)).toBe('2026-11-21T00:00:00.000Z');
  expect(dayOf('2026-11-20T23:59:59.999Z')).toBe('2026-11-20');
});
