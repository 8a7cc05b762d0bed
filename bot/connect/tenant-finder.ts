import { LRUCache } from 'lru-cache';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import type { Microsoft, Services } from '../services.ts';

const atOnce = 4;
const rememberMs = 15 * 60_000;
const most = 5_000;

/**
 * Asks Entra which tenant a domain belongs to, for whole lists: at most four questions at once however many people
 * ask, and what was found answers again for a quarter of an hour, so that an import asks nothing a second time. Only
 * what was found is remembered.
 */
export type TenantFinder = (domain: string, services: Services) => Promise<TenantId | null>;

export function openTenantFinder(): TenantFinder {
  const known = new LRUCache<string, TenantId>({ max: most, ttl: rememberMs });
  const waiting: (() => void)[] = [];
  let running = 0;

  async function turn(): Promise<void> {
    if (running >= atOnce) return await new Promise<void>((resolve) => waiting.push(resolve));
    running += 1;
  }

  function done(): void {
    const next = waiting.shift();
    // The place goes to who waits longest; only without one it is free.
    if (next === undefined) running -= 1;
    else next();
  }

  return async function find(domain, { microsoft }) {
    const before = known.get(domain);
    if (before !== undefined) return before;
    await turn();
    try {
      const id = known.get(domain) ?? (await microsoft.tenantOfDomain(domain));
      if (id !== null) known.set(domain, id);
      return id;
    } finally {
      done();
    }
  };
}

/** The same services, with a Microsoft that finds tenants this way. */
export function findingBy(find: TenantFinder, services: Services): Services {
  const microsoft: Microsoft = {
    ...services.microsoft,
    tenantOfDomain: (domain) => find(domain, services),
  };
  return { ...services, microsoft };
}
