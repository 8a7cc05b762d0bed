import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cardActions } from '../../bot/commands/index.ts';
import type { ConsentApp, Place, Reply } from '../../bot/services.ts';
import { scopeOfSystem } from '../../shared/access.ts';
import { aTenant } from '../cards/samples.ts';
import {
  admin,
  aGrant,
  customer,
  internal,
  nobody,
  openRig,
  operator,
  personal,
  type Rig,
  reader,
  someone,
} from './rig.ts';

/** `connect contoso`: a link for the caller's eyes, and for nobody's where others read along. */

const everything = scopeOfSystem();
const contoso = aTenant(1, 'Contoso');
const bank = aTenant(2, 'Woodgrove Bank');
const farm = aTenant(3, 'Woodgrove Farm');
const elsewhere = someone(1, [aGrant('Admin', [bank.id])]);
const consent: ConsentApp = {
  appId: 'ffffffff-0000-4000-8000-000000000009',
  pages: 'https://login.microsoftonline.com',
  consentUrl: () => 'https://login.microsoftonline.com/',
  signInUrl: () => 'https://login.microsoftonline.com/',
  signedIn: async () => ({ kind: 'refused', why: 'not asked here' }),
};

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
  rig.services.consent = consent;
  for (const tenant of [contoso, bank, farm]) await rig.services.store.tenants.save(everything, tenant);
});
afterAll(async () => {
  rig.stop.abort();
  await rig.close();
});

const tokenIn = ({ text }: Reply): string | undefined => /\/connect\/([\w-]{43})\b/.exec(text)?.[1];
const current = () => rig.services.store.connectLinks.current(everything, contoso.id);
const targeted: Place = { ...internal, targeted: true };

test('in a personal chat an Admin gets a link: for whom, until when, once', async () => {
  const reply = await rig.say('connect contoso', admin, personal(admin));
  const token = tokenIn(reply) ?? '';
  expect(await rig.services.store.connectLinks.look(token)).toMatchObject({
    tenantId: contoso.id,
    by: `${admin.tid}/${admin.oid}`,
  });
  expect(reply.tenants).toEqual([contoso.id]);
  expect(reply.text).toMatch(/connect \*\*Contoso\*\*.*works once, until \d+ \w+ \d{4}, \d\d:\d\d UTC/s);
  const again = await rig.say('reconnect contoso', admin, personal(admin));
  expect(await rig.services.store.connectLinks.look(token)).toBeNull();
  expect(await rig.services.store.connectLinks.look(tokenIn(again) ?? '')).not.toBeNull();
  const { rows } = await rig.services.store.audit.list({ limit: 4 });
  expect(rows.map(({ what, result }) => `${what} ${result}`)).toContain('make connect link done');
  expect(JSON.stringify(rows)).not.toContain(token);
});

test('asked privately in a channel it is answered privately', async () => {
  const reply = await rig.say('/connect contoso', admin, targeted);
  expect(tokenIn(reply)).toBeDefined();
  expect(reply.to).toBe('caller');
});

test.each([
  { what: 'where others read along', who: admin, where: internal, says: /in a personal chat/ },
  { what: 'in a place of the customer', who: admin, where: customer(contoso.id), says: /in a personal chat/ },
  { what: 'for an Operator', who: operator, where: personal(operator), says: /connected by its Admins/ },
  { what: 'for a Reader', who: reader, where: personal(reader), says: /connected by its Admins/ },
  {
    what: 'for an Admin of another tenant',
    who: elsewhere,
    where: personal(elsewhere),
    says: /No tenant called/,
  },
  { what: 'for nobody', who: nobody, where: personal(nobody), says: /role/ },
  { what: 'privately, for a Reader', who: reader, where: targeted, says: /connected by its Admins/ },
])('no link $what', async ({ who, where, says }) => {
  const before = await current();
  const reply = await rig.say('connect contoso', who, where);
  expect(reply.text).toMatch(says);
  expect(tokenIn(reply)).toBeUndefined();
  expect(await current()).toEqual(before);
});

test('of several that fit one is chosen; the click makes the link, never among others', async () => {
  const reply = await rig.say('connect woodgrove', admin, personal(admin));
  expect(reply.text).toMatch(/^Which one\?/);
  const click = (where: Place) =>
    cardActions.connect?.run({ verb: 'connect', tenant: bank.id }, {}, admin, where, rig.services);
  expect(tokenIn((await click(personal(admin))) as Reply)).toBeDefined();
  const among = (await click(internal)) as Reply;
  expect(among).toMatchObject({ to: 'caller' });
  expect(tokenIn(among)).toBeUndefined();
});

test('without a name it says what is missing, without an application what to set', async () => {
  expect((await rig.say('connect', admin, personal(admin))).text).toMatch(
    /Which tenant shall be connected\?/,
  );
  rig.services.consent = undefined;
  expect((await rig.say('connect contoso', admin, personal(admin))).text).toMatch(/GRAPH\\?_APP\\?_ID/);
  rig.services.consent = consent;
});
