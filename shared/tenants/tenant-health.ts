import { type Instant, millis } from '../time.ts';
import { momentText, sentence } from '../words.ts';
import { isNotConnected } from './not-connected.ts';
import type { Health, HealthState } from './tenant.ts';

/** Why a try to read a tenant failed: the part of the gateway's failures that health depends on. */
export type HealthFailure = {
  kind: 'authentication' | 'permission' | 'licence' | 'throttled' | 'service' | 'not-found' | 'bug';
  cause: string;
  remedy: string;
  code?: string;
  transient: boolean;
};

/** Transient faults flip the state after this many in a row … */
export const failuresToFlip = 3;
/** … over at least this long. */
export const minutesToFlip = 15;

const stateOf = {
  authentication: 'authentication-error',
  permission: 'permission-error',
  throttled: 'service-error',
  service: 'service-error',
  bug: 'service-error',
} as const;

/**
 * The health of a tenant after one try (`now`); `failure` is what decides of it, undefined when all went well.
 * Refused credentials and withdrawn permissions count at once; what may pass by itself (throttling, 5xx, network)
 * counts after `failuresToFlip` failures over `minutesToFlip` minutes; a licence gap, or a service this tenant does
 * not have, never counts. `since` keeps its value while the state does.
 */
export function nextHealth(before: Health, failure: HealthFailure | undefined, now: Instant): Health {
  if (failure === undefined || failure.kind === 'licence' || failure.kind === 'not-found') {
    const since = before.state === 'connected' ? before.since : now;
    return { state: 'connected', since, cause: '', remedy: '' };
  }
  const state = stateOf[failure.kind];
  if (!passes(failure)) return failed(before, state, failure, now);

  const failing = {
    times: (before.failing?.times ?? 0) + 1,
    since: before.failing?.since ?? now,
    cause: failure.cause,
  };
  const long = millis(now) - millis(failing.since) >= minutesToFlip * 60_000;
  // An error that is known for sure is not painted over by one that may pass.
  const certain = before.state === 'authentication-error' || before.state === 'permission-error';
  if (failing.times < failuresToFlip || !long || certain) return { ...before, failing };
  return { ...failed(before, state, failure, now), failing };
}

/** May pass by itself; our own fault says nothing for sure about the tenant either. */
function passes(failure: HealthFailure): boolean {
  return failure.transient || !(failure.kind === 'authentication' || failure.kind === 'permission');
}

function failed(before: Health, state: HealthState, failure: HealthFailure, now: Instant): Health {
  return {
    state,
    since: before.state === state ? before.since : now,
    cause: sentence(failure.cause),
    remedy: sentence(failure.remedy),
    ...(failure.code === undefined ? {} : { code: failure.code }),
  };
}

const labels: Record<HealthState, string> = {
  waiting: 'Waiting for the first sync',
  connected: 'Connected',
  'authentication-error': 'Authentication Error',
  'permission-error': 'Permission Error',
  'service-error': 'Service Error',
};

/** Every state there is. */
export const healthStates = Object.keys(labels) as readonly HealthState[];

/** The state in words: "Permission Error". */
export function healthLabel(state: HealthState): string {
  return labels[state];
}

/** State, cause, since when and remedy as sentences; foreign text inside is not escaped. */
export function healthSentence(health: Health, now: Instant): string {
  const label = labels[health.state];
  if (isNotConnected(health)) return healthReason(health);
  if (health.state === 'connected' || health.state === 'waiting') {
    return `${label}. ${failingTries(health)}`.trim();
  }
  return `${label} since ${momentText(health.since, now)}. ${healthReason(health)}`.trim();
}

/**
 * "The last 2 tries failed, since 21 Nov, 10:02 UTC: …" of a tenant whose state does not say so yet; empty otherwise. It
 * either passes or becomes a state with a remedy of its own within the hour, so nobody has to do anything.
 */
export function failingTries({ state, failing }: Pick<Health, 'state' | 'failing'>): string {
  if (failing === undefined || (state !== 'connected' && state !== 'waiting')) return '';
  const tries = failing.times === 1 ? 'try' : `${failing.times} tries`;
  const since = momentText(failing.since, failing.since);
  return `The last ${tries} failed, since ${since}: ${sentence(failing.cause)} It is tried again by itself.`;
}

/** Cause and remedy as sentences; empty when connected. Foreign text inside is not escaped. */
export function healthReason(health: Health): string {
  return [sentence(health.cause), sentence(health.remedy)].filter(Boolean).join(' ');
}
