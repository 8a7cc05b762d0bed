import type { Instant } from '../time.ts';
import type { Aside, Finding, FindingOf, Rule } from './finding.ts';
import { added } from './tell.ts';

/** What people do with a finding. None of it is told to a channel as news; the card shows it. */

export type Doing = { who: string; at: Instant; why: string };

/** What became of it: the finding anew, the same when it was so already, or why it cannot be. */
export type Done<F extends Finding> =
  | { kind: 'done'; finding: F }
  | { kind: 'already'; finding: F }
  | { kind: 'refused'; say: string };

/**
 * Somebody has taken note. Pressed twice, by whomever, it is the first one's. What became worse since is taken note of
 * anew, by whomever: another line of its history, while the state stays (contracts §5).
 */
export function acknowledge<F extends Finding>(finding: F, { who, at, why }: Doing): Done<F> {
  if (finding.state === 'resolved') return { kind: 'refused', say: 'This is over already.' };
  if (isTakenOn(finding)) return { kind: 'already', finding };
  return {
    kind: 'done',
    finding: {
      ...finding,
      state: 'acknowledged',
      history: added(finding, { at, who, what: 'acknowledged', to: 'acknowledged', why }),
    },
  };
}

/** Who acknowledged it in this generation, null when nobody did. */
export function acknowledgedBy(
  finding: Pick<FindingOf<Rule>, 'state' | 'history'>,
): { who: string; at: Instant } | null {
  if (finding.state !== 'acknowledged') return null;
  const entry = finding.history.findLast(({ what }) => what === 'acknowledged');
  return entry === undefined ? null : { who: entry.who, at: entry.at };
}

/** Who acknowledged what is over now, before it was; null when nobody had. */
export function hadAcknowledged(
  finding: Pick<FindingOf<Rule>, 'state' | 'history'>,
): { who: string; at: Instant } | null {
  if (finding.state !== 'resolved') return null;
  const begun = finding.history.findLastIndex(({ what }) => what === 'opened' || what === 'reopened');
  const entry = finding.history.slice(Math.max(begun, 0)).findLast(({ what }) => what === 'acknowledged');
  return entry === undefined ? null : { who: entry.who, at: entry.at };
}

/** Has somebody taken note of it as it was told last? Not of what became worse after that. */
export function isTakenOn(finding: Pick<FindingOf<Rule>, 'state' | 'history' | 'told'>): boolean {
  return finding.state === 'acknowledged' && !isWorseSince(finding);
}

/** It became worse after somebody had taken note. */
export function isWorseSince(finding: Pick<FindingOf<Rule>, 'state' | 'history' | 'told'>): boolean {
  if (finding.state !== 'acknowledged' || finding.told.kind !== 'worsened') return false;
  // So much happened since that the line is gone from its past.
  const by = acknowledgedBy(finding);
  return by === null || finding.told.at > by.at;
}

/** Puts a finding aside. An accepted risk needs a second person; an end that is past is none. */
export function putAside<F extends Finding>(finding: F, aside: Aside, { who, at, why }: Doing): Done<F> {
  if (finding.state === 'resolved') return { kind: 'refused', say: 'This is over already.' };
  if (aside.kind !== 'held' && aside.until <= at) {
    return { kind: 'refused', say: 'The end of that time is past already.' };
  }
  if (aside.kind === 'accepted' && aside.by === aside.second) {
    return { kind: 'refused', say: 'Accepting a risk takes two people.' };
  }
  return {
    kind: 'done',
    finding: {
      ...finding,
      aside,
      history: added(finding, { at, who, what: aside.kind, to: finding.state, why }),
    },
  };
}

/** Takes it back from aside; the next evaluation tells what became worse meanwhile. */
export function release<F extends Finding>(finding: F, { who, at, why }: Doing): Done<F> {
  if (finding.aside === undefined) return { kind: 'already', finding };
  const released = {
    ...finding,
    history: added(finding, { at, who, what: 'released', to: finding.state, why }),
  };
  delete released.aside;
  return { kind: 'done', finding: released };
}
