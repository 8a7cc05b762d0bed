import { LRUCache } from 'lru-cache';
import type { Caller } from '../../shared/access.ts';
import { errorCode } from '../errors.ts';
import type { Services } from '../services.ts';
import type { Audiences } from './audience.ts';
import type { Spot } from './turn-kit.ts';

const dayMs = 86_400_000;

/**
 * Whoever wrote to us in a personal chat can be named by address from then on (contracts.md §1). A message does not
 * carry the address, Teams' list of that chat's one member does: it is asked once a day for each person whose address
 * is not known, after the answer, so that nobody waits for it.
 */
export function openAddresses(options: {
  services: Pick<Services, 'store' | 'log'>;
  audiences: Audiences;
  /** Hears of the work, so that a graceful stop can wait for it. */
  track(work: Promise<unknown>): void;
}): (spot: Spot, who: Caller) => void {
  const { audiences, track } = options;
  const { store, log } = options.services;
  const asked = new LRUCache<string, true>({ max: 10_000, ttl: dayMs, ttlResolution: 1000 });

  async function learn(spot: Spot, { tid, oid, name }: Caller): Promise<void> {
    try {
      if ((await store.people.get(tid, oid))?.address !== undefined) return;
      const members = await audiences.members(spot, 10);
      const address = members.find((one) => one.oid === oid && one.tid === tid)?.address;
      if (address !== undefined)
        await store.people.seen({ tid, oid, name, address, teamsId: spot.personTeamsId });
    } catch (error) {
      log.debug({ person: oid, code: errorCode(error) }, 'address of a person could not be learnt');
    }
  }

  return (spot, who) => {
    const key = `${who.tid} ${who.oid}`;
    if (spot.kind !== 'personal' || asked.has(key)) return;
    asked.set(key, true);
    track(learn(spot, who));
  };
}
