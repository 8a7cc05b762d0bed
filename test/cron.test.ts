import { describe, expect, test } from '@jest/globals';
import { cronTimes, staleAfterMs } from '../bot/cron.ts';
import { millis } from '../shared/time.ts';

const twiceADay = '17 5,17 * * *';
const workingDays = '0 6 * * 1-5';

test.each([
  { cron: '* * * * *', at: '2026-11-20T07:04:30.000Z', last: '07:04:00', next: '07:05:00', minutes: 1 },
  { cron: twiceADay, at: '2026-11-20T05:16:59.999Z', last: '17:17:00', next: '05:17:00', minutes: 720 },
  { cron: twiceADay, at: '2026-11-20T05:17:00.000Z', last: '05:17:00', next: '17:17:00', minutes: 720 },
  { cron: twiceADay, at: '2026-11-20T05:17:00.001Z', last: '05:17:00', next: '17:17:00', minutes: 720 },
  // Friday evening: Monday is next, Tuesday follows a day later.
  { cron: workingDays, at: '2026-11-20T20:00:00.000Z', last: '06:00:00', next: '06:00:00', minutes: 1440 },
  { cron: '0 6,7 * * *', at: '2026-11-20T06:30:00.000Z', last: '06:00:00', next: '07:00:00', minutes: 1380 },
])('$cron at $at: last $last, next $next, then $minutes minutes', ({ cron, at, last, next, minutes }) => {
  const times = cronTimes(cron, millis(at));
  expect(new Date(times.last).toISOString().slice(11, 19)).toBe(last);
  expect(new Date(times.next).toISOString().slice(11, 19)).toBe(next);
  expect(times.interval).toBe(minutes * 60_000);
  expect(times.before).toBeLessThan(times.last);
  expect(times.last).toBeLessThanOrEqual(millis(at));
  expect(times.next).toBeGreaterThan(millis(at));
});

test('what is kept of one expression or moment is not told of another', () => {
  const at = millis('2026-11-20T07:04:30.000Z');
  const alone = [cronTimes('* * * * *', at), cronTimes(twiceADay, at), cronTimes(twiceADay, at + 86_400_000)];
  expect([...alone].reverse()).toEqual([
    cronTimes(twiceADay, at + 86_400_000),
    cronTimes(twiceADay, at),
    cronTimes('* * * * *', at),
  ]);
  expect(new Set(alone.map(({ next }) => next)).size).toBe(3);
});

describe('stale is what missed two turns in a row', () => {
  const stale = (cron: string, readAt: string, now: string): boolean =>
    millis(now) - millis(readAt) > staleAfterMs(cron, now);

  test.each([
    {
      cron: twiceADay,
      readAt: '2026-11-19T17:20',
      now: '2026-11-20T05:00',
      is: false,
      why: 'its turn is next',
    },
    { cron: twiceADay, readAt: '2026-11-19T17:20', now: '2026-11-20T17:00', is: false, why: 'one missed' },
    {
      cron: twiceADay,
      readAt: '2026-11-19T17:20',
      now: '2026-11-20T18:00',
      is: false,
      why: 'may still come',
    },
    { cron: twiceADay, readAt: '2026-11-19T17:20', now: '2026-11-20T18:30', is: true, why: 'two missed' },
    { cron: workingDays, readAt: '2026-11-20T06:30', now: '2026-11-22T23:00', is: false, why: 'a weekend' },
    {
      cron: workingDays,
      readAt: '2026-11-20T06:30',
      now: '2026-11-23T12:00',
      is: false,
      why: 'Monday missed',
    },
    { cron: workingDays, readAt: '2026-11-20T06:30', now: '2026-11-24T12:00', is: true, why: 'Tuesday too' },
    { cron: '* * * * *', readAt: '2026-11-20T07:00', now: '2026-11-20T07:05', is: false, why: 'minutes' },
    { cron: '* * * * *', readAt: '2026-11-20T07:00', now: '2026-11-20T07:09', is: true, why: 'minutes' },
  ])('$cron, read $readAt, at $now: $is ($why)', ({ cron, readAt, now, is }) => {
    expect(stale(cron, `${readAt}:00.000Z`, `${now}:00.000Z`)).toBe(is);
  });
});
