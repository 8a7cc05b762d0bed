import { createHash } from 'node:crypto';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { type Instant, plus } from '../../shared/time.ts';
import type { ConnectLink, ConnectLinkStore } from '../services.ts';
import type { CollectionDeclaration } from './engine/collection.ts';
import { type Kit, requireScope } from './kit.ts';

type LinkDocument = {
  _id: string;
  tenantId: TenantId;
  by: string;
  at: Instant;
  expiresAt: Instant;
  state: 'open' | 'used' | 'revoked';
  endedAt?: Instant;
};

/** `_id` is the SHA-256 of a token of 256 random bits: who reads the store cannot use one (R16). */
export const connectLinksDeclaration: CollectionDeclaration = {
  name: 'connectLinks',
  tenantScoped: true,
  indexes: [{ keys: { tenantId: 1, at: 1 } }, { keys: { at: 1 } }],
};

/** Seven days, to the second. */
export const linkLifeMs = 7 * 24 * 3_600_000;
/** Used, ended and replaced ones are told apart in the store for so long, counted from when they were made. */
export const linksKeptMs = 90 * 24 * 3_600_000;

export function openConnectLinks({ engine, now }: Kit): ConnectLinkStore {
  const links = engine.collection<LinkDocument>(connectLinksDeclaration);

  function usable(token: string, at: Instant) {
    return { _id: hashed(token), state: 'open', expiresAt: { $gt: at } } as const;
  }

  return {
    async add(scope, tenant, by, token) {
      requireScope(scope, tenant);
      const at = now();
      const expiresAt = plus(at, linkLifeMs);
      await links.insertOne({ _id: hashed(token), tenantId: tenant, by, at, expiresAt, state: 'open' });
      // The new one first, then all but the newest: of two made at the same moment, one stays, whoever ends last.
      const { rows } = await links.find({ tenantId: tenant }, { sort: { at: -1, _id: -1 }, limit: 100 });
      for (const { _id, state } of rows.slice(1)) {
        if (state !== 'open') continue;
        await links.updateOne({ _id, state: 'open' }, { $set: { state: 'revoked', endedAt: at } });
      }
      return { tenantId: tenant, by, at, expiresAt };
    },
    async look(token) {
      const found = await links.findOne(usable(token, now()));
      return found === null ? null : linkOf(found);
    },
    async use(token) {
      const at = now();
      // One write decides: of many at once, on however many instances, one finds it open.
      const found = await links.findOneAndUpdate(usable(token, at), { $set: { state: 'used', endedAt: at } });
      return found === null ? null : linkOf(found);
    },
    async current(scope, tenant) {
      requireScope(scope, tenant);
      const { rows } = await links.find({ tenantId: tenant }, { sort: { at: -1 }, limit: 100 });
      const found = rows.find(({ state, expiresAt }) => state === 'open' && expiresAt > now());
      return found === undefined ? null : linkOf(found);
    },
  };
}

function linkOf({ tenantId, by, at, expiresAt }: LinkDocument): ConnectLink {
  return { tenantId, by, at, expiresAt };
}

function hashed(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
