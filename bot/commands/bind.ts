import { type Caller, covers, scopeFor } from '../../shared/access.ts';
import type { Command } from '../../shared/command.ts';
import { baseOf } from '../../shared/conversation.ts';
import { plain } from '../../shared/foreign-text.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import {
  askToBind,
  type Bound,
  bindInternal,
  confirmBinding,
  unbind as unbindPlace,
} from '../people/bind-place.ts';
import type { Place, Reply, Services } from '../services.ts';
import { refuse, say } from './reply.ts';
import { hereOf } from './subscribing.ts';

/**
 * `bind internal`, `bind contoso`, `bind ABCD-EFGH`: to whom a channel or group chat belongs (I-8). What is answered
 * before it is bound names no tenant, for nobody knows yet who reads along.
 */
export async function bind(
  command: Extract<Command, { kind: 'bind' }>,
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  if (where.targeted) {
    return refuse(where, 'Everybody here should see that: type it openly, not privately.');
  }
  const asking = { who, where, services };
  const { to } = command;
  if (to.kind === 'internal') return await answer(await bindInternal(asking), who, where, services);
  const bound =
    to.kind === 'code'
      ? await confirmBinding(to.code, who, where.conversationId, services)
      : await askToBind(to.tenant, asking);
  return await answer(bound, who, where, services);
}

/** `unbind`: the conversation belongs to nobody by an Admin's word; who is here decides again. */
export async function unbind(_: unknown, who: Caller, where: Place, services: Services): Promise<Reply> {
  return await answer(await unbindPlace({ who, where, services }), who, where, services);
}

async function answer(bound: Bound, who: Caller, where: Place, services: Services): Promise<Reply> {
  const here = hereOf(where);
  switch (bound.kind) {
    case 'bound': {
      const name = await nameOf(
        bound.tenant,
        who,
        { ...where, audience: customerOf(bound.tenant) },
        services,
      );
      const text = `This ${here} belongs to ${name ?? 'a customer'} now. Only that tenant is named here, whoever asks.`;
      return say(where, { text, fallback: `This ${here} is bound.` }, name === null ? [] : [bound.tenant]);
    }
    case 'internal':
      return say(where, {
        text: `This ${here} is internal now, as long as only people of your own organisation are in it.`,
      });
    case 'unbound':
      return say(where, { text: `This ${here} is no longer bound: who is in it decides what may be said.` });
    case 'code':
      return say(where, {
        text: `To confirm, type here within 10 minutes: bind ${bound.code}`,
        foot: 'The same code can be entered in the tab, under People.',
      });
    case 'second':
      return say(where, {
        text: 'This place belonged to another customer, so a second Admin has to type the same code within 10 minutes.',
      });
    case 'unknown-code':
      return refuse(
        where,
        'This code is not valid here, or its ten minutes are over: ask again. A tenant whose name looks like a code goes in quotation marks.',
      );
    default:
      return refuse(where, bound.say);
  }
}

function customerOf(tenant: TenantId) {
  return { kind: 'customer' as const, tenant };
}

/** The tenant's name if this person may see it in this place; null otherwise. Escaped. */
async function nameOf(
  tenant: TenantId,
  who: Caller,
  where: Place,
  services: Services,
): Promise<string | null> {
  const scope = scopeFor(who, where.audience, 'view', services.now());
  if (!covers(scope, tenant)) return null;
  const found = await services.store.tenants.get(scope, tenant);
  return found === null ? null : plain(found.name, 80);
}

/** To whom this conversation belongs and why, as a sentence; empty in a personal chat and where nothing is said. */
export async function boundInWords(
  who: Caller,
  where: Place,
  services: Services,
): Promise<{ text: string; tenants: TenantId[] }> {
  const { audience } = where;
  if (audience.kind === 'personal' || audience.kind === 'unbound') return { text: '', tenants: [] };
  const here = hereOf(where);
  if (audience.kind === 'customer') {
    const name = await nameOf(audience.tenant, who, where, services);
    return {
      text: `This ${here} belongs to ${name ?? 'a customer'}.`,
      tenants: name === null ? [] : [audience.tenant],
    };
  }
  const row = await services.store.places.get(baseOf(where.conversationId));
  const why =
    row?.binding === undefined ? 'only people of your own organisation are in it' : 'an Admin said so';
  return { text: `This ${here} is internal: ${why}.`, tenants: [] };
}
