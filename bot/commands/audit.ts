import type { Caller } from '../../shared/access.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import type { Place, Services } from '../services.ts';

export type Audit = (
  what: string,
  result: 'done' | 'refused' | 'failed',
  more?: { tenant?: TenantId; detail?: string },
) => Promise<void>;

/** Writes audit rows for one person in one place: ids only, no names. */
export function auditor(who: Caller, where: Place, services: Services): Audit {
  return async (what, result, more = {}) => {
    await services.store.audit.write({
      who: `${who.tid}/${who.oid}`,
      what,
      where: where.conversationId,
      result,
      ...more,
    });
  };
}
