import { type DatasetName, datasetNames, type Tenant } from './tenant.ts';

/** What is read, in words within a sentence: "recommendations". */
export const datasetWords: Readonly<Record<DatasetName, string>> = {
  organization: 'name of the organisation',
  domains: 'domains',
  subscribedSkus: 'licences',
  secureScores: 'Secure Score',
  secureScoreControlProfiles: 'recommendations',
  users: 'users',
  signInActivity: 'sign-in activity',
  mfaRegistration: 'MFA registration',
  directoryRoles: 'administrator roles',
  groups: 'groups',
  securityDefaults: 'security defaults',
  conditionalAccess: 'Conditional Access policies',
  licenceUse: 'licence use',
  licenceTerms: 'licence terms',
  mailDomains: 'mail domains (DNS)',
};

const reasons = {
  'not-licensed': 'not licensed',
  'not-granted': 'not granted',
  'permission-missing': 'permission missing',
  throttled: 'Microsoft asks us to wait',
  error: 'could not be read',
} as const;

/**
 * What of a tenant is not seen and why: "risky users: needs Entra ID P2", "domains: permission missing
 * (Domain.Read.All)". Empty when everything is. Foreign text inside is not escaped.
 */
export function notRead(tenant: Pick<Tenant, 'datasets' | 'licences' | 'health'>): string[] {
  const lines: string[] = [];
  const said = bare(tenant.health.cause);
  const byReason = new Map<string, string[]>();
  for (const name of datasetNames) {
    const state = tenant.datasets[name];
    // What the tenant's health says already, with its remedy, is not said once for each dataset.
    if (state?.state === 'ok' || (said !== '' && bare(state?.why ?? '') === said)) continue;
    const reason = state === undefined ? 'not read yet' : reasonOf(state);
    byReason.set(reason, [...(byReason.get(reason) ?? []), datasetWords[name]]);
  }
  for (const [reason, names] of byReason) lines.push(`${names.join(', ')}: ${reason}`);
  const { entraP1, entraP2 } = tenant.licences;
  if (entraP1.known && !entraP1.value) lines.push('sign-in logs and Conditional Access: needs Entra ID P1');
  if (entraP2.known && !entraP2.value) lines.push('risky users: needs Entra ID P2');
  return lines;
}

function reasonOf(state: { state: keyof typeof reasons | 'ok'; why?: string; permission?: string }): string {
  const why = bare(state.why ?? (state.state === 'ok' ? '' : reasons[state.state]));
  return state.permission !== undefined && !why.includes(state.permission)
    ? `${why} (${state.permission})`
    : why;
}

function bare(sentence: string): string {
  return sentence.trim().replace(/[.]$/, '');
}
