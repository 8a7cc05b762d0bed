import { randomInt } from 'node:crypto';
import { scopeOfJob } from '../../shared/access.ts';
import { notConnected } from '../../shared/tenants/not-connected.ts';
import { shownNameOf } from '../../shared/tenants/shown-name.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import type { Services } from '../services.ts';
import { tenantOf } from './test-connection.ts';

export type NewCompany = {
  /** A domain of its tenant, or the tenant's id. */
  domain: string;
  /** Shown name; absent: the domain, until the tenant has been read. */
  name?: string;
  /** Lower case, as `tagOf` makes them; at most 20. */
  tags?: readonly string[];
  /** Who adds it: `tid/oid`. */
  by: string;
};

/**
 * Puts a company into the list before there is a way into its tenant: health `waiting`, no credential, nothing is
 * synced. One that is there already stays as it is. Throws `bad-input` for a domain that no tenant has, and what
 * Entra's discovery throws.
 */
export async function addCompany(
  company: NewCompany,
  services: Services,
): Promise<{ kind: 'added' | 'known'; tenant: Tenant }> {
  const { store } = services;
  const { tags, by } = company;
  const name = shownNameOf(company.name ?? '');
  const id = await tenantOf(company.domain, services);
  const scope = scopeOfJob(id);
  const known = await store.tenants.get(scope, id);
  if (known !== null) return { kind: 'known', tenant: known };
  await store.audit.writeFirst({ who: by, what: 'add company', result: 'started', tenant: id });
  const now = services.now();
  const domain = company.domain.trim().toLowerCase();
  const tenant: Tenant = {
    id,
    name: name || domain,
    ...(name === '' ? {} : { named: true }),
    domain,
    // Given as an id there is no domain to find it by yet.
    domains: domain === id ? [] : [domain],
    ...(tags === undefined || tags.length === 0 ? {} : { tags: [...new Set(tags)].slice(0, 20) }),
    opaque: randomInt(1, 2 ** 31),
    connectedAt: now,
    health: notConnected(now),
    datasets: {},
    licences: {
      entraP1: { known: false, why: 'licences not read yet' },
      entraP2: { known: false, why: 'licences not read yet' },
      skus: [],
    },
  };
  await store.tenants.save(scope, tenant);
  await store.audit.write({ who: by, what: 'add company', result: 'done', tenant: id });
  return { kind: 'added', tenant };
}
