import { demoHome, demoPeople } from '../../bot/cast.ts';
import { runCommand } from '../../bot/commands/index.ts';
import { WatchpostError } from '../../bot/errors.ts';
import { silentLog } from '../../bot/log.ts';
import type { News, Place, Reply, RosterMember, Services } from '../../bot/services.ts';
import type { Audience, Caller, Grant, GrantScope, Role } from '../../shared/access.ts';
import { scopeOfJob } from '../../shared/access.ts';
import { parseCommand } from '../../shared/command.ts';
import { evaluateScores } from '../../shared/score/evaluate.ts';
import type { Tenant, TenantId } from '../../shared/tenants/tenant.ts';
import { plusDays } from '../../shared/time.ts';
import { aDay, profiles } from '../cards/samples.ts';
import { openTestStore } from '../support/store.ts';

export const home = demoHome.id;

/** What a command needs, with a real store in a fresh folder; what is sent is kept in `sent`. */
export type Rig = {
  services: Services;
  sent: { place: Place; reply: Reply }[];
  /** What was posted as news. */
  posted: { place: Omit<Place, 'audience'>; news: News }[];
  nudges: () => number;
  /** Who is in every conversation; null: Teams will not say. */
  members: { now: RosterMember[] | null };
  stop: AbortController;
  say(text: string, who: Caller, where: Place): Promise<Reply>;
  close(): Promise<void>;
};

export async function openRig(): Promise<Rig> {
  const { store, close } = await openTestStore();
  const sent: Rig['sent'] = [];
  const posted: Rig['posted'] = [];
  const members: Rig['members'] = { now: [] };
  const stop = new AbortController();
  let nudges = 0;
  const absent = (what: string) => (): never => {
    throw new Error(`a command has no business with ${what}`);
  };
  const services: Services = {
    store,
    microsoft: new Proxy({} as Services['microsoft'], { get: absent('Microsoft') }),
    dns: new Proxy({} as Services['dns'], { get: absent('the DNS') }),
    entraKeys: new Proxy({} as Services['entraKeys'], { get: absent("Entra's keys") }),
    metrics: new Proxy({} as Services['metrics'], { get: absent('metrics') }),
    deliver: {
      async send(place, reply) {
        sent.push({ place, reply });
        return { kind: 'sent', activityId: `activity-${sent.length}` };
      },
      async typing() {
        return undefined;
      },
      async post(place, news) {
        posted.push({ place, news });
        return { kind: 'sent', activityId: news.replaces ?? `news-${posted.length}` };
      },
    },
    log: silentLog(),
    now: () => store.now(),
    random: () => 'random',
    async roster() {
      if (members.now === null) throw new WatchpostError('service-error', 'Teams does not list the members.');
      return members.now;
    },
    nudge: () => {
      nudges += 1;
    },
    signal: stop.signal,
    settings: {
      demo: true,
      homeTenantId: home,
      publicUrl: 'http://localhost:3978',
      teamsAppId: undefined,
      botId: 'bot',
      entraPortal: 'https://entra.microsoft.com',
      syncScores: '0 6 * * *',
      syncDirectory: '0 2 * * *',
    },
  };
  return {
    services,
    sent,
    posted,
    nudges: () => nudges,
    members,
    stop,
    say: (text, who, where) => runCommand(parseCommand(text, mentions()), who, where, services),
    close,
  };

  function mentions() {
    return demoPeople.map(({ teamsId, name }) => ({ teamsId, text: `<at>${name}</at>`, isBot: false }));
  }
}

/** Stores a tenant with two days of score, 62.4 % after a fall of 3.1. */
export async function addTenant(rig: Rig, tenant: Tenant, current = 318): Promise<void> {
  const { store } = rig.services;
  const scope = scopeOfJob(tenant.id);
  await store.tenants.save(scope, tenant);
  const now = store.now();
  await store.work.schedule(scope, tenant.id, 'sync-scores', now);
  const lease = await leaseOf(rig, tenant.id);
  const today = now.slice(0, 10);
  const full = { BlockLegacyAuthentication: 0, AdminMFAV2: 10, SafeLinks: 5, SelfServicePasswordReset: 6 };
  const evaluation = evaluateScores({
    tenantId: tenant.id,
    read: [
      aDay(tenant.id, plusDays(today, -1), 334, 510, full),
      aDay(tenant.id, today, current, 510, { ...full, AdminMFAV2: 3.5 }),
    ],
    stored: [],
    before: null,
    profiles,
    readAt: now,
  });
  if (evaluation === null) throw new Error('nothing evaluated');
  await store.scores.saveSync(scope, lease, { ...evaluation.found, profiles });
  await store.work.finish(lease, {
    nextDueAt: '2099-01-01T00:00:00.000Z',
    outcome: 'changed',
    ms: 1,
    failed: false,
  });
}

/** Claims the due work of one tenant, as the clock thread does. */
export async function leaseOf(rig: Rig, tenant: TenantId) {
  const leases = await rig.services.store.work.claimDue('sync-scores', 50, 60_000);
  const lease = leases.find((one) => one.tenantId === tenant);
  if (lease === undefined) throw new Error('the tenant is not due');
  return lease;
}

let grants = 0;
export function aGrant(role: Role, scope: GrantScope = 'all', change: Partial<Grant> = {}): Grant {
  grants += 1;
  return {
    id: `grant-${grants}`,
    role,
    scope,
    source: 'demo',
    by: 'demo',
    at: '2026-11-01T08:00:00.000Z',
    ...change,
  };
}

/** One of the demo's people, with these grants. */
export function someone(n: number, own: Grant[], change: Partial<Caller> = {}): Caller {
  const member = demoPeople[n];
  if (member === undefined) throw new Error('no such person');
  return {
    tid: home,
    oid: member.oid,
    name: member.name,
    home: true,
    disabled: false,
    grants: own,
    ...change,
  };
}

export const admin = someone(0, [aGrant('Admin')]);
export const operator = someone(2, [aGrant('Operator')]);
export const reader = someone(3, [aGrant('Reader')]);
export const nobody = someone(4, []);

export function placeOf(audience: Audience, change: Partial<Place> = {}): Place {
  return {
    kind: audience.kind === 'personal' ? 'personal' : 'channel',
    conversationId: `conversation-${audience.kind}`,
    serviceUrl: 'https://smba.trafficmanager.net/emea/',
    hostTenantId: home,
    audience,
    targeted: false,
    personTeamsId: '29:someone',
    ...change,
  };
}

export const internal = placeOf({ kind: 'internal' });
export const unbound = placeOf({ kind: 'unbound', why: 'There are guests in this chat.' });
export function personal(who: Caller): Place {
  return placeOf({ kind: 'personal', oid: who.oid, tid: who.tid });
}
export function customer(tenant: TenantId): Place {
  return placeOf({ kind: 'customer', tenant });
}
