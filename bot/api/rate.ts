import { LRUCache } from 'lru-cache';
import type { Caller } from '../../shared/access.ts';

const mostPeople = 5_000;

/**
 * May this person do it once more? At most `most` times in any `everyMs`, counted in this process. `monotonic`:
 * milliseconds that only go forward.
 */
export function openRate(
  most: number,
  everyMs: number,
  monotonic: () => number = () => performance.now(),
): (who: Pick<Caller, 'tid' | 'oid'>) => { kind: 'go' } | { kind: 'wait'; seconds: number } {
  const tries = new LRUCache<string, number[]>({ max: mostPeople });
  return ({ tid, oid }) => {
    const key = `${tid}/${oid}`;
    const at = monotonic();
    const recent = (tries.get(key) ?? []).filter((tried) => tried > at - everyMs);
    const [oldest] = recent;
    if (recent.length >= most && oldest !== undefined) {
      return { kind: 'wait', seconds: Math.max(1, Math.ceil((oldest + everyMs - at) / 1000)) };
    }
    tries.set(key, [...recent, at]);
    return { kind: 'go' };
  };
}
