import type { Covered, Deny, Grant } from '../../shared/access.ts';
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
  const scope = scopeInWords(grant, named);
  return scope === null ? null : `${grant.role} of ${scope}`;
}

/** A deny as a phrase: "denied Contoso Ltd"; of tenants that may not be named here only that there is one. */
export function denyInWords(deny: Deny, named: ReadonlyMap<TenantId, Tenant>, now: Instant): string {
  const until = deny.until === undefined ? '' : `, until ${dayText(lastDay(deny.until), now)}`;
  return `denied ${scopeInWords(deny, named) ?? 'some tenants'}: by ${plain(deny.by, 60)} on ${dayText(dayOf(deny.at), now)}${until}`;
}

/** Where from and until when: "given by Ana Reyes on 20 Nov, until 31 Mar 2027". Escaped. */
export function whyInWords(grant: Grant, now: Instant): string {
  const from = `${sources[grant.source]} by ${plain(grant.by, 60)} on ${dayText(dayOf(grant.at), now)}`;
  return grant.until === undefined ? from : `${from}, until ${dayText(lastDay(grant.until), now)}`;
}

/** The tenants that may be named here, and the tags; null when there is none of them. */
export function scopeInWords(
  { scope, tags = [] }: Covered,
  named: ReadonlyMap<TenantId, Tenant>,
): string | null {
  if (scope === 'all') return 'all tenants';
  const names = scope.flatMap((id) => {
    const tenant = named.get(id);
    return tenant === undefined ? [] : [plain(tenant.name, 60)];
  });
  const tagged = tags.map((tag) => `all tagged ${plain(tag, 40)}`);
  return names.length + tagged.length === 0 ? null : listed([...names, ...tagged], 10);
}

/** A grant ends with a day: `until` is the first instant it is no longer valid. */
function lastDay(until: Instant): string {
  return dayOf(plus(until, -1));
}

/** The ids that were named by `scopeInWords`. */
export function namedIds({ scope }: Covered, named: ReadonlyMap<TenantId, Tenant>): TenantId[] {
  return scope === 'all' ? [] : scope.filter((id) => named.has(id));
}

/** Tenants by id. */
export function byId(tenants: readonly Tenant[]): Map<TenantId, Tenant> {
  return new Map(tenants.map((tenant) => [tenant.id, tenant]));
}
