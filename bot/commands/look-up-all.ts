import { type Caller, scopeFor } from '../../shared/access.ts';
import { plain } from '../../shared/foreign-text.ts';
import { findTenant } from '../../shared/tenants/find-tenant.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import type { TenantVerb } from '../cards/choose-tenant.ts';
import type { Place, Reply, Services } from '../services.ts';
import { lookUp, notAvailable } from './look-up.ts';
import { refuse } from './reply.ts';

export type LookedUpAll = { kind: 'tenants'; tenants: Tenant[] } | { kind: 'reply'; reply: Reply };

/** All of several tenants, each as `lookUp` finds one, or the answer for the first that is not clear: then nothing is done. */
export async function lookUpAll(
  names: readonly string[],
  verb: TenantVerb,
  who: Caller,
  where: Place,
  services: Services,
): Promise<LookedUpAll> {
  const [only, ...others] = names;
  if (only !== undefined && others.length === 0) {
    const found = await lookUp(only, verb, who, where, services);
    return found.kind === 'reply' ? found : { kind: 'tenants', tenants: [found.tenant] };
  }
  const all = await services.store.tenants.list(scopeFor(who, where.audience, 'view', services.now()));
  const tenants: Tenant[] = [];
  for (const name of names) {
    const found = findTenant(name, all);
    if (found.kind === 'none')
      return { kind: 'reply', reply: notAvailable(name, verb, found.nearest, where) };
    if (found.kind === 'several') {
      // A choice for one would forget the others.
      const reply = refuse(
        where,
        `“${plain(name, 80)}” fits several tenants. Write the domain instead; nothing was changed.`,
      );
      return { kind: 'reply', reply: { ...reply, tenants: found.tenants.map(({ id }) => id) } };
    }
    if (!tenants.includes(found.tenant)) tenants.push(found.tenant);
  }
  return { kind: 'tenants', tenants };
}
