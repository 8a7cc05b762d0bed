import type { TenantId } from '../tenants/tenant.ts';
import { framed, type Rule } from './finding.ts';

/**
 * The id of what is told of a finding to one conversation (R35): the same however often it is computed, and without
 * any date. `name` is that of the transition; for a card that is only drawn anew, what happened ("acknowledged").
 */
export function outboxId(
  to: {
    tenantId: TenantId;
    conversationId: string;
    rule: Rule;
    finding: string;
    name: string;
    generation: number;
  },
  digest: (text: string) => string,
): string {
  return digest(framed([to.tenantId, to.conversationId, to.rule, to.finding, to.name, to.generation]));
}
