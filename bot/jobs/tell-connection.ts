import { connectionObject, decideConnection } from '../../shared/alerts/connection-health.ts';
import type { Health } from '../../shared/tenants/tenant.ts';
import { digest } from '../digest.ts';
import type { Lease, Services } from '../services.ts';
import { judgeAndTell } from './save-and-tell.ts';

/**
 * What a change of a tenant's health tells, in the order of a crash (R34): the finding, the outbox rows of those who
 * watch, and only then may the caller write the health. Throws `conflict` when the lease was lost.
 */
export async function tellConnection(
  lease: Lease,
  { before, after }: { before: Health; after: Health },
  services: Services,
): Promise<void> {
  const { tenantId } = lease;
  await judgeAndTell(
    lease,
    { rule: 'connectionHealth', object: connectionObject },
    (finding) => decideConnection({ tenantId, before, after, finding, now: services.now(), digest }),
    services,
  );
}
