import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { silentLog } from '../../bot/log.ts';
import type { PlaceRow, PlaceStore } from '../../bot/services.ts';
import { collections } from '../../bot/store/collections.ts';
import type { Engine } from '../../bot/store/engine/collection.ts';
import { storeOver } from '../../bot/store/open.ts';
import { placesDeclaration } from '../../bot/store/places.ts';
import { parseActivity, type Turn } from '../../bot/teams/activity.ts';
import { openArrivals } from '../../bot/teams/arrivals.ts';
import { openAudiences, type Spot } from '../../bot/teams/audience.ts';
import type { Connector, ListedMember, MemberPage } from '../../bot/teams/connector.ts';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { type Database, embedded, mongoAt, testKeyring } from '../store/backends.ts';

/** Two processes answer people over one store; Teams tells each event to one of them (contracts.md §2, I-1, I-2). */

const home = tenantId('6f1c0a7e-51d2-4c39-9a0b-3e2f7d5c8a10') as TenantId;
const contoso = tenantId('1c0a9e44-0f1f-4d4e-9f6a-3b8a9c2d7e10') as TenantId;
const team = '19:team@thread.tacv2';
const channel = '19:channel@thread.tacv2';
const bot = '28:bot';
const seenAt = '2026-11-20T07:04:00.000Z';
const row = {
  conversationId: channel,
  kind: 'channel' as const,
  serviceUrl: 'https://x/',
  hostTenantId: home,
};
const spot: Spot = { ...row, conversationId: `${channel};messageid=1` };

const ana: ListedMember = {
  id: '29:ana',
  aadObjectId: '0a4e8d52-19c7-4b3f-a6d0-72f5b8c1e931',
  tenantId: home,
  userRole: 'user',
};
const guestOid = '5b7d0c1e-8f23-4a96-b1d4-0e9c6a72f385';
const guest: ListedMember = { id: '29:guest', aadObjectId: guestOid, tenantId: contoso, userRole: 'guest' };

/** Nobody listens in these. */
const subscriptions = { end: async () => undefined, reinstalled: async () => undefined };

type Plant = (places: PlaceStore) => PlaceStore;
type Process = ReturnType<typeof openProcess>;
type World = { a: Process; b: Process; join(member: ListedMember): void; unreadable(is: boolean): void };

/** One process: what it knows in memory is its own. `hold()` stops its next read of members on the way back. */
function openProcess(places: PlaceStore, answer: () => MemberPage) {
  let held: { reached(): void; released: Promise<void> } | undefined;
  let reads = 0;
  const connector = {
    async members() {
      reads += 1;
      const page = answer();
      const stop = held;
      held = undefined;
      stop?.reached();
      await stop?.released;
      return page;
    },
  } as unknown as Connector;
  const now = () => seenAt;
  const audiences = openAudiences({ connector, places, homeTenantId: home, now, log: silentLog() });
  return {
    audiences,
    places,
    arrivals: openArrivals({ places, subscriptions, audiences, now }),
    reads: () => reads,
    hold(): { reached: Promise<void>; release(): void } {
      const reached = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      held = { reached: reached.resolve, released: released.promise };
      return { reached: reached.promise, release: released.resolve };
    },
    kind: async () => (await audiences.of(spot)).kind,
  };
}

type Known = { teamId?: string; binding?: PlaceRow['binding'] };

async function openWorld([forA, forB]: readonly PlaceStore[], known: Known, plant: Plant): Promise<World> {
  if (forA === undefined || forB === undefined) throw new Error('two stores are needed');
  const { binding, ...fields } = known;
  const members = [ana];
  let closed = false;
  const answer = (): MemberPage =>
    closed ? { kind: 'unread', why: 'status 403' } : { kind: 'read', members: [...members], next: undefined };
  const a = openProcess(forA, answer);
  const b = openProcess(plant(forB), answer);
  await a.places.save({ ...row, ...fields, seenAt });
  if (binding !== undefined) await a.places.bind(channel, binding);
  return {
    a,
    b,
    join: (member) => members.push(member),
    unreadable: (is) => {
      closed = is;
    },
  };
}

function turn(conversation: string, said: object, channelData: object = {}): Turn {
  const parsed = parseActivity({
    type: 'conversationUpdate',
    channelId: 'msteams',
    serviceUrl: 'https://x/',
    recipient: { id: bot },
    conversation: { id: conversation, conversationType: 'channel', tenantId: home },
    channelData: { tenant: { id: home }, team: { id: team }, ...channelData },
    ...said,
  });
  if (parsed === undefined) throw new Error('not an activity');
  return parsed;
}

/** How process A hears that somebody came. */
const came = { membersAdded: [{ id: '29:guest' }] };
const events: { told: string; known?: { teamId?: string }; tell(a: Process): Promise<unknown> }[] = [
  { told: 'in the channel', tell: (a) => a.arrivals.note(turn(channel, came), home) },
  { told: 'in its team', known: { teamId: team }, tell: (a) => a.arrivals.note(turn(team, came), home) },
  {
    told: 'in a team of which the channel is known only then',
    async tell(a) {
      await a.arrivals.note(turn(team, came), home);
      await a.arrivals.remember(turn(channel, { type: 'message', id: '1', text: 'help' }), home);
    },
  },
  {
    told: 'as a channel shared',
    known: { teamId: team },
    tell: (a) =>
      a.arrivals.note(turn(team, {}, { eventType: 'channelShared', channel: { id: channel } }), home),
  },
  {
    told: 'not at all, Watchpost being away until it is brought back',
    async tell(a) {
      await a.arrivals.note(turn(channel, { type: 'installationUpdate', action: 'remove' }), home);
      await a.arrivals.note(turn(channel, { type: 'installationUpdate', action: 'add' }), home);
    },
  },
];

const asItIs: Plant = (places) => places;
const internal = { kind: 'internal' } as const;
const changesOf = async (places: PlaceStore): Promise<number> =>
  (await places.get(channel))?.membersChanged ?? 0;

/** Saves whatever was read, as if nothing had been counted. */
const ignoringCount: Plant = (places) => ({
  ...places,
  saveRoster: async (id, roster) => await places.saveRoster(id, roster, await changesOf(places)),
});
/** Reads rows as if nothing had been counted; saving still looks. */
const blind: Plant = (places) => ({
  ...places,
  async get(id) {
    const found = await places.get(id);
    if (found === null) return null;
    const { membersChanged: _, ...rest } = found;
    return rest;
  },
});

const uri = process.env.MONGODB_URI ?? '';
if (uri === '') {
  test.skip('two processes on MongoDB: set MONGODB_URI, `npm run mongo` starts one', () => undefined);
}
describe.each([embedded, ...(uri === '' ? [] : [mongoAt(uri)])])(
  'two processes over the $kind store',
  (backend) => {
    let database: Database;
    let engines: Engine[];
    /** Each over a client of its own. */
    let stores: PlaceStore[];
    beforeAll(async () => {
      database = await backend.fresh();
      engines = [await database.engine(collections), await database.engine(collections)];
      stores = engines.map(
        (engine, at) => storeOver(engine, { instanceId: `instance-${at}`, keyring: testKeyring }).places,
      );
    });
    beforeEach(async () => {
      await engines[0]?.collection(placesDeclaration).deleteMany({});
    });
    afterAll(async () => {
      await database.end();
    });

    /** A guest comes while B reads the members, and A is told. What B answers, then A, then both again. */
    async function guestWhileReading(
      { known = {}, tell }: Pick<(typeof events)[number], 'known' | 'tell'>,
      options: { binding?: PlaceRow['binding']; askedBetween: boolean; plant: Plant },
    ): Promise<string[]> {
      const { binding, askedBetween, plant } = options;
      const place = { ...known, ...(binding === undefined ? {} : { binding }) };
      const { a, b, join } = await openWorld(stores, place, plant);
      const read = b.hold();
      const asked = b.kind();
      await read.reached;
      join(guest);
      await tell(a);
      const between = askedBetween ? [await a.kind()] : [];
      read.release();
      return [...between, await asked, await a.kind(), await b.kind()];
    }

    const cases = events.flatMap((event) =>
      [undefined, internal].flatMap((binding) =>
        [false, true].map((askedBetween) => ({ ...event, binding, askedBetween })),
      ),
    );
    test.each(cases)(
      'a guest who comes while B reads, told to A $told, makes it unbound for both; bound: $binding, A asked meanwhile: $askedBetween',
      async ({ binding, askedBetween, ...event }) => {
        const kinds = await guestWhileReading(event, {
          ...(binding === undefined ? {} : { binding }),
          askedBetween,
          plant: asItIs,
        });
        expect(new Set(kinds)).toEqual(new Set(['unbound']));
      },
    );

    test.each(events)(
      'a store that ignores the count answers internal after the guest came, told $told: the proof above can see it',
      async (event) => {
        const kinds = await guestWhileReading(event, { askedBetween: true, plant: ignoringCount });
        expect(kinds).toContain('internal');
      },
    );

    /** A guest comes when B has saved its list and not answered yet; what that asker hears, and one who asks B then. */
    async function guestWhileSaving(binding: PlaceRow['binding'], plant: Plant): Promise<string[]> {
      const saved = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      const slow: Plant = (places) => ({
        ...places,
        async saveRoster(...given) {
          const done = await places.saveRoster(...given);
          saved.resolve();
          await released.promise;
          return done;
        },
      });
      const place = binding === undefined ? {} : { binding };
      const { a, b, join } = await openWorld(stores, place, (places) => slow(plant(places)));
      const first = b.kind();
      await saved.promise;
      join(guest);
      await a.arrivals.note(turn(channel, came), home);
      const second = b.kind();
      released.resolve();
      return [await first, await second, await b.kind(), await a.kind()];
    }

    test.each([{ binding: undefined }, { binding: internal }])(
      'a list saved just before a guest came, told to A, is no answer of B any more; bound: $binding',
      async ({ binding }) => {
        expect(new Set(await guestWhileSaving(binding, asItIs))).toEqual(new Set(['unbound']));
      },
    );

    test('who does not look at the count again answers internal: the proof above can see it', async () => {
      expect(await guestWhileSaving(undefined, blind)).toContain('internal');
    });

    const whereFrom = (process: Process) => process.audiences.tenantOf(spot, guestOid);

    /** B knows where people come from; a guest comes, told to A. Where B says the guest is from, before and after. */
    async function guestAfterListing({ known = {}, tell }: (typeof events)[number], plant: Plant) {
      const { a, b, join } = await openWorld(stores, known, plant);
      const before = await whereFrom(b);
      join(guest);
      await tell(a);
      return [before, await whereFrom(b), await whereFrom(a)];
    }

    test.each(events)('B knows where a guest comes from after A was told $told', async (event) => {
      expect(await guestAfterListing(event, asItIs)).toEqual([undefined, contoso, contoso]);
    });

    test('who keeps that list whatever is counted does not: the proof above can see it', async () => {
      expect(await guestAfterListing(events[0] as (typeof events)[number], blind)).toEqual([
        undefined,
        undefined,
        contoso,
      ]);
    });

    test('a list of where people come from, begun before a guest came, serves only who asked before', async () => {
      const { a, b, join } = await openWorld(stores, {}, asItIs);
      const read = b.hold();
      const first = whereFrom(b);
      await read.reached;
      join(guest);
      await a.arrivals.note(turn(channel, came), home);
      // Does not wait for the list that is on its way.
      expect(await whereFrom(b)).toBe(contoso);
      read.release();
      expect(await first).toBeUndefined();
      expect(await whereFrom(b)).toBe(contoso);
    });

    test('after a failed read B tries again at once when A was told of a change', async () => {
      const { a, b, join, unreadable } = await openWorld(stores, { binding: internal }, asItIs);
      unreadable(true);
      expect(await b.kind()).toBe('internal');
      expect(await b.kind()).toBe('internal');
      expect(b.reads()).toBe(1);
      unreadable(false);
      join(guest);
      await a.arrivals.note(turn(channel, came), home);
      expect(await b.kind()).toBe('unbound');
    });
  },
);
