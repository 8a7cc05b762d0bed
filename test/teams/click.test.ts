import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { CardAction, CardData, Place, Reply } from '../../bot/services.ts';
import type { Commands } from '../../bot/teams/turn-kit.ts';
import type { Caller } from '../../shared/access.ts';
import { parseCommand } from '../../shared/command.ts';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { ana, bo, openRig, type Rig } from './rig.ts';

/** Buttons: believed only when signed, allowed only by today's roles, answered only to who clicked (R9, R10, R28, F6). */

const contoso = tenantId('1c0a9e44-0f1f-4d4e-9f6a-3b8a9c2d7e10') as TenantId;
let rig: Rig;
let clicked: { action: CardAction; inputs: Record<string, string>; who: Caller; where: Place }[] = [];
let respond: (action: CardAction, who: Caller) => Promise<Reply>;
const handler = (changes: boolean): Commands['cardActions'][string] => ({
  changes,
  async run(action, inputs, who, where) {
    clicked.push({ action, inputs, who, where });
    return await respond(action, who);
  },
});

beforeAll(async () => {
  rig = await openRig({
    commands: {
      parseCommand,
      changesSomething: () => false,
      async runCommand() {
        return { card: scoreCard('posted'), text: 'posted', to: 'conversation', tenants: [contoso] };
      },
      cardActions: { score: handler(false), sync: handler(true) },
    },
  });
  await rig.sandbox.control('POST', '/_sandbox/limits', { off: true });
});
afterAll(() => rig.close());
beforeEach(async () => {
  clicked = [];
  respond = async () => ({ card: scoreCard('answered'), text: 'answered', to: 'caller', tenants: [contoso] });
  for (const { oid } of [ana, bo]) await rig.store.people.removeGrants(rig.home, oid);
  await grant(ana.oid);
});

async function grant(oid: string): Promise<void> {
  const at = rig.services.now();
  await rig.store.people.addGrant(rig.home, oid, 'somebody', {
    id: randomUUID(),
    role: 'Operator',
    scope: [contoso],
    source: 'chat',
    by: 'a test',
    at,
  });
}

function scoreCard(text: string): CardData {
  const button = (verb: string): object => ({
    type: 'Action.Execute',
    title: verb,
    verb,
    data: { verb, tenant: contoso } satisfies CardAction,
  });
  return {
    type: 'AdaptiveCard',
    version: '1.5',
    body: [{ type: 'TextBlock', text }],
    actions: ['score', 'sync', 'unknown'].map(button),
  };
}

let places = 0;
async function channel(): Promise<Record<string, unknown>> {
  places += 1;
  const id = `19:clicks${places}@thread.tacv2`;
  await rig.sandbox.control('POST', '/_sandbox/conversations', { id, kind: 'channel' });
  return { id, conversationType: 'channel', tenantId: rig.home, isGroup: true };
}

/** Asks in a conversation and answers the card that came, as Teams keeps it. */
async function cardIn(conversation: Record<string, unknown>, changes: object = {}) {
  const entities = [{ type: 'mention', text: '<at>W</at>', mentioned: { id: `28:${rig.botId}` } }];
  await rig.post(rig.activity({ text: '<at>W</at> score contoso', entities, conversation, ...changes }));
  const posts = await rig.posts(String(conversation.id));
  const post = posts.filter((one) => one.activity?.type === 'message').at(-1);
  const attachments = post?.activity?.attachments as { content: CardData }[] | undefined;
  const card = attachments?.[0]?.content;
  if (post === undefined || card === undefined) throw new Error(`no card: ${JSON.stringify(post?.activity)}`);
  return { activityId: post.activityId, card };
}

type Action = { verb: string; data: Record<string, unknown> };
function actionOf(card: CardData, verb: string): Action {
  const found = (card.actions as Action[]).find((one) => one.verb === verb);
  if (found === undefined) throw new Error(`no ${verb} on the card`);
  return found;
}

function click(conversation: Record<string, unknown>, action: unknown, changes: object = {}) {
  return rig.activity({
    type: 'invoke',
    name: 'adaptiveCard/action',
    conversation,
    text: undefined,
    value: { action, trigger: 'manual' },
    ...changes,
  });
}

type Answer = { statusCode: number; type: string; value: unknown };
async function press(
  conversation: Record<string, unknown>,
  action: unknown,
  changes: object = {},
): Promise<Answer> {
  const answer = await rig.post(click(conversation, action, changes));
  expect(answer.status).toBe(200);
  return answer.body as Answer;
}
const textType = 'application/vnd.microsoft.activity.message';
const cardType = 'application/vnd.microsoft.card.adaptive';

test('a button is answered with a card to who clicked, and with nothing to anybody else', async () => {
  const place = await channel();
  const { card, activityId } = await cardIn(place);
  const before = (await rig.posts()).length;
  const answer = await press(
    place,
    { type: 'Action.Execute', ...actionOf(card, 'score') },
    { replyToId: activityId },
  );
  expect(answer).toMatchObject({ statusCode: 200, type: cardType, value: { body: [{ text: 'answered' }] } });
  expect(clicked).toMatchObject([
    { action: { verb: 'score', tenant: contoso }, inputs: {}, who: { oid: ana.oid } },
  ]);
  expect((await rig.posts()).slice(before)).toEqual([]);
  // The answer's own buttons work too.
  const again = await press(place, actionOf(answer.value as CardData, 'score'));
  expect(again.type).toBe(cardType);
});

test("what is one person's answer is never posted, whoever clicks after a card with refresh (F6)", async () => {
  const place = await channel();
  await grant(bo.oid);
  const { card, activityId } = await cardIn(place);
  const action = actionOf(card, 'score');
  const people = [ana, bo, ana, bo];
  const before = (await rig.posts()).length;
  for (const [at, person] of people.entries()) {
    // The first answer carries `refresh`: in teams-ai that made every later one public.
    const data = { verb: 'score', tenant: contoso };
    const refresh = { action: { type: 'Action.Execute', verb: 'score', data }, userIds: [ana.teamsId] };
    respond = async (_, who) => ({
      card: { ...scoreCard(`private to ${who.oid}`), ...(at === 0 ? { refresh } : {}) },
      text: 'x',
      to: 'caller',
      tenants: [contoso],
    });
    const from = { id: person.teamsId, name: person.name, aadObjectId: person.oid };
    const answer = await press(place, action, { from, replyToId: activityId });
    expect(answer).toMatchObject({ type: cardType, value: { body: [{ text: `private to ${person.oid}` }] } });
  }
  expect((await rig.posts()).slice(before)).toEqual([]);
});

test('an answer for the conversation replaces the card for everybody as well', async () => {
  const place = await channel();
  const { card, activityId } = await cardIn(place);
  respond = async () => ({
    card: scoreCard('for all'),
    text: 'for all',
    to: 'conversation',
    tenants: [contoso],
  });
  await press(place, actionOf(card, 'score'), { replyToId: activityId });
  const last = (await rig.posts(String(place.id))).at(-1);
  expect(last).toMatchObject({ kind: 'update', activityId, targeted: false });
});

test('a role that was taken away between post and click is missing at the click', async () => {
  const place = await channel();
  const { card } = await cardIn(place);
  await rig.store.people.removeGrants(rig.home, ana.oid);
  const answer = await press(place, actionOf(card, 'score'));
  expect(answer.type).toBe(textType);
  expect(clicked).toEqual([]);
});

test('a person without the role cannot use what another person got', async () => {
  const place = await channel();
  const { card } = await cardIn(place);
  const from = { id: bo.teamsId, name: bo.name, aadObjectId: bo.oid };
  expect((await press(place, actionOf(card, 'sync'), { from })).type).toBe(textType);
  expect(clicked).toEqual([]);
});

test('a card does not work in another conversation, nor after its channel got a guest', async () => {
  const place = await channel();
  const other = await channel();
  const { card } = await cardIn(place);
  await cardIn(other);
  expect((await press(other, actionOf(card, 'score'))).type).toBe(textType);
  const members = [
    { aadObjectId: ana.oid, id: ana.teamsId },
    { aadObjectId: randomUUID(), userRole: 'guest' },
  ];
  await rig.sandbox.control('POST', '/_sandbox/conversations', { id: place.id, kind: 'channel', members });
  await rig.post(
    rig.activity({
      type: 'conversationUpdate',
      text: undefined,
      conversation: place,
      membersAdded: [{ id: '29:g' }],
    }),
  );
  expect((await press(place, actionOf(card, 'score'))).type).toBe(textType);
  expect(clicked).toEqual([]);
});

const bent: { name: string; bend(action: Action): unknown }[] = [
  { name: 'another verb beside the signature', bend: (action) => ({ ...action, verb: 'sync' }) },
  {
    name: 'another verb inside',
    bend: ({ data, verb }) => ({ verb, data: { wp: { ...(data.wp as object), verb: 'sync' } } }),
  },
  {
    name: 'another tenant inside',
    bend: ({ data, verb }) => ({ verb, data: { wp: { ...(data.wp as object), tenant: rig.home } } }),
  },
  { name: 'the clear form', bend: () => ({ verb: 'score', data: { verb: 'score', tenant: contoso } }) },
  { name: 'no data', bend: () => ({ verb: 'score' }) },
  { name: 'null as data', bend: () => ({ verb: 'score', data: null }) },
  { name: 'a list as data', bend: () => ({ verb: 'score', data: [] }) },
  { name: 'a verb of the prototype', bend: () => ({ verb: '__proto__', data: {} }) },
  { name: 'a verb nobody knows', bend: () => ({ verb: 'launch', data: {} }) },
  { name: 'no verb', bend: () => ({ data: {} }) },
  { name: 'a number as verb', bend: () => ({ verb: 7, data: {} }) },
  { name: 'no action', bend: () => undefined },
  { name: 'null as action', bend: () => null },
];
test.each(bent)('$name gets a friendly sentence, never an error, and does nothing', async ({ bend }) => {
  const place = await channel();
  const { card } = await cardIn(place);
  const answer = await press(place, bend(actionOf(card, 'score')));
  expect(answer).toMatchObject({
    statusCode: 200,
    type: textType,
    value: expect.stringMatching(/^This card is from/),
  });
  expect(clicked).toEqual([]);
});

test('a verb we signed but do not know any more is an old card', async () => {
  const place = await channel();
  const { card } = await cardIn(place);
  expect(await press(place, actionOf(card, 'unknown'))).toMatchObject({ statusCode: 200, type: textType });
});

test('what was typed into the card reaches the handler as bounded text', async () => {
  const place = await channel();
  const { card } = await cardIn(place);
  const action = actionOf(card, 'score');
  const data = {
    ...action.data,
    note: 'because',
    many: ['a'],
    long: 'x'.repeat(5000),
    verb: 'sync',
    tenant: 'evil',
  };
  await press(place, { ...action, data });
  expect(clicked).toMatchObject([
    { action: { verb: 'score', tenant: contoso }, inputs: { note: 'because' } },
  ]);
  expect(Object.keys(clicked[0]?.inputs ?? {}).sort()).toEqual(['note', 'tenant', 'verb']);
});

test('fifty clicks of one delivery are one effect and get the same answer', async () => {
  const place = await channel();
  const { card } = await cardIn(place);
  const activity = click(place, actionOf(card, 'sync'), { id: randomUUID() });
  const answers = await Promise.all(Array.from({ length: 50 }, () => rig.post(activity)));
  expect(clicked).toHaveLength(1);
  for (const answer of answers) expect(answer).toMatchObject({ status: 200, body: { type: cardType } });
});

test('a handler that fails says so in one sentence with the id of the log', async () => {
  const place = await channel();
  const { card } = await cardIn(place);
  respond = async () => {
    throw new Error('mongodb://secret');
  };
  const answer = await press(place, actionOf(card, 'score'));
  const problem = /problem ([\w-]{8})/.exec(String(answer.value))?.[1];
  expect(rig.lines.some(({ fields }) => fields.problem === problem)).toBe(true);
  expect(String(answer.value)).not.toContain('mongodb');
});

test('a slow handler is not waited for longer than Teams waits', async () => {
  const place = await channel();
  const { card } = await cardIn(place);
  let release: () => void = () => undefined;
  respond = async () => {
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    return { text: 'late', to: 'caller', tenants: [] };
  };
  const started = performance.now();
  const answer = await press(place, actionOf(card, 'score'));
  expect(performance.now() - started).toBeLessThan(5000);
  expect(answer).toMatchObject({ statusCode: 200, type: textType });
  release();
});

test('a private card answers its person only, and its update stays private', async () => {
  const place = await channel();
  const recipient = { id: `28:${rig.botId}`, isTargeted: true };
  const { card, activityId } = await cardIn(place, { recipient });
  await grant(bo.oid);
  const from = { id: bo.teamsId, name: bo.name, aadObjectId: bo.oid };
  expect((await press(place, actionOf(card, 'score'), { from })).type).toBe(textType);
  respond = async () => ({ card: scoreCard('new'), text: 'new', to: 'conversation', tenants: [contoso] });
  expect((await press(place, actionOf(card, 'score'), { replyToId: activityId })).type).toBe(cardType);
  const last = (await rig.posts(String(place.id))).at(-1);
  expect(last).toMatchObject({ kind: 'update', activityId, targeted: true });
});

test('data of a tenant the person may not see does not come back on a click either', async () => {
  const place = await channel();
  const { card } = await cardIn(place);
  respond = async () => ({
    card: scoreCard('of another'),
    text: 'secret',
    to: 'caller',
    tenants: [rig.home],
  });
  const answer = await press(place, actionOf(card, 'score'));
  expect(answer.type).toBe(textType);
  expect(JSON.stringify(answer)).not.toContain('secret');
});

test.each([
  { name: 'composeExtension/query', has: 'composeExtension' },
  { name: 'composeExtension/queryLink', has: 'composeExtension' },
  { name: 'composeExtension/anonymousQueryLink', has: 'composeExtension' },
  { name: 'composeExtension/selectItem', has: 'composeExtension' },
  { name: 'composeExtension/fetchTask', has: 'task' },
  { name: 'composeExtension/submitAction', has: 'task' },
  { name: 'task/fetch', has: 'task' },
  { name: 'task/submit', has: 'task' },
  { name: 'config/fetch', has: 'config' },
  { name: 'tab/fetch', has: 'tab' },
  { name: 'application/search', has: 'value' },
  { name: 'message/submitAction', has: undefined },
  { name: 'fileConsent/invoke', has: undefined },
  { name: 'signin/verifyState', has: undefined },
  { name: 'signin/tokenExchange', has: undefined },
  { name: 'handoff/action', has: undefined },
  { name: 'something/new', has: undefined },
  { name: '__proto__', has: undefined },
  { name: undefined, has: undefined },
])('invoke $name gets a polite answer, never 501', async ({ name, has }) => {
  const place = { id: 'a:invokes', conversationType: 'personal', tenantId: rig.home };
  for (const value of [undefined, null, 'text', 7, [], {}, { action: 'accept' }]) {
    const answer = await rig.post(
      rig.activity({ type: 'invoke', name, value, text: undefined, conversation: place }),
    );
    expect(answer.status).toBe(200);
    if (has === undefined) expect(answer.body).toEqual({});
    else expect(answer.body).toHaveProperty(has);
  }
});
