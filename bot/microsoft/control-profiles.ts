import * as v from 'valibot';
import type { ControlProfile } from '../../shared/score/score.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import type { Ask } from './gateway.ts';
import { mapItems, wrongTenant } from './items.ts';
import { httpLink, looseFlag, looseList, looseNumber, looseText, plainText } from './tolerant.ts';

/** `GET /security/secureScoreControlProfiles` (`graph.md` §1.2): 100 to 400 items, once a day. */
export const askControlProfiles: Ask = {
  path: '/security/secureScoreControlProfiles',
  query: (request) => request.top(999),
};

const states = ['Default', 'Ignored', 'ThirdParty', 'Reviewed'] as const;
const unranked = 9_999;

const profileSchema = v.object({
  id: v.pipe(v.string(), v.nonEmpty(), v.maxLength(300)),
  azureTenantId: v.optional(looseText, ''),
  title: v.optional(looseText, ''),
  controlCategory: v.optional(looseText, ''),
  service: v.optional(looseText, ''),
  maxScore: looseNumber,
  rank: v.optional(looseNumber, null),
  tier: v.optional(looseText, ''),
  implementationCost: v.optional(looseText, ''),
  userImpact: v.optional(looseText, ''),
  actionUrl: v.optional(looseText, ''),
  threats: v.optional(looseList(v.string()), []),
  deprecated: v.optional(looseFlag, false),
  remediation: v.optional(looseText, ''),
  controlStateUpdates: v.optional(
    looseList(v.object({ state: v.string(), updatedDateTime: v.optional(looseText, '') })),
    [],
  ),
});

/** The profiles of `tenant` in Microsoft's order. Throws MicrosoftError when nothing of what came can be used. */
export function profilesOf(items: unknown[], tenant: TenantId): ControlProfile[] {
  return mapItems(items, profileSchema, (profile) => {
    if (profile.azureTenantId !== '' && profile.azureTenantId.toLowerCase() !== tenant) throw wrongTenant();
    if (profile.maxScore === null) return undefined;
    return {
      name: profile.id,
      title: plainText(profile.title, 300) || profile.id,
      category: profile.controlCategory.trim() || 'Other',
      service: profile.service,
      max: profile.maxScore,
      rank: profile.rank ?? unranked,
      tier: profile.tier,
      effort: profile.implementationCost.trim().toLowerCase(),
      userImpact: profile.userImpact.trim().toLowerCase(),
      actionUrl: httpLink(profile.actionUrl),
      threats: profile.threats.slice(0, 30),
      deprecated: profile.deprecated,
      remediation: plainText(profile.remediation, 4_000),
      state: stateOf(profile.controlStateUpdates),
    };
  });
}

/** There is no field for the state: it is the newest entry of a history in no promised order; none = Default. */
function stateOf(updates: { state: string; updatedDateTime: string }[]): string {
  let newest: { state: string; at: number } | undefined;
  for (const { state, updatedDateTime } of updates) {
    const at = Date.parse(updatedDateTime);
    const known = Number.isNaN(at) ? 0 : at;
    if (newest === undefined || known >= newest.at) newest = { state, at: known };
  }
  const state = newest?.state ?? 'Default';
  return states.find((one) => one.toLowerCase() === state.toLowerCase()) ?? state;
}
