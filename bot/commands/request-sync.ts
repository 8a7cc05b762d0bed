import { setTimeout as pause } from 'node:timers/promises';
import type { TenantScope } from '../../shared/access.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import type { Services, SyncRequest, SyncRequestStore } from '../services.ts';

const followForMs = 60_000;
const lookEveryMs = 400;
const remindEveryMs = 2_000;

/** The requests of this process that have not ended, by store: whoever asks meanwhile follows the same one. */
const open = new WeakMap<SyncRequestStore, Map<TenantId, Promise<SyncRequest>>>();

/**
 * Asks the clock thread to sync a tenant now, or joins the request that is under way. Many people pressing at once
 * make one sync.
 */
export async function requestSync(
  scope: TenantScope,
  tenant: TenantId,
  by: string,
  services: Services,
): Promise<SyncRequest> {
  const requests = services.store.syncRequests;
  const underWay = open.get(requests) ?? new Map<TenantId, Promise<SyncRequest>>();
  open.set(requests, underWay);
  // Each asker waits for the one before, so that two at the same moment cannot both ask.
  const before = underWay.get(tenant)?.catch(() => null) ?? Promise.resolve(null);
  const ours = before.then(async (earlier) => {
    const latest = earlier === null ? null : await requests.get(scope, tenant, earlier.id);
    return latest === null || hasEnded(latest) ? await add(scope, tenant, by, services) : latest;
  });
  underWay.set(tenant, ours);
  return await ours;
}

/** The wish first, then the work it is for, then the wake-up: a crash between leaves a wish that the next sync meets. */
async function add(
  scope: TenantScope,
  tenant: TenantId,
  by: string,
  services: Services,
): Promise<SyncRequest> {
  const request = await services.store.syncRequests.add(scope, tenant, by);
  await makeDue(scope, tenant, services);
  return request;
}

async function makeDue(scope: TenantScope, tenant: TenantId, services: Services): Promise<void> {
  await services.store.work.schedule(scope, tenant, 'sync-scores', services.now());
  services.nudge();
}

/** The request when it has ended, or as it stands after a minute or when the program stops. */
export async function followSync(
  request: SyncRequest,
  scope: TenantScope,
  services: Services,
  waitMs = followForMs,
): Promise<SyncRequest> {
  const started = performance.now();
  let reminded = started;
  let latest = request;
  while (!hasEnded(latest) && performance.now() - started < waitMs && !services.signal.aborted) {
    try {
      await pause(lookEveryMs, undefined, { signal: services.signal });
    } catch {
      return latest; // the program stops: told as "still syncing"
    }
    latest = (await services.store.syncRequests.get(scope, request.tenantId, request.id)) ?? latest;
    // A sync that was running when we asked does not answer us, and its end moves the due time on: make it due again.
    if (latest.state === 'waiting' && performance.now() - reminded > remindEveryMs) {
      reminded = performance.now();
      await makeDue(scope, request.tenantId, services);
    }
  }
  return latest;
}

export function hasEnded(request: SyncRequest): boolean {
  return request.state === 'done' || request.state === 'failed';
}
