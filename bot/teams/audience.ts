import { LRUCache } from 'lru-cache';
import type { Audience } from '../../shared/access.ts';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { type Instant, millis } from '../../shared/time.ts';
import type { Log } from '../log.ts';
import type { Place, PlaceRow, PlaceStore, RosterMember } from '../services.ts';
import { baseOf } from './card-data.ts';
import type { Connector, ListedMember } from './connector.ts';

/** How long a list of members counts (contracts.md §2). */
export const rosterMs = 600_000;
const most = 25_000;
/** After a failed read the next answer does not wait for another one at once. */
const failedMs = 30_000;

/** A conversation as far as its audience is concerned. */
export type Spot = Pick<Place, 'kind' | 'conversationId' | 'serviceUrl' | 'hostTenantId'>;
/** Who is in a conversation: how many of them are guests or foreign. */
export type RosterFacts = { kind: 'read'; outsiders: number } | { kind: 'unread'; why: string };

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
  if (row.binding?.kind === 'internal') return { kind: 'internal' };
  return roster.kind === 'read'
    ? { kind: 'internal' }
    : { kind: 'unbound', why: 'the members cannot be read' };
}

/** A member nobody vouches for is an outsider: any role but `user`, any tenant but ours, nothing said at all. */
export function isOutsider(member: ListedMember, homeTenantId: TenantId): boolean {
  return (
    member.userRole !== 'user' ||
    typeof member.tenantId !== 'string' ||
    member.tenantId.toLowerCase() !== homeTenantId
  );
}

export type Audiences = {
  /** The class as it is now: binding from the store, members at most 10 minutes old. */
  of(spot: Spot): Promise<Exclude<Audience, { kind: 'personal' }>>;
  /** The tenant a member comes from; undefined when the members cannot be read or the person is not among them. */
  tenantOf(spot: Spot, oid: string): Promise<TenantId | undefined>;
  /** The members, at most `limit`. Throws when Teams will not say. */
  members(spot: Spot, limit: number): Promise<RosterMember[]>;
  /** Membership or sharing changed: what was read, or is being read, counts no more; with a team, in all its channels. */
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
  const reading = new Map<string, Promise<RosterFacts>>();
  const failed = new LRUCache<string, { why: string; until: number }>({ max: 1000 });
  // Where the people of a mixed conversation come from: an activity names only their object id.
  const origins = new LRUCache<string, { tenants: Map<string, TenantId>; until: number }>({ max: 50 });
  // Counts the changes of a conversation, so that a list read before one is not taken for a list read after it.
  const changes = new LRUCache<string, number>({ max: 10_000 });

  async function read(spot: Spot): Promise<RosterFacts> {
    const base = baseOf(spot.conversationId);
    const again = failed.get(base);
    if (again !== undefined && again.until > millis(now())) return { kind: 'unread', why: again.why };
    const running = reading.get(base);
    if (running !== undefined) return await running;
    const started = readOnce(spot, base).finally(() => {
      if (reading.get(base) === started) reading.delete(base);
    });
    reading.set(base, started);
    return await started;
  }

  async function readOnce(spot: Spot, base: string): Promise<RosterFacts> {
    const teamId = (await places.get(base))?.teamId;
    // A change of the team is a change of each of its channels.
    const changed = (): number => (changes.get(base) ?? 0) + (changes.get(teamId ?? '') ?? 0);
    for (let round = 0; round < 2; round += 1) {
      const before = changed();
      const readAt = now();
      let outsiders = 0;
      const ended = await eachPage(spot, base, (members) => {
        outsiders += members.filter((one) => isOutsider(one, homeTenantId)).length;
        return outsiders === 0;
      });
      if (changed() !== before) continue;
      if (ended.kind === 'unread') {
        failed.set(base, { why: ended.why, until: millis(now()) + failedMs });
        log.warn({ code: ended.why, kind: spot.kind }, 'members of a conversation cannot be read');
        return ended;
      }
      const row = await places.get(base);
      if (row !== null && changed() === before) {
        const { conversationId, kind, serviceUrl, hostTenantId, seenAt } = row;
        const roster = { outsiders, readAt };
        await places.save({ conversationId, kind, serviceUrl, hostTenantId, seenAt, roster });
        // A change that came while the row was written must not be covered by it.
        if (changed() !== before) await places.dropRoster(base);
      }
      if (changed() === before) return { kind: 'read', outsiders };
    }
    return { kind: 'unread', why: 'members are changing' };
  }

  /** Pages until there is no more or `use` has seen enough. */
  async function eachPage(
    spot: Spot,
    base: string,
    use: (members: ListedMember[]) => boolean,
  ): Promise<{ kind: 'read' } | { kind: 'unread'; why: string }> {
    let after: string | undefined;
    for (let seen = 0; seen <= most; ) {
      const page = await connector.members(spot.serviceUrl, base, after);
      if (page.kind === 'unread') return page;
      if (page.members.length === 0 && after === undefined) return { kind: 'unread', why: 'no members' };
      seen += Math.max(page.members.length, 1);
      if (!use(page.members) || page.next === undefined) return { kind: 'read' };
      if (page.next === after) return { kind: 'unread', why: 'member list repeats itself' };
      after = page.next;
    }
    return { kind: 'unread', why: 'too many members' };
  }

  return {
    async of(spot) {
      const base = baseOf(spot.conversationId);
      const row = await places.get(base);
      const fixed = audienceOf(row, { kind: 'unread', why: 'not asked' }, homeTenantId);
      // Members matter only where they can change the answer.
      const open = row !== null && row.removed !== true && row.hostTenantId === homeTenantId;
      if (!open || fixed.kind === 'customer') return withoutPerson(fixed);
      const kept = freshRoster(row, now());
      if (kept !== undefined) return withoutPerson(audienceOf(row, kept, homeTenantId));
      const facts = await read(spot);
      // The row again: binding and removal may have changed while the members were read.
      return withoutPerson(audienceOf(await places.get(base), facts, homeTenantId));
    },
    async tenantOf(spot, oid) {
      const base = baseOf(spot.conversationId);
      const row = await places.get(base);
      const kept = row === null ? undefined : freshRoster(row, now());
      const allOurs = kept?.kind === 'read' && kept.outsiders === 0;
      if (allOurs) return homeTenantId;
      const listed = origins.get(base);
      if (listed !== undefined && listed.until > millis(now())) return listed.tenants.get(oid);
      const before = changes.get(base) ?? 0;
      const tenants = new Map<string, TenantId>();
      const ended = await eachPage(spot, base, (members) => {
        for (const one of members.map(memberOf)) if (one !== undefined) tenants.set(one.oid, one.tid);
        return tenants.size < 5000;
      });
      if (ended.kind === 'unread') return undefined;
      if ((changes.get(base) ?? 0) === before)
        origins.set(base, { tenants, until: millis(now()) + rosterMs });
      return tenants.get(oid);
    },
    async members(spot, limit) {
      const found: RosterMember[] = [];
      const ended = await eachPage(spot, baseOf(spot.conversationId), (members) => {
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
      for (const id of new Set([baseOf(conversationId), teamId])) {
        if (id === undefined) continue;
        changes.set(id, (changes.get(id) ?? 0) + 1);
        failed.delete(id);
        origins.delete(id);
        await places.dropRoster(id);
      }
    },
  };
}

function freshRoster({ roster }: PlaceRow, now: Instant): RosterFacts | undefined {
  if (roster === undefined) return undefined;
  const age = millis(now) - millis(roster.readAt);
  return age > -60_000 && age < rosterMs ? { kind: 'read', outsiders: roster.outsiders } : undefined;
}

function withoutPerson(audience: Audience): Exclude<Audience, { kind: 'personal' }> {
  return audience.kind === 'personal' ? { kind: 'unbound', why: 'not a personal chat' } : audience;
}

function memberOf(listed: ListedMember): RosterMember | undefined {
  const oid = typeof listed.aadObjectId === 'string' ? listed.aadObjectId : listed.objectId;
  const tid = typeof listed.tenantId === 'string' ? tenantId(listed.tenantId) : undefined;
  if (typeof listed.id !== 'string' || typeof oid !== 'string' || tid === undefined) return undefined;
  const address = [listed.email, listed.userPrincipalName].find(
    (one) => typeof one === 'string' && one !== '',
  );
  return {
    teamsId: listed.id,
    oid: oid.toLowerCase(),
    tid,
    name: typeof listed.name === 'string' ? listed.name : '',
    ...(typeof address === 'string' ? { address } : {}),
  };
}
