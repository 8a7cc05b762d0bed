import { mostSubscriptions } from '../../shared/alerts/route.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { plus } from '../../shared/time.ts';
import type { PlaceRow, SubscriptionRow, SubscriptionStore } from '../services.ts';
import type { CollectionDeclaration, Page } from './engine/collection.ts';
import { inGroups, type Kit, rowsAtOnce } from './kit.ts';
import {
  type OutboxDocument,
  outboxDeclaration,
  outboxQueuesDeclaration,
  type QueueDocument,
  revivable,
  revive,
  revivedWithinMs,
  wake,
} from './outbox-rows.ts';
import { placesDeclaration } from './places.ts';

/** `live`: not ended; `unreachable`: nor told what it watches. `revision` grows with every write. */
type SubscriptionDocument = {
  _id: string;
  live: boolean;
  unreachable?: boolean;
  revision: number;
  value: SubscriptionRow;
};

/** By Teams' conversation id, which is unique over all tenants; what each row hears of stands in it. */
export const subscriptionsDeclaration: CollectionDeclaration = {
  name: 'subscriptions',
  tenantScoped: false,
  indexes: [{ keys: { live: 1 } }, { keys: { unreachable: 1 } }],
};

const isBack = 'Watchpost is back here. What waited is told with the next news.';

export function openSubscriptions(kit: Kit): SubscriptionStore {
  const { engine, now } = kit;
  const rows = engine.collection<SubscriptionDocument>(subscriptionsDeclaration);
  const outbox = engine.collection<OutboxDocument>(outboxDeclaration);
  const queues = engine.collection<QueueDocument>(outboxQueuesDeclaration);
  const places = engine.collection<PlaceRow & { _id: string }>(placesDeclaration);

  const change: SubscriptionStore['change'] = async (conversationId, decide) => {
    for (;;) {
      const row = await rows.findOne({ _id: conversationId });
      const value = decide(row?.value ?? null);
      if (value === null) return row?.value ?? null;
      const revision = (row?.revision ?? 0) + 1;
      const live = value.ended === undefined;
      const unreachable = live && value.broken !== undefined && value.tenants.length > 0;
      const fields = { live, unreachable, revision, value: { ...value, conversationId } };
      const written =
        row === null
          ? (await rows.updateOne({ _id: conversationId }, { $setOnInsert: fields }, { upsert: true }))
              .upserted
          : (await rows.updateOne({ _id: conversationId, revision: row.revision }, { $set: fields }))
              .matched === 1;
      if (written) return fields.value;
    }
  };

  /** The subscriptions of a conversation and, when it is a team's, of its channels: at most 1,000. */
  async function concerned(conversationId: string): Promise<string[]> {
    const channels = new Set([conversationId]);
    for (let after: string | undefined; ; ) {
      const page = await places.find({ teamId: conversationId }, { limit: rowsAtOnce, after });
      for (const { _id } of page.rows) channels.add(_id);
      if (page.next === null) break;
      after = page.next;
    }
    const found: string[] = [];
    for (const group of inGroups([...channels])) {
      const page = await rows.find({ _id: { $in: group } }, { limit: rowsAtOnce });
      for (const { _id } of page.rows) found.push(_id);
    }
    return found;
  }

  return {
    async get(conversationId) {
      return (await rows.findOne({ _id: conversationId }))?.value ?? null;
    },
    async all() {
      const found: SubscriptionRow[] = [];
      let after: string | undefined;
      do {
        const page = await rows.find({ live: true }, { limit: 1_000, after });
        for (const { value } of page.rows) found.push(value);
        after = page.next ?? undefined;
      } while (after !== undefined && found.length < mostSubscriptions);
      return found;
    },
    count: () => rows.countDocuments({ live: true }),
    async unreachable() {
      const page = await rows.find({ unreachable: true }, { limit: 100 });
      const since = ({ broken }: SubscriptionRow): string => broken?.since ?? '';
      return page.rows.map(({ value }) => value).sort((a, b) => (since(a) < since(b) ? -1 : 1));
    },
    countUnreachable: () => rows.countDocuments({ unreachable: true }),
    async naming(tenant) {
      const found: SubscriptionRow[] = [];
      for (let after: string | undefined; ; ) {
        const page: Page<SubscriptionDocument> = await rows.find({}, { limit: 1_000, after });
        for (const { value } of page.rows) if (names(value, tenant)) found.push(value);
        if (page.next === null) return found;
        after = page.next;
      }
    },
    change,
    async end(conversationId, how) {
      for (const id of await concerned(conversationId)) {
        await change(id, (row) => {
          if (row === null || (row.ended !== undefined && (how !== 'deleted' || row.deleted === true)))
            return null;
          return {
            ...row,
            ended: row.ended ?? now(),
            ...(how === 'deleted' ? { deleted: true as const } : {}),
          };
        });
      }
    },
    async reinstalled(conversationId) {
      for (const id of await concerned(conversationId)) {
        const row = await change(id, (known) => {
          if (known === null || (known.ended === undefined && known.broken === undefined)) return null;
          const late = known.ended !== undefined && known.ended < plus(now(), -revivedWithinMs);
          if (known.deleted === true || late) return null;
          const { ended: _, ...back } = known;
          // Until all of it waits again: whoever sends here after a death revives what is broken, and is woken first.
          return { ...back, broken: { why: isBack, since: known.broken?.since ?? now() } };
        });
        if (row === null || row.ended !== undefined) continue;
        await wake(queues, [id], now());
        await revive(kit, id);
        await change(id, (known) => (known?.broken?.why === isBack ? sound(known) : null));
      }
    },
    async broken(conversationId, why) {
      await change(conversationId, (row) => {
        if (row === null || row.broken?.why === why) return null;
        return { ...row, broken: { why, since: row.broken?.since ?? now() } };
      });
    },
    async heal(conversationId) {
      const held = { conversationId, ...revivable(now()) };
      if ((await outbox.find(held, { sort: { createdAt: 1 }, limit: 1 })).rows.length > 0) return;
      await change(conversationId, (row) => {
        return row?.broken === undefined ? null : sound(row);
      });
    },
  };
}

function names({ tenants, except, thresholds }: SubscriptionRow, tenant: TenantId): boolean {
  return (
    (tenants !== 'all' && tenants.includes(tenant)) ||
    except?.includes(tenant) === true ||
    thresholds.some(({ tenantId }) => tenantId === tenant)
  );
}

function sound({ broken: _, ...row }: SubscriptionRow): SubscriptionRow {
  return row;
}
