import type { Metric, Ratio, SideFigures, Spread, Verdict } from './figures.ts';

const names: Record<Metric, { name: string; digits: number }> = {
  turnsPerSecond: { name: 'turns/s', digits: 0 },
  p50Ms: { name: 'p50 ms', digits: 2 },
  p99Ms: { name: 'p99 ms', digits: 2 },
  cpuMsPerTurn: { name: 'CPU ms per turn', digits: 3 },
  busy: { name: 'cores busy', digits: 2 },
  rssMb: { name: 'RSS MiB', digits: 0 },
};

const words: Record<Verdict, string> = {
  met: 'met',
  acceptable: 'short of the aim',
  worse: 'WORSE THAN ACCEPTABLE',
  shown: '',
  'not measured': 'not measured here',
};

/** The figures of two sides and their ratios as lines of a table for the terminal. */
export function table(
  title: string,
  sides: readonly { name: string; figures: SideFigures }[],
  ratios: readonly Ratio[],
): string[] {
  const head = ['', ...sides.map(({ name }) => name), 'ratio', 'aim [acceptable]', ''];
  const rows = (Object.keys(names) as Metric[]).map((metric) => {
    const { name, digits } = names[metric];
    const ratio = ratios.find((one) => one.metric === metric);
    return [
      name,
      ...sides.map(({ figures }) => spreadText(figures[metric], digits)),
      ratio === undefined || ratio.ratio === null ? '' : `${ratio.ratio.toFixed(2)} x`,
      ratio === undefined ? '' : aimText(ratio),
      ratio === undefined ? '' : words[ratio.verdict],
    ];
  });
  return [title, ...aligned([head, ...rows])];
}

function spreadText(spread: Spread | null, digits: number): string {
  if (spread === null) return 'not measured';
  const text = (value: number): string => value.toFixed(digits);
  return `${text(spread.median)} (${text(spread.min)} to ${text(spread.max)})`;
}

function aimText({ better, aim, acceptable }: Ratio): string {
  if (aim === undefined || acceptable === undefined) return '';
  const sign = better === 'more' ? '>=' : '<=';
  return `${sign} ${aim.toFixed(2)} [${acceptable.toFixed(2)}]`;
}

function aligned(rows: readonly string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
