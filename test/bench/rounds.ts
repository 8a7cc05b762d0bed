import type { Cell } from './figures.ts';
import { canaryMs } from './process-figures.ts';

/** One side of a comparison: each call is one round over it. */
export type Contestant = { name: string; round(number: number): Promise<Cell> };

/**
 * All sides in turns, `rounds` times. Who goes first changes from round to round, so that a machine that slows down
 * does so for all. `say` hears of each round. Answers the cells of each side, in the order the sides were given.
 */
export async function inRounds(
  sides: readonly Contestant[],
  rounds: number,
  say: (line: string) => void,
): Promise<Cell[][]> {
  const cells: Cell[][] = sides.map(() => []);
  for (let number = 0; number < rounds; number += 1) {
    for (let place = 0; place < sides.length; place += 1) {
      const at = (place + number) % sides.length;
      const side = sides[at];
      if (side === undefined) continue;
      const cell = await side.round(number);
      // Right after the round: what the machine was like then.
      const whole = cell.canaryMs === undefined ? { ...cell, canaryMs: canaryMs() } : cell;
      cells[at]?.push(whole);
      say(`round ${number + 1}, ${side.name}: ${inShort(whole)}`);
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
