import { decimal, percentPoints, total } from '../words.ts';

/**
 * From which loss on people want to hear of a fall: percentage points or points, whichever comes first. Null = this
 * one does not count; never both null. Whoever names only one means only that one: beside "3%", five points would
 * come first at every tenant of ordinary size, and the wish would change nothing.
 */
export type Threshold = { percent: number | null; points: number | null };

export const defaultThreshold: Threshold = { percent: 2, points: 5 };
export const bounds = { percent: { from: 0.5, to: 50 }, points: { from: 1, to: 500 } };

/** A loss, ≥ 0: `percent` in percentage points of what could be reached, null when nothing could. */
export type Loss = { points: number; percent: number | null };

/** Whole thousandths: 0.1 + 0.2 must neither make nor lose a crossing. */
export function thousandths(value: number): number {
  return Math.round(value * 1000);
}

/** Is the loss at least the threshold, in percent or in points? */
export function reaches(loss: Loss, threshold: Threshold): boolean {
  return (
    (threshold.points !== null && thousandths(loss.points) >= thousandths(threshold.points)) ||
    (threshold.percent !== null &&
      loss.percent !== null &&
      thousandths(loss.percent) >= thousandths(threshold.percent))
  );
}

/** Is the loss at most half the threshold, in percent and in points? Where it closes lies well below where it opens. */
export function atMostHalf(loss: Loss, threshold: Threshold): boolean {
  return (
    (threshold.points === null || 2 * thousandths(loss.points) <= thousandths(threshold.points)) &&
    (threshold.percent === null ||
      loss.percent === null ||
      2 * thousandths(loss.percent) <= thousandths(threshold.percent))
  );
}

/** The threshold that is reached as soon as any of these is; the default without any. */
export function finest(thresholds: readonly Threshold[]): Threshold {
  if (thresholds.length === 0) return defaultThreshold;
  return {
    percent: smallest(thresholds.map(({ percent }) => percent)),
    points: smallest(thresholds.map(({ points }) => points)),
  };
}

function smallest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/** "3.0 %-points or 5 points" */
export function thresholdInWords({ percent, points }: Threshold): string {
  const parts: string[] = [];
  if (percent !== null) parts.push(`${decimal(percent)} ${percentPoints}`);
  if (points !== null) parts.push(`${total(points)} ${points === 1 ? 'point' : 'points'}`);
  return parts.join(' or ');
}

export type ParsedThreshold = { kind: 'threshold'; threshold: Threshold } | { kind: 'wrong'; say: string };

const forms = 'Say `3%`, `5 points`, both (`3% or 5 points`) or `default`.';
const one = /^(\d{1,4}(?:[.,]\d{1,6})?) ?(%|percent(?:age)?|pct|points?|pts?)(?:[- ]?points?)?$/;

/**
 * A threshold as people type it: "3%", "3 % ", "2,5%", "5 points", "5pt", "3% or 5 points", "default". Kept to one
 * decimal. Anything else, and what is out of bounds, is answered with a sentence.
 */
export function parseThreshold(text: string): ParsedThreshold {
  const said = text.slice(0, 100).normalize('NFKC').replace(/\s+/gu, ' ').trim().toLowerCase();
  if (said === '') return wrong(`From which loss on? ${forms}`);
  if (said === 'default' || said === 'standard') return { kind: 'threshold', threshold: defaultThreshold };
  if (/^\d{1,4}(?:[.,]\d{1,6})?$/.test(said)) return wrong(`${said} of what? ${forms}`);

  const threshold: Threshold = { percent: null, points: null };
  for (const part of said.split(/ ?(?:\bor\b|\band\b|\/|;|, |(?<=[%a-z]) (?=\d)) ?/)) {
    const [, number, unit] = one.exec(part) ?? [];
    if (number === undefined || unit === undefined) return wrong(`That is no threshold I know. ${forms}`);
    const kind = /^p(?:oint|t)/.test(unit) ? 'points' : 'percent';
    const value = Number(number.replace(',', '.'));
    const { from, to } = bounds[kind];
    if (threshold[kind] !== null) return wrong(`I need one figure for each, not two. ${forms}`);
    if (value < from || value > to) {
      return wrong(
        kind === 'points'
          ? `A threshold in points lies between ${from} and ${to}.`
          : `A threshold in percent lies between ${from} and ${to}.`,
      );
    }
    threshold[kind] = Math.round(value * 10) / 10;
  }
  return { kind: 'threshold', threshold };
}

function wrong(say: string): ParsedThreshold {
  return { kind: 'wrong', say };
}
