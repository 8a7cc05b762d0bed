import { createHmac, X509Certificate } from 'node:crypto';
import * as v from 'valibot';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import type { Instant } from '../../shared/time.ts';
import { hasCode, WatchpostError } from '../errors.ts';
import { derivedKey, type Keyring, Secret } from '../secrets.ts';
import type { AuditStore, CredentialFacts, CredentialStore, TenantAccess } from '../services.ts';
import type { Collection, CollectionDeclaration, Engine, Filter } from './engine/collection.ts';
import { type Kit, requireAnyScope, requireScope } from './kit.ts';
import { newTenantKey, open, seal, type TenantKey, withVersion } from './seal.ts';

type CredentialDocument = { _id: string; tenantId: TenantId; sealed: string } & CredentialFacts;
export type TenantKeyDocument = TenantKey & { _id: string };

export const credentialsDeclaration: CollectionDeclaration = {
  name: 'credentials',
  tenantScoped: true,
  indexes: [{ keys: { tenantId: 1 }, unique: true }, { keys: { expiresAt: 1 } }],
};
export const tenantKeysDeclaration: CollectionDeclaration = {
  name: 'tenantKeys',
  tenantScoped: true,
  indexes: [{ keys: { tenantId: 1 }, unique: true }],
};

const tries = 10;
const mostEnding = 1_000;

/** All that is sealed, so that neither the app id nor the certificate can be exchanged beside the secret. */
const sealedSchema = v.variant('kind', [
  v.object({ kind: v.literal('secret'), appId: v.string(), secret: v.string() }),
  v.object({
    kind: v.literal('certificate'),
    appId: v.string(),
    certificatePem: v.string(),
    key: v.string(),
  }),
  v.object({ kind: v.literal('consent'), appId: v.string() }),
]);

export function openCredentials(
  { engine, now }: Pick<Kit, 'now'> & { engine: Pick<Engine, 'collection'> },
  keyring: Keyring,
  audit: Pick<AuditStore, 'write'>,
): CredentialStore {
  const credentials = engine.collection<CredentialDocument>(credentialsDeclaration);
  const keys = engine.collection<TenantKeyDocument>(tenantKeysDeclaration);

  return {
    async save(scope, access) {
      const id = access.tenantId;
      requireScope(scope, id);
      for (let i = 0; i < tries; i += 1) {
        const key = await keyOf(keys, keyring, id);
        const before = await credentials.findOne({ _id: id });
        const version = Math.max(key.version, before?.version ?? 0) + 1;
        const facts = { ...factsOf(access, keyring), version, createdAt: now() };
        const sealed = seal(keyring, key, boundTo(id, version), textOf(access));
        // The row first, the newest version after it: a crash between them leaves a row that is newer, which opens.
        const row: CredentialDocument = { _id: id, tenantId: id, sealed, ...facts };
        if (!(await replaceOver(credentials, row, before?.version))) continue;
        const counted = withVersion(keyring, key, version);
        await keys.updateOne(
          { _id: id, version: { $lt: version } },
          { $set: { version, versionMac: counted.versionMac } },
        );
        return facts;
      }
      throw new WatchpostError('conflict', 'This credential was changed by others at the same time.', {
        hint: 'Try again.',
      });
    },
    async open(scope, id) {
      requireScope(scope, id);
      const row = await credentials.findOne({ _id: id });
      if (row === null) return null;
      try {
        const key = await keys.findOne({ _id: id });
        if (key === null)
          throw new WatchpostError('secret', 'The stored credential of this tenant cannot be opened.');
        return accessOf(id, open(keyring, key, boundTo(id, row.version), row.sealed));
      } catch (error) {
        if (hasCode(error, 'secret')) {
          await audit.write({ who: 'watchpost', what: 'open credential', tenant: id, result: 'refused' });
        }
        throw error;
      }
    },
    async facts(scope, id) {
      requireScope(scope, id);
      const row = await credentials.findOne({ _id: id });
      if (row === null) return null;
      const { kind, appId, last4, version, createdAt, expiresAt } = row;
      return { kind, appId, last4, version, createdAt, expiresAt };
    },
    async ending(scope, until) {
      requireAnyScope(scope);
      const mine: Filter = scope.all ? {} : { tenantId: { $in: [...scope.ids] } };
      const { rows } = await credentials.find(
        { ...mine, expiresAt: { $lt: until } },
        { sort: { expiresAt: 1 }, limit: mostEnding },
      );
      return rows.flatMap(({ tenantId, kind, version, expiresAt }) =>
        expiresAt === undefined ? [] : [{ tenantId, kind, version, expiresAt }],
      );
    },
  };
}

type Versioned = { _id: string; version: number; expiresAt?: Instant };

/** Writes a row only over the version that was read, or where there was none: of two at once, one begins again. */
export async function replaceOver<T extends Versioned>(
  rows: Collection<T>,
  row: T,
  over: number | undefined,
): Promise<boolean> {
  if (over === undefined) {
    try {
      await rows.insertOne(row);
      return true;
    } catch (error) {
      if (!hasCode(error, 'conflict')) throw error;
      return false;
    }
  }
  const { _id, ...fields } = row;
  const gone = fields.expiresAt === undefined ? { $unset: { expiresAt: true as const } } : {};
  return (await rows.updateOne({ _id, version: over }, { $set: fields, ...gone })).matched === 1;
}

/** The tenant's data key, made when it is first wanted. */
export async function keyOf(
  keys: Collection<TenantKeyDocument>,
  keyring: Keyring,
  id: TenantId,
): Promise<TenantKeyDocument> {
  const known = await keys.findOne({ _id: id });
  if (known !== null) return known;
  try {
    await keys.insertOne({ _id: id, ...newTenantKey(keyring, id) });
  } catch (error) {
    if (!hasCode(error, 'conflict')) throw error;
  }
  const made = await keys.findOne({ _id: id });
  if (made === null) throw new WatchpostError('store', 'The key of a tenant could not be stored.');
  return made;
}

function boundTo(tenantId: TenantId, version: number) {
  return { tenantId, credentialId: tenantId, field: 'access', version };
}

export function textOf({ appId, credential }: TenantAccess): string {
  // Sealed like the others, though no secret: nobody with the file alone points a tenant to another application.
  if (credential.kind === 'consent') return JSON.stringify({ kind: 'consent', appId });
  if (credential.kind === 'secret') {
    return credential.secret.use((secret) => JSON.stringify({ kind: 'secret', appId, secret }));
  }
  const { certificatePem } = credential;
  return credential.key.use((key) => JSON.stringify({ kind: 'certificate', appId, certificatePem, key }));
}

export function accessOf(tenantId: TenantId, text: string): TenantAccess {
  const opened = v.parse(sealedSchema, JSON.parse(text));
  if (opened.kind === 'consent') return { tenantId, appId: opened.appId, credential: { kind: 'consent' } };
  if (opened.kind === 'secret') {
    return {
      tenantId,
      appId: opened.appId,
      credential: { kind: 'secret', secret: new Secret(opened.secret) },
    };
  }
  const { appId, certificatePem } = opened;
  return {
    tenantId,
    appId,
    credential: { kind: 'certificate', certificatePem, key: new Secret(opened.key) },
  };
}

/**
 * What may be told. The last four of a certificate are its thumbprint's; of a secret they are of a keyed digest, so
 * that two secrets can be told apart and nothing of either is shown.
 */
export function factsOf(
  { appId, credential }: TenantAccess,
  keyring: Keyring,
): Omit<CredentialFacts, 'version' | 'createdAt'> {
  if (credential.kind === 'consent') return { kind: 'consent', appId, last4: '' };
  if (credential.kind === 'secret') {
    const digest = credential.secret.use((secret) =>
      createHmac('sha256', derivedKey(keyring, 'fingerprint-v1')).update(secret).digest('hex'),
    );
    const { expiresAt } = credential;
    return {
      kind: 'secret',
      appId,
      last4: digest.slice(-4),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    };
  }
  const { fingerprint256, validToDate } = certificateOf(credential.certificatePem);
  const last4 = fingerprint256.replaceAll(':', '').slice(-4).toLowerCase();
  return { kind: 'certificate', appId, last4, expiresAt: validToDate.toISOString() };
}

function certificateOf(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new WatchpostError('bad-input', 'The certificate is no X.509 certificate in PEM form.', { cause });
  }
}
