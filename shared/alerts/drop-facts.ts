import type { Day } from '../time.ts';
import type { Baseline } from './baseline.ts';
import type { Losses } from './losses.ts';
import { type Threshold, thousandths } from './threshold.ts';

/** One control's share in a fall: from what it had on the baseline's day to what it has. */
export type Regressed = {
  name: string;
  title: string;
  from: number;
  to: number;
  /** Points lost by the tenant's own doing, > 0. */
  points: number;
};

/** What is told of a score drop. Points are Microsoft's; only `regressed` and `gained` are the tenant's own doing. */
export type DropFacts = {
  /** The baseline's day, and the evaluated day it is compared with. */
  since: Day;
  day: Day;
  before: { current: number; max: number };
  after: { current: number; max: number };
  /** Points lost: the sum of `regressed`. */
  points: number;
  /** The same in percentage points of what could be reached on the baseline's day; null when that was nothing. */
  percent: number | null;
  /** Points lost since what was told last; all of them when it opened. */
  further: number;
  /** Points other controls gained meanwhile. They do not make up for those that were lost. */
  gained: number;
  /** By loss, then name. */
  regressed: Regressed[];
  notCounted: NotCounted;
  /** The regressed control worth most that can still be worked on. */
  first: { title: string; points: number; actionUrl: string | null } | null;
  threshold: Threshold;
  /** Of one that is over: what had been lost when it was told last. */
  was?: { points: number; percent: number | null; since: Day };
};

/** What moved the score without anybody's doing. `points` are what it brought (negative: cost). */
export type NotCounted = {
  microsoft: {
    /** Controls that Microsoft scores now and did not before, and those it gave up. */
    added: number;
    retired: number;
    /** Comparable controls whose maximum it changed. */
    rescaled: number;
    maxMoved: number;
    points: number;
  };
  tenant: {
    /** Controls that are still described but no longer scored: their licence went. */
    unlicensed: number;
    /** Null when Microsoft did not say on one of the two days. */
    licensedUsersMoved: number | null;
    activeUsersMoved: number | null;
    points: number;
  };
};

/** The facts of a fall as they are told. */
export function dropFacts(
  before: Baseline,
  now: Baseline,
  losses: Losses,
  further: number,
  rest: Pick<DropFacts, 'first' | 'threshold'>,
): DropFacts {
  let gained = 0;
  for (const points of losses.gained.values()) gained += thousandths(points);
  return {
    since: before.day,
    day: now.day,
    before: { current: before.current, max: before.max },
    after: { current: now.current, max: now.max },
    points: losses.points,
    percent: losses.percent,
    further,
    gained: gained / 1000,
    regressed: losses.regressed,
    notCounted: losses.notCounted,
    ...rest,
  };
}
