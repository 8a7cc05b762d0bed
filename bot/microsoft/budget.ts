import { LRUCache } from 'lru-cache';
import { MicrosoftError, throttled } from './failures.ts';

export type Budget = {
  /** Counts one request of the key, or throws MicrosoftError `throttled` with the wait, and nothing is counted. */
  take(key: string): void;
};

/** At most `most` requests in any `spanMs`, for each key: who is over it comes back later instead of waiting here. */
export function openBudget(options: { most: number; spanMs: number; now(): number }): Budget {
  const { most, spanMs, now } = options;
  const taken = new LRUCache<string, number[]>({ max: 20_000 });
  return {
    take(key) {
      const at = now();
      const times = (taken.get(key) ?? []).filter((one) => one > at - spanMs && one <= at);
      const first = times[times.length - most];
      if (first !== undefined) throw new MicrosoftError(throttled(first + spanMs - at));
      taken.set(key, [...times, at]);
    },
  };
}
