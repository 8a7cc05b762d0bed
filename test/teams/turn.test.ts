import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { WatchpostError } from '../../bot/errors.ts';
import type { Place, Reply } from '../../bot/services.ts';
import type { Commands } from '../../bot/teams/turn-kit.ts';
import type { Caller } from '../../shared/access.ts';
import { type Command, parseCommand } from '../../shared/command.ts';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { ana, bo, openRig, type Rig, serviceUrl, until } from './rig.ts';

let rig: Rig;
let ran: { command: Command; who: Caller; where: Place }[] = [];
/** What the next commands do; each test says. */
let respond: (command: Command, who: Caller, where: Place) => Promise<Reply>;
const contoso = tenantId('1c0a9e44-0f1f-4d4e-9f6a-3b8a9c2d7e10') as TenantId;

const commands: Commands = {
  parseCommand,
  changesSomething: (command) => command.kind === 'sync',
  async runCommand(command, who, where) {
    ran.push({ command, who, where });
    return await respond(command, who, where);
  },
  cardActions: {},
};

beforeAll(async () => {
  rig = await openRig({ commands });
  await rig.sandbox.control('POST', '/_sandbox/limits', { off: true });
});
afterAll(() => rig.close());
beforeEach(() => {
  ran = [];
  respond = async (command) => ({ text: `answer to ${command.kind}`, to: 'conversation', tenants: [] });
});

function mention(): Record<string, unknown> {
  return {
    type: 'mention',
    text: '<at>Watchpost</at>',
    mentioned: { id: `28:${rig.botId}`, name: 'Watchpost' },
  };
}

let places = 0;
/** A conversation of its own for one test, known to Teams with the five people of home unless said otherwise. */
async function conversation(
  kind: 'groupChat' | 'channel',
  members?: Record<string, unknown>[],
  hostTenant?: string,
): Promise<Record<string, unknown>> {
  places += 1;
  const id = kind === 'channel' ? `19:channel${places}@thread.tacv2` : `19:group${places}@unq.gbl.spaces`;
  await rig.sandbox.control('POST', '/_sandbox/conversations', { id, kind, members, hostTenant });
  return { id, conversationType: kind, tenantId: rig.home, isGroup: true };
}

test('a message in a personal chat is answered there', async () => {
  const personal = { id: 'a:straight', conversationType: 'personal', tenantId: rig.home };
  const answer = await rig.post(rig.activity({ text: 'score', conversation: personal }));
  expect(answer).toMatchObject({ status: 200, text: '' });
  const [post] = await rig.posts('a:straight');
  expect(post?.activity).toMatchObject({
    type: 'message',
    text: 'answer to ranking',
    textFormat: 'markdown',
  });
  expect(ran[0]).toMatchObject({
    who: { tid: rig.home, oid: ana.oid, home: true, disabled: false, grants: [] },
    where: { kind: 'personal', audience: { kind: 'personal', oid: ana.oid, tid: rig.home } },
  });
});

test('who has written in a personal chat can be named by address; Teams is asked once', async () => {
  const id = 'a:personal-of-bo';
  const address = 'bo@fourthcoffee.example';
  const member = { id: bo.teamsId, aadObjectId: bo.oid, name: bo.name, tenantId: rig.home, address };
  await rig.sandbox.control('POST', '/_sandbox/conversations', { id, kind: 'personal', members: [member] });
  const from = { id: bo.teamsId, name: bo.name, aadObjectId: bo.oid };
  const conversation = { id, conversationType: 'personal', tenantId: rig.home };
  await rig.post(rig.activity({ from, conversation }));
  const home = tenantId(rig.home) as TenantId;
  const [found] = await until(async () => {
    const known = await rig.store.people.byAddress(home, address);
    return known.length === 0 ? undefined : known;
  });
  expect(found).toMatchObject({ tid: rig.home, oid: bo.oid, grants: [] });
  const askedFor = async (): Promise<number> =>
    (await rig.sandbox.requests()).filter((one) => JSON.stringify(one).includes('pagedmembers')).length;
  const before = await askedFor();
  expect(before).toBeGreaterThan(0);
  await rig.post(rig.activity({ from, conversation }));
  await rig.door.idle();
  expect(await askedFor()).toBe(before);
});

test('a mention in a channel is stripped and answered in its thread; the channel of our own people is internal', async () => {
  const channel = await conversation('channel');
  const thread = `${String(channel.id)};messageid=17`;
  const text = '<at>Watchpost</at>&nbsp; score “Contoso Ltd”';
  await rig.post(rig.activity({ text, entities: [mention()], conversation: { ...channel, id: thread } }));
  expect(ran).toMatchObject([
    {
      command: { kind: 'score', tenant: 'Contoso Ltd' },
      where: { kind: 'channel', audience: { kind: 'internal' } },
    },
  ]);
  expect(await rig.posts(thread)).toMatchObject([{ activity: { text: 'answer to score' }, targeted: false }]);
});

test('what is not said to us is dropped unread: nothing runs, nothing is stored, nobody is asked', async () => {
  const group = await conversation('groupChat');
  const before = (await rig.sandbox.requests()).length;
  const others = { type: 'mention', text: '<at>Bo</at>', mentioned: { id: bo.teamsId } };
  for (const entities of [undefined, null, [], [others]]) {
    const answer = await rig.post(rig.activity({ text: 'score contoso', entities, conversation: group }));
    expect(answer.status).toBe(200);
  }
  expect(ran).toEqual([]);
  expect(await rig.store.places.get(String(group.id))).toBeNull();
  expect((await rig.sandbox.requests()).length).toBe(before);
});

test.each([{ times: 1 }, { times: 2 }, { times: 5 }])(
  'an activity delivered $times times at once is done once',
  async ({ times }) => {
    const id = randomUUID();
    const personal = { id: `a:${id}`, conversationType: 'personal', tenantId: rig.home };
    const activity = rig.activity({ id, text: 'score', conversation: personal });
    const answers = await Promise.all(Array.from({ length: times }, () => rig.post(activity)));
    expect(answers.map((one) => one.status)).toEqual(Array(times).fill(200));
    expect(ran).toHaveLength(1);
    expect(await rig.posts(`a:${id}`)).toHaveLength(1);
  },
);

test('what changes something is done once over two instances with one store', async () => {
  // The other instance has been told already: only the store knows.
  const id = randomUUID();
  const second = await openRig({ commands, sandbox: rig.sandbox });
  const shared: Pick<typeof rig.store, 'inbound'> = { inbound: rig.store.inbound };
  Object.assign(second.services.store, shared);
  try {
    const personal = { id: `a:${id}`, conversationType: 'personal', tenantId: rig.home };
    const activity = rig.activity({ id, text: 'sync contoso', conversation: personal });
    await Promise.all([rig.post(activity), second.post(activity), rig.post(activity), second.post(activity)]);
    expect(ran).toHaveLength(1);
    expect(await rig.posts(`a:${id}`)).toHaveLength(1);
  } finally {
    await second.close();
  }
});

test('a slow command is answered to Teams after 3 s at the latest and goes on', async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  respond = async () => {
    await held;
    return { text: 'at last', to: 'conversation', tenants: [] };
  };
  const personal = { id: 'a:slow', conversationType: 'personal', tenantId: rig.home };
  const started = performance.now();
  await rig.post(rig.activity({ conversation: personal, text: 'score' }));
  const waited = performance.now() - started;
  expect(waited).toBeGreaterThan(2500);
  expect(waited).toBeLessThan(4500);
  let idle = false;
  const stopping = rig.door.idle(5000).then(() => {
    idle = true;
  });
  expect(idle).toBe(false);
  release();
  await stopping;
  const said = (await rig.posts('a:slow')).filter((one) => one.activity?.type === 'message');
  expect(said).toMatchObject([{ activity: { text: 'at last' } }]);
});

test('typing shows in every conversation of several slow turns, and never after the answer', async () => {
  const chats = ['a:typing1', 'a:typing2', 'a:typing3'];
  respond = async () => {
    await until(async () => {
      const typing = await Promise.all(
        chats.map(
          async (id) => (await rig.posts(id)).filter((one) => one.activity?.type === 'typing').length,
        ),
      );
      return typing.every((seen) => seen >= 1) ? true : undefined;
    });
    return { text: 'done', to: 'conversation', tenants: [] };
  };
  const started = performance.now();
  await Promise.all(
    chats.map((id) =>
      rig.post(
        rig.activity({
          text: 'score',
          conversation: { id, conversationType: 'personal', tenantId: rig.home },
        }),
      ),
    ),
  );
  expect(performance.now() - started).toBeLessThan(3000);
  // Were a timer left over, it would show within its two seconds.
  await new Promise((resolve) => setTimeout(resolve, 2300));
  for (const id of chats) {
    const kinds = (await rig.posts(id)).map((one) => one.activity?.type);
    expect(kinds.at(-1)).toBe('message');
    expect(kinds.filter((kind) => kind === 'message')).toHaveLength(1);
  }
});

test('a quick answer shows no typing at all', async () => {
  const personal = { id: 'a:quick', conversationType: 'personal', tenantId: rig.home };
  await rig.post(rig.activity({ conversation: personal, text: 'score' }));
  expect((await rig.posts('a:quick')).map((one) => one.activity?.type)).toEqual(['message']);
});

test('asked privately, answered privately: typing and answer are targeted', async () => {
  const channel = await conversation('channel');
  respond = async () => {
    await until(async () => ((await rig.posts(String(channel.id))).length > 0 ? true : undefined));
    return { text: 'for you', to: 'caller', tenants: [] };
  };
  const recipient = { id: `28:${rig.botId}`, isTargeted: true };
  await rig.post(rig.activity({ text: '/score contoso', recipient, conversation: channel }));
  const posts = await rig.posts(String(channel.id));
  expect(posts.map((one) => one.activity?.type)).toEqual(['typing', 'message']);
  for (const post of posts) {
    expect(post.targeted).toBe(true);
    expect(post.activity?.recipient).toEqual({ id: ana.teamsId, isTargeted: true });
  }
});

test.each([
  { status: 404, code: 'BotNotInConversationRoster' },
  { status: 400, code: 'BadArgument' },
])(
  'when targeting fails with $status the answer goes to the person alone, never into the channel',
  async ({ status, code }) => {
    const channel = await conversation('channel');
    const path = `/emea/v3/conversations/${encodeURIComponent(String(channel.id))}/activities`;
    await rig.sandbox.control('POST', '/_sandbox/faults', { path, method: 'POST', status, code });
    try {
      const before = (await rig.posts()).length;
      const recipient = { id: `28:${rig.botId}`, isTargeted: true };
      await rig.post(rig.activity({ text: '/score contoso', recipient, conversation: channel }));
      const fresh = (await rig.posts()).slice(before);
      expect(fresh).toMatchObject([{ targeted: false, activity: { text: 'answer to score' } }]);
      expect(fresh[0]?.conversation).toMatch(/^a:/);
      expect(await rig.posts(String(channel.id))).toEqual([]);
    } finally {
      await rig.sandbox.control('DELETE', '/_sandbox/faults');
    }
  },
);

test.each([500, 503, 403])('when targeting fails with %i nothing is said anywhere else', async (status) => {
  const channel = await conversation('channel');
  const path = `/emea/v3/conversations/${encodeURIComponent(String(channel.id))}/activities`;
  await rig.sandbox.control('POST', '/_sandbox/faults', { path, method: 'POST', status });
  try {
    const before = (await rig.posts()).length;
    const recipient = { id: `28:${rig.botId}`, isTargeted: true };
    await rig.post(rig.activity({ text: '/score contoso', recipient, conversation: channel }));
    expect((await rig.posts()).slice(before)).toEqual([]);
  } finally {
    await rig.sandbox.control('DELETE', '/_sandbox/faults');
  }
});

test('a handler that fails is told as one sentence with an id that is in the log, and nothing of its message', async () => {
  respond = async () => {
    throw new WatchpostError('store', 'Contoso: mongodb://user:pass@db is down', { hint: 'secret hint' });
  };
  const personal = { id: 'a:fails', conversationType: 'personal', tenantId: rig.home };
  await rig.post(rig.activity({ conversation: personal, text: 'score' }));
  const said = String((await rig.posts('a:fails'))[0]?.activity?.text);
  const problem = /problem ([\w-]{8})\.$/.exec(said)?.[1];
  expect(problem).toBeDefined();
  expect(said).not.toMatch(/mongodb|Contoso|secret/);
  const line = rig.lines.find(({ fields }) => fields.problem === problem);
  expect(line).toMatchObject({ level: 'error', fields: { code: 'store' }, message: 'turn failed' });
});

test('when the store is gone a person hears so, and Teams gets its 200', async () => {
  const personal = { id: 'a:storeless', conversationType: 'personal', tenantId: rig.home };
  const { people } = rig.services.store;
  const broken = new WatchpostError('store', 'gone');
  Object.assign(rig.services.store, { people: { ...people, seen: () => Promise.reject(broken) } });
  try {
    expect((await rig.post(rig.activity({ conversation: personal, text: 'score' }))).status).toBe(200);
  } finally {
    Object.assign(rig.services.store, { people });
  }
  expect((await rig.posts('a:storeless')).map((one) => one.activity?.text)).toEqual([
    expect.stringMatching(/^Something went wrong on our side\./),
  ]);
});

test('a person without an object id gets one sentence and no command runs', async () => {
  const personal = { id: 'a:nobody', conversationType: 'personal', tenantId: rig.home };
  for (const aadObjectId of [undefined, null, '', 'not-a-guid', "' or 1=1"]) {
    await rig.post(rig.activity({ conversation: personal, from: { id: '29:x', name: 'X', aadObjectId } }));
  }
  expect(ran).toEqual([]);
  expect(await rig.posts('a:nobody')).toHaveLength(5);
});

test('each turn is one line of the log, without text, name or conversation', async () => {
  const before = rig.lines.length;
  const personal = { id: 'a:logged', conversationType: 'personal', tenantId: rig.home };
  const text = 'score canary-text-of-a-person';
  await rig.post(
    rig.activity({
      conversation: personal,
      text,
      from: { id: '29:canary-id', name: 'Canary Name', aadObjectId: ana.oid },
    }),
  );
  const lines = rig.lines.slice(before);
  expect(lines.filter(({ message }) => message === 'turn')).toHaveLength(1);
  expect(JSON.stringify(lines)).not.toMatch(/canary|Canary|a:logged/);
  expect(rig.turns.at(-1)).toEqual({ kind: 'score', outcome: 'answered' });
});

// ------------------------------------------------------------------------------------------------ tenants

test.each([
  { name: 'an unknown tenant', tenant: contoso, other: contoso },
  { name: 'two different tenants', tenant: undefined, other: contoso },
  { name: 'no tenant in channelData', tenant: undefined, other: undefined },
  { name: 'a tenant that is no id', tenant: 'home', other: 'home' },
])('$name: one refusal, one audit line, nothing stored, nothing run', async ({ name, tenant, other }) => {
  const id = `a:stranger ${name}`;
  const strange = (text: string) =>
    rig.activity({
      text,
      conversation: { id, conversationType: 'personal', tenantId: tenant ?? rig.home },
      channelData: other === undefined ? {} : { tenant: { id: other } },
    });
  const audited = (await rig.store.audit.list({ limit: 100 })).rows.length;
  for (let at = 0; at < 4; at += 1) expect((await rig.post(strange(`help ${at}`))).status).toBe(200);
  expect(ran).toEqual([]);
  expect((await rig.posts(id)).map((one) => one.activity?.text)).toEqual([
    'Watchpost is not set up for your organisation.',
  ]);
  expect(await rig.store.places.get(id)).toBeNull();
  const rows = (await rig.store.audit.list({ limit: 100 })).rows;
  expect(rows.length - audited).toBeLessThanOrEqual(1);
});

test('people of a connected tenant are let in as people of that tenant', async () => {
  const { scopeOfSystem } = await import('../../shared/access.ts');
  const at = rig.services.now();
  await rig.store.tenants.save(scopeOfSystem(), {
    id: contoso,
    name: 'Contoso',
    domain: 'contoso.com',
    domains: ['contoso.com'],
    opaque: 1,
    connectedAt: at,
    health: { state: 'waiting', since: at, cause: '', remedy: '' },
    datasets: {},
    licences: { entraP1: { known: false, why: '' }, entraP2: { known: false, why: '' }, skus: [] },
  });
  const personal = { id: 'a:contoso', conversationType: 'personal', tenantId: contoso };
  await rig.post(rig.activity({ conversation: personal, channelData: { tenant: { id: contoso } } }));
  expect(ran).toMatchObject([{ who: { tid: contoso, home: false } }]);
});

test('a foreign member of a shared channel belongs to the own tenant, whatever tenant hosts the channel', async () => {
  const foreign = {
    aadObjectId: 'c0ffee00-0f1f-4d4e-9f6a-3b8a9c2d7e10',
    id: '29:foreign',
    tenantId: contoso,
  };
  const channel = await conversation('channel', [{ aadObjectId: ana.oid, id: ana.teamsId }, foreign]);
  await rig.store.places.save({
    conversationId: String(channel.id),
    kind: 'channel',
    serviceUrl,
    hostTenantId: rig.home,
    seenAt: rig.services.now(),
  });
  await rig.store.places.bind(String(channel.id), { kind: 'customer', tenant: contoso });
  const from = { id: foreign.id, name: 'Fred', aadObjectId: foreign.aadObjectId };
  await rig.post(rig.activity({ from, entities: [mention()], conversation: channel }));
  await rig.post(rig.activity({ entities: [mention()], conversation: channel }));
  expect(ran.map(({ who, where }) => [who.tid, who.home, where.audience])).toEqual([
    [contoso, false, { kind: 'customer', tenant: contoso }],
    [rig.home, true, { kind: 'customer', tenant: contoso }],
  ]);
});

test('a person whose tenant Teams does not tell is not remembered as one of ours', async () => {
  const conversation = {
    id: '19:nobody-knows@thread.tacv2',
    conversationType: 'channel',
    tenantId: rig.home,
  };
  const from = { id: '29:unlisted', name: 'Una', aadObjectId: randomUUID() };
  await rig.post(rig.activity({ from, entities: [mention()], conversation }));
  expect(ran).toMatchObject([{ where: { audience: { kind: 'unbound' } }, who: { grants: [] } }]);
  expect(await rig.store.people.get(tenantId(rig.home) as TenantId, from.aadObjectId)).toBeNull();
});

// ------------------------------------------------------------------------------------------------ arrivals

test('an installation is greeted once, however it is told', async () => {
  const personal = { id: 'a:install', conversationType: 'personal', tenantId: rig.home };
  const bot = { id: `28:${rig.botId}` };
  const install = (id: string) =>
    rig.activity({ type: 'installationUpdate', action: 'add', id, conversation: personal, text: undefined });
  const added = (id: string) =>
    rig.activity({
      type: 'conversationUpdate',
      membersAdded: [bot],
      id,
      conversation: personal,
      text: undefined,
    });
  await Promise.all([
    rig.post(install('i1')),
    rig.post(added('c1')),
    rig.post(install('i1')),
    rig.post(added('c2')),
  ]);
  await rig.post(install('i2'));
  expect((await rig.posts('a:install')).map((one) => one.activity?.text)).toEqual(['answer to help']);
});

test('a team gets one post in the channel it was added to, naming who added us, and nobody a private one', async () => {
  const general = await conversation('channel');
  const selected = await conversation('channel');
  const before = (await rig.posts()).length;
  const channelData = {
    tenant: { id: rig.home },
    team: { id: general.id },
    settings: { selectedChannel: { id: selected.id } },
  };
  const from = { id: ana.teamsId, name: 'Ana [x](http://evil.example) Reyes', aadObjectId: ana.oid };
  await rig.post(
    rig.activity({ type: 'installationUpdate', action: 'add', conversation: general, channelData, from }),
  );
  const fresh = (await rig.posts()).slice(before);
  expect(fresh.map((one) => one.conversation)).toEqual([selected.id]);
  expect(String(fresh[0]?.activity?.text)).toMatch(/^Ana .*Reyes added Watchpost to this team\./);
  expect(String(fresh[0]?.activity?.text)).toContain(
    'watch contoso tells this channel when its score falls.',
  );
  expect(String(fresh[0]?.activity?.text)).toContain('Ana \\[x\\](');
});

test('a guest who comes is known at once, and when the guest has gone the channel is internal again', async () => {
  const channel = await conversation('channel');
  const ask = () => rig.post(rig.activity({ entities: [mention()], conversation: channel }));
  const tell = (changes: object) =>
    rig.post(
      rig.activity({ type: 'conversationUpdate', text: undefined, conversation: channel, ...changes }),
    );
  await ask();
  const guest = { id: '29:guest', aadObjectId: randomUUID(), userRole: 'guest' };
  const members = [{ aadObjectId: ana.oid, id: ana.teamsId }];
  const set = (list: object[]) =>
    rig.sandbox.control('POST', '/_sandbox/conversations', {
      id: channel.id,
      kind: 'channel',
      members: list,
    });
  await set([...members, guest]);
  await tell({ membersAdded: [{ id: guest.id }] });
  await ask();
  await set(members);
  await tell({ membersRemoved: [{ id: guest.id }] });
  await ask();
  expect(ran.map(({ where }) => where.audience.kind)).toEqual(['internal', 'unbound', 'internal']);
});

test.each([
  { event: { eventType: 'channelShared' } },
  { event: { eventType: 'channelUnshared' } },
  { event: { eventType: 'channelMemberAdded' } },
  { event: { eventType: 'teamRenamed' } },
])('after $event.eventType the members are read again', async ({ event }) => {
  const channel = await conversation('channel');
  await rig.post(rig.activity({ entities: [mention()], conversation: channel }));
  expect((await rig.store.places.get(String(channel.id)))?.roster).toBeDefined();
  await rig.post(
    rig.activity({
      type: 'conversationUpdate',
      text: undefined,
      conversation: channel,
      channelData: { tenant: { id: rig.home }, channel: { id: channel.id }, ...event },
    }),
  );
  expect((await rig.store.places.get(String(channel.id)))?.roster).toBeUndefined();
});

test('where we were removed nothing about tenants goes any more', async () => {
  const channel = await conversation('channel');
  await rig.post(rig.activity({ entities: [mention()], conversation: channel }));
  await rig.post(
    rig.activity({ type: 'installationUpdate', action: 'remove', text: undefined, conversation: channel }),
  );
  expect(await rig.store.places.get(String(channel.id))).toMatchObject({ removed: true });
  const where = ran[0]?.where as Place;
  const who = ran[0]?.who as Caller;
  const delivery = await rig.sender.send(where, { text: 'x', to: 'conversation', tenants: [contoso] }, who);
  expect(delivery.kind).toBe('withheld');
});
