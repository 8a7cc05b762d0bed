import type { Instant } from '../time.ts';
import type { Health } from './tenant.ts';

const cause = 'Not connected yet.';

/** Health of a company that was added but into whose tenant there is no way yet. */
export function notConnected(now: Instant): Health {
  return {
    state: 'waiting',
    since: now,
    cause,
    remedy: 'An Admin connects it: Sign in with Microsoft, or a link for its administrator.',
  };
}

/** Connected, or at least once so: what waits for its first sync has no cause to tell. */
export function isNotConnected(health: Pick<Health, 'state' | 'cause'>): boolean {
  return health.state === 'waiting' && health.cause === cause;
}
