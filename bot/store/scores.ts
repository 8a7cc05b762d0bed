import { covers } from '../../shared/access.ts';
import type {
  ControlChange,
  ControlProfile,
  EvaluatedSnapshot,
  Posture,
  ScoreSnapshot,
} from '../../shared/score/score.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import type { ScoreStore } from '../services.ts';
import type { BulkWrite, Collection, CollectionDeclaration, OrderedWrite } from './engine/collection.ts';
import { inGroups, type Kit, requireAnyScope, requireScope, rowsAtOnce, whileOurs } from './kit.ts';

type SnapshotDocument = ScoreSnapshot & { _id: string };
type ChangeDocument = ControlChange & { _id: string };
/** One document a tenant, read whole: `value` is what was saved. */
type Kept<T> = { _id: string; tenantId: TenantId; value: T };

export const snapshotsDeclaration: CollectionDeclaration = {
  name: 'snapshots',
  tenantScoped: true,
  indexes: [{ keys: { tenantId: 1, day: 1 }, unique: true }],
};
export const changesDeclaration: CollectionDeclaration = {
  name: 'changes',
  tenantScoped: true,
  indexes: [{ keys: { tenantId: 1, day: 1, name: 1 }, unique: true }],
};
export const profilesDeclaration = onePerTenant('profiles');
export const posturesDeclaration = { ...onePerTenant('postures'), readMostly: true };
export const evaluatedDeclaration = onePerTenant('evaluated');

const mostDays = 400;
const mostChanges = 5_000;

export function openScores({ engine }: Kit): ScoreStore {
  const snapshots = engine.collection<SnapshotDocument>(snapshotsDeclaration);
  const changes = engine.collection<ChangeDocument>(changesDeclaration);
  const profiles = engine.collection<Kept<ControlProfile[]>>(profilesDeclaration);
  const postures = engine.collection<Kept<Posture>>(posturesDeclaration);
  const evaluated = engine.collection<Kept<EvaluatedSnapshot>>(evaluatedDeclaration);

  return {
    async posture(scope, id) {
      requireScope(scope, id);
      return (await postures.findOne({ _id: id }))?.value ?? null;
    },
    async postures(scope, ids) {
      requireAnyScope(scope);
      const found: Posture[] = [];
      const wanted = [...new Set(ids)].filter((id) => covers(scope, id));
      for (const group of inGroups(wanted)) {
        const page = await postures.find({ _id: { $in: group } }, { limit: rowsAtOnce });
        for (const row of page.rows) found.push(row.value);
      }
      return found;
    },
    async snapshots(scope, id, since) {
      requireScope(scope, id);
      // Newest first, so that the bound cuts off the oldest days.
      const page = await snapshots.find(
        { tenantId: id, day: { $gte: since } },
        { sort: { day: -1 }, limit: mostDays },
      );
      return page.rows.map(withoutId).reverse();
    },
    async evaluated(scope, id) {
      requireScope(scope, id);
      return (await evaluated.findOne({ _id: id }))?.value ?? null;
    },
    async changes(scope, id, since) {
      requireScope(scope, id);
      return (await readChanges(changes, id, since)).map(withoutId);
    },
    async profiles(scope, id) {
      requireScope(scope, id);
      return (await profiles.findOne({ _id: id }))?.value ?? [];
    },
    async saveSync(scope, lease, found) {
      const id = lease.tenantId;
      requireScope(scope, id);
      for (const part of [...found.snapshots, ...found.changes, found.posture, found.evaluated]) {
        requireSame(part.tenantId, id);
      }
      const { onlyIf } = whileOurs(lease);
      const step = (collection: string, writes: BulkWrite<{ _id: string }>[]): OrderedWrite[] =>
        inGroups(writes).map((group) => ({ collection, writes: group, onlyIf }));
      // In the order of a crash: `evaluated` says "done up to here" and comes last; each id follows from its content.
      await engine.inOrder([
        ...step(
          'snapshots',
          found.snapshots.map((one) => saved(`${id}:${one.day}`, one)),
        ),
        ...step(
          'changes',
          found.changes.map((one) => saved(`${id}:${one.day}:${one.name}`, one)),
        ),
        ...(found.profiles === undefined ? [] : step('profiles', [kept(id, found.profiles)])),
        ...step('postures', [kept(id, found.posture)]),
        ...step('evaluated', [kept(id, found.evaluated)]),
      ]);
    },
  };
}

function onePerTenant(name: string): CollectionDeclaration {
  return { name, tenantScoped: 'one', indexes: [] };
}

async function readChanges(
  changes: Collection<ChangeDocument>,
  id: TenantId,
  since: string,
): Promise<ChangeDocument[]> {
  const rows: ChangeDocument[] = [];
  let after: string | undefined;
  do {
    const page = await changes.find(
      { tenantId: id, day: { $gte: since } },
      { sort: { day: 1 }, limit: 1_000, after },
    );
    rows.push(...page.rows);
    after = page.next ?? undefined;
  } while (after !== undefined && rows.length < mostChanges);
  return rows;
}

function saved(id: string, row: object): BulkWrite<{ _id: string }> {
  return { replaceOne: { document: { _id: id, ...row } } };
}

function kept(id: TenantId, value: object): BulkWrite<{ _id: string }> {
  return saved(id, { tenantId: id, value });
}

function withoutId<T extends { _id: string }>(row: T): Omit<T, '_id'> {
  const { _id, ...rest } = row;
  return rest;
}

/** What a sync found is of the tenant the lease is for: a mix-up must not end up in somebody else's rows. */
function requireSame(found: TenantId, expected: TenantId): void {
  if (found !== expected) throw new Error('a sync found something of another tenant');
}
