import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import type { DoorAnswer } from './invoke.ts';

const dayMs = 86_400_000;

/** What was already handled: Teams delivers an activity again when an answer is slow (R8). */
export type Seen = {
  /** True for the first caller of a key within 24 h, as far as memory reaches. */
  first(key: string): boolean;
  /** The answer to an invoke that is being, or was just, answered: a repeat gets the same one. */
  answer(key: string): Promise<DoorAnswer> | undefined;
  keep(key: string, answer: Promise<DoorAnswer>): void;
};

/** Memory of 50,000 activities; the oldest go first. */
export function openSeen(): Seen {
  const seen = new LRUCache<string, true>({ max: 50_000, ttl: dayMs, ttlResolution: 1000 });
  const answers = new LRUCache<string, Promise<DoorAnswer>>({ max: 200, ttl: 60_000, ttlResolution: 1000 });
  return {
    first(key) {
      if (seen.has(key)) return false;
      seen.set(key, true);
      return true;
    },
    answer: (key) => answers.get(key),
    keep(key, answer) {
      answers.set(key, answer);
    },
  };
}

/** One activity of one conversation of one tenant; parts are framed, so that no two triples share a key. */
export function activityKey(tenant: TenantId, conversationId: string, activityId: string): string {
  const parts = JSON.stringify([tenant, conversationId, activityId]);
  return hash('sha256', parts, 'base64url');
}
