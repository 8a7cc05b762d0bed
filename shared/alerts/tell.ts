import type { TenantId } from '../tenants/tenant.ts';
import type { Instant } from '../time.ts';
import {
  type FactsOf,
  type FindingOf,
  type HistoryEntry,
  mostHistory,
  type Rule,
  type Severity,
} from './finding.ts';

/** The four transitions of a finding that people are told of. Each is made by a rule, never by a person. */

export type News<R extends Rule> = { facts: FactsOf[R]; severity: Severity; at: Instant; why: string };

const who = 'Watchpost';

/** A finding that was never there before. */
export function opened<R extends Rule>(
  identity: { id: string; tenantId: TenantId; rule: R; object: string },
  { facts, severity, at, why }: News<R>,
): FindingOf<R> {
  return {
    ...identity,
    state: 'open',
    generation: 1,
    told: { kind: 'opened', step: 0, at },
    severity,
    facts,
    worsenings: 0,
    history: [{ at, who, what: 'opened', from: null, to: 'open', why }],
  };
}

/** Open again after it was resolved: the next generation, with nothing put aside. */
export function reopened<R extends Rule>(finding: FindingOf<R>, news: News<R>): FindingOf<R> {
  const { aside: _, ...rest } = finding;
  return {
    ...rest,
    state: 'open',
    generation: finding.generation + 1,
    told: { kind: 'reopened', step: 0, at: news.at },
    severity: news.severity,
    facts: news.facts,
    worsenings: 0,
    history: added(finding, { at: news.at, who, what: 'reopened', to: 'open', why: news.why }),
  };
}

/**
 * Worse than last told. It keeps its state: contracts §5 leads from acknowledged to resolved only, and who has taken
 * it on is told in the thread like everybody else.
 */
export function worsened<R extends Rule>(finding: FindingOf<R>, news: News<R>): FindingOf<R> {
  const step = finding.worsenings + 1;
  return {
    ...finding,
    told: { kind: 'worsened', step, at: news.at },
    severity: news.severity,
    facts: news.facts,
    worsenings: step,
    history: added(finding, { at: news.at, who, what: 'worsened', to: finding.state, why: news.why }),
  };
}

/** Over: nothing stays put aside, and its severity is that of what was told. */
export function resolved<R extends Rule>(
  finding: FindingOf<R>,
  news: Omit<News<R>, 'severity'>,
): FindingOf<R> {
  const { aside: _, ...rest } = finding;
  return {
    ...rest,
    state: 'resolved',
    told: { kind: 'resolved', step: 0, at: news.at },
    facts: news.facts,
    history: added(finding, { at: news.at, who, what: 'resolved', to: 'resolved', why: news.why }),
  };
}

/** The finding's past with one entry more, the newest last. */
export function added(
  finding: Pick<FindingOf<Rule>, 'state' | 'history'>,
  entry: Omit<HistoryEntry, 'from'>,
): HistoryEntry[] {
  return [...finding.history, { ...entry, from: finding.state }].slice(-mostHistory);
}
