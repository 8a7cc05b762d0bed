import { LRUCache } from 'lru-cache';
import type { TenantScope } from '../../shared/access.ts';
import { type FindingOf, findingId, lastTransition, standingDrop } from '../../shared/alerts/finding.ts';
import { scoreObject } from '../../shared/alerts/score-drop.ts';
import { headline } from '../../shared/alerts/words.ts';
import { plain } from '../../shared/foreign-text.ts';
import type { Tenant, TenantId } from '../../shared/tenants/tenant.ts';
import { acknowledgedLine } from '../cards/finding.ts';
import { digest } from '../digest.ts';
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
      const finding = standingDrop(lists[at] ?? []);
      if (finding !== undefined) found.push({ tenant, finding });
    }
  }
  return found;
}

/** The fall of this one tenant that stands now; null when there is none. */
export async function standingFall(
  scope: TenantScope,
  tenant: Tenant,
  { store }: Pick<Services, 'store'>,
): Promise<StandingFall | null> {
  const kept = await store.findings.get(scope, tenant.id, ids.memo(tenant.id));
  const finding = standingDrop(kept === null ? [] : [kept.value]);
  return finding === undefined ? null : { tenant, finding };
}

const ids = new LRUCache<TenantId, string>({
  max: 10_000,
  memoMethod: (id) => findingId(id, 'scoreDrop', scoreObject, digest),
});

/** "Contoso fell 3.1 %-points (65.5 % → 62.4 %), 2 controls regressed. Acknowledged by Ana Reyes on …", escaped. */
export function standingInWords({ tenant, finding }: StandingFall, now: string): string {
  const foreign = (text: string): string => plain(text, 60);
  const acknowledged = acknowledgedLine(finding, now, foreign);
  const said = headline(lastTransition(finding), { tenant: tenant.name, now, foreign });
  return acknowledged === '' ? said : `${said} ${acknowledged}.`;
}
