import * as v from 'valibot';
import {
  type ConditionalAccessFacts,
  mostNamed,
  type PolicyFacts,
  type PolicyReach,
} from '../../shared/directory/directory.ts';
import type { Ask } from './gateway.ts';
import { mapItems } from './items.ts';
import { looseList, looseText, plainText } from './tolerant.ts';

/** `GET /identity/conditionalAccess/policies` (`graph.md` §1.6): one request a second for all apps of a tenant. */
export const askConditionalAccess: Ask = {
  path: '/identity/conditionalAccess/policies',
  query: (request) => request.top(999),
};

const texts = v.optional(looseList(v.string()), []);
/** Any branch may be null or missing. */
function branch<const E extends v.ObjectEntries>(entries: E) {
  return v.fallback(v.nullish(v.object(entries)), undefined);
}

const policySchema = v.object({
  id: v.string(),
  displayName: v.optional(looseText, ''),
  state: v.optional(looseText, ''),
  conditions: branch({
    users: branch({
      ...{ includeUsers: texts, includeGroups: texts, includeRoles: texts },
      ...{ excludeUsers: texts, excludeGroups: texts, excludeRoles: texts },
      includeGuestsOrExternalUsers: v.optional(v.unknown()),
      excludeGuestsOrExternalUsers: v.optional(v.unknown()),
    }),
    applications: branch({ includeApplications: texts, excludeApplications: texts }),
    clientAppTypes: texts,
    signInRiskLevels: texts,
    userRiskLevels: texts,
    platforms: branch({ includePlatforms: texts, excludePlatforms: texts }),
    locations: branch({ includeLocations: texts, excludeLocations: texts }),
    devices: v.optional(v.unknown()),
    authenticationFlows: v.optional(v.unknown()),
  }),
  grantControls: branch({
    operator: v.optional(looseText, ''),
    builtInControls: texts,
    customAuthenticationFactors: texts,
    termsOfUse: texts,
    authenticationStrength: v.optional(v.unknown()),
  }),
});
type Policy = v.InferOutput<typeof policySchema>;

/** How many there are by state, and those that have to do with MFA, switched on ones first. */
export function conditionalAccessOf(items: unknown[]): ConditionalAccessFacts {
  const policies = mapItems(items, policySchema, policyOf);
  const of = (state: PolicyFacts['state']): number => policies.filter((one) => one.state === state).length;
  const order: PolicyFacts['state'][] = ['on', 'reportOnly', 'off'];
  return {
    ...{ on: of('on'), reportOnly: of('reportOnly'), off: of('off') },
    policies: policies
      .filter(({ demands, blocksLegacy }) => demands === 'mfa' || demands === 'mfaOr' || blocksLegacy)
      .sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state) || (a.name < b.name ? -1 : 1))
      .slice(0, mostNamed),
  };
}

function policyOf(policy: Policy): PolicyFacts {
  const { users, applications, clientAppTypes = [] } = policy.conditions ?? {};
  const demands = demandsOf(policy.grantControls);
  return {
    name: plainText(policy.displayName, 256) || policy.id,
    state: stateOf(policy.state),
    reach: reachOf(users),
    apps: has(applications?.includeApplications, 'All') ? 'all' : 'some',
    exclusions:
      [users?.excludeUsers, users?.excludeGroups, users?.excludeRoles, applications?.excludeApplications]
        .map((list) => list?.length ?? 0)
        .reduce((all, one) => all + one, 0) + (users?.excludeGuestsOrExternalUsers == null ? 0 : 1),
    demands,
    blocksLegacy:
      demands === 'block' &&
      has(clientAppTypes, 'other') &&
      !has(clientAppTypes, 'browser') &&
      !has(clientAppTypes, 'all'),
    conditional: isConditional(policy.conditions),
  };
}

/** What is not known to be on enforces nothing. */
function stateOf(state: string): PolicyFacts['state'] {
  if (state.toLowerCase() === 'enabled') return 'on';
  return state.toLowerCase() === 'enabledforreportingbutnotenforced' ? 'reportOnly' : 'off';
}

function reachOf(users: NonNullable<Policy['conditions']>['users']): PolicyReach {
  if (users == null) return 'nobody';
  if (has(users.includeUsers, 'All')) return 'everyone';
  if (users.includeRoles.length > 0) return 'admins';
  const named = users.includeUsers.filter((one) => !/^(none|guestsorexternalusers)$/i.test(one));
  if (named.length + users.includeGroups.length > 0) return 'some';
  const guests =
    has(users.includeUsers, 'GuestsOrExternalUsers') || users.includeGuestsOrExternalUsers != null;
  return guests ? 'guests' : 'nobody';
}

function demandsOf(grant: Policy['grantControls']): PolicyFacts['demands'] {
  if (grant == null) return 'other';
  if (has(grant.builtInControls, 'block')) return 'block';
  const mfa = has(grant.builtInControls, 'mfa') || grant.authenticationStrength != null;
  if (!mfa) return 'other';
  const others =
    grant.builtInControls.filter((one) => one.toLowerCase() !== 'mfa').length +
    grant.customAuthenticationFactors.length +
    grant.termsOfUse.length;
  return others > 0 && grant.operator.toUpperCase() !== 'AND' ? 'mfaOr' : 'mfa';
}

/** Does it ask only at a risk, in a place, on a device or from some clients? */
function isConditional(conditions: Policy['conditions']): boolean {
  if (conditions == null) return false;
  const { platforms, locations, clientAppTypes } = conditions;
  const part = (included: string[] | undefined, excluded: string[] | undefined): boolean =>
    included !== undefined && (!has(included, 'all') || (excluded?.length ?? 0) > 0);
  const clients =
    clientAppTypes.length === 0 ||
    has(clientAppTypes, 'all') ||
    (has(clientAppTypes, 'browser') && has(clientAppTypes, 'mobileAppsAndDesktopClients'));
  return (
    conditions.signInRiskLevels.length > 0 ||
    conditions.userRiskLevels.length > 0 ||
    conditions.devices != null ||
    conditions.authenticationFlows != null ||
    !clients ||
    part(platforms?.includePlatforms, platforms?.excludePlatforms) ||
    part(locations?.includeLocations, locations?.excludeLocations)
  );
}

function has(list: readonly string[] | undefined, word: string): boolean {
  return list?.some((one) => one.toLowerCase() === word.toLowerCase()) ?? false;
}
