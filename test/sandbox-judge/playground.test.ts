import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { demoHome, demoPeople } from '../../bot/cast.ts';
import { playgroundPlaces } from '../sandbox/playground.ts';
import { type Sandbox, startSandbox } from '../support/sandbox.ts';
import { ask, openPoster } from './talk.ts';

/** Microsoft's Agents Playground behind the relay, with a bot that repeats what it hears. */

type Activity = {
  type: string;
  text?: string;
  serviceUrl: string;
  from: { id: string; aadObjectId: string };
  conversation: { id: string };
};
type Heard = { activity: Activity; authorization: string };
let sandbox: Sandbox;
let stream: WebSocket;
const heard: Heard[] = [];
const answers: Promise<void>[] = [];
const shown: { type: string; payload: string }[] = [];

const bot = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const activity = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Activity;
  heard.push({ activity, authorization: String(request.headers.authorization) });
  if (activity.type === 'invoke') {
    // Not chained: restify, loaded by another test of this process, replaces writeHead by one that answers nothing.
    response.writeHead(418, { 'content-type': 'application/json' });
    response.end('{"from":"the bot"}');
    return;
  }
  response.writeHead(200);
  response.end();
  if (activity.type === 'message') answers.push(repeat(activity));
});

async function repeat(activity: Activity): Promise<void> {
  const poster = await openPoster(sandbox);
  await poster.send('POST', activity.conversation.id, 'activities', { type: 'typing' });
  const made = await poster.send('POST', activity.conversation.id, 'activities', {
    type: 'message',
    text: `you said ${activity.text}`,
  });
  await poster.send('PUT', activity.conversation.id, `activities/${made.body.id}`, {
    type: 'message',
    text: `you surely said ${activity.text}`,
  });
}

beforeAll(async () => {
  await new Promise<void>((resolve) => bot.listen(0, '127.0.0.1', resolve));
  const { port } = bot.address() as AddressInfo;
  sandbox = await startSandbox({ playground: true, bot: `http://127.0.0.1:${port}/api/messages` });
  stream = new WebSocket(
    `${String(sandbox.chat).replace('http', 'ws')}/_ws_conversation/v1/conversations/stream`,
  );
  stream.addEventListener('message', (event) => {
    const text = String(event.data);
    shown.push({ type: String((JSON.parse(text) as { type?: unknown }).type), payload: text });
  });
  await new Promise((resolve) => stream.addEventListener('open', resolve));
}, 40_000);
afterAll(async () => {
  await Promise.all(answers);
  stream.close();
  await sandbox.stop();
  bot.closeAllConnections();
  await new Promise((resolve) => bot.close(resolve));
});

async function until<T>(what: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const end = performance.now() + 10_000;
  for (;;) {
    const found = await what();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error('It did not happen within 10 s.');
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function say(conversation: string, text: string, mention: boolean): Promise<void> {
  const botId = `28:${sandbox.info.apps.bot.appId}`;
  const at = '<at>Watchpost</at>';
  const url = `${sandbox.chat}/_conversation/v1/conversations/${encodeURIComponent(conversation)}/messages`;
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      from: { id: demoPeople[0]?.teamsId },
      text: mention ? `${at} ${text}` : text,
      textFormat: 'plain',
      ...(mention ? { mentions: [{ mentioned: { id: botId }, text: at }] } : {}),
    }),
  });
  expect(answer.status).toBe(200);
}

test.each([
  { kind: 'personal', conversation: playgroundPlaces.personal, mention: false },
  { kind: 'groupChat', conversation: playgroundPlaces.group, mention: true },
  { kind: 'channel', conversation: playgroundPlaces.team, mention: true },
  { kind: 'channel', conversation: playgroundPlaces.channel, mention: true },
])(
  'in $conversation a word reaches the bot and its answer the page',
  async ({ kind, conversation, mention }) => {
    const word = `word of ${conversation}`;
    await say(conversation, word, mention);
    const { activity, authorization } = await until(() =>
      heard.find((one) => String(one.activity.text).includes(word)),
    );
    expect(activity).toMatchObject({
      channelId: 'msteams',
      serviceUrl: 'https://smba.trafficmanager.net/emea/',
      from: { id: demoPeople[0]?.teamsId, aadObjectId: demoPeople[0]?.oid },
      recipient: { id: `28:${sandbox.info.apps.bot.appId}` },
      conversation: { conversationType: kind, tenantId: demoHome.id },
      channelData: { tenant: { id: demoHome.id } },
    });
    const keys = await ask(sandbox, 'GET', 'https://login.botframework.com/v1/.well-known/keys');
    const { payload } = await jwtVerify(
      authorization.replace('Bearer ', ''),
      createLocalJWKSet(keys.body as unknown as JSONWebKeySet),
      { issuer: 'https://api.botframework.com', audience: sandbox.info.apps.bot.appId },
    );
    expect(payload.serviceurl).toBe(activity.serviceUrl);

    // The page shows it, and the ledger has it.
    await until(() =>
      shown.find((one) => one.payload.includes(`you surely said`) && one.payload.includes(word)),
    );
    const posts = await until(async () => {
      const all = (await sandbox.posts()).filter((post) => post.conversation === activity.conversation.id);
      return all.length >= 3 ? all : undefined;
    });
    expect(posts.map((post) => [post.kind, post.activity?.type])).toEqual([
      ['create', 'typing'],
      ['create', 'message'],
      ['update', 'message'],
    ]);
    const poster = await openPoster(sandbox);
    const roster = await poster.send('GET', activity.conversation.id, 'pagedmembers');
    expect(roster.body.members).toHaveLength(kind === 'personal' ? 1 : 6);
  },
);

test('the Playground listens on loopback only', async () => {
  const port = Number(new URL(String(sandbox.chat)).port);
  const others = Object.values(networkInterfaces())
    .flat()
    .filter((one) => one !== undefined && !one.internal && one.family === 'IPv4')
    .map((one) => one?.address ?? '');
  for (const host of ['127.0.0.1', ...others]) {
    const reached = await new Promise<boolean>((resolve) => {
      const socket = connect({ host, port, timeout: 2_000 });
      socket.once('connect', () => resolve(socket.destroy().destroyed));
      socket.once('error', () => resolve(false));
      socket.once('timeout', () => resolve(!socket.destroy().destroyed));
    });
    expect({ host, reached }).toEqual({ host, reached: host === '127.0.0.1' });
  }
});

test("the Playground's people are the relay's people", async () => {
  const config = (await (await fetch(`${sandbox.chat}/_internal/v1/testConfig`)).json()) as {
    config: {
      tenantId: string;
      currentUser: { aadObjectId: string };
      users: { id: string; aadObjectId: string }[];
    };
  };
  const { tenantId, currentUser, users } = config.config;
  expect(tenantId).toBe(demoHome.id);
  const known = new Map([currentUser, ...users].map((one) => [one.aadObjectId, true]));
  for (const person of demoPeople) expect(known.has(person.oid)).toBe(true);
});

function relay(activity: unknown, type = 'application/json') {
  return ask(sandbox, 'POST', `${sandbox.url}/relay/api/messages`, {
    headers: { 'content-type': type },
    body: JSON.stringify(activity),
  });
}

test('one line of text is enough for the relay; a stranger stays the same stranger', async () => {
  const first = heard.length;
  expect((await relay({ text: 'alone' })).status).toBe(200);
  expect(heard[first]?.activity).toMatchObject({
    type: 'message',
    from: { aadObjectId: demoPeople[0]?.oid },
  });
  await relay({ text: 'who', from: { id: '29:zoe', name: 'Zoe' } });
  await relay({ text: 'again', from: { id: '29:zoe', name: 'Zoe' } });
  const [one, other] = heard.slice(first + 1).map(({ activity }) => activity.from.aadObjectId);
  expect(one).toMatch(/^[0-9a-f-]{36}$/);
  expect(other).toBe(one);
});

test("status and body of the bot's answer come back as they are", async () => {
  expect(await relay({ type: 'invoke', name: 'adaptiveCard/action' })).toMatchObject({
    status: 418,
    body: { from: 'the bot' },
  });
  expect((await relay({ text: 'x' }, 'text/plain')).status).toBe(415);
});

test('the Playground ends with its sandbox, also when that is killed', async () => {
  const other = await startSandbox({ playground: true });
  expect((await fetch(`${other.chat}/_debug/ping`)).status).toBe(200);
  process.kill(other.pid, 'SIGKILL');
  await until(() =>
    fetch(`${other.chat}/_debug/ping`).then(
      () => undefined,
      () => true,
    ),
  );
  await other.stop();
});
