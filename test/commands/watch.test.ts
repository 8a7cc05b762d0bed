import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { cardActions, changesSomething } from '../../bot/commands/index.ts';
import type { Place, Reply } from '../../bot/services.ts';
import { type Caller, mayGo, scopeFor, scopeOfJob } from '../../shared/access.ts';
import { mostSubscriptions, watches } from '../../shared/alerts/route.ts';
import { parseCommand } from '../../shared/command.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { acknowledged, fallOf, falls } from '../cards/fallen.ts';
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
  unbound,
} from './rig.ts';

const contoso = aTenant(1, 'Contoso Ltd');
const fabrikam = aTenant(2, 'Fabrikam');
const retail = aTenant(5, 'Contoso Retail', { domain: 'shop.example', domains: ['shop.example'] });
const all = [contoso, fabrikam, retail];

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
  for (const tenant of all) await rig.services.store.tenants.save(scopeOfJob(tenant.id), tenant);
});
afterAll(async () => await rig.close());
afterEach(async () => {
  for (const place of [internal, customer(contoso.id)]) {
    await rig.services.store.subscriptions.change(place.conversationId, (row) =>
      row === null ? null : { ...row, tenants: [], thresholds: [] },
    );
  }
});

const ofContoso = someone(2, [aGrant('Operator', [contoso.id]), aGrant('Reader')]);
const onlyContoso = someone(2, [aGrant('Operator', [contoso.id])]);
const visitor: Caller = {
  tid: contoso.id,
  oid: 'visitor',
  name: 'Vi',
  home: false,
  disabled: false,
  grants: [],
};

async function heard(where: Place = internal): Promise<'all' | string[] | null> {
  const row = await rig.services.store.subscriptions.get(where.conversationId);
  if (row === null || row.tenants.length === 0) return null;
  return row.tenants === 'all'
    ? 'all'
    : row.tenants.map((id) => all.find((tenant) => tenant.id === id)?.name ?? id);
}

function wordsOf(reply: Reply): string {
  return `${reply.text}\n${JSON.stringify(reply.card)}`;
}

async function audits(what: string): Promise<string[]> {
  const { rows } = await rig.services.store.audit.list({ limit: 100 });
  return rows.filter((row) => row.what === what).map(({ result, tenant }) => `${result} ${tenant ?? '-'}`);
}

test.each<{
  text: string;
  who: Caller;
  where?: Place;
  says: string | RegExp;
  hears: 'all' | string[] | null;
}>([
  {
    text: 'watch contoso.com',
    who: operator,
    says: 'This channel now watches Contoso Ltd. One card comes when a Secure Score falls',
    hears: ['Contoso Ltd'],
  },
  {
    text: '/watch&nbsp;“Contoso Ltd”',
    who: admin,
    says: 'by 2.0 %-points or 5 points',
    hears: ['Contoso Ltd'],
  },
  {
    text: 'watch "Contoso Ltd", fabrikam',
    who: operator,
    says: 'now watches Contoso Ltd and Fabrikam',
    hears: ['Contoso Ltd', 'Fabrikam'],
  },
  { text: 'watch all', who: operator, says: 'now watches all tenants. One card', hears: 'all' },
  {
    text: 'watch all',
    who: ofContoso,
    says: 'These are the tenants you may decide on; those connected later are not among them.',
    hears: ['Contoso Ltd'],
  },
  {
    text: 'watch all',
    who: operator,
    where: customer(contoso.id),
    says: 'now watches Contoso Ltd.',
    hears: ['Contoso Ltd'],
  },
  {
    text: 'watch contoso.com',
    who: ofContoso,
    where: customer(contoso.id),
    says: 'To stop: unwatch contoso',
    hears: ['Contoso Ltd'],
  },
  {
    text: 'watch fabrikam',
    who: operator,
    where: customer(contoso.id),
    says: 'No tenant called \\"fabrikam\\" is available here.',
    hears: null,
  },
  {
    text: 'watch fabrikam',
    who: ofContoso,
    says: 'What is heard of Fabrikam is decided by its Operators and Admins',
    hears: null,
  },
  { text: 'watch contoso.com, fabrikam', who: ofContoso, says: 'What is heard of Fabrikam', hears: null },
  {
    text: 'watch contoso.com, zzz',
    who: operator,
    says: 'No tenant called \\"zzz\\" is available here.',
    hears: null,
  },
  {
    text: 'watch cont, fabrikam',
    who: operator,
    says: '“cont” fits several tenants. Write the domain instead; nothing was changed.',
    hears: null,
  },
  { text: 'watch cont', who: operator, says: 'Which one? Contoso Ltd and Contoso Retail', hears: null },
  { text: 'watch', who: operator, says: 'Which tenants shall be watched here?', hears: null },
  {
    text: 'watch contoso.com',
    who: reader,
    says: 'What is heard here is decided by Operators and Admins. You may look: watching',
    hears: null,
  },
  { text: 'watch contoso.com', who: nobody, says: 'You have no role here yet', hears: null },
  {
    text: 'watch contoso.com',
    who: { ...operator, disabled: true },
    says: 'You have no role here yet',
    hears: null,
  },
  {
    text: 'watch contoso.com',
    who: visitor,
    where: customer(contoso.id),
    says: 'is decided by Operators and Admins',
    hears: null,
  },
  {
    text: 'watch contoso.com',
    who: admin,
    where: personal(admin),
    says: 'That is for a channel or group chat. Mention me there: watch contoso',
    hears: null,
  },
  {
    text: 'watch contoso.com',
    who: admin,
    where: unbound,
    says: 'This channel may not hear of tenants: there are guests in this chat. Type it in a channel or group chat with people of your own organisation only.',
    hears: null,
  },
])('“$text” by $who.name: $says', async ({ text, who, where = internal, says, hears }) => {
  const reply = await rig.say(text, who, where);
  if (typeof says === 'string') expect(wordsOf(reply)).toContain(says);
  else expect(wordsOf(reply)).toMatch(says);
  expect(await heard(where)).toEqual(hears);
  expect(reply.to).toBe('conversation');
  expect(
    mayGo(reply.tenants, where.audience, scopeFor(who, where.audience, 'view', rig.services.now())),
  ).toBe(true);
  for (const tenant of all.filter(({ id }) => !reply.tenants.includes(id))) {
    expect(wordsOf(reply)).not.toContain(tenant.name);
    expect(wordsOf(reply)).not.toContain(tenant.id);
  }
});

test.each([
  { text: 'watch contoso.com', where: unbound, who: admin },
  { text: 'watching', where: unbound, who: admin },
  { text: 'unwatch', where: unbound, who: admin },
  { text: 'threshold contoso.com 3%', where: unbound, who: admin },
  { text: 'watching', where: personal(admin), who: admin },
  { text: 'unwatch contoso.com', where: personal(admin), who: admin },
  { text: 'threshold contoso.com 3%', where: personal(admin), who: admin },
  { text: 'unwatch contoso.com', where: internal, who: reader },
  { text: 'threshold contoso.com 3%', where: internal, who: reader },
  { text: 'unwatch all', where: internal, who: nobody },
  { text: 'watching', where: internal, who: nobody },
])(
  '“$text” in a $where.audience.kind place by $who.name is refused with a way forward',
  async ({ text, where, who }) => {
    await rig.say('watch contoso.com', admin, internal);
    const reply = await rig.say(text, who, where);
    expect(reply.text).toMatch(/Type it in a channel|Mention me there|Operators and Admins|You have no role/);
    expect(reply.tenants).toEqual([]);
    expect(await heard()).toEqual(['Contoso Ltd']);
  },
);

test('what is watched adds up, and the thread it is typed in makes no difference', async () => {
  await rig.say('watch contoso.com', operator, internal);
  const thread = { ...internal, conversationId: `${internal.conversationId};messageid=1` };
  await rig.say('watch fabrikam', operator, thread);
  expect(await heard()).toEqual(['Contoso Ltd', 'Fabrikam']);
  await rig.say('watch fabrikam', operator, internal);
  expect(await heard()).toEqual(['Contoso Ltd', 'Fabrikam']);
  await rig.say('watch all', operator, internal);
  await rig.say('watch fabrikam', operator, internal);
  expect(await heard()).toBe('all');
  const row = await rig.services.store.subscriptions.get(internal.conversationId);
  expect(row).toMatchObject({ kind: 'channel', by: operator.name, serviceUrl: internal.serviceUrl });
});

test('all but one: those connected later are heard of, and the one can be taken back', async () => {
  const { subscriptions } = rig.services.store;
  await rig.say('watch all', operator, internal);
  const said = wordsOf(await rig.say('unwatch fabrikam', operator, internal));
  expect(said).toContain('no longer hears of Fabrikam');
  expect(said).toContain('It still hears of all others, also of those connected later.');
  const row = await subscriptions.get(internal.conversationId);
  expect(row).toMatchObject({ tenants: 'all', except: [fabrikam.id] });
  expect(row && watches(row, fabrikam.id)).toBe(false);
  expect(row && watches(row, aTenant(77, 'Connected later').id)).toBe(true);
  expect(await subscriptions.naming(fabrikam.id)).toHaveLength(1);
  expect(wordsOf(await rig.say('watching', operator, internal))).toContain('Not of Fabrikam.');
  // Who may not see it is not told of it.
  const forOther = await rig.say('watching', onlyContoso, internal);
  expect(wordsOf(forOther)).not.toContain('Fabrikam');
  expect(forOther.tenants).not.toContain(fabrikam.id);
  expect(wordsOf(await rig.say('unwatch fabrikam', operator, internal))).toContain('does not watch that');
  await rig.say('watch fabrikam', operator, internal);
  expect(await subscriptions.get(internal.conversationId)).not.toHaveProperty('except');
  await rig.say('unwatch fabrikam', operator, internal);
  await rig.say('watch all', operator, internal);
  expect(await subscriptions.get(internal.conversationId)).not.toHaveProperty('except');
});

test('watching all names those with a threshold of their own, below what counts for the others', async () => {
  await rig.say('watch contoso.com', operator, internal);
  const only = wordsOf(await rig.say('threshold contoso.com 3%', operator, internal));
  expect(only).toMatch(/Points do not count any more\. For both: threshold contoso\S*com 3% or 5 points\./);
  expect(wordsOf(await rig.say('threshold contoso.com 3% or 5 points', operator, internal))).not.toContain(
    'not count',
  );
  await rig.say('threshold contoso.com 3%', operator, internal);
  const said = wordsOf(await rig.say('watch all', operator, internal));
  expect(said).toContain('2.0 %-points or 5 points, unless said otherwise below');
  expect(said).toContain('Contoso Ltd: from a loss of 3.0 %-points on.');
});

test('a group chat is called a chat, and kept as one', async () => {
  const chat: Place = { ...internal, kind: 'groupChat', conversationId: '19:group@unq.gbl.spaces' };
  expect((await rig.say('watch fabrikam', operator, chat)).text).toContain('This chat now watches Fabrikam.');
  expect((await rig.say('watching', reader, chat)).text).toContain('This chat watches Fabrikam');
  expect(await rig.services.store.subscriptions.get(chat.conversationId)).toMatchObject({
    kind: 'groupChat',
  });
  expect((await rig.say('unwatch', operator, chat)).text).toBe('This chat no longer hears of Fabrikam.');
});

test('where the bot was removed and comes back, only what is asked for anew is heard', async () => {
  await rig.say('watch all', operator, internal);
  await rig.services.store.subscriptions.end(internal.conversationId);
  expect(wordsOf(await rig.say('watching', operator, internal))).toContain(
    'Nothing that you may see is watched in this channel yet: type watch contoso, or watch all',
  );
  expect(wordsOf(await rig.say('watching', reader, internal))).toContain(
    'yet; an Operator or Admin can change that with watch contoso.',
  );
  await rig.say('watch fabrikam', operator, internal);
  expect(await heard()).toEqual(['Fabrikam']);
  expect((await rig.services.store.subscriptions.get(internal.conversationId))?.ended).toBeUndefined();
});

test.each<{ before: string; text: string; who: Caller; says: string; hears: 'all' | string[] | null }>([
  {
    before: 'contoso.com, fabrikam',
    text: 'unwatch contoso.com',
    who: operator,
    says: 'no longer hears of Contoso Ltd',
    hears: ['Fabrikam'],
  },
  {
    before: 'contoso.com, fabrikam',
    text: 'unwatch',
    who: operator,
    says: 'no longer hears of Contoso Ltd and Fabrikam',
    hears: null,
  },
  {
    before: 'contoso.com, fabrikam',
    text: 'unwatch all',
    who: onlyContoso,
    says: 'no longer hears of Contoso Ltd.',
    hears: ['Fabrikam'],
  },
  {
    before: 'fabrikam',
    text: 'unwatch all',
    who: onlyContoso,
    says: 'does not watch that',
    hears: ['Fabrikam'],
  },
  {
    before: 'fabrikam',
    text: 'unwatch contoso.com',
    who: operator,
    says: 'does not watch that',
    hears: ['Fabrikam'],
  },
  {
    before: 'fabrikam',
    text: 'unwatch fabrikam',
    who: ofContoso,
    says: 'What is heard of Fabrikam is decided',
    hears: ['Fabrikam'],
  },
  {
    before: 'fabrikam',
    text: 'unwatch fabrikam',
    who: onlyContoso,
    says: 'No tenant called',
    hears: ['Fabrikam'],
  },
  { before: 'all', text: 'unwatch', who: operator, says: 'no longer hears of any tenant', hears: null },
  {
    before: 'all',
    text: 'unwatch contoso.com',
    who: operator,
    says: 'still hears of all others, also of those connected later',
    hears: 'all',
  },
  {
    before: 'all',
    text: 'unwatch contoso.com',
    who: onlyContoso,
    says: 'watches all tenants. Only somebody',
    hears: 'all',
  },
  {
    before: 'all',
    text: 'unwatch all',
    who: ofContoso,
    says: 'watches all tenants. Only somebody',
    hears: 'all',
  },
])('after “watch $before”, “$text” by $who.name: $says', async ({ before, text, who, says, hears }) => {
  await rig.say(`watch ${before}`, operator, internal);
  expect(wordsOf(await rig.say(text, who, internal))).toContain(says);
  expect(await heard()).toEqual(hears);
});

test.each([
  {
    text: 'threshold contoso.com 3%',
    says: 'hears of Contoso Ltd from a loss of 3.0 %-points on.',
    is: { percent: 3, points: null },
  },
  { text: 'threshold "Contoso Ltd" 2,5 %', says: '2.5 %-points on', is: { percent: 2.5, points: null } },
  {
    text: 'threshold contoso.com 3% or 10 points',
    says: '3.0 %-points or 10 points on, whichever comes first',
    is: { percent: 3, points: 10 },
  },
  { text: 'threshold contoso.com default', says: '2.0 %-points or 5 points', is: undefined },
  { text: 'threshold fabrikam 3%', says: 'does not watch Fabrikam yet', is: undefined },
])('“$text”: $says', async ({ text, says, is }) => {
  await rig.say('watch contoso.com', operator, internal);
  expect(wordsOf(await rig.say(text, operator, internal))).toContain(says);
  const row = await rig.services.store.subscriptions.get(internal.conversationId);
  expect(row?.thresholds).toEqual(is === undefined ? [] : [{ tenantId: contoso.id, threshold: is }]);
});

test('thresholds are listed, kept while more is watched, and gone with their tenant', async () => {
  await rig.say('watch contoso.com, fabrikam', operator, internal);
  await rig.say('threshold contoso.com 3%', operator, internal);
  await rig.say('watch all', operator, internal);
  const list = wordsOf(await rig.say('watching', reader, internal));
  expect(list).toContain('This channel watches all tenants, Contoso Ltd from a loss of 3.0 %-points on.');
  expect(list).toContain('Every other tenant');
  await rig.say('unwatch contoso.com', operator, internal);
  const row = await rig.services.store.subscriptions.get(internal.conversationId);
  expect(row?.thresholds).toEqual([]);
});

test('what does not arrive is listed with why and since; elsewhere only for who looks after all', async () => {
  const elsewhere = { ...internal, conversationId: '19:elsewhere@thread.tacv2' };
  await rig.say('watch fabrikam', operator, internal);
  await rig.say('watch fabrikam', admin, elsewhere);
  await rig.services.store.subscriptions.broken(internal.conversationId, 'The bot is not in the roster.');
  await rig.services.store.subscriptions.broken(elsewhere.conversationId, 'Guests are here.');
  const forOperator = wordsOf(await rig.say('watching', operator, internal));
  expect(forOperator).toContain('News does not arrive here');
  expect(forOperator).toContain('The bot is not in the roster.');
  expect(forOperator).toContain(`in the channel set up by ${admin.name}`);
  for (const who of [reader, ofContoso]) {
    const said = wordsOf(await rig.say('watching', who, internal));
    expect(said).toContain('News does not arrive here');
    expect(said).not.toContain('Guests are here.');
  }
  await rig.services.store.subscriptions.broken(elsewhere.conversationId, 'Teams said 403 Forbidden.');
  const refused = wordsOf(await rig.say('watching', admin, internal));
  expect(refused).toContain('Teams said 403 Forbidden. Remove Watchpost from that channel and add it again');
  expect(refused).toMatch(/since \d+ \w+, \d\d:\d\d UTC/);
  // Asked again where the bot can be asked, it is there.
  await rig.say('watch contoso.com', operator, internal);
  expect(wordsOf(await rig.say('watching', reader, internal))).not.toContain('News does not arrive');
  await rig.say('unwatch', operator, elsewhere);
});

test.each(['watch contoso.com', 'watch all'])(
  '%s: where no more can watch, a new one is told so',
  async (text) => {
    const { subscriptions } = rig.services.store;
    const { count } = subscriptions;
    await rig.say('watch fabrikam', operator, internal);
    const elsewhere = { ...internal, conversationId: '19:one-too-many@thread.tacv2' };
    subscriptions.count = async () => mostSubscriptions;
    try {
      expect(wordsOf(await rig.say(text, operator, elsewhere))).toContain('No more than 50,000 channels');
      expect(await heard(elsewhere)).toBeNull();
      // Who watches already may watch more.
      await rig.say('watch contoso.com', operator, internal);
      expect(await heard()).toEqual(['Fabrikam', 'Contoso Ltd']);
    } finally {
      subscriptions.count = count;
    }
    const { rows } = await rig.services.store.audit.list({ limit: 20 });
    expect(rows.find(({ what, result }) => what === 'watch' && result === 'refused')?.detail).toBe('no room');
  },
);

test('watch where news was refused: what was refused is told after all', async () => {
  const { store } = rig.services;
  await rig.say('watch fabrikam', operator, internal);
  const { conversationId } = internal;
  const { finding, transition } = fallOf(falls().opened, fabrikam.id);
  const about = { id: finding.id, generation: 1, transition: 'opened' };
  const entry = { id: 'refused', tenantId: fabrikam.id, conversationId, finding: about, transition };
  await store.findings.save(scopeOfJob(fabrikam.id), finding, null, [{ ...entry, kind: 'opened' }]);
  const [lease] = await store.outbox.claimDue(1, 60_000);
  if (lease === undefined) throw new Error('nothing was due');
  const dead = { state: 'dead' as const, why: '403', maybeSent: false, revivable: true };
  await store.outbox.settle(lease, ['refused'], dead);
  await store.outbox.release(lease);
  await store.subscriptions.broken(conversationId, 'Teams said 403.');
  await rig.say('watch contoso.com', operator, internal);
  const [again] = await store.outbox.claimDue(1, 60_000);
  if (again === undefined) throw new Error('nothing is due');
  expect((await store.outbox.waiting(again, 10)).map(({ id }) => id)).toEqual(['refused']);
  await store.purge.tenant(scopeOfJob(fabrikam.id), fabrikam.id, { people: false });
  await store.tenants.save(scopeOfJob(fabrikam.id), fabrikam);
});

test('in a customer’s place nothing says that another customer’s news was withheld there', async () => {
  const { store } = rig.services;
  const place = customer(contoso.id);
  await rig.say('watch contoso.com', operator, place);
  const before = JSON.stringify(await rig.say('watching', visitor, place));
  await store.subscriptions.change(place.conversationId, (row) => row && { ...row, tenants: 'all' });
  const all = JSON.stringify(await rig.say('watching', visitor, place));
  await store.subscriptions.broken(place.conversationId, 'This conversation belongs to another customer.');
  expect(JSON.stringify(await rig.say('watching', visitor, place))).toBe(all);
  await store.subscriptions.change(place.conversationId, (row) => row && { ...row, tenants: [contoso.id] });
  expect(JSON.stringify(await rig.say('watching', visitor, place))).toBe(before);
  await store.subscriptions.heal(place.conversationId);
});

test('a list shows only what the person may see, and whoever may see none of it hears what nobody would', async () => {
  await rig.say('watch fabrikam, shop.example', operator, internal);
  const withFabrikam = someone(3, [aGrant('Reader', [fabrikam.id])]);
  const seen = wordsOf(await rig.say('watching', withFabrikam, internal));
  expect(seen).toContain('This channel watches Fabrikam from');
  expect(seen).toContain('watches 1 tenant');
  const unseen = await rig.say('watching', onlyContoso, internal);
  await rig.say('unwatch', operator, internal);
  expect(JSON.stringify(await rig.say('watching', onlyContoso, internal))).toBe(JSON.stringify(unseen));
});

test('a fall that stands already is said, with who has taken it on', async () => {
  const { store } = rig.services;
  const fall = fallOf(acknowledged(falls().opened), fabrikam.id);
  await store.findings.save(scopeOfJob(fabrikam.id), fall.finding, null, []);
  for (const text of ['watch fabrikam', 'watch all']) {
    const reply = await rig.say(text, operator, internal);
    expect(reply.text).toMatch(
      /Standing now: Fabrikam fell 3\.1\s%-points .*, 2 controls regressed\. Acknowledged by Ana Reyes on 20 Nov, 09:14 UTC\./,
    );
    expect(reply.tenants).toContain(fabrikam.id);
  }
  expect((await rig.say('watch contoso.com', operator, internal)).text).not.toContain('Standing now');
});

test('many tenants at once: ten are named, falls are looked for among fifty, and all are watched', async () => {
  const world = await openRig();
  try {
    const { store } = world.services;
    const many = Array.from({ length: 60 }, (_, n) =>
      aTenant(n + 1, `Customer ${String(n).padStart(2, '0')}`),
    );
    for (const tenant of many) await store.tenants.save(scopeOfJob(tenant.id), tenant);
    for (const tenant of many.slice(0, 7)) {
      const fall = fallOf(falls().opened, tenant.id);
      await store.findings.save(scopeOfJob(tenant.id), fall.finding, null, []);
    }
    const named = someone(2, [
      aGrant(
        'Operator',
        many.map(({ id }) => id),
      ),
    ]);
    const reply = await world.say('watch all', named, internal);
    expect(reply.text).toContain('This channel now watches 60 tenants.');
    expect(reply.text).toContain('Customer 09 and 50 more.');
    expect(reply.text.match(/Standing now/g)).toHaveLength(1);
    expect(reply.text.match(/ fell 3\.1/g)).toHaveLength(5);
    expect(reply.text).toContain('And 2 more falls stand now.');
    expect(reply.text).toContain('only the first 50 tenants were looked through');
    expect(Buffer.byteLength(JSON.stringify(reply.card))).toBeLessThan(20_000);
    expect((await store.subscriptions.get(internal.conversationId))?.tenants).toHaveLength(60);
    const list = await world.say('watching', named, internal);
    expect(wordsOf(list)).toContain('And 48 more.');
  } finally {
    await world.close();
  }
});

test('asked privately, the answer is private and says that the news is not', async () => {
  const reply = await rig.say('watch contoso.com', operator, { ...internal, targeted: true });
  expect(reply.to).toBe('caller');
  expect(reply.text).toContain('Only you see this answer. The news is for everybody in this channel.');
  expect(await heard()).toEqual(['Contoso Ltd']);
  for (const text of ['watching', 'threshold contoso.com 3%', 'unwatch']) {
    expect((await rig.say(text, operator, { ...internal, targeted: true })).to).toBe('caller');
  }
});

test('every change and every refusal is in the audit, by tenant', async () => {
  await rig.say('watch contoso.com, fabrikam', operator, internal);
  await rig.say('watch fabrikam', ofContoso, internal);
  // Somebody who was not refused a moment ago: the same again of one person is counted, not written.
  await rig.say('watch contoso.com', { ...reader, oid: '77777777-0000-4000-8000-000000000077' }, internal);
  await rig.say('unwatch fabrikam', operator, internal);
  await rig.say('threshold contoso.com 3%', operator, internal);
  const watched = await audits('watch');
  expect(watched).toContain(`done ${contoso.id}`);
  expect(watched).toContain(`done ${fabrikam.id}`);
  expect(watched).toContain(`refused ${fabrikam.id}`);
  expect(watched[0]).toBe('refused -');
  expect((await audits('unwatch'))[0]).toBe(`done ${fabrikam.id}`);
  expect((await audits('threshold'))[0]).toBe(`done ${contoso.id}`);
});

test.each([
  { text: 'watch contoso', changes: true },
  { text: 'unwatch', changes: true },
  { text: 'threshold contoso 3%', changes: true },
  { text: 'watching', changes: false },
  { text: 'watch', changes: false },
])('“$text” delivered twice is done once: $changes', ({ text, changes }) => {
  expect(changesSomething(parseCommand(text, []))).toBe(changes);
});

// ------------------------------------------------------------------------------------------- indistinguishable

test.each(['watch', 'unwatch', 'threshold'])(
  '%s of a tenant that exists elsewhere and of one that does not are answered alike',
  async (verb) => {
    const worlds = { with: await openRig(), without: await openRig() };
    try {
      for (const world of [worlds.with, worlds.without]) {
        await world.services.store.tenants.save(scopeOfJob(contoso.id), contoso);
        await world.say('watch contoso.com', admin, internal);
      }
      await worlds.with.services.store.tenants.save(scopeOfJob(fabrikam.id), fabrikam);
      const asking: { who: Caller; where: Place }[] = [
        { who: onlyContoso, where: internal },
        { who: admin, where: customer(contoso.id) },
        { who: visitor, where: customer(contoso.id) },
      ];
      const end = verb === 'threshold' ? ' 3%' : '';
      for (const { who, where } of asking) {
        for (const name of ['Fabrikam', 'fabrikam.com', fabrikam.id, 'fabri', 'contoso.com, fabrikam']) {
          const text = `${verb} ${name}${end}`;
          const answers = [
            await worlds.with.say(text, who, where),
            await worlds.without.say(text, who, where),
          ];
          expect(JSON.stringify(answers[0])).toBe(JSON.stringify(answers[1]));
        }
      }
      // The judge is awake: who may see it gets another answer.
      const seen = await worlds.with.say(`${verb} fabrikam${end}`, admin, internal);
      const unseen = await worlds.without.say(`${verb} fabrikam${end}`, admin, internal);
      expect(JSON.stringify(seen)).not.toBe(JSON.stringify(unseen));
    } finally {
      await worlds.with.close();
      await worlds.without.close();
    }
  },
);

// ------------------------------------------------------------------------------------------- buttons

async function press(
  verb: string,
  tenant: Tenant,
  who: Caller,
  where: Place,
  object?: string,
): Promise<Reply> {
  const action = { verb, tenant: tenant.id, ...(object === undefined ? {} : { object }) };
  const reply = await cardActions[verb]?.run(action, {}, who, where, rig.services);
  if (reply === undefined) throw new Error(`no button ${verb}`);
  return reply;
}

test('a choice among several tenants watches the chosen one and tells the channel', async () => {
  const before = rig.sent.length;
  const reply = await press('watch', retail, operator, internal);
  expect(reply).toEqual({ text: 'The answer is below.', to: 'caller', tenants: [] });
  expect(rig.sent.at(before)?.reply).toMatchObject({
    to: 'conversation',
    text: expect.stringContaining('This channel now watches Contoso Retail'),
  });
  expect(await heard()).toEqual(['Contoso Retail']);
  await press('threshold', retail, operator, internal, '3.0 %-points or 10 points');
  const row = await rig.services.store.subscriptions.get(internal.conversationId);
  expect(row?.thresholds).toEqual([{ tenantId: retail.id, threshold: { percent: 3, points: 10 } }]);
  await press('unwatch', retail, operator, { ...internal, targeted: true });
  expect(await heard()).toBeNull();
});

test('the choice for a threshold remembers what was typed', async () => {
  await rig.say('watch all', operator, internal);
  const choice = JSON.stringify((await rig.say('threshold cont 3% or 7 points', operator, internal)).card);
  expect(choice).toContain('"verb":"threshold"');
  expect(choice).toContain('"object":"3.0 %-points or 7 points"');
});

test.each([
  { verb: 'watch', who: reader, where: internal, says: 'decided by Operators and Admins' },
  { verb: 'watch', who: nobody, where: internal, says: 'You have no role here yet' },
  { verb: 'watch', who: onlyContoso, where: internal, says: 'not available here any more' },
  { verb: 'unwatch', who: ofContoso, where: internal, says: 'What is heard of Contoso Retail' },
  { verb: 'threshold', who: reader, where: internal, says: 'decided by Operators and Admins' },
  { verb: 'watch', who: admin, where: unbound, says: 'may not hear of tenants' },
  { verb: 'watch', who: admin, where: customer(contoso.id), says: 'not available here any more' },
])('the button $verb of $who.name is refused to them alone: $says', async ({ verb, who, where, says }) => {
  const before = rig.sent.length;
  const reply = await press(verb, retail, who, where, '3%');
  expect(reply.to).toBe('caller');
  expect(wordsOf(reply)).toContain(says);
  expect(rig.sent).toHaveLength(before);
  expect(await heard(where)).toBeNull();
});
