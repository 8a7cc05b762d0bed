import type { Covered, Grant } from '../../shared/access.ts';
import type { CoveredLine } from '../../shared/api.ts';
import type { Tenant, TenantId } from '../../shared/tenants/tenant.ts';
import { listed } from '../../shared/words.ts';

const mostNamed = 50;

/** What of a grant or deny the reader may see; null when that is nothing. */
export function coveredLine(
  { scope, tags = [] }: Covered,
  seen: ReadonlyMap<TenantId, Tenant>,
): CoveredLine | null {
  if (scope === 'all') return { all: true, tenants: [], more: 0, tags: [] };
  const tenants = scope.flatMap((id) => {
    const tenant = seen.get(id);
    return tenant === undefined ? [] : [{ id, name: tenant.name }];
  });
  if (tenants.length === 0 && tags.length === 0) return null;
  return {
    ...{ all: false, tenants: tenants.slice(0, mostNamed), tags: [...tags] },
    more: Math.max(0, tenants.length - mostNamed),
  };
}

/** The same as words: "all tenants", "Contoso, Fabrikam and all tagged retail". */
export function coveredWords(line: CoveredLine): string {
  if (line.all) return 'all tenants';
  const names = [...line.tenants.map(({ name }) => name), ...line.tags.map((tag) => `all tagged ${tag}`)];
  const more = line.more === 0 ? [] : [`${line.more} more`];
  return listed([...names, ...more]);
}

/** Why a person has a grant. */
export function sourceWords({ source, by }: Pick<Grant, 'source' | 'by'>): string {
  switch (source) {
    case 'app-role':
      return 'from an app role in Entra';
    case 'group':
      return 'from a group in Entra';
    case 'claim':
      return 'claimed as the first Admin';
    default:
      return `given by ${by}`;
  }
}
