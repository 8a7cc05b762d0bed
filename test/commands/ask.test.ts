import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cardActions, changesSomething } from '../../bot/commands/index.ts';
import type { CardData, Place, Reply } from '../../bot/services.ts';
import { type Caller, mayGo, scopeFor } from '../../shared/access.ts';
import { parseCommand } from '../../shared/command.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { aTenant, idOf } from '../cards/samples.ts';
import { count, seed, seeded } from '../support/counts.ts';
import {
  addTenant,
  admin,
  aGrant,
  customer,
  home,
  internal,
  nobody,
  openRig,
  operator,
  personal,
  placeOf,
  type Rig,
  reader,
  someone,
  unbound,
} from './rig.ts';

const contoso = aTenant(1, 'Contoso Ltd');
const fabrikam = aTenant(2, 'Fabrikam');
const woodgrove = aTenant(3, 'Woodgrove Bank', {
  health: {
    state: 'permission-error',
    since: '2026-11-18T08:00:00.000Z',
    cause: 'Consent was withdrawn.',
    remedy: 'Ask an administrator of Woodgrove Bank to reconnect.',
  },
});
const waiting = aTenant(4, 'Lucerne Publishing', {
  health: { state: 'waiting', since: '2026-11-18T08:00:00.000Z', cause: '', remedy: '' },
  datasets: {},
});
const retail = aTenant(5, 'Contoso Retail', { domain: 'shop.example', domains: ['shop.example'] });

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
  await addTenant(rig, contoso);
  await addTenant(rig, fabrikam, 300);
  await addTenant(rig, woodgrove, 340);
  await addTenant(rig, retail, 334);
  await rig.services.store.tenants.save(
    scopeFor(admin, internal.audience, 'view', rig.services.now()),
    waiting,
  );
});
afterAll(async () => await rig.close());

function wordsOf(reply: Reply): string {
  return `${reply.text}\n${JSON.stringify(reply.card)}`;
}

const contosoReader = someone(3, [aGrant('Reader', [contoso.id])]);
const visitor: Caller = {
  tid: contoso.id,
  oid: 'visitor',
  name: 'Vi',
  home: false,
  disabled: false,
  grants: [],
};

test.each<{ text: string; who: Caller; where: Place; says: string | RegExp; of: Tenant[] }>([
  {
    text: 'score contoso ltd',
    who: reader,
    where: internal,
    says: /Contoso Ltd: 62\.4\u2009% \(318 of 510 points\), ▼ 3\.1/,
    of: [contoso],
  },
  {
    text: '/score "Contoso Ltd"?',
    who: reader,
    where: personal(reader),
    says: 'Contoso Ltd: 62.4',
    of: [contoso],
  },
  { text: 'contoso.com?', who: reader, where: internal, says: 'Contoso Ltd: 62.4', of: [contoso] },
  {
    text: 'score <script>',
    who: reader,
    where: internal,
    says: 'No tenant called "‹script›" is available here.',
    of: [],
  },
  { text: 'Contoso', who: reader, where: internal, says: 'Contoso Ltd: 62.4', of: [contoso] },
  { text: 'how is fabrikam?', who: reader, where: internal, says: 'Fabrikam: 58.8', of: [fabrikam] },
  {
    text: 'what is the score of fabrikam?',
    who: reader,
    where: internal,
    says: 'Fabrikam: ',
    of: [fabrikam],
  },
  {
    text: 'fabrikam',
    who: contosoReader,
    where: internal,
    says: 'I do not know “fabrikam”. You can',
    of: [],
  },
  { text: 'fabrikam', who: admin, where: customer(contoso.id), says: 'I do not know “fabrikam”.', of: [] },
  { text: 'fabrikam', who: nobody, where: internal, says: 'I do not know “fabrikam”.', of: [] },
  { text: 'fabrikam', who: admin, where: unbound, says: 'Only help is answered here', of: [] },
  { text: 'fabri', who: reader, where: internal, says: 'I do not know “fabri”. You can ask', of: [] },
  { text: 'score', who: contosoReader, where: internal, says: 'Secure Score of your tenants', of: [contoso] },
  { text: 'score contoso', who: contosoReader, where: internal, says: 'Contoso Ltd: 62.4', of: [contoso] },
  {
    text: 'score contoso.com',
    who: visitor,
    where: customer(contoso.id),
    says: 'Contoso Ltd: 62.4',
    of: [contoso],
  },
  { text: 'score lucerne', who: reader, where: internal, says: 'has not been read yet', of: [waiting] },
  {
    text: 'score woodgrove',
    who: reader,
    where: internal,
    says: /Permission Error since 18 Nov\. Consent was withdrawn/,
    of: [woodgrove],
  },
  {
    text: 'score cont',
    who: reader,
    where: internal,
    says: 'Which one? Contoso Ltd and Contoso Retail',
    of: [contoso, retail],
  },
  {
    text: 'score fabricam',
    who: reader,
    where: internal,
    says: 'No tenant called "fabricam" is available here. Did you mean Fabrikam?',
    of: [fabrikam],
  },
  {
    text: 'score zzz',
    who: reader,
    where: internal,
    says: 'No tenant called "zzz" is available here. Type tenants',
    of: [],
  },
  {
    text: 'score fabrikam',
    who: contosoReader,
    where: internal,
    says: 'No tenant called "fabrikam" is available here. Type tenants',
    of: [],
  },
  {
    text: 'score fabrikam',
    who: admin,
    where: customer(contoso.id),
    says: 'No tenant called "fabrikam" is available here. Type tenants',
    of: [],
  },
  {
    text: 'score fabrikam',
    who: visitor,
    where: customer(contoso.id),
    says: 'No tenant called "fabrikam" is available here.',
    of: [],
  },
  {
    text: 'score [x](http://evil)',
    who: reader,
    where: internal,
    says: 'No tenant called "\\[x\\](http:\u2060//evil)" is available here.',
    of: [],
  },
  {
    text: 'score',
    who: reader,
    where: internal,
    says: 'worst change first',
    of: [contoso, fabrikam, woodgrove, waiting, retail],
  },
  {
    text: 'score 99',
    who: contosoReader,
    where: internal,
    says: '1 tenant, worst change first',
    of: [contoso],
  },
  { text: 'tenants', who: visitor, where: customer(contoso.id), says: '1 tenant connected', of: [contoso] },
  {
    text: 'tenants',
    who: reader,
    where: internal,
    says: /Woodgrove Bank: Permission Error/,
    of: [contoso, fabrikam, woodgrove, waiting, retail],
  },
  {
    text: 'help',
    who: reader,
    where: internal,
    says: 'You can ask: score contoso · tenants · health contoso · watching · who am i · help.',
    of: [],
  },
  { text: 'hi', who: nobody, where: personal(nobody), says: 'You have no role here yet', of: [] },
  ...[admin, operator].map((who) => ({
    text: 'help',
    who,
    where: personal(who),
    says: 'In a channel or group chat: watch contoso tells it when that score falls.',
    of: [],
  })),
  {
    text: 'flarb',
    who: admin,
    where: internal,
    says: 'I do not know “flarb”. You can ask: score contoso · tenants · health contoso · connect contoso · sync contoso · watch contoso · watching · unwatch contoso · threshold contoso 3% or 5 points · who am i · people · grant',
    of: [],
  },
  {
    text: 'help',
    who: admin,
    where: unbound,
    says: 'Only help is answered here: there are guests in this chat. Ask me in a personal chat.',
    of: [],
  },
  { text: 'score contoso', who: admin, where: unbound, says: 'Only help is answered here', of: [] },
  { text: 'tenants', who: admin, where: unbound, says: 'Only help is answered here', of: [] },
  { text: 'who am i', who: admin, where: unbound, says: 'Only help is answered here', of: [] },
  {
    text: 'score contoso',
    who: nobody,
    where: internal,
    says: 'You have no role here yet. An Admin can give you one',
    of: [],
  },
  { text: 'tenants', who: visitor, where: internal, says: 'You have no role here yet', of: [] },
  {
    text: 'score contoso',
    who: { ...admin, disabled: true },
    where: internal,
    says: 'You have no role here yet',
    of: [],
  },
  { text: 'people', who: reader, where: internal, says: 'Only Admins can do that', of: [] },
  { text: 'people', who: admin, where: customer(contoso.id), says: 'That is for a personal chat', of: [] },
  { text: 'claim ABCD-EFGH', who: nobody, where: internal, says: 'That is for a personal chat', of: [] },
  {
    text: 'sync',
    who: operator,
    where: internal,
    says: 'Which tenant shall I sync? Like this: sync contoso',
    of: [],
  },
  {
    text: 'sync contoso.com',
    who: reader,
    where: internal,
    says: 'Contoso Ltd can be synced by Operators and Admins',
    of: [contoso],
  },
  {
    text: 'who am i',
    who: operator,
    where: internal,
    says: /You are Chidi Okafor, Operator\..*Operator of all tenants: given by demo on 1 Nov/,
    of: [],
  },
  {
    text: 'who am i',
    who: contosoReader,
    where: personal(contosoReader),
    says: 'Reader of Contoso Ltd: given by demo',
    of: [contoso],
  },
  {
    text: 'who am i',
    who: contosoReader,
    where: customer(fabrikam.id),
    says: 'Ask me that in a personal chat',
    of: [],
  },
  { text: 'who am i', who: nobody, where: personal(nobody), says: 'You have no role yet', of: [] },
])('“$text”: $says', async ({ text, who, where, says, of }) => {
  const reply = await rig.say(text, who, where);
  expect(wordsOf(reply)).toMatch(typeof says === 'string' ? new RegExp(literally(says)) : says);
  expect(new Set(reply.tenants)).toEqual(new Set(of.map(({ id }) => id)));
  expect(reply.to).toBe('conversation');
  expect(reply.text).toMatch(/\S/);
  const scope = scopeFor(who, where.audience, 'view', rig.services.now());
  expect(mayGo(reply.tenants, where.audience, scope)).toBe(true);
  // What is not listed is not named either.
  for (const tenant of [contoso, fabrikam, woodgrove, waiting, retail].filter((one) => !of.includes(one))) {
    expect(wordsOf(reply)).not.toContain(tenant.id);
    expect(wordsOf(reply)).not.toContain(tenant.name);
  }
});

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

test('that channels can watch is said where it cannot be typed, to who may type it, and to nobody else', async () => {
  const tells = async (who: Caller, where: Place): Promise<boolean> =>
    /In a channel or group chat: watch/.test(wordsOf(await rig.say('help', who, where)));
  expect(await tells(operator, personal(operator))).toBe(true);
  expect(await tells(reader, personal(reader))).toBe(false);
  expect(await tells(nobody, personal(nobody))).toBe(false);
  expect(await tells(operator, internal)).toBe(false);
  expect(await tells(operator, unbound)).toBe(false);
});

test('what is asked privately is answered privately', async () => {
  const reply = await rig.say('score contoso ltd', reader, { ...internal, targeted: true });
  expect(reply.to).toBe('caller');
});

test('in a place of Contoso a private answer names no other tenant', async () => {
  const both = someone(3, [aGrant('Reader', [contoso.id, fabrikam.id])]);
  const reply = await rig.say('who am i', both, { ...customer(contoso.id), targeted: true });
  expect(wordsOf(reply)).toContain('Reader of Contoso Ltd');
  expect(wordsOf(reply)).not.toContain('Fabrikam');
});

test('the ranking shows the worst change first, then what cannot be read, and what was never read last', async () => {
  const reply = await rig.say('score', reader, internal);
  const order = ['Fabrikam', 'Contoso Ltd', 'Woodgrove Bank', 'Contoso Retail', 'Lucerne Publishing'];
  const card = JSON.stringify(reply.card);
  const places = order.map((name) => card.indexOf(`"text":"${name}"`));
  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(places.every((at) => at > 0)).toBe(true);
});

// ------------------------------------------------------------------------------------------- indistinguishable

/** Text and card with every id of this world left in: equal means equal to the byte. */
function bytes(reply: Reply): string {
  return JSON.stringify(reply);
}

const pairs = count(200, 1000);
test(`${pairs} names of tenants that exist elsewhere and that do not exist are answered alike`, async () => {
  const random = seeded(seed);
  const stems = [
    'Alpine',
    'Tailspin',
    'Wingtip',
    'Litware',
    'Proseware',
    'Lucerne',
    'Trey',
    'Coho',
    'Contoso',
    'Fabrikam',
  ];
  const worlds = { with: await openRig(), without: await openRig() };
  try {
    const scope = scopeFor(admin, internal.audience, 'view', rig.services.now());
    for (const world of [worlds.with, worlds.without]) await addTenant(world, contoso);
    const foreign: Tenant[] = [];
    for (let n = 0; n < pairs; n += 1) {
      const name = `${stems[Math.floor(random() * stems.length)]} ${Math.floor(random() * 1e6).toString(36)} Ltd`;
      const tenant = aTenant(100 + n, name, { domain: `t${n}.example`, domains: [`t${n}.example`] });
      foreign.push(tenant);
      await worlds.with.services.store.tenants.save(scope, tenant);
    }
    const asking: { who: Caller; where: Place }[] = [
      { who: contosoReader, where: internal },
      { who: contosoReader, where: personal(contosoReader) },
      { who: admin, where: customer(contoso.id) },
      { who: visitor, where: customer(contoso.id) },
    ];
    let different = 0;
    for (const [n, tenant] of foreign.entries()) {
      const { who, where } = asking[n % asking.length] ?? { who: visitor, where: internal };
      const word = [tenant.name, tenant.domain, tenant.id, tenant.name.split(' ')[1]][
        Math.floor(random() * 4)
      ];
      const text = `${['score', 'sync'][n % 2]} ${word}`;
      const one = await worlds.with.say(text, who, where);
      const other = await worlds.without.say(text, who, where);
      if (bytes(one) !== bytes(other)) different += 1;
      expect(one.tenants).toEqual(other.tenants);
    }
    expect(different).toBe(0);
    // The judge is awake: somebody who may see all does get other answers.
    const seen = await worlds.with.say(`score ${foreign[0]?.domain}`, admin, internal);
    const unseen = await worlds.without.say(`score ${foreign[0]?.domain}`, admin, internal);
    expect(bytes(seen)).not.toBe(bytes(unseen));
  } finally {
    await worlds.with.close();
    await worlds.without.close();
  }
}, 120_000);

// ------------------------------------------------------------------------------------------- buttons

function buttonsOf(card: CardData | undefined): { verb: string; tenant?: string; object?: string }[] {
  const found: { verb: string }[] = [];
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if ('type' in node && node.type === 'Action.Execute' && 'data' in node)
      found.push(node.data as { verb: string });
    for (const value of Object.values(node)) walk(value);
  };
  walk(card);
  return found;
}

test('every button of every answer is one that is answered', async () => {
  const texts = [
    'score contoso ltd',
    'score cont',
    'score',
    'tenants',
    'help',
    'score fabricam',
    'score lucerne',
    'people',
    'who am i',
  ];
  for (const text of texts) {
    for (const button of buttonsOf((await rig.say(text, admin, internal)).card)) {
      expect(Object.keys(cardActions)).toContain(button.verb);
    }
  }
});

async function press(
  verb: string,
  more: { tenant?: Tenant; object?: string },
  who: Caller,
  where: Place,
): Promise<Reply> {
  const action = {
    verb,
    ...(more.tenant === undefined ? {} : { tenant: more.tenant.id }),
    ...(more.object === undefined ? {} : { object: more.object }),
  };
  const handler = cardActions[verb];
  if (handler === undefined) throw new Error(`no button ${verb}`);
  return await handler.run(action, {}, who, where, rig.services);
}

test.each([
  { verb: 'score', tenant: contoso, who: reader, where: internal, says: 'Contoso Ltd: 62.4' },
  {
    verb: 'score',
    tenant: fabrikam,
    who: contosoReader,
    where: internal,
    says: 'not available here any more',
  },
  {
    verb: 'score',
    tenant: fabrikam,
    who: admin,
    where: customer(contoso.id),
    says: 'not available here any more',
  },
  {
    verb: 'score',
    tenant: aTenant(77, 'Gone'),
    who: admin,
    where: internal,
    says: 'not available here any more',
  },
  { verb: 'score', tenant: undefined, who: admin, where: internal, says: 'not available here any more' },
  { verb: 'score', tenant: contoso, who: nobody, where: internal, says: 'You have no role here yet' },
  { verb: 'score', tenant: contoso, who: admin, where: unbound, says: 'Only help is answered here' },
  {
    verb: 'sync',
    tenant: contoso,
    who: reader,
    where: internal,
    says: 'can be synced by Operators and Admins',
  },
  { verb: 'ranking', object: '1', who: reader, where: internal, says: 'worst change first' },
  { verb: 'ranking', object: '-5', who: reader, where: internal, says: 'worst change first' },
  { verb: 'tenants', object: 'x', who: reader, where: internal, says: 'connected' },
  { verb: 'people', object: '2', who: reader, where: internal, says: 'Only Admins can do that' },
  { verb: 'help', who: reader, where: unbound, says: 'Only help is answered here' },
])(
  'the button $verb of today is decided by today: $says',
  async ({ verb, tenant, object, who, where, says }) => {
    const reply = await press(verb, { ...(tenant && { tenant }), ...(object && { object }) }, who, where);
    expect(wordsOf(reply)).toContain(says);
  },
);

test.each([
  { verb: 'sync', tenant: contoso, who: reader },
  { verb: 'ranking', tenant: undefined, who: nobody },
  { verb: 'people', tenant: undefined, who: reader },
  { verb: 'help', tenant: undefined, who: nobody },
])('what is refused on the button $verb leaves the card that others read', async ({ verb, tenant, who }) => {
  expect((await press(verb, tenant ? { tenant } : {}, who, internal)).to).toBe('caller');
});

test.each([
  { verb: 'ranking', more: {} },
  { verb: 'ranking', more: { object: '1' } },
  { verb: 'tenants', more: {} },
  { verb: 'people', more: {} },
  { verb: 'help', more: {} },
  { verb: 'score', more: { tenant: contoso } },
])(
  'in a channel the button $verb $more answers the person who pressed it, nobody else',
  async ({ verb, more }) => {
    expect((await press(verb, more, admin, internal)).to).toBe('caller');
    expect((await press(verb, more, admin, { ...internal, kind: 'groupChat' })).to).toBe('caller');
  },
);

test.each([
  { verb: 'ranking', says: 'worst change first' },
  { verb: 'tenants', says: 'connected' },
  { verb: 'help', says: 'What you can ask' },
])('in a personal chat the button $verb answers in a new message, a page in its place', async (row) => {
  const where = personal(admin);
  const before = rig.sent.length;
  const reply = await press(row.verb, {}, admin, where);
  expect(reply).toEqual({ text: 'The answer is below.', to: 'caller', tenants: [] });
  expect(rig.sent).toHaveLength(before + 1);
  expect(wordsOf(rig.sent[before]?.reply ?? reply)).toContain(row.says);
  expect((await press(row.verb, { object: '1' }, admin, where)).to).toBe('conversation');
  expect(rig.sent).toHaveLength(before + 1);
});

test('words that objects inherit are no buttons', () => {
  for (const word of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    expect(cardActions[word]).toBeUndefined();
  }
});

test.each([
  { text: 'score contoso', changes: false },
  { text: 'score', changes: false },
  { text: 'tenants', changes: false },
  { text: 'help', changes: false },
  { text: 'who am i', changes: false },
  { text: 'people', changes: false },
  { text: 'grant', changes: false },
  { text: 'sync contoso', changes: true },
  { text: 'grant a@b.example reader', changes: true },
  { text: 'revoke a@b.example', changes: true },
  { text: 'claim ABCD-EFGH', changes: true },
])('“$text” changes something: $changes', ({ text, changes }) => {
  expect(changesSomething(parseCommand(text, []))).toBe(changes);
});

test('pages: 25 tenants are three pages, and the ids of all of them are declared', async () => {
  const many = await openRig();
  try {
    const scope = scopeFor(admin, internal.audience, 'view', rig.services.now());
    for (let n = 1; n <= 25; n += 1)
      await many.services.store.tenants.save(scope, aTenant(n, `Tenant ${String(n).padStart(2, '0')}`));
    const first = await many.say('score', admin, internal);
    const last = await many.say('score 99', admin, internal);
    const list = await many.say('tenants 2', admin, placeOf({ kind: 'personal', oid: admin.oid, tid: home }));
    expect(JSON.stringify(first.card)).toContain('25 tenants, worst change first · page 1 of 3');
    expect(JSON.stringify(last.card)).toContain('page 3 of 3');
    expect(JSON.stringify(list.card)).toContain('Tenant 11');
    expect(buttonsOf(list.card).filter(({ verb }) => verb === 'tenants')).toEqual([
      { verb: 'tenants', object: '3' },
      { verb: 'tenants', object: '1' },
    ]);
    for (const reply of [first, last, list]) expect(reply.tenants).toHaveLength(25);
    expect(new Set(first.tenants).has(idOf(25))).toBe(true);
  } finally {
    await many.close();
  }
});

test('a long ranking lets other turns in between', async () => {
  const many = await openRig();
  try {
    const scope = scopeFor(admin, internal.audience, 'view', rig.services.now());
    const saved = Array.from({ length: 250 }, (_, n) =>
      many.services.store.tenants.save(scope, aTenant(n + 1, `Tenant ${n}`)),
    );
    await Promise.all(saved);
    let turns = 0;
    let ended = false;
    const others = (): void => {
      turns += 1;
      if (!ended) setImmediate(others);
    };
    setImmediate(others);
    await many.say('score', admin, internal);
    ended = true;
    expect(turns).toBeGreaterThanOrEqual(2);
  } finally {
    await many.close();
  }
});
