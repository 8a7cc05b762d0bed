import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { dropNews } from '../../bot/cards/drop.ts';
import { cardActions, changesSomething, runCommand } from '../../bot/commands/index.ts';
import type { CardData } from '../../bot/services.ts';
import { scopeOfJob } from '../../shared/access.ts';
import { parseCommand } from '../../shared/command.ts';
import { fallOf, falls } from '../cards/fallen.ts';
import { aTenant } from '../cards/samples.ts';
import { ana, bo, chidi, openRig, type Rig, serviceUrl } from './rig.ts';

/** What a channel hears, through the real door: typed, delivered twice, asked privately, and the button of a fall. */

let rig: Rig;
beforeAll(async () => {
  rig = await openRig({ commands: { parseCommand, runCommand, changesSomething, cardActions } });
  await rig.sandbox.control('POST', '/_sandbox/limits', { off: true });
  for (const [person, role] of [
    [ana, 'Admin'],
    [bo, 'Operator'],
    [chidi, 'Reader'],
  ] as const) {
    await rig.store.people.addGrant(rig.home, person.oid, person.name, {
      id: randomUUID(),
      role,
      scope: 'all',
      source: 'chat',
      by: 'a test',
      at: rig.services.now(),
    });
  }
});
afterAll(() => rig.close());

let count = 0;
let contoso = aTenant(1, 'Contoso Ltd');
let id = '';
let conversation: Record<string, unknown> = {};
/** A channel and a tenant of its own for each test. */
beforeEach(async () => {
  count += 1;
  contoso = aTenant(count, `Contoso ${count}`, {
    domain: `contoso${count}.com`,
    domains: [`contoso${count}.com`],
  });
  await rig.store.tenants.save(scopeOfJob(contoso.id), contoso);
  id = `19:hears${count}@thread.tacv2`;
  await rig.sandbox.control('POST', '/_sandbox/conversations', { id, kind: 'channel' });
  conversation = { id, conversationType: 'channel', tenantId: rig.home, isGroup: true };
});

function said(text: string, changes: object = {}): Record<string, unknown> {
  const entities = [{ type: 'mention', text: '<at>W</at>', mentioned: { id: `28:${rig.botId}` } }];
  return rig.activity({ text: `<at>W</at> ${text}`, entities, conversation, ...changes });
}

async function messages() {
  const all = (await rig.posts()).filter(({ conversation }) => conversation.startsWith(id));
  return all.filter(({ activity }) => activity?.type === 'message');
}

test('typed in a thread and delivered twice, it is confirmed once, in the thread, and heard in the channel', async () => {
  const thread = { ...conversation, id: `${id};messageid=1763715600000` };
  const activity = said(`watch ${contoso.domain}`, { conversation: thread });
  await rig.post(activity);
  await rig.post(activity);
  const posts = await messages();
  expect(posts).toHaveLength(1);
  expect(posts[0]).toMatchObject({ conversation: thread.id, kind: 'create', targeted: false });
  expect(JSON.stringify(posts[0]?.activity)).toContain(`This channel now watches ${contoso.name}`);
  expect(await rig.store.subscriptions.get(id)).toMatchObject({
    tenants: [contoso.id],
    kind: 'channel',
    serviceUrl,
    hostTenantId: rig.home,
    by: ana.name,
  });
  expect(await rig.store.subscriptions.get(thread.id)).toBeNull();
});

test('from the slash menu the answer is private, and the channel hears all the same', async () => {
  const recipient = { id: `28:${rig.botId}`, isTargeted: true };
  await rig.post(rig.activity({ text: `watch ${contoso.domain}`, conversation, recipient }));
  const posts = await messages();
  expect(posts.map(({ targeted }) => targeted)).toEqual([true]);
  expect(JSON.stringify(posts[0]?.activity)).toContain('Only you see this answer.');
  expect((await rig.store.subscriptions.get(id))?.tenants).toEqual([contoso.id]);
});

test('where a guest reads along nothing is watched, and the reason is given', async () => {
  const members = [
    { id: ana.teamsId, aadObjectId: ana.oid, name: ana.name, tenantId: rig.home, userRole: 'user' },
    { id: '29:guest', aadObjectId: randomUUID(), name: 'Guest', tenantId: contoso.id, userRole: 'guest' },
  ];
  id = `${id.slice(0, -13)}guests@thread.tacv2`;
  await rig.sandbox.control('POST', '/_sandbox/conversations', { id, kind: 'channel', members });
  conversation = { ...conversation, id };
  await rig.post(said(`watch ${contoso.domain}`));
  const [post] = await messages();
  expect(post?.activity?.text ?? JSON.stringify(post?.activity)).toContain('may not hear of tenants');
  expect(JSON.stringify(post?.activity)).not.toContain(contoso.name);
  expect(await rig.store.subscriptions.get(id)).toBeNull();
});

type Answer = { statusCode: number; type: string; value: unknown };
function press(card: CardData, activityId: string, person: typeof ana, changes: object = {}) {
  const action = (card.actions as { verb?: string }[]).find(({ verb }) => verb === 'acknowledge');
  if (action === undefined) throw new Error('no Acknowledge on the card');
  return rig.activity({
    type: 'invoke',
    name: 'adaptiveCard/action',
    conversation,
    from: { id: person.teamsId, name: person.name, aadObjectId: person.oid },
    text: undefined,
    replyToId: activityId,
    value: { action, trigger: 'manual' },
    ...changes,
  });
}

test('the card of a fall is acknowledged by the first who may; nobody else’s card changes by the click', async () => {
  await rig.post(said(`watch ${contoso.domain}`));
  const { finding, transition } = fallOf(falls().opened, contoso.id);
  const ref = { id: finding.id, generation: 1, transition: transition.name };
  await rig.store.findings.save(scopeOfJob(contoso.id), finding, null, [
    {
      id: `row ${id}`,
      tenantId: contoso.id,
      conversationId: id,
      finding: ref,
      kind: 'opened',
      transition,
    },
  ]);
  const made = dropNews({
    tenant: contoso,
    transition,
    finding,
    now: rig.services.now(),
    settings: rig.services.settings,
    maybeRepeated: false,
    mayAcknowledge: true,
  });
  const place = {
    kind: 'channel',
    conversationId: id,
    serviceUrl,
    hostTenantId: rig.home,
    targeted: false,
    personTeamsId: '',
  } as const;
  const [lease] = await rig.store.outbox.claimDue(10, 60_000);
  if (lease === undefined) throw new Error('nothing is due');
  const rows = (await rig.store.outbox.waiting(lease, 10)).map((row) => row.id);
  await rig.store.outbox.attempting(lease, rows);
  const delivery = await rig.services.deliver.post(place, {
    ...made,
    tenants: [contoso.id],
    findings: [ref],
  });
  if (delivery.kind !== 'sent') throw new Error(`not sent: ${JSON.stringify(delivery)}`);
  const { activityId } = delivery;
  await rig.store.outbox.settle(lease, rows, { state: 'sent', activityId });
  await rig.store.outbox.release(lease);
  const posted = (await messages()).at(-1)?.activity?.attachments as { content: CardData }[];
  const card = posted[0]?.content;
  if (card === undefined) throw new Error('no card');
  const before = (await messages()).length;

  const byReader = (await rig.post(press(card, activityId, chidi))).body as Answer;
  expect(JSON.stringify(byReader.value)).toContain('acknowledged by Operators and Admins');
  const click = press(card, activityId, bo);
  const first = (await rig.post(click)).body as Answer;
  expect(first.type).toBe('application/vnd.microsoft.card.adaptive');
  expect(JSON.stringify(first.value)).toContain(`Acknowledged by ${bo.name} on`);
  expect((await rig.post(click)).body).toEqual(first);
  const second = (await rig.post(press(card, activityId, ana))).body as Answer;
  expect(JSON.stringify(second.value)).toContain(`Acknowledged by ${bo.name} on`);
  expect(await messages()).toHaveLength(before);
  const { rows: audit } = await rig.store.audit.list({ limit: 10 });
  const changed = audit.filter(({ what, detail }) => what === 'acknowledge' && detail !== 'answered');
  // Newest first: who came second, the one who did it, and who may not.
  expect(changed.map(({ result }) => result)).toEqual(['refused', 'done', 'refused']);

  const [again] = await rig.store.outbox.claimDue(10, 60_000);
  if (again === undefined) throw new Error('no card is to be drawn anew');
  expect(await rig.store.outbox.waiting(again, 10)).toMatchObject([{ kind: 'refresh', conversationId: id }]);
});
