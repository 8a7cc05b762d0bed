import type { TenantId } from '../tenants/tenant.ts';
import type { Day, Instant } from '../time.ts';

/** Microsoft's categories of controls; others may appear and are kept as they come. */
export type Category = string;

/** One day's Secure Score of one tenant as stored for years: points, not controls. */
export type ScoreSnapshot = {
  tenantId: TenantId;
  day: Day;
  /** Points reached. */
  current: number;
  /** Points that could be reached that day; moves when Microsoft adds controls or licences change. */
  max: number;
  licensedUsers: number | null;
  activeUsers: number | null;
  comparisons: Comparison[];
  categories: CategoryScore[];
};

/** Microsoft's average of other tenants, a percentage; only valid ones (0…100) are kept. */
export type Comparison = {
  basis: 'AllTenants' | 'TotalSeats' | 'IndustryTypes' | (string & {});
  percent: number;
};

/** Points of one category; `max` is null when a profile is missing. */
export type CategoryScore = { category: Category; current: number; max: number | null };

/** One control's state on one day. */
export type ControlScore = {
  name: string;
  category: Category;
  score: number;
  /** Microsoft's sentence on what is there and what is missing; plain text, foreign. */
  status?: string;
  /** For controls counted by head: absent when Microsoft does not say. */
  reach?: ControlReach;
};

/** How many users or devices a control covers, of how many (`count` and `total` of a control's score). */
export type ControlReach = { covered: number; total: number };

/** A snapshot with its controls, as it comes from Microsoft: kept only for the latest evaluated day. */
export type EvaluatedSnapshot = ScoreSnapshot & { controls: ControlScore[] };

/** A control as Microsoft describes it for this tenant (`secureScoreControlProfile`). */
export type ControlProfile = {
  name: string;
  title: string;
  category: Category;
  service: string;
  max: number;
  /** 1 = most important. */
  rank: number;
  tier: string;
  /** lower case: `low`, `moderate`, `high`; others as they come. */
  effort: string;
  userImpact: string;
  actionUrl: string | null;
  threats: string[];
  deprecated: boolean;
  /** What to do, plain text from Microsoft's HTML. */
  remediation: string;
  /** The newest state a person set: `Default`, `Ignored`, `ThirdParty`, `Reviewed`. */
  state: string;
};

/** One control's points moved from one evaluated day to the next: the event kept instead of copies. */
export type ControlChange = {
  tenantId: TenantId;
  day: Day;
  name: string;
  title: string;
  from: number | null;
  to: number | null;
};

/** What to do for points. */
export type Action = {
  control: string;
  title: string;
  category: Category;
  service: string;
  /** Points still to gain: profile's max − today's score, > 0. */
  gain: number;
  current: number;
  max: number;
  effort: string;
  userImpact: string;
  actionUrl: string | null;
  remediation: string;
  status?: string;
  /** Lost points since the previous evaluated day. */
  regressed: boolean;
};

/** The difference between two snapshots. Percent values are percentage points of `current/max`. */
export type ScoreChange = {
  from: Day;
  to: Day;
  percent: number;
  points: number;
  maxPoints: number;
};

/**
 * What is shown of one tenant's score, made at each sync and read in one look-up by cards and lists.
 * `null` means not known, with the reason beside it; never 0.
 */
export type Posture = {
  tenantId: TenantId;
  day: Day;
  current: number;
  max: number;
  /** current / max × 100, null when max is 0. */
  percent: number | null;
  sinceYesterday: ScoreChange | null;
  over30Days: ScoreChange | null;
  regressed: number;
  improved: number;
  /** Controls that changed numbers of licences or users moved by themselves: neither regressed nor improved. */
  byUsers?: number;
  /** The controls whose points moved on the last day, biggest first; at most 10. `byUsers`: nobody's doing. */
  moved: { name: string; title: string; points: number; byUsers?: true }[];
  /** One entry a day for the last 90 days, oldest first; gaps stay gaps (days missing). */
  trend: { day: Day; percent: number | null; current: number; max: number }[];
  comparisons: Comparison[];
  categories: CategoryScore[];
  /** Worth most first; at most 10; `actionCount` counts all. */
  actions: Action[];
  actionCount: number;
  /** Points of all actions together. */
  actionGain: number;
  readAt: Instant;
};
