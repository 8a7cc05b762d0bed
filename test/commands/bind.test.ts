import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { bindMs, confirmBinding } from '../../bot/people/bind-place.ts';
import type { Place, PlaceRow, Reply } from '../../bot/services.ts';
import { audienceOf } from '../../bot/teams/audience.ts';
import { type Audience, type Caller, scopeOfSystem } from '../../shared/access.ts';
import { plus } from '../../shared/time.ts';
import { aTenant } from '../cards/samples.ts';
import { admin, aGrant, home, openRig, operator, personal, placeOf, type Rig, someone } from './rig.ts';

const contoso = aTenant(1, 'Contoso Ltd');
const northwind = aTenant(2, 'Northwind Traders');
const channel = '19:channel@thread.tacv2';
const bo = someone(1, [aGrant('Admin')]);
const ofContoso = someone(1, [aGrant('Admin', [contoso.id])]);
const denied = someone(1, [aGrant('Admin')], {
  denies: [{ id: 'd', scope: [contoso.id], by: 'Ana', at: '2026-11-01T00:00:00.000Z' }],
  reach: { all: new Set([contoso.id, northwind.id]), tagged: new Map() },
});

let rig: Rig;
let ahead = 0;
beforeEach(async () => {
  rig = await openRig();
  ahead = 0;
  rig.services.now = () => plus(rig.services.store.now(), ahead);
  for (const tenant of [contoso, northwind]) await rig.services.store.tenants.save(scopeOfSystem(), tenant);
  await rig.services.store.places.save({
    ...{ conversationId: channel, kind: 'channel', hostTenantId: home },
    ...{ serviceUrl: 'https://smba.trafficmanager.net/emea/', seenAt: rig.services.now() },
  });
});
afterEach(async () => await rig.close());

async function row(): Promise<PlaceRow> {
  const found = await rig.services.store.places.get(channel);
  if (found === null) throw new Error('the place is gone');
  return found;
}

/** The channel as it is now; `members`: who reads along, as Teams told. */
async function here(members: 'unread' | 'guests' | 'ours' = 'unread', change: Partial<Place> = {}) {
  const roster =
    members === 'unread'
      ? { kind: 'unread' as const, why: 'no' }
      : { kind: 'read' as const, outsiders: members === 'guests' ? 1 : 0 };
  return placeOf(audienceOf(await row(), roster, home), { conversationId: channel, ...change });
}

async function say(text: string, who: Caller, members?: 'unread' | 'guests' | 'ours'): Promise<Reply> {
  return await rig.say(text, who, await here(members));
}

/** Asks and takes the code from what is shown. */
async function codeFor(text: string, who: Caller = admin): Promise<string> {
  const reply = await say(text, who);
  const code = /bind ([A-Z2-9]{4}-[A-Z2-9]{4})/.exec(reply.text)?.[1];
  if (code === undefined) throw new Error(`no code in: ${reply.text}`);
  return code;
}

async function audited(): Promise<string[]> {
  const { rows } = await rig.services.store.audit.list({ limit: 50 });
  return rows.map(({ what, result }) => `${what} ${result}`).reverse();
}

describe('to a customer', () => {
  test('asked, confirmed with the code that is shown, said by watching and who am i, taken back', async () => {
    const asked = await say('bind contoso', admin);
    expect(asked.tenants).toEqual([]);
    expect(JSON.stringify(asked)).not.toMatch(/contoso/i);
    expect(await row()).not.toHaveProperty('binding');
    const code = await codeFor('bind "Contoso Ltd"');
    const bound = await say(`bind ${code.toLowerCase()}`, admin);
    expect(bound.text).toContain('belongs to Contoso Ltd now');
    expect(bound.tenants).toEqual([contoso.id]);
    expect((await here()).audience).toEqual({ kind: 'customer', tenant: contoso.id });
    expect((await say('watching', operator)).text).toContain('This channel belongs to Contoso Ltd.');
    expect((await say('who am i', admin)).text).toContain('This channel belongs to Contoso Ltd.');
    expect((await say(`bind ${code}`, admin)).text).toContain('not valid here');
    expect((await say('unbind', admin)).text).toContain('no longer bound');
    expect((await here()).audience.kind).toBe('unbound');
    expect(await audited()).toEqual([
      ...['bind done', 'bind done', 'bind done', 'bind refused', 'unbind done'],
    ]);
  });

  test('a tenant that is not there is answered like one that is, and its code binds nothing', async () => {
    const shape = (reply: Reply) => JSON.stringify(reply).replace(/[A-Z2-9]{4}-[A-Z2-9]{4}/g, 'CODE');
    const [there, not] = [await say('bind contoso', admin), await say('bind nobody', admin)];
    expect(shape(not)).toBe(shape(there));
    const code = await codeFor('bind nobody');
    expect((await say(`bind ${code}`, admin)).text).toContain('Nothing was bound');
    expect(await row()).not.toHaveProperty('binding');
    // Among ourselves it is said at once.
    expect((await say('bind nobody', admin, 'ours')).text).toContain('No tenant called "nobody"');
  });

  test.each([
    { after: bindMs - 1_000, says: 'belongs to' },
    { after: bindMs + 1, says: 'ten minutes are over' },
  ])('the code counts for ten minutes: after $after ms $says', async ({ after, says }) => {
    const code = await codeFor('bind contoso');
    ahead = after;
    expect((await say(`bind ${code}`, admin)).text).toContain(says);
  });

  test('from one customer to another a second Admin types it too, also after unbind', async () => {
    await say(`bind ${await codeFor('bind contoso')}`, admin);
    await say('unbind', admin);
    const code = await codeFor('bind northwind');
    expect((await say(`bind ${code}`, bo)).text).toContain('Whoever asked');
    expect((await say(`bind ${code}`, admin)).text).toContain('a second Admin');
    expect((await say(`bind ${code}`, admin)).text).toContain('one alone cannot');
    expect(await row()).not.toHaveProperty('binding');
    expect((await say(`bind ${code}`, ofContoso)).text).toContain('does not cover');
    expect((await say(`bind ${code}`, bo)).text).toContain('belongs to Northwind Traders now');
    expect((await row()).binding).toEqual({ kind: 'customer', tenant: northwind.id });
  });

  test('the tab takes the code as well, and a code of another channel is unknown here', async () => {
    const code = await codeFor('bind contoso');
    const other = { ...(await here()), conversationId: '19:other@thread.tacv2' };
    expect((await rig.say(`bind ${code}`, admin, other)).text).toContain('not valid here');
    expect(await confirmBinding(code, admin, 'tab', rig.services)).toEqual({
      kind: 'bound',
      tenant: contoso.id,
    });
  });

  test.each([
    { who: 'an Operator', caller: operator, says: 'What you can ask' },
    { who: 'nobody', caller: someone(4, []), says: 'What you can ask' },
    { who: 'an Admin who is denied it', caller: denied, says: 'bind [A-Z2-9]{4}-' },
  ])('$who binds nothing', async ({ caller, says }) => {
    const reply = await say('bind contoso', caller);
    expect(JSON.stringify(reply)).toMatch(new RegExp(says));
    const code = /bind ([A-Z2-9]{4}-[A-Z2-9]{4})/.exec(reply.text)?.[1];
    if (code !== undefined) await say(`bind ${code}`, caller);
    expect(await row()).not.toHaveProperty('binding');
  });

  test('asked privately nobody would see it', async () => {
    const where = await here('unread', { targeted: true });
    expect((await rig.say('bind contoso', admin, where)).text).toContain('type it openly');
    expect((await rig.say('bind contoso', admin, personal(admin))).text).toContain('channel or group chat');
  });
});

describe('internal', () => {
  test('where the members cannot be read an Admin of all vouches; guests win over that', async () => {
    expect((await say('bind internal', admin)).text).toContain('internal now');
    expect((await here()).audience).toEqual({ kind: 'internal' });
    expect((await say('watching', operator)).text).toContain('internal: an Admin said so');
    expect((await here('guests')).audience.kind).toBe('unbound');
    expect((await say('unbind', ofContoso)).text).toContain('does not cover');
    expect((await say('unbind', admin)).text).toContain('no longer bound');
    expect((await say('unbind', admin)).text).toContain('Nothing is bound');
  });

  test.each<{ what: string; who: Caller; change: Partial<Place>; outsiders: number; says: string }>([
    { what: 'by an Admin of one', who: ofContoso, change: {}, outsiders: 0, says: 'Admin of all tenants' },
    { what: 'by one who is denied one', who: denied, change: {}, outsiders: 0, says: 'Admin of all tenants' },
    { what: 'with a guest', who: admin, change: {}, outsiders: 1, says: 'Guests' },
    {
      ...{ what: 'of another organisation', who: admin, outsiders: 0 },
      ...{ change: { hostTenantId: contoso.id }, says: 'Another organisation' },
    },
  ])('not $what', async ({ who, change, outsiders, says }) => {
    const { places } = rig.services.store;
    await places.saveRoster(channel, { outsiders, readAt: rig.services.now() }, 0);
    expect((await rig.say('bind internal', who, await here('unread', change))).text).toContain(says);
    expect(await row()).not.toHaveProperty('binding');
  });
});

test('help offers it to Admins, also where nothing else is answered', async () => {
  const unbound: Audience = { kind: 'unbound', why: 'the members cannot be read' };
  const where = placeOf(unbound, { conversationId: channel });
  expect((await rig.say('help', admin, where)).text).toContain('bind contoso');
  expect((await rig.say('help', operator, where)).text).not.toContain('bind');
});
