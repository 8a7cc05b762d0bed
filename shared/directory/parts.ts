import type { DirectoryDatasetName } from '../tenants/tenant.ts';
import type { DirectoryPart } from './directory.ts';

/** Which dataset fills which part. */
export const partOf: Readonly<Record<DirectoryDatasetName, DirectoryPart>> = {
  users: 'users',
  signInActivity: 'signIns',
  mfaRegistration: 'mfa',
  directoryRoles: 'roles',
  groups: 'groups',
  securityDefaults: 'securityDefaults',
  conditionalAccess: 'conditionalAccess',
  licenceUse: 'licences',
  licenceTerms: 'terms',
  mailDomains: 'mail',
};
