import type { LinkSettings } from '../../bot/cards/actions.ts';
import { demoHome } from '../../bot/cast.ts';
import { postureOf } from '../../shared/score/posture.ts';
import type { ControlProfile, EvaluatedSnapshot, Posture } from '../../shared/score/score.ts';
import { type Tenant, type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { plusDays } from '../../shared/time.ts';

/** Tenants and scores as the sync leaves them, for cards and commands. */

export const now = '2026-11-20T10:14:00.000Z';
export const settings: LinkSettings = {
  demo: true,
  publicUrl: 'http://localhost:3978',
  teamsAppId: undefined,
};

/** The n-th tenant id: a GUID that says its number. */
export function idOf(n: number): TenantId {
  const id = tenantId(`00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`);
  if (id === undefined) throw new Error('not a GUID');
  return id;
}

export function aTenant(n: number, name: string, change: Partial<Tenant> = {}): Tenant {
  const domain = `${
    name
      .toLowerCase()
      .split(' ')[0]
      ?.replace(/[^a-z0-9]/g, '') || `t${n}`
  }.com`;
  const read = {
    state: 'ok',
    readAt: '2026-11-20T10:00:00.000Z',
    triedAt: '2026-11-20T10:00:00.000Z',
  } as const;
  return {
    id: idOf(n),
    name,
    domain,
    domains: [domain, `${domain.split('.')[0]}.onmicrosoft.com`],
    opaque: n,
    connectedAt: '2026-08-01T08:00:00.000Z',
    health: { state: 'connected', since: '2026-08-01T08:00:00.000Z', cause: '', remedy: '' },
    datasets: {
      organization: read,
      domains: read,
      subscribedSkus: read,
      secureScores: read,
      secureScoreControlProfiles: read,
    },
    licences: { entraP1: { known: true, value: true }, entraP2: { known: true, value: true }, skus: [] },
    ...change,
  };
}

export function aProfile(
  name: string,
  title: string,
  max: number,
  change: Partial<ControlProfile> = {},
): ControlProfile {
  return {
    name,
    title,
    category: 'Identity',
    service: 'AzureAD',
    max,
    rank: 1,
    tier: 'Core',
    effort: 'low',
    userImpact: 'low',
    actionUrl: null,
    threats: [],
    deprecated: false,
    remediation: '',
    state: 'Default',
    ...change,
  };
}

export const profiles: ControlProfile[] = [
  aProfile('BlockLegacyAuthentication', 'Block legacy authentication', 8),
  aProfile('AdminMFAV2', 'MFA for all administrators', 10, { rank: 2 }),
  aProfile('SafeLinks', 'Turn on Safe Links for Office apps', 9, {
    category: 'Apps',
    effort: 'moderate',
    rank: 3,
  }),
  aProfile('SelfServicePasswordReset', 'Self-service password reset', 6, { rank: 4 }),
];

/** A day with controls; `scores` by control name. */
export function aDay(
  tenant: TenantId,
  day: string,
  current: number,
  max: number,
  scores: Record<string, number> = {},
): EvaluatedSnapshot {
  return {
    tenantId: tenant,
    day,
    current,
    max,
    licensedUsers: 120,
    activeUsers: 110,
    comparisons: [
      { basis: 'AllTenants', percent: 47.1 },
      { basis: 'TotalSeats', percent: 53.2 },
    ],
    categories: [],
    controls: Object.entries(scores).map(([name, score]) => ({
      name,
      category: profiles.find((profile) => profile.name === name)?.category ?? 'Identity',
      score,
    })),
  };
}

/** Contoso as the picture shows it: 62.4 %, 3.1 down since yesterday, 4.8 up in 30 days. */
export function contosoPosture(tenant = idOf(1), today = '2026-11-20'): Posture {
  const days = Array.from({ length: 90 }, (_, i) => {
    const day = plusDays(today, i - 89);
    const percent = i === 89 ? 62.353 : 57.6 + (65.5 - 57.6) * Math.max(0, (i - 59) / 29) ** 0.8;
    return aDay(tenant, day, (percent * 510) / 100, 510);
  });
  const before = aDay(tenant, plusDays(today, -1), 334, 510, {
    BlockLegacyAuthentication: 0,
    AdminMFAV2: 10,
    SafeLinks: 5,
    SelfServicePasswordReset: 6,
  });
  const after = aDay(tenant, today, 318, 510, {
    BlockLegacyAuthentication: 0,
    AdminMFAV2: 3.5,
    SafeLinks: 5,
    SelfServicePasswordReset: 3,
  });
  return postureOf({
    tenantId: tenant,
    snapshots: days,
    evaluatedBefore: before,
    evaluatedNow: after,
    profiles,
    readAt: `${today}T10:00:00.000Z`,
  });
}

export const home = demoHome.id;
