import * as v from 'valibot';
import type { SignInFacts } from '../../shared/directory/directory.ts';
import type { Reading } from '../services.ts';
import type { Ask } from './gateway.ts';
import { mapItems } from './items.ts';
import { looseFlag, looseText } from './tolerant.ts';
import { isGuest } from './users.ts';

/** `GET /users` with `signInActivity` (`graph.md` §1.18): at most 500 a page, whatever is asked for. */
export const askSignIns: Ask = {
  path: '/users',
  query: (request) =>
    request.top(500).select(['id', 'userType', 'accountEnabled', 'createdDateTime', 'signInActivity']),
};

/** Longer than a long holiday. */
export const inactiveDays = 90;
const dayMs = 86_400_000;

const userSchema = v.object({
  id: v.string(),
  userType: v.optional(looseText, ''),
  accountEnabled: v.optional(looseFlag, false),
  createdDateTime: v.optional(looseText, ''),
  signInActivity: v.fallback(
    v.nullish(
      v.object({
        lastSuccessfulSignInDateTime: v.optional(looseText, ''),
        lastSignInDateTime: v.optional(looseText, ''),
        lastNonInteractiveSignInDateTime: v.optional(looseText, ''),
      }),
    ),
    undefined,
  ),
});

/**
 * Enabled accounts older than 90 days without a sign-in for as long. A successful sign-in is what counts; where none
 * is kept (Microsoft counts them since December 2023), the last attempts stand for it.
 */
export function signInFactsOf(items: unknown[], now: number): SignInFacts {
  const facts: SignInFacts = {
    ...{ days: inactiveDays, counted: 0, inactiveMembers: 0, inactiveGuests: 0, neverSeen: 0 },
  };
  const since = now - inactiveDays * dayMs;
  mapItems(items, userSchema, (user) => {
    const created = Date.parse(user.createdDateTime);
    // An account of unknown age may be new; missing is not inactive.
    if (!user.accountEnabled || !(created <= since)) return true;
    facts.counted += 1;
    const seen = lastSeen(user.signInActivity);
    if (seen !== undefined && seen > since) return true;
    facts[isGuest(user.userType) ? 'inactiveGuests' : 'inactiveMembers'] += 1;
    if (seen === undefined) facts.neverSeen += 1;
    return true;
  });
  return facts;
}

function lastSeen(activity: v.InferOutput<typeof userSchema>['signInActivity']): number | undefined {
  const successful = Date.parse(activity?.lastSuccessfulSignInDateTime ?? '');
  if (!Number.isNaN(successful)) return successful;
  const attempts = [activity?.lastSignInDateTime, activity?.lastNonInteractiveSignInDateTime]
    .map((text) => Date.parse(text ?? ''))
    .filter((at) => !Number.isNaN(at));
  return attempts.length === 0 ? undefined : Math.max(...attempts);
}

/** The path is that of users, the permission is that of the audit log: which is missing tells only the code. */
export function namedRight<T>(reading: Reading<T>): Reading<T> {
  if (reading.kind !== 'failed' || reading.failure.code !== 'Authentication_MSGraphPermissionMissing')
    return reading;
  const permission = 'AuditLog.Read.All';
  const cause = `The application permission ${permission} is missing or has been withdrawn.`;
  return { kind: 'failed', failure: { ...reading.failure, permission, cause } };
}
