import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Audience } from '../../../shared/access.ts';
import { routesFor, type Subscription, tenantThreshold, thresholdOf } from '../../../shared/alerts/route.ts';
import { defaultThreshold } from '../../../shared/alerts/threshold.ts';
import { idOf } from '../../cards/samples.ts';
import { count, seed } from '../../support/counts.ts';

const contoso = idOf(1);
const fabrikam = idOf(2);

const audiences: Record<string, Audience | null> = {
  internal: { kind: 'internal' },
  ofContoso: { kind: 'customer', tenant: contoso },
  ofFabrikam: { kind: 'customer', tenant: fabrikam },
  personal: { kind: 'personal', oid: 'o', tid: contoso },
  unbound: { kind: 'unbound', why: 'members are changing' },
  removed: null,
};

const watching = (conversationId: string, change: Partial<Subscription> = {}): Subscription => ({
  conversationId,
  tenants: 'all',
  thresholds: [],
  ...change,
});

const fell = { tenantId: contoso, kind: 'opened' as const, loss: { points: 6, percent: 1.2 } };
const audienceOf = (id: string): Audience | null => audiences[id] ?? null;
const nobody = (): boolean => false;
const everybody = (): boolean => true;

test('only our own places and those of exactly this tenant hear of it; the others are named', () => {
  const all = Object.keys(audiences).map((id) => watching(id));
  expect(routesFor(fell, all, audienceOf, nobody)).toEqual({
    hears: ['internal', 'ofContoso'],
    withheld: [
      { conversationId: 'ofFabrikam', why: 'This conversation belongs to another customer.' },
      { conversationId: 'personal', why: 'News is for channels and group chats.' },
      { conversationId: 'unbound', why: 'Members are changing.' },
      { conversationId: 'removed', why: 'Watchpost is no longer in this conversation.' },
    ],
  });
});

test.each([
  { what: 'watches all', subscription: watching('internal'), hears: true },
  { what: 'watches it', subscription: watching('internal', { tenants: [contoso] }), hears: true },
  { what: 'watches another', subscription: watching('internal', { tenants: [fabrikam] }), hears: false },
  { what: 'watches none', subscription: watching('internal', { tenants: [] }), hears: false },
  {
    what: 'wants to hear later',
    subscription: watching('internal', {
      thresholds: [{ tenantId: contoso, threshold: { percent: 3, points: null } }],
    }),
    hears: false,
  },
  {
    what: 'wants to hear of another later',
    subscription: watching('internal', {
      thresholds: [{ tenantId: fabrikam, threshold: { percent: 3, points: null } }],
    }),
    hears: true,
  },
])('who $what hears: $hears', ({ subscription, hears }) => {
  expect(routesFor(fell, [subscription], audienceOf, nobody).hears).toEqual(hears ? ['internal'] : []);
});

test('who has heard of it hears the rest whatever its size; its end goes to nobody else', () => {
  const late = watching('internal', {
    thresholds: [{ tenantId: contoso, threshold: { percent: 30, points: null } }],
  });
  const over = { ...fell, kind: 'resolved' as const };
  const worse = { ...fell, kind: 'worsened' as const };
  expect(routesFor(worse, [late], audienceOf, everybody).hears).toEqual(['internal']);
  expect(routesFor(worse, [late], audienceOf, nobody).hears).toEqual([]);
  expect(routesFor(over, [watching('internal')], audienceOf, nobody).hears).toEqual([]);
  expect(routesFor(over, [watching('internal')], audienceOf, everybody).hears).toEqual(['internal']);
  // Who was shut out meanwhile does not get the end either.
  expect(routesFor(over, [watching('unbound')], audienceOf, everybody).hears).toEqual([]);
});

test('a conversation that is listed twice hears once', () => {
  const twice = [watching('internal', { tenants: [contoso] }), watching('internal')];
  expect(routesFor(fell, twice, audienceOf, nobody).hears).toEqual(['internal']);
});

test('a tenant is judged by the finest threshold of those who watch it', () => {
  const at = (percent: number) => [{ tenantId: contoso, threshold: { percent, points: null } }];
  expect(tenantThreshold(contoso, [])).toEqual(defaultThreshold);
  expect(tenantThreshold(contoso, [watching('a', { thresholds: at(7) })])).toEqual({
    percent: 7,
    points: null,
  });
  const several = [
    watching('a', { thresholds: at(7) }),
    watching('b', { thresholds: at(3) }),
    watching('c', { tenants: [fabrikam], thresholds: at(1) }),
  ];
  expect(tenantThreshold(contoso, several)).toEqual({ percent: 3, points: null });
  expect(thresholdOf(watching('a', { thresholds: at(7) }), fabrikam)).toEqual(defaultThreshold);
});

test('whatever is subscribed, no other customer, stranger or single person ever hears', () => {
  const ids = [contoso, fabrikam, idOf(3)];
  const audience: fc.Arbitrary<Audience | null> = fc.oneof(
    fc.constant<Audience>({ kind: 'internal' }),
    fc.constantFrom(...ids).map((tenant): Audience => ({ kind: 'customer', tenant })),
    fc.constantFrom(...ids).map((tid): Audience => ({ kind: 'personal', oid: 'o', tid })),
    fc.constant<Audience>({ kind: 'unbound', why: 'not known' }),
    fc.constant(null),
  );
  const place = fc.record({
    audience,
    tenants: fc.oneof(fc.constant<'all'>('all'), fc.subarray(ids)),
    heard: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.constantFrom(...ids),
      fc.constantFrom('opened' as const, 'worsened' as const, 'reopened' as const, 'resolved' as const),
      fc.array(place, { maxLength: 12 }),
      (tenantId, kind, places) => {
        const subscriptions = places.map(({ tenants }, i) => watching(`${i}`, { tenants }));
        const { hears, withheld } = routesFor(
          { tenantId, kind, loss: fell.loss },
          subscriptions,
          (id) => places[Number(id)]?.audience ?? null,
          (id) => places[Number(id)]?.heard ?? false,
        );
        for (const id of hears) {
          const one = places[Number(id)]?.audience;
          expect(one?.kind === 'internal' || (one?.kind === 'customer' && one.tenant === tenantId)).toBe(
            true,
          );
        }
        expect(new Set([...hears, ...withheld.map((one) => one.conversationId)]).size).toBe(
          hears.length + withheld.length,
        );
      },
    ),
    { seed, numRuns: count(300, 5_000) },
  );
});
