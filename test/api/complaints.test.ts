import { expect, test } from '@jest/globals';
import { openComplaints } from '../../bot/api/complaints.ts';
import type { LogFields } from '../../bot/log.ts';

function listening(): { clock: { ms: number }; lines: LogFields[]; complain: (fields: LogFields) => void } {
  const clock = { ms: 0 };
  const lines: LogFields[] = [];
  const log = { warn: (fields: LogFields) => lines.push(fields) };
  return { clock, lines, complain: openComplaints(log, 'token refused', () => clock.ms) };
}

test('a thousand refusals of one kind are one line a minute, and the next one says how many there were', () => {
  const { clock, lines, complain } = listening();
  for (let n = 0; n < 1_000; n += 1) {
    clock.ms = n * 59;
    complain({ reason: 'client' });
  }
  expect(lines).toEqual([{ reason: 'client' }]);
  clock.ms = 60_000;
  complain({ reason: 'client' });
  expect(lines).toEqual([{ reason: 'client' }, { reason: 'client', count: 999 }]);
});

test('each reason has a line of its own, also one that is a code', () => {
  const { lines, complain } = listening();
  for (const fields of [{ reason: 'time' }, { reason: 'key' }, { code: 'service-error' }]) {
    complain(fields);
    complain(fields);
  }
  expect(lines).toEqual([{ reason: 'time' }, { reason: 'key' }, { code: 'service-error' }]);
});

test('reasons without end do not make lines without end', () => {
  const { lines, complain } = listening();
  for (let n = 0; n < 10_000; n += 1) complain({ reason: `reason ${n}` });
  expect(lines.length).toBeLessThan(60);
});
