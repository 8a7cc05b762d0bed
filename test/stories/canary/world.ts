import { randomUUID } from 'node:crypto';
import type { Services } from '../../../bot/services.ts';
import type { Grant, Role } from '../../../shared/access.ts';
import { type TenantId, tenantId } from '../../../shared/tenants/tenant.ts';
import type { Somebody, Spot } from '../../support/actors.ts';
import type { Sandbox } from '../../support/sandbox.ts';
import type { Customer } from './customers.ts';
import { type GrantFact, type PlaceFact, type Timeline, timeline } from './truth.ts';

/** Somebody with the grants that count, as the story knows them. */
export type Person = Somebody & { home: boolean; grants: Timeline<readonly GrantFact[]>; token: string };

/** A channel or group chat with what counts there. `held`: only the story of slow turns changes it. */
export type Room = Spot & { facts: Timeline<PlaceFact>; held: boolean };

export type World = { home: string; people: Person[]; rooms: Room[] };

type Plan = { role: Role | null; of: 'all' | number[]; from: 'home' | number; count: number };

/** Forty people: of all roles and scopes, customers' own people, and some whom nobody knows. */
function plans(customers: number, random: () => number): Plan[] {
  const some = (count: number): number[] =>
    Array.from({ length: count }, () => Math.floor(random() * customers));
  return [
    { role: 'Admin', of: 'all', from: 'home', count: 3 },
    ...Array.from({ length: 4 }, (): Plan => ({ role: 'Admin', of: some(8), from: 'home', count: 1 })),
    { role: 'Operator', of: 'all', from: 'home', count: 1 },
    ...Array.from({ length: 7 }, (): Plan => ({ role: 'Operator', of: some(6), from: 'home', count: 1 })),
    { role: 'Reader', of: 'all', from: 'home', count: 1 },
    ...Array.from({ length: 7 }, (): Plan => ({ role: 'Reader', of: some(4), from: 'home', count: 1 })),
    { role: null, of: [], from: 'home', count: 5 },
    ...Array.from({ length: 6 }, (_, at): Plan => ({ role: 'Customer', of: [at], from: at, count: 1 })),
    ...Array.from({ length: 6 }, (_, at): Plan => ({ role: null, of: [], from: at, count: 1 })),
  ];
}

export async function makePeople(
  sandbox: Sandbox,
  services: Services,
  customers: readonly Customer[],
  random: () => number,
): Promise<Person[]> {
  const home = sandbox.info.apps.bot.tenantId;
  const people: Person[] = [];
  for (const plan of plans(customers.length, random))
    for (let at = 0; at < plan.count; at += 1) {
      const tid = plan.from === 'home' ? home : (customers[plan.from]?.id ?? home);
      const oid = randomGuid(random);
      const name = `${plan.role ?? 'Nobody'} ${people.length}`;
      const scope = plan.of === 'all' ? 'all' : [...new Set(plan.of.map((one) => customers[one]?.id ?? ''))];
      const grants: GrantFact[] = plan.role === null ? [] : [{ role: plan.role, scope }];
      const token = await sandbox.token({
        for: 'tab',
        claims: { oid, tid, name, iss: `https://login.microsoftonline.com/${tid}/v2.0` },
      });
      people.push({
        oid,
        tid,
        teamsId: `29:${oid}`,
        name,
        home: tid === home,
        grants: timeline(grants),
        token,
      });
      for (const grant of grants)
        await services.store.people.addGrant(idOf(tid), oid, name, grantOf(grant, services));
    }
  return people;
}

function grantOf({ role, scope }: GrantFact, services: Services): Grant {
  return {
    id: randomUUID(),
    role,
    scope: scope === 'all' ? 'all' : scope.map(idOf),
    source: 'cli',
    by: 'the story',
    at: services.now(),
  };
}

export function idOf(text: string): TenantId {
  const id = tenantId(text);
  if (id === undefined) throw new Error(`${text} is no tenant id`);
  return id;
}

/** A personal chat under the name that the sandbox's connector gives it, too. */
export function personal(who: Person): Spot {
  return { id: `a:${who.teamsId.replaceAll(/[^\w-]/g, '')}`, kind: 'personal', host: who.tid };
}

type RoomPlan = { binding: PlaceFact['binding']; host: string; who: Person[]; held?: boolean };

/** Internal ones, ones of customers, mixed ones nobody has bound, ones that others own. */
export async function makeRooms(
  sandbox: Sandbox,
  services: Services,
  customers: readonly Customer[],
  people: readonly Person[],
  random: () => number,
): Promise<Room[]> {
  const home = sandbox.info.apps.bot.tenantId;
  const ours = people.filter((one) => one.home);
  const theirs = people.filter((one) => !one.home);
  const of = (at: number): Person[] => theirs.filter((one) => one.tid === customers[at]?.id);
  const customer = (at: number): PlaceFact['binding'] => ({ customer: customers[at]?.id ?? '' });
  const many = <T>(count: number, make: (at: number) => T): T[] =>
    Array.from({ length: count }, (_, at) => make(at));
  const all: RoomPlan[] = [
    ...many(6, (): RoomPlan => ({ binding: 'none', host: home, who: ours })),
    ...many(2, (): RoomPlan => ({ binding: 'internal', host: home, who: ours })),
    ...many(6, (at): RoomPlan => ({ binding: customer(at), host: home, who: [...ours, ...of(at)] })),
    ...many(2, (at): RoomPlan => ({ binding: customer(at + 20), host: home, who: ours })),
    // Rooms of one customer where people of another read along.
    ...many(
      2,
      (at): RoomPlan => ({ binding: customer(at), host: home, who: [...ours, ...of(at), ...of(at + 1)] }),
    ),
    ...many(2, (at): RoomPlan => ({ binding: 'none', host: home, who: [...ours, ...of(at)] })),
    // Bound internal, with guests: that is nobody's room.
    ...many(2, (at): RoomPlan => ({ binding: 'internal', host: home, who: [...ours, ...of(at + 2)] })),
    ...many(2, (at): RoomPlan => ({ binding: 'none', host: customers[at]?.id ?? home, who: of(at) })),
    ...many(8, (at): RoomPlan => ({ binding: customer(at % 6), host: home, who: ours, held: true })),
  ];
  return await Promise.all(
    all.map(async ({ binding, host, who, held = false }, at) => {
      const kind = at % 3 === 2 ? ('groupChat' as const) : ('channel' as const);
      const id = `19:room${at}-${Math.floor(random() * 1e6)}@thread.${kind === 'channel' ? 'tacv2' : 'v2'}`;
      const members = who.map(({ oid, tid }) => ({
        oid,
        tid,
        userRole: tid === host ? ('user' as const) : ('guest' as const),
      }));
      const room: Room = { id, kind, host, held, facts: timeline<PlaceFact>({ host, members, binding }) };
      await tellRoster(sandbox, room, members);
      await services.store.places.save({
        conversationId: id,
        kind,
        serviceUrl: 'https://smba.trafficmanager.net/emea/',
        hostTenantId: idOf(host),
        seenAt: services.now(),
      });
      await bind(services, room, binding);
      return room;
    }),
  );
}

/** The roster as the connector will tell it. */
export async function tellRoster(sandbox: Sandbox, room: Room, members: PlaceFact['members']): Promise<void> {
  await sandbox.control('POST', '/_sandbox/conversations', {
    id: room.id,
    kind: room.kind,
    hostTenant: room.host,
    members: members.map(({ oid, tid, userRole }) => ({
      aadObjectId: oid,
      id: `29:${oid}`,
      name: `Member ${oid.slice(0, 4)}`,
      tenantId: tid,
      userRole,
    })),
  });
}

export async function bind(services: Services, room: Spot, binding: PlaceFact['binding']): Promise<void> {
  await services.store.places.bind(
    room.id,
    binding === 'none'
      ? undefined
      : binding === 'internal'
        ? { kind: 'internal' }
        : { kind: 'customer', tenant: idOf(binding.customer) },
  );
}

function randomGuid(random: () => number): string {
  const hex = (length: number): string =>
    Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join('');
  return `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`;
}
