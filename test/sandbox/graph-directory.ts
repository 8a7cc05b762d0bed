import type { Domain, Organization, ServicePlanInfo, SubscribedSku } from '@microsoft/microsoft-graph-types';
import { guidOf, seeded } from './seeded.ts';
import type { Licence, SandboxTenant } from './tenants.ts';

/** Product ids and service plan ids are Microsoft's own. */
type Plan = [id: string, name: string, status?: string];
type Product = { skuId: string; part: string; plans: Plan[]; units?: number };

const p1: Plan = ['41781fb2-bc02-4b7c-bd55-b576c07bb09d', 'AAD_PREMIUM'];
const p2: Plan = ['eec0eb4f-6444-4f95-aba0-50c24d67f998', 'AAD_PREMIUM_P2'];
const exchange: Plan = ['9aaf7827-d63c-4b61-89c3-182f06f82e5c', 'EXCHANGE_S_STANDARD'];
const exchange2: Plan = ['efb87545-963c-4e0d-99df-69c6916d9eb0', 'EXCHANGE_S_ENTERPRISE'];
const teams: Plan = ['57ff2da0-773e-42df-b2af-ffb7a2317929', 'TEAMS1'];
const defender: Plan = ['871d91ec-ec1a-452b-a83f-bd76c7d770ef', 'WINDEFATP'];
const office: Plan = ['f20fedf3-f3c3-43c3-8267-2bfdd51c0939', 'ATP_ENTERPRISE'];

const e5: Product = {
  skuId: '06ebc4ee-1bb5-47dd-8120-11324bc54e06',
  part: 'SPE_E5',
  plans: [exchange2, teams, p1, p2, defender, office],
};
const businessPremium: Product = {
  skuId: 'cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46',
  part: 'SPB',
  plans: [exchange, teams, p1, office],
};
const premiumP2: Product = {
  skuId: '84a661c4-e949-4bd2-a560-ed7766fcaf2b',
  part: 'AAD_PREMIUM_P2',
  plans: [p2],
};
const businessBasic: Product = {
  skuId: '3b555118-da6a-4418-894f-7df1e2096870',
  part: 'O365_BUSINESS_ESSENTIALS',
  plans: [exchange, teams],
};
/** Free: a million units that nobody bought. */
const flow: Product = {
  skuId: 'f30db892-07e9-47e9-837c-80727f46fd3d',
  part: 'FLOW_FREE',
  plans: [['50e68c76-46c6-4674-81f9-75456511b170', 'FLOW_P2_VIRAL']],
  units: 1_000_000,
};
const products: Record<Licence, Product[]> = {
  E5: [e5, flow],
  BusinessPremiumP2: [businessPremium, premiumP2, flow],
  BusinessPremium: [businessPremium, flow],
  BusinessBasic: [businessBasic, flow],
};

const services = ['Email', 'OfficeCommunicationsOnline'];

export const directoryAnswers = {
  organization(tenant: SandboxTenant): Organization[] {
    return [
      {
        id: tenant.id,
        displayName: tenant.name,
        // Declared by the newest metadata, not yet by the types.
        ...{ tenantType: 'AAD' },
        countryLetterCode: tenant.country,
        createdDateTime: '2021-03-03T00:00:00Z',
        verifiedDomains: domainNames(tenant).map(({ name, isDefault, isInitial }) => ({
          name,
          isDefault,
          isInitial,
          type: 'Managed',
          capabilities: services.join(', '),
        })),
        assignedPlans: (products[tenant.licence] ?? []).flatMap((product) =>
          product.plans.map(([servicePlanId, name]) => ({
            assignedDateTime: '2025-01-01T00:00:00Z',
            capabilityStatus: 'Enabled',
            service: name.startsWith('EXCHANGE')
              ? 'exchange'
              : name.startsWith('AAD')
                ? 'AADPremiumService'
                : 'Other',
            servicePlanId,
          })),
        ),
        technicalNotificationMails: [`it@${tenant.domain}`],
        onPremisesSyncEnabled: null,
      },
    ];
  },

  domains(tenant: SandboxTenant): Domain[] {
    return domainNames(tenant).map(({ name, isDefault, isInitial }) => ({
      id: name,
      authenticationType: 'Managed',
      isAdminManaged: true,
      isDefault,
      isInitial,
      isRoot: true,
      isVerified: true,
      supportedServices: isInitial ? [] : services,
      passwordValidityPeriodInDays: 2_147_483_647,
      passwordNotificationWindowInDays: 14,
      availabilityStatus: null,
      state: null,
      manufacturer: null,
      model: null,
    }));
  },

  subscribedSkus(tenant: SandboxTenant): SubscribedSku[] {
    const users = tenant.counted.at(-1)?.users ?? tenant.users;
    return (products[tenant.licence] ?? []).map((product) => ({
      id: `${tenant.id}_${product.skuId}`,
      accountId: tenant.id,
      accountName: initialName(tenant),
      appliesTo: 'User',
      capabilityStatus: 'Enabled',
      consumedUnits: product.units === undefined ? Math.round(users * 0.93) : Math.min(7, users),
      skuId: product.skuId,
      skuPartNumber: product.part,
      subscriptionIds: [guidOf(`subscription ${tenant.id} ${product.part}`)],
      prepaidUnits: {
        enabled: product.units ?? users,
        ...runningOut(tenant, product, users),
        lockedOut: 0,
      },
      servicePlans: product.plans.map(
        ([servicePlanId, servicePlanName, provisioningStatus = 'Success']): ServicePlanInfo => ({
          servicePlanId,
          servicePlanName,
          provisioningStatus,
          appliesTo: 'User',
        }),
      ),
    }));
  },
};

/** Some tenants have let a part of what they bought run out: it still works for some days, or no longer does. */
function runningOut(
  tenant: SandboxTenant,
  product: Product,
  users: number,
): { warning: number; suspended: number } {
  const random = seeded(`units ${tenant.seed} ${tenant.domain} ${product.part}`);
  const [late, over] = [random(), random()];
  if (product.units !== undefined) return { warning: 0, suspended: 0 };
  return {
    warning: late < 0.4 ? Math.ceil(users * 0.06) : 0,
    suspended: over < 0.3 ? Math.ceil(users * 0.03) : 0,
  };
}

function initialName(tenant: SandboxTenant): string {
  return tenant.domain.replace(/\.[a-z]+$/, '').replaceAll(/[^a-z0-9]/g, '');
}

function domainNames(tenant: SandboxTenant): { name: string; isDefault: boolean; isInitial: boolean }[] {
  return [
    { name: tenant.domain, isDefault: true, isInitial: false },
    { name: `${initialName(tenant)}.onmicrosoft.com`, isDefault: false, isInitial: true },
  ];
}
