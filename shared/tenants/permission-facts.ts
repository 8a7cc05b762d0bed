import { type Permission, requiredPermissions } from './permissions.ts';
import type { Tenant } from './tenant.ts';

/** What else is read where a tenant allows it; without one of these only that is not seen. */
export const optionalPermissions: readonly Permission[] = [
  {
    name: 'User.Read.All',
    why: 'counts members, guests and accounts that are switched off',
    or: ['Directory.Read.All'],
  },
  { name: 'AuditLog.Read.All', why: 'tells who has MFA and who no longer signs in', or: [] },
  {
    name: 'GroupMember.Read.All',
    why: 'counts groups and those without an owner',
    or: ['Group.Read.All', 'Directory.Read.All'],
  },
  {
    name: 'RoleManagement.Read.Directory',
    why: 'tells who is an administrator',
    or: ['RoleManagement.Read.All', 'Directory.Read.All'],
  },
  { name: 'Policy.Read.All', why: 'reads Conditional Access and security defaults', or: [] },
];

export type PermissionFacts = {
  granted: { name: string; why: string }[];
  /** Required, and not covered by anything granted. */
  missing: { name: string; why: string }[];
  /** Optional, and not granted. */
  optional: { name: string; why: string }[];
  /** Granted, though Watchpost uses none of it: it can be taken away. Those that could change something first. */
  excess: string[];
};

const most = 100;

/** What the roles of a tenant's app-only token mean. Foreign text: names are Microsoft's. */
export function permissionFacts(roles: readonly string[]): PermissionFacts {
  const held = new Set(roles.slice(0, most));
  const used = new Set<string>();
  const split = (all: readonly Permission[]) => {
    const [granted, missing]: [PermissionFacts['granted'], PermissionFacts['granted']] = [[], []];
    for (const { name, why, or } of all) {
      // The narrow one counts; a wider one in its place counts only while the narrow one is not there.
      const by = [name, ...or].find((one) => held.has(one));
      if (by === undefined) missing.push({ name, why });
      else {
        used.add(by);
        granted.push({ name: by, why });
      }
    }
    return { granted, missing };
  };
  const required = split(requiredPermissions);
  const optional = split(optionalPermissions);
  const excess = [...held].filter((one) => !used.has(one)).sort();
  const changes = (name: string): boolean => /Write|Manage|FullControl|Send/.test(name);
  return {
    granted: merged([...required.granted, ...optional.granted]),
    missing: required.missing,
    optional: optional.missing,
    excess: [...excess.filter(changes), ...excess.filter((name) => !changes(name))],
  };
}

/** What is kept with the tenant of a token's roles. */
export function keptPermissions(roles: readonly string[], at: string): NonNullable<Tenant['permissions']> {
  return { roles: roles.slice(0, most), at };
}

/** One wide permission may serve several ends: it is named once. */
function merged(all: PermissionFacts['granted']): PermissionFacts['granted'] {
  const byName = new Map<string, string[]>();
  for (const { name, why } of all) byName.set(name, [...(byName.get(name) ?? []), why]);
  return [...byName].map(([name, whys]) => ({ name, why: whys.join('; ') }));
}
