import { type Caller, liveDenies, liveGrants, roleOf, scopeFor } from '../../shared/access.ts';
import { clean, plain } from '../../shared/foreign-text.ts';
import { ask } from '../cards/actions.ts';
import type { Place, Reply, Services } from '../services.ts';
import { boundInWords } from './bind.ts';
import { byId, denyInWords, grantInWords, namedIds, whyInWords } from './grants-in-words.ts';
import { whomToAsk } from './help.ts';
import { say } from './reply.ts';

/** `who am i`: roles, what they cover and why one has them. Names only tenants that this place may show. */
export async function whoAmI(_: unknown, who: Caller, where: Place, services: Services): Promise<Reply> {
  if (where.audience.kind === 'customer' && !where.targeted) {
    const bound = await boundInWords(who, where, services);
    const text = `Others read along here. Ask me that in a personal chat. ${bound.text}`;
    return say(where, { text, buttons: [ask('Help', { verb: 'help' })] }, bound.tenants);
  }
  const bound = await boundInWords(who, where, services);
  const now = services.now();
  const grants = liveGrants(who, now);
  const denies = liveDenies(who, now);
  const tenants = byId(
    [...grants, ...denies].some(({ scope }) => scope !== 'all')
      ? await services.store.tenants.list(scopeFor(who, where.audience, 'view', now))
      : [],
  );
  const lines = [
    ...grants.flatMap((grant) => {
      const words = grantInWords(grant, tenants);
      return words === null ? [] : [`${words}: ${whyInWords(grant, now)}.`];
    }),
    // A tenant that is denied is not named to whom it is denied.
    ...denies.map((deny) => `You are ${denyInWords(deny, tenants, now)}.`),
  ];
  const role = roleOf(who, now);
  const text =
    role === null
      ? `You are ${plain(who.name, 80)}. You have no role yet. ${await whomToAsk(who, where, services)}`
      : `You are ${plain(who.name, 80)}, ${role}.`;
  return say(
    where,
    {
      text,
      lines: [
        ...(who.disabled ? ['Your access is switched off.'] : lines),
        ...(bound.text === '' ? [] : [bound.text]),
      ],
      foot: `Your ids: tenant ${who.tid}, person ${who.oid}`,
      fallback: clean(`You are ${who.name}. ${role === null ? 'No role yet.' : `Role: ${role}.`}`, 200),
      buttons: role === null ? [ask('Help', { verb: 'help' })] : [ask('All tenants', { verb: 'ranking' })],
    },
    [...[...grants, ...denies].flatMap((one) => namedIds(one, tenants)), ...bound.tenants],
  );
}
