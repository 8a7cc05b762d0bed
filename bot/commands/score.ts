import { type Caller, covers, scopeFor } from '../../shared/access.ts';
import type { Command } from '../../shared/command.ts';
import { clean, plain } from '../../shared/foreign-text.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { healthSentence } from '../../shared/tenants/tenant-health.ts';
import { ask, openTenant } from '../cards/actions.ts';
import { scoreCard } from '../cards/score.ts';
import { staleBy } from '../cron.ts';
import type { Place, Reply, Services } from '../services.ts';
import { lookUp } from './look-up.ts';
import { say, withCard } from './reply.ts';
import { standingFall, standingInWords } from './standing.ts';

/** `score contoso`: one card that says how good, whether it gets better, and what to do. */
export async function score(
  command: Extract<Command, { kind: 'score' }>,
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  const found = await lookUp(command.tenant, 'score', who, where, services);
  return found.kind === 'reply' ? found.reply : await scoreOf(found.tenant, who, where, services);
}

/** The card of a tenant that this person may see here. */
export async function scoreOf(listed: Tenant, who: Caller, where: Place, services: Services): Promise<Reply> {
  const { store, settings } = services;
  const { id } = listed;
  const now = services.now();
  const scope = scopeFor(who, where.audience, 'view', now);
  const maySync = covers(scopeFor(who, where.audience, 'sync', now), id);
  const posture = await store.scores.posture(scope, id);
  // The list that the name was found in may be seconds old; what is shown of this one tenant is not.
  const tenant = (await store.tenants.get(scope, id)) ?? listed;
  if (posture === null) return notReadYet(tenant, maySync, where, services);

  const fall = await standingFall(scope, tenant, services);
  const { card, text } = scoreCard({
    ...{ tenant, posture, now, settings, maySync },
    staleAfterMs: staleBy(settings, now)(tenant),
    fall: fall === null ? '' : standingInWords(fall, now),
  });
  return withCard(where, card, text, [tenant.id]);
}

function notReadYet(tenant: Tenant, maySync: boolean, where: Place, services: Services): Reply {
  const health = healthSentence(tenant.health, services.now());
  return say(
    where,
    {
      title: plain(tenant.name, 80),
      text: 'The Secure Score of this tenant has not been read yet.',
      lines: [plain(health, 300)],
      fallback: clean(`${tenant.name}: not read yet. ${health}`, 400),
      buttons: [
        openTenant(tenant.id, services.settings),
        ...(maySync ? [ask('Sync now', { verb: 'sync', tenant: tenant.id })] : []),
      ],
    },
    [tenant.id],
  );
}
