import { type ExpiryStage, expiryStage } from '../tenants/credential-expiry.ts';
import type { TenantId } from '../tenants/tenant.ts';
import type { Instant } from '../time.ts';
import {
  type FindingOf,
  findingId,
  isAside,
  isStanding,
  lastTransition,
  type Severity,
  type TransitionOf,
} from './finding.ts';
import { opened, reopened, resolved, worsened } from './tell.ts';

/** What is told of a credential that ends: which, when, and how near that is. Never anything of its value. */
export type CredentialEndFacts = {
  kind: 'secret' | 'certificate';
  version: number;
  expiresAt: Instant;
  stage: ExpiryStage;
};

export type CredentialEndFinding = FindingOf<'credentialEnd'>;

/** A tenant has one credential in use. */
export const credentialObject = 'credential';

export type CredentialEndKnown = {
  tenantId: TenantId;
  /** Of the credential in use; null when none is, or nobody knows when it ends. */
  ending: Omit<CredentialEndFacts, 'stage'> | null;
  /** What the tenant's row says was told last (`toldMark`): written last of all, after finding and outbox rows. */
  mark: string | undefined;
  finding: CredentialEndFinding | null;
  now: Instant;
  digest: (text: string) => string;
};

/**
 * The rule of a credential that ends (R60): told at 30, 14, 7 and 1 day and when it has ended, each once for a version;
 * stages that passed while nobody looked are not told one by one. It is over when another version is in use or the end
 * has moved away. Safe to repeat: while the mark is not that of what was told last, that very transition comes again.
 */
export function decideCredentialEnd(known: CredentialEndKnown): {
  tell: TransitionOf<'credentialEnd'>[];
  /** The same object when nothing is new. */
  finding: CredentialEndFinding | null;
} {
  const { finding, mark } = known;
  const tell = finding === null || toldMark(finding) === mark ? [] : [lastTransition(finding)];
  const next = judged(known);
  if (next === null || next === finding) return { tell, finding };
  return { tell: [...tell, lastTransition(next)], finding: next };
}

/** Names what was told last of it. */
export function toldMark(finding: CredentialEndFinding): string {
  const { generation, name } = lastTransition(finding);
  return `${generation} ${name}`;
}

const severities: Record<ExpiryStage, Severity> = {
  30: 'low',
  14: 'medium',
  7: 'medium',
  1: 'high',
  0: 'high',
};

function judged({ tenantId, ending, finding, now, digest }: CredentialEndKnown): CredentialEndFinding | null {
  const stage = ending === null ? null : expiryStage(ending.expiresAt, now);
  if (finding !== null && isStanding(finding)) {
    const renewed = ending === null || stage === null || ending.version !== finding.facts.version;
    if (renewed) return resolved(finding, { facts: finding.facts, at: now, why: 'another one is in use' });
    if (stage >= finding.facts.stage || isAside(finding, now)) return finding;
    return worsened(finding, newsOf({ ...ending, stage }, now));
  }
  if (ending === null || stage === null) return finding;
  const news = newsOf({ ...ending, stage }, now);
  if (finding !== null) {
    // Told of this version already, and called over by a clock that was wrong or an end that was corrected back.
    return finding.facts.version === ending.version && finding.facts.stage <= stage
      ? finding
      : reopened(finding, news);
  }
  const id = findingId(tenantId, 'credentialEnd', credentialObject, digest);
  return opened({ id, tenantId, rule: 'credentialEnd', object: credentialObject }, news);
}

function newsOf(facts: CredentialEndFacts, at: Instant) {
  return { facts, severity: severities[facts.stage], at, why: `stage ${facts.stage}` } as const;
}
