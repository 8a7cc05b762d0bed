import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { type Instant, plus } from '../../shared/time.ts';
import { derivedKeyOf, type Keyring } from '../secrets.ts';
import type { ConnectOutcome, ConnectPass, ConnectPassStore } from '../services.ts';
import type { CollectionDeclaration } from './engine/collection.ts';
import type { Kit } from './kit.ts';
import { requireScope } from './kit.ts';

type PassDocument = {
  _id: string;
  tenantId: TenantId;
  kind: ConnectPass['kind'];
  via: ConnectPass['via'];
  by: string;
  at: Instant;
  expiresAt: Instant;
  state: 'open' | 'used' | 'ended';
  /** Hash of the browser's session; absent on a ticket, which is what opens one. */
  session?: string;
  /** Which key of the keyring the verifier and nonce come from. */
  kid: string;
  busyUntil: Instant;
  outcome?: ConnectOutcome;
};

/** One row for each step of a try to consent. `_id` is the SHA-256 of 256 random bits; nothing else opens it. */
export const connectPassesDeclaration: CollectionDeclaration = {
  name: 'connectPasses',
  tenantScoped: true,
  indexes: [{ keys: { at: 1 } }],
};

/** A ticket, a state, a page that waits: ten minutes (R15). */
export const passLifeMs = 10 * 60_000;
export const passesKeptMs = 24 * 3_600_000;

export function openConnectPasses({ engine, now }: Kit, keyring: Keyring): ConnectPassStore {
  const passes = engine.collection<PassDocument>(connectPassesDeclaration);

  /** Only who has a key of ours and the browser's own cookie can work these out: the store holds neither. */
  function derived(token: string, session: string, kid: string): ConnectPass['proof'] {
    const key = derivedKeyOf(keyring, kid, 'consent-v1');
    if (key === undefined) return null;
    const one = (what: string): string =>
      createHmac('sha256', key).update([what, token, session].join('\n')).digest('base64url');
    return { verifier: one('verifier'), nonce: one('nonce') };
  }

  function passOf(row: PassDocument, token: string, session: string | undefined): ConnectPass {
    const { tenantId, kind, via, by, at, kid, outcome } = row;
    const proof = session === undefined ? null : derived(token, session, kid);
    return { tenantId, kind, via, by, at, proof, ...(outcome === undefined ? {} : { outcome }) };
  }

  return {
    async add(scope, { tenantId, kind, via, by }, session) {
      requireScope(scope, tenantId);
      const token = randomBytes(32).toString('base64url');
      const at = now();
      const row: PassDocument = {
        _id: hashed(token),
        tenantId,
        kind,
        via,
        by,
        at,
        expiresAt: plus(at, passLifeMs),
        state: 'open',
        ...(session === undefined ? {} : { session: hashed(session) }),
        kid: keyring.primary,
        busyUntil: at,
      };
      await passes.insertOne(row);
      return { token, pass: passOf(row, token, session) };
    },
    async use(token, kind, session) {
      const at = now();
      const row = await passes.findOne({ _id: hashed(token), kind });
      if (row === null) return { kind: 'unknown' };
      const pass = passOf(row, token, session);
      if (row.session !== undefined && (session === undefined || row.session !== hashed(session)))
        return { kind: 'other-session', pass };
      if (row.expiresAt <= at) return { kind: 'late', pass };
      const used = await passes.updateOne(
        { _id: row._id, state: 'open', expiresAt: { $gt: at } },
        { $set: { state: 'used' } },
      );
      return used.matched === 1 ? { kind: 'right', pass } : { kind: 'used', pass };
    },
    async look(token, session) {
      const row = await passes.findOne({ _id: hashed(token), kind: 'check', session: hashed(session) });
      if (row === null || row.expiresAt <= now()) return null;
      return passOf(row, token, session);
    },
    async claim(token, session, forMs) {
      const at = now();
      const row = await passes.findOneAndUpdate(
        {
          _id: hashed(token),
          kind: 'check',
          session: hashed(session),
          state: 'open',
          busyUntil: { $lte: at },
          expiresAt: { $gt: at },
        },
        { $set: { busyUntil: plus(at, forMs) } },
      );
      return row !== null;
    },
    async again(token, afterMs) {
      await passes.updateOne(
        { _id: hashed(token), state: 'open' },
        { $set: { busyUntil: plus(now(), afterMs) } },
      );
    },
    async end(token, outcome) {
      await passes.updateOne({ _id: hashed(token), state: 'open' }, { $set: { state: 'ended', outcome } });
    },
  };
}

function hashed(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
