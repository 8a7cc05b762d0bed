import type { Role } from './access.ts';
import type { Action, CategoryScore, Comparison, ScoreChange } from './score/score.ts';
import type { DatasetName, DatasetState, Health, HealthState } from './tenants/tenant.ts';
import type { Day, Instant } from './time.ts';

/** `GET /api/tab/config` (no token): how this page gets its token outside Teams. */
export type TabConfig =
  /** `consentUrl`: where an administrator agrees for the whole organisation, when that is known. */
  | { signIn: 'teams-only'; consentUrl?: string }
  /** Demo only: the sandbox's authorize page, code + PKCE. */
  | { signIn: 'sandbox'; authorizeUrl: string; tokenUrl: string; clientId: string; scope: string };

/** `GET /api/tab/me`: a reason for each grant, at most 100 as the store holds. `may`: what the page offers. */
export type Me = {
  name: string;
  role: Role | null;
  reasons: string[];
  home: boolean;
  now: Instant;
  /** `connect`: new tenants, which takes an Admin of all of them. */
  may: { connect: boolean };
};

/** One line of `GET /api/tab/tenants`. Null = not known; the reason is in `health` or `notRead`. */
export type TenantRow = {
  id: string;
  name: string;
  domain: string;
  /** In the list: the fall that stands, points lost; absent when none does. */
  fall?: { points: number; acknowledged: boolean };
  /** In the list: another tenant this person may see is called the same. */
  namesake?: true;
  /** `failing`: the last tries failed, though too few yet for another state. */
  health: {
    state: HealthState;
    cause: string;
    remedy: string;
    since: Instant;
    failing?: NonNullable<Health['failing']>;
  };
  /** "needs Entra ID P2", "domains: permission missing": what could not be read and why. */
  notRead: string[];
  /** `spark`: at most 30 days. */
  score: {
    day: Day;
    percent: number | null;
    current: number;
    max: number;
    sinceYesterday: ScoreChange | null;
    over30Days: ScoreChange | null;
    spark: { day: Day; percent: number | null }[];
  } | null;
  readAt: Instant | null;
  /** Two readings in a row were missed: shown as stale. */
  stale: boolean;
};

/** What the four figures count, and what `show` filters by. */
export const tenantFilters = ['all', 'fell', 'attention', 'blind'] as const;
export type TenantFilter = (typeof tenantFilters)[number];

/**
 * Over all tenants the reader may see, whatever is searched or filtered. Names: at most two, worst first, with the
 * domain where another tenant is called the same.
 */
export type TenantFigures = {
  tenants: number;
  /** Of those with a score; null when there is none. */
  median: number | null;
  scored: number;
  /** How many cannot be read now, whatever is still known of them. */
  unreadable: number;
  /** How many stand above the average of tenants of their size, among those Microsoft compares. */
  aboveSize: { above: number; of: number };
  /** Percent fell since the previous day. */
  fell: { count: number; names: string[] };
  /** A fall stands, or it is not readable, older than it should be, or the last tries failed. */
  attention: { count: number; names: string[] };
  /** Something is not read, for want of consent, permission or licence. */
  blind: { count: number; names: string[] };
  /** The newest read of any of them. */
  readAt: Instant | null;
};

/**
 * `GET /api/tab/tenants?after=…&q=…&show=…`: at most 200 rows, worst change first, and how many there are (`total`)
 * with this search and filter.
 */
export type TenantList = {
  now: Instant;
  rows: TenantRow[];
  next: string | null;
  total: number;
  figures: TenantFigures;
};

/**
 * `GET /api/tab/tenants/{id}`. No list is longer than: 100 domains and licences (their counts tell how many there are),
 * 400 days, 300 actions, 50 categories and comparisons, 10 controls that moved, 8 reasons of a fall.
 */
export type TenantPage = {
  now: Instant;
  tenant: TenantRow;
  domains: string[];
  domainCount: number;
  licences: string[];
  licenceCount: number;
  datasets: {
    name: DatasetName;
    state: DatasetState['state'] | 'waiting';
    why: string;
    readAt: Instant | null;
    triedAt: Instant | null;
  }[];
  trend: { day: Day; percent: number | null; current: number; max: number }[];
  comparisons: Comparison[];
  /** The comparison to show, by basis, with its label; null with the reason. */
  comparison: { percent: number; label: string; difference: number } | null;
  categories: CategoryScore[];
  moved: { name: string; title: string; points: number }[];
  /** The fall that stands, however long ago; null when none does. */
  fall: TenantFall | null;
  actions: Action[];
  actionCount: number;
  /** What this person may do with this tenant; the API asks again each time. */
  may: { sync: boolean; connect: boolean; remove: boolean };
  /** For those who may connect; null for others, and when none is kept. */
  credential: CredentialLine | null;
  /** For those who may connect: the page of Entra where the trouble is mended. */
  mend: PageLink | null;
};

/** A fall as its card tells it, in plain text. Points read "−10.0"; `reasons` are at most 8, the largest first. */
export type TenantFall = {
  headline: string;
  /** "Acknowledged by Ana Reyes on 20 Nov, 09:14 UTC"; empty while nobody has. */
  acknowledged: string;
  reasons: { title: string; points: string }[];
  /** "and 3 more controls with −6.0 points"; empty when all are above. */
  more: string;
  /** The day it is compared with. */
  since: Day;
};

/** What is told of a credential (R58); its value is never. */
export type CredentialLine = {
  kind: 'secret' | 'certificate' | 'consent';
  appId: string;
  /** Tells two credentials apart: of a keyed digest, not of the secret. */
  last4: string;
  createdAt: Instant;
  expiresAt: Instant | null;
};

/** A page elsewhere, always of a fixed host. */
export type PageLink = { text: string; href: string };

/** Longest and shortest of what people may type into the form of a connection. */
export const connectLimits = { name: 120, tenant: 253, secretLeast: 8, secret: 512 } as const;

/** `POST /api/tab/connect/test` tries and saves nothing; `POST /api/tab/connect` tries, saves and syncs. */
export type ConnectBody = {
  /** Shown instead of the organisation's own name. */
  name?: string;
  /** A domain of the tenant, or its id. */
  tenant: string;
  appId: string;
  secret: string;
};
/** `POST /api/tab/tenants/{id}/credentials/test` and `POST /api/tab/tenants/{id}/credentials`. */
export type CredentialsBody = Pick<ConnectBody, 'appId' | 'secret'>;

/** One line of a connection test. `gap`: works as far as the tenant's licences go. */
export type ConnectStep = {
  step: string;
  state: 'works' | 'gap' | 'failed' | 'not-tried';
  /** What was found, a sentence or less; empty when it simply works. */
  says: string;
  remedy: string;
  link: PageLink | null;
};

export type ConnectAnswer = {
  steps: ConnectStep[];
  /** No step failed: it can be saved. */
  works: boolean;
  /** What the tenant calls itself, when it works. */
  organization: { name: string; domain: string } | null;
  /** This tenant stands in the list already: its credentials can be updated instead. Nothing was tried. */
  known: { id: string; name: string } | null;
  /** Another tenant is shown under the name this one would get: it can be saved all the same. */
  namesake: { name: string; domain: string } | null;
  saved: { id: string; name: string; domain: string; sync: string } | null;
};

/** `POST /api/tab/tenants/{id}/sync` and `GET /api/tab/tenants/{id}/sync/{sync}`. */
export type SyncAnswer = {
  id: string;
  state: 'waiting' | 'running' | 'done' | 'failed';
  /** What changed, or what went wrong and what to do; empty while it runs. */
  result: string;
};

/** `POST /api/tab/tenants/{id}/remove`, with the tenant's name or domain as a person typed it. */
export type RemoveBody = { name: string };
/** `deleted`: "90 days of scores", "1 credential". */
export type RemoveAnswer = { name: string; deleted: string[] };

/** Every refusal of our API: RFC 9457 problem, with an id that is in the log. */
export type Problem = { title: string; status: number; detail: string; id: string };
