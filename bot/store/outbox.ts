import { mostSubscriptions } from '../../shared/alerts/route.ts';
import { plus } from '../../shared/time.ts';
import { hasCode } from '../errors.ts';
import type { OutboxLease, OutboxStore } from '../services.ts';
import type { Filter, Guard, Update } from './engine/collection.ts';
import { claimSome, inGroups, type Kit, requireScope } from './kit.ts';
import {
  lookAgain,
  nextDueAt,
  type OutboxDocument,
  ofFinding,
  outboxDeclaration,
  outboxQueuesDeclaration,
  type QueueDocument,
  revivable,
  revive,
  rowOf,
  wakeStranded,
} from './outbox-rows.ts';
import { openPace } from './pace.ts';

const mostClaims = 100;
const mostWaiting = 1_000;

/** What is to be told, kept until Teams has taken it. All times are the database's. */
export function openOutbox(kit: Kit): OutboxStore {
  const { engine, now, instanceId } = kit;
  const rows = engine.collection<OutboxDocument>(outboxDeclaration);
  const queues = engine.collection<QueueDocument>(outboxQueuesDeclaration);

  /** Changes rows that still wait, while the lease holds: how many there were, null when it does not. */
  async function change(guard: Guard, ids: readonly string[], update: Update): Promise<number | null> {
    let matched = 0;
    try {
      for (const group of inGroups(ids)) {
        const done = await rows.bulkWrite(
          group.map((_id) => ({ updateOne: { filter: { _id, state: 'waiting' }, update } })),
          { onlyIf: guard },
        );
        matched += done.matched;
      }
      return matched;
    } catch (error) {
      if (hasCode(error, 'conflict')) return null;
      throw error;
    }
  }

  async function claim(leaseMs: number): Promise<OutboxLease | null> {
    const at = now();
    const until = plus(at, leaseMs);
    const claimed = await queues.findOneAndUpdate(
      { dueAt: { $lte: at }, leaseUntil: { $lte: at } },
      // Due again when the lease ends: a holder that dies is followed by somebody else.
      { $set: { leaseOwner: instanceId, leaseUntil: until, dueAt: until }, $inc: { fence: 1 } },
      { sort: { dueAt: 1 } },
    );
    return claimed === null
      ? null
      : { conversationId: claimed._id, owner: instanceId, fence: claimed.fence, until };
  }

  /** What waits for a conversation, oldest first. */
  async function inOrder(conversationId: string, limit: number): Promise<OutboxDocument[]> {
    const sort = { createdAt: 1, order: 1 } as const;
    return (await rows.find({ conversationId, state: 'waiting' }, { sort, limit })).rows;
  }

  return {
    claimDue: (limit, leaseMs) => claimSome(Math.min(limit, mostClaims), () => claim(leaseMs)),
    async renew(lease, leaseMs) {
      const until = plus(now(), leaseMs);
      return (await queues.updateOne(ours(lease), { $max: { leaseUntil: until } })).matched === 1;
    },
    async waiting({ conversationId }, limit) {
      return (await inOrder(conversationId, Math.min(limit, mostWaiting))).map(rowOf);
    },
    async card(conversationId, finding, generation) {
      const page = await rows.find(
        {
          conversationId,
          'finding.id': finding,
          'finding.generation': generation,
          state: 'sent',
          activityId: { $exists: true },
          collapsed: { $exists: false },
        },
        { sort: { createdAt: -1, order: -1 }, limit: 1 },
      );
      const activityId = page.rows[0]?.activityId;
      return activityId === undefined ? null : { activityId };
    },
    async heard(scope, tenant, finding, generation) {
      requireScope(scope, tenant);
      const told: Filter = {
        $or: [{ state: { $in: ['waiting', 'sent'] } }, revivable(now())],
      };
      const heard = new Set<string>();
      let after: string | undefined;
      do {
        const page = await rows.find(
          { $and: [{ ...ofFinding(tenant, finding, generation), kind: { $ne: 'refresh' } }, told] },
          { limit: 1_000, after },
        );
        for (const { conversationId } of page.rows) heard.add(conversationId);
        after = page.next ?? undefined;
      } while (after !== undefined && heard.size < mostSubscriptions);
      return [...heard];
    },
    async attempting(lease, ids) {
      // Not only ours by its fence but also by its time: nobody else may have been free to take it (R36).
      const live: Guard = {
        collection: outboxQueuesDeclaration.name,
        filter: { ...ours(lease), leaseUntil: { $gt: now() } },
      };
      const begun = await change(live, ids, { $set: { attempting: true }, $inc: { attempts: 1 } });
      // One that is gone was taken away with its tenant: it must not be told any more.
      return begun === ids.length;
    },
    async settle(lease, ids, result) {
      return (await change(guardOf(lease), ids, settled(result, now()))) !== null;
    },
    async release(lease, notBefore) {
      for (;;) {
        const queue = await queues.findOne(ours(lease));
        if (queue === null) return;
        const first = nextDueAt(await inOrder(lease.conversationId, mostWaiting));
        const dueAt = notBefore !== undefined && notBefore > first ? notBefore : first;
        const done = await queues.updateOne(
          // Something came to wait since the look: then another look.
          { ...ours(lease), asks: queue.asks },
          { $set: { dueAt, leaseOwner: '', leaseUntil: '' } },
        );
        if (done.matched === 1) return;
      }
    },
    async voidOwn() {
      let freed = 0;
      for (;;) {
        const queue = await queues.findOneAndUpdate(
          { leaseOwner: instanceId },
          { $set: { leaseOwner: '', leaseUntil: '', dueAt: now() } },
        );
        if (queue === null) break;
        freed += 1;
      }
      await wakeStranded(kit);
      return freed;
    },
    revive: (conversationId) => revive(kit, conversationId),
    async lookAgain() {
      const count = await lookAgain(kit);
      await wakeStranded(kit);
      return count;
    },
    pace: openPace(kit),
    async backlog() {
      const at = now();
      const waiting = await rows.countDocuments({ state: 'waiting' });
      const page = await rows.find(
        { state: 'waiting', dueAt: { $lte: at } },
        { sort: { createdAt: 1 }, limit: 1 },
      );
      const oldest = page.rows[0]?.createdAt;
      const ms = oldest === undefined ? 0 : Date.parse(at) - Date.parse(oldest);
      return { waiting, oldestSeconds: Math.max(0, ms / 1_000) };
    },
  };
}

function settled(result: Parameters<OutboxStore['settle']>[2], at: string): Update {
  const $unset = { attempting: true as const };
  switch (result.state) {
    case 'sent': {
      const { state, activityId, collapsed } = result;
      return {
        $set: { state, activityId, at, maybeSent: false, ...(collapsed === true ? { collapsed } : {}) },
        $unset: { ...$unset, why: true },
      };
    }
    case 'waiting': {
      const { state, dueAt, maybeSent, why, surelyNot } = result;
      return {
        $set: { state, dueAt, maybeSent, why },
        $unset,
        ...(surelyNot === true ? { $inc: { surelyNot: 1 } } : {}),
      };
    }
    default: {
      const { state, why, maybeSent, surelyNot } = result;
      const again = state === 'held' || result.revivable === true;
      return {
        $set: { state, why, at, maybeSent, ...(again ? { revivable: true } : {}) },
        $unset,
        ...(surelyNot === true ? { $inc: { surelyNot: 1 } } : {}),
      };
    }
  }
}

/** The queue of a conversation while it is still this lease's. */
function ours({ conversationId, fence, owner }: OutboxLease): {
  _id: string;
  fence: number;
  leaseOwner: string;
} {
  return { _id: conversationId, fence, leaseOwner: owner };
}

function guardOf(lease: OutboxLease): Guard {
  return { collection: outboxQueuesDeclaration.name, filter: ours(lease) };
}
