import { expect, test } from '@jest/globals';
import { nextOf, repeatAfterMs, retryAfterMs } from '../../bot/jobs/send-plan.ts';
import type { OutboxRow } from '../../bot/services.ts';
import { falls } from '../cards/fallen.ts';

const now = '2026-11-20T06:00:00.000Z';
const later = '2026-11-20T06:01:00.000Z';
const { transition } = falls().opened;

/** "a opened", "a worsened later", "b resolved maybe": a finding, what is told of it, and how it waits. */
function row(text: string, at: number): OutboxRow {
  const [id = '', kind = '', how] = text.split(' ');
  return {
    id: text,
    tenantId: transition.tenantId,
    conversationId: '19:ops',
    finding: { id, generation: 1, transition: kind },
    kind: kind as OutboxRow['kind'],
    transition,
    state: 'waiting',
    createdAt: `2026-11-20T05:00:00.${String(at).padStart(3, '0')}Z`,
    dueAt: how === 'later' ? later : now,
    attempts: 0,
    unclear: 0,
    maybeSent: how === 'maybe',
  };
}
const many = (n: number, how = '') => Array.from({ length: n }, (_, at) => `f${at} opened ${how}`.trim());

test.each([
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
])('of $waits.length that wait first $next', ({ waits, next }) => {
  const found = nextOf(waits.map(row), now);
  const rows = found.kind === 'nothing' ? [] : found.kind === 'one' ? [found.row] : found.rows;
  expect(rows.map(({ id }) => id)).toEqual(next);
});

test('an unclear one is repeated after half a minute at the earliest, six times within a day', () => {
  const waits = [1, 2, 3, 4, 5, 6].map((unclear) => repeatAfterMs(unclear) ?? 0);
  expect(waits[0]).toBe(30_000);
  expect(waits).toEqual([...waits].sort((a, b) => a - b));
  expect(waits.reduce((sum, ms) => sum + ms)).toBeLessThan(86_400_000);
  expect(repeatAfterMs(7)).toBeNull();
});

test.each([
  { waited: 0, ms: 10_000 },
  { waited: 60_000, ms: 30_000 },
  { waited: 86_400_000, ms: 900_000 },
])('what waited $waited ms is tried again after $ms ms', ({ waited, ms }) => {
  expect(retryAfterMs(waited)).toBe(ms);
});
