import * as v from 'valibot';
import type { Licences } from '../../shared/tenants/tenant.ts';
import type { Ask } from './gateway.ts';
import { mapItems } from './items.ts';
import { looseList, looseNumber, looseText } from './tolerant.ts';

/** `GET /subscribedSkus` (`graph.md` §1.10): only `$select` is understood. */
export const askSubscribedSkus: Ask = {
  path: '/subscribedSkus',
  query: (request) =>
    request.select(['skuPartNumber', 'capabilityStatus', 'consumedUnits', 'prepaidUnits', 'servicePlans']),
};

/** Service plans that decide what a tenant can be asked for. */
const entraP1 = '41781fb2-bc02-4b7c-bd55-b576c07bb09d';
const entraP2 = 'eec0eb4f-6444-4f95-aba0-50c24d67f998';

/** Names people know; Graph sends part numbers only. Others are shown as they come. */
const names: Readonly<Record<string, string>> = {
  AAD_BASIC: 'Entra ID Basic',
  AAD_PREMIUM: 'Entra ID P1',
  AAD_PREMIUM_P2: 'Entra ID P2',
  ATP_ENTERPRISE: 'Defender for Office 365 (Plan 1)',
  DESKLESSPACK: 'Office 365 F3',
  EMS: 'Enterprise Mobility + Security E3',
  EMSPREMIUM: 'Enterprise Mobility + Security E5',
  ENTERPRISEPACK: 'Office 365 E3',
  ENTERPRISEPREMIUM: 'Office 365 E5',
  ENTERPRISEPREMIUM_NOPSTNCONF: 'Office 365 E5 without Audio Conferencing',
  EXCHANGEENTERPRISE: 'Exchange Online (Plan 2)',
  EXCHANGESTANDARD: 'Exchange Online (Plan 1)',
  FLOW_FREE: 'Power Automate Free',
  IDENTITY_THREAT_PROTECTION: 'Microsoft 365 E5 Security',
  INTUNE_A: 'Intune Plan 1',
  M365_F1: 'Microsoft 365 F1',
  MCOEV: 'Teams Phone Standard',
  MCOMEETADV: 'Audio Conferencing',
  MDATP_XPLAT: 'Defender for Endpoint P2',
  MICROSOFT_365_COPILOT: 'Microsoft 365 Copilot',
  O365_BUSINESS: 'Microsoft 365 Apps for Business',
  O365_BUSINESS_ESSENTIALS: 'Microsoft 365 Business Basic',
  O365_BUSINESS_PREMIUM: 'Microsoft 365 Business Standard',
  OFFICESUBSCRIPTION: 'Microsoft 365 Apps for Enterprise',
  POWER_BI_PRO: 'Power BI Pro',
  POWER_BI_STANDARD: 'Power BI Free',
  PROJECTPROFESSIONAL: 'Project Plan 3',
  SMB_BUSINESS: 'Microsoft 365 Apps for Business',
  SMB_BUSINESS_ESSENTIALS: 'Microsoft 365 Business Basic',
  SMB_BUSINESS_PREMIUM: 'Microsoft 365 Business Standard',
  SPB: 'Microsoft 365 Business Premium',
  SPE_E3: 'Microsoft 365 E3',
  SPE_E5: 'Microsoft 365 E5',
  SPE_F1: 'Microsoft 365 F3',
  STANDARDPACK: 'Office 365 E1',
  TEAMS_EXPLORATORY: 'Teams Exploratory',
  THREAT_INTELLIGENCE: 'Defender for Office 365 (Plan 2)',
  VISIOCLIENT: 'Visio Plan 2',
};

const skuSchema = v.object({
  skuPartNumber: v.pipe(v.string(), v.nonEmpty(), v.maxLength(200)),
  capabilityStatus: v.optional(looseText, ''),
  consumedUnits: v.optional(looseNumber, null),
  prepaidUnits: v.fallback(v.object({ enabled: v.optional(looseNumber, null) }), { enabled: null }),
  servicePlans: v.optional(
    looseList(v.object({ servicePlanId: v.string(), provisioningStatus: v.optional(looseText, '') })),
    [],
  ),
});

/** What the tenant has bought. P2 contains what P1 can do. */
export function licencesOf(items: unknown[]): Licences {
  const skus = mapItems(items, skuSchema, (sku) => sku);
  const plans = new Set(
    skus
      .filter(({ capabilityStatus }) => /^(enabled|warning)$/i.test(capabilityStatus))
      .flatMap(({ servicePlans }) => servicePlans)
      .filter(({ provisioningStatus }) => /^success$/i.test(provisioningStatus))
      .map(({ servicePlanId }) => servicePlanId.toLowerCase()),
  );
  return {
    entraP1: { known: true, value: plans.has(entraP1) || plans.has(entraP2) },
    entraP2: { known: true, value: plans.has(entraP2) },
    skus: skus.map((sku) => ({
      partNumber: sku.skuPartNumber,
      name: productName(sku.skuPartNumber),
      enabled: sku.prepaidUnits.enabled ?? 0,
      consumed: sku.consumedUnits ?? 0,
      state: sku.capabilityStatus,
    })),
  };
}

/** The name people know a product by, or its part number. */
export function productName(partNumber: string): string {
  return Object.hasOwn(names, partNumber) ? (names[partNumber] ?? partNumber) : partNumber;
}
