import { covers, type TenantScope } from '../../shared/access.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { type Instant, plus } from '../../shared/time.ts';
import type { Lease, TenantChange, WorkKind, WorkRow, WorkStore } from '../services.ts';
import type { CollectionDeclaration, Filter } from './engine/collection.ts';
import { claimSome, type Kit, requireAnyScope, requireScope, stillOurs, whileOurs, workId } from './kit.ts';
import { sortName, type TenantDocument, tenantsDeclaration } from './tenants.ts';

/** `leaseUntil` is empty when nobody holds the row. `askedAt`: somebody wished for a time while it was held. */
type WorkDocument = {
  _id: string;
  tenantId: TenantId;
  kind: WorkKind;
  dueAt: Instant;
  askedAt?: Instant;
  leaseOwner: string;
  leaseUntil: Instant | '';
  fence: number;
  failures: number;
  lastStartedAt?: Instant;
  lastDoneAt?: Instant;
  lastMs?: number;
  lastOutcome?: string;
};

export const workDeclaration: CollectionDeclaration = {
  name: 'work',
  tenantScoped: true,
  indexes: [
    { keys: { tenantId: 1, kind: 1 }, unique: true },
    { keys: { kind: 1, dueAt: 1 } },
    { keys: { leaseOwner: 1 } },
  ],
};

const kinds: readonly WorkKind[] = ['sync-scores', 'sync-directory'];
const mostClaims = 200;
const mostListed = 1_000;

/** Times are the database's; `forgetTenants` tells the thread's list of tenants that one of them was written. */
export function openWork({ engine, now, instanceId }: Kit, forgetTenants: () => void): WorkStore {
  const work = engine.collection<WorkDocument>(workDeclaration);
  const tenants = engine.collection<TenantDocument>(tenantsDeclaration);

  async function claim(kind: WorkKind, leaseMs: number): Promise<Lease | null> {
    const at = now();
    const until = plus(at, leaseMs);
    const claimed = await work.findOneAndUpdate(
      dueFilter(kind, at),
      {
        // Due again when the lease ends: a holder that dies is followed by somebody else.
        $set: { leaseOwner: instanceId, leaseUntil: until, lastStartedAt: at, dueAt: until },
        $unset: { askedAt: true },
        $inc: { fence: 1 },
      },
      { sort: { dueAt: 1 } },
    );
    if (claimed === null) return null;
    const { _id, tenantId, fence } = claimed;
    return { workId: _id, tenantId, kind, owner: instanceId, fence, until };
  }

  return {
    async schedule(scope, id, kind, dueAt) {
      requireScope(scope, id);
      await work.updateOne(
        { _id: workId(id, kind) },
        {
          $min: { dueAt, askedAt: dueAt },
          $setOnInsert: { tenantId: id, kind, leaseOwner: '', leaseUntil: '', fence: 0, failures: 0 },
        },
        { upsert: true },
      );
    },
    claimDue: (kind, limit, leaseMs) => claimSome(Math.min(limit, mostClaims), () => claim(kind, leaseMs)),
    async renew(lease, leaseMs) {
      const until = plus(now(), leaseMs);
      const result = await work.updateOne(stillOurs(lease), { $max: { leaseUntil: until } });
      return result.matched === 1;
    },
    async finish(lease, { nextDueAt, outcome, ms, failed }) {
      const end = async (askedAt: Instant | undefined, failures: number): Promise<boolean> => {
        const done = await work.updateOne(
          { ...stillOurs(lease), askedAt: askedAt ?? { $exists: false } },
          {
            $set: {
              // Who asked for a sync while this one ran gets one: this one may have read before the change.
              dueAt: askedAt !== undefined && askedAt < nextDueAt ? askedAt : nextDueAt,
              leaseOwner: '',
              leaseUntil: '',
              lastDoneAt: now(),
              lastMs: ms,
              lastOutcome: outcome,
              failures,
            },
            $unset: { askedAt: true },
          },
        );
        return done.matched === 1;
      };
      // Nearly always nobody asked meanwhile, and nothing of the row has to be known.
      if (!failed && (await end(undefined, 0))) return true;
      for (;;) {
        const row = await work.findOne(stillOurs(lease));
        if (row === null) return false;
        if (await end(row.askedAt, failed ? row.failures + 1 : 0)) return true;
      }
    },
    async voidOwn() {
      let freed = 0;
      for (;;) {
        const row = await work.findOneAndUpdate(
          { leaseOwner: instanceId },
          // Without an owner the lease is nobody's: what may still run of the earlier process writes nothing more.
          { $set: { leaseOwner: '', leaseUntil: '', dueAt: now() } },
        );
        if (row === null) return freed;
        freed += 1;
      }
    },
    async get(scope, id, kind) {
      requireScope(scope, id);
      const row = await work.findOne({ _id: workId(id, kind) });
      return row === null ? null : rowOf(row);
    },
    async list(scope, { limit, after, kind }) {
      requireAnyScope(scope);
      const page = await work.find(kind === undefined ? {} : { kind }, {
        sort: { _id: 1 },
        limit: Math.min(limit, mostListed),
        ...(after === undefined ? {} : { after }),
      });
      return {
        rows: page.rows.filter(({ tenantId }) => covers(scope, tenantId)).map(rowOf),
        next: page.next,
      };
    },
    async backlog() {
      const at = now();
      let waiting = 0;
      for (const kind of kinds) waiting += await work.countDocuments(dueFilter(kind, at));
      return waiting;
    },
    async saveTenant(scope: TenantScope, lease: Lease, change: TenantChange) {
      requireScope(scope, lease.tenantId);
      try {
        await tenants.bulkWrite(
          [{ updateOne: { filter: { _id: lease.tenantId }, update: { $set: fieldsOf(change) } } }],
          whileOurs(lease),
        );
      } finally {
        forgetTenants();
      }
    },
  };
}

function dueFilter(kind: WorkKind, at: Instant): Filter {
  return { kind, dueAt: { $lte: at }, leaseUntil: { $lte: at } };
}

/** Only what the change names; a dataset is replaced whole, the others stay. */
function fieldsOf({ datasets, name, ...rest }: TenantChange): Record<string, unknown> {
  const fields: Record<string, unknown> = { ...rest };
  if (name !== undefined) Object.assign(fields, { name, sortName: sortName(name) });
  for (const [dataset, state] of Object.entries(datasets ?? {})) fields[`datasets.${dataset}`] = state;
  return fields;
}

function rowOf(row: WorkDocument): WorkRow {
  const { tenantId, kind, dueAt, lastStartedAt, lastDoneAt, lastMs, failures, lastOutcome, fence } = row;
  const shown: WorkRow = {
    tenantId,
    kind,
    dueAt,
    lastStartedAt,
    lastDoneAt,
    lastMs,
    failures,
    lastOutcome,
    fence,
  };
  if (row.leaseUntil !== '') shown.lease = { owner: row.leaseOwner, until: row.leaseUntil };
  return shown;
}
