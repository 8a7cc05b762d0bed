/** At most this many tries of one request, the first included. */
export const maxTries = 5;
const hour = 3_600_000;

/**
 * How long Microsoft asks us to wait, in milliseconds: `Retry-After` as seconds or as an HTTP date, at most an hour.
 * Undefined when it is absent, zero, negative, past or unreadable: then our own back-off counts (Graph counts early
 * retries against us). A date is compared with the answer's own `date`, so that a wrong clock here does no harm.
 */
export function askedToWait(headers: Readonly<Record<string, string>>, now: number): number | undefined {
  const value = headers['retry-after']?.trim();
  if (value === undefined || value === '') return undefined;
  if (/^[+-]?\d+(\.\d+)?$/.test(value)) return clamp(Math.ceil(Number(value) * 1000));
  const at = Date.parse(value);
  if (!Number.isFinite(at)) return undefined;
  const theirs = Date.parse(headers.date ?? '');
  return clamp(at - (Number.isFinite(theirs) ? theirs : now));
}

function clamp(ms: number): number | undefined {
  return ms > 0 ? Math.min(ms, hour) : undefined;
}

/**
 * Our own wait before try `tries + 1`, without a word from Microsoft: full jitter below 2, 4, 8 … 64 s, but at least
 * 1 s. `random` is in [0, 1).
 */
export function backOff(tries: number, random: () => number): number {
  const most = Math.min(64_000, 2_000 * 2 ** Math.max(0, tries - 1));
  return 1_000 + Math.floor(random() * (most - 1_000));
}
