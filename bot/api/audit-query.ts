import * as v from 'valibot';
import { type Caller, scopeFor } from '../../shared/access.ts';
import { auditResults } from '../../shared/audit/entry.ts';
import { findTenant } from '../../shared/tenants/find-tenant.ts';
import { tenantId } from '../../shared/tenants/tenant.ts';
import type { AuditFilter, Services } from '../services.ts';
import { personOf } from './allowed.ts';
import { tabOf } from './tenants.ts';

const text = v.optional(v.pipe(v.string(), v.maxLength(200), v.trim()), '');
const instant = v.optional(v.union([v.literal(''), v.pipe(v.string(), v.isoTimestamp())]), '');
const schema = v.object({
  person: text,
  tenant: text,
  action: text,
  result: v.optional(v.union([v.literal(''), v.picklist(auditResults)]), ''),
  from: instant,
  to: instant,
  after: v.optional(v.pipe(v.string(), v.maxLength(500))),
});

export type Asked =
  | { kind: 'filter'; filter: AuditFilter; after: string | undefined }
  /** A sentence. */
  | { kind: 'wrong'; say: string };

/** What the address asks for, names looked up: who or what nobody knows finds nothing. */
export async function askedFor(query: URLSearchParams, who: Caller, services: Services): Promise<Asked> {
  const parsed = v.safeParse(schema, Object.fromEntries(query));
  if (!parsed.success) return { kind: 'wrong', say: 'That cannot be looked for. Set the filters again.' };
  const { person, tenant, action, result, from, to, after } = parsed.output;
  const filter: AuditFilter = {};
  if (person !== '') filter.who = await actors(person, who, services);
  if (tenant !== '') {
    const id = tenantId(tenant);
    const seen = await services.store.tenants.list(scopeFor(who, tabOf(who), 'export', services.now()));
    const found = id === undefined ? findTenant(tenant, seen) : null;
    if (found?.kind === 'several')
      return { kind: 'wrong', say: 'Several tenants are called like that. Write the domain instead.' };
    if (id !== undefined) filter.tenant = id;
    else if (found?.kind === 'one') filter.tenant = found.tenant.id;
    else filter.who = [];
  }
  if (action !== '') filter.what = action;
  if (result !== '') filter.result = result;
  if (from !== '') filter.from = new Date(from).toISOString();
  if (to !== '') filter.to = new Date(to).toISOString();
  return { kind: 'filter', filter, after };
}

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const peopleLookedThrough = 1_000;

/** The actors somebody may mean: an actor as written, an object id, an address, or part of a name of who has a role. */
async function actors(said: string, who: Caller, { store, settings }: Services): Promise<string[]> {
  if (/^(watchpost|anybody|cli:.*)$/.test(said) || said.includes('/')) return [said];
  if (guid.test(said)) {
    const oid = said.toLowerCase();
    const known = (await store.people.byOid(oid)).map(personOf);
    return known.length > 0 ? known : [`${settings.homeTenantId}/${oid}`];
  }
  if (said.includes('@')) return (await store.people.byAddress(who.tid, said.toLowerCase())).map(personOf);
  const folded = said.toLowerCase();
  const found: string[] = [];
  let after: string | undefined;
  for (let looked = 0; looked < peopleLookedThrough; ) {
    const page = await store.people.withGrants({ limit: 200, ...(after === undefined ? {} : { after }) });
    found.push(...page.rows.filter(({ name }) => name.toLowerCase().includes(folded)).map(personOf));
    looked += 200;
    if (page.next === null) break;
    after = page.next;
  }
  return found;
}
