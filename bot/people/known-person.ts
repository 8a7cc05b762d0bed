import type { Caller } from '../../shared/access.ts';
import type { PersonRef } from '../../shared/command.ts';
import type { Tenant, TenantId } from '../../shared/tenants/tenant.ts';
import type { Services } from '../services.ts';

/** A person found: the key is `tid` + `oid`; the name is for showing. */
export type FoundPerson = { tid: TenantId; oid: string; name: string };

/**
 * People with this address or object id who have written to Watchpost or hold a role, of the home tenant or of a
 * connected tenant among `tenants`, which are those the caller sees.
 */
export async function knownPeople(
  ref: Exclude<PersonRef, { by: 'mention' }>,
  who: Caller,
  tenants: readonly Tenant[],
  { store }: Pick<Services, 'store'>,
): Promise<FoundPerson[]> {
  const found =
    ref.by === 'address'
      ? await byAddress(ref.address, who, tenants, store)
      : // One look-up however many tenants are connected; nobody of a tenant that the caller does not see is found.
        (await store.people.byOid(ref.oid)).filter(({ tid }) => isSeen(tid, who, tenants));
  return found.map(({ tid, oid, name }) => ({ tid, oid, name }));
}

function isSeen(tid: TenantId, who: Caller, tenants: readonly Tenant[]): boolean {
  return tid === who.tid || tenants.some(({ id }) => id === tid);
}

/** Of the home tenant and the connected ones that have verified the address's domain: one each, but for errors. */
async function byAddress(
  address: string,
  who: Caller,
  tenants: readonly Tenant[],
  store: Services['store'],
): Promise<FoundPerson[]> {
  const domain = address.split('@')[1] ?? '';
  const owners = tenants.filter(({ id, domains }) => id !== who.tid && domains.includes(domain)).slice(0, 50);
  const tids = [who.tid, ...owners.map(({ id }) => id)];
  return (await Promise.all(tids.map((tid) => store.people.byAddress(tid, address)))).flat();
}
