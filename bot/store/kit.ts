import { covers, isScope, type TenantScope } from '../../shared/access.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import type { Instant } from '../../shared/time.ts';
import { WatchpostError } from '../errors.ts';
import type { Lease } from '../services.ts';
import type { Engine, Filter, Guard } from './engine/collection.ts';

/** What every subject file is given. */
export type Kit = {
  engine: Engine;
  /** Database time. */
  now(): Instant;
  /** Milliseconds that only go forward, for what is kept in memory: a clock set back must not keep it alive. */
  monotonic(): number;
  instanceId: string;
};

/** Throws `scope` unless the scope was made by `shared/access.ts` and covers this tenant (I-10). */
export function requireScope(scope: TenantScope, id: TenantId): void {
  if (!covers(scope, id)) throw outside();
}

/** Throws `scope` unless the scope was made by `shared/access.ts`: for answers about several tenants. */
export function requireAnyScope(scope: TenantScope): void {
  if (!isScope(scope)) throw outside();
}

function outside(): WatchpostError {
  return new WatchpostError('scope', 'The store was asked for a tenant outside the given scope.');
}

/** The row of the work while it is still this lease's: its fence is the newest and nobody has taken it away. */
export function stillOurs(lease: Lease): Filter {
  return { _id: workId(lease.tenantId, lease.kind), fence: lease.fence, leaseOwner: lease.owner };
}

/** Writes happen only while the lease's fence is the newest (R36). */
export function whileOurs(lease: Lease): { onlyIf: Guard } {
  return { onlyIf: { collection: 'work', filter: stillOurs(lease) } };
}

export function workId(tenant: TenantId, kind: string): string {
  return `${tenant}:${kind}`;
}

const claimsAtOnce = 16;

/**
 * Claims until there is nothing left or `most` are held; several at a time: where a commit is dear they share one.
 * What is held is handed on although another claim failed, since nobody else gets it before its lease ends; throws
 * only when nothing is.
 */
export async function claimSome<T>(most: number, claim: () => Promise<T | null>): Promise<T[]> {
  const held: T[] = [];
  for (let dry = false; !dry && held.length < most; ) {
    const hands = Math.min(claimsAtOnce, most - held.length);
    let failed: { error: unknown } | undefined;
    for (const one of await Promise.allSettled(Array.from({ length: hands }, claim))) {
      if (one.status === 'rejected') failed ??= { error: one.reason };
      else if (one.value === null) dry = true;
      else held.push(one.value);
    }
    if (failed === undefined) continue;
    if (held.length === 0) throw failed.error;
    return held;
  }
  return held;
}

/** Lists are handed on in groups of at most this many rows: what the other thread waits for at most. */
export const rowsAtOnce = 200;

export function inGroups<T>(rows: readonly T[], size = rowsAtOnce): T[][] {
  const groups: T[][] = [];
  for (let at = 0; at < rows.length; at += size) groups.push(rows.slice(at, at + size));
  return groups;
}
