import { type Aim, type Cell, type Judged, judged, type Measure, sideFigures } from './figures.ts';
import type { Contestant } from './rounds.ts';
import { table } from './table.ts';

export type PartOptions = {
  quick: boolean;
  /** Plays all rounds of these sides. */
  inTurns(sides: readonly Contestant[]): Promise<Cell[][]>;
  /** Length of one round over one side. */
  seconds: number;
  seed: string;
  /** Tenants of the one long round of part f. */
  tenants: number;
  /** Node's options that make a process write a profile; empty without `--profile`. */
  profiled(who: string): string[];
  say(line: string): void;
};

/** Two sides measured in turns within one run; without `theirs` only we are measured. */
export type Comparison = {
  title: string;
  measures: readonly Measure[];
  ours: { name: string; cells: readonly Cell[] };
  theirs?: { name: string; cells: readonly Cell[] };
  aims: readonly Aim[];
};

/** A part throws when something is no measurement: a reply or a row is lost. `notes` say what the figures contain. */
export type PartResult = { comparisons: Comparison[]; notes: string[] };
export type Part = { name: string; run(options: PartOptions): Promise<PartResult> };

export type Told = { lines: string[]; judged: Judged[]; report: object };

/** A comparison judged: lines for the terminal, and what goes into the file. */
export function told({ title, measures, ours, theirs, aims }: Comparison): Told {
  const figures = {
    ours: sideFigures(ours.cells, measures),
    theirs: theirs === undefined ? undefined : sideFigures(theirs.cells, measures),
  };
  const all = judged(figures.ours, figures.theirs, aims);
  const sides = [
    { name: ours.name, figures: figures.ours },
    ...(theirs === undefined || figures.theirs === undefined
      ? []
      : [{ name: theirs.name, figures: figures.theirs }]),
  ];
  return {
    lines: table(title, measures, sides, all),
    judged: all,
    report: { title, ours, theirs, figures, judged: all },
  };
}
