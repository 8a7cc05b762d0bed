import { expect, test } from '@jest/globals';
import { nextOf, repeatAfterMs, retryAfterMs } from '../../bot/jobs/send-plan.ts';
import type { OutboxRow } from '../../bot/services.ts';
import { falls } from '../cards/fallen.ts';

const now = '2026-11-20T06:00:00.000Z';
const later = '2026-11-20T06:01:00.000Z';
const { transition } = falls().opened;

/** "a opened", "a worsened later", "b resolved maybe": a finding, what is told of it, and how it waits; "maybe-low" too. */
function row(text: string, at: number): OutboxRow {
  const [id = '', kind = '', how] = text.split(' ');
  return {
    id: text,
    tenantId: transition.tenantId,
    conversationId: '19:ops',
    finding: { id, generation: 1, transition: kind },
    kind: kind as OutboxRow['kind'],
    transition: how === 'maybe-low' ? { ...transition, severity: 'low' } : transition,
    state: 'waiting',
    createdAt: `2026-11-20T05:00:00.${String(at).padStart(3, '0')}Z`,
    dueAt: how === 'later' ? later : now,
    attempts: 0,
    unclear: 0,
    maybeSent: how?.startsWith('maybe') === true,
  };
}
const many = (n: number, how = '') => Array.from({ length: n }, (_, at) => `f${at} opened ${how}`.trim());

test.each<{ waits: string[]; next: string[]; apart?: boolean }>([
  { waits: [], next: [] },
  { waits: ['a opened', 'b opened'], next: ['a opened'] },
  { waits: ['a opened later', 'b opened'], next: ['b opened'] },
  { waits: ['a opened later', 'a worsened', 'b opened'], next: ['b opened'] },
  { waits: ['a opened later', 'a resolved'], next: [] },
  { waits: many(10), next: ['f0 opened'] },
  { waits: many(11), next: many(11) },
  { waits: many(40), next: many(30) },
  { waits: ['a resolved', ...many(11)], next: ['a resolved'] },
  { waits: [...many(11), 'a refresh', 'a reopened'], next: many(11) },
  // What may have arrived says so; what surely has not must not.
  { waits: [...many(6, 'maybe'), 'a opened', ...many(6).map((one) => `x${one}`)], next: many(6, 'maybe') },
  {
    waits: ['a opened', 'f0 opened maybe', 'f0 worsened', ...many(11).slice(1)],
    next: ['a opened', ...many(11).slice(1)],
  },
  // What does not press goes together when it may be there already; what presses comes by itself, and soon.
  { waits: ['a opened maybe-low'], next: ['a opened maybe-low'] },
  { waits: many(3, 'maybe-low'), next: many(3, 'maybe-low') },
  { waits: many(3, 'maybe'), next: ['f0 opened maybe'] },
  { waits: many(40, 'maybe-low'), next: many(30, 'maybe-low') },
  { waits: ['a opened maybe', ...many(3, 'maybe-low')], next: ['a opened maybe'] },
  {
    waits: [
      'a opened maybe-low',
      'b opened',
      'c worsened maybe',
      'd reopened maybe-low',
      'c opened maybe-low',
    ],
    next: ['a opened maybe-low', 'd reopened maybe-low'],
  },
  { waits: ['a resolved maybe-low', 'b opened maybe-low'], next: ['a resolved maybe-low'] },
  { waits: many(12), apart: true, next: ['f0 opened'] },
  { waits: many(12, 'maybe-low'), apart: true, next: ['f0 opened maybe-low'] },
])('of $waits.length that wait first $next', ({ waits, next, apart }) => {
  const found = nextOf(waits.map(row), now, { apart });
  const rows = found.kind === 'nothing' ? [] : found.kind === 'one' ? [found.row] : found.rows;
  expect(rows.map(({ id }) => id)).toEqual(next);
});

test.each([
  { severity: 'critical', first: 30_000, times: 6 },
  { severity: 'high', first: 30_000, times: 6 },
  { severity: 'medium', first: 300_000, times: 3 },
  { severity: 'low', first: 300_000, times: 3 },
] as const)(
  'an unclear one that is $severity is repeated after $first ms, $times times within a day',
  ({ severity, first, times }) => {
    const waits = Array.from({ length: times }, (_, n) => repeatAfterMs(n + 1, severity) ?? 0);
    expect(waits[0]).toBe(first);
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
    expect(waits.reduce((sum, ms) => sum + ms)).toBeLessThan(86_400_000);
    expect(repeatAfterMs(times + 1, severity)).toBeNull();
  },
);

test.each([
  { waited: 0, ms: 10_000 },
  { waited: 60_000, ms: 30_000 },
  { waited: 86_400_000, ms: 900_000 },
])('what waited $waited ms is tried again after $ms ms', ({ waited, ms }) => {
  expect(retryAfterMs(waited)).toBe(ms);
});
