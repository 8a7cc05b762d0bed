import type { FoundScores, Lease, Store } from '../../bot/services.ts';
import { scopeOfJob, scopeOfSystem } from '../../shared/access.ts';
import type { ControlChange } from '../../shared/score/score.ts';
import { dayOf, plusDays } from '../../shared/time.ts';
import type { Customer } from './customers.ts';

/** What one sync of a later day finds: a snapshot, three changed controls, the posture, the evaluated day. */
export function laterDay({ found }: Customer, daysLater: number): FoundScores {
  const { snapshots, posture, evaluated } = found;
  const day = plusDays(evaluated.day, daysLater);
  const newest = snapshots.at(-1);
  if (newest === undefined) throw new Error('a customer without a snapshot');
  const changes: ControlChange[] = evaluated.controls.slice(0, 3).map(({ name, score }) => ({
    ...{ tenantId: evaluated.tenantId, day, name, title: name, from: score, to: (score ?? 0) + daysLater },
  }));
  const current = evaluated.current + daysLater;
  return {
    snapshots: [{ ...newest, day, current }],
    changes,
    posture: { ...posture, readAt: `${day}T06:00:00.000Z` },
    evaluated: { ...evaluated, day, current },
  };
}

/** 90 days back from the customers' newest day. */
export function trendSince(now: string): string {
  return plusDays(dayOf(now), -89);
}

/** Writes what a day found for one tenant through the product's store. */
export async function saveDay(store: Store, lease: Lease, found: FoundScores): Promise<void> {
  await store.scores.saveSync(scopeOfJob(lease.tenantId), lease, found);
}

export const everything = scopeOfSystem();
