import { type Day, daysBetween } from '../shared/time.ts';

/** The arithmetic of the charts: plain functions over numbers and days. */

export type Scale = { low: number; high: number; ticks: number[] };

/** A scale that fits the data: about `count` round steps of 1, 2 or 5, never less than 2 percentage points high. */
export function scaleOf(values: readonly number[], count = 5): Scale {
  const least = Math.min(...values);
  const most = Math.max(...values);
  const range = Math.max(most - least, 2);
  const step = roundStep(range / count);
  const middle = (least + most) / 2;
  let low = Math.floor(Math.min(least, middle - range / 2) / step) * step;
  let high = Math.ceil(Math.max(most, middle + range / 2) / step) * step;
  // A percentage has ends of its own.
  low = Math.max(low, Math.min(0, Math.floor(least)));
  high = Math.min(high, Math.max(100, Math.ceil(most)));
  const ticks: number[] = [];
  for (let tick = low; tick <= high + step / 1000; tick += step) ticks.push(Math.round(tick * 100) / 100);
  return { low, high, ticks };
}

function roundStep(raw: number): number {
  const power = 10 ** Math.floor(Math.log10(raw));
  const lead = raw / power;
  if (lead <= 1) return power;
  if (lead <= 2) return 2 * power;
  return lead <= 5 ? 5 * power : 10 * power;
}

export type ChartPoint = { day: Day; x: number; y: number };

/** An SVG path through the points, oldest first; where a day is missing the line has a gap. */
export function pathOf(points: readonly ChartPoint[]): string {
  let path = '';
  let before: ChartPoint | undefined;
  for (const point of points) {
    const joined = before !== undefined && daysBetween(before.day, point.day) <= 1;
    path += `${joined ? 'L' : 'M'}${round(point.x)} ${round(point.y)}`;
    before = point;
  }
  return path;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

export type TrendDay = { day: Day; percent: number | null; current: number; max: number };
export type TrendMark = { day: Day; kind: 'fell' | 'rose' | 'maximum'; points: number };

/** Less than this share of the maximum is daily weather. */
const worthMarking = 0.015;
const mostMarks = 3;

/**
 * The days on which something happened, biggest first: points lost or gained in one day, or a maximum that Microsoft
 * moved. At most three, none closer than `apart` days to a bigger one, so that their words do not run into each other.
 */
export function marksOf(trend: readonly TrendDay[], apart: number): TrendMark[] {
  const found: (TrendMark & { weight: number })[] = [];
  trend.forEach((now, index) => {
    const before = trend[index - 1];
    if (before === undefined || before.max <= 0 || daysBetween(before.day, now.day) > 3) return;
    const points = now.current - before.current;
    const moved = now.max - before.max;
    if (Math.abs(moved) >= before.max * worthMarking) {
      found.push({ day: now.day, kind: 'maximum', points: moved, weight: Math.abs(moved) / before.max });
    } else if (Math.abs(points) >= before.max * worthMarking) {
      const kind = points < 0 ? 'fell' : 'rose';
      found.push({ day: now.day, kind, points, weight: Math.abs(points) / before.max });
    }
  });
  const chosen: TrendMark[] = [];
  for (const { weight: _, ...mark } of found.sort((a, b) => b.weight - a.weight)) {
    if (chosen.length === mostMarks) break;
    if (chosen.every((one) => Math.abs(daysBetween(one.day, mark.day)) >= apart)) chosen.push(mark);
  }
  return chosen;
}

/** `count` days spread evenly from the first to the last, both included. */
export function dayTicks(days: readonly Day[], count: number): Day[] {
  const steps = Math.min(count, days.length) - 1;
  if (steps <= 0) return [...days];
  const ticks = Array.from(
    { length: steps + 1 },
    (_, i) => days[Math.round((i / steps) * (days.length - 1))],
  );
  return [...new Set(ticks.filter((day) => day !== undefined))];
}
