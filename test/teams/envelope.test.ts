import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseActivity } from '../../bot/teams/activity.ts';
import { parseCommand } from '../../shared/command.ts';
import { count, seed, seeded } from '../support/counts.ts';
import { openRig, postRaw, type Rig } from './rig.ts';

/** Activities that no Teams would send (security.md §2.4): an answer, never 500, never none. */

let rig: Rig;
let good: string;
beforeAll(async () => {
  rig = await openRig({
    commands: {
      parseCommand,
      changesSomething: () => false,
      runCommand: async () => ({ text: 'fine', to: 'conversation', tenants: [] }),
      cardActions: {},
    },
  });
  await rig.sandbox.control('POST', '/_sandbox/limits', { off: true });
  good = await rig.sandbox.token({ for: 'bot' });
});
afterAll(() => rig.close());

const deep = (levels: number): unknown => {
  let value: unknown = 'x';
  for (let at = 0; at < levels; at += 1) value = [value];
  return value;
};

const rows: { name: string; changes: Record<string, unknown>; status: number }[] = [
  { name: 'no type', changes: { type: undefined }, status: 400 },
  { name: 'type null', changes: { type: null }, status: 400 },
  { name: 'type a number', changes: { type: 5 }, status: 400 },
  { name: 'type empty', changes: { type: '' }, status: 400 },
  { name: 'type unknown', changes: { type: 'launchRocket' }, status: 200 },
  { name: 'type __proto__', changes: { type: '__proto__' }, status: 200 },
  { name: 'a message without an id', changes: { id: undefined }, status: 400 },
  { name: 'an invoke without an id', changes: { type: 'invoke', id: null }, status: 400 },
  { name: 'an update without an id', changes: { type: 'conversationUpdate', id: undefined }, status: 200 },
  { name: 'an id of a megabyte, cut to what fits', changes: { id: 'x'.repeat(100_000) }, status: 400 },
  {
    name: 'an id of dots',
    changes: { conversation: { id: '..', conversationType: 'personal' } },
    status: 400,
  },
  {
    name: 'an id that ends in half a character',
    changes: { conversation: { id: '19:x\ud800', conversationType: 'personal' } },
    status: 400,
  },
  { name: 'a sender with NUL in the id', changes: { from: { id: '29:\u0000' } }, status: 400 },
  { name: 'no conversation', changes: { conversation: undefined }, status: 400 },
  { name: 'conversation null', changes: { conversation: null }, status: 400 },
  { name: 'conversation a list', changes: { conversation: [] }, status: 400 },
  { name: 'conversation without id', changes: { conversation: { tenantId: 'x' } }, status: 400 },
  {
    name: 'conversation of an unknown kind',
    changes: { conversation: { id: 'a', conversationType: 'planet' } },
    status: 400,
  },
  { name: 'no sender', changes: { from: undefined }, status: 200 },
  { name: 'sender null', changes: { from: null }, status: 200 },
  { name: 'sender a list', changes: { from: [] }, status: 400 },
  { name: 'sender without id', changes: { from: { name: 'x' } }, status: 400 },
  { name: 'no recipient', changes: { recipient: undefined }, status: 200 },
  { name: 'another recipient', changes: { recipient: { id: '28:other' } }, status: 200 },
  { name: 'no channelData', changes: { channelData: undefined }, status: 200 },
  { name: 'channelData text', changes: { channelData: 'x' }, status: 400 },
  { name: 'tenant a list', changes: { channelData: { tenant: [] } }, status: 200 },
  { name: 'text null', changes: { text: null }, status: 200 },
  { name: 'text a number', changes: { text: 7 }, status: 400 },
  { name: 'text of 200 KB', changes: { text: 'score '.repeat(34_000) }, status: 200 },
  { name: 'text of lone surrogates', changes: { text: '\ud800score\udfff' }, status: 200 },
  { name: 'text with NUL', changes: { text: 'score\u0000contoso' }, status: 200 },
  { name: 'entities text', changes: { entities: 'x' }, status: 400 },
  {
    name: 'entities full of nonsense',
    changes: { entities: [null, 7, [], { type: 'mention' }, { type: 'mention', mentioned: null }] },
    status: 200,
  },
  { name: '1,001 entities', changes: { entities: Array(1001).fill({ type: 'x' }) }, status: 400 },
  { name: 'value null in a message', changes: { value: null }, status: 200 },
  { name: 'value of 20 levels', changes: { value: deep(20) }, status: 200 },
  { name: 'value of 40 levels', changes: { value: deep(40) }, status: 400 },
  {
    name: 'a timestamp that is none',
    changes: { timestamp: 'yesterday', localTimestamp: 7, expiration: {} },
    status: 200,
  },
  { name: 'a timestamp of the far future', changes: { timestamp: '9999-12-31T23:59:59Z' }, status: 200 },
  { name: 'delivery mode expectReplies', changes: { deliveryMode: 'expectReplies' }, status: 200 },
  {
    name: 'members added that are none',
    changes: { type: 'conversationUpdate', membersAdded: 'x' },
    status: 400,
  },
  { name: 'an unknown event', changes: { type: 'event', name: 'x', value: {} }, status: 200 },
  {
    name: 'a reaction',
    changes: { type: 'messageReaction', reactionsAdded: [{ type: 'like' }] },
    status: 200,
  },
  {
    name: 'an invoke with null as value',
    changes: { type: 'invoke', name: 'adaptiveCard/action', value: null },
    status: 200,
  },
];
test.each(rows)('$name is answered with $status', async ({ changes, status }) => {
  const answer = await rig.post(rig.activity(changes));
  expect(answer.status).toBe(status);
  expect(answer.text).not.toMatch(/ at .*\.(ts|js):\d+|node_modules/);
});

const bodies: { name: string; body: string | Buffer; status: number }[] = [
  { name: 'nothing', body: '', status: 400 },
  { name: 'blanks', body: '   ', status: 400 },
  { name: 'null', body: 'null', status: 401 },
  { name: 'a number', body: '7', status: 401 },
  { name: 'a list', body: '[]', status: 401 },
  { name: 'text', body: '"x"', status: 401 },
  { name: 'half an object', body: '{"type":"message"', status: 400 },
  { name: 'an object and more', body: '{} {}', status: 400 },
  { name: 'bytes that are no UTF-8', body: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), status: 400 },
  { name: 'NaN', body: '{"a":NaN}', status: 400 },
  { name: 'a comment', body: '{/*x*/}', status: 400 },
];
test.each(bodies)('a body that is $name is answered with $status', async ({ body, status }) => {
  const headers = ['content-type', 'application/json', 'authorization', `Bearer ${good}`];
  const answer = await postRaw(`${rig.url}/api/messages`, headers, body);
  expect(answer.status).toBe(status);
  expect(answer.body).toMatchObject({ status, id: expect.any(String) });
});

test('a prototype in the body changes nothing', async () => {
  const text = JSON.stringify(rig.activity()).replace(
    '{',
    '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},',
  );
  expect((await rig.post(text)).status).toBe(200);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

test('duplicate members: the last counts, as the token check and the turn see the same body', async () => {
  const text = JSON.stringify(rig.activity()).replace(/}$/, ',"serviceUrl":"https://evil.example/"}');
  expect((await rig.post(text)).status).toBe(401);
});

test('random damage to activities never ends in 500 and never hangs', async () => {
  const random = seeded();
  const statuses = new Map<number, number>();
  const values: unknown[] = [
    null,
    undefined,
    0,
    -1,
    Number.POSITIVE_INFINITY,
    '',
    'x',
    [],
    {},
    [[]],
    true,
    '\u0000',
    '__proto__',
    'constructor',
  ];
  for (let at = 0; at < count(400, 20_000); at += 1) {
    const type = ['message', 'invoke', 'conversationUpdate', 'installationUpdate'][Math.floor(random() * 4)];
    const activity = rig.activity({
      type,
      id: `fuzz${at}`,
      name: 'adaptiveCard/action',
      action: 'add',
      value: { action: { verb: 'x', data: { wp: {} } } },
      entities: [{ type: 'mention', text: 'x', mentioned: { id: 'y' } }],
      membersAdded: [{ id: 'z' }],
    });
    for (let blow = 0; blow <= random() * 3; blow += 1) damage(activity, random, values);
    const answer = await rig.post(activity);
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    if (![200, 400, 401].includes(answer.status)) {
      throw new Error(`seed ${seed}, number ${at}: ${answer.status} for ${JSON.stringify(activity)}`);
    }
  }
  // The damage reached every stage.
  expect([...statuses.keys()].sort()).toEqual([200, 400, 401]);
  expect(
    rig.lines.filter(({ level, message }) => level === 'error' && message === 'turn ended early'),
  ).toEqual([]);
}, 300_000);

function damage(target: Record<string, unknown>, random: () => number, values: unknown[]): void {
  const names = Object.keys(target);
  const name = names[Math.floor(random() * names.length)] ?? 'type';
  const inner = target[name];
  if (typeof inner === 'object' && inner !== null && !Array.isArray(inner) && random() < 0.6) {
    damage(inner as Record<string, unknown>, random, values);
  } else target[name] = values[Math.floor(random() * values.length)];
}

test('a parsed activity holds only what was looked at', () => {
  const turn = parseActivity({
    type: 'message',
    id: '1',
    channelId: 'msteams',
    serviceUrl: 'https://x/',
    conversation: { id: 'a:1', conversationType: 'personal', tenantId: 'x', isAdmin: true },
    from: { id: '29:x', aadObjectId: '0A4E8D52-19C7-4B3F-A6D0-72F5B8C1E931', role: 'Admin' },
    grants: ['Admin'],
  });
  expect(turn?.from).toEqual({ id: '29:x', oid: '0a4e8d52-19c7-4b3f-a6d0-72f5b8c1e931', name: '' });
  expect(JSON.stringify(turn)).not.toMatch(/Admin/);
});
