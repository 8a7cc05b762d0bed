import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { type Sandbox, startSandbox } from '../support/sandbox.ts';
import { ask, openPoster } from './talk.ts';

/** The connector: whom it lets in, what it writes down, and the published limits. */

let sandbox: Sandbox;
let poster: Awaited<ReturnType<typeof openPoster>>;
beforeAll(async () => {
  sandbox = await startSandbox();
  poster = await openPoster(sandbox);
});
afterAll(() => sandbox.stop());
afterEach(() => sandbox.control('DELETE', '/_sandbox/faults'));

const hello = { type: 'message', text: 'hello' };
const ana = { id: '29:demo-ana', name: 'Ana Reyes', isTargeted: true };

test('what is posted, answered, changed and deleted stands in the ledger, in order', async () => {
  const at = 'a:ledger';
  const first = await poster.send('POST', at, 'activities', hello);
  expect(first).toMatchObject({ status: 201, body: { id: expect.any(String) } });
  const id = String(first.body.id);
  await poster.send('POST', at, `activities/${id}`, { ...hello, text: 'in its thread' });
  await poster.send('PUT', at, `activities/${id}`, { ...hello, text: 'changed' });
  await poster.send('DELETE', at, `activities/${id}`);
  expect((await poster.send('PUT', at, `activities/${id}`, hello)).body).toMatchObject({
    error: { code: 'ActivityNotFoundInConversation' },
  });
  const posts = await sandbox.posts(`?conversation=${encodeURIComponent(at)}`);
  expect(posts.map(({ kind, activity, replyTo, status }) => [kind, activity?.text, replyTo, status])).toEqual(
    [
      ['create', 'hello', undefined, 201],
      ['create', 'in its thread', id, 201],
      ['update', 'changed', undefined, 200],
      ['delete', undefined, undefined, 200],
    ],
  );
});

test.each<{ name: string; claims?: Record<string, unknown>; sign?: 'right' | 'wrong'; status: number }>([
  { name: 'a token for Graph', status: 401 },
  {
    name: 'a signature of somebody else',
    claims: { aud: 'https://api.botframework.com' },
    sign: 'wrong',
    status: 401,
  },
  { name: 'the token of another app', claims: { aud: 'https://api.botframework.com' }, status: 403 },
])('$name is $status and writes nothing', async ({ claims = {}, sign = 'right', status }) => {
  const before = (await sandbox.posts()).length;
  const token = await sandbox.token({ for: 'app', tenant: 'contoso.com', claims, sign });
  const answer = await ask(
    sandbox,
    'POST',
    'https://smba.trafficmanager.net/emea/v3/conversations/a:x/activities',
    {
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(hello),
    },
  );
  expect(answer.status).toBe(status);
  expect(await sandbox.posts()).toHaveLength(before);
});

test.each([
  { name: 'no recipient', kind: 'channel', activity: hello, status: 400, code: 'BadArgument' },
  {
    name: 'a stranger',
    kind: 'channel',
    activity: { ...hello, recipient: { ...ana, id: '29:nobody' } },
    status: 404,
    code: 'BotNotInConversationRoster',
  },
  {
    name: 'a personal chat',
    kind: 'personal',
    activity: { ...hello, recipient: ana },
    status: 400,
    code: 'BadArgument',
  },
  {
    name: 'a member',
    kind: 'groupChat',
    activity: { ...hello, recipient: ana },
    status: 201,
    code: undefined,
  },
])('a targeted post to $name in a $kind is $status', async ({ name, kind, activity, status, code }) => {
  const id = `19:targeted ${name}`;
  await sandbox.control('POST', '/_sandbox/conversations', { id, kind });
  const answer = await poster.send('POST', id, 'activities?isTargetedActivity=true', activity);
  expect(answer.status).toBe(status);
  if (code !== undefined) expect(answer.body).toMatchObject({ error: { code } });
  const posts = await sandbox.posts(`?conversation=${encodeURIComponent(id)}`);
  expect(posts.map((post) => post.targeted)).toEqual(status === 201 ? [true] : []);
});

test('a targeted update must not name its reader', async () => {
  const id = '19:targeted update';
  await sandbox.control('POST', '/_sandbox/conversations', { id, kind: 'groupChat' });
  const made = await poster.send('POST', id, 'activities?isTargetedActivity=true', {
    ...hello,
    recipient: ana,
  });
  const path = `activities/${String(made.body.id)}?isTargetedActivity=true`;
  expect((await poster.send('PUT', id, path, { ...hello, recipient: ana })).status).toBe(400);
  expect((await poster.send('PUT', id, path, hello)).status).toBe(200);
});

test('a roster is what the test said, in pages, with roles and tenants', async () => {
  const [contoso] = sandbox.info.tenants;
  const guest = '44444444-4444-4444-8444-444444444444';
  const members = Array.from({ length: 5 }, (_, at) => ({
    aadObjectId: `55555555-5555-4555-8555-55555555555${at}`,
    name: `Person ${at}`,
  }));
  await sandbox.control('POST', '/_sandbox/conversations', {
    id: '19:roster',
    kind: 'channel',
    hostTenant: 'contoso.com',
    members: [...members, { aadObjectId: guest, id: '29:guest', name: 'Guest', userRole: 'guest' }],
  });
  const first = await poster.send('GET', '19:roster;messageid=1', 'pagedmembers?pageSize=4');
  expect(first.body.members).toHaveLength(4);
  const second = await poster.send(
    'GET',
    '19:roster',
    `pagedmembers?pageSize=4&continuationToken=${first.body.continuationToken}`,
  );
  expect(second.body).not.toHaveProperty('continuationToken');
  expect(second.body.members).toEqual([
    expect.objectContaining({ tenantId: contoso?.id, userRole: 'user' }),
    expect.objectContaining({ id: '29:guest', aadObjectId: guest, userRole: 'guest' }),
  ]);
  expect((await poster.send('GET', '19:roster', `members/${guest}`)).body).toMatchObject({ name: 'Guest' });
  expect((await poster.send('GET', '19:roster', 'members/29:else')).status).toBe(404);
  expect((await poster.send('GET', '19:nobody knows', 'pagedmembers')).status).toBe(404);
});

test('a new chat and a new channel post get ids that can be used', async () => {
  const chat = await poster.create({
    isGroup: false,
    members: [{ id: '29:demo-bo' }],
    tenantId: sandbox.info.apps.bot.tenantId,
  });
  expect(chat.status).toBe(201);
  expect((await poster.send('POST', String(chat.body.id), 'activities', hello)).status).toBe(201);
  const post = await poster.create({
    isGroup: true,
    channelData: { channel: { id: '19:new@thread.tacv2' } },
    activity: hello,
  });
  expect(String(post.body.id)).toBe(`19:new@thread.tacv2;messageid=${String(post.body.activityId)}`);
  expect(
    (await poster.send('PUT', String(post.body.id), `activities/${String(post.body.activityId)}`, hello))
      .status,
  ).toBe(200);
});

test('the eighth in a second is sent away; threads count with their channel, others by themselves', async () => {
  const answers = await Promise.all(
    Array.from({ length: 9 }, (_, at) =>
      poster.send('POST', `19:quick;messageid=${at % 2}`, 'activities', hello),
    ),
  );
  expect(answers.filter((one) => one.status === 201)).toHaveLength(7);
  const refused = answers.find((one) => one.status === 429);
  expect(Number(refused?.headers['retry-after'])).toBeGreaterThan(0);
  expect((await poster.send('POST', '19:calm', 'activities', hello)).status).toBe(201);
  expect(await sandbox.posts('?conversation=19%3Aquick%3Bmessageid%3D0')).toHaveLength(4);
});

test('with the limits lifted nothing is sent away, with them back it is', async () => {
  await sandbox.control('POST', '/_sandbox/limits', { off: true });
  const many = await Promise.all(
    Array.from({ length: 40 }, () => poster.send('POST', '19:bench', 'activities', hello)),
  );
  expect(new Set(many.map((one) => one.status))).toEqual(new Set([201]));
  await sandbox.control('POST', '/_sandbox/limits', { off: false });
  const again = await Promise.all(
    Array.from({ length: 9 }, () => poster.send('POST', '19:bench 2', 'activities', hello)),
  );
  expect(again.filter((one) => one.status === 429)).toHaveLength(2);
});

test.each<{ name: string; fault: Record<string, unknown>; taken: number }>([
  { name: 'fails', fault: { status: 502 }, taken: 0 },
  { name: 'takes the post and fails', fault: { status: 502, accept: true }, taken: 1 },
  { name: 'takes the post and cuts the line', fault: { reset: true, accept: true }, taken: 1 },
  { name: 'cuts the line', fault: { reset: true }, taken: 0 },
])('a connector that $name has taken $taken', async ({ name, fault, taken }) => {
  await sandbox.control('POST', '/_sandbox/faults', { path: '/v3/conversations', times: 1, ...fault });
  const id = `19:fault ${name}`;
  const told = await poster.send('POST', id, 'activities', hello).then(
    (answer) => answer.status,
    () => 0,
  );
  expect(told).toBe(fault.reset ? 0 : 502);
  const posts = await sandbox.posts(`?conversation=${encodeURIComponent(id)}`);
  expect(posts.map((post) => post.status)).toEqual(taken === 0 ? [] : [told]);
});

test.each([
  { name: 'over 100 KB', activity: { ...hello, text: 'x'.repeat(101 * 1024) }, status: 413 },
  { name: 'without a type', activity: { text: 'x' }, status: 400 },
])('an activity $name is $status', async ({ activity, status }) => {
  expect((await poster.send('POST', 'a:size', 'activities', activity)).status).toBe(status);
});
