import { type Finding, lastTransition, standingDrop } from '../../shared/alerts/finding.ts';
import { isTakenOn } from '../../shared/alerts/people.ts';
import { headline, notCounted, reasons, type Saying } from '../../shared/alerts/words.ts';
import type { TenantFall } from '../../shared/api.ts';
import { clean } from '../../shared/foreign-text.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import type { Instant } from '../../shared/time.ts';
import { acknowledgedLine } from '../cards/finding.ts';

/** As many as the card in the channel shows. */
const mostReasons = 8;
const longestText = 200;

/**
 * The fall that stands among a tenant's findings, in the words of its card but as plain text; null when none does. The
 * posture compares two days only: without this a fall is gone from the page one quiet day later, while its card is red.
 */
export function standingFall(
  findings: readonly Finding[],
  tenant: Pick<Tenant, 'name'>,
  now: Instant,
): TenantFall | null {
  const finding = standingDrop(findings);
  if (finding === undefined) return null;
  const foreign = (text: string): string => clean(text, longestText);
  const saying: Saying = { tenant: tenant.name, now, foreign };
  const { lines, more } = reasons(finding.facts, saying, mostReasons);
  return {
    headline: headline(lastTransition(finding), saying),
    acknowledged: acknowledgedLine(finding, now, foreign),
    known: isTakenOn(finding),
    reasons: lines,
    more: more === '' ? '' : `${more} points`,
    aside: notCounted(finding.facts),
    since: finding.facts.since,
  };
}
