import { expect, test } from '@jest/globals';
import {
  type ExpiryStage,
  endGiven,
  expiryHorizon,
  expiryNotice,
  expiryStage,
  expiryText,
} from '../../../shared/tenants/credential-expiry.ts';

const expiresAt = '2027-03-31T12:00:00.000Z';
const ms = Date.parse(expiresAt);
const before = (days: number, extraMs = 0): string =>
  new Date(ms - days * 86_400_000 - extraMs).toISOString();

test.each<{ days: number; early: ExpiryStage | null; stage: ExpiryStage }>([
  { days: 30, early: null, stage: 30 },
  { days: 14, early: 30, stage: 14 },
  { days: 7, early: 14, stage: 7 },
  { days: 1, early: 7, stage: 1 },
  { days: 0, early: 1, stage: 0 },
])('$days days before the end, to the millisecond', ({ days, early, stage }) => {
  expect(expiryStage(expiresAt, before(days, 1))).toBe(early);
  expect(expiryStage(expiresAt, before(days))).toBe(stage);
});

test('looked at every hour of 40 days, each stage is told once and none twice; a new version begins anew', () => {
  const watch = (version: number, told: string[]) => {
    const said: ExpiryStage[] = [];
    for (let hours = 40 * 24; hours >= -48; hours -= 1) {
      const notice = expiryNotice({ version, expiresAt }, told, before(hours / 24));
      if (notice === null) continue;
      said.push(notice.stage);
      told.push(...notice.marks);
    }
    return said;
  };
  const told: string[] = [];
  expect(watch(1, told)).toEqual([30, 14, 7, 1, 0]);
  expect(watch(1, told)).toEqual([]);
  expect(watch(2, told)).toEqual([30, 14, 7, 1, 0]);
  // A rule that forgets what it told repeats itself: the same walk sees it.
  expect(expiryNotice({ version: 1, expiresAt }, [], before(3))).not.toBeNull();
});

test.each<{ what: string; looks: number[]; says: ExpiryStage[] }>([
  { what: 'switched off from day 20 to day 3', looks: [20, 3, 2], says: [30, 7] },
  { what: 'first seen six days before', looks: [6, 5, 1, 0.5, 0], says: [7, 1, 0] },
  { what: 'first seen when it had ended', looks: [-90, -91], says: [0] },
  { what: 'a clock that goes back', looks: [6, 13, 29, 6], says: [7] },
])('$what: the newest stage stands for those that passed', ({ looks, says }) => {
  const told: string[] = [];
  const said = looks.flatMap((days) => {
    const notice = expiryNotice({ version: 4, expiresAt }, told, before(days));
    told.push(...(notice?.marks ?? []));
    return notice === null ? [] : [notice.stage];
  });
  expect(said).toEqual(says);
});

test.each([
  { days: 45, says: 'ends in 45 days, on 31 Mar' },
  { days: 1, says: 'ends in 1 day, on 31 Mar' },
  { days: 0.5, says: 'ends within a day, on 31 Mar' },
  { days: 0, says: 'ended on 31 Mar' },
  { days: -20, says: 'ended on 31 Mar' },
])('$days days before: $says', ({ days, says }) => {
  expect(expiryText(expiresAt, before(days))).toBe(says);
});

test.each([
  { day: '2027-03-31', at: '2027-03-31T00:00:00.000Z' },
  { day: '2028-02-29', at: '2028-02-29T00:00:00.000Z' },
  { day: '2027-02-29', at: null },
  { day: '2027-02-31', at: null },
  { day: '2027-13-01', at: null },
  { day: '1999-01-01', at: null },
  { day: '31.03.2027', at: null },
  { day: '', at: null },
])('a secret that ends on "$day": $at', ({ day, at }) => {
  expect(endGiven(day)).toBe(at);
});

test('the horizon is the first stage', () => {
  expect(expiryStage(expiresAt, before(30))).toBe(30);
  expect(expiresAt < expiryHorizon(before(30))).toBe(true);
  expect(expiresAt < expiryHorizon(before(30, 1_000))).toBe(false);
});
