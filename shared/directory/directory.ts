import type { MailDomain } from '../mail/mail-domain.ts';
import type { Day } from '../time.ts';

/**
 * What is known of a tenant's people, groups, licences and domains: counts, and the few lists that somebody acts on.
 * A part that is absent was never read; why not stands in `tenant.datasets` under the same subject.
 */
export type Directory = {
  users?: UserFacts;
  signIns?: SignInFacts;
  mfa?: MfaFacts;
  roles?: RoleFacts;
  groups?: GroupFacts;
  securityDefaults?: { isOn: boolean };
  conditionalAccess?: ConditionalAccessFacts;
  licences?: LicenceFacts;
  terms?: LicenceTerms;
  mail?: MailDomain[];
};
export type DirectoryPart = keyof Directory;

/** The longest of each list that names somebody or something; how many there are in all is counted beside it. */
export const mostNamed = 50;

/** Numbers of accounts. `licensed`: has at least one licence. */
export type UserFacts = {
  members: number;
  guests: number;
  enabledMembers: number;
  enabledGuests: number;
  /** Switched off and still holding a licence: paid for and used by nobody. */
  disabledLicensed: number;
  /** Synchronised from a directory on premises. */
  synced: number;
};

/** Of enabled accounts older than `days` days; younger ones have had no time to be inactive. */
export type SignInFacts = {
  days: number;
  /** Accounts this is said of. */
  counted: number;
  inactiveMembers: number;
  inactiveGuests: number;
  /** Among them: no sign-in is known at all. */
  neverSeen: number;
};

/** A person as an operator names one: foreign text. */
export type NamedPerson = { name: string; upn: string };

/** Microsoft's registration report; disabled accounts are left out of it. */
export type MfaFacts = {
  users: MfaCount;
  guests: MfaCount;
  admins: MfaCount;
  /** Administrators who could not pass MFA today; at most `mostNamed`. */
  adminsWithout: NamedPerson[];
  adminsWithoutCount: number;
  /** The newest day a row of the report was made: it is hours to a day behind. */
  asOf: Day | null;
};
/** `registered`: has a method. `capable`: has one that the tenant's policy allows. */
export type MfaCount = { total: number; registered: number; capable: number };

export type RoleFacts = {
  /** Roles that have members, by number of them; at most `mostNamed`. */
  roles: { name: string; members: number; isGlobalAdmin: boolean }[];
  /** Different people in any role. */
  people: number;
  apps: number;
  globalAdmins: NamedPerson[];
  globalAdminCount: number;
};

export type GroupFacts = {
  total: number;
  microsoft365: number;
  security: number;
  /** Membership follows a rule. */
  dynamic: number;
  /** Shown to anybody in the organisation. */
  publicTeams: number;
  ownerless: string[];
  ownerlessCount: number;
};

/** Who a policy reaches; the words of Microsoft's conditions cut down to what matters for MFA. */
export type PolicyReach = 'everyone' | 'admins' | 'guests' | 'some' | 'nobody';
export type PolicyFacts = {
  name: string;
  /** `reportOnly` enforces nothing. */
  state: 'on' | 'off' | 'reportOnly';
  reach: PolicyReach;
  apps: 'all' | 'some';
  /** People, groups and roles that are left out. */
  exclusions: number;
  /** `mfa`: must pass it. `mfaOr`: or has something else instead, as a compliant device. */
  demands: 'mfa' | 'mfaOr' | 'block' | 'other';
  /** Blocks clients that cannot do MFA. */
  blocksLegacy: boolean;
  /** Asked only at a risk, place, platform or device: not at every sign-in. */
  conditional: boolean;
};
export type ConditionalAccessFacts = {
  on: number;
  reportOnly: number;
  off: number;
  /** Those that demand MFA or block old clients; at most `mostNamed`. */
  policies: PolicyFacts[];
};

export type LicenceLine = {
  partNumber: string;
  name: string;
  /** Usable units, those in their last days among them. */
  owned: number;
  used: number;
  /** Units whose subscription has run out and that still work for some days. */
  warning: number;
  /** Units that no longer work. */
  suspended: number;
  /** A product that comes free in masses: says nothing about waste. */
  free: boolean;
};
export type LicenceFacts = { lines: LicenceLine[]; count: number };

/** When subscriptions end unless renewed. */
export type LicenceTerms = {
  ends: { partNumber: string; name: string; units: number; on: Day; isTrial: boolean; state: string }[];
};
