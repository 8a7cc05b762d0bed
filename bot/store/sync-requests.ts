import { randomBytes } from 'node:crypto';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import type { Lease, SyncRequest, SyncRequestStore } from '../services.ts';
import type { CollectionDeclaration, Filter } from './engine/collection.ts';
import { type Kit, requireScope, rowsAtOnce, whileOurs } from './kit.ts';

type RequestDocument = SyncRequest & { _id: string; fence: number };

export const syncRequestsDeclaration: CollectionDeclaration = {
  name: 'syncRequests',
  tenantScoped: true,
  indexes: [{ keys: { tenantId: 1, state: 1 } }, { keys: { at: 1 } }],
};

const longestResult = 4_000;

export function openSyncRequests({ engine, now }: Kit): SyncRequestStore {
  const requests = engine.collection<RequestDocument>(syncRequestsDeclaration);

  /** Those of the filter, group by group; answers how many. `set` must take a row out of the filter. */
  async function move(lease: Lease, filter: Filter, set: Partial<RequestDocument>): Promise<number> {
    let moved = 0;
    for (;;) {
      const { rows } = await requests.find(filter, { limit: rowsAtOnce });
      // Also without a row to move: whoever lost the lease learns it here.
      await requests.bulkWrite(
        rows.map(({ _id }) => ({
          updateOne: { filter: { $and: [{ _id }, filter] }, update: { $set: set } },
        })),
        whileOurs(lease),
      );
      moved += rows.length;
      if (rows.length < rowsAtOnce) return moved;
    }
  }

  return {
    async add(scope, id, by) {
      requireScope(scope, id);
      const request: SyncRequest = {
        id: randomBytes(12).toString('base64url'),
        tenantId: id,
        by,
        at: now(),
        state: 'waiting',
      };
      await requests.insertOne({ _id: requestId(id, request.id), ...request, fence: 0 });
      return request;
    },
    async get(scope, tenant, id) {
      requireScope(scope, tenant);
      const found = await requests.findOne({ _id: requestId(tenant, id) });
      if (found === null) return null;
      const { _id, fence, ...request } = found;
      return request;
    },
    async start(lease) {
      const { tenantId, fence } = lease;
      // With those that were left behind by a run that did not finish.
      const open: Filter = { $or: [{ state: 'waiting' }, { state: 'running', fence: { $lt: fence } }] };
      return await move(lease, { tenantId, ...open }, { state: 'running', fence });
    },
    async finish(lease, state, result) {
      const { tenantId, fence } = lease;
      const told = result.length > longestResult ? `${result.slice(0, longestResult)}…` : result;
      await move(lease, { tenantId, state: 'running', fence }, { state, result: told });
    },
  };
}

function requestId(tenant: TenantId, id: string): string {
  return `${tenant}:${id}`;
}
