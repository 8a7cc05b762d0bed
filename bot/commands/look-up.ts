import { type Caller, scopeFor, type TenantScope } from '../../shared/access.ts';
import { clean, plain } from '../../shared/foreign-text.ts';
import { findTenant } from '../../shared/tenants/find-tenant.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { listed } from '../../shared/words.ts';
import { ask } from '../cards/actions.ts';
import { choicesShown, chooseTenantCard, type TenantVerb } from '../cards/choose-tenant.ts';
import { noticeCard } from '../cards/notice.ts';
import type { Place, Reply, Services } from '../services.ts';
import { withCard } from './reply.ts';

export type LookedUp =
  | { kind: 'tenant'; tenant: Tenant; scope: TenantScope }
  | { kind: 'reply'; reply: Reply };

/**
 * The tenant a person means, among those that this person may see **and** this place may show (I-4, I-5). A tenant
 * outside is answered exactly like one that does not exist, by the same steps. Buttons ask for `verb` with `object`.
 */
export async function lookUp(
  name: string,
  verb: TenantVerb,
  who: Caller,
  where: Place,
  services: Services,
  object?: string,
): Promise<LookedUp> {
  const scope = scopeFor(who, where.audience, 'view', services.now());
  const tenants = await services.store.tenants.list(scope);
  const found = findTenant(name, tenants);
  if (found.kind === 'one') return { kind: 'tenant', tenant: found.tenant, scope };
  if (found.kind === 'none')
    return { kind: 'reply', reply: notAvailable(name, verb, found.nearest, where, object) };

  const shown = found.tenants.slice(0, choicesShown);
  const names = shown.map((tenant) => plain(tenant.name, 60));
  const more = found.tenants.length - shown.length;
  const text = `Which one? ${listed(more > 0 ? [...names, ...Array<string>(more)] : names, shown.length)}.`;
  const card = chooseTenantCard(verb, name, found.tenants, object);
  // The count of the others is a fact about them too.
  return {
    kind: 'reply',
    reply: withCard(
      where,
      card,
      text,
      found.tenants.map(({ id }) => id),
    ),
  };
}

/** The one answer for what is not there and for what is not for these eyes. */
export function notAvailable(
  name: string,
  verb: TenantVerb,
  nearest: Tenant[],
  where: Place,
  object?: string,
): Reply {
  const sentence = (said: string): string => `No tenant called "${said}" is available here.`;
  const forward =
    nearest.length === 0
      ? 'Type tenants to see which are.'
      : `Did you mean ${nearest.map((tenant) => plain(tenant.name, 60)).join(' or ')}?`;
  const text = `${sentence(plain(name, 80))} ${forward}`;
  const bareForward =
    nearest.length === 0
      ? forward
      : `Did you mean ${nearest.map((tenant) => clean(tenant.name, 60)).join(' or ')}?`;
  const beside = object === undefined ? {} : { object };
  const buttons = [
    ...nearest.map((tenant) => ask(clean(tenant.name, 30), { verb, tenant: tenant.id, ...beside })),
    ask('Tenants', { verb: 'tenants' }),
  ];
  const card = noticeCard({
    text: sentence(plain(name, 80)),
    lines: [forward],
    fallback: `${sentence(clean(name, 80))} ${bareForward}`,
    buttons,
  });
  return withCard(
    where,
    card,
    text,
    nearest.map(({ id }) => id),
  );
}
