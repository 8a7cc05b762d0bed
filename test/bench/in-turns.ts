import type { Measure } from './figures.ts';
import { inFlight, round, type TurnCell } from './load.ts';
import type { Contestant } from './rounds.ts';
import type { Side } from './sides.ts';

/** A warm-up ends with so many turns or after so long: the code is compiled by then, and a slow machine gets on. */
const warmUpTurns = 8_000;
const warmUpMs = 12_000;
const leastTurns = 500;

/** What a round over a bot gives. */
export const turnMeasures: readonly Measure[] = [
  { key: 'turnsPerSecond', name: 'turns/s', digits: 0 },
  { key: 'p50Ms', name: 'p50 ms', digits: 2 },
  { key: 'p99Ms', name: 'p99 ms', digits: 2 },
  { key: 'cpuMsPerTurn', name: 'CPU ms per turn', digits: 3 },
  { key: 'busy', name: 'cores busy', digits: 2 },
  { key: 'rssMb', name: 'RSS MiB', digits: 0 },
];

/**
 * A bot warmed up, whose rounds take about `seconds` each: as many turns as fill one at the pace of the last one, with
 * `connections` of them in flight.
 */
export async function bot(side: Side, seconds: number, connections = inFlight): Promise<Contestant> {
  let pace = (await warmUp(side, connections)).turnsPerSecond;
  return {
    name: side.name,
    async round() {
      const cell = await measured(side, Math.max(leastTurns, Math.round(pace * seconds)), connections);
      pace = cell.turnsPerSecond;
      return cell;
    },
  };
}

async function warmUp(side: Side, connections: number): Promise<TurnCell> {
  const until = performance.now() + warmUpMs;
  let cell = await measured(side, leastTurns, connections);
  for (let turns = leastTurns; turns < warmUpTurns && performance.now() < until; turns += leastTurns) {
    cell = await measured(side, leastTurns, connections);
  }
  return cell;
}

/** One round whose tokens are signed before its clock runs. Throws with what the side said when it is no round. */
export async function measured(side: Side, turns: number, connections = inFlight): Promise<TurnCell> {
  side.prepare(turns);
  try {
    return await round(side, turns, connections);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${side.name}: ${why}\n${side.complaints()}`, { cause });
  }
}
