import { hash } from 'node:crypto';
import * as v from 'valibot';
import { mostNamed, type NamedPerson, type RoleFacts } from '../../shared/directory/directory.ts';
import type { Cloud } from '../clouds.ts';
import type { Reading, TenantAccess } from '../services.ts';
import type { Ask, Gateway } from './gateway.ts';
import { mapItems } from './items.ts';
import { byUpn } from './mfa.ts';
import { readAll } from './paging.ts';
import { looseText, plainText } from './tolerant.ts';

/** `GET /directoryRoles` (`graph.md` §1.19): only roles that somebody has or had. */
export const askDirectoryRoles: Ask = { path: '/directoryRoles' };

/** Same in every tenant. */
const globalAdministrator = '62e90394-69f5-4237-9190-012177145e10';
/** Microsoft has about a hundred and thirty. */
const mostRoles = 200;

const roleSchema = v.object({
  id: v.pipe(v.string(), v.regex(/^[0-9a-f-]{36}$/i)),
  displayName: v.optional(looseText, ''),
  roleTemplateId: v.optional(looseText, ''),
});
const memberSchema = v.object({
  '@odata.type': v.optional(looseText, ''),
  id: v.string(),
  displayName: v.optional(looseText, ''),
  userPrincipalName: v.optional(looseText, ''),
});

type Role = { id: string; name: string; isGlobalAdmin: boolean };
type Member = NamedPerson & { id: string; isPerson: boolean };

/**
 * Who has a role now, over the whole tenant: one request for the roles and one for the members of each. Who is only
 * eligible, or has a role for a part of the tenant, is in none of these lists.
 */
export async function readDirectoryRoles(
  gateway: Pick<Gateway, 'get'>,
  cloud: Cloud,
  access: TenantAccess,
  known?: string,
): Promise<Reading<RoleFacts>> {
  const roles = await readAll(gateway, cloud, access, askDirectoryRoles, { map: rolesOf });
  if (roles.kind !== 'ok') return roles;
  const members = await Promise.all(
    roles.value.map(({ id }) =>
      readAll(gateway, cloud, access, { path: `/directoryRoles/${id}/members` }, { map: membersOf }),
    ),
  );
  const prints = [roles.hash];
  const filled: { role: Role; members: Member[] }[] = [];
  for (const [at, role] of roles.value.entries()) {
    const one = members[at];
    if (one === undefined || one.kind === 'unchanged') continue;
    if (one.kind === 'failed') return one;
    prints.push(one.hash);
    filled.push({ role, members: one.value });
  }
  const print = hash('sha256', prints.join(), 'base64url');
  return print === known
    ? { kind: 'unchanged', hash: print }
    : { kind: 'ok', value: factsOf(filled), hash: print };
}

function rolesOf(items: unknown[]): Role[] {
  return mapItems(items, roleSchema, ({ id, displayName, roleTemplateId }) => ({
    id: id.toLowerCase(),
    name: plainText(displayName, 256) || id,
    isGlobalAdmin: roleTemplateId.toLowerCase() === globalAdministrator,
  })).slice(0, mostRoles);
}

function membersOf(items: unknown[]): Member[] {
  return mapItems(items, memberSchema, (member) => {
    const upn = plainText(member.userPrincipalName, 256);
    return {
      id: member.id,
      upn,
      name: plainText(member.displayName, 256) || upn,
      // Without a right to read people their type still comes.
      isPerson: /\.user$/i.test(member['@odata.type']) || upn !== '',
    };
  });
}

function factsOf(filled: { role: Role; members: Member[] }[]): RoleFacts {
  const people = new Set<string>();
  const apps = new Set<string>();
  const globalAdmins = new Map<string, NamedPerson>();
  for (const { role, members } of filled) {
    for (const { id, isPerson, name, upn } of members) {
      if (isPerson) people.add(id);
      else apps.add(id);
      if (role.isGlobalAdmin && isPerson) globalAdmins.set(id, { name: name || id, upn });
    }
  }
  return {
    roles: filled
      .filter(({ members }) => members.length > 0)
      .map(({ role, members }) => ({
        name: role.name,
        members: members.length,
        isGlobalAdmin: role.isGlobalAdmin,
      }))
      .sort((a, b) => b.members - a.members || (a.name < b.name ? -1 : 1))
      .slice(0, mostNamed),
    people: people.size,
    apps: apps.size,
    globalAdmins: byUpn([...globalAdmins.values()]),
    globalAdminCount: globalAdmins.size,
  };
}
