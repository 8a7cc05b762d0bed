import { randomBytes } from 'node:crypto';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import type { SyncRequest, SyncRequestStore } from '../services.ts';
import type { CollectionDeclaration } from './engine/collection.ts';
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

  /** Those of `states` whose fence is not yet this one, group by group; `forward` must change what it is shown. */
  async function move(
    lease: Parameters<SyncRequestStore['start']>[0],
    filter: Parameters<typeof requests.find>[0],
    set: Partial<RequestDocument>,
  ): Promise<void> {
    for (;;) {
      const { rows } = await requests.find(filter, { limit: rowsAtOnce });
      // Also without a row to move: whoever lost the lease learns it here.
      await requests.bulkWrite(
        rows.map(({ _id }) => ({
          updateOne: { filter: { _id, ...filter }, update: { $set: set } },
        })),
        whileOurs(lease),
      );
      if (rows.length < rowsAtOnce) return;
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
      await move(lease, { tenantId, state: 'waiting' }, { state: 'running', fence });
      // Left behind by a run that did not finish.
      await move(lease, { tenantId, state: 'running', fence: { $lt: fence } }, { fence });
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
