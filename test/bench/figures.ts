/** What one round over one side gave, by the key of the measure. `null` = could not be measured here. */
export type Cell = Readonly<Record<string, number | null>>;

/** One thing that is measured of a side, as a row of the table. */
export type Measure = { key: string; name: string; digits: number };

export type Spread = { median: number; min: number; max: number };
export type SideFigures = Readonly<Record<string, Spread | null>>;

/**
 * `aim` is what we want; worse than `acceptable` fails the run. Without them a figure is shown and not judged. What is
 * judged: our median over theirs, our median less theirs, or our median alone.
 */
export type Aim = {
  measure: string;
  better: 'more' | 'less';
  as?: 'ratio' | 'difference' | 'figure';
  aim?: number;
  acceptable?: number;
};
export type Verdict = 'met' | 'acceptable' | 'worse' | 'shown' | 'not measured';
export type Judged = Aim & { value: number | null; verdict: Verdict };

/** Median, smallest and largest of every measure over the rounds of one side. */
export function sideFigures(cells: readonly Cell[], measures: readonly Measure[]): SideFigures {
  return Object.fromEntries(measures.map(({ key }) => [key, spread(cells.map((cell) => cell[key] ?? null))]));
}

/** Null as soon as one value is missing. */
export function spread(values: readonly (number | null)[]): Spread | null {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b);
  const [min, max] = [known[0], known.at(-1)];
  if (known.length < values.length || min === undefined || max === undefined) return null;
  const middle = Math.floor(known.length / 2);
  const upper = known[middle] ?? min;
  const median = known.length % 2 === 1 ? upper : ((known[middle - 1] ?? min) + upper) / 2;
  return { median, min, max };
}

/** Each aim held against the medians of the two sides; `theirs` is not there when only we are measured. */
export function judged(ours: SideFigures, theirs: SideFigures | undefined, aims: readonly Aim[]): Judged[] {
  return aims.map((aim) => {
    const value = figureOf(aim, ours[aim.measure]?.median, theirs?.[aim.measure]?.median);
    return { ...aim, value, verdict: verdictOf(aim, value) };
  });
}

function figureOf({ as }: Aim, ours: number | undefined, theirs: number | undefined): number | null {
  if (ours === undefined) return null;
  if (as === 'figure') return ours;
  if (theirs === undefined) return null;
  return as === 'difference' ? ours - theirs : ours / theirs;
}

function verdictOf({ better, aim, acceptable }: Aim, value: number | null): Verdict {
  if (value === null || !Number.isFinite(value)) return 'not measured';
  if (aim === undefined || acceptable === undefined) return 'shown';
  const reaches = (mark: number): boolean => (better === 'more' ? value >= mark : value <= mark);
  if (reaches(aim)) return 'met';
  return reaches(acceptable) ? 'acceptable' : 'worse';
}
