import { createHash } from 'node:crypto';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { type Instant, millis, plus } from '../../shared/time.ts';
import { cronTimes, spreadMs } from '../cron.ts';

const minute = 60_000;
/** How long after the 1st, 2nd, … failed try in a row the next one comes; the last one repeats. */
const retryMinutes = [1, 5, 15, 60];

/**
 * When a tenant is due after a good sync: the cron expression's next time (UTC) plus this tenant's own share of the
 * interval, at most an hour, so that 10,000 tenants do not come at once. The share is the same every time.
 */
export function nextDue(cron: string, tenant: TenantId, now: Instant): Instant {
  const { next, interval } = cronTimes(cron, millis(now));
  return new Date(next + Math.floor(share(tenant) * spreadMs(interval))).toISOString();
}

/**
 * When to try again after a failure: as Microsoft asked, otherwise by the growing list, and never later than the
 * next regular time.
 */
export function retryDue(
  cron: string,
  tenant: TenantId,
  now: Instant,
  failures: number,
  retryAfterMs?: number,
): Instant {
  const regular = nextDue(cron, tenant, now);
  const wait = (retryMinutes[Math.min(Math.max(failures, 1), retryMinutes.length) - 1] ?? 60) * minute;
  const again = plus(now, Math.max(wait, retryAfterMs ?? 0));
  return millis(again) < millis(regular) || retryAfterMs !== undefined ? again : regular;
}

/** A number in [0, 1) that belongs to this tenant. */
function share(tenant: TenantId): number {
  return createHash('sha256').update(tenant).digest().readUInt32BE(0) / 2 ** 32;
}
