import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { demoPeople } from '../../bot/cast.ts';
import { claimHash, newClaimCode } from '../../bot/commands/claim.ts';
import type { Place, Reply } from '../../bot/services.ts';
import { type Caller, callerOf, scopeOfSystem } from '../../shared/access.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { plusDays } from '../../shared/time.ts';
import { aTenant, idOf } from '../cards/samples.ts';
import {
  admin,
  aGrant,
  customer,
  home,
  internal,
  nobody,
  openRig,
  operator,
  personal,
  type Rig,
  someone,
} from './rig.ts';

const contoso = aTenant(1, 'Contoso Ltd');
const northwind = aTenant(2, 'Northwind Traders');
const [ana, bo, chidi, , eli] = demoPeople;

let rig: Rig;
beforeEach(async () => {
  rig = await openRig();
  for (const tenant of [contoso, northwind]) await rig.services.store.tenants.save(scopeOfSystem(), tenant);
  rig.members.now = demoPeople.map((one) => ({ ...one, tid: home }));
});
afterEach(async () => await rig.close());

/** What the store now says a person may do. */
async function grantsOf(oid: string | undefined, tid: TenantId = home) {
  const person = await rig.services.store.people.get(tid, oid ?? '');
  return (person?.grants ?? []).map(({ role, scope, until, source, by }) => ({
    role,
    scope,
    until,
    source,
    by,
  }));
}

/** What became of it; that each began with an entry is the business of audited.test.ts. */
async function audited(): Promise<string[]> {
  const { rows } = await rig.services.store.audit.list({ limit: 20 });
  return rows.filter(({ result }) => result !== 'started').map(({ what, result }) => `${what} ${result}`);
}

function words(reply: Reply): string {
  return reply.text;
}

test.each([
  {
    text: 'grant <at>Eli Novak</at> operator',
    role: 'Operator',
    scope: 'all',
    says: 'Eli Novak is now Operator of all tenants.',
  },
  {
    text: 'grant ELI@fourthcoffee.example reader contoso',
    role: 'Reader',
    scope: [contoso.id],
    says: 'Reader of Contoso Ltd.',
  },
  {
    text: `grant ${eli?.oid} admin contoso, "Northwind Traders"`,
    role: 'Admin',
    scope: [contoso.id, northwind.id],
    says: 'Admin of Contoso Ltd and Northwind Traders.',
  },
  {
    text: 'grant <at>Eli Novak</at> reader all until 2099-02-28',
    role: 'Reader',
    scope: 'all',
    until: '2099-03-01T00:00:00.000Z',
    says: 'Reader of all tenants until the end of 28 Feb 2099 (UTC).',
  },
])('“$text”: $says', async ({ text, role, scope, until, says }) => {
  const reply = await rig.say(text, admin, internal);
  expect(words(reply)).toContain(says);
  expect(await grantsOf(eli?.oid)).toEqual([{ role, scope, until, source: 'chat', by: 'Ana Reyes' }]);
  expect(await audited()).toEqual(['grant done']);
});

test('the same grant twice is stored once and said; another end is another grant', async () => {
  await rig.say('grant <at>Eli Novak</at> reader contoso', admin, internal);
  const again = await rig.say('grant <at>Eli Novak</at> reader contoso.com', admin, internal);
  expect(words(again)).toContain('Eli Novak has that already: Reader of Contoso Ltd.');
  expect(await grantsOf(eli?.oid)).toHaveLength(1);
  await rig.say('grant <at>Eli Novak</at> reader contoso until 2099-02-28', admin, internal);
  expect(await grantsOf(eli?.oid)).toHaveLength(2);
});

test('a name that is nearly right is answered with the whole command, not with a score', async () => {
  const text = 'grant <at>Eli Novak</at> reader contoso, nortwind until 2099-02-28';
  const reply = await rig.say(text, admin, internal);
  expect(words(reply)).toContain('Did you mean:');
  expect(reply.text).toContain('@\u2060Eli Novak reader "contoso", "Northwind Traders" until 2099-02-28');
  expect(JSON.stringify(reply.card)).not.toContain('"verb":"score"');
  expect(await grantsOf(eli?.oid)).toEqual([]);
});

test('who has no role is told whom to ask, at home and not where a customer reads', async () => {
  const asks = async (where: Place) => words(await rig.say('score', nobody, where));
  expect(await asks(personal(nobody))).toContain('An Admin can give you one.');
  await rig.services.store.people.addGrant(home, admin.oid, admin.name, aGrant('Admin'));
  expect(await asks(personal(nobody))).toContain('An Admin can give you one: ask Ana Reyes.');
  expect(words(await rig.say('who am i', nobody, personal(nobody)))).toContain('ask Ana Reyes.');
  expect(await asks(customer(contoso.id))).not.toContain('Ana');
  const help = words(await rig.say('help', nobody, personal(nobody)));
  // There is an Admin: nothing to claim.
  expect(help).not.toContain('claim ABCD');
});

test('help shows claim while there is no Admin', async () => {
  expect(words(await rig.say('help', nobody, personal(nobody)))).toContain('claim ABCD');
});

const ofContoso = someone(1, [aGrant('Admin', [contoso.id])]);
test.each<{ text: string; who: Caller; says: string; audit?: string[] }>([
  { text: 'grant <at>Ana Reyes</at> admin', who: admin, says: 'Nobody gives a role to himself' },
  { text: `grant ${ana?.oid} reader`, who: admin, says: 'Nobody gives a role to himself' },
  { text: `grant ${ana?.address} reader contoso`, who: admin, says: 'Nobody gives a role to himself' },
  { text: 'grant <at>Eli Novak</at> admin', who: ofContoso, says: 'does not cover them all' },
  {
    text: 'grant <at>Eli Novak</at> reader northwind',
    who: ofContoso,
    says: 'No tenant called "northwind" is available here.',
  },
  {
    text: 'grant <at>Eli Novak</at> reader nowhere',
    who: admin,
    says: 'No tenant called "nowhere" is available here.',
  },
  { text: 'grant <at>Eli Novak</at> reader until 2020-01-01', who: admin, says: '1 Jan 2020 is over' },
  { text: 'grant <at>Eli Novak</at> customer', who: admin, says: 'Customer is for people of one' },
  { text: 'grant nobody@fourthcoffee.example reader', who: admin, says: 'I know nobody with the address' },
  {
    text: 'grant 11111111-2222-4333-8444-555555555555 reader',
    who: admin,
    says: 'I know nobody with the object id',
  },
  { text: 'grant <at>Eli Novak</at> reader', who: operator, says: 'Only Admins can do that' },
])('“$text” by $who.name is refused, stored nowhere and audited: $says', async ({ text, who, says }) => {
  expect(words(await rig.say(text, who, internal))).toContain(says);
  for (const { oid } of demoPeople) expect(await grantsOf(oid)).toEqual([]);
  expect(await audited()).toEqual(['grant refused']);
});

test('an address is also found among people who have written to Watchpost', async () => {
  rig.members.now = null;
  await rig.services.store.people.seen({
    tid: home,
    oid: 'seen-oid',
    name: 'Sam',
    address: 'sam@fourthcoffee.example',
  });
  expect(words(await rig.say('grant sam@fourthcoffee.example reader', admin, personal(admin)))).toContain(
    'Sam is now Reader',
  );
  expect(words(await rig.say('grant <at>Bo Lind</at> reader', admin, internal))).toContain(
    'Teams does not tell me who is in this',
  );
});

test('a person of another tenant becomes Customer of the own one and nothing else', async () => {
  const vi = { teamsId: '29:vi', oid: 'vi-oid', tid: contoso.id, name: 'Vi', address: 'vi@contoso.com' };
  rig.members.now = [vi];
  for (const [text, says] of [
    ['grant vi@contoso.com reader', 'can only be Customer of the own tenant'],
    ['grant vi@contoso.com admin all', 'can only be Customer of the own tenant'],
    ['grant vi@contoso.com customer northwind', 'can only be Customer of the own tenant'],
  ] as const) {
    expect(words(await rig.say(text, admin, internal))).toContain(says);
  }
  expect(await grantsOf('vi-oid', contoso.id)).toEqual([]);
  expect(words(await rig.say('grant vi@contoso.com customer', admin, internal))).toContain(
    'Vi is now Customer of Contoso Ltd.',
  );
  expect(await grantsOf('vi-oid', contoso.id)).toMatchObject([{ role: 'Customer', scope: [contoso.id] }]);
  // An Admin of another tenant only may not.
  const ofNorthwind = someone(1, [aGrant('Admin', [northwind.id])]);
  expect(words(await rig.say('grant vi@contoso.com customer', ofNorthwind, internal))).toContain(
    'not of a connected tenant',
  );
});

test('an object id is found whatever the number of tenants, and in none that the giver does not see', async () => {
  const { store } = rig.services;
  const many = Array.from({ length: 120 }, (_, n) => aTenant(100 + n, `Customer ${n}`));
  for (const tenant of many) await store.tenants.save(scopeOfSystem(), tenant);
  const last = many.at(-1) ?? contoso;
  const vi = { oid: '77777777-2222-4333-8444-555555555555', name: 'Vi' };
  await store.people.seen({ tid: last.id, ...vi });
  const elsewhere = someone(1, [
    aGrant(
      'Admin',
      many.slice(0, 119).map(({ id }) => id),
    ),
  ]);
  const asked = { ...store.people };
  let reads = 0;
  store.people.get = async (tid, oid) => {
    reads += 1;
    return await asked.get(tid, oid);
  };
  const say = async (who: Caller) => words(await rig.say(`grant ${vi.oid} customer`, who, personal(who)));
  expect(await say(elsewhere)).toContain('I know nobody with the object id');
  expect(await say(admin)).toContain(`Vi is now Customer of ${last.name}.`);
  expect(reads).toBeLessThan(10);
  expect(await grantsOf(vi.oid, last.id)).toMatchObject([{ role: 'Customer', scope: [last.id] }]);
});

test('a person of a tenant that is not connected gets nothing', async () => {
  rig.members.now = [{ teamsId: '29:x', oid: 'x', tid: idOf(999), name: 'X', address: 'x@else.example' }];
  expect(words(await rig.say('grant x@else.example customer', admin, internal))).toContain(
    'not of a connected tenant',
  );
  expect(await grantsOf('x', idOf(999))).toEqual([]);
});

test('roles are taken, but not one’s own and not those one could not have given', async () => {
  const { people } = rig.services.store;
  await people.addGrant(home, bo?.oid ?? '', 'Bo Lind', aGrant('Admin'));
  await people.addGrant(home, chidi?.oid ?? '', 'Chidi Okafor', aGrant('Operator', [contoso.id]));
  expect(words(await rig.say('revoke <at>Ana Reyes</at>', admin, internal))).toContain(
    'Nobody takes his own roles',
  );
  expect(
    words(await rig.say('revoke <at>Bo Lind</at>', someone(0, [aGrant('Admin', [contoso.id])]), internal)),
  ).toContain('does not cover');
  expect(words(await rig.say('revoke <at>Eli Novak</at>', admin, internal))).toContain(
    'Eli Novak has no role',
  );
  expect(await grantsOf(bo?.oid)).toHaveLength(1);
  expect(words(await rig.say('revoke <at>Chidi Okafor</at>', admin, internal))).toContain(
    '1 role of Chidi Okafor taken',
  );
  expect(words(await rig.say(`revoke ${bo?.address}`, admin, personal(admin)))).toContain(
    '1 role of Bo Lind taken',
  );
  expect([await grantsOf(bo?.oid), await grantsOf(chidi?.oid)]).toEqual([[], []]);
  // The first of the three was asked of somebody without a role.
  expect(await audited()).toEqual([
    ...['revoke done', 'revoke done', 'revoke done'],
    ...['revoke refused', 'revoke refused'],
  ]);
});

test('people lists roles and why, of tenants only those the Admin may see', async () => {
  const { people } = rig.services.store;
  await people.addGrant(home, bo?.oid ?? '', 'Bo *Lind*', aGrant('Operator', [contoso.id, northwind.id]));
  await people.addGrant(home, chidi?.oid ?? '', 'Chidi', aGrant('Reader', [northwind.id]));
  await people.addGrant(
    home,
    eli?.oid ?? '',
    'Eli',
    aGrant('Reader', 'all', { until: '2026-01-01T00:00:00.000Z' }),
  );
  const all = await rig.say('people', admin, internal);
  expect(JSON.stringify(all.card)).toContain(
    'Operator of Contoso Ltd and Northwind Traders: given by demo on 1 Nov',
  );
  expect(all.text).toContain('Bo \\*Lind\\*: Operator.');
  expect(all.text).not.toContain('Eli');
  expect(new Set(all.tenants)).toEqual(new Set([contoso.id, northwind.id]));
  const some = await rig.say('people', someone(0, [aGrant('Admin', [contoso.id])]), internal);
  expect(JSON.stringify(some)).not.toContain('Northwind Traders:');
  expect(JSON.stringify(some)).not.toContain('Chidi');
  expect(some.tenants).toEqual([contoso.id]);
  expect(words(await rig.say('people', admin, customer(contoso.id)))).toContain('personal chat');
});

test('25 people are three pages', async () => {
  for (let n = 0; n < 25; n += 1) {
    await rig.services.store.people.addGrant(
      home,
      `oid-${n}`,
      `Person ${String(n).padStart(2, '0')}`,
      aGrant('Reader'),
    );
  }
  const second = await rig.say('people 2', admin, internal);
  expect(second.text).toContain('Person 10');
  expect(JSON.stringify(second.card)).toContain('page 2');
  expect((await rig.say('people 77', admin, internal)).text).toContain('Person 24');
});

// ------------------------------------------------------------------------------------------- the first Admin

const newcomer = someone(4, []);

test('whoever types the code in a personal chat is the first Admin, once', async () => {
  const code = newClaimCode(new Uint8Array(16).fill(9).map((value, i) => value + i * 7));
  await rig.services.store.claims.put(claimHash(code));
  const reply = await rig.say(`claim ${code.toLowerCase().replace('-', ' ')}`, newcomer, personal(newcomer));
  expect(reply.text).toContain('You are an Admin now');
  expect(await grantsOf(newcomer.oid)).toMatchObject([{ role: 'Admin', scope: 'all', source: 'claim' }]);
  const other = someone(3, []);
  expect((await rig.say(`claim ${code}`, other, personal(other))).text).not.toContain('You are an Admin now');
  expect(await grantsOf(other.oid)).toEqual([]);
});

test('a code from an earlier start is worth nothing once there is an Admin', async () => {
  await rig.services.store.claims.put(claimHash('ABCD-EFGH'));
  const token = { issuedAt: rig.services.now(), until: '2099-01-01T00:00:00.000Z' };
  await rig.services.store.people.saveAppRoles(home, ana?.oid ?? '', 'Ana', ['Admin'], token);
  const reply = await rig.say('claim ABCD-EFGH', newcomer, personal(newcomer));
  expect(reply.text).toContain('There is no code to claim');
  expect(await grantsOf(newcomer.oid)).toEqual([]);
  expect(await audited()).toEqual(['claim refused']);
});

test('five wrong codes close the door for an hour, even to the right one', async () => {
  await rig.services.store.claims.put(claimHash('ABCD-EFGH'));
  for (let n = 0; n < 5; n += 1) {
    expect((await rig.say(`claim WRNG-WRN${n + 2}`, newcomer, personal(newcomer))).text).toContain(
      'This is not the code',
    );
  }
  expect((await rig.say('claim ABCD-EFGH', newcomer, personal(newcomer))).text).toContain('Too many tries');
  expect(await grantsOf(newcomer.oid)).toEqual([]);
  expect(await audited()).toEqual(Array<string>(6).fill('claim refused'));
});

test.each<{ what: string; who: Caller; says: string }>([
  {
    what: 'of another tenant',
    who: { ...newcomer, tid: contoso.id, home: false },
    says: 'Only people of the organisation',
  },
  { what: 'switched off', who: { ...newcomer, disabled: true }, says: 'Only people of the organisation' },
  { what: 'who is Admin already', who: admin, says: 'You are an Admin already' },
])('somebody $what cannot claim', async ({ who, says }) => {
  await rig.services.store.claims.put(claimHash('ABCD-EFGH'));
  expect((await rig.say('claim ABCD-EFGH', who, personal(who))).text).toContain(says);
  expect(await rig.services.store.people.anyAdmin(rig.services.now())).toBe(false);
});

test('a code is the same in any case, with or without dash and blanks', () => {
  for (const code of ['ABCD-EFGH', 'abcdefgh', ' ab cd-ef gh ']) {
    expect(claimHash(code)).toBe(claimHash('ABCD-EFGH'));
  }
  expect(claimHash('ABCD-EFGJ')).not.toBe(claimHash('ABCD-EFGH'));
});

test('codes have eight letters that nobody misreads, and no letter is favoured', () => {
  const seen = new Map<string, number>();
  for (let byte = 0; byte < 256; byte += 1) {
    const code = newClaimCode(new Uint8Array(16).fill(byte % 248));
    expect(code).toMatch(/^[A-HJKMNP-Z2-9]{4}-[A-HJKMNP-Z2-9]{4}$/);
    if (byte < 248) seen.set(code, (seen.get(code) ?? 0) + 1);
  }
  expect(new Set(seen.values())).toEqual(new Set([8]));
  expect(() => newClaimCode(new Uint8Array(16).fill(255))).toThrow(RangeError);
});

test('a grant ends with its last day', async () => {
  const today = rig.services.now().slice(0, 10);
  await rig.say(`grant <at>Eli Novak</at> reader until ${today}`, admin, internal);
  const [given] = await grantsOf(eli?.oid);
  expect(given?.until).toBe(`${plusDays(today, 1)}T00:00:00.000Z`);
  const person = await rig.services.store.people.get(home, eli?.oid ?? '');
  const who = callerOf(person, { tid: home, oid: eli?.oid ?? '', name: 'Eli' }, home);
  expect((await rig.say('who am i', who, personal(who))).text).toContain(
    'Reader of all tenants: given by Ana Reyes',
  );
});
