import { type Caller, scopeFor } from '../../shared/access.ts';
import type { PersonRef } from '../../shared/command.ts';
import { plain } from '../../shared/foreign-text.ts';
import { type Tenant, type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
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
  const tenants = await services.store.tenants.list(scopeFor(who, where.audience, 'grant', services.now()));
  const known =
    ref.by === 'address'
      ? await byAddress(ref.address, who, tenants, services)
      : await byOid(ref.oid, who, tenants, services);
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

/** Of the home tenant and the connected ones that have verified the address's domain: one each, but for errors. */
async function byAddress(
  address: string,
  who: Caller,
  tenants: readonly Tenant[],
  services: Services,
): Promise<FoundPerson[]> {
  const domain = address.split('@')[1] ?? '';
  const owners = tenants.filter(({ id, domains }) => id !== who.tid && domains.includes(domain)).slice(0, 50);
  const tids = [who.tid, ...owners.map(({ id }) => id)];
  const found = await Promise.all(tids.map((tid) => services.store.people.byAddress(tid, address)));
  return found.flat().map(({ tid, oid, name }) => ({ tid, oid, name }));
}

/** One look-up however many tenants are connected; nobody of a tenant that the caller does not see here is found. */
async function byOid(
  oid: string,
  who: Caller,
  tenants: readonly Tenant[],
  services: Services,
): Promise<FoundPerson[]> {
  const seen = new Set([who.tid, ...tenants.map(({ id }) => id)]);
  const found = await services.store.people.byOid(oid);
  return found.filter(({ tid }) => seen.has(tid)).map(({ tid, name }) => ({ tid, oid, name }));
}
