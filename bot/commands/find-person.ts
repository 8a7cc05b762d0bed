import { type Caller, scopeFor } from '../../shared/access.ts';
import type { PersonRef } from '../../shared/command.ts';
import { plain } from '../../shared/foreign-text.ts';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { errorCode } from '../errors.ts';
import type { Place, RosterMember, Services } from '../services.ts';

/** A person found: the key is `tid` + `oid`; the name is for showing. */
export type FoundPerson = { tid: TenantId; oid: string; name: string };
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
  const tids = [who.tid, ...(await connectedTenants(ref, who, where, services))];
  const known =
    ref.by === 'address'
      ? await byAddress(ref.address, tids, services)
      : await byOid(ref.oid, tids, services);
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

/** Connected tenants the person may belong to: by the address's domain, or any for an object id; at most 50. */
async function connectedTenants(
  ref: PersonRef,
  who: Caller,
  where: Place,
  services: Services,
): Promise<TenantId[]> {
  const all = await services.store.tenants.list(scopeFor(who, where.audience, 'grant', services.now()));
  const domain = ref.by === 'address' ? ref.address.split('@')[1] : undefined;
  return all
    .filter((tenant) => tenant.id !== who.tid && (domain === undefined || tenant.domains.includes(domain)))
    .slice(0, 50)
    .map(({ id }) => id);
}

async function byAddress(address: string, tids: TenantId[], services: Services): Promise<FoundPerson[]> {
  const found = await Promise.all(tids.map((tid) => services.store.people.byAddress(tid, address)));
  return found.flat().map(({ tid, oid, name }) => ({ tid, oid, name }));
}

async function byOid(oid: string, tids: TenantId[], services: Services): Promise<FoundPerson[]> {
  const found = await Promise.all(tids.map((tid) => services.store.people.get(tid, oid)));
  return found.flatMap((person) =>
    person === null ? [] : [{ tid: person.tid, oid: person.oid, name: person.name }],
  );
}
