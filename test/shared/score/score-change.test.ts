import { expect, test } from '@jest/globals';
import { comparisonOf } from '../../../shared/score/comparison.ts';
import type { Comparison } from '../../../shared/score/score.ts';
import { controlChangesBetween, dayBefore, scoreChange } from '../../../shared/score/score-change.ts';
import { trendLine } from '../../../shared/score/trend.ts';
import { plusDays } from '../../../shared/time.ts';
import { aDay, idOf, profiles } from '../../cards/samples.ts';

const tenant = idOf(1);

test.each([
  { before: [60, 100], after: [55, 100], percent: -5, points: -5, maxPoints: 0 },
  { before: [60, 80], after: [60, 90], percent: 60 / 0.9 - 75, points: 0, maxPoints: 10 },
  { before: [50, 100], after: [50, 100], percent: 0, points: 0, maxPoints: 0 },
  { before: [0, 100], after: [100, 100], percent: 100, points: 100, maxPoints: 0 },
])('$before → $after is $percent points of percent', ({ before, after, percent, points, maxPoints }) => {
  const change = scoreChange(
    { day: '2026-11-19', current: before[0] ?? 0, max: before[1] ?? 0 },
    { day: '2026-11-20', current: after[0] ?? 0, max: after[1] ?? 0 },
  );
  expect(change).toMatchObject({ from: '2026-11-19', to: '2026-11-20', points, maxPoints });
  expect(change?.percent).toBeCloseTo(percent, 9);
});

test('without a maximum there is no change, not a change of 0', () => {
  const none = { day: '2026-11-19', current: 0, max: 0 };
  expect(scoreChange(none, { day: '2026-11-20', current: 5, max: 10 })).toBeNull();
  expect(scoreChange({ day: '2026-11-19', current: 5, max: 10 }, none)).toBeNull();
});

test.each([
  { known: ['2026-11-19'], daysAgo: 1, reach: 3, finds: '2026-11-19' },
  { known: ['2026-11-17', '2026-11-18'], daysAgo: 1, reach: 3, finds: '2026-11-18' },
  { known: ['2026-11-16'], daysAgo: 1, reach: 3, finds: '2026-11-16' },
  { known: ['2026-11-15'], daysAgo: 1, reach: 3, finds: null },
  { known: ['2026-11-20', '2026-11-21'], daysAgo: 1, reach: 3, finds: null },
  { known: ['2026-10-21', '2026-10-22'], daysAgo: 30, reach: 7, finds: '2026-10-21' },
  { known: ['2026-10-14', '2026-10-22'], daysAgo: 30, reach: 7, finds: '2026-10-14' },
  { known: ['2026-10-13'], daysAgo: 30, reach: 7, finds: null },
  { known: [], daysAgo: 1, reach: 3, finds: null },
])('$daysAgo days before 20 Nov among $known is $finds', ({ known, daysAgo, reach, finds }) => {
  const days = known.map((day) => ({ day, current: 1, max: 2 }));
  expect(dayBefore(days, '2026-11-20', daysAgo, reach)?.day ?? null).toBe(finds);
});

test('controls that fell, rose, came and went are told apart', () => {
  const before = aDay(tenant, '2026-11-19', 50, 100, {
    AdminMFAV2: 10,
    SafeLinks: 5,
    Old: 4,
    Same: 3,
    Noise: 1,
  });
  const after = {
    ...aDay(tenant, '2026-11-20', 45, 106, { AdminMFAV2: 3.5, SafeLinks: 7, New: 2, Same: 3, Noise: 1.001 }),
    licensedUsers: 100,
  };
  expect(controlChangesBetween(tenant, before, after, profiles)).toEqual([
    {
      tenantId: tenant,
      day: '2026-11-20',
      name: 'AdminMFAV2',
      title: 'MFA for all administrators',
      from: 10,
      to: 3.5,
    },
    { tenantId: tenant, day: '2026-11-20', name: 'New', title: 'New', from: null, to: 2 },
    { tenantId: tenant, day: '2026-11-20', name: 'Old', title: 'Old', from: 4, to: null },
    {
      tenantId: tenant,
      day: '2026-11-20',
      name: 'SafeLinks',
      title: 'Turn on Safe Links for Office apps',
      from: 5,
      to: 7,
    },
  ]);
});

test.each<{ what: string; sent: Comparison[]; shows: string | null }>([
  {
    what: 'all three',
    sent: [
      { basis: 'AllTenants', percent: 40 },
      { basis: 'IndustryTypes', percent: 55 },
      { basis: 'TotalSeats', percent: 50 },
    ],
    shows: '+10.0 tenants of similar size',
  },
  {
    what: 'no size',
    sent: [
      { basis: 'AllTenants', percent: 40 },
      { basis: 'IndustryTypes', percent: 55 },
    ],
    shows: '+5.0 tenants of the same industry',
  },
  { what: 'only all', sent: [{ basis: 'AllTenants', percent: 75.5 }], shows: '-15.5 all tenants' },
  { what: 'nothing', sent: [], shows: null },
  {
    what: 'minus one',
    sent: [
      { basis: 'TotalSeats', percent: -1 },
      { basis: 'AllTenants', percent: -1 },
    ],
    shows: null,
  },
  { what: 'more than 100', sent: [{ basis: 'TotalSeats', percent: 109 }], shows: null },
  { what: 'no number', sent: [{ basis: 'TotalSeats', percent: Number.NaN }], shows: null },
  {
    what: 'a bad and a good one',
    sent: [
      { basis: 'TotalSeats', percent: -1 },
      { basis: 'AllTenants', percent: 47 },
    ],
    shows: '+13.0 all tenants',
  },
  { what: 'a basis we do not know', sent: [{ basis: 'Custom', percent: 50 }], shows: null },
])('Microsoft sends $what: $shows', ({ sent, shows }) => {
  const found = comparisonOf(sent, 60);
  const words = found && `${found.difference > 0 ? '+' : ''}${found.difference.toFixed(1)} ${found.label}`;
  expect(words).toBe(shows);
});

test('without an own percentage there is nothing to compare', () => {
  expect(comparisonOf([{ basis: 'TotalSeats', percent: 50 }], null)).toBeNull();
});

const until = '2026-11-20';
function daysOf(percents: (number | null)[]): { day: string; percent: number | null }[] {
  return percents.map((percent, i) => ({ day: plusDays(until, i + 1 - percents.length), percent }));
}

test.each([
  {
    percents: [50, 51, 52, 53, 54, 55, 56, 57, 58],
    line: '▁▂▃▄▅▆▇██',
    range: '50.0–58.0\u2009%',
    missing: 0,
  },
  { percents: [60, 60, 60], line: '▅▅▅', range: '60.0\u2009%', missing: 0 },
  { percents: [60, 60.1, 60], line: '▄▅▄', range: '60.0–60.1\u2009%', missing: 0 },
  { percents: [50, null, 58], line: '▁·█', range: '50.0–58.0\u2009%', missing: 1 },
  { percents: [null, 50, 58, null], line: '▁█·', range: '50.0–58.0\u2009%', missing: 1 },
])('$percents draws $line', ({ percents, line, range, missing }) => {
  expect(trendLine(daysOf(percents), until)).toMatchObject({ line, range, missing });
});

test('the trend takes the last 30 days, whatever the order and however long the history', () => {
  const long = daysOf(Array.from({ length: 90 }, (_, i) => i)).reverse();
  expect(trendLine(long, until)).toMatchObject({ days: 30, low: 60, high: 89, missing: 0 });
});

test.each([{ percents: [] }, { percents: [50] }, { percents: [null, null, 50] }])(
  '$percents draws nothing',
  ({ percents }) => {
    expect(trendLine(daysOf(percents), until)).toBeNull();
  },
);
