import type { TenantId } from '../../shared/tenants/tenant.ts';
import { type Instant, never, plus } from '../../shared/time.ts';
import type { OutboxEntry, OutboxRow } from '../services.ts';
import type { Collection, CollectionDeclaration, Filter, Guard, Page } from './engine/collection.ts';
import { inGroups, type Kit, rowsAtOnce } from './kit.ts';

/**
 * One thing to be told to one conversation. `attempting`: a POST may be on its way. `at`: when it ended. `revivable`:
 * Teams would not take it because the bot is not there, or the gate held it; it may be tried again. `surelyNot`:
 * attempts that surely were not taken.
 */
export type OutboxDocument = Omit<OutboxRow, 'id' | 'unclear'> & {
  _id: string;
  order: number;
  surelyNot: number;
  attempting?: boolean;
  collapsed?: boolean;
  revivable?: boolean;
  at?: Instant;
};
/** What waits for one conversation, and who sends it. `asks` grows with everything that comes to wait there. */
export type QueueDocument = {
  _id: string;
  dueAt: Instant;
  asks: number;
  leaseOwner: string;
  leaseUntil: Instant | '';
  fence: number;
};

export const outboxDeclaration: CollectionDeclaration = {
  name: 'outbox',
  tenantScoped: true,
  indexes: [
    { keys: { conversationId: 1, state: 1, createdAt: 1 } },
    { keys: { conversationId: 1, 'finding.id': 1 } },
    { keys: { tenantId: 1, 'finding.id': 1 } },
    { keys: { state: 1, createdAt: 1 } },
    { keys: { at: 1 } },
  ],
};
export const outboxQueuesDeclaration: CollectionDeclaration = {
  name: 'outboxQueues',
  tenantScoped: false,
  indexes: [{ keys: { dueAt: 1 } }, { keys: { leaseOwner: 1 } }],
};

/** Rows that ended are kept this long. */
export const outboxKeptMs = 90 * 86_400_000;
/** What was refused because the bot was not there, or held, is told after all when it may go within this time. */
export const revivedWithinMs = 7 * 86_400_000;

/** Rows, each only when absent, and then the word that something waits; safe to repeat after a crash in between. */
export async function addToOutbox(
  { engine, now }: Kit,
  tell: readonly OutboxEntry[],
  guard: { onlyIf?: Guard },
): Promise<void> {
  const rows = engine.collection<OutboxDocument>(outboxDeclaration);
  const at = now();
  const documents = tell.map(({ id, ...entry }, order) => ({
    _id: id,
    document: {
      ...entry,
      order,
      state: 'waiting' as const,
      createdAt: at,
      dueAt: at,
      attempts: 0,
      surelyNot: 0,
      maybeSent: false,
    },
  }));
  for (const group of inGroups(documents)) {
    await rows.bulkWrite(
      group.map(({ _id, document }) => ({
        updateOne: { filter: { _id }, update: { $setOnInsert: document }, upsert: true },
      })),
      guard,
    );
  }
  await wake(
    engine.collection<QueueDocument>(outboxQueuesDeclaration),
    [...new Set(tell.map(({ conversationId }) => conversationId))],
    at,
  );
}

/**
 * When something of these rows, oldest first, can go: what is not due yet holds back what tells of the same finding
 * after it, so that it would be in vain to look there before. `never` without rows.
 */
export function nextDueAt(waiting: readonly OutboxDocument[]): Instant {
  const first = new Map<string, Instant>();
  for (const { finding, dueAt } of waiting) if (!first.has(finding.id)) first.set(finding.id, dueAt);
  let next = never;
  for (const dueAt of first.values()) if (dueAt < next) next = dueAt;
  return next;
}

/** Something waits for these conversations now. */
export async function wake(
  queues: Collection<QueueDocument>,
  conversations: readonly string[],
  dueAt: Instant,
): Promise<void> {
  for (const group of inGroups(conversations)) {
    await queues.bulkWrite(
      group.map((_id) => ({
        updateOne: {
          filter: { _id },
          update: {
            $min: { dueAt },
            $inc: { asks: 1 },
            $setOnInsert: { leaseOwner: '', leaseUntil: '', fence: 0 },
          },
          upsert: true,
        },
      })),
    );
  }
}

/** What was refused or held, and may still be told. */
export function revivable(at: Instant): Filter {
  return {
    state: { $in: ['dead', 'held'] },
    revivable: true,
    createdAt: { $gt: plus(at, -revivedWithinMs) },
  };
}

/**
 * What Teams refused to a conversation while the bot was not there, or the gate held, waits again; answers how many
 * rows. The conversation is woken in any case: when an earlier call was killed, the rows wait already.
 */
export async function revive(kit: Kit, conversationId: string): Promise<number> {
  const queues = kit.engine.collection<QueueDocument>(outboxQueuesDeclaration);
  await wake(queues, [conversationId], kit.now());
  return await waitAgain(kit, { conversationId, ...revivable(kit.now()) });
}

/** What the gate held in these conversations, or anywhere, waits again: it may be another day. */
export async function lookAgain(kit: Kit, conversations?: readonly string[]): Promise<number> {
  const held: Filter = { ...revivable(kit.now()), state: 'held' };
  if (conversations === undefined) return await waitAgain(kit, held);
  let count = 0;
  for (const group of inGroups(conversations)) {
    count += await waitAgain(kit, { conversationId: { $in: group }, ...held });
  }
  return count;
}

async function waitAgain({ engine, now }: Kit, which: Filter): Promise<number> {
  const rows = engine.collection<OutboxDocument>(outboxDeclaration);
  const queues = engine.collection<QueueDocument>(outboxQueuesDeclaration);
  const at = now();
  // What is held once more while this runs has been looked at.
  const ended: Filter = { $and: [which, { at: { $lte: at } }] };
  let count = 0;
  for (;;) {
    const page = await rows.find(ended, { sort: { createdAt: 1 }, limit: rowsAtOnce });
    if (page.rows.length === 0) return count;
    const concerned = [...new Set(page.rows.map(({ conversationId }) => conversationId))];
    // Before, for a death in between; after, for whoever looked in between and found nothing.
    await wake(queues, concerned, at);
    const done = await rows.bulkWrite(
      page.rows.map(({ _id, state }) => ({
        updateOne: {
          filter: { _id, state },
          update: { $set: { state: 'waiting', dueAt: at }, $unset: { at: true, revivable: true } },
        },
      })),
    );
    await wake(queues, concerned, at);
    count += done.modified;
  }
}

/**
 * Wakes conversations in which something waits and that nobody will look at: a process died between the rows and the
 * word that they wait. Whoever rests does so for an hour at most (the longest `Retry-After`), and is let rest.
 */
export async function wakeStranded({ engine, now }: Kit): Promise<void> {
  const rows = engine.collection<OutboxDocument>(outboxDeclaration);
  const queues = engine.collection<QueueDocument>(outboxQueuesDeclaration);
  for (let after: string | undefined; ; ) {
    const page: Page<OutboxDocument> = await rows.find(
      { state: 'waiting' },
      { sort: { createdAt: 1 }, limit: rowsAtOnce, after },
    );
    const concerned = [...new Set(page.rows.map(({ conversationId }) => conversationId))];
    const known = await queues.find({ _id: { $in: concerned } }, { limit: rowsAtOnce });
    const soon = new Set(
      known.rows.filter(({ dueAt }) => dueAt <= plus(now(), 3_600_000)).map(({ _id }) => _id),
    );
    await wake(
      queues,
      concerned.filter((id) => !soon.has(id)),
      now(),
    );
    if (page.next === null) return;
    after = page.next;
  }
}

/** A tenant's rows as filters name them. */
export function ofFinding(tenantId: TenantId, finding: string, generation: number) {
  return { tenantId, 'finding.id': finding, 'finding.generation': generation };
}

export function rowOf(document: OutboxDocument): OutboxRow {
  const { _id, order, surelyNot, attempting, collapsed, revivable, at, ...row } = document;
  // Begun and never settled: whoever sent it is gone, and nobody knows whether it arrived.
  return {
    id: _id,
    ...row,
    maybeSent: row.maybeSent || attempting === true,
    unclear: row.attempts - surelyNot,
  };
}
