import { setTimeout as pause } from 'node:timers/promises';
import type { TenantScope } from '../../shared/access.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { type Instant, millis, plus } from '../../shared/time.ts';
import { directoryAfterMs } from '../cron.ts';
import type { Services, SyncRequest, SyncRequestStore } from '../services.ts';

const followForMs = 60_000;
const lookEveryMs = 400;
const remindEveryMs = 2_000;
/** So long what one person's sync found answers the others too. */
const sharedForMs = 5_000;

/** The requests of this process that have not ended, by store: whoever asks meanwhile follows the same one. */
const open = new WeakMap<SyncRequestStore, Map<TenantId, Promise<SyncRequest>>>();

/**
 * Asks the clock thread to sync a tenant now, or joins the request that is under way. Many people pressing at once
 * make one sync, and so do those who ask within 5 s of another person's wish that ended well: they get that request,
 * which has ended already. Two things are never answered with old news: a sync that failed, because somebody is
 * mending it, and a second wish of the same person, who saw the first result and may have changed something since.
 * Longer than 5 s would be: nobody changes a tenant and asks here within them.
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
    const answers = latest !== null && (!hasEnded(latest) || isFresh(latest, by, services.now()));
    return answers ? latest : await add(scope, tenant, by, services);
  });
  underWay.set(tenant, ours);
  return await ours;
}

/** The time of the wish counts, before anything was read for it, so that what is told is never older than said. */
function isFresh(request: SyncRequest, by: string, now: Instant): boolean {
  return request.state === 'done' && request.by !== by && millis(now) - millis(request.at) < sharedForMs;
}

/** The wish first, then the work it is for, then the wake-up: a crash between leaves a wish that the next sync meets. */
async function add(
  scope: TenantScope,
  tenant: TenantId,
  by: string,
  services: Services,
): Promise<SyncRequest> {
  const request = await services.store.syncRequests.add(scope, tenant, by);
  // The request is answered by the scores; the rest follows them and is seen where it is shown.
  const later = plus(services.now(), directoryAfterMs);
  await services.store.work.schedule(scope, tenant, 'sync-directory', later);
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
