import { LRUCache } from 'lru-cache';
import { errorCode } from '../errors.ts';
import type { Log } from '../log.ts';
import type { AuditStore } from '../services.ts';
import type { Turn } from './activity.ts';
import { type Connector, deliveryOf } from './connector.ts';
import { type DoorAnswer, withText } from './invoke.ts';

const hourMs = 3_600_000;
const refusal = 'Watchpost is not set up for your organisation.';

/**
 * Activities of tenants we do not serve (R5): nothing is stored, one sentence is said once an hour in a conversation,
 * one audit line is written per tenant and hour.
 */
export function openStrangers(options: { audit: AuditStore; connector: Connector; log: Log }) {
  const audited = new LRUCache<string, true>({ max: 20_000, ttl: hourMs });
  const told = new LRUCache<string, true>({ max: 20_000, ttl: hourMs });

  return async function refuse(turn: Turn): Promise<DoorAnswer> {
    const tenant = turn.tenant ?? 'no tenant';
    if (!audited.has(tenant)) {
      audited.set(tenant, true);
      options.log.warn(
        { reason: 'tenant-not-allowed', kind: turn.type },
        'activity of a tenant we do not serve',
      );
      try {
        await options.audit.write({
          who: 'stranger',
          what: 'message from a tenant that is not served',
          where: tenant,
          result: 'refused',
        });
      } catch (error) {
        // The refusal stands without its line.
        options.log.error({ code: errorCode(error) }, 'audit line could not be written');
      }
    }
    if (turn.type === 'invoke') return withText(refusal);
    const meant =
      turn.conversation.kind === 'personal' || turn.targeted || turn.mentions.some((one) => one.isBot);
    const key = `${tenant} ${turn.conversation.id}`;
    if (turn.type !== 'message' || !meant || told.has(key)) return { status: 200 };
    told.set(key, true);
    const { serviceUrl, conversation, targeted } = turn;
    const recipient =
      targeted && turn.from !== undefined ? { id: turn.from.id, isTargeted: true } : undefined;
    const outcome = await options.connector.post(
      { serviceUrl, conversationId: conversation.id, targeted },
      {
        type: 'message',
        text: refusal,
        textFormat: 'plain',
        ...(recipient === undefined ? {} : { recipient }),
      },
    );
    const delivery = deliveryOf(outcome);
    if (delivery.kind !== 'sent') options.log.debug({ outcome: delivery.kind }, 'refusal was not delivered');
    return { status: 200 };
  };
}
