import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { acknowledgeObject } from '../../bot/cards/finding.ts';
import { demoHome } from '../../bot/cast.ts';
import { cardActions, runCommand } from '../../bot/commands/index.ts';
import { Secret } from '../../bot/secrets.ts';
import type { Place, Services } from '../../bot/services.ts';
import {
  type Caller,
  callerOf,
  type Deny,
  type Grant,
  type Role,
  scopeOfJob,
  scopeOfSystem,
} from '../../shared/access.ts';
import { parseCommand } from '../../shared/command.ts';
import type { Tenant, TenantId } from '../../shared/tenants/tenant.ts';
import { fallOf, falls } from '../cards/fallen.ts';
import { idOf } from '../cards/samples.ts';
import { count, seeded } from '../support/counts.ts';
import { fiveTenants } from '../tab/seeded.ts';
import { openTabServer, type TabServer } from '../tab/tab-server.ts';

/**
 * R48: every role × action × {own, foreign, deleted tenant} × {chat, card, tab} × {all, tenants, tags, denied}, each
 * really tried, compared with the table below. The command line knows no roles: its door is the data folder's mode
 * (test/cli/private-folder.test.ts).
 */

const all = ['view', 'sync', 'work', 'watch', 'grant', 'connect', 'bind', 'purge'] as const;
type Action = (typeof all)[number];
/** The table of the requirements, written down once more. */
const table: Record<string, readonly Action[]> = {
  Admin: all,
  Operator: ['view', 'sync', 'work', 'watch'],
  Reader: ['view'],
  Customer: ['view'],
};
const held = ['Admin', 'Operator', 'Reader', 'Customer', 'Owner', 'none'] as const;
const scopes = ['all', 'tenants', 'tags', 'all but one', 'all but a tag', 'nothing'] as const;
const targets = ['own', 'foreign', 'deleted'] as const;
type Kind = { role: (typeof held)[number]; scope: (typeof scopes)[number] };
type Target = (typeof targets)[number];

/** What the table says: the denied one is the own tenant, the tag is on the own tenant. */
function expected({ role, scope }: Kind, target: Target, action: Action): boolean {
  if (target === 'deleted' || !(table[role] ?? []).includes(action)) return false;
  const covered: Record<(typeof scopes)[number], Target[]> = {
    all: ['own', 'foreign'],
    tenants: ['own'],
    tags: ['own'],
    'all but one': ['foreign'],
    'all but a tag': ['foreign'],
    nothing: [],
  };
  // A customer is bound to the own tenant, whatever a grant says.
  return covered[scope].includes(target) && (role !== 'Customer' || target === 'own');
}

let server: TabServer;
let services: Services;
let announced = 0;
const tenants = new Map<Target, { id: TenantId; name: string }>();
let made = 0;

beforeAll(async () => {
  const sent = async () => ({ kind: 'sent' as const, activityId: 'a' });
  const send: Services['deliver']['send'] = async (_, { text }) => {
    if (text.startsWith('Syncing')) announced += 1;
    return await sent();
  };
  server = await openTabServer({
    seeds: fiveTenants.slice(0, 2),
    services: {
      deliver: { send, post: sent, typing: async () => undefined },
      roster: async () => [],
    },
  });
  // A sync that was asked for is not followed: nobody syncs here.
  services = { ...server.services, signal: AbortSignal.abort() };
  const [own, foreign] = server.tenants as [Tenant, Tenant];
  await server.store.tenants.save(scopeOfSystem(), { ...own, tags: ['retail'] });
  for (const { id } of [own, foreign]) {
    await server.store.credentials.save(scopeOfSystem(), {
      tenantId: id,
      appId: 'ffffffff-0000-4000-8000-000000000001',
      credential: { kind: 'secret', secret: new Secret('a-secret-of-the-table') },
    });
  }
  tenants.set('own', own);
  tenants.set('foreign', foreign);
  tenants.set('deleted', { id: idOf(4_711), name: 'Gone Industries' });
}, 60_000);
afterAll(() => server.close());

/** Somebody new with these rights, as chat and tab know him. */
async function somebody({ role, scope }: Kind): Promise<{ who: Caller; token: string }> {
  made += 1;
  const own = tenantOf('own').id;
  const tid = role === 'Customer' ? own : demoHome.id;
  const oid = `dddddddd-0000-4000-8000-${String(made).padStart(12, '0')}`;
  const at = server.store.now();
  const by = { by: 'the test', at };
  const covered: Pick<Grant, 'scope' | 'tags'> =
    scope === 'tenants'
      ? { scope: [own, tenantOf('deleted').id] }
      : scope === 'tags'
        ? { scope: [], tags: ['retail'] }
        : { scope: 'all' };
  const grants =
    role === 'none' ? [] : [{ id: 'g', role: role as Role, source: 'demo' as const, ...covered, ...by }];
  const denied: Partial<Record<Kind['scope'], Pick<Deny, 'scope' | 'tags'>>> = {
    'all but one': { scope: [own] },
    'all but a tag': { scope: [], tags: ['retail'] },
    nothing: { scope: 'all' },
  };
  const deny = denied[scope];
  const denies = deny === undefined ? [] : [{ id: 'd', ...deny, ...by }];
  await server.store.people.change(tid, oid, `Person ${made}`, () => ({ grants, denies }));
  const token = await server.entra.token({
    ...{ oid, tid, name: `Person ${made}` },
    iss: `https://login.microsoftonline.com/${tid}/v2.0`,
  });
  const who = callerOf(
    await server.store.people.get(tid, oid),
    { tid, oid, name: `Person ${made}` },
    demoHome.id,
  );
  return { who, token: `Bearer ${token}` };
}

function tenantOf(target: Target): { id: TenantId; name: string } {
  const tenant = tenants.get(target);
  if (tenant === undefined) throw new Error('no tenant');
  return tenant;
}

function alone(who: Caller): Place {
  return place({ kind: 'personal', oid: who.oid, tid: who.tid }, 'personal');
}

function place(audience: Place['audience'], kind: Place['kind'] = 'channel'): Place {
  made += 1;
  return {
    ...{ kind, audience, conversationId: `19:${made}@thread.tacv2`, hostTenantId: demoHome.id },
    ...{ serviceUrl: 'https://smba.trafficmanager.net/emea/', targeted: false, personTeamsId: '29:x' },
  };
}

/** A tenant whose score fell, anew each time. */
async function fallen(id: TenantId): Promise<string> {
  made += 1;
  const { finding } = fallOf(falls().opened, id);
  const own = { ...finding, id: `finding-${made}` };
  await server.store.findings.save(scopeOfJob(id), own, null, []);
  return own.id;
}

type Door = 'chat' | 'card' | 'tab';
/** Tries it and says whether it was done; each effect is looked up where it would be. */
type Try = (who: Caller, token: string, target: { id: TenantId; name: string }) => Promise<boolean>;

const say = async (who: Caller, where: Place, text: string) =>
  await runCommand(parseCommand(text, []), who, where, services);
const press = async (who: Caller, where: Place, verb: string, tenant: TenantId, object?: string) =>
  await cardActions[verb]?.run(
    { verb, tenant, ...(object === undefined ? {} : { object }) },
    {},
    who,
    where,
    services,
  );
const post = async (token: string, path: string, body: unknown = {}) =>
  (await server.post(`/api/tab/${path}`, body, token)).status;
const hears = async (where: Place, id: TenantId): Promise<boolean> => {
  const row = await server.store.subscriptions.get(where.conversationId);
  return row !== null && (row.tenants === 'all' || row.tenants.includes(id));
};
const stranger = async (): Promise<string> => {
  made += 1;
  const oid = `eeeeeeee-0000-4000-8000-${String(made).padStart(12, '0')}`;
  await server.store.people.seen({ tid: demoHome.id, oid, name: 'Somebody' });
  return oid;
};
const isReader = async (oid: string): Promise<boolean> =>
  ((await server.store.people.get(demoHome.id, oid))?.grants.length ?? 0) > 0;

const tries: { action: Action; door: Door; run: Try }[] = [
  {
    ...{ action: 'view', door: 'chat' },
    run: async (who, _, { id, name }) => (await say(who, alone(who), `score "${name}"`)).tenants.includes(id),
  },
  {
    ...{ action: 'view', door: 'card' },
    run: async (who, _, { id }) => (await press(who, alone(who), 'score', id))?.tenants.includes(id) === true,
  },
  {
    ...{ action: 'view', door: 'tab' },
    run: async (_, token, { id }) => (await server.get(`/api/tab/tenants/${id}`, token)).status === 200,
  },
  {
    ...{ action: 'sync', door: 'chat' },
    run: async (who, _, { name }) => {
      announced = 0;
      await say(who, alone(who), `sync "${name}"`);
      return announced > 0;
    },
  },
  {
    ...{ action: 'sync', door: 'card' },
    run: async (who, _, { id }) => {
      const reply = await press(who, alone(who), 'sync', id);
      return reply?.tenants.includes(id) === true && !reply.text.includes('can be synced by');
    },
  },
  {
    ...{ action: 'sync', door: 'tab' },
    run: async (_, token, { id }) => (await post(token, `tenants/${id}/sync`)) < 300,
  },
  {
    ...{ action: 'work', door: 'card' },
    run: async (who, _, { id }) => {
      const finding = tenantOf('deleted').id === id ? 'finding-0' : await fallen(id);
      await press(
        who,
        place({ kind: 'internal' }),
        'acknowledge',
        id,
        acknowledgeObject({ id: finding, generation: 1 }),
      );
      const kept = await server.store.findings.get(scopeOfJob(id), id, finding);
      return kept?.value.state === 'acknowledged';
    },
  },
  {
    ...{ action: 'watch', door: 'chat' },
    run: async (who, _, { id, name }) => {
      const where = place({ kind: 'internal' });
      await say(who, where, `watch "${name}"`);
      return await hears(where, id);
    },
  },
  {
    ...{ action: 'watch', door: 'card' },
    run: async (who, _, { id }) => {
      const where = place({ kind: 'internal' });
      await press(who, where, 'watch', id);
      return await hears(where, id);
    },
  },
  {
    ...{ action: 'grant', door: 'chat' },
    run: async (who, _, { name }) => {
      const oid = await stranger();
      await say(who, alone(who), `grant ${oid} reader "${name}"`);
      return await isReader(oid);
    },
  },
  {
    ...{ action: 'grant', door: 'tab' },
    run: async (_, token, { id }) => {
      const person = await stranger();
      await post(token, 'people/grant', { person, role: 'Reader', all: false, tenants: [id], tags: [] });
      return await isReader(person);
    },
  },
  {
    ...{ action: 'connect', door: 'tab' },
    // Let in is told by the complaint about the empty form.
    run: async (_, token, { id }) => (await post(token, `tenants/${id}/credentials`)) === 400,
  },
  {
    ...{ action: 'purge', door: 'tab' },
    run: async (_, token, { id }) => (await post(token, `tenants/${id}/remove`)) === 400,
  },
  {
    ...{ action: 'bind', door: 'chat' },
    run: async (who, _, { name }) => {
      const where = place({ kind: 'unbound', why: 'the members cannot be read' });
      const { conversationId, serviceUrl, hostTenantId } = where;
      const seenAt = server.store.now();
      await server.store.places.save({ conversationId, serviceUrl, hostTenantId, kind: 'channel', seenAt });
      const { text } = await say(who, where, `bind "${name}"`);
      const code = /bind ([A-Z2-9]{4}-[A-Z2-9]{4})/.exec(text)?.[1];
      if (code !== undefined) await say(who, where, `bind ${code}`);
      return (await server.store.places.get(conversationId))?.binding !== undefined;
    },
  },
];

/** All kinds of people against all tenants through all doors; what came out otherwise than the table says. */
async function mismatches(
  kinds: readonly Kind[],
  asKnown: (who: Caller) => Caller,
): Promise<{ cells: number; wrong: string[] }> {
  const wrong: string[] = [];
  let cells = 0;
  for (const kind of kinds) {
    const { who, token } = await somebody(kind);
    for (const target of targets) {
      for (const { action, door, run } of tries) {
        // What a channel hears is decided in the channel, where people of other organisations have no say at all.
        const done = await run(asKnown(who), token, tenantOf(target));
        cells += 1;
        const should = expected(kind, target, action);
        if (done !== should) {
          wrong.push(
            `${kind.role} of ${kind.scope}: ${action} ${target} by ${door} ${done ? 'was' : 'was not'} done`,
          );
        }
      }
    }
  }
  return { cells, wrong };
}

const kinds = held.flatMap((role) => scopes.map((scope) => ({ role, scope })));

/** In `npm test` a part of them, another one for another seed; each role and each scope is among them. */
function some(): Kind[] {
  const random = seeded();
  const shuffled = [...kinds].sort(() => random() - 0.5);
  const covering = scopes.map((scope, at) => ({ role: held[at % held.length] ?? 'Admin', scope }));
  const admins = scopes.map((scope) => ({ role: 'Admin' as const, scope }));
  return [
    ...new Map([...admins, ...covering, ...shuffled].map((kind) => [JSON.stringify(kind), kind])).values(),
  ].slice(0, count(7, kinds.length));
}

describe('every role, action, tenant and door', () => {
  test('each is let in or refused as the table says', async () => {
    const { cells, wrong } = await mismatches(some(), (who) => who);
    console.log(`${cells} cells`);
    expect(wrong).toEqual([]);
    expect(cells).toBeGreaterThanOrEqual(7 * 3 * tries.length);
  }, 120_000);

  test.each<{ defect: string; kind: Kind; asKnown: (who: Caller) => Caller }>([
    {
      defect: 'what is denied is forgotten',
      kind: { role: 'Operator', scope: 'all but a tag' },
      asKnown: (who) => ({ ...who, denies: [] }),
    },
    {
      defect: 'a tag is taken for all',
      kind: { role: 'Reader', scope: 'tags' },
      asKnown: (who) => ({
        ...who,
        grants: who.grants.map((grant) => ({ ...grant, scope: 'all' as const })),
      }),
    },
  ])('a planted defect is found: $defect', async ({ kind, asKnown }) => {
    expect((await mismatches([kind], asKnown)).wrong.length).toBeGreaterThan(0);
  });
});
