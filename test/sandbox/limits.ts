/** Published limits of one bot: so many in so many milliseconds. */
type Limit = [count: number, ms: number];

export const sendLimits: readonly Limit[] = [
  [7, 1_000],
  [8, 2_000],
  [60, 30_000],
  [1_800, 3_600_000],
];
export const listLimits: readonly Limit[] = [
  [14, 1_000],
  [16, 2_000],
  [120, 30_000],
  [3_600, 3_600_000],
];
export const tenantLimits: readonly Limit[] = [[30, 1_000]];

export type Limiter = {
  /** Milliseconds to wait when the key is over a limit; 0 when this call is let in (and counted). */
  take(key: string, limits: readonly Limit[], now: number): number;
  /** Takes back what `take` counted last for this key. */
  giveBack(key: string): void;
};

/** Sliding windows: within any span of a limit's length no more than its count. */
export function limiter(): Limiter {
  const calls = new Map<string, number[]>();
  return {
    take(key, limits, now) {
      const longest = Math.max(...limits.map(([, ms]) => ms));
      const times = (calls.get(key) ?? []).filter((at) => at > now - longest);
      calls.set(key, times);
      let wait = 0;
      for (const [count, ms] of limits) {
        const first = times.at(-count);
        if (first !== undefined && first > now - ms) wait = Math.max(wait, first + ms - now);
      }
      if (wait === 0) times.push(now);
      return wait;
    },
    giveBack(key) {
      calls.get(key)?.pop();
    },
  };
}
