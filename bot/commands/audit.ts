import type { Caller } from '../../shared/access.ts';
import type { AuditResult } from '../../shared/audit/entry.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import type { Place, Services } from '../services.ts';

export type Audit = (
  what: string,
  result: AuditResult,
  more?: { tenant?: TenantId; detail?: string },
) => Promise<void>;

/**
 * Writes audit rows for one person in one place: ids only, no names. `started` comes before what is privileged and
 * throws when it cannot be written.
 */
export function auditor(who: Caller, where: Place, services: Services): Audit {
  return async (what, result, more = {}) => {
    const { audit } = services.store;
    const entry = { ...aboutHere(what, who, where), result, ...more };
    await (result === 'started' ? audit.writeFirst(entry) : audit.write(entry));
  };
}

/** Who asked for it, and where. */
export function aboutHere(what: string, { tid, oid }: Caller, where: Place) {
  return { who: `${tid}/${oid}`, what, where: where.conversationId };
}
