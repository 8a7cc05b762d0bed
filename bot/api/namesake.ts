import type { ConnectAnswer } from '../../shared/api.ts';
import type { Tenant, TenantId } from '../../shared/tenants/tenant.ts';
import { shownName } from '../cards/tenants-apart.ts';

/** The tenant among `tenants`, other than `id`, that is shown under this name already; null when it is free. */
export function namesakeOf(
  id: TenantId,
  name: string,
  tenants: readonly Tenant[],
): ConnectAnswer['namesake'] {
  const wanted = shownName(name);
  const other = tenants.find((tenant) => tenant.id !== id && shownName(tenant.name) === wanted);
  return other === undefined ? null : { name: other.name, domain: other.domain };
}
