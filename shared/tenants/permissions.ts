/** One application permission of Microsoft Graph, why it is asked for, and what else opens the same. */
export type Permission = { name: string; why: string; or: readonly string[] };

/**
 * What an administrator is asked to consent to (`graph.md` §0): reading only, and nothing that is not used. Without one
 * of these a tenant is not connected.
 */
export const requiredPermissions: readonly Permission[] = [
  {
    name: 'SecurityEvents.Read.All',
    why: 'reads Secure Score and the actions that Microsoft recommends',
    or: ['SecurityEvents.ReadWrite.All'],
  },
  {
    name: 'Organization.Read.All',
    why: 'reads the name of the organisation',
    or: ['Directory.Read.All', 'User.Read.All'],
  },
  { name: 'Domain.Read.All', why: 'reads which domains belong to it', or: ['Directory.Read.All'] },
  {
    name: 'LicenseAssignment.Read.All',
    why: 'reads which licences there are, so that missing ones are no alarm',
    or: ['Organization.Read.All', 'Directory.Read.All'],
  },
];

/** Said wherever somebody is asked for consent. */
export const neverRead: readonly string[] = ['mail', 'files', 'passwords', 'chats'];

/** The permissions that `roles` of an app-only token do not cover, by name. */
export function missingPermissions(roles: readonly string[]): string[] {
  return requiredPermissions
    .filter(({ name, or }) => ![name, ...or].some((one) => roles.includes(one)))
    .map(({ name }) => name);
}
