import type { FoundScores } from '../../bot/services.ts';
import { postureOf } from '../../shared/score/posture.ts';
import type { ControlProfile, EvaluatedSnapshot, ScoreSnapshot } from '../../shared/score/score.ts';
import { type Tenant, type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { dayOf, type Instant, plusDays } from '../../shared/time.ts';
import { controls } from '../sandbox/controls.ts';
import { guidOf, seeded } from '../sandbox/seeded.ts';

/** A customer as a sync would have left one behind: a tenant and all that its scores say. */
export type Customer = { tenant: Tenant; found: FoundScores };

const first = 'Alder Birch Cedar Dune Ember Fjord Garnet Harbour Indigo Juniper Kestrel Larch Maple'.split(
  ' ',
);
const second =
  'Foundry Hospital Logistics Museum Orchards Printworks Railway Schools Textiles Vineyards'.split(' ');
const days = 90;

/**
 * `count` customers with 90 days of scores over the sandbox's catalogue of about 100 controls: the size that Microsoft
 * sends. The same for the same seed and instant.
 */
export function customers(count: number, seed: string, now: Instant): Customer[] {
  return Array.from({ length: count }, (_, number) => customer(number, seed, now));
}

function customer(number: number, seed: string, now: Instant): Customer {
  const random = seeded(`${seed} ${number}`);
  const id = sure(tenantId(guidOf(`bench tenant ${number}`)));
  // No two alike: a name that is found at once, as people type the names they know.
  const lap = Math.floor(number / (first.length * second.length));
  const words = [first[number % first.length], second[Math.floor(number / first.length) % second.length]];
  const name = [...words, ...(lap === 0 ? [] : [`Region ${lap + 1}`])].join(' ');
  const domain = `${name.toLowerCase().replaceAll(' ', '')}.example`;
  const today = dayOf(now);

  const scores = controls.map((control) => ({
    name: control.id,
    category: control.category,
    score: reached(control.max, random),
    status: control.how,
  }));
  const max = controls.reduce((sum, control) => sum + control.max, 0);
  const current = scores.reduce((sum, control) => sum + control.score, 0);
  const snapshot = (back: number): ScoreSnapshot => ({
    tenantId: id,
    day: plusDays(today, -back),
    current: Math.max(0, current - Math.round(Math.sin(back / 9) * 12 + random() * 3)),
    max,
    licensedUsers: 400,
    activeUsers: 350,
    comparisons: [
      { basis: 'AllTenants', percent: 46.2 },
      { basis: 'TotalSeats', percent: 51.7 },
    ],
    categories: [],
  });
  const evaluated: EvaluatedSnapshot = { ...snapshot(0), current, controls: scores };
  const yesterday: EvaluatedSnapshot = {
    ...snapshot(1),
    controls: scores.map((one, at) => (at % 37 === 0 ? { ...one, score: one.score + 1 } : one)),
  };
  const snapshots = [...Array.from({ length: days - 1 }, (_, back) => snapshot(back + 1)), evaluated];
  const posture = postureOf({
    tenantId: id,
    snapshots,
    evaluatedBefore: yesterday,
    evaluatedNow: evaluated,
    profiles,
    readAt: now,
  });
  const read = { state: 'ok' as const, readAt: now, triedAt: now };
  return {
    tenant: {
      id,
      name,
      domain,
      domains: [domain],
      opaque: number,
      connectedAt: now,
      health: { state: 'connected', since: now, cause: '', remedy: '' },
      datasets: {
        organization: read,
        domains: read,
        subscribedSkus: read,
        secureScores: read,
        secureScoreControlProfiles: read,
      },
      licences: {
        entraP1: { known: true, value: true },
        entraP2: { known: true, value: number % 3 === 0 },
        skus: [],
      },
    },
    found: { snapshots: snapshots.map(withoutControls), changes: [], profiles, posture, evaluated },
  };
}

const profiles: ControlProfile[] = controls.map((control) => ({
  name: control.id,
  title: control.title,
  category: control.category,
  service: control.service,
  max: control.max,
  rank: control.rank,
  tier: control.tier,
  effort: control.cost.toLowerCase(),
  userImpact: control.impact,
  actionUrl: null,
  threats: control.threats,
  deprecated: false,
  remediation: control.how,
  state: 'Default',
}));

/** A quarter of the controls is not done, a quarter in part, the rest wholly. */
function reached(max: number, random: () => number): number {
  const draw = random();
  const share = draw < 0.25 ? 0 : draw < 0.5 ? 0.4 : 1;
  return Math.round(max * share * 100) / 100;
}

function withoutControls(snapshot: ScoreSnapshot & { controls?: unknown }): ScoreSnapshot {
  const { controls: _, ...rest } = snapshot;
  return rest;
}

function sure(id: TenantId | undefined): TenantId {
  if (id === undefined) throw new Error('not a GUID');
  return id;
}
