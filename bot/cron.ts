import { CronExpressionParser } from 'cron-parser';
import { type Cadence, cronFor } from '../shared/tenants/cadence.ts';
import { type Instant, millis } from '../shared/time.ts';

const minute = 60_000;
/** For the reading itself, and for a try that had to be repeated. */
const graceMs = 5 * minute;

/**
 * So much later than the scores the directory of a tenant is read when both are wanted now: somebody waits for the
 * scores, and a tenant has only four requests at once for all of it.
 */
export const directoryAfterMs = 2_000;

/** Milliseconds since 1970. `before`, `last` and `next` follow each other; `last` is not later than the moment asked about. */
export type CronTimes = { before: number; last: number; next: number; interval: number };

/**
 * The times of a cron expression (UTC) around `at`; `interval` is the time from `next` to the one after it. Throws for
 * a text that is no cron expression.
 */
export function cronTimes(cron: string, at: number): CronTimes {
  // Computing them costs a millisecond, and they hold until the next one: the last answer of each is kept.
  const known = kept.get(cron);
  if (known !== undefined && known.last <= at && at < known.next) return known;
  const ahead = CronExpressionParser.parse(cron, { currentDate: new Date(at), tz: 'UTC' });
  const next = ahead.next().getTime();
  const interval = ahead.next().getTime() - next;
  const back = CronExpressionParser.parse(cron, { currentDate: new Date(next), tz: 'UTC' });
  const last = back.prev().getTime();
  const times = { before: back.prev().getTime(), last, next, interval };
  if (kept.size >= mostKept) kept.clear();
  kept.set(cron, times);
  return times;
}

/** Tenants choose among a few expressions. */
const mostKept = 32;
const kept = new Map<string, CronTimes>();

/** Over how long the tenants' turns are spread after a time of the expression: half the interval, at most an hour. */
export function spreadMs(interval: number): number {
  return Math.min(interval / 2, 60 * minute);
}

/**
 * How old in milliseconds something read by this expression may be at `now` before it is called stale: older, and two
 * turns of its tenant in a row were missed. Asked of the times themselves, because they need not be evenly spread:
 * what is read on working days only is not stale on a Sunday.
 */
export function staleAfterMs(cron: string, now: Instant): number {
  const at = millis(now);
  const due = cronTimes(cron, at);
  // A tenant whose turn after the last time has not come yet has not missed it.
  return at - cronTimes(cron, at - spreadMs(due.next - due.last) - graceMs).before;
}

/**
 * How old in milliseconds the scores of a tenant may be at `now`, each by its own expression: for lists, worked out
 * once for all tenants that share one.
 */
export function staleBy(
  settings: { syncScores: string; syncDirectory: string },
  now: Instant,
): (tenant: { cadence?: Cadence }) => number {
  const known = new Map<string, number>();
  return (tenant) => {
    const cron = cronFor(tenant, 'scores', settings);
    const before = known.get(cron);
    if (before !== undefined) return before;
    const ms = staleAfterMs(cron, now);
    known.set(cron, ms);
    return ms;
  };
}
