import { Secret } from '../../../bot/secrets.ts';
import type { Services } from '../../../bot/services.ts';
import { scopeOfJob, scopeOfSystem } from '../../../shared/access.ts';
import type { ControlProfile, EvaluatedSnapshot, Posture } from '../../../shared/score/score.ts';
import { type HealthState, type Tenant, tenantId } from '../../../shared/tenants/tenant.ts';
import { dayOf, plusDays } from '../../../shared/time.ts';
import type { SandboxCustomer } from '../../support/production.ts';
import type { Sandbox } from '../../support/sandbox.ts';

/** A customer in whose every field stands a word that stands nowhere else. */
export type Customer = SandboxCustomer & { words: string[]; second: string; current: number; max: number };

const shared = ['Alpine', 'Coho', 'Graphic', 'Lakeside', 'Litware', 'Margie', 'Proseware'];
const kinds = ['Foods', 'Design', 'Clinic', 'Winery', 'Ltd'];
/** So many letters of a canary are enough to know whose it is: it may have been cut. */
export const knownBy = 7;

/** Makes canaries: `zq` and eight letters, the first seven of each like no other's. */
export function canaryMaker(random: () => number): () => string {
  const used = new Set<string>();
  return () => {
    for (;;) {
      let word = 'zq';
      while (word.length < 10) word += 'bcdfghjklmnprstvwx'[Math.floor(random() * 18)] ?? 'b';
      const start = word.slice(0, knownBy);
      if (used.has(start)) continue;
      used.add(start);
      return word;
    }
  };
}

/** `count` customers of the sandbox; names share their first words, so that fragments fit several. */
export async function makeCustomers(
  sandbox: Sandbox,
  count: number,
  canary: () => string,
): Promise<Customer[]> {
  const made: Customer[] = [];
  for (let at = 0; at < count; at += 1) {
    const [name, domain, second] = [canary(), canary(), canary()];
    const facts = await sandbox.control<SandboxCustomer>('POST', '/_sandbox/tenants', {
      name: `${shared[at % shared.length]} ${name[0]?.toUpperCase()}${name.slice(1)} ${kinds[at % kinds.length]}`,
      domain: `${domain}.example`,
      seed: `canary ${at}`,
    });
    // Numbers are data too: with a decimal, so that no date or id looks like one.
    const max = 5_000.3 + at * 61;
    made.push({
      ...facts,
      words: [name, domain, second],
      second: `${second}.example`,
      max,
      current: max - 1_700.2,
    });
  }
  return made;
}

/** Writes the customers as a sync would have: tenant, credential, posture, profiles, each field with a canary. */
export async function storeCustomers(
  services: Services,
  customers: readonly Customer[],
  canary: () => string,
): Promise<void> {
  const { store } = services;
  const byId = new Map(customers.map((one) => [one.id, one]));
  for (const customer of customers) {
    const id = idOf(customer);
    await store.tenants.save(scopeOfJob(id), tenantOf(customer, services, canary));
    await store.credentials.save(scopeOfJob(id), {
      tenantId: id,
      appId: customer.appId,
      credential: { kind: 'secret', secret: new Secret(customer.secret) },
    });
    await store.work.schedule(scopeOfJob(id), id, 'sync-scores', services.now());
  }
  for (let left = customers.length; left > 0; ) {
    const leases = await store.work.claimDue('sync-scores', 50, 60_000);
    if (leases.length === 0) throw new Error('the customers cannot be claimed');
    left -= leases.length;
    for (const lease of leases) {
      const customer = byId.get(lease.tenantId);
      if (customer === undefined) throw new Error('work of nobody');
      await store.scores.saveSync(scopeOfJob(lease.tenantId), lease, foundOf(customer, services, canary));
      await store.work.finish(lease, {
        nextDueAt: '2100-01-01T00:00:00.000Z',
        outcome: 'changed',
        ms: 1,
        failed: false,
      });
    }
  }
  const listed = await store.tenants.list(scopeOfSystem());
  if (listed.length < customers.length) throw new Error('customers are missing');
}

export function idOf(customer: SandboxCustomer) {
  const id = tenantId(customer.id);
  if (id === undefined) throw new Error('no tenant id');
  return id;
}

/** A new canary of this customer's, noted. */
function noted(customer: Customer, canary: () => string): () => string {
  return () => {
    const word = canary();
    customer.words.push(word);
    return word;
  };
}

const states: HealthState[] = ['connected', 'permission-error', 'connected', 'authentication-error'];

function tenantOf(customer: Customer, services: Services, canary: () => string): Tenant {
  const now = services.now();
  const word = noted(customer, canary);
  const state = states[Math.round(customer.max) % states.length] ?? 'connected';
  const well = state === 'connected';
  return {
    id: idOf(customer),
    name: customer.name,
    domain: customer.domain,
    domains: [customer.domain, customer.second],
    opaque: 1 + Math.round(customer.max),
    connectedAt: now,
    health: {
      state,
      since: now,
      cause: well ? '' : `Refused by ${word()}.`,
      remedy: well ? '' : `Ask ${word()}.`,
    },
    datasets: {
      organization: { state: 'ok', readAt: now, triedAt: now, hash: 'a' },
      domains: { state: 'error', triedAt: now, why: `blocked by ${word()}` },
      subscribedSkus: { state: 'permission-missing', triedAt: now, why: word(), permission: word() },
      secureScores: { state: 'ok', readAt: now, triedAt: now, hash: 'b' },
    },
    licences: {
      entraP1: { known: true, value: true },
      entraP2: { known: true, value: false },
      skus: [{ partNumber: word(), name: word(), enabled: 10, consumed: 9, state: 'Enabled' }],
    },
  };
}

function foundOf(customer: Customer, services: Services, canary: () => string) {
  const now = services.now();
  const day = dayOf(now);
  const id = idOf(customer);
  const word = noted(customer, canary);
  const { current, max } = customer;
  const category = word();
  const profiles = Array.from({ length: 12 }, (_, at): ControlProfile => {
    return {
      name: word(),
      title: `Turn on ${word()}`,
      category,
      service: word(),
      max: 20 - at,
      rank: at + 1,
      tier: 'Core',
      effort: word(),
      userImpact: word(),
      actionUrl: `https://security.microsoft.com/${word()}`,
      threats: [word()],
      deprecated: false,
      remediation: `Do ${word()}.`,
      state: 'Default',
    };
  });
  const before = plusDays(day, -1);
  const change = { from: before, to: day, percent: -1.3, points: -9, maxPoints: 0 };
  const evaluated: EvaluatedSnapshot = {
    tenantId: id,
    day,
    current,
    max,
    licensedUsers: 10,
    activeUsers: 9,
    comparisons: [{ basis: word(), percent: 44.4 }],
    categories: [{ category, current, max }],
    controls: profiles.map(({ name }) => ({ name, category, score: 1, status: `Seen ${word()}` })),
  };
  const { controls, ...snapshot } = evaluated;
  const posture: Posture = {
    tenantId: id,
    day,
    current,
    max,
    percent: (current / max) * 100,
    sinceYesterday: change,
    over30Days: { ...change, from: plusDays(day, -30) },
    regressed: 1,
    improved: 1,
    moved: [{ name: word(), title: word(), points: -9 }],
    trend: [
      { day: before, percent: 60, current: current + 9, max },
      { day, percent: 59, current, max },
    ],
    comparisons: evaluated.comparisons,
    categories: evaluated.categories,
    actions: profiles.slice(0, 10).map((profile, at) => ({
      control: profile.name,
      title: profile.title,
      category,
      service: profile.service,
      gain: profile.max - 1,
      current: 1,
      max: profile.max,
      effort: profile.effort,
      userImpact: profile.userImpact,
      actionUrl: profile.actionUrl,
      remediation: profile.remediation,
      status: controls[at]?.status ?? '',
      regressed: at === 0,
    })),
    actionCount: 12,
    actionGain: 100,
    readAt: now,
  };
  const [first] = profiles;
  return {
    snapshots: [{ ...snapshot, day: before, current: current + 9 }, snapshot],
    changes: [{ tenantId: id, day, name: first?.name ?? '', title: first?.title ?? '', from: 10, to: 1 }],
    profiles,
    posture,
    evaluated,
  };
}
