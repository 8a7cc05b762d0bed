import type { Day, Instant } from '../time.ts';
import type { Cadence } from './cadence.ts';

/** The Entra id of a tenant: a GUID in lower case. Made only by `tenantId()`. */
export type TenantId = string & { readonly TenantId: unique symbol };

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The text as a tenant id, lower-cased, or undefined when it is no GUID. */
export function tenantId(text: string): TenantId | undefined {
  const lower = text.toLowerCase();
  return guid.test(lower) ? (lower as TenantId) : undefined;
}

/** What we know of one customer's Microsoft 365 tenant. */
export type Tenant = {
  id: TenantId;
  /** The organisation's display name, foreign text: escape it wherever it is shown. */
  name: string;
  /** The name was given by an Admin: the organisation's own does not replace it. */
  named?: boolean;
  /** The default verified domain, lower case. */
  domain: string;
  /** All verified domains, lower case, the default one first. */
  domains: string[];
  /** What people sort tenants by: lower case, at most 20 of at most 40 characters each. */
  tags?: string[];
  /** How often it is read, where that is not as the settings say. */
  cadence?: Cadence;
  /** Number for metrics labels; random per tenant, tells nothing about it. */
  opaque: number;
  connectedAt: Instant;
  /** Application permissions of the last app-only token, at most 100, and when that was. */
  permissions?: { roles: string[]; at: Instant };
  /** What was told last of the end of its credential: that finding and its outbox rows are surely written. */
  endTold?: string;
  health: Health;
  datasets: Partial<Record<DatasetName, DatasetState>>;
  licences: Licences;
};

/** `waiting` = connected but never read yet. A licence gap never leaves `connected`. */
export type HealthState =
  | 'waiting'
  | 'connected'
  | 'authentication-error'
  | 'permission-error'
  | 'service-error';

export type Health = {
  state: HealthState;
  since: Instant;
  /** What happened, a sentence: "Consent was withdrawn." Empty when connected. */
  cause: string;
  /** What to do, a sentence. Empty when connected. */
  remedy: string;
  /** Microsoft's code for support, e.g. `AADSTS7000222`; never a description of theirs. */
  code?: string;
  /** Transient failures in a row and when the first was; the state flips after 3 over at least 15 minutes. */
  failing?: { times: number; since: Instant; cause: string };
};

/** What is read from a tenant, in Microsoft Graph's own words. */
export const datasetNames = [
  'organization',
  'domains',
  'subscribedSkus',
  'secureScores',
  'secureScoreControlProfiles',
] as const;
/**
 * What is read beside that once a day, each with a permission of its own that a tenant need not grant. Nothing of it
 * decides health: what was never granted or is not licensed is said where its numbers would stand.
 */
export const directoryDatasetNames = [
  'users',
  'signInActivity',
  'mfaRegistration',
  'directoryRoles',
  'groups',
  'securityDefaults',
  'conditionalAccess',
  'licenceUse',
  'licenceTerms',
  'mailDomains',
] as const;
export type DirectoryDatasetName = (typeof directoryDatasetNames)[number];
export type DatasetName = (typeof datasetNames)[number] | DirectoryDatasetName;

/** Yes, no, unknown-because: a dataset not read is a state with a reason, never an empty list. */
export type DatasetState = {
  /** `not-granted`: an optional dataset whose permission this tenant never gave; `permission-missing`: it was there. */
  state: 'ok' | 'not-licensed' | 'not-granted' | 'permission-missing' | 'throttled' | 'error';
  /** Last good read; absent when there never was one. */
  readAt?: Instant;
  triedAt: Instant;
  /** A sentence for people when the state is not ok: "needs Entra ID P2". */
  why?: string;
  /** The Graph application permission this dataset needs, when it is missing. */
  permission?: string;
  /** Hash of the last body, so that unchanged answers are skipped. */
  hash?: string;
  /** Of the scores: the newest day that surely was evaluated and stored. */
  day?: Day;
};

/** A fact that may not have been read. */
export type Known<T> = { known: true; value: T } | { known: false; why: string };

export type Licences = {
  entraP1: Known<boolean>;
  entraP2: Known<boolean>;
  skus: { partNumber: string; name: string; enabled: number; consumed: number; state: string }[];
};

export type { Day, Instant };
