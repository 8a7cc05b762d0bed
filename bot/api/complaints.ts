import type { Log, LogFields } from '../log.ts';

const everyMs = 60_000;
/** Reasons are our own words and codes of a library: far fewer. More than these share one place. */
const mostReasons = 50;

/**
 * Log lines about what strangers send: a wrong setting shows itself, and a flood does not fill the log. One line a
 * minute for each reason, with the number of those that were left out since the line before. `monotonic`: milliseconds.
 */
export function openComplaints(
  log: Pick<Log, 'warn'>,
  message: string,
  monotonic: () => number = () => performance.now(),
): (fields: LogFields) => void {
  const last = new Map<string, { at: number; leftOut: number }>();
  return (fields) => {
    const reason = fields.reason ?? fields.code ?? '';
    const key = last.has(reason) || last.size < mostReasons ? reason : 'others';
    const before = last.get(key);
    const at = monotonic();
    if (before !== undefined && at - before.at < everyMs) {
      before.leftOut += 1;
      return;
    }
    last.set(key, { at, leftOut: 0 });
    const count = before?.leftOut ?? 0;
    log.warn(
      count === 0 ? fields : { ...fields, count },
      `${message}; more of the same kind are not logged for a minute`,
    );
  };
}
