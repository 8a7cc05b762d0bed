import type { Grant, GrantScope } from '../../shared/access.ts';
import { plain } from '../../shared/foreign-text.ts';
import type { Tenant, TenantId } from '../../shared/tenants/tenant.ts';
import { dayOf, type Instant, plus } from '../../shared/time.ts';
import { dayText, listed } from '../../shared/words.ts';

const sources: Record<Grant['source'], string> = {
  chat: 'given',
  tab: 'given',
  'app-role': 'by app role in Entra, given',
  group: 'by group in Entra, given',
  claim: 'claimed',
  demo: 'given',
  cli: 'given',
};

/** A grant as a phrase: "Operator of Contoso Ltd and Fabrikam", escaped; null when nothing of it may be named here. */
export function grantInWords(grant: Grant, named: ReadonlyMap<TenantId, Tenant>): string | null {
  const scope = scopeInWords(grant.scope, named);
  return scope === null ? null : `${grant.role} of ${scope}`;
}

/** Where from and until when: "given by Ana Reyes on 20 Nov, until 31 Mar 2027". Escaped. */
export function whyInWords(grant: Grant, now: Instant): string {
  const from = `${sources[grant.source]} by ${plain(grant.by, 60)} on ${dayText(dayOf(grant.at), now)}`;
  return grant.until === undefined ? from : `${from}, until ${dayText(lastDay(grant.until), now)}`;
}

/** The tenants of a scope that may be named here; null when there is none of them. */
export function scopeInWords(scope: GrantScope, named: ReadonlyMap<TenantId, Tenant>): string | null {
  if (scope === 'all') return 'all tenants';
  const names = scope.flatMap((id) => {
    const tenant = named.get(id);
    return tenant === undefined ? [] : [plain(tenant.name, 60)];
  });
  return names.length === 0 ? null : listed(names, 10);
}

/** A grant ends with a day: `until` is the first instant it is no longer valid. */
function lastDay(until: Instant): string {
  return dayOf(plus(until, -1));
}

/** The ids of a scope that were named by `scopeInWords`. */
export function namedIds(scope: GrantScope, named: ReadonlyMap<TenantId, Tenant>): TenantId[] {
  return scope === 'all' ? [] : scope.filter((id) => named.has(id));
}

/** Tenants by id. */
export function byId(tenants: readonly Tenant[]): Map<TenantId, Tenant> {
  return new Map(tenants.map((tenant) => [tenant.id, tenant]));
}
