import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { WatchpostError } from '../errors.ts';
import { derivedKey, derivedKeyOf, type Keyring } from '../secrets.ts';

/**
 * Envelope AES-256-GCM: `wp1.{kekId}.{dekId}.{iv}.{ct}.{tag}`, parts in base64url. Every tenant has a data key of its
 * own (DEK), wrapped by a key of the keyring (KEK). What a text belongs to is bound to it as a tuple with lengths.
 */

/** A tenant's data key as stored: wrapped, with a commitment to the key and a check of the newest version. */
export type TenantKey = {
  tenantId: string;
  dekId: string;
  /** One for each KEK that may open it: two while keys are exchanged. */
  wraps: { kekId: string; sealed: string }[];
  /** HMAC(DEK, "commit" ‖ dekId): GCM alone would let one text open under two keys. */
  commitment: string;
  /** The newest version of the credential; an older row is one that somebody put back (R52). */
  version: number;
  /**
   * HMAC(DEK, tenant, dekId, version): nobody without the key makes up another version. Who puts this whole record back
   * together with the credential of its time is not seen here: that takes a place outside the store.
   */
  versionMac: string;
  /** The same two for the credential that waits; absent until the first one does. */
  next?: number;
  nextMac?: string;
};

/** What a sealed text belongs to. Texts of the field `next` are counted by `next`, all others by `version`. */
export type Bound = { tenantId: string; credentialId: string; field: string; version: number };

const ivBytes = 12;
const tagBytes = 16;
const dekBytes = 32;
const maxText = 65_536;

/** A new data key for a tenant, wrapped by the primary; version 0. */
export function newTenantKey(keyring: Keyring, tenantId: string): TenantKey {
  const dek = randomBytes(dekBytes);
  const dekId = randomBytes(9).toString('base64url');
  const kekId = keyring.primary;
  const parts = encrypt(derivedKey(keyring, 'wrap-v1'), dek, wrapTuple(tenantId, dekId, kekId));
  return {
    tenantId,
    dekId,
    wraps: [{ kekId, sealed: parts.join('.') }],
    commitment: commitmentOf(dek, dekId).toString('base64url'),
    version: 0,
    versionMac: versionMacOf(dek, tenantId, dekId, 0),
  };
}

/** The same key with a new newest version. Throws `secret` when the record was tampered with. */
export function withVersion(keyring: Keyring, key: TenantKey, version: number): TenantKey {
  const dek = unwrap(keyring, key, key.wraps[0]?.kekId ?? '');
  return { ...key, version, versionMac: versionMacOf(dek, key.tenantId, key.dekId, version) };
}

/** The same key with a new newest version of what waits. Throws `secret` when the record was tampered with. */
export function withNext(keyring: Keyring, key: TenantKey, next: number): TenantKey {
  const dek = unwrap(keyring, key, key.wraps[0]?.kekId ?? '');
  return { ...key, next, nextMac: nextMacOf(dek, key.tenantId, key.dekId, next) };
}

/** Seals `text` (at most 64 KiB) under the tenant's key. Throws `secret` when the key record was tampered with. */
export function seal(keyring: Keyring, key: TenantKey, bound: Bound, text: string): string {
  const plain = Buffer.from(text, 'utf8');
  if (plain.length > maxText) throw new WatchpostError('bad-input', 'The secret is too long to be stored.');
  const kekId = key.wraps[0]?.kekId ?? '';
  const dek = unwrap(keyring, key, kekId);
  return ['wp1', kekId, key.dekId, ...encrypt(dek, plain, secretTuple(key, bound))].join('.');
}

/**
 * Opens what `seal` made for exactly this tenant, credential, field and version. Whatever is wrong, the same error
 * `secret` comes, so that nobody learns from it what was wrong.
 */
export function open(keyring: Keyring, key: TenantKey, bound: Bound, sealed: string): string {
  const parts = sealed.split('.');
  const [format, kekId, dekId, ...rest] = parts;
  if (parts.length !== 6 || format !== 'wp1' || kekId === undefined || dekId !== key.dekId)
    throw cannotOpen();
  const newest = bound.field === 'next' ? (key.next ?? 0) : key.version;
  if (key.tenantId !== bound.tenantId || bound.version < newest) throw cannotOpen();
  const dek = unwrap(keyring, key, kekId);
  return decrypt(dek, rest, secretTuple(key, bound)).toString('utf8');
}

function unwrap(keyring: Keyring, key: TenantKey, kekId: string): Buffer {
  const wrap = key.wraps.find((one) => one.kekId === kekId);
  const kek = derivedKeyOf(keyring, kekId, 'wrap-v1');
  if (wrap === undefined || kek === undefined) throw cannotOpen();
  const dek = decrypt(kek, wrap.sealed.split('.'), wrapTuple(key.tenantId, key.dekId, kekId));
  if (dek.length !== dekBytes) throw cannotOpen();
  same(commitmentOf(dek, key.dekId), exactly(key.commitment, 32));
  same(
    Buffer.from(versionMacOf(dek, key.tenantId, key.dekId, key.version), 'base64url'),
    exactly(key.versionMac, 32),
  );
  if (key.next !== undefined || key.nextMac !== undefined) {
    const mac = nextMacOf(dek, key.tenantId, key.dekId, key.next ?? 0);
    same(Buffer.from(mac, 'base64url'), exactly(key.nextMac, 32));
  }
  return dek;
}

function encrypt(key: Buffer, plain: Buffer, tuple: Buffer): [string, string, string] {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes });
  cipher.setAAD(tuple);
  const text = Buffer.concat([cipher.update(plain), cipher.final()]);
  return [iv.toString('base64url'), text.toString('base64url'), cipher.getAuthTag().toString('base64url')];
}

function decrypt(key: Buffer, parts: string[], tuple: Buffer): Buffer {
  const [iv, text, tag] = parts;
  if (parts.length !== 3 || iv === undefined || text === undefined || tag === undefined) throw cannotOpen();
  // Lengths first: Node alone would take a tag of four bytes.
  const ivRaw = exactly(iv, ivBytes);
  const tagRaw = exactly(tag, tagBytes);
  const textRaw = exactly(text);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, ivRaw, { authTagLength: tagBytes });
    decipher.setAAD(tuple);
    decipher.setAuthTag(tagRaw);
    return Buffer.concat([decipher.update(textRaw), decipher.final()]);
  } catch (cause) {
    throw cannotOpen(cause);
  }
}

/** base64url written in the one right way, of the right length: the spare bits at its end are bits too. */
function exactly(text: unknown, bytes?: number): Buffer {
  if (typeof text !== 'string') throw cannotOpen();
  const raw = Buffer.from(text, 'base64url');
  if (raw.toString('base64url') !== text || (bytes !== undefined && raw.length !== bytes)) throw cannotOpen();
  return raw;
}

function secretTuple(key: TenantKey, bound: Bound): Buffer {
  return tuple(
    'wp-secret-v1',
    bound.tenantId,
    bound.credentialId,
    bound.field,
    String(bound.version),
    key.dekId,
  );
}

function wrapTuple(tenantId: string, dekId: string, kekId: string): Buffer {
  return tuple('wp-dek-v1', tenantId, dekId, kekId);
}

/** Each part with its length before it: joined plainly, ("ab", "c") and ("a", "bc") would be the same. */
function tuple(...parts: string[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const raw = Buffer.from(part, 'utf8');
      const length = Buffer.alloc(4);
      length.writeUInt32BE(raw.length);
      return [length, raw];
    }),
  );
}

function commitmentOf(dek: Buffer, dekId: string): Buffer {
  return createHmac('sha256', dek).update('commit').update(dekId).digest();
}

function versionMacOf(dek: Buffer, tenantId: string, dekId: string, version: number): string {
  return createHmac('sha256', dek)
    .update(tuple('wp-version-v1', tenantId, dekId, String(version)))
    .digest('base64url');
}

function nextMacOf(dek: Buffer, tenantId: string, dekId: string, next: number): string {
  return createHmac('sha256', dek)
    .update(tuple('wp-next-v1', tenantId, dekId, String(next)))
    .digest('base64url');
}

function same(a: Buffer, b: Buffer): void {
  if (a.length !== b.length || !timingSafeEqual(a, b)) throw cannotOpen();
}

function cannotOpen(cause?: unknown): WatchpostError {
  return new WatchpostError('secret', 'The stored credential of this tenant cannot be opened.', {
    hint: 'Connect the tenant again with its secret or certificate; if you did not change ENCRYPTION_KEYS, find out who changed the store.',
    cause,
  });
}
