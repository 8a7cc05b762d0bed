import type { ControlScore, SecureScore, SecureScoreControlProfile } from '@microsoft/microsoft-graph-types';
import type { Day } from '../../shared/time.ts';
import { type Control, controls } from './controls.ts';
import { addedControl, pointsOn, round2, scored, sum } from './history.ts';
import { has, round1, type SandboxTenant } from './tenants.ts';

const vendorInformation = {
  provider: 'SecureScore',
  providerVersion: null,
  subProvider: null,
  vendor: 'Microsoft',
};

/** Undeclared members that ride along in life, numbers or texts as it pleases. */
type Extras = { [name: string]: string | number };

/** One day as `GET /security/secureScores` gives it. */
export function secureScore(tenant: SandboxTenant, day: Day): SecureScore {
  const points = pointsOn(tenant, day);
  const counted = scored(tenant, day);
  const users = usersOn(tenant, day);
  return {
    id: `${tenant.id}_${day}`,
    azureTenantId: tenant.id,
    activeUserCount: Math.max(0, Math.round(users * 0.86)),
    createdDateTime: `${day}T00:00:00Z`,
    currentScore: sum(points),
    enabledServices: enabledServices(tenant),
    licensedUserCount: users,
    maxScore: counted.reduce((all, control) => all + control.max, 0),
    averageComparativeScores: comparisons(tenant, day),
    controlScores: counted.map((control) => controlScore(tenant, control, points.get(control.id) ?? 0, day)),
    vendorInformation,
  };
}

/** The licensed users of a tenant on a day. */
export function usersOn(tenant: SandboxTenant, day: Day): number {
  return tenant.counted.reduce((users, one) => (one.day <= day ? one.users : users), tenant.users);
}

function controlScore(tenant: SandboxTenant, control: Control, score: number, day: Day): ControlScore {
  const share = control.max === 0 ? 0 : score / control.max;
  const users = usersOn(tenant, day);
  const reached = Math.round(users * share);
  const extras: Extras = {
    lastSynced: `${day}T00:00:00Z`,
    implementationStatus: status(control, share, users - reached, users),
    scoreInPercentage: round2(share * 100),
  };
  if (control.category === 'Identity') {
    extras.on = share === 1 ? 'true' : 'false';
    // Numbers come as texts for these, as numbers for others.
    extras.count = String(reached);
    extras.total = String(users);
  } else if (control.category === 'Device') {
    extras.count = reached;
    extras.total = users;
  }
  return {
    controlCategory: control.category,
    controlName: control.id,
    description: `<p>${control.how}</p>`,
    // Nobody has dialled in yet: Microsoft then sends null, not 0.
    score: control.id === 'mst_dial_in_bypass' && score === 0 ? null : score,
    ...extras,
  };
}

function status(control: Control, share: number, missing: number, users: number): string {
  if (share === 1) return 'You have met the requirements of this action.';
  if (control.category === 'Identity')
    return `You have ${missing} of ${users} users that are not covered yet.`;
  if (control.category === 'Device') return `You have ${missing} of ${users} devices that are exposed.`;
  return share === 0 ? 'Nothing has been set up yet.' : 'This action has been set up in part.';
}

function comparisons(tenant: SandboxTenant, day: Day): NonNullable<SecureScore['averageComparativeScores']> {
  if (tenant.comparisons === 'broken') {
    // Both have been seen in life for weeks: nothing at all, and −1 throughout.
    if (Number(day.slice(8)) % 2 === 0) return [];
    return [
      { basis: 'AllTenants', averageScore: -1 },
      { basis: 'TotalSeats', averageScore: -1 },
    ];
  }
  const drift = Math.sin(Date.parse(day) / 86_400_000 / 9) / 5;
  const { all, size, industry } = tenant.comparisons;
  const seats: Extras = {
    seatSizeRangeLowerValue: tenant.users > 1_000 ? '1001' : tenant.users > 100 ? '101' : '1',
    seatSizeRangeUpperValue: tenant.users > 1_000 ? '10000' : tenant.users > 100 ? '1000' : '100',
  };
  const branch: Extras = { industryTypes: 'Professional services' };
  return [
    { basis: 'AllTenants', averageScore: round1(all + drift) },
    { basis: 'TotalSeats', averageScore: round1(size + drift), ...seats },
    { basis: 'IndustryTypes', averageScore: round1(industry + drift), ...branch },
  ];
}

function enabledServices(tenant: SandboxTenant): string[] {
  const services = ['HasExchange', 'HasSharePoint', 'HasTeams', 'HasAADP1'];
  if (has(tenant, 'p2')) services.push('HasAADP2');
  if (has(tenant, 'defender')) services.push('HasMDATP', 'HasMDO');
  if (has(tenant, 'e5')) services.push('HasMCAS', 'HasAATP');
  return services;
}

/** All profiles of a tenant: also of controls it has not bought, which never get a score. */
export function profiles(tenant: SandboxTenant): SecureScoreControlProfile[] {
  const all = [...controls, ...tenant.added.map((one, at) => addedControl(one.id, one.max, at)), retired];
  return all.map((control) => profile(tenant, control));
}

/** Still listed though Microsoft has given it up. */
const retired: Control = {
  id: 'TurnOnSyncForPasswordHashes',
  title: 'Enable password hash sync if hybrid',
  category: 'Identity',
  service: 'AzureAD',
  max: 5,
  rank: 900,
  cost: 'Low',
  impact: 'Low',
  tier: 'Core',
  threats: ['Account Breach'],
  how: 'Retired.',
  needs: 'nothing',
};

function profile(tenant: SandboxTenant, control: Control): SecureScoreControlProfile {
  return {
    id: control.id,
    azureTenantId: tenant.id,
    actionType: control.tier === 'Core' ? 'Config' : control.tier === 'Advanced' ? 'Behavior' : 'Review',
    actionUrl: actionUrls[control.service] ?? null,
    controlCategory: control.category,
    title: control.title,
    deprecated: control === retired,
    implementationCost: control.cost,
    lastModifiedDateTime: null,
    maxScore: control.max,
    rank: control.rank,
    remediation: `<p>${control.how}</p><ol><li>Open the portal.</li><li>Change the setting for a few people first, then for everyone.</li><li>Come back <b>tomorrow</b>: the score is counted once a day.</li></ol>`,
    remediationImpact: `<p>${impactWords[control.impact] ?? ''}</p>`,
    service: control.service,
    threats: control.threats,
    tier: control.tier,
    userImpact: control.impact,
    complianceInformation: [],
    controlStateUpdates: stateUpdates(tenant, control),
    vendorInformation,
  };
}

const actionUrls: Record<string, string> = {
  AzureAD: 'https://entra.microsoft.com/#view/Microsoft_AAD_ConditionalAccess/ConditionalAccessBlade',
  AATP: 'https://security.microsoft.com/identities',
  EXO: 'https://admin.exchange.microsoft.com/',
  MDO: 'https://security.microsoft.com/threatpolicy',
  SPO: 'https://admin.microsoft.com/sharepoint',
  Teams: 'https://admin.teams.microsoft.com/',
  MIP: 'https://purview.microsoft.com/',
  MCAS: 'https://security.microsoft.com/cloudapps',
  MDATP: 'https://security.microsoft.com/securityrecommendations',
};

const impactWords: Record<string, string> = {
  Low: 'Users will notice nothing.',
  Moderate: 'Some users will be asked to do something once.',
  High: 'Users will have to work in another way.',
};

/** History of what people decided, in no promised order; the newest by date counts. */
function stateUpdates(
  tenant: SandboxTenant,
  control: Control,
): NonNullable<SecureScoreControlProfile['controlStateUpdates']> {
  const by = `admin@${tenant.domain}`;
  if (control.id === 'aad_password_protection')
    return [
      {
        state: 'ThirdParty',
        assignedTo: by,
        comment: 'Done by another product.',
        updatedBy: by,
        updatedDateTime: '2026-07-02T09:14:00Z',
      },
      {
        state: 'Default',
        assignedTo: '',
        comment: '',
        updatedBy: by,
        updatedDateTime: '2026-05-11T10:00:00Z',
      },
    ];
  if (control.id === 'aad_linkedin_connection_disables')
    return [
      {
        state: 'Ignored',
        assignedTo: by,
        comment: 'Sales needs it.',
        updatedBy: by,
        updatedDateTime: '2026-03-20T13:37:11.1234567Z',
      },
    ];
  if (control.id === 'mip_customer_lockbox')
    return [
      {
        state: 'Reviewed',
        assignedTo: null,
        comment: null,
        updatedBy: by,
        updatedDateTime: '2026-08-30T08:00:00Z',
      },
    ];
  return [];
}
