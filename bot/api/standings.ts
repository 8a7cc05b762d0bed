import { setImmediate as breathe } from 'node:timers/promises';
import type { TenantScope } from '../../shared/access.ts';
import { comparisonOf } from '../../shared/score/comparison.ts';
import type { Posture } from '../../shared/score/score.ts';
import type { Tenant, TenantId } from '../../shared/tenants/tenant.ts';
import type { Instant } from '../../shared/time.ts';
import type { Services } from '../services.ts';

/** What a list is ordered and counted by: a few numbers of one tenant instead of its whole posture. */
export type Standing = {
  percent: number | null;
  /** Percentage points since the previous day; null when not known. */
  change: number | null;
  /** Above the average of tenants of its size; null when Microsoft does not compare it. */
  aboveSize: boolean | null;
  readAt: Instant;
};

export type Standings = {
  /** The standings of these tenants within `scope`; a tenant never read has none. */
  of(scope: TenantScope, tenants: readonly Tenant[], services: Services): Promise<Map<TenantId, Standing>>;
};

const chunk = 100;
/** More than a store lists; reached only when tenants come and go for years. */
const mostKept = 20_000;

/**
 * Standings kept in memory per tenant, so that ordering 2,000 tenants does not parse 2,000 postures each time. One is
 * read again when its tenant's scores were read since. Keyed by tenant, so nothing of one shows for another (I-11).
 */
export function openStandings(): Standings {
  const kept = new Map<TenantId, { mark: string; standing: Standing | null }>();

  async function refresh(scope: TenantScope, tenants: readonly Tenant[], services: Services): Promise<void> {
    for (let from = 0; from < tenants.length; from += chunk) {
      // A page of 2,000 must not keep a chat waiting: other requests get their turn between the chunks.
      if (from > 0) await breathe();
      const some = tenants.slice(from, from + chunk);
      const postures = await services.store.scores.postures(
        scope,
        some.map(({ id }) => id),
      );
      const byId = new Map(postures.map((posture) => [posture.tenantId, posture]));
      for (const tenant of some) {
        const posture = byId.get(tenant.id);
        kept.set(tenant.id, { mark: markOf(tenant), standing: posture ? standingOf(posture) : null });
      }
    }
  }

  return {
    async of(scope, tenants, services) {
      if (kept.size > mostKept) kept.clear();
      await refresh(
        scope,
        tenants.filter((tenant) => kept.get(tenant.id)?.mark !== markOf(tenant)),
        services,
      );
      const found = new Map<TenantId, Standing>();
      for (const { id } of tenants) {
        const standing = kept.get(id)?.standing;
        if (standing) found.set(id, standing);
      }
      return found;
    },
  };
}

/** Changes with every good read of the scores: the posture is written before it. */
function markOf(tenant: Tenant): string {
  const state = tenant.datasets.secureScores;
  return `${state?.readAt ?? ''} ${state?.hash ?? ''}`;
}

function standingOf(posture: Posture): Standing {
  const compared = comparisonOf(
    posture.comparisons.filter(({ basis }) => basis === 'TotalSeats'),
    posture.percent,
  );
  return {
    percent: posture.percent,
    change: posture.sinceYesterday?.percent ?? null,
    aboveSize: compared === null ? null : compared.difference > 0,
    readAt: posture.readAt,
  };
}
