import type { SyncAnswer } from '../../shared/api.ts';
import { followSync, requestSync } from '../commands/request-sync.ts';
import type { SyncRequest } from '../services.ts';
import { type Gate, personOf, tooFast } from './allowed.ts';
import { problem } from './problem.ts';
import type { ApiRoute } from './route.ts';

/** A look waits this long for the end, so that a page need not ask many times a second. */
const lookMs = 2_000;

/**
 * *Sync now*: joins the wish that is under way, or makes one; a wish that has ended already is the answer. How it goes
 * on is asked with its id.
 */
export function syncRoutes(gate: Gate): ApiRoute[] {
  return [
    {
      method: 'POST',
      path: '/api/tab/tenants/:id/sync',
      auth: 'tab',
      handle: async (request, who, services) => {
        const allowed = await gate.door.toTenant(request, who, 'sync', services);
        if (allowed.kind === 'no') return allowed.answer;
        const refusal = tooFast(gate.syncs, who, request);
        if (refusal !== null) return refusal;
        const { tenant, scope } = allowed;
        const by = personOf(who);
        await services.store.audit.write({
          who: by,
          what: 'sync',
          where: 'tab',
          tenant: tenant.id,
          result: 'done',
        });
        return { status: 200, body: answerOf(await requestSync(scope, tenant.id, by, services)) };
      },
    },
    {
      method: 'GET',
      path: '/api/tab/tenants/:id/sync/:sync',
      auth: 'tab',
      handle: async (request, who, services) => {
        const allowed = await gate.door.toTenant(request, who, 'sync', services);
        if (allowed.kind === 'no') return allowed.answer;
        const { tenant, scope } = allowed;
        const id = request.params.sync ?? '';
        const known = /^[\w-]{8,64}$/.test(id)
          ? await services.store.syncRequests.get(scope, tenant.id, id)
          : null;
        if (known === null) return problem(404, 'This sync is not known any more.', request.id);
        return { status: 200, body: answerOf(await followSync(known, scope, services, lookMs)) };
      },
    },
  ];
}

function answerOf({ id, state, result }: SyncRequest): SyncAnswer {
  return { id, state, result: result ?? '' };
}
