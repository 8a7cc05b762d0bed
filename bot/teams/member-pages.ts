import { tenantId } from '../../shared/tenants/tenant.ts';
import type { RosterMember } from '../services.ts';
import type { Connector, ListedMember } from './connector.ts';

const most = 25_000;

/** Pages of a conversation's members until there is no more or `use` has seen enough; at most 25,000 members. */
export async function eachPage(
  connector: Connector,
  serviceUrl: string,
  base: string,
  use: (members: ListedMember[]) => boolean,
): Promise<{ kind: 'read' } | { kind: 'unread'; why: string }> {
  let after: string | undefined;
  for (let seen = 0; seen <= most; ) {
    const page = await connector.members(serviceUrl, base, after);
    if (page.kind === 'unread') return page;
    if (page.members.length === 0 && after === undefined) return { kind: 'unread', why: 'no members' };
    seen += Math.max(page.members.length, 1);
    if (!use(page.members) || page.next === undefined) return { kind: 'read' };
    if (page.next === after) return { kind: 'unread', why: 'member list repeats itself' };
    after = page.next;
  }
  return { kind: 'unread', why: 'too many members' };
}

/** A listed member as far as it is understood. */
export function memberOf(listed: ListedMember): RosterMember | undefined {
  const oid = typeof listed.aadObjectId === 'string' ? listed.aadObjectId : listed.objectId;
  const tid = typeof listed.tenantId === 'string' ? tenantId(listed.tenantId) : undefined;
  if (typeof listed.id !== 'string' || typeof oid !== 'string' || tid === undefined) return undefined;
  const address = [listed.email, listed.userPrincipalName].find(
    (one) => typeof one === 'string' && one !== '',
  );
  return {
    teamsId: listed.id,
    oid: oid.toLowerCase(),
    tid,
    name: typeof listed.name === 'string' ? listed.name : '',
    ...(typeof address === 'string' ? { address } : {}),
  };
}
