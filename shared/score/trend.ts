import { type Day, plusDays } from '../time.ts';
import { decimal } from '../words.ts';

const blocks = '▁▂▃▄▅▆▇█';
/** A day without a snapshot. */
const gap = '·';
/** The line never magnifies less than this many percentage points to full height: noise shall look like noise. */
const smallestRange = 1;

const dayMs = 86_400_000;

function startOf(day: Day): number {
  return Date.parse(`${day}T00:00:00Z`);
}

export type TrendLine = {
  /** One character a day, oldest first. */
  line: string;
  low: number;
  high: number;
  /** Days from the first known one to `until`. */
  days: number;
  missing: number;
  /** "57.6–66.0 %": the line's scale in words. */
  range: string;
};

/**
 * The last `length` days up to and including `until` as a line of blocks that fits the data; null with fewer than
 * two known days. The line begins with the first day known in that window.
 */
export function trendLine(
  trend: readonly { day: Day; percent: number | null }[],
  until: Day,
  length = 30,
): TrendLine | null {
  const first = plusDays(until, 1 - length);
  const last = startOf(until);
  // By position in the window; days are compared as text, so only those inside are turned into times.
  const values = new Array<number | undefined>(length).fill(undefined);
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { day, percent } of trend) {
    if (percent === null || !Number.isFinite(percent) || day < first || day > until) continue;
    values[length - 1 - Math.round((last - startOf(day)) / dayMs)] = percent;
    low = Math.min(low, percent);
    high = Math.max(high, percent);
  }
  const known = values.filter((value) => value !== undefined).length;
  if (known < 2) return null;
  const range = Math.max(high - low, smallestRange);
  // With the range widened, the data sits in its middle.
  const bottom = low - (range - (high - low)) / 2;
  const line = values
    .slice(values.findIndex((value) => value !== undefined))
    .map((value) =>
      value === undefined ? gap : blocks[Math.min(7, Math.floor(((value - bottom) / range) * 8))],
    )
    .join('');
  return {
    line,
    low,
    high,
    days: line.length,
    missing: line.length - known,
    range:
      decimal(low) === decimal(high) ? `${decimal(low)}\u2009%` : `${decimal(low)}–${decimal(high)}\u2009%`,
  };
}
