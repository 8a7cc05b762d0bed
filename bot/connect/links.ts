import { randomBytes } from 'node:crypto';
import { callerOf, may, scopeOfJob } from '../../shared/access.ts';
import { type Tenant, tenantId } from '../../shared/tenants/tenant.ts';
import { WatchpostError } from '../errors.ts';
import type { ConnectLink, Services } from '../services.ts';

/** A link as it is handed to who asked for it, once: nobody can read it again. */
export type MadeLink = { url: string; expiresAt: string };

/**
 * Makes the link that an administrator of the tenant opens to consent (R16); earlier ones of the tenant end. The caller
 * has checked that `by` (`tid/oid`) may connect it. Throws `refused` while there is nothing to consent to.
 */
export async function makeLink(
  tenant: Pick<Tenant, 'id'>,
  by: string,
  where: string,
  services: Services,
): Promise<MadeLink> {
  const { store, settings } = services;
  if (services.consent === undefined) throw consentIsOff();
  const entry = { who: by, what: 'make connect link', tenant: tenant.id, where };
  await store.audit.writeFirst({ ...entry, result: 'started' });
  const token = randomBytes(32).toString('base64url');
  const { expiresAt } = await store.connectLinks.add(scopeOfJob(tenant.id), tenant.id, by, token);
  await store.audit.write({ ...entry, result: 'done' });
  return { url: `${settings.publicUrl}/connect/${token}`, expiresAt };
}

/** Why nobody can consent, for who could change that. */
export function consentIsOff(): WatchpostError {
  return new WatchpostError(
    'refused',
    'This Watchpost has no application that organisations can consent to.',
    { hint: 'Whoever runs it sets GRAPH_APP_ID; until then connect with an app registration of the tenant.' },
  );
}

/** Does who made the link still have the right to? A link of somebody who left is worth nothing (R13). */
export async function stillMay(
  { by, tenantId: tenant }: Pick<ConnectLink, 'by' | 'tenantId'>,
  { store, settings, now }: Services,
): Promise<{ name: string } | null> {
  const [tidText = '', oid = ''] = by.split('/');
  const tid = tenantId(tidText);
  if (tid === undefined) return null;
  const person = await store.people.get(tid, oid);
  const name = person?.name ?? '';
  const who = callerOf(person, { tid, oid, name }, settings.homeTenantId);
  return may(who, 'connect', tenant, now()) ? { name } : null;
}
