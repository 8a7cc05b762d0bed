import { expect, test } from '@jest/globals';
import { evaluateScores } from '../../../shared/score/evaluate.ts';
import { actionsWorthMost, categoriesOf } from '../../../shared/score/posture.ts';
import type { EvaluatedSnapshot } from '../../../shared/score/score.ts';
import { aDay, aProfile, idOf, profiles } from '../../cards/samples.ts';
import { dayOf } from '../alerts/drops.ts';

const tenant = idOf(1);
const readAt = '2026-11-20T10:00:00.000Z';
const full = { BlockLegacyAuthentication: 0, AdminMFAV2: 10, SafeLinks: 5, SelfServicePasswordReset: 6 };
const day18 = aDay(tenant, '2026-11-18', 330, 510, full);
const day19 = aDay(tenant, '2026-11-19', 334, 510, { ...full, SafeLinks: 9 });
const day20 = aDay(tenant, '2026-11-20', 318, 510, {
  ...full,
  SafeLinks: 9,
  AdminMFAV2: 0,
  SelfServicePasswordReset: 0,
});

function evaluate(
  read: EvaluatedSnapshot[],
  before: EvaluatedSnapshot | null,
  stored: EvaluatedSnapshot[] = [],
) {
  const snapshots = stored.map(({ controls: _, ...snapshot }) => snapshot);
  return evaluateScores({ tenantId: tenant, read, stored: snapshots, before, profiles, readAt });
}

test('the first read takes every day and the changes between them, and says only that it is the first', () => {
  const first = evaluate([day20, day19, day18], null);
  expect(first?.says).toBe('First read: 62.4\u2009% (318 of 510 points) on 20 Nov.');
  expect(first?.found.snapshots.map(({ day }) => day)).toEqual(['2026-11-18', '2026-11-19', '2026-11-20']);
  expect(first?.found.snapshots.every((snapshot) => !('controls' in snapshot))).toBe(true);
  expect(first?.found.changes.map(({ day, name }) => `${day} ${name}`)).toEqual([
    '2026-11-19 SafeLinks',
    '2026-11-20 AdminMFAV2',
    '2026-11-20 SelfServicePasswordReset',
  ]);
  expect(first?.found.evaluated.day).toBe('2026-11-20');
  expect(first?.found.posture).toMatchObject({
    day: '2026-11-20',
    sinceYesterday: { from: '2026-11-19', to: '2026-11-20', points: -16, maxPoints: 0 },
    over30Days: null,
    regressed: 2,
    improved: 0,
    moved: [
      { name: 'AdminMFAV2', title: 'MFA for all administrators', points: -10 },
      { name: 'SelfServicePasswordReset', title: 'Self-service password reset', points: -6 },
    ],
  });
});

test('a fall is said with its reasons, biggest first', () => {
  expect(evaluate([day20, day19], day19, [day18, day19])?.says).toBe(
    '62.4\u2009% (318 of 510 points), down 3.1 since 19 Nov: MFA for all administrators −10.0 and Self-service password reset −6.0.',
  );
});

test.each([
  {
    what: 'the same day unchanged',
    read: [day20, day19],
    before: day20,
    says: "Nothing new since the last sync. On 20 Nov, Microsoft's newest day: 62.4\u2009% (318 of 510 points), down 3.1 since 19 Nov: MFA for all administrators −10.0 and Self-service password reset −6.0.",
  },
  {
    what: 'a new day unchanged',
    read: [{ ...day19, day: '2026-11-20' }, day19],
    before: day19,
    says: 'Nothing changed since 19 Nov: 65.5\u2009% (334 of 510 points).',
  },
  {
    what: 'a corrected day',
    read: [
      {
        ...day20,
        current: 328,
        controls: day20.controls.map((c) => (c.name === 'AdminMFAV2' ? { ...c, score: 10 } : c)),
      },
    ],
    before: day20,
    says: '64.3\u2009% (328 of 510 points), up 2.0 since the last sync: MFA for all administrators +10.0.',
  },
  {
    what: 'only the maximum',
    read: [{ ...day19, day: '2026-11-20', max: 520 }],
    before: day19,
    says: '64.2\u2009% (334 of 520 points), down 1.3 since 19 Nov: Microsoft moved the maximum by +10.',
  },
])('$what: $says', ({ read, before, says }) => {
  expect(evaluate(read, before, [day18, day19, before])?.says).toBe(says);
});

test('a control that only licences moved is told so, and is neither regressed nor improved', () => {
  const profiles = [aProfile('mfa', 'MFA for all users', 9), aProfile('reset', 'Self-service reset', 9)];
  const heads = (covered: number, total: number) => ({
    reach: { covered, total },
    score: (9 * covered) / total,
  });
  const dayWith = (day: string, covered: number, total: number, reset: number): EvaluatedSnapshot => ({
    ...dayOf({ day, scores: { mfa: heads(covered, total).score, reset }, max: 100, licensed: total }),
    controls: [
      { name: 'mfa', category: 'Identity', ...heads(covered, total) },
      { name: 'reset', category: 'Identity', score: reset },
    ],
  });
  const before = dayWith('2026-11-19', 80, 120, 9);
  const quiet = dayWith('2026-11-20', 80, 115, 9);
  const found = (read: EvaluatedSnapshot[]) =>
    evaluateScores({ tenantId: before.tenantId, read, stored: [], before, profiles, readAt });
  expect(found([quiet])?.found.posture).toMatchObject({
    regressed: 0,
    improved: 0,
    byUsers: 1,
    moved: [{ name: 'mfa', byUsers: true }],
  });
  expect(found([quiet])?.says).toBe(
    '15.3\u2009% (15.3 of 100 points), up 0.3 since 19 Nov: licences or users changed: −5 licensed users and +0.3\u00a0points by that.',
  );
  const fell = found([dayWith('2026-11-20', 80, 115, 0)]);
  expect(fell?.found.posture).toMatchObject({ regressed: 1, improved: 0, byUsers: 1 });
  expect(fell?.says).toMatch(
    /\(−9\.0 by controls that regressed, \+0\.3 by licences or users\): Self-service reset −9\.0;/,
  );
});

test('a second look at the same day still knows what moved on it', () => {
  const again = evaluate([day20, day19], day20, [day18, day19, day20]);
  expect(again?.found.posture).toMatchObject({ regressed: 2, sinceYesterday: { points: -16 } });
});

test('after missed days the last evaluated one is the comparison', () => {
  const later = evaluate([{ ...day20, day: '2026-11-22' }], day19, [day18, day19]);
  expect(later?.found.posture).toMatchObject({
    regressed: 2,
    sinceYesterday: { from: '2026-11-19', to: '2026-11-22' },
  });
  expect(later?.found.changes.map(({ day }) => day)).toEqual(['2026-11-22', '2026-11-22']);
});

test('only days that are new or differ are to be stored', () => {
  const corrected = { ...day19, current: 333 };
  const found = evaluate([day20, corrected, day18], day19, [day18, day19])?.found;
  expect(found?.snapshots.map(({ day, current }) => ({ day, current }))).toEqual([
    { day: '2026-11-19', current: 333 },
    { day: '2026-11-20', current: 318 },
  ]);
});

test.each([
  { what: 'nothing', read: [], before: null },
  { what: 'nothing, though there was something', read: [], before: day20 },
  { what: 'only older days', read: [day18, day19], before: day20 },
])('Microsoft sends $what: nothing is said or stored', ({ read, before }) => {
  expect(evaluate(read, before)).toBeNull();
});

test('the same input twice gives the same, whatever the order', () => {
  expect(evaluate([day18, day20, day19], null)).toEqual(evaluate([day20, day19, day18], null));
});

test('a month of days gives the change over 30 days and gaps stay gaps', () => {
  const days = [
    day20,
    aDay(tenant, '2026-10-20', 300, 510, full),
    aDay(tenant, '2026-08-01', 100, 510, full),
  ];
  const posture = evaluate(days, null)?.found.posture;
  expect(posture?.over30Days).toMatchObject({ from: '2026-10-20', points: 18 });
  expect(posture?.sinceYesterday).toBeNull();
  expect(posture?.trend.map(({ day }) => day)).toEqual(['2026-10-20', '2026-11-20']);
});

test('actions: worth most first, then rank, then effort; settled, retired and unscored ones are left out', () => {
  const controls = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'noprofile'].map((name) => ({
    name,
    category: 'Identity',
    score: 2,
  }));
  const some = [
    aProfile('a', 'A', 5, { rank: 3 }),
    aProfile('b', 'B', 9),
    aProfile('c', 'C', 5, { rank: 2, effort: 'high' }),
    aProfile('d', 'D', 5, { rank: 2, effort: 'low' }),
    aProfile('e', 'E', 50, { state: 'thirdparty' }),
    aProfile('f', 'F', 50, { deprecated: true }),
    aProfile('g', 'G', 2),
    aProfile('unscored', 'U', 50),
  ];
  const actions = actionsWorthMost(
    controls,
    [...some, aProfile('ignored', 'I', 9, { state: 'Ignored' })],
    new Set(['d']),
  );
  expect(
    actions.map(({ control, gain, regressed }) => `${control} ${gain}${regressed ? ' regressed' : ''}`),
  ).toEqual(['b 7', 'd 3 regressed', 'c 3', 'a 3']);
});

test('a category whose maximum is not wholly known has none', () => {
  const controls = [
    { name: 'SafeLinks', category: 'Apps', score: 5 },
    { name: 'unknown', category: 'Apps', score: 1 },
    { name: 'AdminMFAV2', category: 'Identity', score: 10 },
    { name: 'BlockLegacyAuthentication', category: 'Identity', score: 2 },
    { name: 'x', category: 'Zebra', score: 0 },
  ];
  expect(categoriesOf(controls, [...profiles, aProfile('x', 'X', 4)])).toEqual([
    { category: 'Identity', current: 12, max: 18 },
    { category: 'Apps', current: 6, max: null },
    { category: 'Zebra', current: 0, max: 4 },
  ]);
});
