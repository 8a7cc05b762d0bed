import { clean } from '../../shared/foreign-text.ts';
import { foldedName } from '../../shared/score/worst-first.ts';
import type { Tenant, TenantId } from '../../shared/tenants/tenant.ts';

type Named = Pick<Tenant, 'id' | 'name' | 'domain'>;

/** As people compare what a list shows: signs that are not seen do not tell two names apart. */
export function shownName(name: string): string {
  return foldedName(clean(name, 80));
}

/** Those of `tenants` that share their shown name with another of them: the name alone does not say who is meant. */
export function namesakes(tenants: readonly Named[]): ReadonlySet<TenantId> {
  const groups = Map.groupBy(tenants, ({ name }) => shownName(name));
  const shared = [...groups.values()].filter((group) => group.length > 1);
  return new Set(shared.flat().map(({ id }) => id));
}

/** "Contoso Ltd", or "Contoso Ltd (contoso.com)" of one that is in `shared`. `foreign` makes texts fit for where they go. */
export function nameApart(
  tenant: Named,
  shared: ReadonlySet<TenantId>,
  foreign: (text: string, most: number) => string,
  most: number,
): string {
  const name = foreign(tenant.name, most);
  return shared.has(tenant.id) ? `${name} (${foreign(tenant.domain, 60)})` : name;
}

/** "contoso.com · " before what a row says of a tenant in `shared`, else nothing. */
export function domainBefore(
  tenant: Named,
  shared: ReadonlySet<TenantId>,
  foreign: (text: string, most: number) => string,
): string {
  return shared.has(tenant.id) ? `${foreign(tenant.domain, 60)} · ` : '';
}
