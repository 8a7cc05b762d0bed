import { expect, test } from '@jest/globals';
import { cronTimes, staleBy } from '../../../bot/cron.ts';
import { nextDue } from '../../../bot/jobs/cadence.ts';
import {
  cadenceChoices,
  cadenceText,
  choiceOfCron,
  cronFor,
  cronOfChoice,
} from '../../../shared/tenants/cadence.ts';
import { tenantId } from '../../../shared/tenants/tenant.ts';
import { millis } from '../../../shared/time.ts';

const settings = { syncScores: '17 5,17 * * *', syncDirectory: '23 2 * * *' };
/** A Saturday. */
const now = '2026-11-21T09:00:00.000Z';
const hour = 3_600_000;

test.each([
  { choice: 'hourly', hours: 1 },
  { choice: 'six-hours', hours: 6 },
  { choice: 'daily', hours: 24 },
  { choice: 'weekly', hours: 168 },
] as const)('$choice is every $hours hours, and is found again by its expression', ({ choice, hours }) => {
  const cron = cronOfChoice(choice) ?? '';
  expect(cronTimes(cron, millis(now)).interval).toBe(hours * hour);
  expect(choiceOfCron(cron)).toBe(choice);
});

test.each([
  { cron: undefined, choice: 'default', says: 'As in the settings' },
  { cron: '*/5 * * * *', choice: 'other', says: 'A time of its own' },
])('$cron is shown as "$says"', ({ cron, choice, says }) => {
  expect(choiceOfCron(cron)).toBe(choice);
  expect(cadenceText(choiceOfCron(cron))).toBe(says);
});

test('every choice has words of its own', () => {
  expect(new Set(cadenceChoices.map(cadenceText)).size).toBe(cadenceChoices.length);
});

test('a part without an expression of its own is read as the settings say', () => {
  const tenant = { cadence: { scores: '7 * * * *' } };
  expect(cronFor(tenant, 'scores', settings)).toBe('7 * * * *');
  expect(cronFor(tenant, 'directory', settings)).toBe(settings.syncDirectory);
  expect(cronFor(null, 'scores', settings)).toBe(settings.syncScores);
});

test('tenants that are read every week are spread over an hour and not called stale on Saturday', () => {
  const weekly = cronOfChoice('weekly') ?? '';
  const due = Array.from({ length: 200 }, (_, n) => {
    const id = tenantId(`a1b2c3d4-0000-4000-8000-${String(n).padStart(12, '0')}`);
    if (id === undefined) throw new Error('not an id');
    return millis(nextDue(weekly, id, now));
  });
  const first = Date.parse('2026-11-23T04:07:00.000Z');
  expect(Math.min(...due)).toBeGreaterThanOrEqual(first);
  expect(Math.max(...due)).toBeLessThanOrEqual(first + hour);
  // Not all at once: no five minutes hold more than a fifth of them.
  for (let from = first; from < first + hour; from += hour / 12) {
    expect(due.filter((at) => at >= from && at < from + hour / 12).length).toBeLessThan(40);
  }
  const stale = staleBy(settings, now);
  expect(stale({ cadence: { scores: weekly } })).toBeGreaterThan(8 * 24 * hour);
  expect(stale({})).toBeLessThan(24 * hour + hour);
});
