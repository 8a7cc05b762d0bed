import type { TenantScope } from '../../shared/access.ts';
import { type FindingOf, isStanding, lastTransition } from '../../shared/alerts/finding.ts';
import { headline } from '../../shared/alerts/words.ts';
import { plain } from '../../shared/foreign-text.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { acknowledgedLine } from '../cards/drop-words.ts';
import type { Services } from '../services.ts';

/** More are not looked through for an answer in chat. */
export const mostLookedAt = 50;
const atOnce = 10;

export type StandingFall = { tenant: Tenant; finding: FindingOf<'scoreDrop'> };

/** The falls that stand now, of the first `mostLookedAt` of these tenants. */
export async function standingFalls(
  scope: TenantScope,
  tenants: readonly Tenant[],
  { store }: Services,
): Promise<StandingFall[]> {
  const found: StandingFall[] = [];
  const looked = tenants.slice(0, mostLookedAt);
  for (let from = 0; from < looked.length; from += atOnce) {
    const group = looked.slice(from, from + atOnce);
    const lists = await Promise.all(group.map(({ id }) => store.findings.ofTenant(scope, id)));
    for (const [at, tenant] of group.entries()) {
      const finding = lists[at]?.find((one) => one.rule === 'scoreDrop' && isStanding(one));
      if (finding !== undefined) found.push({ tenant, finding });
    }
  }
  return found;
}

/** "Contoso fell 3.1 %-points (65.5 % → 62.4 %), 2 controls regressed. Acknowledged by Ana Reyes on …", escaped. */
export function standingInWords({ tenant, finding }: StandingFall, now: string): string {
  const foreign = (text: string): string => plain(text, 60);
  const acknowledged = acknowledgedLine(finding, now, foreign);
  const said = headline(lastTransition(finding), { tenant: tenant.name, now, foreign });
  return acknowledged === '' ? said : `${said} ${acknowledged}.`;
}
