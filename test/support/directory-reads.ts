import type { Microsoft, Reading } from '../../bot/services.ts';

type Reads =
  | 'users'
  | 'signInActivity'
  | 'mfaRegistration'
  | 'directoryRoles'
  | 'groups'
  | 'securityDefaults'
  | 'conditionalAccess'
  | 'licenceUse'
  | 'licenceTerms';

/** All that the directory's sync asks of Graph, answered alike: for tests that are about something else. */
export function directoryReads(answer: () => Promise<Reading<never>>): Pick<Microsoft, Reads> {
  return {
    users: answer,
    signInActivity: answer,
    mfaRegistration: answer,
    directoryRoles: answer,
    groups: answer,
    securityDefaults: answer,
    conditionalAccess: answer,
    licenceUse: answer,
    licenceTerms: answer,
  };
}
