import { LRUCache } from 'lru-cache';
import { MicrosoftError, throttled } from './failures.ts';

export type Budget = {
  /** Counts one request of the key. Over the budget it throws MicrosoftError `throttled` with the wait, and counts nothing. */
  begin(key: string): void;
  /** The same for a request that goes on with what was begun: waits until there is room. */
  goOn(key: string): Promise<void>;
};

/**
 * At most `most` requests in any `spanMs`, for each key. What has not begun comes back later instead of waiting here;
 * what has begun may need more requests than the budget holds, and would never end otherwise.
 */
export function openBudget(options: {
  most: number;
  spanMs: number;
  now(): number;
  /** Rejects only when the program stops. */
  sleep(ms: number): Promise<void>;
}): Budget {
  const { most, spanMs, now, sleep } = options;
  const taken = new LRUCache<string, number[]>({ max: 20_000 });

  /** Takes a place, or answers how long there is none. */
  function take(key: string): number {
    const at = now();
    const times = (taken.get(key) ?? []).filter((one) => one > at - spanMs && one <= at);
    const first = times[times.length - most];
    if (first !== undefined) return first + spanMs - at;
    taken.set(key, [...times, at]);
    return 0;
  }

  return {
    begin(key) {
      const wait = take(key);
      if (wait > 0) throw new MicrosoftError(throttled(wait));
    },
    async goOn(key) {
      for (let wait = take(key); wait > 0; wait = take(key)) await sleep(wait);
    },
  };
}
