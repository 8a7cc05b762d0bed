import type { Cell } from './figures.ts';
import { round } from './load.ts';
import type { Side } from './sides.ts';

/** A warm-up ends with so many turns or after so long: the code is compiled by then, and a slow machine gets on. */
const warmUpTurns = 8_000;
const warmUpMs = 12_000;
const leastTurns = 500;

/**
 * Both sides in turns, `rounds` times about `seconds` each, after a warm-up that lets the code be compiled. Who goes
 * first changes from round to round, so that a machine that slows down does so for both. `say` hears of each round.
 */
export async function inTurns(
  ours: Side,
  theirs: Side,
  rounds: number,
  seconds: number,
  say: (line: string) => void,
): Promise<{ ours: Cell[]; theirs: Cell[] }> {
  const cells = new Map<Side, Cell[]>();
  const pace = new Map<Side, number>();
  for (const side of [ours, theirs]) {
    cells.set(side, []);
    pace.set(side, (await warmUp(side)).turnsPerSecond);
  }
  for (let number = 0; number < rounds; number += 1) {
    for (const side of number % 2 === 0 ? [ours, theirs] : [theirs, ours]) {
      // As many turns as fill a round at the pace of the last one.
      const turns = Math.max(leastTurns, Math.round((pace.get(side) ?? 0) * seconds));
      const cell = await measured(side, turns);
      pace.set(side, cell.turnsPerSecond);
      cells.get(side)?.push(cell);
      say(`round ${number + 1}, ${side.name}: ${inShort(cell)}`);
    }
  }
  return { ours: cells.get(ours) ?? [], theirs: cells.get(theirs) ?? [] };
}

async function warmUp(side: Side): Promise<Cell> {
  const until = performance.now() + warmUpMs;
  let cell = await measured(side, leastTurns);
  for (let turns = leastTurns; turns < warmUpTurns && performance.now() < until; turns += leastTurns) {
    cell = await measured(side, leastTurns);
  }
  return cell;
}

/** One round whose tokens are signed before its clock runs. Throws with what the side said when it is no round. */
export async function measured(side: Side, turns: number): Promise<Cell> {
  side.prepare(turns);
  try {
    return await round(side, turns);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${side.name}: ${why}\n${side.complaints()}`, { cause });
  }
}

function inShort(cell: Cell): string {
  const cpu = cell.cpuMsPerTurn === null ? '' : `, ${cell.cpuMsPerTurn.toFixed(3)} ms CPU`;
  const busy = cell.busy === null ? '' : `, ${cell.busy.toFixed(2)} cores busy`;
  return `${cell.turnsPerSecond.toFixed(0)} turns/s${cpu}${busy}, p99 ${cell.p99Ms.toFixed(1)} ms`;
}
