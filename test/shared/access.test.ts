import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { demoHome } from '../../bot/cast.ts';
import {
  type AccessAction,
  type Audience,
  actions,
  type Caller,
  callerOf,
  covers,
  type Grant,
  type GrantScope,
  isScope,
  may,
  mayGo,
  mayGrant,
  type Role,
  roleOf,
  roles,
  scopeFor,
  scopeOfJob,
  scopeOfSystem,
  type TenantScope,
} from '../../shared/access.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { idOf } from '../cards/samples.ts';
import { count, seed } from '../support/counts.ts';

const now = '2026-11-20T10:00:00.000Z';
const home = demoHome.id;
const [own, foreign, third] = [idOf(1), idOf(2), idOf(3)];

function grantOf(role: Role, scope: GrantScope, change: Partial<Grant> = {}): Grant {
  return { id: 'g', role, scope, source: 'chat', by: 'test', at: '2026-01-01T00:00:00.000Z', ...change };
}

function person(tid: TenantId, grants: Grant[], change: Partial<Caller> = {}): Caller {
  return { tid, oid: 'person', name: 'P', home: tid === home, disabled: false, grants, ...change };
}

/** R48, written from the page and not from the code: which role may do what. */
const matrix: Record<AccessAction, string> = {
  view: 'Admin Operator Reader Customer',
  sync: 'Admin Operator',
  work: 'Admin Operator',
  grant: 'Admin',
  connect: 'Admin',
  watch: 'Admin Operator',
  bind: 'Admin',
  export: 'Admin',
  purge: 'Admin',
};

const cells = actions.flatMap((action) =>
  [...roles, null].flatMap((role) =>
    (['own', 'foreign', 'none'] as const).flatMap((target) =>
      (
        ['personal', 'internal', 'customer own', 'customer foreign', 'unbound', "another's personal"] as const
      ).map((place) => ({
        action,
        role,
        target,
        place,
      })),
    ),
  ),
);

function audienceOf(place: (typeof cells)[number]['place'], who: Caller): Audience {
  switch (place) {
    case 'personal':
      return { kind: 'personal', oid: who.oid, tid: who.tid };
    case "another's personal":
      return { kind: 'personal', oid: 'somebody else', tid: who.tid };
    case 'internal':
      return { kind: 'internal' };
    case 'customer own':
      return { kind: 'customer', tenant: own };
    case 'customer foreign':
      return { kind: 'customer', tenant: foreign };
    default:
      return { kind: 'unbound', why: 'a guest is here' };
  }
}

test(`every one of ${cells.length} cells of role × action × tenant × place is as the page says`, () => {
  const wrong = cells.filter(({ action, role, target, place }) => {
    // The person may have the role for `own` only; a Customer is a person of `own`.
    const who = person(role === 'Customer' ? own : home, role === null ? [] : [grantOf(role, [own])]);
    const tenant = target === 'own' ? own : target === 'foreign' ? foreign : third;
    const roleAllows = role !== null && matrix[action].split(' ').includes(role);

    const expectedMay = roleAllows && target === 'own';
    const placeShows =
      (place === 'internal' && role !== 'Customer') ||
      place === 'personal' ||
      (place === 'customer own' && target === 'own');
    const visitor = role === 'Customer' && action === 'view' && place === 'customer own' && target === 'own';
    const expectedScope = (expectedMay && placeShows) || visitor;

    const scope = scopeFor(who, audienceOf(place, who), action, now);
    return may(who, action, tenant, now) !== expectedMay || covers(scope, tenant) !== expectedScope;
  });
  expect(wrong).toEqual([]);
});

test.each([
  { what: 'switched off', who: person(home, [grantOf('Admin', 'all')], { disabled: true }) },
  { what: 'lapsed to the millisecond', who: person(home, [grantOf('Admin', 'all', { until: now })]) },
  { what: 'without a grant', who: person(home, []) },
  { what: 'with a role that does not exist', who: person(home, [grantOf('Owner' as Role, 'all')]) },
  { what: 'with an inherited word as role', who: person(home, [grantOf('constructor' as Role, 'all')]) },
])('a person $what may do nothing', ({ who }) => {
  for (const action of actions) {
    expect(may(who, action, undefined, now)).toBe(false);
    expect(covers(scopeFor(who, { kind: 'internal' }, action, now), own)).toBe(false);
  }
  expect(roleOf(who, now)).toBeNull();
});

test('an action that does not exist may be done by nobody', () => {
  const admin = person(home, [grantOf('Admin', 'all')]);
  expect(may(admin, 'constructor' as AccessAction, own, now)).toBe(false);
  expect(covers(scopeFor(admin, { kind: 'internal' }, 'hack' as AccessAction, now), own)).toBe(false);
});

test('a person of a connected tenant sees it where it is bound, without a grant, and nothing else anywhere', () => {
  const visitor = person(own, []);
  expect(covers(scopeFor(visitor, { kind: 'customer', tenant: own }, 'view', now), own)).toBe(true);
  expect(covers(scopeFor(visitor, { kind: 'customer', tenant: own }, 'sync', now), own)).toBe(false);
  expect(covers(scopeFor(visitor, { kind: 'customer', tenant: foreign }, 'view', now), foreign)).toBe(false);
  expect(covers(scopeFor(visitor, { kind: 'internal' }, 'view', now), own)).toBe(false);
});

test('a stranger who claims Customer of all tenants gets the own one at most', () => {
  const greedy = person(own, [grantOf('Customer', 'all'), grantOf('Customer', [foreign])]);
  const scope = scopeFor(greedy, { kind: 'personal', oid: greedy.oid, tid: own }, 'view', now);
  expect([covers(scope, own), covers(scope, foreign)]).toEqual([true, false]);
});

test('a scope that was not made here covers nothing', () => {
  const forged = { all: true, ids: new Set([own]) } as unknown as TenantScope;
  expect(covers(forged, own)).toBe(false);
  expect(isScope(forged)).toBe(false);
  expect(isScope({ ...scopeOfSystem() })).toBe(false);
  expect([covers(scopeOfJob(own), own), covers(scopeOfJob(own), foreign)]).toEqual([true, false]);
});

const me = person(home, [grantOf('Reader', [own])]);
const mine = scopeFor(me, { kind: 'personal', oid: me.oid, tid: me.tid }, 'view', now);
test.each<{ tenants: TenantId[]; place: Audience; personal?: TenantScope; goes: boolean }>([
  { tenants: [], place: { kind: 'unbound', why: '' }, goes: true },
  { tenants: [own], place: { kind: 'unbound', why: '' }, goes: false },
  { tenants: [own, foreign], place: { kind: 'internal' }, goes: true },
  { tenants: [own], place: { kind: 'customer', tenant: own }, goes: true },
  { tenants: [own, foreign], place: { kind: 'customer', tenant: own }, goes: false },
  { tenants: [foreign], place: { kind: 'customer', tenant: own }, goes: false },
  { tenants: [own], place: { kind: 'personal', oid: 'person', tid: home }, personal: mine, goes: true },
  { tenants: [foreign], place: { kind: 'personal', oid: 'person', tid: home }, personal: mine, goes: false },
  { tenants: [own], place: { kind: 'personal', oid: 'person', tid: home }, goes: false },
])('data of $tenants into $place: $goes', ({ tenants, place, personal, goes }) => {
  expect(mayGo(tenants, place, personal)).toBe(goes);
});

test('decisions see tid, oid, grants and the switch: names and addresses change nothing (R12)', () => {
  const known = { disabled: false, grants: [grantOf('Reader', [own])] };
  fc.assert(
    fc.property(fc.string(), fc.constantFrom(...actions), (name, action) => {
      const one = callerOf(known, { tid: home, oid: 'x', name }, home);
      const other = callerOf(known, { tid: home, oid: 'x', name: 'Admin' }, home);
      expect(may(one, action, own, now)).toBe(may(other, action, own, now));
    }),
    { numRuns: count(200, 10_000), seed },
  );
  expect(callerOf(null, { tid: own, oid: 'x', name: '' }, home)).toMatchObject({ home: false, grants: [] });
});

const scopes: fc.Arbitrary<GrantScope> = fc.oneof(
  fc.constant<GrantScope>('all'),
  fc.subarray([own, foreign, third]),
);
const someGrant = fc.record({ role: fc.constantFrom(...roles), scope: scopes });

/** How much a grant is worth on one tenant, independent of the code's own order. */
const strength = (role: Role): number => ['Customer', 'Reader', 'Operator', 'Admin'].indexOf(role);

function reach(grants: { role: Role; scope: GrantScope }[], tenant: TenantId): number {
  return Math.max(
    -1,
    ...grants
      .filter(({ scope }) => scope === 'all' || scope.includes(tenant))
      .map(({ role }) => strength(role)),
  );
}

test('whatever is granted in whatever order, nobody ends above the strongest giver on any tenant (R49)', () => {
  const tenants = [own, foreign, third, idOf(99)];
  fc.assert(
    fc.property(
      fc.array(fc.array(someGrant, { maxLength: 3 }), { minLength: 2, maxLength: 5 }),
      fc.array(fc.record({ from: fc.nat(4), to: fc.nat(4), give: someGrant }), { maxLength: 40 }),
      (start, steps) => {
        const people = start.map((grants) =>
          person(
            home,
            grants.map(({ role, scope }) => grantOf(role, scope)),
          ),
        );
        const before = tenants.map((tenant) => {
          const admins = people.filter((one) => one.grants.some(({ role }) => role === 'Admin'));
          return Math.max(
            ...people.map((one) => reach(one.grants, tenant)),
            ...admins.map((one) => reach(one.grants, tenant)),
          );
        });
        for (const { from, to, give } of steps) {
          const giver = people[from % people.length];
          const taker = people[to % people.length];
          if (giver === undefined || taker === undefined || !mayGrant(giver, give.role, give.scope, now))
            continue;
          for (const tenant of tenants) {
            const given = reach([give], tenant);
            expect(given).toBeLessThanOrEqual(
              reach(
                giver.grants.filter(({ role }) => role === 'Admin'),
                tenant,
              ),
            );
          }
          taker.grants.push(grantOf(give.role, give.scope));
        }
        tenants.forEach((tenant, i) => {
          expect(Math.max(...people.map((one) => reach(one.grants, tenant)))).toBeLessThanOrEqual(
            before[i] ?? -1,
          );
        });
      },
    ),
    { numRuns: count(500, 20_000), seed },
  );
});

test.each<{ has: Grant[]; gives: Role; scope: GrantScope; may: boolean }>([
  { has: [grantOf('Admin', 'all')], gives: 'Admin', scope: 'all', may: true },
  { has: [grantOf('Admin', [own])], gives: 'Reader', scope: [own], may: true },
  { has: [grantOf('Admin', [own])], gives: 'Reader', scope: [own, foreign], may: false },
  { has: [grantOf('Admin', [own])], gives: 'Reader', scope: 'all', may: false },
  {
    has: [grantOf('Admin', [own]), grantOf('Operator', 'all')],
    gives: 'Reader',
    scope: [foreign],
    may: false,
  },
  { has: [grantOf('Operator', 'all')], gives: 'Reader', scope: [own], may: false },
  { has: [grantOf('Admin', 'all')], gives: 'Reader', scope: [], may: false },
  { has: [grantOf('Admin', 'all', { until: now })], gives: 'Reader', scope: [own], may: false },
  { has: [grantOf('Admin', 'all')], gives: 'Owner' as Role, scope: [own], may: false },
  { has: [grantOf('Admin', 'all')], gives: 'toString' as Role, scope: [own], may: false },
])('who has $has gives $gives of $scope: $may', ({ has, gives, scope, may: allowed }) => {
  expect(mayGrant(person(home, has), gives, scope, now)).toBe(allowed);
});
