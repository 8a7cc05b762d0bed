import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { CardData, Place, Reply } from '../../bot/services.ts';
import { openSender } from '../../bot/teams/sender.ts';
import { type Audience, type Caller, type Grant, mayGo, type Role } from '../../shared/access.ts';
import { parseCommand } from '../../shared/command.ts';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { count, seeded } from '../support/counts.ts';
import { ana, bo, openRig, type Rig, serviceUrl } from './rig.ts';

/** The last gate before the wire (I-3, I-6, I-7), judged by what the connector of the sandbox really took. */

let rig: Rig;
const tenants = Array.from({ length: 50 }, (_, at) =>
  tenantId(`${String(at).padStart(8, '0')}-0f1f-4d4e-9f6a-3b8a9c2d7e10`),
) as TenantId[];
const [contoso, fabrikam] = tenants as [TenantId, TenantId];

beforeAll(async () => {
  rig = await openRig({
    commands: {
      parseCommand,
      changesSomething: () => false,
      runCommand: async () => ({ text: '', to: 'caller', tenants: [] }),
      cardActions: {},
    },
  });
  await rig.sandbox.control('POST', '/_sandbox/limits', { off: true });
});
afterAll(() => rig.close());

async function place(
  kind: Place['kind'],
  changes: { binding?: TenantId; guest?: boolean; targeted?: boolean } = {},
): Promise<Place> {
  const id = kind === 'personal' ? `a:${randomUUID()}` : `19:${randomUUID()}@thread.tacv2`;
  if (kind !== 'personal') {
    const members = [
      { aadObjectId: ana.oid, id: ana.teamsId },
      { aadObjectId: bo.oid, id: bo.teamsId },
      ...(changes.guest ? [{ aadObjectId: randomUUID(), userRole: 'guest' }] : []),
    ];
    await rig.sandbox.control('POST', '/_sandbox/conversations', { id, kind, members });
    const at = rig.services.now();
    await rig.store.places.save({ conversationId: id, kind, serviceUrl, hostTenantId: rig.home, seenAt: at });
    if (changes.binding !== undefined)
      await rig.store.places.bind(id, { kind: 'customer', tenant: changes.binding });
  }
  return {
    kind,
    conversationId: id,
    serviceUrl,
    hostTenantId: rig.home,
    // What a handler was told once; the sender must not believe it.
    audience: { kind: 'internal' },
    targeted: changes.targeted === true,
    personTeamsId: ana.teamsId,
  };
}

function who(person: { oid: string; name: string }, grants: Grant[] = []): Caller {
  return { tid: rig.home, oid: person.oid, name: person.name, home: true, disabled: false, grants };
}

async function grant(oid: string, role: Role, scope: Grant['scope']): Promise<void> {
  const id = randomUUID();
  await rig.store.people.addGrant(rig.home, oid, 'x', {
    id,
    role,
    scope,
    source: 'chat',
    by: 't',
    at: rig.services.now(),
  });
}

function about(...named: TenantId[]): Reply {
  return { text: `about ${named.join(' ')}`, to: 'conversation', tenants: named };
}

test.each([
  { where: 'our own channel', kind: 'channel', changes: {}, tenants: [contoso, fabrikam], says: 'sent' },
  {
    where: 'our channel with a guest',
    kind: 'channel',
    changes: { guest: true },
    tenants: [contoso],
    says: 'withheld',
  },
  {
    where: 'our channel with a guest, static text',
    kind: 'channel',
    changes: { guest: true },
    tenants: [],
    says: 'sent',
  },
  {
    where: "Contoso's channel, Contoso",
    kind: 'channel',
    changes: { binding: contoso, guest: true },
    tenants: [contoso],
    says: 'sent',
  },
  {
    where: "Contoso's channel, Fabrikam",
    kind: 'channel',
    changes: { binding: contoso },
    tenants: [fabrikam],
    says: 'withheld',
  },
  {
    where: "Contoso's channel, both",
    kind: 'channel',
    changes: { binding: contoso },
    tenants: [contoso, fabrikam],
    says: 'withheld',
  },
  {
    where: 'a personal chat without a role',
    kind: 'personal',
    changes: {},
    tenants: [contoso],
    says: 'withheld',
  },
  {
    where: 'a private answer without a role',
    kind: 'channel',
    changes: { targeted: true },
    tenants: [contoso],
    says: 'withheld',
  },
] as const)('$where: $says', async ({ kind, changes, tenants: named, says }) => {
  const where = await place(kind, changes);
  // The caller claims a grant that the store does not know: today's grants count.
  const at = rig.services.now();
  const claimed: Grant = { id: 'x', role: 'Admin', scope: 'all', source: 'chat', by: 'x', at };
  const delivery = await rig.sender.send(where, about(...named), who(ana, [claimed]));
  expect(delivery.kind).toBe(says);
  expect(await rig.posts(where.conversationId)).toHaveLength(says === 'sent' ? 1 : 0);
});

test('with the gate taken out what was withheld goes out: it is the gate that holds it', async () => {
  const where = await place('channel', { binding: contoso });
  const { connector, audiences, store, home, cards, services } = rig;
  const usual = {
    connector,
    audiences,
    store,
    homeTenantId: home,
    cards,
    openUrl: 'https://x',
    now: services.now,
    log: services.log,
  };
  const open = openSender({ ...usual, gate: () => true });
  const shut = openSender({ ...usual, gate: mayGo });
  expect((await shut.send(where, about(fabrikam), who(ana))).kind).toBe('withheld');
  expect((await open.send(where, about(fabrikam), who(ana))).kind).toBe('sent');
  expect(await rig.posts(where.conversationId)).toHaveLength(1);
});

test('a grant that ends between asking and answering ends the answer', async () => {
  const where = await place('personal');
  await grant(bo.oid, 'Reader', [contoso]);
  expect((await rig.sender.send(where, about(contoso), who(bo))).kind).toBe('sent');
  await rig.store.people.removeGrants(rig.home, bo.oid);
  expect((await rig.sender.send(where, about(contoso), who(bo))).kind).toBe('withheld');
});

test('the binding of the moment counts, also for replacing an old message (I-7)', async () => {
  const where = await place('channel', { binding: contoso });
  const first = await rig.sender.send(where, about(contoso), who(ana));
  expect(first.kind).toBe('sent');
  const replaces = first.kind === 'sent' ? first.activityId : '';
  await rig.store.places.bind(where.conversationId, { kind: 'customer', tenant: fabrikam });
  expect((await rig.sender.send(where, { ...about(contoso), replaces }, who(ana))).kind).toBe('withheld');
  expect((await rig.sender.send(where, { ...about(fabrikam), replaces }, who(ana))).kind).toBe('sent');
  expect((await rig.posts(where.conversationId)).map((one) => one.kind)).toEqual(['create', 'update']);
});

test('a private answer needs both: what the place may show and what the person may see', async () => {
  await grant(ana.oid, 'Reader', [contoso, fabrikam]);
  const where = await place('channel', { binding: contoso, targeted: true });
  expect((await rig.sender.send(where, about(contoso), who(ana))).kind).toBe('sent');
  expect((await rig.sender.send(where, about(fabrikam), who(ana))).kind).toBe('withheld');
  await rig.store.people.removeGrants(rig.home, ana.oid);
});

const big = (bytes: number): CardData => ({
  type: 'AdaptiveCard',
  version: '1.5',
  body: [{ type: 'TextBlock', text: 'é'.repeat(bytes / 2) }],
});
test.each([
  { bytes: 28_000, attached: true },
  { bytes: 28_700, attached: false },
  { bytes: 500_000, attached: false },
])('a card of $bytes bytes is attached: $attached', async ({ bytes, attached }) => {
  const where = await place('personal');
  const reply: Reply = { card: big(bytes), text: 'in short', to: 'conversation', tenants: [] };
  await rig.sender.send(where, reply, who(ana));
  const [post] = await rig.posts(where.conversationId);
  if (attached) expect(post?.activity).toMatchObject({ summary: 'in short', attachments: [{}] });
  else {
    expect(post?.activity).not.toHaveProperty('attachments');
    expect(post?.activity?.text).toMatch(
      /^in short\n\nThis is too long for a card\. \[Open in Watchpost\]\(https:/,
    );
  }
  const rendered = await rig.sender.renderFor(where, reply, who(ana));
  expect(rendered.kind).toBe(attached ? 'card' : 'text');
});

test('a text of a megabyte is cut before it is sent', async () => {
  const where = await place('personal');
  const delivery = await rig.sender.send(
    where,
    { text: '😀'.repeat(500_000), to: 'conversation', tenants: [] },
    who(ana),
  );
  expect(delivery.kind).toBe('sent');
  const [post] = await rig.posts(where.conversationId);
  const text = String(post?.activity?.text);
  expect(text.length).toBeLessThanOrEqual(8000);
  expect(text.isWellFormed()).toBe(true);
});

test.each([
  { fault: { status: 429, retryAfter: 7 }, says: { kind: 'throttled', retryAfterMs: 7000 } },
  { fault: { status: 403, code: 'Forbidden' }, says: { kind: 'refused', status: 403 } },
  { fault: { status: 502 }, says: { kind: 'ambiguous' } },
])(
  'when Teams answers $fault.status the sender says $says.kind and does not try again',
  async ({ fault, says }) => {
    const where = await place('personal');
    const path = `/emea/v3/conversations/${encodeURIComponent(where.conversationId)}/activities`;
    await rig.sandbox.control('POST', '/_sandbox/faults', { path, ...fault });
    const before = (await rig.sandbox.requests()).length;
    expect(await rig.sender.send(where, about(), who(ana))).toMatchObject(says);
    expect((await rig.sandbox.requests()).length).toBe(before + 1);
    await rig.sandbox.control('DELETE', '/_sandbox/faults');
  },
);

test('when Teams asks for a second, the answer comes after it, once', async () => {
  const where = await place('personal');
  const path = `/emea/v3/conversations/${encodeURIComponent(where.conversationId)}/activities`;
  await rig.sandbox.control('POST', '/_sandbox/faults', { path, status: 429, retryAfter: 1, times: 1 });
  const began = performance.now();
  expect((await rig.sender.send(where, about(), who(ana))).kind).toBe('sent');
  expect(performance.now() - began).toBeGreaterThanOrEqual(990);
  const accepted = (await rig.posts(where.conversationId)).filter(({ status }) => status < 300);
  expect(accepted).toHaveLength(1);
});

/** What may stand where, computed from the plan of the test alone. */
type Plan = { where: Place; truth: (tenant: TenantId, reader: string) => boolean };

async function lattice(gate: typeof mayGo, actions: number): Promise<{ sent: number; leaks: number }> {
  const random = seeded();
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const scopes = new Map<string, TenantId[] | 'all'>([
    [ana.oid, 'all'],
    [bo.oid, tenants.slice(0, 5)],
  ]);
  for (const [oid, scope] of scopes) {
    await rig.store.people.removeGrants(rig.home, oid);
    await grant(oid, 'Reader', scope);
  }
  const maySee = (tenant: TenantId, oid: string): boolean => {
    const scope = scopes.get(oid) ?? [];
    return scope === 'all' || scope.includes(tenant);
  };
  const plans: Plan[] = [];
  for (let at = 0; at < 10; at += 1) {
    const bound = pick(tenants);
    plans.push(
      { where: await place('channel'), truth: () => true },
      { where: await place('channel', { guest: true }), truth: () => false },
      { where: await place('channel', { binding: bound }), truth: (tenant) => tenant === bound },
      { where: await place('channel', { targeted: true }), truth: maySee },
      {
        where: await place('channel', { binding: bound, targeted: true }),
        truth: (tenant, oid) => tenant === bound && maySee(tenant, oid),
      },
      { where: await place('personal'), truth: maySee },
    );
  }
  const { connector, audiences, store, home, cards, services } = rig;
  const sender = openSender({
    connector,
    audiences,
    store,
    homeTenantId: home,
    cards,
    gate,
    openUrl: 'https://x',
    now: services.now,
    log: services.log,
  });
  const before = (await rig.posts()).at(-1)?.seq ?? 0;
  const readers = new Map<string, { plan: Plan; oid: string }>();
  for (let at = 0; at < actions; at += 1) {
    const plan = pick(plans);
    const person = pick([ana, bo]);
    const named = Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(tenants));
    const key = `canary-${at}`;
    readers.set(key, { plan, oid: person.oid });
    const audience = pick<Audience>([
      { kind: 'internal' },
      { kind: 'unbound', why: '' },
      { kind: 'customer', tenant: pick(tenants) },
    ]);
    const where = { ...plan.where, audience, personTeamsId: person.teamsId };
    const text = `${key} ${named.join(' ')}`;
    if (random() < 0.3) {
      const rendered = await sender.renderFor(where, { text, to: 'caller', tenants: named }, who(person));
      if (
        rendered.kind !== 'withheld' &&
        !named.every((one) => plan.truth(one, person.oid) && maySee(one, person.oid))
      ) {
        leaks += 1;
      }
      continue;
    }
    await sender.send(where, { text, to: 'conversation', tenants: named }, who(person));
  }
  const fresh = (await rig.posts()).filter((one) => one.seq > before);
  for (const post of fresh) {
    const [key = '', ...named] = String(post.activity?.text).split(' ');
    const told = readers.get(key);
    if (told === undefined || !named.every((one) => told.plan.truth(one as TenantId, told.oid))) leaks += 1;
  }
  const total = leaks;
  leaks = 0;
  return { sent: fresh.length, leaks: total };
}
let leaks = 0;

test('random answers over fifty tenants: no leak; with the gate taken out there are some', async () => {
  const actions = count(300, 3000);
  const guarded = await lattice(mayGo, actions);
  expect(guarded.leaks).toBe(0);
  expect(guarded.sent).toBeGreaterThan(actions / 20);
  const open = await lattice(() => true, actions);
  expect(open.leaks).toBeGreaterThan(0);
}, 300_000);
