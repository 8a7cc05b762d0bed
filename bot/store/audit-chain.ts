import { createHash, randomBytes, randomInt } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import {
  type AuditContent,
  type AuditEntry,
  contentDigest,
  globalChain,
  linkHash,
  noHash,
} from '../../shared/audit/entry.ts';
import { beginsDetail, beginsWhat, entryId, foldOlder } from '../../shared/audit/verify.ts';
import { hasCode, WatchpostError } from '../errors.ts';
import type { Collection, CollectionDeclaration } from './engine/collection.ts';
import type { Kit } from './kit.ts';

/** A row: an entry of the chain, or one from before there was a chain, which has no `seq`. */
export type AuditDocument = Omit<AuditContent, 'instance'> &
  Partial<Omit<AuditEntry, keyof AuditContent>> & { _id: string; instance?: string };

/** Where the newest entry of a chain stands. */
export type Head = { seq: number; hash: string };
type Linked = AuditEntry & { _id: string };
type Waiting = { content: Omit<AuditContent, 'at'>; written(): void; failed(error: unknown): void };

/**
 * Every entry is in one chain over all, and its place there is its key: two writers cannot both take it. A tenant's
 * entries are numbered once more, for its own chain. Read newest first, over all or by one of the fields.
 */
export const auditDeclaration: CollectionDeclaration = {
  name: 'audit',
  tenantScoped: false,
  indexes: [
    { keys: { tenant: 1, tenantSeq: 1 }, unique: true, where: ['tenantSeq'] },
    { keys: { tenant: 1, _id: 1 } },
    { keys: { who: 1, _id: 1 } },
    { keys: { what: 1, _id: 1 } },
    { keys: { result: 1, _id: 1 } },
    { keys: { at: 1 } },
  ],
};

/** Keys of the chain; those of older rows begin with a year. */
export const chained = { _id: { $gt: 'e' } } as const;
export const unchained = { _id: { $lt: 'e' } } as const;

/** Written together at most; more wait for the next group. */
const groupAtMost = 100;
/** Somebody else is quicker that often only when something is wrong. */
const triesAtMost = 60;

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * Appends to the chains. What is asked for at the same time becomes one group, which the embedded engine commits at
 * once. Another thread or instance may append as well: who finds the place taken looks where the chain ends now and
 * takes the next. The promise is kept when the entry is on disk.
 */
export function openChain({ engine, now, instanceId }: Kit): {
  append(content: Omit<AuditContent, 'at' | 'instance'>): Promise<void>;
  head(): Promise<Head>;
} {
  const audit = engine.collection<AuditDocument>(auditDeclaration);
  const queue: Waiting[] = [];
  const tenantHeads = new LRUCache<string, Head>({ max: 20_000 });
  let known: Head | undefined;
  let writing = false;

  async function readHead(): Promise<Head> {
    const { rows } = await audit.find(chained, { sort: { _id: -1 }, limit: 1 });
    return headOf(rows[0], rows[0]?.seq, rows[0]?.hash);
  }

  async function tenantHead(tenant: string): Promise<Head> {
    const { rows } = await audit.find(
      { tenant, tenantSeq: { $gt: 0 } },
      { sort: { tenantSeq: -1 }, limit: 1 },
    );
    return headOf(rows[0], rows[0]?.tenantSeq, rows[0]?.tenantHash);
  }

  /** Nothing is remembered: the next look is at the store itself. */
  function forget(): void {
    known = undefined;
    tenantHeads.clear();
  }

  async function pump(): Promise<void> {
    while (queue.length > 0) await write(queue.splice(0, groupAtMost));
    writing = false;
  }

  async function write(group: Waiting[]): Promise<void> {
    let left = group;
    for (let tried = 1; left.length > 0; tried += 1) {
      try {
        const rows = await link(left.map(({ content }) => content));
        const outcome = await insert(rows);
        for (const one of left.slice(0, Math.max(0, outcome.written - (rows.length - left.length))))
          one.written();
        left = left.slice(Math.max(0, outcome.written - (rows.length - left.length)));
        if (outcome.error !== undefined) throw outcome.error;
      } catch (error) {
        forget();
        if (!hasCode(error, 'conflict') || tried === triesAtMost) {
          for (const one of left) one.failed(error);
          return;
        }
        // In one file the next try sees the other's entry; over a network those that meet must not meet again.
        if (engine.kind === 'mongo') await setTimeout(randomInt(1, 4 + 4 * Math.min(tried, 10)));
      }
    }
  }

  /** The contents as the next entries of their chains; before the first of all, what was there before the chain. */
  async function link(contents: Omit<AuditContent, 'at'>[]): Promise<Linked[]> {
    known ??= await readHead();
    let head = known;
    const rows: Linked[] = [];
    const all = head.seq === 0 ? [...(await beginning(audit, instanceId)), ...contents] : contents;
    for (const content of all) {
      const row = await linked({ at: now(), ...content }, head);
      head = { seq: row.seq, hash: row.hash };
      rows.push(row);
    }
    return rows;
  }

  async function linked(content: AuditContent, head: Head): Promise<Linked> {
    const salt = randomBytes(16).toString('base64url');
    const carried = contentDigest(content, salt, sha256);
    const seq = head.seq + 1;
    const { tenant } = content;
    const row: Linked = {
      _id: entryId(seq),
      ...content,
      seq,
      prev: head.hash,
      hash: linkHash(globalChain, seq, head.hash, carried, sha256),
      salt,
    };
    if (tenant === undefined) return row;
    const last = tenantHeads.get(tenant) ?? (await tenantHead(tenant));
    const tenantSeq = last.seq + 1;
    const tenantHash = linkHash(tenant, tenantSeq, last.hash, carried, sha256);
    // Right as long as the group is written; otherwise all of this is forgotten.
    tenantHeads.set(tenant, { seq: tenantSeq, hash: tenantHash });
    return { ...row, tenantSeq, tenantPrev: last.hash, tenantHash };
  }

  /** How many of the rows, from the first on, were written, and what was wrong with the next. */
  async function insert(rows: Linked[]): Promise<{ written: number; error?: unknown }> {
    if (engine.kind === 'mongo') {
      for (const [at, row] of rows.entries()) {
        try {
          await audit.insertOne(row);
          known = row;
        } catch (error) {
          return { written: at, error };
        }
      }
      return { written: rows.length };
    }
    // Asked for in one breath and committed in one transaction, each only after the very entry it follows.
    const told = await Promise.allSettled(rows.map((row, at) => insertAfter(rows[at - 1], row)));
    const failed = told.findIndex(({ status }) => status === 'rejected');
    if (failed >= 0) {
      const outcome = told[failed];
      return { written: failed, error: outcome?.status === 'rejected' ? outcome.reason : undefined };
    }
    known = rows.at(-1) ?? known;
    return { written: rows.length };
  }

  async function insertAfter(before: Linked | undefined, row: Linked): Promise<void> {
    if (before === undefined) return await audit.insertOne(row);
    const onlyIf = { collection: auditDeclaration.name, filter: { _id: before._id, hash: before.hash } };
    const { inserted } = await audit.bulkWrite([{ insertOne: { document: row } }], { onlyIf });
    if (inserted !== 1) throw new WatchpostError('conflict', 'Somebody else has written this entry.');
  }

  return {
    append(content) {
      return new Promise((resolve, reject) => {
        queue.push({ content: { ...content, instance: instanceId }, written: resolve, failed: reject });
        if (writing) return;
        writing = true;
        // After whatever else is asked for in this very moment.
        queueMicrotask(() => void pump());
      });
    },
    head: readHead,
  };
}

function headOf(row: AuditDocument | undefined, seq: number | undefined, hash: string | undefined): Head {
  if (row === undefined) return { seq: 0, hash: noHash };
  if (seq === undefined || hash === undefined) {
    throw new WatchpostError('store', 'The audit log is damaged: its last entry is none.', {
      hint: '`npm run watchpost -- verify` names the first entry that is not as it was written.',
    });
  }
  return { seq, hash };
}

/** The first entry when there are rows from before the chain: how many they are, and a digest over all of them. */
async function beginning(
  audit: Collection<AuditDocument>,
  instance: string,
): Promise<Omit<AuditContent, 'at'>[]> {
  let older = 0;
  let sum = noHash;
  for await (const row of everyRow(audit, unchained)) {
    older += 1;
    sum = foldOlder(sum, olderFields(row), sha256);
  }
  if (older === 0) return [];
  return [{ who: 'watchpost', what: beginsWhat, result: 'done', detail: beginsDetail(older, sum), instance }];
}

/** A row from before the chain as what its digest covers. */
export function olderFields(row: AuditDocument): (string | null)[] {
  const { _id, at, who, what, tenant, where, result, detail } = row;
  return [_id, at, who, what, tenant ?? null, where ?? null, result, detail ?? null];
}

/** All rows of a kind, oldest first; between pages others get a turn. */
export async function* everyRow(
  audit: Collection<AuditDocument>,
  filter: typeof chained | typeof unchained,
): AsyncGenerator<AuditDocument> {
  let after: string | undefined;
  do {
    const page = await audit.find(filter, {
      sort: { _id: 1 },
      limit: 200,
      ...(after === undefined ? {} : { after }),
    });
    yield* page.rows;
    after = page.next ?? undefined;
    await new Promise((resolve) => setImmediate(resolve));
  } while (after !== undefined);
}
