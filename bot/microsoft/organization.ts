import * as v from 'valibot';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { MicrosoftError, nonsense } from './failures.ts';
import type { Ask } from './gateway.ts';
import { mapItems, wrongTenant } from './items.ts';
import { looseFlag, looseList, looseText, plainText } from './tolerant.ts';

/** `GET /organization` (`graph.md` §1.11): one element, and the best proof that a connection works. */
export const askOrganization: Ask = {
  path: '/organization',
  query: (request) => request.select(['id', 'displayName', 'verifiedDomains']),
};

const organizationSchema = v.object({
  id: v.string(),
  displayName: v.optional(looseText, ''),
  verifiedDomains: v.optional(
    looseList(v.object({ name: v.pipe(v.string(), v.nonEmpty()), isDefault: v.optional(looseFlag, false) })),
    [],
  ),
});

/** Id, name and verified domains, lower case, the default one first. Throws MicrosoftError for another tenant. */
export function organizationOf(
  items: unknown[],
  tenant: TenantId,
): { id: TenantId; name: string; domains: string[] } {
  const [one] = mapItems(items, organizationSchema, (organization) => {
    if (tenantId(organization.id) !== tenant) throw wrongTenant();
    const domains = organization.verifiedDomains.sort((a, b) => Number(b.isDefault) - Number(a.isDefault));
    return {
      id: tenant,
      name: plainText(organization.displayName, 256),
      domains: [...new Set(domains.map(({ name }) => name.toLowerCase()))],
    };
  });
  if (one === undefined) {
    throw new MicrosoftError(nonsense('Microsoft knows no organization behind this tenant.', 'EMPTY'));
  }
  return one;
}
