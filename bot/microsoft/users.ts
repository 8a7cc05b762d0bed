import * as v from 'valibot';
import type { UserFacts } from '../../shared/directory/directory.ts';
import type { Ask } from './gateway.ts';
import { mapItems } from './items.ts';
import { looseFlag, looseText } from './tolerant.ts';

/** `GET /users` (`graph.md` §1.8): without `$select` neither state nor licences come. No names are asked for. */
export const askUsers: Ask = {
  path: '/users',
  query: (request) =>
    request
      .top(999)
      .select(['id', 'userType', 'accountEnabled', 'assignedLicenses', 'onPremisesSyncEnabled']),
};

const userSchema = v.object({
  id: v.string(),
  userType: v.optional(looseText, ''),
  accountEnabled: v.optional(looseFlag, false),
  onPremisesSyncEnabled: v.optional(looseFlag, false),
  assignedLicenses: v.fallback(v.nullish(v.array(v.unknown())), []),
});

/** Numbers of accounts. Who has no type is a member: old accounts have none. */
export function userFactsOf(items: unknown[]): UserFacts {
  const facts: UserFacts = {
    ...{ members: 0, guests: 0, enabledMembers: 0, enabledGuests: 0 },
    ...{ disabledLicensed: 0, synced: 0 },
  };
  mapItems(items, userSchema, (user) => {
    const guest = isGuest(user.userType);
    facts[guest ? 'guests' : 'members'] += 1;
    if (user.accountEnabled) facts[guest ? 'enabledGuests' : 'enabledMembers'] += 1;
    else if ((user.assignedLicenses ?? []).length > 0) facts.disabledLicensed += 1;
    if (user.onPremisesSyncEnabled) facts.synced += 1;
    return true;
  });
  return facts;
}

export function isGuest(userType: string): boolean {
  return userType.toLowerCase() === 'guest';
}
