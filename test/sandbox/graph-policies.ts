import type {
  CompanySubscription,
  ConditionalAccessPolicy,
  IdentitySecurityDefaultsEnforcementPolicy,
} from '@microsoft/microsoft-graph-types';
import { plusDays } from '../../shared/time.ts';
import { directoryAnswers } from './graph-directory.ts';
import { hasP1, peopleOf } from './graph-people.ts';
import { pointsOn } from './history.ts';
import { guidOf, seeded } from './seeded.ts';
import { lastDayOf, type SandboxTenant } from './tenants.ts';

/** On where there is nothing to make policies with: the two exclude each other. */
export function securityDefaults(tenant: SandboxTenant): IdentitySecurityDefaultsEnforcementPolicy {
  return {
    id: '00000000-0000-0000-0000-000000000005',
    displayName: 'Security Defaults',
    description: 'Security defaults is a set of basic identity security mechanisms.',
    isEnabled: !hasP1(tenant),
  };
}

type Users = NonNullable<NonNullable<ConditionalAccessPolicy['conditions']>['users']>;

/** What the tenant's score says is on is on here too; what it says is off runs in report-only mode. */
export function conditionalAccess(tenant: SandboxTenant): ConditionalAccessPolicy[] {
  if (!hasP1(tenant) || tenant.empty === true) return [];
  const points = pointsOn(tenant, lastDayOf(tenant, tenant.lastDay));
  const has = (control: string): boolean => (points.get(control) ?? 0) > 0;
  const breakGlass = peopleOf(tenant)[0]?.id ?? guidOf(`break glass ${tenant.id}`);
  const state = (on: boolean) => (on ? 'enabled' : 'enabledForReportingButNotEnforced');
  return [
    policy(tenant, 'Require MFA for administrators', state(has('AdminMFAV2')), ['mfa'], {
      includeRoles: ['62e90394-69f5-4237-9190-012177145e10', 'fe930be7-5e62-47db-91af-98c3a49a38b1'],
      excludeUsers: [breakGlass],
    }),
    policy(tenant, 'Require MFA for everybody', state((points.get('MFARegistrationV2') ?? 0) >= 8), ['mfa'], {
      includeUsers: ['All'],
      excludeUsers: [breakGlass],
    }),
    policy(
      tenant,
      'Block legacy authentication',
      state(has('BlockLegacyAuthentication')),
      ['block'],
      { includeUsers: ['All'] },
      ['exchangeActiveSync', 'other'],
    ),
    policy(tenant, 'Compliant devices for finance', 'disabled', ['compliantDevice'], {
      includeGroups: [guidOf(`finance ${tenant.id}`)],
    }),
  ] as ConditionalAccessPolicy[];
}

function policy(
  tenant: SandboxTenant,
  displayName: string,
  state: string,
  builtInControls: string[],
  users: Partial<Users>,
  clientAppTypes = ['all'],
): object {
  return {
    id: guidOf(`policy ${tenant.id} ${displayName}`),
    templateId: null,
    displayName,
    createdDateTime: '2025-11-03T10:00:00Z',
    modifiedDateTime: null,
    state,
    conditions: {
      userRiskLevels: [],
      signInRiskLevels: [],
      clientAppTypes,
      servicePrincipalRiskLevels: [],
      insiderRiskLevels: null,
      platforms: null,
      locations: null,
      devices: null,
      clientApplications: null,
      authenticationFlows: null,
      applications: {
        includeApplications: ['All'],
        excludeApplications: [],
        includeUserActions: [],
        includeAuthenticationContextClassReferences: [],
        applicationFilter: null,
      },
      users: {
        ...{ includeUsers: [], excludeUsers: [], includeGroups: [], excludeGroups: [] },
        ...{ includeRoles: [], excludeRoles: [] },
        ...{ includeGuestsOrExternalUsers: null, excludeGuestsOrExternalUsers: null },
        ...users,
      },
    },
    grantControls: { operator: 'OR', builtInControls, customAuthenticationFactors: [], termsOfUse: [] },
    sessionControls: null,
  };
}

/** One subscription for each product, ending on a day of its own. */
export function subscriptions(tenant: SandboxTenant): CompanySubscription[] {
  return directoryAnswers.subscribedSkus(tenant).map((sku) => {
    const random = seeded(`subscription ${tenant.seed} ${tenant.domain} ${sku.skuPartNumber}`);
    const free = (sku.prepaidUnits?.enabled ?? 0) > 100_000;
    const ends = plusDays(tenant.createdOn, 9 + Math.floor(random() * 320));
    return {
      id: sku.subscriptionIds?.[0] ?? '',
      commerceSubscriptionId: sku.subscriptionIds?.[0] ?? '',
      createdDateTime: '2025-01-01T00:00:00Z',
      isTrial: false,
      nextLifecycleDateTime: free ? null : `${ends}T00:00:00Z`,
      skuId: sku.skuId ?? '',
      skuPartNumber: sku.skuPartNumber ?? '',
      status: (sku.prepaidUnits?.warning ?? 0) > 0 ? 'Warning' : 'Enabled',
      totalLicenses: sku.prepaidUnits?.enabled ?? 0,
      serviceStatus: [],
    };
  });
}
