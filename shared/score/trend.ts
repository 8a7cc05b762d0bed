import { type Day, plusDays } from '../time.ts';
import { decimal } from '../words.ts';

const blocks = '▁▂▃▄▅▆▇█';
/** A day without a snapshot. */
const gap = '·';
/** The line never magnifies less than this many percentage points to full height: noise shall look like noise. */
const smallestRange = 1;

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
  const known = new Map<Day, number>();
  for (const { day, percent } of trend) {
    if (percent !== null && Number.isFinite(percent) && day >= first && day <= until) known.set(day, percent);
  }
  if (known.size < 2) return null;
  const values = [...known.values()];
  const low = Math.min(...values);
  const high = Math.max(...values);
  const range = Math.max(high - low, smallestRange);
  // With the range widened, the data sits in its middle.
  const bottom = low - (range - (high - low)) / 2;
  let line = '';
  for (let day = [...known.keys()].reduce((a, b) => (a < b ? a : b)); day <= until; day = plusDays(day, 1)) {
    const value = known.get(day);
    const step = value === undefined ? -1 : Math.min(7, Math.floor(((value - bottom) / range) * 8));
    line += blocks[step] ?? gap;
  }
  return {
    line,
    low,
    high,
    days: line.length,
    missing: line.length - known.size,
    range:
      decimal(low) === decimal(high) ? `${decimal(low)}\u2009%` : `${decimal(low)}–${decimal(high)}\u2009%`,
  };
}
