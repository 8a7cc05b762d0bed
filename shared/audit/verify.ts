import type { Instant } from '../time.ts';
import type { Checkpoint } from './checkpoint.ts';
import {
  type AuditEntry,
  contentDigest,
  type Digest,
  encode,
  globalChain,
  linkHash,
  noHash,
} from './entry.ts';

/** `chain` is `global` or a tenant's id; `seq` the place in it of the first entry that is not as it was written. */
export type BrokenChain = { kind: 'broken'; chain: string; seq: number; at: Instant | null; why: string };
export type WholeChain = {
  kind: 'whole';
  entries: number;
  /** Chains of tenants. */
  tenants: number;
  /** Entries from before there was a chain; they are as they were when it began. */
  older: number;
  /** Of the global chain: how many were compared, and the last one's entry; entries after it could still be cut off. */
  checkpoints: number;
  covered: number;
  lastAt: Instant | null;
};
export type AuditVerdict = WholeChain | BrokenChain;

/** A row as it was read; `entry` is null when it does not even have the shape of one. */
export type StoredEntry = { id: string; entry: AuditEntry | null };

/** What a verifier compares; a test takes one away to see that it is missed. */
export type Comparisons = { follows(prev: string, head: string): boolean };
const real: Comparisons = { follows: (prev, head) => prev === head };

type Link = { seq: number; head: string };

/** The row's key for the entry at `seq`: sorts as the chain goes, and is there only once. */
export function entryId(seq: number): string {
  return `e${String(seq).padStart(12, '0')}`;
}

/** The `what` of a chain's first entry when there were entries before it. */
export const beginsWhat = 'audit chain begins';

/** What the first entry says of those before the chain: how many there are and the digest over all of them. */
export function beginsDetail(older: number, digest: string): string {
  return `${older} older entries without a chain; their digest: ${digest}`;
}

/** The digest over rows from before the chain, one after the other from `noHash` on. */
export function foldOlder(sum: string, fields: readonly (string | null)[], digest: Digest): string {
  return digest(encode('watchpost-audit-older-1', [sum, ...fields]));
}

/**
 * Recomputes both chains from their entries, in the order of their keys, with bounded memory. The first fault ends it:
 * `add` and `end` name the entry. Checkpoints (with a good signature; their reader looks at that) are compared on the
 * way, so that a chain that was made anew or cut off is found too.
 */
export function openVerifier(
  digest: Digest,
  checkpoints: readonly Checkpoint[] = [],
  { follows }: Comparisons = real,
): {
  older(fields: readonly (string | null)[]): void;
  add(row: StoredEntry): BrokenChain | null;
  end(): AuditVerdict;
} {
  const expected = new Map<string, Checkpoint[]>();
  for (const one of checkpoints) {
    const key = `${one.chain} ${one.seq}`;
    expected.set(key, [...(expected.get(key) ?? []), one]);
  }
  const tenants = new Map<string, Link>();
  let global: Link = { seq: 0, head: noHash };
  let older = 0;
  let olderSum = noHash;
  let lastAt: Instant | null = null;
  let compared = 0;
  let covered = 0;

  function broken(chain: string, seq: number, at: Instant | null, why: string): BrokenChain {
    return { kind: 'broken', chain, seq, at, why };
  }

  /** The link after `last`, or why this entry cannot be it. */
  function next(
    last: Link,
    chain: string,
    link: { seq: number; prev: string; hash: string },
    content: string,
  ): Link | string {
    if (link.seq > last.seq + 1) {
      const gap = link.seq - last.seq - 1;
      return gap === 1 ? 'the entry with this number is missing' : `${gap} entries from here on are missing`;
    }
    if (link.seq !== last.seq + 1) return 'this number is there twice or out of order';
    if (!follows(link.prev, last.head))
      return 'it does not follow the entry before it: one of them was changed';
    const hash = linkHash(chain, link.seq, link.prev, content, digest);
    return hash === link.hash ? { seq: link.seq, head: hash } : 'its content is not what was written';
  }

  /** Null when every checkpoint that saw this entry saw it like this. */
  function disagrees(chain: string, { seq, head }: Link, at: Instant): BrokenChain | null {
    const key = `${chain} ${seq}`;
    for (const one of expected.get(key) ?? []) {
      if (one.head !== head || one.count !== seq) {
        return broken(
          chain,
          seq,
          at,
          `the checkpoint of ${one.time} saw another entry here: the chain was made anew`,
        );
      }
      if (chain === globalChain) {
        compared += 1;
        covered = seq;
      }
    }
    expected.delete(key);
    return null;
  }

  return {
    older(fields) {
      older += 1;
      olderSum = foldOlder(olderSum, fields, digest);
    },
    add({ id, entry }) {
      const due = global.seq + 1;
      if (entry === null) return broken(globalChain, due, null, 'this is not an entry');
      const { seq, at } = entry;
      if (id !== entryId(seq)) return broken(globalChain, due, at, 'its key and its number differ');
      const content = contentDigest(entry, entry.salt, digest);
      const link = next(global, globalChain, entry, content);
      if (typeof link === 'string') return broken(globalChain, Math.min(seq, due), at, link);
      if (seq === 1 && (older > 0 || entry.what === beginsWhat)) {
        if (entry.what !== beginsWhat || entry.detail !== beginsDetail(older, olderSum)) {
          return broken(globalChain, 1, at, 'the entries from before the chain are not those it began with');
        }
      }
      const ofTenant = tenantLink(entry, content);
      if (typeof ofTenant === 'string') {
        const chain = entry.tenant ?? globalChain;
        const place = chain === globalChain ? seq : (tenants.get(chain)?.seq ?? 0) + 1;
        return broken(chain, place, at, ofTenant);
      }
      global = link;
      lastAt = at;
      const other = disagrees(globalChain, link, at);
      if (other !== null || ofTenant === null || entry.tenant === undefined) return other;
      tenants.set(entry.tenant, ofTenant);
      return disagrees(entry.tenant, ofTenant, at);
    },
    end() {
      if (global.seq === 0 && older > 0 && checkpoints.length > 0) {
        return broken(globalChain, 1, null, 'the whole chain is missing');
      }
      // What is left was seen by a checkpoint and is not there any more.
      const left = [...expected.values()].flat().sort((a, b) => a.seq - b.seq);
      const cut = left.find(({ chain }) => chain === globalChain) ?? left[0];
      if (cut !== undefined) {
        const last = cut.chain === globalChain ? global : (tenants.get(cut.chain) ?? { seq: 0 });
        const why = `the checkpoint of ${cut.time} saw ${cut.seq} entries: the end was cut off`;
        return broken(cut.chain, last.seq + 1, null, why);
      }
      return {
        kind: 'whole',
        entries: global.seq,
        tenants: tenants.size,
        older,
        checkpoints: compared,
        covered,
        lastAt,
      };
    },
  };

  /** The entry's place in its tenant's chain; null for one without a tenant. */
  function tenantLink(entry: AuditEntry, content: string): Link | string | null {
    const { tenant, tenantSeq, tenantPrev, tenantHash } = entry;
    if (tenant === undefined)
      return tenantSeq === undefined ? null : 'it has a place in the chain of no tenant';
    if (tenantSeq === undefined || tenantPrev === undefined || tenantHash === undefined) {
      return 'it has no place in the chain of its tenant';
    }
    const last = tenants.get(tenant) ?? { seq: 0, head: noHash };
    return next(last, tenant, { seq: tenantSeq, prev: tenantPrev, hash: tenantHash }, content);
  }
}
