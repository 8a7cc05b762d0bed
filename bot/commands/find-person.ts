import { type Caller, scopeFor } from '../../shared/access.ts';
import type { PersonRef } from '../../shared/command.ts';
import { plain } from '../../shared/foreign-text.ts';
import { tenantId } from '../../shared/tenants/tenant.ts';
import { errorCode } from '../errors.ts';
import { type FoundPerson, knownPeople } from '../people/known-person.ts';
import type { Place, RosterMember, Services } from '../services.ts';

export type PersonSearch = { kind: 'found'; person: FoundPerson } | { kind: 'not-found'; say: string };

/**
 * The person meant in `grant` and `revoke`: among the members of this conversation first, then among people who have
 * written to Watchpost or hold a role, of the home tenant or of a connected tenant that the caller sees here.
 */
export async function findPerson(
  ref: PersonRef,
  who: Caller,
  where: Place,
  services: Services,
): Promise<PersonSearch> {
  const members = await membersOf(where, services);
  const member = members?.find((one) => isMeant(one, ref));
  const memberTid = member === undefined ? undefined : tenantId(member.tid);
  if (member !== undefined && memberTid !== undefined && member.oid !== '') {
    return found({ tid: memberTid, oid: member.oid.toLowerCase(), name: member.name });
  }
  if (ref.by === 'mention') {
    const say =
      members === null
        ? 'Teams does not tell me who is in this conversation, so I cannot tell who was mentioned. Use the address.'
        : 'I cannot find the mentioned person in this conversation. Use the address.';
    return { kind: 'not-found', say };
  }
  const tenants = await services.store.tenants.list(scopeFor(who, where.audience, 'grant', services.now()));
  const known = await knownPeople(ref, who, tenants, services);
  if (known.length > 1) {
    return { kind: 'not-found', say: `Several people have ${plain(wordsOf(ref), 80)}. Use the object id.` };
  }
  const [only] = known;
  if (only !== undefined) return found(only);
  return {
    kind: 'not-found',
    say: `I know nobody with ${plain(wordsOf(ref), 80)}. The person must be in this conversation or have written to me once.`,
  };
}

function found(person: FoundPerson): PersonSearch {
  return { kind: 'found', person };
}

function wordsOf(ref: Exclude<PersonRef, { by: 'mention' }>): string {
  return ref.by === 'address' ? `the address ${ref.address}` : `the object id ${ref.oid}`;
}

/** Null when Teams will not say. */
async function membersOf(where: Place, services: Services): Promise<RosterMember[] | null> {
  try {
    return await services.roster(where);
  } catch (error) {
    services.log.warn(
      { conversation: where.conversationId, code: errorCode(error) },
      'members of a conversation could not be read',
    );
    return null;
  }
}

function isMeant(member: RosterMember, ref: PersonRef): boolean {
  switch (ref.by) {
    case 'mention':
      return member.teamsId === ref.teamsId;
    case 'address':
      return member.address?.toLowerCase() === ref.address;
    default:
      return member.oid.toLowerCase() === ref.oid;
  }
}
