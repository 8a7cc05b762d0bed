import { scopeOfJob } from '../../shared/access.ts';
import { credentialObject, decideCredentialEnd, toldMark } from '../../shared/alerts/credential-end.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { digest } from '../digest.ts';
import type { Lease, Services } from '../services.ts';
import { judgeAndTell } from './save-and-tell.ts';

/**
 * What is to be told of the end of a tenant's credential, in the order of a crash: finding, outbox rows, and only then
 * may the caller write the answered mark with the tenant. Undefined: nothing was ever told.
 */
export async function tellCredentialEnd(
  lease: Lease,
  tenant: Pick<Tenant, 'endTold'>,
  services: Services,
): Promise<string | undefined> {
  const { tenantId } = lease;
  const facts = await services.store.credentials.facts(scopeOfJob(tenantId), tenantId);
  const ending =
    facts === null || facts.kind === 'consent' || facts.expiresAt === undefined
      ? null
      : { kind: facts.kind, version: facts.version, expiresAt: facts.expiresAt };
  if (ending === null && tenant.endTold === undefined) return undefined;
  const mark = tenant.endTold;
  const finding = await judgeAndTell(
    lease,
    { rule: 'credentialEnd', object: credentialObject },
    (known) => decideCredentialEnd({ tenantId, ending, mark, finding: known, now: services.now(), digest }),
    services,
  );
  return finding === null ? undefined : toldMark(finding);
}
