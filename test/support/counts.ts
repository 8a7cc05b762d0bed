/** Reduced counts in `npm test`, the full ones of the proofs in `npm run prove`. */
export const proving = process.env.WATCHPOST_PROVE === '1';

/** The count to use now. */
export function count(quick: number, full: number): number {
  return proving ? full : quick;
}

/** The seed of this run's random choices: fixed, or WATCHPOST_SEED to replay or to vary; printed by who uses it. */
export const seed = Number(process.env.WATCHPOST_SEED ?? '20261121');

/** A small seeded generator (mulberry32): the same seed gives the same run on every machine. */
export function seeded(from: number = seed): () => number {
  let state = from >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
