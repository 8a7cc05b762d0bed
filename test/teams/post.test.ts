import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { CardData, News, Place } from '../../bot/services.ts';
import { parseCommand } from '../../shared/command.ts';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { ana, bo, openRig, type Rig, serviceUrl } from './rig.ts';

/** News through the gate, judged by what the sandbox's connector really took. */

let rig: Rig;
const [contoso, fabrikam] = ['00000001', '00000002'].map((at) =>
  tenantId(`${at}-0f1f-4d4e-9f6a-3b8a9c2d7e10`),
) as [TenantId, TenantId];
const finding = { id: 'f-1', generation: 1, transition: 'opened' };
const card: CardData = {
  type: 'AdaptiveCard',
  version: '1.5',
  fallbackText: 'Contoso fell',
  body: [{ type: 'TextBlock', text: 'Contoso fell' }],
  actions: [
    {
      type: 'Action.Execute',
      title: 'Acknowledge',
      verb: 'acknowledge',
      data: { verb: 'acknowledge', tenant: contoso },
    },
  ],
};

beforeAll(async () => {
  rig = await openRig({
    commands: {
      parseCommand,
      changesSomething: () => false,
      runCommand: async () => ({ text: '', to: 'caller', tenants: [] }),
      cardActions: {},
    },
  });
});
afterAll(() => rig.close());

type Spot = Omit<Place, 'audience'>;
async function place(
  changes: { kind?: Place['kind']; binding?: TenantId; guest?: boolean } = {},
): Promise<Spot> {
  const kind = changes.kind ?? 'channel';
  const id = `19:${randomUUID()}@thread.tacv2`;
  const members = [
    { aadObjectId: ana.oid, id: ana.teamsId },
    { aadObjectId: bo.oid, id: bo.teamsId },
    ...(changes.guest ? [{ aadObjectId: randomUUID(), userRole: 'guest' }] : []),
  ];
  await rig.sandbox.control('POST', '/_sandbox/conversations', { id, kind, members });
  const row = { conversationId: id, kind, serviceUrl, hostTenantId: rig.home };
  await rig.store.places.save({ ...row, seenAt: rig.services.now() });
  if (changes.binding !== undefined)
    await rig.store.places.bind(id, { kind: 'customer', tenant: changes.binding });
  return { ...row, targeted: false, personTeamsId: '' };
}
function news(change: Partial<News> = {}): News {
  return { text: 'Contoso fell', tenants: [contoso], findings: [finding], ...change };
}

test.each([
  { where: 'our own channel', changes: {}, says: 'sent' },
  { where: 'our own group chat', changes: { kind: 'groupChat' as const }, says: 'sent' },
  { where: 'a channel with a guest', changes: { guest: true }, says: 'withheld' },
  { where: "the customer's channel", changes: { binding: contoso }, says: 'sent' },
  { where: "another customer's channel", changes: { binding: fabrikam }, says: 'withheld' },
  { where: 'a personal chat', changes: { kind: 'personal' as const }, says: 'withheld' },
])('news in $where is $says', async ({ changes, says }) => {
  const at = await place(changes);
  expect((await rig.sender.post(at, news())).kind).toBe(says);
  expect(await rig.posts(at.conversationId)).toHaveLength(says === 'sent' ? 1 : 0);
});

test('news of nobody, and of two customers in the place of one, goes nowhere', async () => {
  const at = await place({ binding: contoso });
  expect((await rig.sender.post(at, news({ tenants: [] }))).kind).toBe('withheld');
  expect((await rig.sender.post(at, news({ tenants: [contoso, fabrikam] }))).kind).toBe('withheld');
  expect(await rig.posts(at.conversationId)).toEqual([]);
});

test('a card names its findings, is signed for the place, can be drawn anew and answered in its thread', async () => {
  const at = await place();
  const sent = await rig.sender.post(at, news({ card, repeated: true }));
  if (sent.kind !== 'sent') throw new Error(sent.kind);
  await rig.sender.post(at, news({ card, replaces: sent.activityId }));
  const thread = { ...at, conversationId: `${at.conversationId};messageid=${sent.activityId}` };
  await rig.sender.post(thread, news({ text: 'worse' }));
  const posts = (await rig.posts()).filter((post) => post.conversation.startsWith(at.conversationId));
  expect(posts.map(({ kind, activityId }) => [kind, activityId === sent.activityId])).toEqual([
    ['create', true],
    ['update', true],
    ['create', false],
  ]);
  expect(posts[2]?.conversation).toBe(thread.conversationId);
  expect(posts[0]?.activity?.channelData).toEqual({ watchpost: { findings: [finding], repeated: true } });
  expect(posts[1]?.activity?.channelData).toEqual({ watchpost: { findings: [finding] } });
  expect(posts[0]?.activity?.summary).toBe('Contoso fell');
  const [attached] = (posts[0]?.activity?.attachments ?? []) as {
    content: { actions: { data: unknown }[] };
  }[];
  const verified = rig.cards.verify(
    attached?.content.actions[0]?.data,
    { conversationId: thread.conversationId, audience: { kind: 'internal' } },
    Date.now(),
  );
  expect(verified).toMatchObject({ kind: 'ok', action: { verb: 'acknowledge', tenant: contoso } });
});

test('a card too large for every client goes as text with the way to the rest', async () => {
  const at = await place();
  const body = [{ type: 'TextBlock', text: 'x'.repeat(29_000) }];
  expect((await rig.sender.post(at, news({ card: { ...card, body } }))).kind).toBe('sent');
  const [post] = await rig.posts(at.conversationId);
  expect(post?.activity?.attachments).toBeUndefined();
  expect(post?.activity?.text).toMatch(/Open in Watchpost/);
});

test('members that cannot be read are no reason to give up, and one attempt is one', async () => {
  const at = await place();
  await rig.sandbox.control('POST', '/_sandbox/faults', {
    path: '/v3/conversations/',
    method: 'GET',
    status: 500,
    times: 1,
  });
  expect((await rig.sender.post(at, news())).kind).toBe('unreachable');
  const other = await place();
  await rig.sandbox.control('POST', '/_sandbox/faults', {
    path: '/v3/conversations/',
    method: 'POST',
    status: 502,
    accept: true,
    times: 1,
  });
  expect((await rig.sender.post(other, news())).kind).toBe('ambiguous');
  expect(await rig.posts(other.conversationId)).toHaveLength(1);
});

test('who has lost the right to send learns it right before the wire', async () => {
  const at = await place();
  expect((await rig.sender.post(at, news(), () => false)).kind).toBe('unreachable');
  expect(await rig.posts(at.conversationId)).toEqual([]);
});

test('the bot leaves a team and comes back: what its channels asked for ends and goes on', async () => {
  const [team, ops] = [await place(), await place()];
  const channelData = { tenant: { id: rig.home }, team: { id: team.conversationId } };
  for (const { conversationId } of [team, ops]) {
    const { kind: _, ...rest } = team;
    await rig.store.places.save({
      ...rest,
      conversationId,
      kind: 'channel',
      teamId: team.conversationId,
      seenAt: rig.services.now(),
    });
    await rig.store.subscriptions.change(conversationId, () => ({
      conversationId,
      tenants: 'all',
      thresholds: [],
      serviceUrl,
      hostTenantId: rig.home,
      kind: 'channel',
      by: ana.name,
      since: rig.services.now(),
    }));
  }
  const tell = (change: Record<string, unknown>) =>
    rig.post(
      rig.activity({
        conversation: { id: team.conversationId, conversationType: 'channel', tenantId: rig.home },
        channelData,
        text: undefined,
        ...change,
      }),
    );
  const live = async () => (await rig.store.subscriptions.all()).map((row) => row.conversationId).sort();
  const both = [team.conversationId, ops.conversationId].sort();
  expect(await live()).toEqual(both);

  expect((await tell({ type: 'installationUpdate', action: 'remove' })).status).toBe(200);
  expect(await live()).toEqual([]);
  expect((await rig.sender.post(ops, news())).kind).toBe('withheld');
  await tell({ type: 'installationUpdate', action: 'add' });
  expect(await live()).toEqual(both);
  expect((await rig.sender.post(ops, news())).kind).toBe('sent');

  const channel = { id: ops.conversationId };
  await tell({
    type: 'conversationUpdate',
    channelData: { ...channelData, channel, eventType: 'channelDeleted' },
  });
  expect(await live()).toEqual([team.conversationId]);
  await tell({ type: 'installationUpdate', action: 'add' });
  expect(await live()).toEqual([team.conversationId]);
});
