import type { Instant } from '../time.ts';
import type { Aside, FindingOf, Rule } from './finding.ts';
import { added } from './tell.ts';

/** What people do with a finding. None of it is told to a channel as news; the card shows it. */

export type Doing = { who: string; at: Instant; why: string };

/** What became of it: the finding anew, the same when it was so already, or why it cannot be. */
export type Done<R extends Rule> =
  | { kind: 'done'; finding: FindingOf<R> }
  | { kind: 'already'; finding: FindingOf<R> }
  | { kind: 'refused'; say: string };

/** Somebody has taken note. Pressed twice, by whomever, it is the first one's. */
export function acknowledge<R extends Rule>(finding: FindingOf<R>, { who, at, why }: Doing): Done<R> {
  if (finding.state === 'resolved') return { kind: 'refused', say: 'This is over already.' };
  if (finding.state === 'acknowledged') return { kind: 'already', finding };
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

/** Puts a finding aside. An accepted risk needs a second person; an end that is past is none. */
export function putAside<R extends Rule>(
  finding: FindingOf<R>,
  aside: Aside,
  { who, at, why }: Doing,
): Done<R> {
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
export function release<R extends Rule>(finding: FindingOf<R>, { who, at, why }: Doing): Done<R> {
  if (finding.aside === undefined) return { kind: 'already', finding };
  const { aside: _, ...rest } = finding;
  return {
    kind: 'done',
    finding: { ...rest, history: added(finding, { at, who, what: 'released', to: finding.state, why }) },
  };
}
