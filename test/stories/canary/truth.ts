import type { Role } from '../../../shared/access.ts';

/**
 * Who may see whose data, told a second time and apart from the program: the story changes this model when it changes
 * the world, and judges by it. Times are milliseconds since 1970.
 */

/** `all`, or the ids of tenants. */
export type Allowed = 'all' | ReadonlySet<string>;
export const nothing: Allowed = new Set<string>();

export type GrantFact = { role: Role; scope: 'all' | readonly string[] };

/** One value at a time; while it is being changed, the old and the new one count. */
export type Timeline<T> = {
  now(): T;
  /** Every value that counted at some time between the two. */
  during(from: number, to: number): T[];
  /** `next` counts from `from` on, the one before no longer than until `until`. */
  set(next: T, from: number, until: number): void;
};

export function timeline<T>(first: T): Timeline<T> {
  const entries: { value: T; from: number; until: number }[] = [
    { value: first, from: 0, until: Number.POSITIVE_INFINITY },
  ];
  return {
    now: () => (entries.at(-1) as { value: T }).value,
    during: (from, to) =>
      entries.filter((one) => one.from <= to && one.until >= from).map((one) => one.value),
    set(next, from, until) {
      const last = entries.at(-1);
      if (last !== undefined) last.until = until;
      entries.push({ value: next, from, until: Number.POSITIVE_INFINITY });
    },
  };
}

export type MemberFact = { oid: string; tid: string; userRole: 'user' | 'guest' };
export type PlaceFact = {
  host: string;
  members: readonly MemberFact[];
  binding: 'none' | 'internal' | { customer: string };
};

/** What everybody who reads along in a channel or group chat may see (contracts.md §2). */
export function placeShows(place: PlaceFact, home: string): Allowed {
  if (typeof place.binding === 'object') return new Set([place.binding.customer]);
  if (place.host !== home) return nothing;
  return place.members.every((one) => one.tid === home && one.userRole === 'user') ? 'all' : nothing;
}

/** What a person may see wherever it is shown to him alone. */
export function personSees(tid: string, grants: readonly GrantFact[]): Allowed {
  const ids = new Set<string>();
  for (const { role, scope } of grants) {
    if (role === 'Customer') {
      if (scope === 'all' || scope.includes(tid)) ids.add(tid);
    } else if (scope === 'all') return 'all';
    else for (const id of scope) ids.add(id);
  }
  return ids;
}

/** What a person may be shown in such a place: both count; a customer's own people see it in its place. */
export function seenThere(place: PlaceFact, home: string, tid: string, person: Allowed): Allowed {
  const shown = placeShows(place, home);
  if (typeof place.binding === 'object' && place.binding.customer === tid) return shown;
  if (typeof place.binding !== 'object' && tid !== home) return nothing;
  return both(shown, person);
}

export function both(a: Allowed, b: Allowed): Allowed {
  if (a === 'all') return b;
  if (b === 'all') return a;
  return new Set([...a].filter((id) => b.has(id)));
}

export function either(all: readonly Allowed[]): Allowed {
  const ids = new Set<string>();
  for (const one of all) {
    if (one === 'all') return 'all';
    for (const id of one) ids.add(id);
  }
  return ids;
}

export function allows(allowed: Allowed, tenant: string): boolean {
  return allowed === 'all' || allowed.has(tenant);
}
