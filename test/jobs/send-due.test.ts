import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { WatchpostError } from '../../bot/errors.ts';
import { entriesFor } from '../../bot/jobs/entries-for.ts';
import { sendDue } from '../../bot/jobs/send-due.ts';
import type { OutboxEntry } from '../../bot/services.ts';
import { scopeOfSystem } from '../../shared/access.ts';
import type { Severity } from '../../shared/alerts/finding.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { Crash, changed, crashing } from '../store/faulty.ts';
import { type Sandbox, startSandbox } from '../support/sandbox.ts';
import { ana, bo } from '../teams/rig.ts';
import { fall, type HearRig, type Instance, judge, openHearRig } from './hear-rig.ts';

/** What waits is told to Teams over real HTTP; the sandbox's connector writes down what it took. */

const everything = scopeOfSystem();
let sandbox: Sandbox;
let rig: HearRig;
let one: Instance;
let tenant: TenantId;
let channel: string;
let n = 0;

beforeAll(async () => {
  sandbox = await startSandbox({ empty: true });
});
afterAll(() => sandbox.stop());
beforeEach(async () => {
  await rig?.close();
  await sandbox.control('DELETE', '/_sandbox/faults');
  rig = await openHearRig(sandbox);
  one = rig.instance('one');
  n += 1;
  tenant = await rig.tenant(1);
  channel = await rig.conversation(`channel-${n}`);
});
afterAll(() => rig?.close());

async function settledAs(conversation = channel) {
  return (await one.store.subscriptions.get(conversation))?.broken?.why;
}
async function posted(conversation = channel): Promise<string[]> {
  return (await rig.posts(conversation)).map((post) => {
    const data = post.activity?.channelData as { watchpost: { findings: { transition: string }[] } };
    const where = post.conversation.includes(';messageid=') ? ' in its thread' : '';
    return `${post.kind}${where} ${data.watchpost.findings.map(({ transition }) => transition)}`;
  });
}
async function fault(change: Record<string, unknown>): Promise<void> {
  await sandbox.control('POST', '/_sandbox/faults', { path: '/v3/conversations/', ...change });
}

test('one card; what becomes worse draws it anew and says so below it; what is over closes it', async () => {
  await rig.tell(one.store, tenant, fall.opened, [channel]);
  expect(await one.send()).toBe(1);
  expect(await one.send()).toBe(0);
  await rig.tell(one.store, tenant, fall.worsened, [channel]);
  await rig.tell(one.store, tenant, fall.resolved, [channel]);
  await one.send();
  expect(await posted()).toEqual([
    'create opened',
    'update worsened',
    'create in its thread worsened',
    'update resolved',
    'create in its thread resolved',
  ]);
  const ids = new Set(
    (await rig.posts(channel)).filter(({ kind }) => kind === 'update').map((p) => p.activityId),
  );
  expect(ids).toEqual(new Set([(await rig.posts(channel))[0]?.activityId]));
});

test('in a group chat the note is a message of its own; open again is another card', async () => {
  const chat = await rig.conversation(`chat-${n}`, { kind: 'groupChat' });
  for (const told of [fall.opened, fall.resolved, fall.reopened])
    await rig.tell(one.store, tenant, told, [chat]);
  await one.send();
  expect(await posted(chat)).toEqual([
    'create opened',
    'update resolved',
    'create resolved',
    'create reopened',
  ]);
});

test('acknowledged: the card is drawn anew and nothing else', async () => {
  const [entry] = await rig.tell(one.store, tenant, fall.opened, [channel]);
  await one.send();
  const refresh = {
    ...(entry as OutboxEntry),
    id: 'refresh',
    kind: 'refresh' as const,
    finding: { ...(entry as OutboxEntry).finding, transition: 'acknowledged' },
  };
  const kept = await one.store.findings.get(everything, tenant, refresh.finding.id);
  if (kept === null) throw new Error('no finding');
  await one.store.findings.save(everything, { ...kept.value, state: 'acknowledged' }, kept.revision, [
    refresh,
  ]);
  await one.send();
  expect(await posted()).toEqual(['create opened', 'update acknowledged']);
});

test.each([
  ['that somebody deleted', 404, 'ActivityNotFoundInConversation'],
  ['that Teams does not let be changed', 400, 'BadSyntax'],
  ['that has become too large', 413, 'MessageSizeTooBig'],
])('a card %s comes anew', async (_, status, code) => {
  await rig.tell(one.store, tenant, fall.opened, [channel]);
  await one.send();
  await fault({ method: 'PUT', status, code, times: 1 });
  await rig.tell(one.store, tenant, fall.worsened, [channel]);
  await one.send();
  expect(await posted()).toEqual(['create opened', 'create worsened']);
});

test('more than ten at once come as lists of at most thirty, and each is told', async () => {
  const wanted: OutboxEntry[] = [];
  for (let m = 1; m <= 64; m += 1)
    wanted.push(...(await rig.tell(one.store, await rig.tenant(m), fall.opened, [channel])));
  await one.send();
  const posts = await rig.posts(channel);
  expect(judge(posts, wanted)).toMatchObject({ wanted: 64, lost: [], repeated: 0 });
  expect(posts).toHaveLength(2 + 4);
  // Their end finds no card of its own to close.
  await rig.tell(one.store, tenant, fall.resolved, [channel]);
  await one.send();
  expect((await posted()).at(-1)).toBe('create resolved');
}, 30_000);

const guestsAreHere = 'guests or people of another organisation are here';

/** The guest goes, as Teams tells it. */
async function guestLeaves(conversation: string): Promise<void> {
  const members = [ana, bo].map(({ oid, teamsId }) => ({ aadObjectId: oid, id: teamsId }));
  await sandbox.control('POST', '/_sandbox/conversations', { id: conversation, kind: 'channel', members });
  await one.store.places.dropRoster(conversation);
}

test('a guest came: nothing is sent, it is said where people look, and it is told when the guest has gone', async () => {
  const mixed = await rig.conversation(`mixed-${n}`, { guest: true });
  const wanted = await rig.tell(one.store, tenant, fall.opened, [mixed]);
  await one.send();
  expect(await rig.posts(mixed)).toEqual([]);
  expect(await settledAs(mixed)).toBe(guestsAreHere);
  expect(await rig.wait(one.store)).toBe(false);
  const { rows: audit } = await one.store.audit.list({ limit: 5 });
  expect(audit).toContainEqual(
    expect.objectContaining({ what: 'gate', tenant, where: mixed, result: 'refused', who: 'watchpost' }),
  );
  // Looked at again, and the guest is still there: nothing is told, and nothing forgotten.
  await one.store.outbox.lookAgain();
  rig.clock.ahead += 700_000;
  await one.send();
  expect(await settledAs(mixed)).toBe(guestsAreHere);
  await guestLeaves(mixed);
  await one.send();
  expect(judge(await rig.posts(mixed), wanted)).toEqual({ wanted: 1, lost: [], repeated: 0, unlabelled: [] });
  expect(await posted(mixed)).toEqual(['create opened']);
  expect(await settledAs(mixed)).toBeUndefined();
});

test('what fell while a guest was there and is over when the guest goes comes whole; after 7 days it is no news', async () => {
  const [mixed, late] = [
    await rig.conversation(`mixed-${n}`, { guest: true }),
    await rig.conversation(`late-${n}`, { guest: true }),
  ];
  await rig.tell(one.store, tenant, fall.opened, [mixed, late]);
  await one.send();
  await rig.tell(one.store, tenant, fall.resolved, [mixed]);
  await one.send();
  await guestLeaves(mixed);
  await one.send();
  expect(await posted(mixed)).toEqual(['create opened', 'update resolved', 'create in its thread resolved']);
  rig.clock.ahead += 8 * 86_400_000;
  await guestLeaves(late);
  await one.send();
  expect(await posted(late)).toEqual([]);
});

test('bound to a customer: only the customer’s is told, the rest is held until it may go, and the mark stays till then', async () => {
  const other = await rig.tenant(2);
  const falls = [
    ...(await rig.tell(one.store, other, fall.opened, [channel])),
    ...(await rig.tell(one.store, tenant, fall.opened, [channel])),
  ];
  await one.store.places.bind(channel, { kind: 'customer', tenant });
  await one.send();
  expect(judge(await rig.posts(channel), falls)).toMatchObject({ lost: [expect.stringContaining(channel)] });
  expect(await rig.posts(channel)).toHaveLength(1);
  expect(await settledAs()).toBe('this conversation belongs to another customer');
  await rig.tell(one.store, tenant, fall.worsened, [channel]);
  await one.send();
  expect(await settledAs()).toBe('this conversation belongs to another customer');
  await one.store.places.bind(channel, { kind: 'internal' });
  await one.send();
  expect(judge(await rig.posts(channel), falls)).toMatchObject({ lost: [], repeated: 0 });
  expect(await settledAs()).toBeUndefined();
});

test('bound while many waited that would go together: the customer’s own is told all the same', async () => {
  const wanted: OutboxEntry[] = [];
  for (let m = 1; m <= 12; m += 1)
    wanted.push(...(await rig.tell(one.store, await rig.tenant(m), fall.opened, [channel])));
  await one.store.places.bind(channel, { kind: 'customer', tenant });
  await one.send();
  const own = wanted.filter(({ tenantId }) => tenantId === tenant);
  expect(judge(await rig.posts(channel), own)).toMatchObject({ lost: [] });
  expect(await rig.posts(channel)).toHaveLength(1);
  await one.store.places.bind(channel, undefined);
  await one.send();
  expect(judge(await rig.posts(channel), wanted)).toMatchObject({ lost: [], repeated: 0 });
});

test('who watches from a place that may not hear gets a row that is held there, not nothing', async () => {
  await one.store.places.bind(channel, { kind: 'customer', tenant: await rig.tenant(2) });
  const { transition } = fall.opened;
  const own = { ...transition, tenantId: tenant };
  const rows = await entriesFor([own], await one.store.subscriptions.all(), one.services);
  expect(rows.map(({ conversationId }) => conversationId)).toContain(channel);
});

/** An instance to which this happens when it has read who is in a place and writes that down. */
function whenRosterIsRead(id: string, happens: () => Promise<void>): Instance {
  return rig.instance(id, (engine) =>
    changed(engine, (inner, name) => ({
      async updateOne(...given) {
        if (name === 'places') await happens();
        return await inner.updateOne(...given);
      },
    })),
  );
}

test('what fails while it is looked who reads there is no attempt, and its message no repeat', async () => {
  const wanted = await rig.tell(one.store, tenant, fall.opened, [channel]);
  let away = true;
  const two = whenRosterIsRead('one', async () => {
    if (away) throw new WatchpostError('store', 'away');
  });
  await expect(two.send()).rejects.toMatchObject({ code: 'store' });
  away = false;
  await two.store.outbox.voidOwn();
  await two.send();
  const [post] = await rig.posts(channel);
  expect(judge(await rig.posts(channel), wanted)).toMatchObject({ lost: [], repeated: 0 });
  expect(JSON.stringify(post?.activity)).not.toContain('This may have reached you before');
});

test('members that take longer to read than the lease lasts are no attempt either', async () => {
  const wanted = await rig.tell(one.store, tenant, fall.opened, [channel]);
  const slow = whenRosterIsRead('slow', async () => {
    rig.clock.ahead += 61_000;
    await one.send();
  });
  await slow.send();
  expect(judge(await rig.posts(channel), wanted)).toMatchObject({ lost: [], repeated: 0 });
  expect(JSON.stringify(await rig.posts(channel))).not.toContain('This may have reached you before');
});

test('a store that fails when it was begun, before the wire, makes no repeat of it', async () => {
  const wanted = await rig.tell(one.store, tenant, fall.opened, [channel]);
  const { deliver } = one.services;
  let times = 0;
  const post: typeof deliver.post = async (place, news, isOurs, begin) => {
    times += 1;
    if (times > 1) return await deliver.post(place, news, isOurs, begin);
    await begin?.();
    throw new WatchpostError('store', 'away');
  };
  const services = { ...one.services, deliver: { ...deliver, post } };
  for (const round of [1, 2]) {
    const [lease] = await one.store.outbox.claimDue(1, 60_000);
    if (lease === undefined) throw new Error(`nothing was due in round ${round}`);
    await sendDue(lease, services).catch((error: unknown) => expect(error).toMatchObject({ code: 'store' }));
    await one.store.outbox.voidOwn();
  }
  expect(judge(await rig.posts(channel), wanted)).toMatchObject({ lost: [], repeated: 0 });
  expect(JSON.stringify(await rig.posts(channel))).not.toContain('This may have reached you before');
});

/** The same fall, and how bad it is. */
function asBad(severity: Severity): typeof fall.opened {
  const { finding, transition } = fall.opened;
  return { finding: { ...finding, severity }, transition: { ...transition, severity } };
}

test('what may have arrived and presses comes again soon, each by itself; the rest later and as a list', async () => {
  const [bad, little, less] = [tenant, await rig.tenant(2), await rig.tenant(3)] as const;
  await fault({ method: 'POST', status: 502, accept: true, times: 3 });
  const wanted = [
    ...(await rig.tell(one.store, bad, asBad('critical'), [channel])),
    ...(await rig.tell(one.store, little, asBad('low'), [channel])),
    ...(await rig.tell(one.store, less, asBad('medium'), [channel])),
  ];
  await one.send();
  expect(await posted()).toHaveLength(3);
  rig.clock.ahead += 31_000;
  await one.send();
  expect((await posted()).slice(3)).toEqual(['create opened']);
  rig.clock.ahead += 300_000;
  await one.send();
  expect((await posted()).slice(4)).toEqual(['create opened,opened']);
  expect(judge(await rig.posts(channel), wanted)).toEqual({
    wanted: 3,
    lost: [],
    repeated: 3,
    unlabelled: [],
  });
});

test.each([
  { severity: 'low', tries: 4, after: 'is given up, and the next good post heals the conversation', told: 0 },
  { severity: 'high', tries: 7, after: 'is tried again with the next news', told: 1 },
] as const)(
  'of unclear tries $tries for one that is $severity: then it $after',
  async ({ severity, tries, told }) => {
    await fault({ method: 'POST', status: 504, times: tries });
    const [unclear] = await rig.tell(one.store, tenant, asBad(severity), [channel]);
    for (let left = 20; left > 0 && (await one.send()) + Number(await rig.wait(one.store)) > 0; left -= 1);
    expect(one.statuses.filter((status) => status === 504)).toHaveLength(tries);
    expect(await settledAs()).toMatch(/did not say/);
    await rig.tell(one.store, await rig.tenant(2), fall.opened, [channel]);
    await one.send();
    const posts = await rig.posts(channel);
    expect(posts).toHaveLength(1 + told);
    expect(judge(posts, unclear === undefined ? [] : [unclear]).lost).toHaveLength(1 - told);
    expect(await settledAs()).toBeUndefined();
  },
  30_000,
);

test('given up in the same look in which the next one arrives: nothing is broken any more', async () => {
  await fault({ method: 'POST', status: 504, times: 4 });
  await rig.tell(one.store, tenant, asBad('low'), [channel]);
  for (let round = 1; round < 4; round += 1) {
    await one.send();
    await rig.wait(one.store);
  }
  await rig.tell(one.store, await rig.tenant(2), fall.opened, [channel]);
  await one.send();
  expect(await posted()).toEqual(['create opened']);
  expect(await settledAs()).toBeUndefined();
}, 30_000);

test('members that cannot be read are asked for again: nothing is lost by it', async () => {
  await fault({ method: 'GET', status: 503, times: 1 });
  const wanted = await rig.tell(one.store, tenant, fall.opened, [channel]);
  await one.send();
  expect(await rig.posts(channel)).toEqual([]);
  rig.clock.ahead += 60_000;
  await one.send();
  expect(judge(await rig.posts(channel), wanted)).toMatchObject({ lost: [], repeated: 0 });
});

test.each([403, 404])(
  'refused with %d: broken, told after the next installation, in order',
  async (status) => {
    await fault({ method: 'POST', status, code: 'BotNotInConversationRoster', times: 1 });
    await rig.tell(one.store, tenant, fall.opened, [channel]);
    await rig.tell(one.store, tenant, fall.worsened, [channel]);
    await one.send();
    expect(await settledAs()).toBe(`Teams said ${status} BotNotInConversationRoster.`);
    expect(await rig.wait(one.store)).toBe(false);
    await one.store.subscriptions.reinstalled(channel);
    expect(await settledAs()).toBeUndefined();
    await one.send();
    expect(await posted()).toEqual(['create opened', 'update worsened', 'create in its thread worsened']);
  },
);

test('broken, and the next news finds the way open: what was refused comes first', async () => {
  await fault({ method: 'POST', status: 403, times: 1 });
  await rig.tell(one.store, tenant, fall.opened, [channel]);
  await one.send();
  await rig.tell(one.store, tenant, fall.worsened, [channel]);
  await one.send();
  expect(await posted()).toEqual(['create opened', 'update worsened', 'create in its thread worsened']);
  expect(await settledAs()).toBeUndefined();
});

test('a token that is refused is exchanged, a card too large goes as text, 429 waits as long as Teams says', async () => {
  await fault({ method: 'POST', status: 401, times: 1 });
  await fault({ method: 'POST', status: 413, times: 1 });
  const large = await rig.tell(one.store, tenant, fall.opened, [channel]);
  await one.send();
  const [post] = await rig.posts(channel);
  expect(post?.activity?.attachments).toBeUndefined();
  expect(judge(await rig.posts(channel), large)).toMatchObject({ lost: [], repeated: 0 });

  await fault({ method: 'POST', status: 429, retryAfter: 20, times: 1 });
  const third = await rig.tell(one.store, await rig.tenant(3), fall.opened, [channel]);
  await one.send();
  rig.clock.ahead += 19_000;
  expect(await one.send()).toBe(0);
  rig.clock.ahead += 1_500;
  expect(await one.send()).toBe(1);
  expect(judge(await rig.posts(channel), third)).toMatchObject({ lost: [], repeated: 0 });
});

test('taken, and then an error: told once more after a while, with a word that it may be there already', async () => {
  await fault({ method: 'POST', status: 502, accept: true, times: 2 });
  const wanted = await rig.tell(one.store, tenant, fall.opened, [channel]);
  await one.send();
  expect(await one.send()).toBe(0);
  while (await rig.wait(one.store)) await one.send();
  expect(judge(await rig.posts(channel), wanted)).toEqual({
    wanted: 1,
    lost: [],
    repeated: 2,
    unlabelled: [],
  });
}, 30_000);

test('who does not say after six repeats is not asked any more', async () => {
  await fault({ method: 'POST', status: 504, times: 20 });
  await rig.tell(one.store, tenant, fall.opened, [channel]);
  const began = rig.clock.ahead;
  for (let left = 20; left > 0 && (await one.send()) + Number(await rig.wait(one.store)) > 0; left -= 1);
  expect(one.statuses.filter((status) => status === 504)).toHaveLength(7);
  expect(rig.clock.ahead - began).toBeLessThan(24 * 3_600_000);
  expect(await settledAs()).toMatch(/did not say/);
}, 30_000);

test('one who fell asleep with the lease sends nothing when he wakes up', async () => {
  await rig.tell(one.store, tenant, fall.opened, [channel]);
  const two = rig.instance('two');
  const [lease] = await one.store.outbox.claimDue(1, 60_000);
  if (lease === undefined) throw new Error('nothing was due');
  rig.clock.ahead += 61_000;
  expect(await two.send()).toBe(1);
  await sendDue(lease, one.services);
  expect(await posted()).toEqual(['create opened']);
});

test('removed while something waited: it ends, and is told when the bot is back', async () => {
  await rig.tell(one.store, tenant, fall.opened, [channel]);
  await one.store.places.markRemoved(channel);
  await one.store.subscriptions.end(channel);
  await one.send();
  expect(await rig.posts(channel)).toEqual([]);
  await one.store.places.markBack(channel);
  await one.store.subscriptions.reinstalled(channel);
  await one.send();
  expect(await posted()).toEqual(['create opened']);
});

test('who does not listen any more, or whose tenant is gone, hears nothing', async () => {
  await rig.tell(one.store, tenant, fall.opened, [channel]);
  await one.store.subscriptions.change(channel, (row) => row && { ...row, tenants: [] });
  await one.send();
  expect(await rig.posts(channel)).toEqual([]);
  expect(await rig.wait(one.store)).toBe(false);
});

test('what waits behind news of the same fall is not looked for again and again, nor holds back others', async () => {
  await fault({ method: 'POST', status: 502, times: 1 });
  await rig.tell(one.store, tenant, fall.opened, [channel]);
  await rig.tell(one.store, tenant, fall.worsened, [channel]);
  expect(await one.send()).toBe(1);
  expect(await one.send()).toBe(0);
  await rig.tell(one.store, await rig.tenant(2), fall.opened, [channel]);
  expect(await one.send()).toBe(1);
  expect(await one.send()).toBe(0);
  expect(await posted()).toEqual(['create opened']);
  await rig.wait(one.store);
  await one.send();
  expect((await posted()).slice(1)).toEqual([
    'create opened',
    'update worsened',
    'create in its thread worsened',
  ]);
});

test('taken right before a death, refused after it: what comes when the bot is back says that it may be there', async () => {
  const wanted = await rig.tell(one.store, tenant, fall.opened, [channel]);
  const [lease] = await one.store.outbox.claimDue(1, 60_000);
  if (lease === undefined) throw new Error('nothing was due');
  const settle = async (): Promise<boolean> => {
    throw new Error('killed');
  };
  const outbox = { ...one.store.outbox, settle };
  const dying = { ...one.services, store: { ...one.store, outbox } };
  await expect(sendDue(lease, dying)).rejects.toThrow('killed');
  rig.clock.ahead += 61_000;
  await fault({ method: 'POST', status: 403, times: 1 });
  await one.send();
  await one.store.subscriptions.reinstalled(channel);
  await one.send();
  const posts = await rig.posts(channel);
  expect(judge(posts, wanted)).toEqual({ wanted: 1, lost: [], repeated: 1, unlabelled: [] });
});

test('removed between two messages: what was not told yet is told when the bot is back', async () => {
  const wanted = [
    ...(await rig.tell(one.store, tenant, fall.opened, [channel])),
    ...(await rig.tell(one.store, await rig.tenant(2), fall.opened, [channel])),
  ];
  const { deliver } = one.services;
  const post: typeof deliver.post = async (...news) => {
    const delivery = await deliver.post(...news);
    await one.store.places.markRemoved(channel);
    await one.store.subscriptions.end(channel);
    return delivery;
  };
  const [lease] = await one.store.outbox.claimDue(1, 60_000);
  if (lease === undefined) throw new Error('nothing was due');
  await sendDue(lease, { ...one.services, deliver: { ...deliver, post } });
  await one.store.places.markBack(channel);
  await one.store.subscriptions.reinstalled(channel);
  await one.send();
  expect(judge(await rig.posts(channel), wanted)).toMatchObject({ wanted: 2, lost: [], repeated: 0 });
});

test('refused where more waits than is looked at together: all of it rests', async () => {
  const [first] = (await rig.tell(one.store, tenant, fall.opened, [channel])) as [OutboxEntry];
  const kept = await one.store.findings.get(everything, tenant, first.finding.id);
  if (kept === null) throw new Error('no finding');
  const more = Array.from({ length: 1_050 }, (_, at) => ({
    ...first,
    id: `more ${at}`,
    kind: 'worsened' as const,
    finding: { ...first.finding, transition: `worsened-${at + 2}` },
  }));
  await one.store.findings.save(everything, kept.value, kept.revision, more);
  await fault({ method: 'POST', status: 403, times: 100 });
  expect(await one.send()).toBe(1);
  expect(await one.send()).toBe(0);
  expect(one.statuses.filter((status) => status === 403)).toHaveLength(1);
}, 30_000);

test('acknowledged while it became worse: the card that is drawn anew does not go back to the first loss', async () => {
  const [opened] = (await rig.tell(one.store, tenant, fall.opened, [channel])) as [OutboxEntry];
  await one.send();
  await rig.tell(one.store, tenant, fall.worsened, [channel]);
  const kept = await one.store.findings.get(everything, tenant, opened.finding.id);
  if (kept === null) throw new Error('no finding');
  const late: OutboxEntry = { ...opened, id: 'refresh', kind: 'refresh' };
  await one.store.findings.save(everything, { ...kept.value, state: 'acknowledged' }, kept.revision, [late]);
  await one.send();
  const drawn = (await rig.posts(channel)).filter(({ kind }) => kind === 'update');
  expect(drawn.map(({ activity }) => /fell further/.test(JSON.stringify(activity)))).toEqual([true, true]);
});

test('a death at any write while the bot comes back loses nothing of what waits for it', async () => {
  for (let after = 1; after < 6; after += 1) {
    const back = await rig.conversation(`back-${n}-${after}`);
    const wanted = await rig.tell(one.store, await rig.tenant(10 + after), fall.opened, [back]);
    await one.store.places.markRemoved(back);
    await one.store.subscriptions.end(back);
    await one.send();
    await one.store.places.markBack(back);
    const dying = rig.instance(`dying ${after}`, (engine) => crashing(engine, after));
    await dying.store.subscriptions.reinstalled(back).catch((error: unknown) => {
      if (!(error instanceof Crash)) throw error;
    });
    // The first write alone wakes nobody: then it goes with what comes next.
    if (after === 1) wanted.push(...(await rig.tell(one.store, await rig.tenant(20), fall.opened, [back])));
    while ((await one.send()) > 0);
    expect({ after, ...judge(await rig.posts(back), wanted) }).toMatchObject({
      after,
      lost: [],
      repeated: 0,
    });
  }
});
