import type { TenantId } from '../../shared/tenants/tenant.ts';
import { hasCode, WatchpostError } from '../errors.ts';
import type { Keyring } from '../secrets.ts';
import type { AuditStore, CredentialFacts, CredentialStore, NextCredentialStore } from '../services.ts';
import {
  accessOf,
  factsOf,
  keyOf,
  replaceOver,
  type TenantKeyDocument,
  tenantKeysDeclaration,
  textOf,
} from './credentials.ts';
import type { CollectionDeclaration, Engine } from './engine/collection.ts';
import { type Kit, requireScope } from './kit.ts';
import { open, seal, withNext } from './seal.ts';

/** `at` is when it was made: one that nobody used goes after a while. */
type NextDocument = { _id: string; tenantId: TenantId; sealed: string; at: string } & CredentialFacts;

export const nextCredentialsDeclaration: CollectionDeclaration = {
  name: 'nextCredentials',
  tenantScoped: true,
  indexes: [{ keys: { tenantId: 1 }, unique: true }, { keys: { at: 1 } }],
};
/** Somebody at the customer has to upload the certificate: that takes days, not months. */
export const nextCredentialKeptMs = 30 * 24 * 3_600_000;

const tries = 10;

/** The credential that waits, beside the one in use, which no method but `promote` touches. */
export function openNextCredentials(
  { engine, now }: Pick<Kit, 'now'> & { engine: Pick<Engine, 'collection'> },
  keyring: Keyring,
  audit: Pick<AuditStore, 'write'>,
  inUse: Pick<CredentialStore, 'save'>,
): NextCredentialStore {
  const waiting = engine.collection<NextDocument>(nextCredentialsDeclaration);
  const keys = engine.collection<TenantKeyDocument>(tenantKeysDeclaration);

  /** From here on a row of an earlier version is one that somebody put back. */
  async function count(id: TenantId, next: number): Promise<void> {
    const key = await keyOf(keys, keyring, id);
    const { nextMac } = withNext(keyring, key, next);
    await keys.updateOne(
      { $and: [{ _id: id }, { $or: [{ next: { $exists: false } }, { next: { $lt: next } }] }] },
      { $set: { next, nextMac } },
    );
  }

  async function opened(id: TenantId): ReturnType<NextCredentialStore['open']> {
    const row = await waiting.findOne({ _id: id });
    if (row === null) return null;
    try {
      const key = await keys.findOne({ _id: id });
      if (key === null) throw new WatchpostError('secret', 'The credential that waits cannot be opened.');
      const access = accessOf(id, open(keyring, key, boundTo(id, row.version), row.sealed));
      return { access, facts: factsIn(row) };
    } catch (error) {
      if (hasCode(error, 'secret')) {
        await audit.write({ who: 'watchpost', what: 'open next credential', tenant: id, result: 'refused' });
      }
      throw error;
    }
  }

  return {
    async put(scope, access) {
      const id = access.tenantId;
      requireScope(scope, id);
      for (let i = 0; i < tries; i += 1) {
        const key = await keyOf(keys, keyring, id);
        const before = await waiting.findOne({ _id: id });
        const version = Math.max(key.next ?? 0, before?.version ?? 0) + 1;
        const at = now();
        const facts = { ...factsOf(access, keyring), version, createdAt: at };
        const sealed = seal(keyring, key, boundTo(id, version), textOf(access));
        const row: NextDocument = { _id: id, tenantId: id, sealed, at, ...facts };
        // The row first, its version after it, as with the one in use.
        if (!(await replaceOver(waiting, row, before?.version))) continue;
        await count(id, version);
        return facts;
      }
      throw new WatchpostError('conflict', 'Others made a certificate for this tenant at the same time.', {
        hint: 'Try again.',
      });
    },
    async open(scope, id) {
      requireScope(scope, id);
      return await opened(id);
    },
    async facts(scope, id) {
      requireScope(scope, id);
      const row = await waiting.findOne({ _id: id });
      return row === null ? null : factsIn(row);
    },
    async promote(scope, id, version) {
      requireScope(scope, id);
      const found = await opened(id);
      if (found === null || found.facts.version !== version) return null;
      // In use first: killed after this, it still waits as well, and whoever asks again completes it.
      const facts = await inUse.save(scope, found.access);
      await waiting.deleteMany({ _id: id, version });
      await count(id, version + 1);
      return facts;
    },
    async drop(scope, id) {
      requireScope(scope, id);
      const row = await waiting.findOne({ _id: id });
      if (row === null) return false;
      const gone = await waiting.deleteMany({ _id: id, version: row.version });
      await count(id, row.version + 1);
      return gone > 0;
    },
  };
}

function boundTo(tenantId: TenantId, version: number) {
  return { tenantId, credentialId: tenantId, field: 'next', version };
}

function factsIn({ kind, appId, last4, version, createdAt, expiresAt }: NextDocument): CredentialFacts {
  return { kind, appId, last4, version, createdAt, ...(expiresAt === undefined ? {} : { expiresAt }) };
}
