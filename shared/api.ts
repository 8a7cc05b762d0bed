import type { Role } from './access.ts';
import type { Action, CategoryScore, Comparison, ScoreChange } from './score/score.ts';
import type { DatasetName, DatasetState, HealthState } from './tenants/tenant.ts';
import type { Day, Instant } from './time.ts';

/** `GET /api/tab/config` (no token): how this page gets its token outside Teams. */
export type TabConfig =
  | { signIn: 'teams-only' }
  /** Demo only: the sandbox's authorize page, code + PKCE. */
  | { signIn: 'sandbox'; authorizeUrl: string; tokenUrl: string; clientId: string; scope: string };

/** `GET /api/tab/me`: a reason for each grant, at most 100 as the store holds. */
export type Me = { name: string; role: Role | null; reasons: string[]; home: boolean; now: Instant };

/** One line of `GET /api/tab/tenants`. Null = not known; the reason is in `health` or `notRead`. */
export type TenantRow = {
  id: string;
  name: string;
  domain: string;
  health: { state: HealthState; cause: string; remedy: string; since: Instant };
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

/** Over all tenants the reader may see, whatever is searched or filtered. Names: at most two, worst first. */
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
  /** Not readable, or older than it should be. */
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
 * 400 days, 300 actions, 50 categories and comparisons, 10 controls that moved.
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
  actions: Action[];
  actionCount: number;
};

/** Every refusal of our API: RFC 9457 problem, with an id that is in the log. */
export type Problem = { title: string; status: number; detail: string; id: string };
