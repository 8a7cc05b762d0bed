import { type DatasetName, datasetNames, type Tenant } from './tenant.ts';

const words: Record<DatasetName, string> = {
  organization: 'name of the organisation',
  domains: 'domains',
  subscribedSkus: 'licences',
  secureScores: 'Secure Score',
  secureScoreControlProfiles: 'recommendations',
};

const reasons = {
  'not-licensed': 'not licensed',
  'permission-missing': 'permission missing',
  throttled: 'Microsoft asks us to wait',
  error: 'could not be read',
} as const;

/**
 * What of a tenant is not seen and why: "risky users: needs Entra ID P2", "domains: permission missing
 * (Domain.Read.All)". Empty when everything is. Foreign text inside is not escaped.
 */
export function notRead(tenant: Pick<Tenant, 'datasets' | 'licences'>): string[] {
  const lines: string[] = [];
  for (const name of datasetNames) {
    const state = tenant.datasets[name];
    if (state === undefined) lines.push(`${words[name]}: not read yet`);
    else if (state.state !== 'ok') lines.push(`${words[name]}: ${reasonOf(state)}`);
  }
  const { entraP1, entraP2 } = tenant.licences;
  if (entraP1.known && !entraP1.value) lines.push('sign-in logs and Conditional Access: needs Entra ID P1');
  if (entraP2.known && !entraP2.value) lines.push('risky users: needs Entra ID P2');
  return lines;
}

function reasonOf(state: { state: keyof typeof reasons | 'ok'; why?: string; permission?: string }): string {
  const why = state.why ?? (state.state === 'ok' ? '' : reasons[state.state]);
  const bare = why.trim().replace(/[.]$/, '');
  return state.permission !== undefined && !bare.includes(state.permission)
    ? `${bare} (${state.permission})`
    : bare;
}
