import type { Role } from './access.ts';
import type { Action, CategoryScore, Comparison, ScoreChange } from './score/score.ts';
import type { DatasetName, DatasetState, HealthState } from './tenants/tenant.ts';
import type { Day, Instant } from './time.ts';

/** `GET /api/tab/config` (no token): how this page gets its token outside Teams. */
export type TabConfig =
  | { signIn: 'teams-only' }
  /** Demo only: the sandbox's authorize page, code + PKCE. */
  | { signIn: 'sandbox'; authorizeUrl: string; tokenUrl: string; clientId: string; scope: string };

/** `GET /api/tab/me` */
export type Me = { name: string; role: Role | null; reasons: string[]; home: boolean; now: Instant };

/** One line of `GET /api/tab/tenants`. Null = not known; the reason is in `health` or `notRead`. */
export type TenantRow = {
  id: string;
  name: string;
  domain: string;
  health: { state: HealthState; cause: string; remedy: string; since: Instant };
  /** "needs Entra ID P2", "domains: permission missing": what could not be read and why. */
  notRead: string[];
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
  /** Older than twice the cadence: shown as stale. */
  stale: boolean;
};

/** `GET /api/tab/tenants?after=…`: at most 200 rows, worst change first. */
export type TenantList = { now: Instant; rows: TenantRow[]; next: string | null; total: number };

/** `GET /api/tab/tenants/{id}` */
export type TenantPage = {
  now: Instant;
  tenant: TenantRow;
  domains: string[];
  licences: string[];
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
