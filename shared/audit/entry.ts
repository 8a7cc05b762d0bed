import type { TenantId } from '../tenants/tenant.ts';
import type { Instant } from '../time.ts';

/** `started`: written before a privileged effect, so that none is without an entry (R64). */
export const auditResults = ['started', 'done', 'refused', 'failed'] as const;
export type AuditResult = (typeof auditResults)[number];

/** What is told of one event. Absent and empty are different things. */
export type AuditContent = {
  /** Database time. */
  at: Instant;
  /** Actor key: `tid/oid`, `cli:<system user>` or `watchpost`. */
  who: string;
  /** The action, as people read it. */
  what: string;
  /** What it was done to, when that is no tenant. */
  target?: string | undefined;
  tenant?: TenantId | undefined;
  /** The conversation, or `tab`. */
  where?: string | undefined;
  result: string;
  detail?: string | undefined;
  /** Id of the request or activity, where known. */
  request?: string | undefined;
  /** Which instance of Watchpost wrote it. */
  instance: string;
};

/**
 * One entry of the global chain, which is at the same time one of its tenant's chain. `hash` covers `seq`, `prev` and
 * the content; `tenantHash` the same of the tenant's chain. Hashes are SHA-256 in hex.
 */
export type AuditEntry = AuditContent & {
  seq: number;
  prev: string;
  hash: string;
  tenantSeq?: number | undefined;
  tenantPrev?: string | undefined;
  tenantHash?: string | undefined;
  /** Random, beside `who`, `target` and `detail`: with it gone nobody can find out by trying what stood there. */
  salt: string;
};

/** What the first entry of a chain has in place of the hash before it. */
export const noHash = '0'.repeat(64);

/** The name of the chain that all entries are in; a tenant's is called by the tenant's id. */
export const globalChain = 'global';

/** SHA-256 of UTF-8 text, in hex. */
export type Digest = (text: string) => string;

/**
 * The one canonical encoding of everything that is hashed or signed: a JSON list of a name and its fields in a fixed
 * order. Text, whole numbers and null only; the same fields give the same text and different ones never do, because
 * JSON marks where each ends. Throws `RangeError` for a number that is not whole.
 */
export function encode(name: string, fields: readonly (string | number | null)[]): string {
  for (const field of fields) {
    if (typeof field === 'number' && !Number.isSafeInteger(field)) throw new RangeError('not a whole number');
  }
  return JSON.stringify([name, ...fields]);
}

/** The name and the fields of an encoding. Throws `SyntaxError` for any text that `encode` does not make. */
export function decode(text: string): { name: string; fields: (string | number | null)[] } {
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list)) throw new SyntaxError('not an encoding');
  const [name, ...fields]: unknown[] = list;
  if (typeof name !== 'string' || !fields.every(isField)) throw new SyntaxError('not an encoding');
  // One text for each meaning: blanks, other escapes and other ways to write a number are not ours.
  if (encode(name, fields) !== text) throw new SyntaxError('not the canonical encoding');
  return { name, fields };
}

function isField(field: unknown): field is string | number | null {
  return field === null || typeof field === 'string' || Number.isSafeInteger(field);
}

/**
 * The content as it is hashed. What names a person stands in it as a salted digest only: it can be taken out of an
 * entry later, together with the salt, and the chain is still whole.
 */
export function encodeContent(content: AuditContent, personal: string): string {
  const { at, what, tenant, where, result, request, instance } = content;
  return encode('watchpost-audit-1', [
    at,
    personal,
    what,
    tenant ?? null,
    where ?? null,
    result,
    request ?? null,
    instance,
  ]);
}

/** What names persons, or may: who did it, to whom, and the words about it. */
export function encodePersonal({ who, target, detail }: AuditContent, salt: string): string {
  return encode('watchpost-audit-personal-1', [salt, who, target ?? null, detail ?? null]);
}

/** Digest of an entry's content: what both chains carry. */
export function contentDigest(content: AuditContent, salt: string, digest: Digest): string {
  return digest(encodeContent(content, digest(encodePersonal(content, salt))));
}

/** Hash of the entry at `seq` of a chain, after the one whose hash is `prev`. */
export function linkHash(chain: string, seq: number, prev: string, content: string, digest: Digest): string {
  return digest(encode('watchpost-audit-link-1', [chain, seq, prev, content]));
}
