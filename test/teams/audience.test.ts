import { expect, test } from '@jest/globals';
import { silentLog } from '../../bot/log.ts';
import type { PlaceRow, PlaceStore } from '../../bot/services.ts';
import {
  type Audiences,
  audienceOf,
  isOutsider,
  openAudiences,
  type RosterFacts,
  type Spot,
} from '../../bot/teams/audience.ts';
import type { Connector, ListedMember, MemberPage } from '../../bot/teams/connector.ts';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { plus } from '../../shared/time.ts';
import { openTestStore } from '../support/store.ts';

/** Who reads along in a conversation: contracts.md §2, I-1, I-2. */

const home = tenantId('6f1c0a7e-51d2-4c39-9a0b-3e2f7d5c8a10') as TenantId;
const contoso = tenantId('1c0a9e44-0f1f-4d4e-9f6a-3b8a9c2d7e10') as TenantId;
const now = '2026-11-20T07:04:00.000Z';
const id = '19:a@thread.tacv2';
const spot: Spot = {
  kind: 'channel',
  conversationId: `${id};messageid=1`,
  serviceUrl: 'https://x/',
  hostTenantId: home,
};
const row = (changes: Partial<PlaceRow> = {}): PlaceRow => ({
  conversationId: id,
  kind: 'channel',
  serviceUrl: 'https://x/',
  hostTenantId: home,
  seenAt: now,
  ...changes,
});
const ours: RosterFacts = { kind: 'read', outsiders: 0 };
const guests: RosterFacts = { kind: 'read', outsiders: 1 };
const unread: RosterFacts = { kind: 'unread', why: 'status 403' };
const changing: RosterFacts = { kind: 'changing' };
const internal = { kind: 'internal' } as const;
const customer = { kind: 'customer', tenant: contoso } as const;

test.each([
  { place: 'nobody knows', row: null, roster: ours, is: 'unbound' },
  { place: 'ours, only our people', row: row(), roster: ours, is: 'internal' },
  { place: 'ours with a guest', row: row(), roster: guests, is: 'unbound' },
  { place: 'ours, members unreadable', row: row(), roster: unread, is: 'unbound' },
  {
    place: 'ours, members unreadable, bound by an Admin',
    row: row({ binding: internal }),
    roster: unread,
    is: 'internal',
  },
  { place: 'ours, members changing', row: row(), roster: changing, is: 'unbound' },
  {
    place: 'ours, members changing, bound by an Admin',
    row: row({ binding: internal }),
    roster: changing,
    is: 'unbound',
  },
  {
    place: 'ours, bound as internal, with a guest',
    row: row({ binding: internal }),
    roster: guests,
    is: 'unbound',
  },
  {
    place: 'ours, bound to a customer, with foreign people',
    row: row({ binding: customer }),
    roster: guests,
    is: 'customer',
  },
  {
    place: 'ours, bound to a customer, only our people',
    row: row({ binding: customer }),
    roster: ours,
    is: 'customer',
  },
  { place: "a customer's", row: row({ hostTenantId: contoso }), roster: ours, is: 'unbound' },
  {
    place: "a customer's, bound as internal by mistake",
    row: row({ hostTenantId: contoso, binding: internal }),
    roster: ours,
    is: 'unbound',
  },
  {
    place: "a customer's, bound to it",
    row: row({ hostTenantId: contoso, binding: customer }),
    roster: guests,
    is: 'customer',
  },
  { place: 'where we were removed', row: row({ removed: true }), roster: ours, is: 'unbound' },
  {
    place: 'where we were removed, bound',
    row: row({ removed: true, binding: customer }),
    roster: ours,
    is: 'unbound',
  },
])('a conversation: $place → $is', ({ row: known, roster, is }) => {
  expect(audienceOf(known, roster, home).kind).toBe(is);
});

test.each([
  { member: { userRole: 'user', tenantId: home }, outsider: false },
  { member: { userRole: 'user', tenantId: home.toUpperCase() }, outsider: false },
  { member: { userRole: 'guest', tenantId: home }, outsider: true },
  { member: { userRole: 'anonymous', tenantId: home }, outsider: true },
  { member: { userRole: 'User', tenantId: home }, outsider: true },
  { member: { userRole: 'user', tenantId: contoso }, outsider: true },
  { member: { userRole: 'user' }, outsider: true },
  { member: { tenantId: home }, outsider: true },
  { member: {}, outsider: true },
  { member: { userRole: 'user', tenantId: 7 }, outsider: true },
])('a member listed as $member is an outsider: $outsider', ({ member, outsider }) => {
  expect(isOutsider(member, home)).toBe(outsider);
});

const person = (changes: ListedMember = {}): ListedMember => ({
  id: '29:a',
  aadObjectId: '0a4e8d52-19c7-4b3f-a6d0-72f5b8c1e931',
  tenantId: home,
  userRole: 'user',
  ...changes,
});

async function opened(
  pages: (after: string | undefined) => Promise<MemberPage> | MemberPage,
  through: (places: PlaceStore) => PlaceStore = (places) => places,
) {
  const { store, close } = await openTestStore();
  await store.places.save(row());
  let reads = 0;
  let at = now;
  const connector = {
    async members(_: string, conversationId: string, after?: string) {
      expect(conversationId).toBe(id);
      reads += 1;
      return await pages(after);
    },
  } as unknown as Connector;
  const places = through(store.places);
  const audiences = openAudiences({ connector, places, homeTenantId: home, now: () => at, log: silentLog() });
  return {
    audiences,
    places,
    close,
    reads: () => reads,
    later(ms: number) {
      at = plus(at, ms);
    },
  };
}

const page = (members: ListedMember[], next?: string): MemberPage => ({ kind: 'read', members, next });

test('members are read once in ten minutes, however many ask at once', async () => {
  const { audiences, reads, later, close } = await opened(() => page([person()]));
  await Promise.all(Array.from({ length: 20 }, () => audiences.of(spot)));
  expect(reads()).toBe(1);
  later(599_000);
  expect(await audiences.of(spot)).toEqual(internal);
  expect(reads()).toBe(1);
  later(2000);
  await audiences.of(spot);
  expect(reads()).toBe(2);
  await close();
});

test('a guest on the last of many pages is found', async () => {
  const { audiences, close } = await opened((after) => {
    const at = Number(after ?? 0);
    return at < 9 ? page([person(), person()], String(at + 1)) : page([person({ userRole: 'guest' })]);
  });
  expect((await audiences.of(spot)).kind).toBe('unbound');
  await close();
});

test.each([
  { name: 'refused', pages: (): MemberPage => ({ kind: 'unread', why: 'status 403' }) },
  { name: 'empty', pages: (): MemberPage => page([]) },
  {
    name: 'endless',
    pages: (after?: string): MemberPage => page([person()], String(Number(after ?? 0) + 1)),
  },
  { name: 'going round in circles', pages: (): MemberPage => page([person()], 'again') },
])(
  'a list of members that is $name makes nobody internal',
  async ({ pages }) => {
    const { audiences, close } = await opened(pages);
    expect((await audiences.of(spot)).kind).toBe('unbound');
    await close();
  },
  60_000,
);

test('after a failed read nobody waits for another one for half a minute', async () => {
  let broken = true;
  const { audiences, reads, later, close } = await opened(() =>
    broken ? { kind: 'unread', why: 'TIMEOUT' } : page([person()]),
  );
  await audiences.of(spot);
  await audiences.of(spot);
  expect(reads()).toBe(1);
  broken = false;
  later(31_000);
  expect(await audiences.of(spot)).toEqual(internal);
  await close();
});

const someone = '0a4e8d52-19c7-4b3f-a6d0-72f5b8c1e931';

test.each([
  { first: 'where somebody is from', ask: (audiences: Audiences) => audiences.tenantOf(spot, someone) },
  { first: 'who reads along', ask: (audiences: Audiences) => audiences.of(spot) },
])(
  'after a failed read for $first nobody waits for another one for half a minute, whatever is asked',
  async ({ ask }) => {
    let broken = true;
    const { audiences, reads, later, close } = await opened(() =>
      broken ? { kind: 'unread', why: 'TIMEOUT' } : page([person(), person({ userRole: 'guest' })]),
    );
    await Promise.all(Array.from({ length: 20 }, () => ask(audiences)));
    expect(reads()).toBe(1);
    later(29_000);
    expect((await audiences.of(spot)).kind).toBe('unbound');
    expect(await audiences.tenantOf(spot, someone)).toBeUndefined();
    expect(reads()).toBe(1);
    broken = false;
    later(2_000);
    expect(await audiences.tenantOf(spot, someone)).toBe(home);
    expect(reads()).toBe(2);
    await close();
  },
);

test('after a failed read a change of members is reason enough to try again', async () => {
  let broken = true;
  const { audiences, close } = await opened(() =>
    broken ? { kind: 'unread', why: 'TIMEOUT' } : page([person(), person({ userRole: 'guest' })]),
  );
  expect(await audiences.tenantOf(spot, someone)).toBeUndefined();
  broken = false;
  await audiences.forget(id);
  expect(await audiences.tenantOf(spot, someone)).toBe(home);
  await close();
});

test('where people of a mixed conversation are from is read once in ten minutes', async () => {
  const { audiences, reads, later, close } = await opened(() =>
    page([person(), person({ aadObjectId: 'b', tenantId: contoso, userRole: 'guest' })]),
  );
  const asked = await Promise.all(Array.from({ length: 20 }, () => audiences.tenantOf(spot, 'b')));
  expect(new Set(asked)).toEqual(new Set([contoso]));
  later(599_000);
  expect(await audiences.tenantOf(spot, someone)).toBe(home);
  expect(reads()).toBe(1);
  later(2_000);
  expect(await audiences.tenantOf(spot, 'b')).toBe(contoso);
  expect(reads()).toBe(2);
  await close();
});

test('a list read before a guest came does not count after the guest came', async () => {
  let release: (members: MemberPage) => void = () => undefined;
  let guestIsHere = false;
  const { audiences, places, reads, close } = await opened(() =>
    guestIsHere
      ? page([person(), person({ userRole: 'guest' })])
      : new Promise<MemberPage>((resolve) => {
          release = resolve;
        }),
  );
  const asked = audiences.of(spot);
  while (reads() === 0) await new Promise((resolve) => setImmediate(resolve));
  guestIsHere = true;
  await audiences.forget(id);
  release(page([person()]));
  expect((await asked).kind).toBe('unbound');
  expect((await places.get(id))?.roster).toMatchObject({ outsiders: 1 });
  await close();
});

test.each([{ through: 'the conversation' }, { through: 'its team' }])(
  'a guest whom $through told of while the store was away is no member of an internal place afterwards',
  async ({ through }) => {
    let guestIsHere = false;
    let away = false;
    const team = '19:team@thread.tacv2';
    const { audiences, places, close } = await opened(
      () => page(guestIsHere ? [person(), person({ userRole: 'guest' })] : [person()]),
      (store) => ({
        ...store,
        async dropRoster(conversationId) {
          if (away) throw new Error('the store is away');
          await store.dropRoster(conversationId);
        },
      }),
    );
    await places.save({ ...row(), teamId: team });
    expect(await audiences.of(spot)).toEqual(internal);
    guestIsHere = true;
    away = true;
    await expect(audiences.forget(through === 'its team' ? team : id)).rejects.toThrow('away');
    // What is not written is not forgotten: no answer before it is.
    await expect(audiences.of(spot)).rejects.toThrow('away');
    away = false;
    expect((await audiences.of(spot)).kind).toBe('unbound');
    await close();
  },
);

test('a list read before a guest came does not count even while the store is still writing that somebody came', async () => {
  const read = Promise.withResolvers<MemberPage>();
  const written = Promise.withResolvers<void>();
  let guestIsHere = false;
  const { audiences, reads, close } = await opened(
    () => (guestIsHere ? page([person(), person({ userRole: 'guest' })]) : read.promise),
    (places) => ({
      ...places,
      async dropRoster(conversationId) {
        await written.promise;
        await places.dropRoster(conversationId);
      },
    }),
  );
  const asked = audiences.of(spot);
  while (reads() === 0) await new Promise((resolve) => setImmediate(resolve));
  guestIsHere = true;
  const forgotten = audiences.forget(id);
  read.resolve(page([person()]));
  expect((await asked).kind).toBe('unbound');
  written.resolve();
  await forgotten;
  expect((await audiences.of(spot)).kind).toBe('unbound');
  await close();
});

test('where people are from is not kept from a conversation we were removed from: nobody tells who comes', async () => {
  const members = [person()];
  const { audiences, places, close } = await opened(() => page([...members]));
  await places.markRemoved(id);
  expect(await audiences.tenantOf(spot, 'b')).toBeUndefined();
  members.push(person({ aadObjectId: 'b', tenantId: contoso, userRole: 'guest' }));
  await places.save({ ...row(), removed: false });
  expect(await audiences.tenantOf(spot, 'b')).toBe(contoso);
  await close();
});

test('a change of the team counts for each of its channels', async () => {
  let guestIsHere = false;
  const { audiences, places, close } = await opened(() =>
    page(guestIsHere ? [person({ userRole: 'guest' })] : [person()]),
  );
  await places.save(row({ teamId: '19:team@thread.tacv2' }));
  expect(await audiences.of(spot)).toEqual(internal);
  guestIsHere = true;
  await audiences.forget('19:team@thread.tacv2', '19:team@thread.tacv2');
  expect((await audiences.of(spot)).kind).toBe('unbound');
  await close();
});

test('members are handed out as far as they are understood, and not at all when Teams will not say', async () => {
  const { audiences, close } = await opened(() =>
    page([
      person({ email: 'ana@x.example', name: 'Ana' }),
      person({ tenantId: 'nonsense' }),
      person({ aadObjectId: undefined }),
    ]),
  );
  expect(await audiences.members(spot, 500)).toEqual([
    {
      teamsId: '29:a',
      oid: '0a4e8d52-19c7-4b3f-a6d0-72f5b8c1e931',
      tid: home,
      name: 'Ana',
      address: 'ana@x.example',
    },
  ]);
  await close();
  const closed = await opened(() => ({ kind: 'unread', why: 'status 403' }));
  await expect(closed.audiences.members(spot, 500)).rejects.toThrow(/cannot be read/);
  await closed.close();
});
