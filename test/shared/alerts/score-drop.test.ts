import { expect, test } from '@jest/globals';
import { lastTransition } from '../../../shared/alerts/finding.ts';
import { acknowledge, putAside, release } from '../../../shared/alerts/people.ts';
import type { DropFinding } from '../../../shared/alerts/score-drop.ts';
import type { Threshold } from '../../../shared/alerts/threshold.ts';
import type { EvaluatedSnapshot } from '../../../shared/score/score.ts';
import { aProfile } from '../../cards/samples.ts';
import { type DayOf, dayOf, evaluate, nothing, profilesOf, type Scores, told } from './drops.ts';

const full: Scores = { mfa: 10, reset: 6, links: 9, old: 4, devices: 20 };
const from = '2026-11-';
const days = (...all: (Scores & { max?: number })[]): EvaluatedSnapshot[] =>
  all.map(({ max, ...scores }, index) =>
    dayOf({
      day: `${from}${10 + index}`,
      scores: { ...full, ...scores },
      ...(max === undefined ? {} : { max }),
    }),
  );

const onlyPercent: Threshold = { percent: 2, points: null };

test.each<{ what: string; days: EvaluatedSnapshot[]; tells: string[]; threshold?: Threshold }>([
  { what: 'the first sync is silent, however low', days: days({ mfa: 0, reset: 0 }), tells: [] },
  { what: 'a small fall', days: days({}, { mfa: 5.01 }), tells: [] },
  { what: 'a fall of the threshold', days: days({}, { mfa: 5 }), tells: ['2026-11-11 opened 5'] },
  {
    what: 'two controls that only together reach it',
    days: days({}, { mfa: 7, reset: 4 }),
    tells: ['2026-11-11 opened 5'],
  },
  {
    what: 'what others gained does not make up for it',
    days: days({ links: 0 }, { links: 9, mfa: 4 }),
    tells: ['2026-11-11 opened 6'],
  },
  {
    what: 'a slow fall over many days is told once it adds up',
    days: days({}, { mfa: 9 }, { mfa: 8 }, { mfa: 7 }, { mfa: 6 }, { mfa: 5 }, { mfa: 5 }),
    tells: ['2026-11-15 opened 5'],
  },
  {
    what: 'a slow fall with small steps up in between',
    days: days({}, { mfa: 7 }, { mfa: 8 }, { mfa: 6 }, { mfa: 7 }, { mfa: 5 }),
    tells: ['2026-11-15 opened 5'],
  },
  {
    what: 'a rise moves the baseline, so that the fall after it counts from the top',
    days: days({ mfa: 0 }, { mfa: 10 }, { mfa: 5 }),
    tells: ['2026-11-12 opened 5'],
  },
  {
    what: 'a further fall below one more threshold is told once, a smaller one is not',
    days: days({}, { mfa: 4 }, { mfa: 0 }, { mfa: 0, reset: 5 }, { mfa: 0, reset: 5 }),
    tells: ['2026-11-11 opened 6', '2026-11-13 worsened 11'],
  },
  {
    what: 'two worsenings are two',
    days: days({}, { mfa: 4 }, { mfa: 0, reset: 5 }, { mfa: 0, reset: 0 }),
    tells: ['2026-11-11 opened 6', '2026-11-12 worsened 11', '2026-11-13 worsened-2 16'],
  },
  {
    what: 'what is lost anew is told although as much came back',
    days: days({}, { mfa: 4 }, { mfa: 10, links: 2 }),
    tells: ['2026-11-11 opened 6', '2026-11-12 worsened 7'],
  },
  {
    what: 'up and down again to what was told is nothing new',
    days: days({}, { devices: 0 }, { devices: 12 }, { devices: 0 }),
    tells: ['2026-11-11 opened 20'],
  },
  {
    what: 'it is over when half a threshold is left, and not a hundredth earlier',
    days: days({}, { mfa: 4 }, { mfa: 7.49 }, { mfa: 7.5 }),
    tells: ['2026-11-11 opened 6', '2026-11-13 resolved 2.5'],
  },
  {
    what: 'it is over when all that was told is back, whatever else is a little lower',
    days: days({}, { mfa: 4 }, { mfa: 4, links: 5 }, { links: 5 }),
    tells: ['2026-11-11 opened 6', '2026-11-13 resolved 4'],
  },
  {
    what: 'after it was over the baseline is now: what was left counts no more',
    days: days({}, { mfa: 4 }, { mfa: 8 }, { mfa: 3.5 }, { mfa: 3 }),
    tells: ['2026-11-11 opened 6', '2026-11-12 resolved 2', '2026-11-14 reopened (2) 5'],
  },
  {
    what: 'a third time',
    days: days({}, { mfa: 0 }, {}, { mfa: 0 }, {}, { reset: 0 }),
    tells: [
      '2026-11-11 opened 10',
      '2026-11-12 resolved 0',
      '2026-11-13 reopened (2) 10',
      '2026-11-14 resolved (2) 0',
      '2026-11-15 reopened (3) 6',
    ],
  },
  {
    what: 'a rise of others while it stands moves their baseline, not that of what is owed',
    days: days({ links: 0 }, { links: 0, mfa: 4 }, { mfa: 4 }, { mfa: 4, links: 4 }, { links: 4 }),
    tells: ['2026-11-11 opened 6', '2026-11-13 worsened 11'],
  },
  {
    what: 'percent alone: 2 of 100',
    days: days({ max: 100 }, { mfa: 8.01, max: 100 }, { mfa: 8, max: 100 }),
    tells: ['2026-11-12 opened 2'],
    threshold: onlyPercent,
  },
  {
    what: 'percent is of what could be reached on the day of the baseline',
    days: days({ max: 400 }, { mfa: 2.5, max: 300 }, { mfa: 2, max: 900 }),
    tells: ['2026-11-12 opened 8'],
    threshold: onlyPercent,
  },
  {
    what: 'nothing can be reached: only points count',
    days: days({ max: 0 }, { mfa: 6, max: 0 }, { mfa: 5, max: 0 }),
    tells: ['2026-11-12 opened 5'],
  },
  {
    what: 'percent alone and nothing can be reached: nothing is told',
    days: days({ max: 0 }, { mfa: 0, max: 0 }),
    tells: [],
    threshold: onlyPercent,
  },
])('$what', ({ days: along, tells, threshold }) => {
  expect(told(along, threshold === undefined ? {} : { threshold })).toEqual(tells);
});

test.each([
  { parts: [0.1, 0.2], threshold: 0.3, opens: true },
  { parts: [1.1, 2.2], threshold: 3.3, opens: true },
  { parts: [0.7, 0.1, 0.2], threshold: 1, opens: true },
  { parts: [0.7, 0.1, 0.19], threshold: 1, opens: false },
  { parts: [4.35, 0.65], threshold: 5, opens: true },
])('losing $parts reaches $threshold points: $opens', ({ parts, threshold, opens }) => {
  const before = Object.fromEntries(parts.map((_, i) => [`c${i}`, 10.3]));
  const after = Object.fromEntries(parts.map((points, i) => [`c${i}`, 10.3 - points]));
  const along = [dayOf({ day: '2026-11-10', scores: before }), dayOf({ day: '2026-11-11', scores: after })];
  expect(told(along, { threshold: { percent: null, points: threshold } })).toHaveLength(opens ? 1 : 0);
});

test('0.3 of 10 points are three percent, though binary fractions say a little less', () => {
  const along = [0.6, 0.3].map((c, i) => dayOf({ day: `2026-11-1${i}`, scores: { c }, max: 10 }));
  expect(told(along, { threshold: { percent: 3, points: null } })).toHaveLength(1);
});

test.each<{
  what: string;
  before: Partial<DayOf>;
  after: Partial<DayOf>;
  maxima?: [Scores, Scores];
  counts: object;
}>([
  {
    what: 'Microsoft adds a control',
    before: { max: 500 },
    after: { scores: { ...full, fresh: 0 }, max: 600 },
    counts: { microsoft: { added: 1, retired: 0, maxMoved: 100, points: 0 } },
  },
  {
    what: 'Microsoft retires a control',
    before: {},
    after: { scores: { mfa: 10, reset: 6, links: 9, old: 4 }, max: 480 },
    counts: { microsoft: { retired: 1, added: 0, maxMoved: -20, points: -20 }, tenant: { unlicensed: 0 } },
  },
  {
    what: 'Microsoft halves what a control is worth',
    before: {},
    after: { scores: { ...full, devices: 10 }, max: 490 },
    maxima: [{ devices: 20 }, { devices: 10 }],
    counts: { microsoft: { rescaled: 1, points: -10, maxMoved: -10 } },
  },
  {
    what: 'Microsoft doubles what a control is worth, and its points follow a day later',
    before: {},
    after: {},
    maxima: [{ devices: 20 }, { devices: 40 }],
    counts: { microsoft: { rescaled: 1, points: 0 } },
  },
  {
    what: 'a licence goes, and with it a control that is still described',
    before: { licensed: 120 },
    after: { scores: { mfa: 10, reset: 6, links: 9, old: 4 }, licensed: 115 },
    maxima: [{ devices: 20 }, { devices: 20 }],
    counts: { tenant: { unlicensed: 1, licensedUsersMoved: -5, points: -20 }, microsoft: { retired: 0 } },
  },
  {
    what: 'people come who are not covered yet',
    before: { scores: { ...full, devices: 20 }, reach: { devices: { covered: 100, total: 100 } } },
    after: { scores: { ...full, devices: 10 }, reach: { devices: { covered: 100, total: 200 } } },
    maxima: [{ devices: 20 }, { devices: 20 }],
    counts: { tenant: { points: -10 } },
  },
  {
    what: 'people leave, all of them covered',
    before: { scores: { ...full, devices: 16 }, reach: { devices: { covered: 80, total: 100 } } },
    after: { scores: { ...full, devices: 12 }, reach: { devices: { covered: 30, total: 50 } } },
    maxima: [{ devices: 20 }, { devices: 20 }],
    counts: { tenant: { points: -4 } },
  },
  {
    what: 'only the number of users moves',
    before: { licensed: 120 },
    after: { licensed: 90, active: 80 },
    counts: { tenant: { licensedUsersMoved: -30, activeUsersMoved: -30, points: 0 } },
  },
])('$what: not counted, but told apart', ({ before, after, maxima, counts }) => {
  const first = evaluate(nothing, dayOf({ day: '2026-11-10', scores: full, ...before }), {
    profiles: profilesOf(maxima?.[0] ?? {}),
  });
  const threshold = { percent: null, points: 1 };
  const profiles = profilesOf(maxima?.[1] ?? {});
  const day = dayOf({ day: '2026-11-11', scores: full, ...after });
  expect(evaluate(first, day, { profiles, threshold }).tell).toEqual([]);
  // A fall on the same day is told with what is not counted beside it.
  const worse = evaluate(
    first,
    { ...day, controls: day.controls.map((one) => (one.name === 'mfa' ? { ...one, score: 4 } : one)) },
    { profiles, threshold },
  );
  expect(worse.tell).toMatchObject([{ kind: 'opened', facts: { points: 6, notCounted: counts } }]);
});

test('who is no longer covered is a loss, also while people come', () => {
  const profiles = profilesOf({ devices: 20 });
  const at = (day: string, covered: number, total: number): EvaluatedSnapshot =>
    dayOf({ day, scores: { devices: (20 * covered) / total }, reach: { devices: { covered, total } } });
  const first = evaluate(nothing, at('2026-11-10', 80, 100), { profiles });
  const after = evaluate(first, at('2026-11-11', 20, 125), { profiles });
  // 80 of 125 would be 12.8 points; 20 of 125 are 3.2.
  expect(after.tell).toMatchObject([{ facts: { points: 9.6, notCounted: { tenant: { points: -3.2 } } } }]);
});

test('numbers that do not fit the score explain nothing', () => {
  const profiles = profilesOf({ devices: 20 });
  const at = (day: string, score: number, total: number): EvaluatedSnapshot =>
    dayOf({ day, scores: { devices: score }, reach: { devices: { covered: 3, total } } });
  const first = evaluate(nothing, at('2026-11-10', 20, 100), { profiles });
  expect(evaluate(first, at('2026-11-11', 10, 200), { profiles }).tell).toMatchObject([
    { facts: { points: 10 } },
  ]);
});

test('days that were missed make no difference: one fall, one telling with the total', () => {
  const all = days({}, { mfa: 8 }, { mfa: 4 }, { mfa: 4, reset: 1 }, { mfa: 0, reset: 0 });
  const [first, , , , last] = all;
  expect(first && last && told([first, last])).toEqual(['2026-11-14 opened 16']);
});

test('an older day, and a day without any control, are no days', () => {
  const [first, second, third] = days({}, { mfa: 9 }, { mfa: 0 });
  if (first === undefined || second === undefined || third === undefined) throw new Error('three days');
  const before = evaluate(nothing, second);
  for (const none of [first, { ...third, controls: [], current: 0 }]) {
    const after = evaluate(before, none);
    expect(after.tell).toEqual([]);
    expect(after.baseline).toBe(before.baseline);
  }
  expect(evaluate(before, third).tell).toMatchObject([{ facts: { points: 9 } }]);
});

test('a control that is missing for a day hides no fall', () => {
  const { mfa: _, ...without } = full;
  const hole = dayOf({ day: '2026-11-11', scores: without });
  const lower = (day: string): EvaluatedSnapshot => dayOf({ day, scores: { ...full, mfa: 0 } });
  const first = dayOf({ day: '2026-11-10', scores: full });
  expect(told([first, hole, lower('2026-11-12')])).toEqual(['2026-11-12 opened 10']);
  expect(told([first, hole, lower('2026-11-18')])).toEqual(['2026-11-18 opened 10']);
  expect(told([first, hole, dayOf({ day: '2026-11-19', scores: without }), lower('2026-11-20')])).toEqual([]);
});

test('a control that was told and is missing for some days is not back; one that stays away is over', () => {
  const { mfa: _, ...without } = full;
  const [first, low] = days({}, { mfa: 4 }) as [EvaluatedSnapshot, EvaluatedSnapshot];
  const hole = (day: string): EvaluatedSnapshot => dayOf({ day, scores: without });
  const still = dayOf({ day: '2026-11-14', scores: { ...full, mfa: 4 } });
  expect(told([first, low, hole('2026-11-12'), hole('2026-11-13'), still])).toEqual(['2026-11-11 opened 6']);
  const lower = dayOf({ day: '2026-11-14', scores: { ...full, mfa: 0, reset: 5 } });
  expect(told([first, low, hole('2026-11-12'), lower])).toEqual([
    '2026-11-11 opened 6',
    '2026-11-14 worsened 11',
  ]);
  expect(told([first, low, hole('2026-11-12'), hole('2026-11-19'), hole('2026-11-20')])).toEqual([
    '2026-11-11 opened 6',
    '2026-11-20 resolved 0',
  ]);
});

test('what Microsoft added counts from its first day on, also after a small fall', () => {
  const along = days({}, { mfa: 9, fresh: 6 }, { mfa: 9, fresh: 0 });
  expect(told(along)).toEqual(['2026-11-12 opened 7']);
});

test('the facts: by loss, then name, with what to do first', () => {
  const profiles = [
    aProfile('old', 'Something retired', 4, { deprecated: true }),
    aProfile('reset', 'Self-service password reset', 6, { actionUrl: 'https://entra.microsoft.com/reset' }),
    aProfile('links', 'Turn on Safe Links', 9),
  ];
  const along = days({}, { old: 0, reset: 3, mfa: 7, links: 8, devices: 21 });
  const first = evaluate(nothing, along[0] as EvaluatedSnapshot, { profiles });
  const [tell] = evaluate(first, along[1] as EvaluatedSnapshot, { profiles }).tell;
  expect(tell).toMatchObject({ kind: 'opened', generation: 1, severity: 'medium', rule: 'scoreDrop' });
  expect(tell?.facts).toMatchObject({
    since: '2026-11-10',
    day: '2026-11-11',
    before: { current: 49, max: 500 },
    after: { current: 39, max: 500 },
    points: 11,
    further: 11,
    gained: 1,
    regressed: [
      { name: 'old', title: 'Something retired', from: 4, to: 0, points: 4 },
      { name: 'mfa', title: 'mfa', points: 3 },
      { name: 'reset', title: 'Self-service password reset', points: 3 },
      { name: 'links', title: 'Turn on Safe Links', points: 1 },
    ],
    first: { title: 'mfa', points: 3, actionUrl: null },
  });
  expect(tell?.facts.percent).toBeCloseTo(2.2, 9);
});

test.each([
  { lost: 0.99, is: 'low' },
  { lost: 1, is: 'medium' },
  { lost: 2.999, is: 'medium' },
  { lost: 3, is: 'high' },
  { lost: 10, is: 'critical' },
])('losing $lost percent is $is', ({ lost, is }) => {
  const along = [20, 20 - lost].map((c, i) => dayOf({ day: `2026-11-1${i}`, scores: { c }, max: 100 }));
  const first = evaluate(nothing, along[0] as EvaluatedSnapshot);
  const after = evaluate(first, along[1] as EvaluatedSnapshot, { threshold: { percent: 0.5, points: null } });
  expect(after.tell[0]?.severity).toBe(is);
});

const by = { who: 'Ana Reyes', at: '2026-11-20T08:00:00.000Z', why: 'asked the customer' };
const [start, fell, further, back] = days({}, { mfa: 4 }, { mfa: 0, reset: 5 }, {}) as [
  EvaluatedSnapshot,
  EvaluatedSnapshot,
  EvaluatedSnapshot,
  EvaluatedSnapshot,
];
const standing = evaluate(evaluate(nothing, start), fell);
const finding = standing.finding as DropFinding;

test('acknowledged stays acknowledged when it worsens, and the worsening is told', () => {
  const done = acknowledge(finding, by);
  if (done.kind !== 'done') throw new Error(done.kind);
  const worse = evaluate({ ...standing, finding: done.finding }, further);
  expect(worse.tell).toMatchObject([{ kind: 'worsened', step: 1 }]);
  expect(worse.finding?.state).toBe('acknowledged');
  const over = evaluate(worse, { ...back });
  expect(over.tell).toMatchObject([{ kind: 'resolved' }]);
  expect(over.finding?.state).toBe('resolved');
});

test.each([
  { aside: { kind: 'snoozed' as const, until: '2026-11-27T00:00:00.000Z' } },
  { aside: { kind: 'accepted' as const, until: '2026-11-27T00:00:00.000Z', by: 'Ana', second: 'Bo' } },
  { aside: { kind: 'held' as const, reason: 'the channel is shared' } },
])('$aside.kind: nothing worse is told until it is over, then it is, once', ({ aside }) => {
  const done = putAside(finding, aside, by);
  if (done.kind !== 'done') throw new Error(done.kind);
  const quiet = evaluate({ ...standing, finding: done.finding }, further);
  expect(quiet.tell).toEqual([]);
  const released = aside.kind === 'held' ? release(done.finding, by) : null;
  const woken = { ...quiet, finding: released?.kind === 'done' ? released.finding : quiet.finding };
  const after = evaluate(woken, further, { now: '2026-11-27T00:00:00.000Z' });
  expect(after.tell).toMatchObject([{ kind: 'worsened', step: 1, facts: { points: 11 } }]);
  expect(evaluate(after, further, { now: '2026-11-27T00:00:00.000Z' }).tell).toEqual([]);
  // Its end is told whatever was put aside, and takes that away.
  const over = evaluate(quiet, back);
  expect(over.tell).toMatchObject([{ kind: 'resolved' }]);
  expect(over.finding?.aside).toBeUndefined();
});

test('a crash before the baseline was saved tells the same again, with the same id, and then nothing', () => {
  const before = evaluate(nothing, start);
  const crashed = { baseline: before.baseline, finding };
  const again = evaluate(crashed, fell);
  expect(again.tell).toEqual([lastTransition(finding)]);
  expect(again.finding).toBe(finding);
  expect(again.baseline).toEqual(standing.baseline);
  expect(evaluate(again, fell).tell).toEqual([]);
  // A newer day came meanwhile: what was not finished first, then what is new.
  const later = evaluate(crashed, further);
  expect(later.tell.map(({ name }) => name)).toEqual(['opened', 'worsened']);
  // The same after the end.
  const over = evaluate(standing, back);
  const repeated = evaluate({ ...standing, finding: over.finding }, back);
  expect(repeated.tell).toEqual(over.tell);
  expect(repeated.baseline).toEqual(over.baseline);
});

test('nothing new leaves finding and baseline the very same', () => {
  const after = evaluate(standing, fell);
  expect(after.finding).toBe(standing.finding);
  expect(after.baseline).toBe(standing.baseline);
});

test('without its baseline, a finding that stands is not taken for recovered', () => {
  const after = evaluate({ baseline: null, finding }, fell);
  expect(after.finding).toBe(finding);
  const next = evaluate(after, { ...fell, day: '2026-11-12' });
  expect(next.tell).toEqual([]);
  expect(evaluate(next, { ...back, day: '2026-11-13' }).tell).toMatchObject([{ kind: 'resolved' }]);
});

test('a higher threshold closes what is less than half of it', () => {
  const after = evaluate(standing, fell, { threshold: { percent: null, points: 12 } });
  expect(after.tell).toMatchObject([{ kind: 'resolved', facts: { points: 6 } }]);
});

test('who hears only of larger losses hears when it has become one, though others heard of it before', () => {
  const threshold = { percent: null, points: 4 };
  const thresholds = [threshold, { percent: null, points: 5 }];
  const along = days({}, { mfa: 6 }, { mfa: 4 }, { mfa: 5.5 }, { mfa: 4 });
  expect(told(along, { threshold, thresholds })).toEqual(['2026-11-11 opened 4', '2026-11-12 worsened 6']);
  expect(told(along, { threshold })).toEqual(['2026-11-11 opened 4']);
});
