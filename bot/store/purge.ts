import type { TenantId } from '../../shared/tenants/tenant.ts';
import { never } from '../../shared/time.ts';
import type { PurgeStore } from '../services.ts';
import { claimTriesDeclaration } from './claims.ts';
import { credentialsDeclaration, tenantKeysDeclaration } from './credentials.ts';
import type { CollectionDeclaration, Filter } from './engine/collection.ts';
import { type Kit, requireScope, rowsAtOnce } from './kit.ts';
import { nextCredentialsDeclaration } from './next-credentials.ts';
import { peopleDeclaration } from './people.ts';
import { tenantsDeclaration } from './tenants.ts';
import { workDeclaration } from './work.ts';

type Row = { _id: string; tenantId: string };

/** What opens the way into the tenant: gone first of all, so that nothing more is read. */
const credentials = [credentialsDeclaration, nextCredentialsDeclaration, tenantKeysDeclaration];
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
  const tenants = engine.collection<Row>(tenantsDeclaration);

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
    const own: Filter = declaration.tenantScoped === 'one' ? { _id: id } : { tenantId: id };
    let gone = 0;
    for (;;) {
      const { rows } = await collection.find(own, { limit: rowsAtOnce });
      if (rows.length === 0) return gone;
      const done = await collection.bulkWrite(
        rows.map(({ _id }) => ({ deleteOne: { filter: { _id, tenantId: id } } })),
      );
      gone += done.deleted;
    }
  }

  /** Nobody reads the tenant any more: not by a new reading, which finds no credential, nor by one under way. */
  async function closeUp(id: TenantId): Promise<Record<string, number>> {
    const rows: Record<string, number> = {};
    for (const declaration of credentials) rows[declaration.name] = await empty(declaration, id);
    await fenceOff(id);
    return rows;
  }

  return {
    async credentials(scope, id) {
      requireScope(scope, id);
      return { rows: await closeUp(id) };
    },
    async tenant(scope, id, { people }) {
      requireScope(scope, id);
      const apart = [workDeclaration, tenantsDeclaration, ...credentials, ...(people ? [] : ofPersons)];
      const rest = declarations.filter((one) => one.tenantScoped !== false && !apart.includes(one));
      const rows = await closeUp(id);
      try {
        for (const declaration of rest) rows[declaration.name] = await empty(declaration, id);
        // The tenant last: as long as it is there, a removal that was cut off can be asked for again.
        rows[tenantsDeclaration.name] = await empty(tenantsDeclaration, id);
      } finally {
        forgetTenants();
      }
      // Who asked for a sync or connected the tenant in the meantime left a due time or a credential behind.
      if ((await tenants.countDocuments({ tenantId: id })) === 0) await closeUp(id);
      return { rows };
    },
  };
}
