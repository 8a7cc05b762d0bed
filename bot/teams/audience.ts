import { LRUCache } from 'lru-cache';
import type { Audience } from '../../shared/access.ts';
import { baseOf } from '../../shared/conversation.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { type Instant, millis } from '../../shared/time.ts';
import type { Log } from '../log.ts';
import type { Place, PlaceRow, PlaceStore, RosterMember } from '../services.ts';
import type { Connector, ListedMember } from './connector.ts';
import { eachPage, memberOf } from './member-pages.ts';

/** How long a list of members counts (contracts.md §2). */
export const rosterMs = 600_000;
/** After a failed read the next answer does not wait for another one at once. */
const failedMs = 30_000;

/** A conversation as far as its audience is concerned. */
export type Spot = Pick<Place, 'kind' | 'conversationId' | 'serviceUrl' | 'hostTenantId'>;
/** Who is in a conversation: how many of them are guests or foreign. `changing`: whoever was read may be out of date. */
export type RosterFacts =
  | { kind: 'read'; outsiders: number }
  | { kind: 'unread'; why: string }
  | { kind: 'changing' };

/**
 * The audience class of a group chat or channel (I-1, I-2). What an Admin has bound wins, except that nothing is
 * internal where a guest or foreign member reads along or that another tenant owns.
 */
export function audienceOf(row: PlaceRow | null, roster: RosterFacts, homeTenantId: TenantId): Audience {
  if (row === null) return { kind: 'unbound', why: 'this conversation is not known yet' };
  if (row.removed === true) return { kind: 'unbound', why: 'Watchpost was removed from this conversation' };
  if (row.binding?.kind === 'customer') return { kind: 'customer', tenant: row.binding.tenant };
  if (row.hostTenantId !== homeTenantId) {
    return { kind: 'unbound', why: 'another organisation owns this conversation' };
  }
  if (roster.kind === 'read' && roster.outsiders > 0) {
    return { kind: 'unbound', why: 'guests or people of another organisation are here' };
  }
  // Not even an Admin vouches for somebody who came a moment ago.
  if (roster.kind === 'changing') return { kind: 'unbound', why: whys.changing };
  if (row.binding?.kind === 'internal') return { kind: 'internal' };
  return roster.kind === 'read' ? { kind: 'internal' } : { kind: 'unbound', why: whys.unread };
}

const whys = { changing: 'members are changing', unread: 'the members cannot be read' };

/** Is it only not known who reads along, so that it may be another day in a while? */
export function isPassing(audience: Audience): boolean {
  return audience.kind === 'unbound' && Object.values(whys).includes(audience.why);
}

/** A member nobody vouches for is an outsider: any role but `user`, any tenant but ours, nothing said at all. */
export function isOutsider(member: ListedMember, homeTenantId: TenantId): boolean {
  return (
    member.userRole !== 'user' ||
    typeof member.tenantId !== 'string' ||
    member.tenantId.toLowerCase() !== homeTenantId
  );
}

/** What was found for the members as they were at this count of changes. */
type Reading = { facts: RosterFacts; changes: number };
/** Remembered until a time, and only while the place's count of changes is what it was when the reading began. */
type Kept = { until: number; changes: number };

export type Audiences = {
  /** The class as it is now: binding from the store, members at most 10 minutes old. */
  of(spot: Spot): Promise<Exclude<Audience, { kind: 'personal' }>>;
  /** The tenant a member comes from; undefined when the members cannot be read or the person is not among them. */
  tenantOf(spot: Spot, oid: string): Promise<TenantId | undefined>;
  /** The members, at most `limit`. Throws when Teams will not say. */
  members(spot: Spot, limit: number): Promise<RosterMember[]>;
  /** Membership or sharing changed: what was read, or is being read, counts no more; with a team, in all its channels.
   * Holds in every process over the same store once it resolves. */
  forget(conversationId: string, teamId?: string): Promise<void>;
};

export function openAudiences(options: {
  connector: Connector;
  places: PlaceStore;
  homeTenantId: TenantId;
  now(): Instant;
  log: Log;
}): Audiences {
  const { connector, places, homeTenantId, now, log } = options;
  const reading = new Map<string, Promise<Reading>>();
  const listing = new Map<string, Promise<Map<string, TenantId> | undefined>>();
  const failed = new LRUCache<string, { why: string } & Kept>({ max: 1000 });
  // Where the people of a mixed conversation come from: an activity names only their object id.
  const origins = new LRUCache<string, { tenants: Map<string, TenantId> } & Kept>({ max: 50 });
  // The changes this process was told of. The row's count is what holds over all processes and restarts; this one is
  // there at once, also while the row is being written.
  const told = new LRUCache<string, number>({ max: 10_000 });

  // Changes that the store would not take when they were told: nothing is answered before it has.
  const owed = new Set<string>();

  /** The row of a conversation in which every change that this process was told of is counted. Throws what the store throws. */
  async function rowOf(base: string): Promise<PlaceRow | null> {
    const row = await places.get(base);
    const late = [base, row?.teamId].filter((id): id is string => id !== undefined && owed.has(id));
    if (late.length === 0) return row;
    for (const id of late) await count(id);
    return await places.get(base);
  }

  async function count(id: string): Promise<void> {
    await places.dropRoster(id);
    owed.delete(id);
  }

  /** A change of the team is a change of each of its channels. */
  function toldOf(base: string, row: PlaceRow | null): number {
    return (told.get(base) ?? 0) + (told.get(row?.teamId ?? '') ?? 0);
  }

  function stillCounts<T extends Kept>(kept: T | undefined, changes: number): T | undefined {
    return kept !== undefined && kept.until > millis(now()) && kept.changes === changes ? kept : undefined;
  }

  function keepFailure(spot: Spot, base: string, why: string, changes: number): void {
    failed.set(base, { why, until: millis(now()) + failedMs, changes });
    log.warn({ code: why, kind: spot.kind }, 'members of a conversation cannot be read');
  }

  async function read(spot: Spot, base: string, row: PlaceRow): Promise<Reading> {
    const changes = changesOf(row);
    const again = stillCounts(failed.get(base), changes);
    if (again !== undefined) return { facts: { kind: 'unread', why: again.why }, changes };
    return await once(reading, base, () => readNow(spot, base, row));
  }

  /** Reads the members until no change came meanwhile, twice at most. `row` was got before. */
  async function readNow(spot: Spot, base: string, got: PlaceRow): Promise<Reading> {
    let row: PlaceRow | null = got;
    for (let round = 0; round < 2 && row !== null && row.removed !== true; round += 1) {
      const changes = changesOf(row);
      const before = toldOf(base, row);
      const readAt = now();
      let outsiders = 0;
      const ended = await eachPage(connector, spot.serviceUrl, base, (members) => {
        outsiders += members.filter((one) => isOutsider(one, homeTenantId)).length;
        return outsiders === 0;
      });
      if (toldOf(base, row) === before) {
        if (ended.kind === 'unread') {
          keepFailure(spot, base, ended.why, changes);
          return { facts: ended, changes };
        }
        const saved = await places.saveRoster(base, { outsiders, readAt }, changes);
        if (saved && toldOf(base, row) === before) return { facts: { kind: 'read', outsiders }, changes };
      }
      row = await places.get(base);
    }
    return { facts: { kind: 'changing' }, changes: changesOf(row) };
  }

  /** Everybody's tenant by object id, as far as told; undefined when Teams will not say. */
  async function listNow(
    spot: Spot,
    base: string,
    row: PlaceRow | null,
  ): Promise<Map<string, TenantId> | undefined> {
    const changes = changesOf(row);
    const before = toldOf(base, row);
    const tenants = new Map<string, TenantId>();
    const ended = await eachPage(connector, spot.serviceUrl, base, (members) => {
      for (const one of members.map(memberOf)) if (one !== undefined) tenants.set(one.oid, one.tid);
      return tenants.size < 5000;
    });
    if (ended.kind === 'unread') {
      if (toldOf(base, row) === before) keepFailure(spot, base, ended.why, changes);
      return undefined;
    }
    // Without a row changes are not counted, where we were removed they are not told: nothing would say the list is old.
    if (row !== null && row.removed !== true && toldOf(base, row) === before)
      origins.set(base, { tenants, until: millis(now()) + rosterMs, changes });
    return tenants;
  }

  return {
    async of(spot) {
      const base = baseOf(spot.conversationId);
      const row = await rowOf(base);
      const fixed = audienceOf(row, { kind: 'unread', why: 'not asked' }, homeTenantId);
      // Members matter only where they can change the answer.
      const open = row !== null && row.removed !== true && row.hostTenantId === homeTenantId;
      if (!open || fixed.kind === 'customer') return withoutPerson(fixed);
      const kept = freshRoster(row, now());
      if (kept !== undefined) return withoutPerson(audienceOf(row, kept, homeTenantId));
      const { facts, changes } = await read(spot, base, row);
      // The row again: binding, removal and members may have changed meanwhile, here or in another process.
      const after = await places.get(base);
      const held: RosterFacts = changesOf(after) === changes ? facts : { kind: 'changing' };
      return withoutPerson(audienceOf(after, held, homeTenantId));
    },
    async tenantOf(spot, oid) {
      const base = baseOf(spot.conversationId);
      const row = await rowOf(base);
      const kept = row === null ? undefined : freshRoster(row, now());
      const allOurs = kept?.kind === 'read' && kept.outsiders === 0;
      if (allOurs) return homeTenantId;
      const changes = changesOf(row);
      const listed = stillCounts(origins.get(base), changes);
      if (listed !== undefined) return listed.tenants.get(oid);
      if (stillCounts(failed.get(base), changes) !== undefined) return undefined;
      // Only for those who know of no later change: a person who came since would be missing.
      const tenants = await once(listing, `${base} ${changes}`, () => listNow(spot, base, row));
      return tenants?.get(oid);
    },
    async members(spot, limit) {
      const found: RosterMember[] = [];
      const ended = await eachPage(connector, spot.serviceUrl, baseOf(spot.conversationId), (members) => {
        for (const one of members) {
          const member = memberOf(one);
          if (member !== undefined && found.length < limit) found.push(member);
        }
        return found.length < limit;
      });
      if (ended.kind === 'unread') throw new Error(`members cannot be read: ${ended.why}`);
      return found;
    },
    async forget(conversationId, teamId) {
      const changed = [...new Set([baseOf(conversationId), teamId])].filter((id) => id !== undefined);
      for (const id of changed) {
        told.set(id, (told.get(id) ?? 0) + 1);
        failed.delete(id);
        origins.delete(id);
        owed.add(id);
      }
      for (const id of changed) await count(id);
    },
  };
}

function changesOf(row: PlaceRow | null): number {
  return row?.membersChanged ?? 0;
}

/** Whoever asks for what is under way waits for it. */
async function once<T>(running: Map<string, Promise<T>>, key: string, work: () => Promise<T>): Promise<T> {
  const there = running.get(key);
  if (there !== undefined) return await there;
  const started = work().finally(() => running.delete(key));
  running.set(key, started);
  return await started;
}

function freshRoster({ roster }: PlaceRow, now: Instant): RosterFacts | undefined {
  if (roster === undefined) return undefined;
  const age = millis(now) - millis(roster.readAt);
  return age > -60_000 && age < rosterMs ? { kind: 'read', outsiders: roster.outsiders } : undefined;
}

function withoutPerson(audience: Audience): Exclude<Audience, { kind: 'personal' }> {
  return audience.kind === 'personal' ? { kind: 'unbound', why: 'not a personal chat' } : audience;
}
