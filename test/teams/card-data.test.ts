import { createHmac, randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { CardAction, CardData } from '../../bot/services.ts';
import { type CardPlace, openCardSigner } from '../../bot/teams/card-data.ts';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { count, seed, seeded } from '../support/counts.ts';

/** R9: what a button means is signed, and only what we signed, here, not long ago, is believed. */

const contoso = tenantId('0a4e8d52-19c7-4b3f-a6d0-72f5b8c1e931') as TenantId;
const fabrikam = tenantId('5d92b7c4-3e60-4a18-8f7b-c40e1d6a2935') as TenantId;
const key = randomBytes(32);
const cards = openCardSigner([{ kid: 'k1', key }]);
const nowMs = Date.parse('2026-11-20T07:04:00Z');
const channel: CardPlace = {
  conversationId: '19:a@thread.tacv2;messageid=1',
  audience: { kind: 'internal' },
};
const sync: CardAction = { verb: 'sync', tenant: contoso, object: 'WP-7K3QF2' };

function cardWith(...actions: CardAction[]): CardData {
  return {
    type: 'AdaptiveCard',
    version: '1.5',
    body: [{ type: 'TextBlock', text: 'Contoso' }],
    actions: actions.map((data) => ({ type: 'Action.Execute', title: data.verb, verb: data.verb, data })),
  };
}

function dataOf(card: string): Record<string, unknown>[] {
  const found: Record<string, unknown>[] = [];
  JSON.parse(card, (_, value) => {
    if (value?.type === 'Action.Execute') found.push(value.data);
    return value;
  });
  return found;
}

function signed(action: CardAction, place = channel): Record<string, unknown> {
  return dataOf(cards.sign(cardWith(action), place, nowMs))[0] ?? {};
}

test('what was signed is believed, whatever thread of the channel it is clicked in', () => {
  const place = { ...channel, conversationId: '19:a@thread.tacv2;messageid=99' };
  expect(cards.verify(signed(sync), place, nowMs)).toEqual({ kind: 'ok', action: sync, inputs: {} });
});

test('what people typed rides beside it', () => {
  const data = { ...signed(sync), note: 'next week', count: 7, list: ['a'], __proto__: { x: 'y' } };
  const verified = cards.verify(data, channel, nowMs);
  expect(verified).toMatchObject({ kind: 'ok', inputs: { note: 'next week' } });
  expect(verified.kind === 'ok' && Object.keys(verified.inputs)).toEqual(['note']);
});

test('every action of a card is signed, wherever it stands, and the card that was given stays as it was', () => {
  const execute = (verb: string) => ({ type: 'Action.Execute', title: verb, data: { verb } });
  const card: CardData = {
    type: 'AdaptiveCard',
    version: '1.5',
    refresh: { action: execute('refresh'), userIds: [] },
    body: [
      {
        type: 'Container',
        selectAction: execute('select'),
        items: [{ type: 'ActionSet', actions: [execute('set')] }],
      },
      { type: 'Table', rows: [{ cells: [{ items: [{ type: 'Image', selectAction: execute('cell') }] }] }] },
    ],
    actions: [{ type: 'Action.ShowCard', card: { type: 'AdaptiveCard', actions: [execute('inner')] } }],
  };
  const before = JSON.stringify(card);
  const verbs = dataOf(cards.sign(card, channel, nowMs)).map((data) => {
    const verified = cards.verify(data, channel, nowMs);
    return verified.kind === 'ok' ? verified.action.verb : verified.why;
  });
  expect(verbs.sort()).toEqual(['cell', 'inner', 'refresh', 'select', 'set']);
  expect(JSON.stringify(card)).toBe(before);
});

test('one card that goes to two places answers in each by the signature made for it, and in no other', () => {
  const card = cardWith(sync);
  const places = [channel, { ...channel, conversationId: '19:b@thread.tacv2' }, { ...channel, oid: 'ana' }];
  const data = places.map((place) => dataOf(cards.sign(card, place, nowMs))[0]);
  for (const [made, one] of data.entries()) {
    for (const [asked, place] of places.entries()) {
      expect(cards.verify(one, place, nowMs).kind).toBe(made === asked ? 'ok' : 'refused');
    }
  }
});

test.each([
  { name: 'no data at all', action: { type: 'Action.Execute', title: 'x' } },
  { name: 'data without a verb', action: { type: 'Action.Execute', data: { tenant: contoso } } },
  {
    name: 'a member we do not know',
    action: { type: 'Action.Execute', data: { verb: 'sync', force: true } },
  },
  {
    name: 'a tenant that is no id',
    action: { type: 'Action.Execute', data: { verb: 'sync', tenant: 'contoso' } },
  },
])('a card with $name is a mistake of ours and not sent', ({ action }) => {
  const card: CardData = { type: 'AdaptiveCard', version: '1.5', actions: [action] };
  expect(() => cards.sign(card, channel, nowMs)).toThrow(/CardAction/);
});

const elsewhere: { name: string; place: CardPlace }[] = [
  { name: 'another conversation', place: { ...channel, conversationId: '19:b@thread.tacv2' } },
  {
    name: 'the channel after it was bound to a customer',
    place: { ...channel, audience: { kind: 'customer', tenant: contoso } },
  },
  {
    name: 'the channel after a guest came',
    place: { ...channel, audience: { kind: 'unbound', why: 'guests' } },
  },
  { name: 'one person alone', place: { ...channel, oid: 'ana' } },
];
test.each(elsewhere)('a card is not believed in $name', ({ place }) => {
  expect(cards.verify(signed(sync), place, nowMs)).toEqual({ kind: 'refused', why: 'elsewhere' });
});

test('a channel bound to one customer does not believe cards of another', () => {
  const contosoPlace: CardPlace = { ...channel, audience: { kind: 'customer', tenant: contoso } };
  const fabrikamPlace: CardPlace = { ...channel, audience: { kind: 'customer', tenant: fabrikam } };
  expect(cards.verify(signed(sync, contosoPlace), contosoPlace, nowMs).kind).toBe('ok');
  expect(cards.verify(signed(sync, contosoPlace), fabrikamPlace, nowMs)).toEqual({
    kind: 'refused',
    why: 'elsewhere',
  });
});

test("one person's private card is nobody else's", () => {
  const data = signed(sync, { ...channel, oid: 'ana' });
  expect(cards.verify(data, { ...channel, oid: 'ana' }, nowMs).kind).toBe('ok');
  expect(cards.verify(data, { ...channel, oid: 'bo' }, nowMs)).toEqual({ kind: 'refused', why: 'elsewhere' });
  expect(cards.verify(data, channel, nowMs)).toEqual({ kind: 'refused', why: 'elsewhere' });
});

test.each([
  { after: '30 days less a second', ms: 30 * 86_400_000 - 1000, kind: 'ok' },
  { after: '30 days', ms: 30 * 86_400_000, kind: 'refused' },
])('after $after a card is $kind', ({ ms, kind }) => {
  expect(cards.verify(signed(sync), channel, nowMs + ms).kind).toBe(kind);
});

test('a new key signs, the old one is still believed, a removed one is not', () => {
  const rotated = openCardSigner([
    { kid: 'k2', key: randomBytes(32) },
    { kid: 'k1', key },
  ]);
  expect(rotated.verify(signed(sync), channel, nowMs).kind).toBe('ok');
  const fresh = dataOf(rotated.sign(cardWith(sync), channel, nowMs))[0];
  expect(rotated.verify(fresh, channel, nowMs).kind).toBe('ok');
  expect(cards.verify(fresh, channel, nowMs)).toEqual({ kind: 'refused', why: 'tampered' });
});

test.each([
  { name: 'nothing', data: undefined, why: 'not-ours' },
  { name: 'null', data: null, why: 'not-ours' },
  { name: 'text', data: 'sync', why: 'not-ours' },
  { name: 'a list', data: [], why: 'not-ours' },
  { name: 'a card of another bot', data: { verb: 'sync' }, why: 'not-ours' },
  { name: 'the clear form', data: sync, why: 'not-ours' },
  { name: 'an empty signature', data: { wp: {} }, why: 'tampered' },
  { name: 'null inside', data: { wp: null }, why: 'tampered' },
  { name: 'a list inside', data: { wp: [] }, why: 'tampered' },
])('$name is $why', ({ data, why }) => {
  expect(cards.verify(data, channel, nowMs)).toEqual({ kind: 'refused', why });
});

const changes: { name: string; change(wp: Record<string, unknown>): unknown }[] = [
  { name: 'another verb', change: (wp) => ({ ...wp, verb: 'grant' }) },
  { name: 'another tenant', change: (wp) => ({ ...wp, tenant: fabrikam }) },
  { name: 'no tenant', change: ({ tenant: _, ...wp }) => wp },
  { name: 'tenant in capitals', change: (wp) => ({ ...wp, tenant: String(wp.tenant).toUpperCase() }) },
  { name: 'another object', change: (wp) => ({ ...wp, object: 'x' }) },
  { name: 'no object', change: ({ object: _, ...wp }) => wp },
  { name: 'an empty object', change: (wp) => ({ ...wp, object: '' }) },
  { name: 'a later end', change: (wp) => ({ ...wp, exp: Number(wp.exp) + 1 }) },
  { name: 'the end as text', change: (wp) => ({ ...wp, exp: String(wp.exp) }) },
  { name: 'another version', change: (wp) => ({ ...wp, v: 2 }) },
  { name: 'no version', change: ({ v: _, ...wp }) => wp },
  { name: 'another key', change: (wp) => ({ ...wp, kid: 'k2' }) },
  { name: 'a key of the prototype', change: (wp) => ({ ...wp, kid: '__proto__' }) },
  { name: 'one more member', change: (wp) => ({ ...wp, role: 'Admin' }) },
  { name: 'no signature', change: ({ mac: _, ...wp }) => wp },
  { name: 'an empty signature', change: (wp) => ({ ...wp, mac: '' }) },
  { name: 'a signature with padding', change: (wp) => ({ ...wp, mac: `${String(wp.mac)}=` }) },
  // 43 base64 characters hold two bits too many: another spelling of the same bytes.
  { name: 'another spelling of the signature', change: (wp) => ({ ...wp, mac: respelt(String(wp.mac)) }) },
  {
    name: 'verb and object exchanged at their border',
    change: (wp) => ({ ...wp, verb: 'sync+WP', object: '-7K3QF2' }),
  },
  {
    name: 'a signature over the joined text',
    change: (wp) => ({
      ...wp,
      mac: createHmac('sha256', key).update(Object.values(wp).join('')).digest('base64url'),
    }),
  },
];
test.each(changes)('$name is noticed', ({ change }) => {
  const { wp } = signed(sync) as { wp: Record<string, unknown> };
  expect(cards.verify({ wp: change(wp) }, channel, nowMs)).toEqual({ kind: 'refused', why: 'tampered' });
});

function respelt(mac: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(mac.at(-1) ?? '');
  const other = mac.slice(0, -1) + alphabet[last ^ 1];
  expect(Buffer.from(other, 'base64url').equals(Buffer.from(mac, 'base64url'))).toBe(true);
  return other;
}

test('no byte of a payload can be changed', () => {
  const random = seeded();
  let flips = 0;
  for (let at = 0; at < count(100, 1000); at += 1) {
    const action: CardAction = {
      verb: `verb-${Math.floor(random() * 1000)}`,
      ...(random() < 0.5 ? { tenant: random() < 0.5 ? contoso : fabrikam } : {}),
      ...(random() < 0.5 ? { object: `WP-${Math.floor(random() * 1e6)}` } : {}),
    };
    const text = Buffer.from(JSON.stringify(signed(action)));
    const before = JSON.parse(text.toString('utf8'));
    for (let byte = 0; byte < text.length; byte += 1) {
      const changed = Buffer.from(text);
      changed[byte] = (changed[byte] ?? 0) ^ (1 << Math.floor(random() * 8));
      let data: unknown;
      try {
        data = JSON.parse(changed.toString('utf8'));
      } catch {
        continue; // no JSON any more: the server refuses it
      }
      flips += 1;
      expect({ byte, data, kind: cards.verify(data, channel, nowMs).kind }).toEqual({
        byte,
        data,
        kind: 'refused',
      });
    }
    expect(cards.verify(before, channel, nowMs).kind).toBe('ok');
  }
  expect(flips).toBeGreaterThan(count(100, 1000) * 100);
});

test('whatever can be signed is read back as it was', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 60 });
  fc.assert(
    fc.property(
      text.filter((one) => one !== ''),
      fc.option(fc.constantFrom(contoso, fabrikam), { nil: undefined }),
      fc.option(text, { nil: undefined }),
      (verb, tenant, object) => {
        const action = {
          verb,
          ...(tenant === undefined ? {} : { tenant }),
          ...(object === undefined ? {} : { object }),
        };
        const wire = JSON.parse(JSON.stringify(signed(action)));
        expect(cards.verify(wire, channel, nowMs)).toEqual({ kind: 'ok', action, inputs: {} });
      },
    ),
    { numRuns: count(200, 5000), seed },
  );
});
