import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { acknowledgeObject } from '../../bot/cards/finding.ts';
import { cardActions } from '../../bot/commands/index.ts';
import type { FindingStore, OutboxRow, Place, Reply, Services } from '../../bot/services.ts';
import { type Caller, scopeOfJob } from '../../shared/access.ts';
import type { DropFinding } from '../../shared/alerts/score-drop.ts';
import { reopened, resolved, worsened } from '../../shared/alerts/tell.ts';
import { type Fall, fallOf, falls } from '../cards/fallen.ts';
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

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(async () => await rig.close());

let tenants = 0;
let tenant = aTenant(1, 'Contoso Ltd');
let fall: Fall;
/** A tenant of its own for each test, whose fall two channels have a card of. */
beforeEach(async () => {
  tenants += 1;
  tenant = aTenant(tenants, `Contoso ${tenants}`);
  const told = fallOf(falls().opened, tenant.id);
  const id = `finding-${tenants}`;
  fall = { finding: { ...told.finding, id }, transition: { ...told.transition, findingId: id } };
  await rig.services.store.tenants.save(scopeOfJob(tenant.id), tenant);
  await keep(fall.finding, null);
});

const channels = ['19:one@thread.tacv2', '19:two@thread.tacv2'];

/** Saves it, and posts its card to both channels as the clock thread does. */
async function keep(finding: DropFinding, revision: number | null): Promise<void> {
  const { store } = rig.services;
  const entries = channels.map((conversationId) => ({
    id: `${conversationId} ${finding.id} ${finding.generation} ${finding.told.kind}`,
    tenantId: tenant.id,
    conversationId,
    finding: { id: finding.id, generation: finding.generation, transition: finding.told.kind },
    kind: finding.told.kind,
    transition: { ...fall.transition, generation: finding.generation, kind: finding.told.kind },
  }));
  expect(await store.findings.save(scopeOfJob(tenant.id), finding, revision, entries)).toBe(true);
  await sendWaiting();
}

/** What waits, by conversation; afterwards it is sent. */
async function sendWaiting(): Promise<OutboxRow[]> {
  const { outbox } = rig.services.store;
  const sent: OutboxRow[] = [];
  for (const lease of await outbox.claimDue(10, 60_000)) {
    const rows = await outbox.waiting(lease, 10);
    const ids = rows.map(({ id }) => id);
    await outbox.attempting(lease, ids);
    await outbox.settle(lease, ids, { state: 'sent', activityId: `card-${lease.conversationId}` });
    await outbox.release(lease);
    sent.push(...rows);
  }
  return sent;
}

async function press(
  who: Caller,
  where: Place = internal,
  object = acknowledgeObject(fall.finding),
  services: Services = rig.services,
): Promise<Reply> {
  const action = { verb: 'acknowledge', tenant: tenant.id, object };
  const reply = await cardActions.acknowledge?.run(action, {}, who, where, services);
  if (reply === undefined) throw new Error('no such button');
  return reply;
}

async function kept(): Promise<{ finding: DropFinding; revision: number }> {
  const row = await rig.services.store.findings.get(scopeOfJob(tenant.id), tenant.id, fall.finding.id);
  if (row === null) throw new Error('the finding is gone');
  if (row.value.rule !== 'scoreDrop') throw new Error('the finding is no fall');
  return { finding: row.value, revision: row.revision };
}

async function audits(): Promise<string[]> {
  const { rows } = await rig.services.store.audit.list({ limit: 200 });
  return rows
    .filter((row) => row.what === 'acknowledge' && row.tenant === tenant.id)
    .map(({ result, who }) => `${result} ${who.split('/')[1]}`);
}

test('an Operator takes note: the card says so to who pressed, and every channel’s card is drawn anew', async () => {
  const nudges = rig.nudges();
  const reply = await press(operator);
  expect(reply).toMatchObject({ to: 'caller', tenants: [tenant.id] });
  expect(reply.text).toContain(`Acknowledged by ${operator.name} on`);
  expect(JSON.stringify(reply.card)).toContain(`Acknowledged by ${operator.name} on`);
  expect(JSON.stringify(reply.card)).not.toContain('"acknowledge"');
  expect((await kept()).finding).toMatchObject({
    state: 'acknowledged',
    history: [{ what: 'opened' }, { what: 'acknowledged', who: operator.name, from: 'open' }],
  });
  expect(await audits()).toEqual([`done ${operator.oid}`]);
  expect(rig.nudges()).toBe(nudges + 1);
  const rows = await sendWaiting();
  expect(rows.map(({ kind, conversationId }) => `${kind} ${conversationId}`).sort()).toEqual(
    channels.map((one) => `refresh ${one}`),
  );
  expect(rows[0]).toMatchObject({ finding: { id: fall.finding.id, generation: 1 }, tenantId: tenant.id });
});

test('pressed a second time it says who was first, and nothing more is told', async () => {
  await press(operator);
  expect(await sendWaiting()).toHaveLength(2);
  const reply = await press(admin);
  expect(reply.text).toContain(`Acknowledged by ${operator.name} on`);
  expect(reply.text).toContain('before you');
  expect(JSON.stringify(reply.card)).toContain(`Acknowledged by ${operator.name} on`);
  expect(await sendWaiting()).toEqual([]);
  expect((await kept()).finding.history).toHaveLength(2);
  expect(await audits()).toEqual([`refused ${admin.oid}`, `done ${operator.oid}`]);
});

test('two people at once: one is first, the other is told who', async () => {
  const replies = await Promise.all([press(operator), press(admin), press(operator), press(admin)]);
  const { finding } = await kept();
  const acknowledgements = finding.history.filter(({ what }) => what === 'acknowledged');
  expect(acknowledgements).toHaveLength(1);
  const first = acknowledgements[0]?.who ?? '';
  for (const reply of replies) expect(reply.text).toContain(`Acknowledged by ${first} on`);
  expect(replies.filter(({ text }) => text.includes('before you'))).toHaveLength(3);
  expect((await audits()).map((entry) => entry.split(' ')[0]).sort()).toEqual([
    'done',
    ...['refused', 'refused', 'refused'],
  ]);
  expect(await sendWaiting()).toHaveLength(2);
});

test('what fell further since is acknowledged anew: every card is drawn anew once more', async () => {
  await press(operator);
  expect(await sendWaiting()).toHaveLength(2);
  const before = await kept();
  const later = { ...news(before.finding), at: rig.services.now() };
  await keep(worsened(before.finding, later), before.revision);
  const reply = await press(admin);
  expect(reply.text).not.toContain('before you');
  expect(JSON.stringify(reply.card)).toContain(`Acknowledged by ${admin.name} on`);
  expect((await kept()).finding).toMatchObject({ state: 'acknowledged', worsenings: 1 });
  expect((await sendWaiting()).map(({ kind }) => kind)).toEqual(['refresh', 'refresh']);
  expect(await audits()).toHaveLength(2);
  expect((await press(operator)).text).toContain('before you');
  expect(await sendWaiting()).toEqual([]);
});

/** Between reading and saving, the rule finds that it got worse. `save` is the store's, or a broken one. */
async function acknowledgeInARace(save: FindingStore['save']): Promise<DropFinding> {
  const { store } = rig.services;
  let raced = false;
  const findings: FindingStore = {
    ...store.findings,
    async save(...args) {
      if (!raced) {
        raced = true;
        const now = await kept();
        const worse = worsened(now.finding, news(now.finding));
        expect(await store.findings.save(scopeOfJob(tenant.id), worse, now.revision, [])).toBe(true);
      }
      return await save(...args);
    },
  };
  const services = { ...rig.services, store: { ...store, findings } };
  await press(operator, internal, acknowledgeObject(fall.finding), services);
  return (await kept()).finding;
}

test('a rule that changes the finding at that moment is not undone', async () => {
  const after = await acknowledgeInARace(rig.services.store.findings.save);
  expect(after).toMatchObject({ state: 'acknowledged', worsenings: 1 });
});

test('the judge is awake: a store that does not look at the revision loses what the rule found', async () => {
  const { findings } = rig.services.store;
  const after = await acknowledgeInARace(
    async (scope, finding, _, tell) => await findings.save(scope, finding, (await kept()).revision, tell),
  );
  expect(after).toMatchObject({ state: 'acknowledged', worsenings: 0 });
});

test('a crash between the finding and its channels is made good by the next press', async () => {
  const { findings } = rig.services.store;
  const services: Services = {
    ...rig.services,
    store: {
      ...rig.services.store,
      findings: {
        ...findings,
        save: async (scope, finding, revision) => await findings.save(scope, finding, revision, []),
      },
    },
  };
  await press(operator, internal, acknowledgeObject(fall.finding), services);
  expect(await sendWaiting()).toEqual([]);
  await press(admin);
  expect(await sendWaiting()).toHaveLength(2);
});

const news = (finding: DropFinding) => ({
  facts: finding.facts,
  severity: finding.severity,
  at: '2026-11-21T06:00:00.000Z',
  why: '',
});

test('what is over says so, and shows the card that is closed', async () => {
  const now = await kept();
  await keep(resolved(now.finding, news(now.finding)), now.revision);
  const reply = await press(operator);
  expect(reply.text).toMatch(/^This is over already\./);
  expect(JSON.stringify(reply.card)).toContain(`${tenant.name} recovered`);
  expect((await kept()).finding.state).toBe('resolved');
  expect(await audits()).toEqual([`refused ${operator.oid}`]);
});

test('the card of an earlier fall does not acknowledge the one that stands now', async () => {
  const old = acknowledgeObject(fall.finding);
  const now = await kept();
  await keep(reopened(resolved(now.finding, news(now.finding)), news(now.finding)), now.revision);
  const reply = await press(operator, internal, old);
  expect(reply.text).toContain('came again since');
  expect(reply.card).toBeUndefined();
  expect((await kept()).finding.state).toBe('open');
  await press(operator, internal, acknowledgeObject({ ...fall.finding, generation: 2 }));
  expect((await kept()).finding.state).toBe('acknowledged');
});

test.each([
  { what: 'a Reader', who: reader, where: internal, says: 'acknowledged by Operators and Admins' },
  { what: 'nobody', who: nobody, where: internal, says: 'not available here any more' },
  {
    what: 'a person switched off',
    who: { ...operator, disabled: true },
    where: internal,
    says: 'not available here',
  },
  {
    what: 'an Operator of another tenant',
    who: someone(2, [aGrant('Operator', [aTenant(900, 'x').id])]),
    where: internal,
    says: 'not available here',
  },
  { what: 'an Admin where guests are', who: admin, where: unbound, says: 'not available here' },
  {
    what: 'an Admin in the place of another customer',
    who: admin,
    where: customer(aTenant(901, 'y').id),
    says: 'not available here',
  },
  {
    what: 'an Admin in somebody else’s chat',
    who: admin,
    where: personal(operator),
    says: 'not available here',
  },
])('$what may not: $says', async ({ who, where, says }) => {
  const reply = await press(who, where);
  expect(reply.text).toContain(says);
  expect(reply.card).toBeUndefined();
  expect(reply.to).toBe('caller');
  expect((await kept()).finding.state).toBe('open');
  expect(await sendWaiting()).toEqual([]);
  // Who may not see the tenant is not told its name.
  if (reply.tenants.length === 0) expect(reply.text).not.toContain(tenant.name);
});

test('a Reader’s try is in the audit', async () => {
  await press(reader);
  expect(await audits()).toEqual([`refused ${reader.oid}`]);
});

test.each([
  { object: '' },
  { object: 'x' },
  { object: '0.finding' },
  { object: '1.' },
  { object: '1.no-such' },
])('the object “$object” of some other version acknowledges nothing', async ({ object }) => {
  const reply = await press(operator, internal, object);
  expect(reply.text).toMatch(/no longer answers|not known any more/);
  expect((await kept()).finding.state).toBe('open');
});

test('Acknowledge is done once, however often it is delivered', () => {
  expect(cardActions.acknowledge?.changes).toBe(true);
});
