import type { TenantId } from '../tenants/tenant.ts';
import type { Instant } from '../time.ts';
import type { ConnectionFacts } from './connection-health.ts';
import type { CredentialEndFacts } from './credential-end.ts';
import type { DropFacts } from './drop-facts.ts';

/** Every rule with the facts it tells; later rules (securityAlert) add a line here. */
export type FactsOf = {
  scoreDrop: DropFacts;
  connectionHealth: ConnectionFacts;
  credentialEnd: CredentialEndFacts;
};
export type Rule = keyof FactsOf;

export type FindingState = 'open' | 'acknowledged' | 'resolved';
export type Severity = 'low' | 'medium' | 'high' | 'critical';

/** What stands beside the state (contracts §5). While it lasts, nothing worse is told; what is over always is. */
export type Aside =
  | { kind: 'snoozed'; until: Instant }
  | { kind: 'accepted'; until: Instant; by: string; second: string }
  | { kind: 'held'; reason: string };

/** The transitions people are told of; there are no others. */
export type TransitionKind = 'opened' | 'worsened' | 'reopened' | 'resolved';

/** One line of a finding's past. `from` is null for the first. */
export type HistoryEntry = {
  at: Instant;
  who: string;
  what: TransitionKind | 'acknowledged' | Aside['kind'] | 'released';
  from: FindingState | null;
  to: FindingState;
  why: string;
};

/** The older entries go first; the audit keeps them all. */
export const mostHistory = 50;

export type FindingOf<R extends Rule> = {
  /** Hash of (tenant, rule, object): the same trouble is the same finding for ever. */
  id: string;
  tenantId: TenantId;
  rule: R;
  /** Microsoft's stable object id; for a score drop the word `secureScore`. */
  object: string;
  state: FindingState;
  aside?: Aside;
  /** 1 for the first time it opened, one more each time it opens again. */
  generation: number;
  /** The transition told last, and the facts that went with it. */
  told: { kind: TransitionKind; step: number; at: Instant };
  severity: Severity;
  facts: FactsOf[R];
  /** How often it worsened in this generation. */
  worsenings: number;
  history: HistoryEntry[];
};
export type Finding = { [R in Rule]: FindingOf<R> }[Rule];

/** A transition to be told, with all that its post needs. */
export type TransitionOf<R extends Rule> = {
  /** The same for every repeat of the same computation, another one for every other transition. */
  id: string;
  findingId: string;
  tenantId: TenantId;
  rule: R;
  generation: number;
  kind: TransitionKind;
  /** 0; for worsenings 1, 2, 3 … */
  step: number;
  /** What `channelData.watchpost.findings[].transition` carries: the second worsening is another one than the first. */
  name: string;
  severity: Severity;
  facts: FactsOf[R];
};

/** By default of any rule: which one, its `rule` says. */
export type Transition<R extends Rule = Rule> = { [K in R]: TransitionOf<K> }[R];

/** Texts joined so that no two lists give the same text, whatever stands in them. */
export function framed(parts: readonly (string | number)[]): string {
  return parts.map((part) => `${String(part).length}:${part}`).join(',');
}

/** The id of a finding. `digest` is a hash of a text, made outside: no date and no words of ours go into it. */
export function findingId(
  tenantId: TenantId,
  rule: Rule,
  object: string,
  digest: (text: string) => string,
): string {
  return digest(framed([tenantId, rule, object]));
}

/** "opened", "worsened", "worsened-2": unique within a generation of a finding. */
export function transitionName(kind: TransitionKind, step: number): string {
  return step > 1 ? `${kind}-${step}` : kind;
}

/** The transition a finding was told with last, as it was computed then. */
export function lastTransition<F extends Finding>(finding: F): Transition<F['rule']> {
  const { id, tenantId, rule, generation, severity, facts } = finding;
  const { kind, step } = finding.told;
  const transition = {
    id: framed([id, generation, kind, step]),
    findingId: id,
    tenantId,
    rule,
    generation,
    kind,
    step,
    name: transitionName(kind, step),
    severity,
    facts,
  };
  // A finding's facts are those of its rule, so its transition's are.
  return transition as Transition as Transition<F['rule']>;
}

/** Is it open or acknowledged: still going on? */
export function isStanding(finding: Pick<FindingOf<Rule>, 'state'>): boolean {
  return finding.state !== 'resolved';
}

/** The score drop among a tenant's findings that is still going on. */
export function standingDrop(findings: readonly Finding[]): FindingOf<'scoreDrop'> | undefined {
  return findings.find((one): one is FindingOf<'scoreDrop'> => one.rule === 'scoreDrop' && isStanding(one));
}

/** Is it put aside at `now`, so that nothing worse is told of it? */
export function isAside({ aside }: Pick<FindingOf<Rule>, 'aside'>, now: Instant): boolean {
  if (aside === undefined) return false;
  return aside.kind === 'held' || aside.until > now;
}
