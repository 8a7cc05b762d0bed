/** What one round over one side gave. `null` = could not be measured here. */
export type Cell = {
  turns: number;
  seconds: number;
  turnsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  cpuMsPerTurn: number | null;
  /** CPU seconds per second: below 0.85 the process was kept waiting by something else than itself. */
  busy: number | null;
  rssMb: number | null;
  /** Time of a fixed piece of arithmetic right after the round: longer than usual = the machine was disturbed. */
  canaryMs: number;
};

export type Spread = { median: number; min: number; max: number };
export type Metric = 'turnsPerSecond' | 'p50Ms' | 'p99Ms' | 'cpuMsPerTurn' | 'busy' | 'rssMb';
export type SideFigures = Record<Metric, Spread | null>;

/** `aim` is what we want; worse than `acceptable` fails the run. Without them a ratio is shown and not judged. */
export type Aim = { metric: Metric; better: 'more' | 'less'; aim?: number; acceptable?: number };
export type Verdict = 'met' | 'acceptable' | 'worse' | 'shown' | 'not measured';
export type Ratio = Aim & { ratio: number | null; verdict: Verdict };

/** `/score` beside a bare botbuilder bot, 16 in flight: Watchpost's median over the bare bot's. */
export const scoreAims: readonly Aim[] = [
  { metric: 'turnsPerSecond', better: 'more', aim: 2.5, acceptable: 2 },
  { metric: 'cpuMsPerTurn', better: 'less', aim: 0.4, acceptable: 0.5 },
  { metric: 'p99Ms', better: 'less', aim: 0.5, acceptable: 0.8 },
  { metric: 'p50Ms', better: 'less' },
  { metric: 'rssMb', better: 'less' },
];

const metrics: readonly Metric[] = ['turnsPerSecond', 'p50Ms', 'p99Ms', 'cpuMsPerTurn', 'busy', 'rssMb'];

/** Median, smallest and largest of every metric over the rounds of one side. */
export function sideFigures(cells: readonly Cell[]): SideFigures {
  const spreads = metrics.map((metric) => [metric, spread(cells.map((cell) => cell[metric]))] as const);
  return Object.fromEntries(spreads) as SideFigures;
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

/** Ours over theirs, by medians, each judged by its aim. */
export function ratios(ours: SideFigures, theirs: SideFigures, aims: readonly Aim[]): Ratio[] {
  return aims.map((aim) => {
    const [above, below] = [ours[aim.metric], theirs[aim.metric]];
    const ratio = above === null || below === null ? null : above.median / below.median;
    return { ...aim, ratio, verdict: judge(aim, ratio) };
  });
}

function judge({ better, aim, acceptable }: Aim, ratio: number | null): Verdict {
  if (ratio === null || !Number.isFinite(ratio)) return 'not measured';
  if (aim === undefined || acceptable === undefined) return 'shown';
  const reaches = (mark: number): boolean => (better === 'more' ? ratio >= mark : ratio <= mark);
  if (reaches(aim)) return 'met';
  return reaches(acceptable) ? 'acceptable' : 'worse';
}
