import type { Role } from './access.ts';
import type { Action, CategoryScore, Comparison, ScoreChange } from './score/score.ts';
import type { CadenceChoice, CadencePart } from './tenants/cadence.ts';
import type { PermissionFacts } from './tenants/permission-facts.ts';
import type { DatasetName, DatasetState, Health, HealthState } from './tenants/tenant.ts';
import type { WorkState } from './tenants/work-state.ts';
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
  /** Without a role, for people of the home tenant: whom to ask for one; at most 3. */
  admins?: string[];
  home: boolean;
  /** There is an application that organisations can consent to. */
  consent: boolean;
  /** The Entra admin center of this cloud. */
  entraPortal: string;
  now: Instant;
  /** `connect`: new tenants, which takes an Admin of all of them. `sync`: some tenant; `manage`: be an Admin of some. `people`: their roles. `audit`: the log. */
  may: { connect: boolean; sync: boolean; manage: boolean; people: boolean; audit: boolean };
};

/** One line of `GET /api/tab/tenants`. Null = not known; the reason is in `health` or `notRead`. */
export type TenantRow = {
  id: string;
  name: string;
  domain: string;
  /** In the list: the fall that stands, points lost; absent when none does. */
  fall?: { points: number; acknowledged: boolean };
  tags: readonly string[];
  /** How often its parts are read, by the person's choice. */
  cadence: Record<CadencePart, CadenceChoice | 'other'>;
  /** In the list: its credential has ended, or ends within 30 days. */
  ending?: { kind: CredentialLine['kind']; expiresAt: Instant };
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
  /** How many are connected and read well now, and how many are in each state that occurs. */
  connected: number;
  states: { state: WorkState; count: number }[];
  /** The tags there are with how many carry them, the most frequent first; at most 100. */
  tags: { tag: string; count: number }[];
  /** The newest read of any of them. */
  readAt: Instant | null;
};

/** Longest and shortest of what people may type into the form of a connection. */
export const connectLimits = { name: 120, tenant: 253, secretLeast: 8, secret: 512 } as const;

/** Lines of a list of companies, characters of a name and of the whole list, and lines for one call. */
export const companyLimits = { lines: 2_000, name: connectLimits.name, text: 200_000, calls: 20 } as const;
/**
 * Adding companies. `POST /api/tab/companies/read` reads a list and finds what is wrong with its lines, without asking
 * Microsoft; `…/look-up` finds the tenants of at most 20 domains; `…/add` adds at most 20 of the lines that were found
 * good, each whole or not at all. Any of them may be asked again.
 */
export type CompaniesBody = { text: string };
export type CompanyLine = {
  line: number;
  name: string;
  domain: string;
  tags: string[];
  /** Why it cannot be added; empty while nothing is known against it. */
  fault: string;
};
export type CompanyLines = { lines: CompanyLine[] };
export type LookUpBody = { domains: string[] };
/** `later`: Microsoft did not answer in time; ask again. */
export type LookedUp = { domain: string } & (
  | { kind: 'found'; id: string; known: { id: string; name: string } | null }
  | { kind: 'none' | 'later'; says: string }
);
export type AddBody = { companies: { name: string; domain: string; tags: string[]; id: string }[] };
export type Added = { domain: string } & (
  | { kind: 'added' | 'known'; id: string; name: string }
  | { kind: 'failed'; says: string }
);

/** What narrows a list of tenants; all that is given must fit. */
export type TenantMatch = { q?: string; show?: TenantFilter; state?: WorkState; tag?: string };
/** Which tenants a change is for: those ticked, or all that the list shows with this search and filter. */
export type Selection = { ids: string[] } | { match: TenantMatch };
/** So many at once; links are fewer. */
export const selectionLimits = { ids: 2_000, links: 200 } as const;

/** `POST /api/tab/tenants/tags`: what is added and taken away; `POST /api/tab/tenants/{id}/tags`: all there shall be. */
export type TagsBody = { of: Selection; add?: string[]; remove?: string[] };
/** `POST /api/tab/tenants/cadence`. */
export type CadenceBody = { of: Selection; part: CadencePart; every: CadenceChoice };
/** How many were changed, were so already, and were left out because the person may not change them. */
export type BulkAnswer = { changed: number; same: number; left: number };
/** `POST /api/tab/tenants/sync`: what was asked for and when; `…/sync/progress` is asked with the same. */
export type BulkSync = { ids: string[]; since: Instant; left: number };
export type BulkSyncProgress = { total: number; done: number; failed: number; running: number };
/**
 * `POST /api/tab/tenants/links`: a file for people to send out; `left`: those that got none, with the reason. `again`:
 * also those that have a link or are connected.
 */
export type LinksBody = { of: Selection; again?: boolean };
export type BulkLinks = { count: number; csv: string; file: string; left: { name: string; why: string }[] };

/** What the page of jobs shows. `overdue`: due and nobody has taken it. */
export const jobFilters = ['all', 'failing', 'running', 'overdue'] as const;
export type JobFilter = (typeof jobFilters)[number];
export type JobRow = {
  tenant: { id: string; name: string; domain: string };
  part: CadencePart;
  /** Null: never. `ms` is how long the last run took. */
  startedAt: Instant | null;
  doneAt: Instant | null;
  ms: number | null;
  /** "changed", "unchanged", "failed", "gone"; empty before the first. */
  outcome: string;
  /** Null: it is not read any more. */
  dueAt: Instant | null;
  /** In a row. */
  failures: number;
  /** What the health of the tenant says of it. */
  why: string;
  /** Who works on it now. */
  lease: { instance: string; until: Instant } | null;
  overdue: boolean;
  maySync: boolean;
};
/** `GET /api/tab/jobs?show=…&q=…&after=…`: at most 200 rows, failing first, then what is due first. */
export type JobList = {
  now: Instant;
  rows: JobRow[];
  next: string | null;
  total: number;
  counts: Record<JobFilter, number>;
  /** Names of the instances that hold work now. */
  instances: string[];
  /** Seconds that the job longest overdue waits. */
  oldestSeconds: number;
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
  /**
   * Sentences for who looks after all tenants: which of Watchpost's own credentials end soon (Admins), and which
   * conversations are not told what they watch (Operators too).
   */
  notices: string[];
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
  moved: { name: string; title: string; points: number; byUsers?: true }[];
  /** The fall that stands, however long ago; null when none does. */
  fall: TenantFall | null;
  actions: Action[];
  actionCount: number;
  /** What this person may do with this tenant; the API asks again each time. */
  may: { sync: boolean; connect: boolean; remove: boolean };
  connectedAt: Instant;
  /** Of the last token, at most 100 in all; null while none was had. */
  permissions: (PermissionFacts & { at: Instant }) | null;
  /** For those who may connect: the certificate that waits until Entra accepts it. */
  waiting: Pick<WaitingCertificate, 'appId' | 'madeAt'> | null;
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
  /** Somebody has, and it did not become worse since. */
  known: boolean;
  reasons: { title: string; points: string }[];
  /** "and 3 more controls with −6.0 points"; empty when all are above. */
  more: string;
  /** What moved the score too and is not counted, one sentence each. */
  aside: string[];
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

/** `POST /api/tab/connect/test` tries and saves nothing; `POST /api/tab/connect` tries, saves and syncs. */
export type ConnectBody = {
  /** Shown instead of the organisation's own name. */
  name?: string;
  /** A domain of the tenant, or its id. */
  tenant: string;
  appId: string;
  secret: string;
  /** When Entra says the secret ends: a day. */
  secretExpires?: Day;
};
/** `POST /api/tab/tenants/{id}/credentials/test` and `POST /api/tab/tenants/{id}/credentials`. */
export type CredentialsBody = Pick<ConnectBody, 'appId' | 'secret' | 'secretExpires'>;

/** One line of a connection test. `gap`: works as far as the tenant's licences go. */
export type ConnectStep = {
  step: string;
  state: 'works' | 'gap' | 'failed' | 'not-tried';
  /** What was found, a sentence or less; empty when it simply works. */
  says: string;
  remedy: string;
  link: PageLink | null;
};

/**
 * A certificate made by Watchpost that waits until Entra accepts it; its key is never told. `POST /api/tab/connect/certificate`
 * and `POST /api/tab/tenants/{id}/certificate` answer it; each with `/test` tries it, and with a tenant's id `/drop` takes
 * it away.
 */
export type WaitingCertificate = {
  tenant: string;
  appId: string;
  madeAt: Instant;
  expiresAt: Instant;
  pem: string;
  /** DER in base64: the `.cer` file. */
  der: string;
  /** Hexadecimal, large letters, as Entra shows one. */
  sha1: string;
  sha256: string;
  /** Where in Entra it is uploaded. */
  link: PageLink;
};
/** `anew`: not the one that waits already, if there is one. */
export type CertificateBody = { appId: string; anew?: boolean };
export type NewCertificateBody = CertificateBody & Pick<ConnectBody, 'tenant'>;
/** Without a certificate: `steps` say why no tenant was found, or it is connected already. */
export type CertificateAnswer = Pick<ConnectAnswer, 'steps' | 'known'> & {
  certificate: WaitingCertificate | null;
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
  /** Of a certificate: Entra does not know it yet, so it is worth asking again. */
  again?: true;
};

/** `POST /api/tab/tenants/{id}/consent`: where the popup of *Sign in with Microsoft* begins; good once. */
export type ConsentStart = { address: string };
/** `POST /api/tab/tenants/{id}/link`: told once; earlier links of the tenant end. */
export type LinkMade = { url: string; expiresAt: Instant };
/** `GET /api/tab/tenants/{id}/link`. `consent`: there is an application to consent to. */
export type LinkState = { consent: boolean; link: { madeAt: Instant; expiresAt: Instant } | null };

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

/** Tenants of a grant or deny that the reader may see, by name; at most 50 of them, `more` there are beside. */
export type CoveredLine = {
  all: boolean;
  tenants: { id: string; name: string }[];
  more: number;
  tags: string[];
};

/** One line of `GET /api/tab/people`: who has a role, is denied something, or is switched off. */
export type PersonRow = {
  /** `tid/oid`: what the changes name. */
  key: string;
  name: string;
  address: string | null;
  /** Of which connected tenant; null for people of this organisation. */
  organisation: string | null;
  you: boolean;
  disabled: boolean;
  /** The strongest that counts now; null when nothing does. */
  role: Role | null;
  grants: {
    role: Role;
    covered: CoveredLine;
    source: string;
    by: string;
    at: Instant;
    until: Instant | null;
  }[];
  denies: { covered: CoveredLine; by: string; at: Instant; until: Instant | null }[];
  seenAt: Instant | null;
  may: { take: boolean; lift: boolean; switch: boolean };
};
/**
 * `GET /api/tab/people?q=…`: at most 200 by name; `total` is how many there are with this search. `tags` are those that
 * tenants have; `may.all`: whether this reader can give all tenants and tags.
 */
export type PeopleList = {
  now: Instant;
  rows: PersonRow[];
  total: number;
  tags: string[];
  may: { all: boolean };
};

/** Longest text people may type to name somebody, and how many tenants and tags a change names. */
export const peopleLimits = { person: 320, tenants: 200, tags: 20, code: 40 } as const;

/** Whom a change is about: an address, an object id, or the key of a row. */
type PersonBody = { person: string };
type CoveredBody = { all: boolean; tenants: string[]; tags: string[]; until?: Day };
/** `POST /api/tab/people/grant`, `/deny`, `/revoke`, `/lift`, `/switch`, and `/bind` with a code a channel shows. */
export type GrantBody = PersonBody & CoveredBody & { role: Role };
export type DenyBody = PersonBody & CoveredBody;
export type RevokeBody = PersonBody;
export type SwitchBody = PersonBody & { off: boolean };
export type BindBody = { code: string };
/** What was done, a sentence. */
export type PeopleAnswer = { says: string };

/** `GET /api/tab/me/claims`: what the token of this page says, which role follows and why. */
export type MyClaims = {
  now: Instant;
  name: string;
  mail: string | null;
  home: boolean;
  role: Role | null;
  /** Names of claims as Entra writes them, and what Watchpost does with each. */
  claims: { claim: string; value: string; use: string }[];
  /** A role, what it covers, why, and when it lapses. */
  rights: { says: string; why: string; until: Instant | null }[];
  denied: string[];
  /** What does not count and why, sentences. */
  notes: string[];
};

/** Every refusal of our API: RFC 9457 problem, with an id that is in the log. */
export type Problem = { title: string; status: number; detail: string; id: string };
