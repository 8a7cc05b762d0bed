import { type Caller, covers, scopeFor } from '../../shared/access.ts';
import type { Command } from '../../shared/command.ts';
import { clean, plain } from '../../shared/foreign-text.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { dayOf } from '../../shared/time.ts';
import { fullDay } from '../../shared/words.ts';
import { openTenant } from '../cards/actions.ts';
import { consentIsOff, makeLink } from '../connect/links.ts';
import type { Place, Reply, Services } from '../services.ts';
import { auditor } from './audit.ts';
import { lookUp } from './look-up.ts';
import { refuse, say } from './reply.ts';

/** `connect contoso`: a link with which an administrator of that organisation connects it; for the caller's eyes only. */
export async function connect(
  command: Extract<Command, { kind: 'connect' }>,
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  if (!isPrivate(where)) return notHere(where);
  const found = await lookUp(command.tenant, 'connect', who, where, services);
  return found.kind === 'reply' ? found.reply : await connectOf(found.tenant, who, where, services);
}

/** The same for a tenant that is known, as on a card. */
export async function connectOf(
  tenant: Tenant,
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  if (!isPrivate(where)) return notHere(where);
  const name = plain(tenant.name, 80);
  if (!covers(scopeFor(who, where.audience, 'connect', services.now()), tenant.id)) {
    await auditor(who, where, services)('connect', 'refused', { tenant: tenant.id });
    const reply = refuse(where, `${name} can be connected by its Admins. You may look at it.`);
    return { ...reply, tenants: [tenant.id] };
  }
  if (services.consent === undefined) {
    const { message, hint = '' } = consentIsOff();
    return refuse(where, plain(`${message} ${hint}`, 400));
  }
  const { url, expiresAt } = await makeLink(tenant, `${who.tid}/${who.oid}`, where.conversationId, services);
  const until = `${fullDay(dayOf(expiresAt))}, ${expiresAt.slice(11, 16)} UTC`;
  return say(
    where,
    {
      text: `A link to connect **${name}** (${plain(tenant.domain, 80)}):`,
      lines: [
        `[${url}](${url})`,
        `Send it to a Global Administrator or Privileged Role Administrator of ${name}. It works once, until ${until}. Earlier links for ${name} have ended.`,
      ],
      fallback: clean(`A link to connect ${tenant.name}: ${url} It works once, until ${until}.`, 700),
      buttons: [openTenant(tenant.id, services.settings)],
    },
    [tenant.id],
  );
}

/** Whoever has the link can use it: nobody else may read along. */
function isPrivate(where: Place): boolean {
  return where.kind === 'personal' || where.targeted;
}

function notHere(where: Place): Reply {
  const reply = refuse(
    where,
    'A link to connect is for your eyes only: write that to me in a personal chat.',
  );
  return { ...reply, to: 'caller' };
}
