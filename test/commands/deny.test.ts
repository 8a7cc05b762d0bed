import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { demoPeople } from '../../bot/cast.ts';
import { type Caller, callerOf, may, scopeOfSystem } from '../../shared/access.ts';
import { aTenant } from '../cards/samples.ts';
import { admin, aGrant, home, internal, openRig, operator, personal, type Rig, someone } from './rig.ts';

const contoso = { ...aTenant(1, 'Contoso Ltd'), tags: ['retail', 'north america'] };
const northwind = { ...aTenant(2, 'Northwind Traders'), tags: ['retail'] };
const fabrikam = aTenant(3, 'Fabrikam');
const [, bo, chidi, , eli] = demoPeople;

let rig: Rig;
beforeEach(async () => {
  rig = await openRig();
  for (const tenant of [contoso, northwind, fabrikam]) {
    await rig.services.store.tenants.save(scopeOfSystem(), tenant);
  }
  rig.members.now = demoPeople.map((one) => ({ ...one, tid: home }));
});
afterEach(async () => await rig.close());

async function callerNow(oid: string | undefined): Promise<Caller> {
  const known = await rig.services.store.people.get(home, oid ?? '');
  return callerOf(known, { tid: home, oid: oid ?? '', name: 'somebody' }, home);
}

/** Which of the three a person may view now. */
async function sees(oid: string | undefined): Promise<string[]> {
  const who = await callerNow(oid);
  return [contoso, northwind, fabrikam]
    .filter(({ id }) => may(who, 'view', id, rig.services.now()))
    .map(({ name }) => name.split(' ')[0] ?? '');
}

test.each([
  {
    text: 'grant <at>Eli Novak</at> reader tag:retail until 2099-02-28',
    says: 'Eli Novak is now Reader of all tagged retail until the end of 28 Feb 2099 (UTC).',
    sees: ['Contoso', 'Northwind'],
  },
  {
    text: 'grant <at>Eli Novak</at> operator fabrikam, tag:"North  America"',
    says: 'Operator of Fabrikam and all tagged north america.',
    sees: ['Contoso', 'Fabrikam'],
  },
  {
    text: `grant ${eli?.address} reader tag:Retial`,
    says: 'No tenant has the tag “retial” yet',
    sees: [],
  },
  {
    text: 'deny <at>Eli Novak</at> contoso, tag:nobody until 2099-02-28',
    says: 'Eli Novak is denied Contoso Ltd and all tagged nobody until the end of 28 Feb 2099',
    sees: [],
  },
])('$text', async ({ text, says, sees: seen }) => {
  const reply = await rig.say(text, admin, internal);
  expect(reply.text).toContain(says);
  expect(await sees(eli?.oid)).toEqual(seen);
});

test('a deny wins over every grant, stays when roles are taken, and is lifted by its own word', async () => {
  const { people } = rig.services.store;
  await people.addGrant(home, chidi?.oid ?? '', 'Chidi Okafor', aGrant('Operator'));
  await rig.say('grant <at>Chidi Okafor</at> deny tag:retail', admin, internal);
  expect(await sees(chidi?.oid)).toEqual(['Fabrikam']);
  const list = JSON.stringify((await rig.say('people', admin, internal)).card);
  expect(list).toContain('denied all tagged retail: by Ana Reyes');
  const own = await rig.say('who am i', await callerNow(chidi?.oid), personal(await callerNow(chidi?.oid)));
  expect(own.text).toContain('You are denied all tagged retail');
  expect((await rig.say('revoke <at>Chidi Okafor</at>', admin, internal)).text).toContain('stays denied');
  await rig.say('grant <at>Chidi Okafor</at> reader', admin, internal);
  expect(await sees(chidi?.oid)).toEqual(['Fabrikam']);
  expect((await rig.say('revoke <at>Chidi Okafor</at> deny', admin, internal)).text).toContain('is lifted');
  expect(await sees(chidi?.oid)).toEqual(['Contoso', 'Northwind', 'Fabrikam']);
  expect((await rig.say('revoke deny <at>Chidi Okafor</at>', admin, internal)).text).toContain(
    'Nothing is denied',
  );
});

test('denied all, a person has no role anywhere and is told so', async () => {
  const { people } = rig.services.store;
  await people.addGrant(home, bo?.oid ?? '', 'Bo Lind', aGrant('Admin'));
  await rig.say('deny <at>Bo Lind</at> all', admin, internal);
  const who = await callerNow(bo?.oid);
  expect(await sees(bo?.oid)).toEqual([]);
  const reply = await rig.say('who am i', who, personal(who));
  expect(reply.text).toContain('You are denied all tenants');
  expect((await rig.say('revoke <at>Bo Lind</at> deny', who, internal)).text).toContain('Only Admins');
});

test.each([
  { who: admin, text: 'deny <at>Ana Reyes</at> contoso', says: 'Nobody denies himself' },
  { who: admin, text: 'revoke <at>Ana Reyes</at> deny', says: 'Nobody lifts' },
  { who: operator, text: 'deny <at>Eli Novak</at> contoso', says: 'Only Admins' },
  {
    who: someone(1, [aGrant('Admin', [contoso.id])]),
    text: 'deny <at>Eli Novak</at> all',
    says: 'does not cover it',
  },
  {
    who: someone(1, [aGrant('Admin', [contoso.id])]),
    text: 'grant <at>Eli Novak</at> reader tag:retail',
    says: 'cannot give Reader by tag',
  },
  { who: admin, text: 'deny <at>Eli Novak</at>', says: 'Deny what?' },
  { who: admin, text: 'deny <at>Eli Novak</at> all, contoso', says: 'not both' },
  { who: admin, text: 'deny <at>Eli Novak</at> nobody', says: 'No tenant called' },
  { who: admin, text: 'deny Eli contoso', says: 'I cannot find a person' },
  { who: admin, text: 'grant <at>Eli Novak</at> deny contoso until 2020-01-01', says: 'is over' },
  { who: admin, text: 'grant <at>Eli Novak</at> reader all, tag:retail', says: 'not both' },
  { who: admin, text: 'grant <at>Eli Novak</at> reader tag:', says: 'Which tag?' },
  { who: admin, text: `grant <at>Eli Novak</at> reader tag:${'x'.repeat(41)}`, says: 'too long' },
  { who: admin, text: 'revoke <at>Eli Novak</at> contoso', says: 'nothing was taken' },
])('$text: $says', async ({ who, text, says }) => {
  const reply = await rig.say(text, who, internal);
  expect(reply.text).toContain(says);
  const left = await rig.services.store.people.get(home, eli?.oid ?? '');
  expect([left?.grants ?? [], left?.denies ?? []]).toEqual([[], []]);
});

test('who is denied something gives named tenants only, and none of those', async () => {
  await rig.services.store.people.addGrant(home, bo?.oid ?? '', 'Bo Lind', aGrant('Admin'));
  await rig.say('deny <at>Bo Lind</at> contoso', admin, internal);
  const who = await callerNow(bo?.oid);
  const tries = ['', ' all', ' contoso', ' tag:retail', ' northwind'];
  const says: string[] = [];
  for (const scope of tries)
    says.push((await rig.say(`grant <at>Eli Novak</at> reader${scope}`, who, internal)).text);
  expect(says.map((text) => /You cannot|No tenant called|is now/.exec(text)?.[0])).toEqual([
    'You cannot',
    'You cannot',
    'No tenant called',
    'You cannot',
    'is now',
  ]);
  expect(await sees(eli?.oid)).toEqual(['Northwind']);
});
