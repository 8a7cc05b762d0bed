import type { TenantId } from '../../shared/tenants/tenant.ts';
import type { PurgeStore } from '../services.ts';
import { claimTriesDeclaration } from './claims.ts';
import { credentialsDeclaration, tenantKeysDeclaration } from './credentials.ts';
import type { CollectionDeclaration } from './engine/collection.ts';
import { type Kit, requireScope, rowsAtOnce } from './kit.ts';
import { peopleDeclaration } from './people.ts';
import { tenantsDeclaration } from './tenants.ts';
import { workDeclaration } from './work.ts';

type Row = { _id: string; tenantId: string };

/** Sorts after every instant: such work is never due. */
const never = '9999-12-31T23:59:59.999Z';

/** These first, in this order: without a credential nothing is read, without its row nothing is shown. */
const first = [credentialsDeclaration, tenantKeysDeclaration, tenantsDeclaration];
/** Rows about persons, not about what was read of a tenant. */
const ofPersons = [peopleDeclaration, claimTriesDeclaration];

/**
 * Takes a tenant out of every collection that is declared `tenantScoped`, whichever there are. Each step can be
 * repeated after a crash. `declarations` are all there are; `forgetTenants` drops this thread's list of tenants.
 */
export function openPurge(
  { engine }: Kit,
  declarations: readonly CollectionDeclaration[],
  forgetTenants: () => void,
): PurgeStore {
  const work = engine.collection<Row & { fence: number }>(workDeclaration);

  /** Whoever is reading the tenant now has lost the lease: from here on such a reading writes nothing back (R36). */
  async function fenceOff(id: TenantId): Promise<void> {
    const { rows } = await work.find({ tenantId: id }, { limit: rowsAtOnce });
    for (const { _id } of rows) {
      // The row itself stays and its fence goes on counting: a tenant that is connected again must not begin at a
      // fence that a reading from before still holds.
      await work.updateOne(
        { _id },
        {
          $inc: { fence: 1 },
          $set: { leaseOwner: '', leaseUntil: '', dueAt: never },
          $unset: { askedAt: true },
        },
      );
    }
  }

  /** In small groups, so that the other thread never waits long for the file. */
  async function empty(declaration: CollectionDeclaration, id: TenantId): Promise<number> {
    const collection = engine.collection<Row>(declaration);
    let gone = 0;
    for (;;) {
      const { rows } = await collection.find({ tenantId: id }, { limit: rowsAtOnce });
      if (rows.length === 0) return gone;
      const done = await collection.bulkWrite(
        rows.map(({ _id }) => ({ deleteOne: { filter: { _id, tenantId: id } } })),
      );
      gone += done.deleted;
    }
  }

  return {
    async tenant(scope, id, { people }) {
      requireScope(scope, id);
      const kept = people ? [workDeclaration] : [workDeclaration, ...ofPersons];
      const rest = declarations.filter(
        (one) => one.tenantScoped && !first.includes(one) && !kept.includes(one),
      );
      const rows: Record<string, number> = {};
      try {
        await fenceOff(id);
        for (const declaration of [...first, ...rest]) rows[declaration.name] = await empty(declaration, id);
      } finally {
        forgetTenants();
      }
      return { rows };
    },
  };
}
