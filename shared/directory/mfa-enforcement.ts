import type { Known } from '../tenants/tenant.ts';
import { counted } from '../words.ts';
import type { ConditionalAccessFacts, PolicyFacts } from './directory.ts';

/** What makes people pass MFA. `partly`: some of them, or only sometimes. */
export type Enforcement = {
  verdict: 'everyone' | 'admins' | 'partly' | 'nobody' | 'unknown';
  /** One sentence each: by what, and what is not known. */
  lines: string[];
};

/** Microsoft's API of today tells it only in a preview, one call for each user. */
const perUser = 'Per-user MFA: not known, because Microsoft Graph offers it only as a preview.';

/**
 * What enforces MFA in a tenant: security defaults and Conditional Access exclude each other, per-user MFA cannot be
 * read. "Nobody" is said only when both were read; a policy in report-only mode enforces nothing.
 */
export function mfaEnforcement(
  securityDefaults: Known<{ isOn: boolean }>,
  conditionalAccess: Known<ConditionalAccessFacts>,
): Enforcement {
  const lines: string[] = [];
  if (!securityDefaults.known) lines.push(`Security defaults: not known, because ${securityDefaults.why}.`);
  else if (securityDefaults.value.isOn)
    lines.push('Security defaults are on: everybody registers, administrators always pass MFA.');
  else lines.push('Security defaults are off.');
  const policies = conditionalAccess.known ? conditionalAccess.value.policies.filter(demandsMfa) : [];
  if (!conditionalAccess.known)
    lines.push(`Conditional Access: not known, because ${conditionalAccess.why}.`);
  else lines.push(...policyLines(policies));
  lines.push(perUser);
  return { verdict: verdictOf(securityDefaults, conditionalAccess, policies), lines };
}

function verdictOf(
  securityDefaults: Known<{ isOn: boolean }>,
  conditionalAccess: Known<ConditionalAccessFacts>,
  policies: PolicyFacts[],
): Enforcement['verdict'] {
  if (securityDefaults.known && securityDefaults.value.isOn) return 'everyone';
  const on = policies.filter(({ state }) => state === 'on');
  const always = on.filter((one) => one.demands === 'mfa' && one.apps === 'all' && !one.conditional);
  if (always.some(({ reach }) => reach === 'everyone')) return 'everyone';
  // What could not be read may do more than what could.
  if (!conditionalAccess.known || !securityDefaults.known) return 'unknown';
  if (always.some(({ reach }) => reach === 'admins')) return 'admins';
  return on.some(({ reach }) => reach !== 'nobody') ? 'partly' : 'nobody';
}

function demandsMfa({ demands }: PolicyFacts): boolean {
  return demands === 'mfa' || demands === 'mfaOr';
}

const reaches: Record<PolicyFacts['reach'], string> = {
  everyone: 'everybody',
  admins: 'administrators',
  guests: 'guests',
  some: 'some people',
  nobody: 'nobody',
};

function policyLines(policies: PolicyFacts[]): string[] {
  const on = policies.filter(({ state }) => state === 'on');
  const tried = policies.filter(({ state }) => state === 'reportOnly').length;
  const lines = on.map(
    (one) => `“${one.name}” demands ${demandOf(one)} of ${reaches[one.reach]} ${scopeOf(one)}.`,
  );
  if (on.length === 0) lines.push('No Conditional Access policy that is switched on demands MFA.');
  if (tried > 0)
    lines.push(
      `${counted(tried, 'policy', 'policies')} for MFA ${tried === 1 ? 'is' : 'are'} in report-only mode: enforces nothing.`,
    );
  return lines;
}

function demandOf({ demands }: PolicyFacts): string {
  return demands === 'mfaOr' ? 'MFA, or something else instead of it,' : 'MFA';
}

function scopeOf({ apps, conditional, exclusions }: PolicyFacts): string {
  const where = apps === 'all' ? 'for all apps' : 'for some apps';
  const when = conditional ? ', under certain conditions only' : '';
  return `${where}${when}${exclusions === 0 ? '' : `, with ${counted(exclusions, 'exclusion')}`}`;
}
