import type { BaselineControl } from './baseline.ts';
import { thousandths } from './threshold.ts';

/** Less than this is rounding of Microsoft's binary fractions, not a movement; in thousandths of a point. */
const noise = 5;

/**
 * Thousandths of a point a control moved by the tenant's own doing: what lies outside the span that a changed maximum
 * and changed numbers of users explain by themselves.
 */
export function ownDoing(was: BaselineControl, is: BaselineControl): number {
  const span = explained(was, is);
  const score = thousandths(is.score);
  const low = Math.min(thousandths(was.score), thousandths(span.low));
  const high = Math.max(thousandths(was.score), thousandths(span.high));
  const own = score < low ? score - low : score > high ? score - high : 0;
  return Math.abs(own) < noise ? 0 : own;
}

/** The scores that would be there had nobody done anything. */
function explained(was: BaselineControl, is: BaselineControl): { low: number; high: number } {
  const scale = maxChanged(was, is) && was.max && is.max ? is.max / was.max : 1;
  const rescaled = was.score * scale;
  const before = trusted(was);
  const after = trusted(is);
  if (before === null || after === null || before.total === after.total)
    return { low: rescaled, high: rescaled };
  const max = is.max ?? 0;
  // By the score rather than by heads: Microsoft rounds those.
  const covered = was.max ? (was.score / was.max) * before.total : 0;
  const came = Math.max(0, after.total - before.total);
  const left = Math.max(0, before.total - after.total);
  // At worst all who left were covered and none who came is; at best the other way round.
  return {
    low: (max * Math.max(0, covered - left)) / after.total,
    high: (max * Math.min(after.total, covered + came)) / after.total,
  };
}

/** Did Microsoft change what the control is worth? */
export function maxChanged(was: BaselineControl, is: BaselineControl): boolean {
  return was.max !== null && is.max !== null && thousandths(was.max) !== thousandths(is.max);
}

/** How many are covered, when that is really what Microsoft counts points by: the two shares must agree. */
function trusted({ reach, score, max }: BaselineControl): { covered: number; total: number } | null {
  if (reach === undefined || max === null || max <= 0 || reach.total <= 0) return null;
  const apart = Math.abs(score / max - reach.covered / reach.total);
  return apart <= 1 / reach.total + 0.005 ? reach : null;
}
