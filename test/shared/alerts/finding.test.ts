import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { findingId, framed, lastTransition, mostHistory } from '../../../shared/alerts/finding.ts';
import { acknowledge, acknowledgedBy, isTakenOn, putAside, release } from '../../../shared/alerts/people.ts';
import type { DropFinding } from '../../../shared/alerts/score-drop.ts';
import { reopened, resolved, worsened } from '../../../shared/alerts/tell.ts';
import type { EvaluatedSnapshot } from '../../../shared/score/score.ts';
import { idOf } from '../../cards/samples.ts';
import { count, seed } from '../../support/counts.ts';
import { dayOf, digest, evaluate, morning, nothing } from './drops.ts';

const [before, after] = [10, 4].map((mfa, i) => dayOf({ day: `2026-11-1${i}`, scores: { mfa } })) as [
  EvaluatedSnapshot,
  EvaluatedSnapshot,
];
const finding = evaluate(evaluate(nothing, before), after).finding as DropFinding;
const { facts, severity } = finding;
const news = { facts, severity, at: '2026-11-21T06:00:00.000Z', why: 'lost more' };
const ana = { who: 'Ana Reyes', at: '2026-11-20T08:00:00.000Z', why: '' };
const bo = { who: 'Bo Lind', at: '2026-11-20T09:00:00.000Z', why: '' };

test('the same trouble has the same id, other tenants, rules and objects have others', () => {
  expect(finding.id).toBe(findingId(idOf(1), 'scoreDrop', 'secureScore', digest));
  expect(findingId(idOf(2), 'scoreDrop', 'secureScore', digest)).not.toBe(finding.id);
  expect(findingId(idOf(1), 'scoreDrop', 'secureScores', digest)).not.toBe(finding.id);
});

test('no two lists of texts are framed alike', () => {
  const texts = fc.array(fc.string({ unit: fc.constantFrom('a', '1', ':', ',', '|') }), { maxLength: 4 });
  fc.assert(
    fc.property(texts, texts, (one, other) => {
      expect(framed(one) === framed(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
    }),
    { seed, numRuns: count(500, 20_000) },
  );
});

test('every transition has a key and a name of its own, and no date is in them', () => {
  const all = [finding, worsened(finding, news), worsened(worsened(finding, news), news)];
  const over = resolved(finding, news);
  const told = [...all, over, reopened(over, news), worsened(reopened(over, news), news)].map(lastTransition);
  expect(told.map(({ name, generation, step }) => `${generation} ${name} ${step}`)).toEqual([
    '1 opened 0',
    '1 worsened 1',
    '1 worsened-2 2',
    '1 resolved 0',
    '2 reopened 0',
    '2 worsened 1',
  ]);
  expect(new Set(told.map(({ id }) => id)).size).toBe(told.length);
  expect(told.map(({ id }) => id).join()).not.toMatch(/2026/);
  expect(lastTransition(worsened(finding, { ...news, at: '2030-01-01T00:00:00.000Z' })).id).toBe(told[1]?.id);
});

test('acknowledging is kept with who and when, once; who comes later changes nothing', () => {
  const done = acknowledge(finding, ana);
  if (done.kind !== 'done') throw new Error(done.kind);
  expect(done.finding.state).toBe('acknowledged');
  expect(acknowledgedBy(done.finding)).toEqual({ who: 'Ana Reyes', at: ana.at });
  expect(acknowledge(done.finding, bo)).toEqual({ kind: 'already', finding: done.finding });
  expect(lastTransition(done.finding)).toEqual(lastTransition(finding));
  expect(acknowledgedBy(finding)).toBeNull();
});

test('what became worse since is acknowledged anew, with the earlier one as history', () => {
  const first = acknowledge(finding, ana);
  if (first.kind !== 'done') throw new Error(first.kind);
  expect(isTakenOn(first.finding)).toBe(true);
  const worse = worsened(first.finding, { ...news, at: '2030-01-01T00:00:00.000Z' });
  // Contracts §5: the state stays, also when somebody takes note anew.
  expect(worse.state).toBe('acknowledged');
  expect(isTakenOn(worse)).toBe(false);
  const later = { ...bo, at: '2030-01-01T09:00:00.000Z' };
  const second = acknowledge(worse, later);
  if (second.kind !== 'done') throw new Error(second.kind);
  expect(isTakenOn(second.finding)).toBe(true);
  expect(second.finding.history.slice(-2)).toMatchObject([
    { what: 'worsened' },
    { what: 'acknowledged', who: bo.who, from: 'acknowledged', to: 'acknowledged' },
  ]);
  expect(acknowledgedBy(second.finding)).toEqual({ who: bo.who, at: later.at });
  expect(lastTransition(second.finding)).toEqual(lastTransition(worse));
  expect(acknowledge(second.finding, ana).kind).toBe('already');
});

test('what is over cannot be acknowledged or put aside; open again, nobody has acknowledged it', () => {
  const done = acknowledge(finding, ana);
  if (done.kind !== 'done') throw new Error(done.kind);
  const over = resolved(done.finding, news);
  expect(acknowledge(over, bo).kind).toBe('refused');
  expect(putAside(over, { kind: 'held', reason: 'r' }, bo).kind).toBe('refused');
  const again = reopened(over, news);
  expect(again).toMatchObject({ state: 'open', generation: 2, worsenings: 0 });
  expect(acknowledgedBy(again)).toBeNull();
});

test.each([
  { aside: { kind: 'snoozed' as const, until: ana.at }, says: 'past' },
  {
    aside: { kind: 'accepted' as const, until: '2027-01-01T00:00:00.000Z', by: 'Ana', second: 'Ana' },
    says: 'two people',
  },
])('$aside.kind is refused: $says', ({ aside, says }) => {
  expect(putAside(finding, aside, ana)).toMatchObject({ kind: 'refused', say: expect.stringMatching(says) });
});

test('put aside and taken back, with its past', () => {
  const held = putAside(finding, { kind: 'held', reason: 'shared channel' }, ana);
  if (held.kind !== 'done') throw new Error(held.kind);
  const back = release(held.finding, bo);
  if (back.kind !== 'done') throw new Error(back.kind);
  expect(back.finding.aside).toBeUndefined();
  expect(release(back.finding, bo).kind).toBe('already');
  expect(back.finding.history.map(({ who, what, from, to }) => `${who}: ${what} ${from}→${to}`)).toEqual([
    'Watchpost: opened null→open',
    'Ana Reyes: held open→open',
    'Bo Lind: released open→open',
  ]);
  expect(back.finding.history[0]?.at).toBe(morning);
});

test('the past is bounded, the newest stays', () => {
  let one = finding;
  for (let i = 0; i < mostHistory * 2; i++) one = worsened(one, news);
  expect(one.history).toHaveLength(mostHistory);
  expect(one.history.at(-1)?.what).toBe('worsened');
  expect(one.worsenings).toBe(mostHistory * 2);
});
