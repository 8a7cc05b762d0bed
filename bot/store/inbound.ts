import { createHash } from 'node:crypto';
import { plus } from '../../shared/time.ts';
import { hasCode } from '../errors.ts';
import type { InboundStore } from '../services.ts';
import type { CollectionDeclaration } from './engine/collection.ts';
import type { Kit } from './kit.ts';

type InboundDocument = { _id: string; at: string };

/** Keys are the caller's: tenant, conversation, activity. */
export const inboundDeclaration: CollectionDeclaration = {
  name: 'inbound',
  tenantScoped: false,
  indexes: [{ keys: { at: 1 } }],
};

export const inboundKeptMs = 24 * 3_600_000;

export function openInbound({ engine, now }: Kit): InboundStore {
  const inbound = engine.collection<InboundDocument>(inboundDeclaration);
  return {
    async firstTime(key) {
      // A digest: keys come from outside and may be of any length.
      const id = createHash('sha256').update(key).digest('base64url');
      const at = now();
      try {
        await inbound.insertOne({ _id: id, at });
        return true;
      } catch (error) {
        if (!hasCode(error, 'conflict')) throw error;
      }
      const expired = plus(at, -inboundKeptMs);
      const again = await inbound.findOneAndUpdate({ _id: id, at: { $lte: expired } }, { $set: { at } });
      return again !== null;
    },
  };
}
