import { createHash } from 'node:crypto';
import type { Checkpoint } from '../../../shared/audit/checkpoint.ts';
import {
  type AuditContent,
  type AuditEntry,
  contentDigest,
  globalChain,
  linkHash,
  noHash,
} from '../../../shared/audit/entry.ts';
import {
  type AuditVerdict,
  type Comparisons,
  entryId,
  openVerifier,
  type StoredEntry,
} from '../../../shared/audit/verify.ts';
import { tenantId } from '../../../shared/tenants/tenant.ts';

/** Chains made without the store, as long as a test wants them. */

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export const tenantIds = ['11111111', '22222222', '33333333'].map((one) => {
  const id = tenantId(`${one}-0000-4000-8000-000000000000`);
  if (id === undefined) throw new Error('no tenant id');
  return id;
});

/** What a link of both chains is made from; the chain's state goes along. */
export function linked(contents: readonly AuditContent[]): AuditEntry[] {
  const tenants = new Map<string, { seq: number; hash: string }>();
  let prev = noHash;
  return contents.map((content, at) => {
    const seq = at + 1;
    const salt = `salt-${seq}`;
    const carried = contentDigest(content, salt, sha256);
    const hash = linkHash(globalChain, seq, prev, carried, sha256);
    const entry: AuditEntry = { ...content, seq, prev, hash, salt };
    prev = hash;
    const { tenant } = content;
    if (tenant === undefined) return entry;
    const last = tenants.get(tenant) ?? { seq: 0, hash: noHash };
    const tenantHash = linkHash(tenant, last.seq + 1, last.hash, carried, sha256);
    tenants.set(tenant, { seq: last.seq + 1, hash: tenantHash });
    return { ...entry, tenantSeq: last.seq + 1, tenantPrev: last.hash, tenantHash };
  });
}

export function contents(count: number): AuditContent[] {
  return Array.from({ length: count }, (_, at) => ({
    at: new Date(Date.UTC(2026, 10, 21) + at * 1000).toISOString(),
    who: `home/person-${at % 7}`,
    what: ['grant', 'sync', 'connect tenant', 'sign in'][at % 4] ?? '',
    result: 'done',
    instance: 'one',
    tenant: at % 4 === 0 ? undefined : tenantIds[at % tenantIds.length],
    detail: at % 5 === 0 ? `detail ${at}` : undefined,
  }));
}

export function stored(entries: readonly AuditEntry[]): StoredEntry[] {
  return entries.map((entry) => ({ id: entryId(entry.seq), entry }));
}

/** A checkpoint of the global chain as if it had been signed and read. */
export function checkpointAt(entries: readonly AuditEntry[], seq: number): Checkpoint {
  const head = entries[seq - 1]?.hash ?? '';
  const time = entries[seq - 1]?.at ?? '';
  return { chain: globalChain, seq, head, count: seq, time, key: 'k', signature: '' };
}

export function verdictOn(
  rows: readonly StoredEntry[],
  checkpoints: readonly Checkpoint[] = [],
  comparisons?: Comparisons,
): AuditVerdict {
  const verifier = openVerifier(sha256, checkpoints, comparisons);
  for (const row of rows) {
    const broken = verifier.add(row);
    if (broken !== null) return broken;
  }
  return verifier.end();
}
