import type { Caller } from '../../shared/access.ts';
import { watches } from '../../shared/alerts/route.ts';
import { defaultThreshold, type Threshold, thresholdInWords } from '../../shared/alerts/threshold.ts';
import type { Command } from '../../shared/command.ts';
import { baseOf } from '../../shared/conversation.ts';
import { plain } from '../../shared/foreign-text.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { ask } from '../cards/actions.ts';
import type { Place, Reply, Services } from '../services.ts';
import { auditor } from './audit.ts';
import { lookUp } from './look-up.ts';
import { say } from './reply.ts';
import { hearing, hereOf, refusedWatch } from './subscribing.ts';

/** `threshold contoso 3% or 5 points`: from which loss on this conversation hears of a tenant. */
export async function threshold(
  command: Extract<Command, { kind: 'threshold' }>,
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  const words = thresholdInWords(command.threshold);
  const found = await lookUp(command.tenant, 'threshold', who, where, services, words);
  return found.kind === 'reply'
    ? found.reply
    : await thresholdFor(found.tenant, command.threshold, who, where, services);
}

/** The same for a tenant that is known, as on a card. */
export async function thresholdFor(
  tenant: Tenant,
  wanted: Threshold,
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  const refused = await refusedWatch('threshold', [tenant], who, where, services);
  if (refused !== null) return refused;
  const here = hereOf(where);
  const name = plain(tenant.name, 80);
  let watched = false;
  await services.store.subscriptions.change(baseOf(where.conversationId), (row) => {
    const known = hearing(row);
    watched = known !== null && watches(known, tenant.id);
    if (known === null || !watched) return null;
    const others = known.thresholds.filter(({ tenantId }) => tenantId !== tenant.id);
    const own = isDefault(wanted) ? [] : [{ tenantId: tenant.id, threshold: wanted }];
    return { ...known, thresholds: [...others, ...own] };
  });
  if (!watched) {
    return say(
      where,
      {
        text: `This ${here} does not watch ${name} yet.`,
        buttons: [ask('Watch it', { verb: 'watch', tenant: tenant.id })],
      },
      [tenant.id],
    );
  }
  const words = thresholdInWords(wanted);
  await auditor(who, where, services)('threshold', 'done', { tenant: tenant.id, detail: words });
  const both = wanted.percent !== null && wanted.points !== null ? ', whichever comes first' : '';
  return say(
    where,
    {
      text: `This ${here} hears of ${name} from a loss of ${words} on${both}.`,
      lines: onlyOne(wanted, tenant),
      buttons: [ask('Watching', { verb: 'watching' })],
    },
    [tenant.id],
  );
}

/** Who names one of the two means only that one; said, since the other one went with it. */
function onlyOne({ percent, points }: Threshold, { domain }: Tenant): string[] {
  if (percent !== null && points !== null) return [];
  const [gone, both] =
    percent === null ? ['Percent does', `2% or ${points} points`] : ['Points do', `${percent}% or 5 points`];
  return [`${gone} not count any more. For both: threshold ${plain(domain, 80)} ${both}.`];
}

function isDefault({ percent, points }: Threshold): boolean {
  return percent === defaultThreshold.percent && points === defaultThreshold.points;
}
