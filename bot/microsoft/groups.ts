import * as v from 'valibot';
import { type GroupFacts, mostNamed } from '../../shared/directory/directory.ts';
import type { Ask } from './gateway.ts';
import { mapItems } from './items.ts';
import { looseFlag, looseList, looseText, plainText } from './tolerant.ts';

/** `GET /groups` (`graph.md` §1.9), each with its first owners: who has one is all that is asked. */
export const askGroups: Ask = {
  path: '/groups',
  query: (request) =>
    request
      .top(999)
      .select([
        ...['id', 'displayName', 'groupTypes', 'securityEnabled', 'mailEnabled'],
        ...['visibility', 'onPremisesSyncEnabled'],
      ])
      .expand('owners($select=id)'),
};

const groupSchema = v.object({
  id: v.string(),
  displayName: v.optional(looseText, ''),
  groupTypes: v.optional(looseList(v.string()), []),
  securityEnabled: v.optional(looseFlag, false),
  mailEnabled: v.optional(looseFlag, false),
  visibility: v.optional(looseText, ''),
  onPremisesSyncEnabled: v.optional(looseFlag, false),
  owners: v.fallback(v.optional(v.nullable(v.array(v.unknown()))), undefined),
});

/**
 * Counts by kind, and the Microsoft 365 groups nobody owns. A group that comes from a directory on premises has its
 * owner there; of a group whose owners were not sent nothing is said.
 */
export function groupFactsOf(items: unknown[]): GroupFacts {
  const facts: GroupFacts = {
    ...{ total: 0, microsoft365: 0, security: 0, dynamic: 0, publicTeams: 0 },
    ...{ ownerless: [], ownerlessCount: 0 },
  };
  mapItems(items, groupSchema, (group) => {
    facts.total += 1;
    const unified = group.groupTypes.includes('Unified');
    if (unified) facts.microsoft365 += 1;
    else if (group.securityEnabled && !group.mailEnabled) facts.security += 1;
    if (group.groupTypes.includes('DynamicMembership')) facts.dynamic += 1;
    if (unified && group.visibility.toLowerCase() === 'public') facts.publicTeams += 1;
    if (!unified || group.onPremisesSyncEnabled || group.owners?.length !== 0) return true;
    facts.ownerlessCount += 1;
    facts.ownerless.push(plainText(group.displayName, 256) || group.id);
    return true;
  });
  facts.ownerless = facts.ownerless.sort().slice(0, mostNamed);
  return facts;
}
