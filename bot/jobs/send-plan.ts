import type { Severity } from '../../shared/alerts/finding.ts';
import type { Instant } from '../../shared/time.ts';
import type { OutboxRow } from '../services.ts';

/** What goes next of all that waits for one conversation. */
export type Next =
  | { kind: 'nothing' }
  | { kind: 'one'; row: OutboxRow }
  /** So many at once that each by itself would be a flood: one card that lists them. */
  | { kind: 'collapsed'; rows: OutboxRow[] };

const mostSingle = 10;
const mostListed = 30;

/**
 * Oldest first; what is not due yet holds back only what tells of the same finding, so that a finding's news comes in
 * order. When more than 10 falls are to be told, up to 30 of them go together: those that may have arrived before
 * apart from those that surely have not, since only the former say so. Of those that may have arrived the ones that do
 * not press go together from two on (R38). `apart`: nothing goes together.
 */
export function nextOf(waiting: readonly OutboxRow[], now: Instant, { apart = false } = {}): Next {
  const held = new Set<string>();
  const ready: OutboxRow[] = [];
  for (const row of waiting) {
    if (held.has(row.finding.id)) continue;
    if (row.dueAt > now) held.add(row.finding.id);
    else ready.push(row);
  }
  const [first] = ready;
  if (first === undefined) return { kind: 'nothing' };
  // News of one rule goes together: a card that lists falls says nothing of connections.
  const falls = leadingFalls(ready).filter(({ transition }) => transition.rule === first.transition.rule);
  if (apart || !falls.includes(first)) return { kind: 'one', row: first };
  if (mayWait(first)) {
    const listed = alike(falls, mayWait);
    if (listed.length > 1) return { kind: 'collapsed', rows: listed.slice(0, mostListed) };
  }
  if (falls.length <= mostSingle) return { kind: 'one', row: first };
  const same = alike(falls, ({ maybeSent }) => maybeSent === first.maybeSent);
  return { kind: 'collapsed', rows: same.slice(0, mostListed) };
}

/** It may be there already, and does not press. */
function mayWait({ maybeSent, transition }: OutboxRow): boolean {
  return maybeSent && !isPressing(transition.severity);
}

/** Falls before which nothing else of the same finding waits. */
function leadingFalls(ready: readonly OutboxRow[]): OutboxRow[] {
  const behind = new Set<string>();
  return ready.filter((row) => {
    const isFall = row.kind === 'opened' || row.kind === 'reopened' || row.kind === 'worsened';
    if (!isFall) behind.add(row.finding.id);
    return isFall && !behind.has(row.finding.id);
  });
}

/** Those that `belong`; none that would overtake one of the same finding. */
function alike(falls: readonly OutboxRow[], belongs: (row: OutboxRow) => boolean): OutboxRow[] {
  const skipped = new Set<string>();
  return falls.filter((row) => {
    if (!belongs(row)) skipped.add(row.finding.id);
    return !skipped.has(row.finding.id);
  });
}

/** Must somebody act on it today, so that hearing of it twice is better than late (R38)? */
export function isPressing(severity: Severity): boolean {
  return severity === 'critical' || severity === 'high';
}

const inSeconds = (seconds: number[]): number[] => seconds.map((one) => one * 1_000);
const soon = inSeconds([30, 60, 300, 1_800, 7_200, 21_600]);
const unhurried = inSeconds([300, 1_800, 7_200]);

/**
 * How long until it is repeated when so many attempts are unclear; null when it is not repeated any more. Nobody can
 * read back whether it arrived, so that severity decides (R38): what presses is repeated soon and six times, the rest
 * after minutes and three times.
 */
export function repeatAfterMs(unclear: number, severity: Severity): number | null {
  return (isPressing(severity) ? soon : unhurried)[unclear - 1] ?? null;
}

/** How long until it is tried again what surely was not taken: the longer it waits already, the longer. */
export function retryAfterMs(waitingMs: number): number {
  return Math.min(900_000, Math.max(10_000, Math.round(waitingMs / 2)));
}

/** What could not be told for so long is not news any more. */
export const givenUpAfterMs = 7 * 86_400_000;
