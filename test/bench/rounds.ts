import type { Cell } from './figures.ts';
import { canaryMs } from './process-figures.ts';

/** One side of a comparison: each call is one round over it. */
export type Contestant = { name: string; round(number: number): Promise<Cell> };

export type RoundOptions = {
  rounds: number;
  /** How often a round is played again when the machine was disturbed right after it; the calmest one counts. */
  repeats: number;
  /** Hears of each round. */
  say(line: string): void;
  /** Time of the fixed piece of arithmetic; given by tests. */
  canary?(): number;
};
/** So much longer than at best, and the machine was disturbed. */
const disturbed = 1.5;

/**
 * All sides in turns, `rounds` times. Who goes first changes from round to round, so that a machine that slows down
 * does so for all. Answers the cells of each side, in the order the sides were given.
 */
export async function inRounds(sides: readonly Contestant[], options: RoundOptions): Promise<Cell[][]> {
  const { rounds, repeats, say, canary = canaryMs } = options;
  const cells: Cell[][] = sides.map(() => []);
  let least = Math.min(canary(), canary(), canary());
  for (let number = 0; number < rounds; number += 1) {
    for (let place = 0; place < sides.length; place += 1) {
      const at = (place + number) % sides.length;
      const side = sides[at];
      if (side === undefined) continue;
      let calmest: { cell: Cell; ms: number } | undefined;
      for (let tries = 0; tries <= repeats; tries += 1) {
        const played = await side.round(number);
        const ms = canary();
        const cell = { ...played, canaryMs: ms };
        say(`round ${number + 1}, ${side.name}: ${inShort(cell)}`);
        if (calmest === undefined || ms < calmest.ms) calmest = { cell, ms };
        least = Math.min(least, ms);
        if (ms <= disturbed * least) break;
      }
      if (calmest !== undefined) cells[at]?.push(calmest.cell);
    }
  }
  return cells;
}

function inShort(cell: Cell): string {
  return Object.entries(cell)
    .filter(([key, value]) => value !== null && key !== 'canaryMs')
    .map(([key, value]) => `${key} ${short(value ?? 0)}`)
    .join(', ');
}

function short(value: number): string {
  return value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toPrecision(3);
}
