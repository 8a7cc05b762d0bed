import type { FoundScores } from '../../bot/services.ts';
import type { Grant, Role } from '../../shared/access.ts';
import type { EvaluatedSnapshot, Posture, ScoreSnapshot } from '../../shared/score/score.ts';
import { type Tenant, type TenantId, tenantId } from '../../shared/tenants/tenant.ts';

/** Literal tenants, people and scores for the store's tests. */

export const contoso = id('11111111-1111-4111-8111-111111111111');
export const fabrikam = id('22222222-2222-4222-8222-222222222222');
export const home = id('99999999-9999-4999-8999-999999999999');
export const ana = 'aaaaaaaa-0000-4000-8000-000000000001';
export const bo = 'aaaaaaaa-0000-4000-8000-000000000002';

export function id(text: string): TenantId {
  const known = tenantId(text);
  if (known === undefined) throw new Error('no GUID');
  return known;
}

export function aTenant(tenant: TenantId, name: string): Tenant {
  const domain = `${name.toLowerCase().replaceAll(' ', '')}.com`;
  return {
    id: tenant,
    name,
    domain,
    domains: [domain],
    opaque: 7,
    connectedAt: '2026-11-01T00:00:00.000Z',
    health: { state: 'waiting', since: '2026-11-01T00:00:00.000Z', cause: '', remedy: '' },
    datasets: {},
    licences: {
      entraP1: { known: false, why: 'not read yet' },
      entraP2: { known: false, why: 'not read yet' },
      skus: [],
    },
  };
}

export function aSnapshot(tenant: TenantId, day: string, current: number): ScoreSnapshot {
  return {
    tenantId: tenant,
    day,
    current,
    max: 100,
    licensedUsers: 50,
    activeUsers: null,
    comparisons: [{ basis: 'AllTenants', percent: 44.5 }],
    categories: [{ category: 'Identity', current, max: null }],
  };
}

export function evaluatedOf(tenant: TenantId, day: string, current: number): EvaluatedSnapshot {
  return {
    ...aSnapshot(tenant, day, current),
    controls: [{ name: 'MFARegistrationV2', category: 'Identity', score: current }],
  };
}

export function aPosture(tenant: TenantId, day: string, current: number): Posture {
  return {
    tenantId: tenant,
    day,
    current,
    max: 100,
    percent: current,
    sinceYesterday: null,
    over30Days: null,
    regressed: 0,
    improved: 0,
    moved: [],
    trend: [{ day, percent: current, current, max: 100 }],
    comparisons: [],
    categories: [],
    actions: [],
    actionCount: 0,
    actionGain: 0,
    readAt: `${day}T06:00:00.000Z`,
  };
}

/** What a sync finds: three days, one change, one description, of `current` points on the last day. */
export function found(tenant: TenantId, current: number): FoundScores {
  return {
    snapshots: ['2026-11-18', '2026-11-19', '2026-11-20'].map((day) => aSnapshot(tenant, day, current)),
    changes: [
      {
        tenantId: tenant,
        day: '2026-11-20',
        name: 'MFARegistrationV2',
        title: 'Register for MFA',
        from: null,
        to: current,
      },
    ],
    profiles: [
      {
        name: 'MFARegistrationV2',
        title: 'Register for MFA',
        category: 'Identity',
        service: 'AzureAD',
        max: 10,
        rank: 1,
        tier: 'Core',
        effort: 'low',
        userImpact: 'moderate',
        actionUrl: null,
        threats: ['accountBreach'],
        deprecated: false,
        remediation: 'Ask everybody to register.',
        state: 'Default',
      },
    ],
    posture: aPosture(tenant, '2026-11-20', current),
    evaluated: evaluatedOf(tenant, '2026-11-20', current),
  };
}

export function aGrant(role: Role, more: Partial<Grant> = {}): Grant {
  return {
    id: `${role}-grant`,
    role,
    scope: 'all',
    source: 'chat',
    by: 'Ana Reyes',
    at: '2026-11-01T00:00:00.000Z',
    ...more,
  };
}
