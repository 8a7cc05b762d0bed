import type { Judged, Measure, SideFigures, Spread, Verdict } from './figures.ts';

const words: Record<Verdict, string> = {
  met: 'met',
  acceptable: 'short of the aim',
  worse: 'WORSE THAN ACCEPTABLE',
  shown: '',
  'not measured': 'not measured here',
};

/** The figures of one or two sides, and what was judged of them, as lines of a table for the terminal. */
export function table(
  title: string,
  measures: readonly Measure[],
  sides: readonly { name: string; figures: SideFigures }[],
  judged: readonly Judged[],
): string[] {
  const head = ['', ...sides.map(({ name }) => name), '', 'aim [acceptable]', ''];
  const rows = measures.map(({ key, name, digits }) => {
    const one = judged.find(({ measure }) => measure === key);
    return [
      name,
      ...sides.map(({ figures }) => spreadText(figures[key] ?? null, digits)),
      one === undefined ? '' : valueText(one, digits),
      one === undefined ? '' : aimText(one),
      one === undefined ? '' : words[one.verdict],
    ];
  });
  return [title, ...aligned([head, ...rows])];
}

function spreadText(spread: Spread | null, digits: number): string {
  if (spread === null) return 'not measured';
  const text = (value: number): string => value.toFixed(digits);
  if (spread.min === spread.max) return text(spread.median);
  return `${text(spread.median)} (${text(spread.min)} to ${text(spread.max)})`;
}

function valueText({ as, value }: Judged, digits: number): string {
  if (value === null || as === 'figure') return '';
  return as === 'difference' ? `${value < 0 ? '' : '+'}${value.toFixed(digits)}` : `${value.toFixed(2)} x`;
}

function aimText({ better, aim, acceptable }: Judged): string {
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
