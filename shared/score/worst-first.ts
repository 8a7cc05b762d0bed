import type { Tenant } from '../tenants/tenant.ts';
import { type Instant, millis } from '../time.ts';
import { direction } from '../words.ts';

/** What is known of a tenant's score, as far as the order asks. `change`: percentage points since the previous day. */
export type Standing = { change: number | null; readAt: Instant };

/**
 * Where a tenant stands in a list. Groups: 0 fell, 1 cannot be read now or was not read for too long, 2 unchanged or
 * rose, 3 change not known. `step`: the change in tenths as shown, where it counts. `name` ends with the id, so no two
 * tenants share a rank.
 */
export type Rank = readonly [group: number, step: number, name: string];
export const lastGroup = 3;

export type Rating = {
  /** The percent fell since the previous day, as shown. */
  fell: boolean;
  /** The connection is in trouble: what is known of it stays as it was. */
  unreadable: boolean;
  stale: boolean;
  rank: Rank;
};

/**
 * Where a tenant stands when the worst change comes first, the same in chat and tab. First who fell, the biggest fall
 * ahead, even when it cannot be read since. Then who cannot be read or was not for too long: it may be falling unseen.
 * Then the rest, the smallest rise ahead. Last those of whom no change is known yet: there is nothing to do about them.
 * Changes that read alike are alike and stand by name. `staleAfterMs`: how old a good reading may be.
 */
export function rate(
  tenant: Pick<Tenant, 'id' | 'name' | 'health' | 'datasets'>,
  standing: Standing | undefined,
  now: Instant,
  staleAfterMs: number,
): Rating {
  const unreadable = tenant.health.state !== 'connected' && tenant.health.state !== 'waiting';
  const stale = standing !== undefined && isStale(readAtOf(tenant, standing), now, staleAfterMs);
  const change = standing?.change ?? null;
  const fell = change !== null && direction(change) === 'down';
  const group = fell ? 0 : unreadable || stale ? 1 : change === null ? lastGroup : 2;
  const step = group === 0 || group === 2 ? Math.round((change ?? 0) * 10) : 0;
  return { fell, unreadable, stale, rank: [group, step, `${foldedName(tenant.name)} ${tenant.id}`] };
}

export function compareRanks(a: Rank, b: Rank): number {
  if (a[0] !== b[0]) return a[0] - b[0];
  if (a[1] !== b[1]) return a[1] - b[1];
  if (a[2] === b[2]) return 0;
  return a[2] < b[2] ? -1 : 1;
}

/** When the scores were last read: an unchanged answer of Microsoft is a read too, though nothing was written. */
export function readAtOf(tenant: Pick<Tenant, 'datasets'>, posture: { readAt: Instant }): Instant {
  const read = tenant.datasets.secureScores?.readAt;
  return read !== undefined && read > posture.readAt ? read : posture.readAt;
}

/** Older than it should be: two syncs in a row were missed. */
export function isStale(readAt: Instant, now: Instant, staleAfterMs: number): boolean {
  return millis(now) - millis(readAt) > staleAfterMs;
}

/** As people compare names: case, accents' forms, and the width of blanks do not count. At most 300 characters. */
export function foldedName(name: string): string {
  const known = foldedNames.get(name);
  if (known !== undefined) return known;
  const folded = name.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim().slice(0, 300);
  if (foldedNames.size >= mostFolded) foldedNames.clear();
  foldedNames.set(name, folded);
  return folded;
}

/** A search of 2,000 tenants folds their names twice: the same names each time. */
const foldedNames = new Map<string, string>();
const mostFolded = 20_000;
