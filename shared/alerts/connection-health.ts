import type { Health, HealthState, TenantId } from '../tenants/tenant.ts';
import type { Instant } from '../time.ts';
import {
  type FindingOf,
  findingId,
  isAside,
  isStanding,
  lastTransition,
  type TransitionOf,
} from './finding.ts';
import { opened, reopened, resolved, worsened } from './tell.ts';

/** What is told of a connection: its state, and why. `cause` and `remedy` are sentences; empty when it works again. */
export type ConnectionFacts = {
  state: HealthState;
  cause: string;
  remedy: string;
  /** Microsoft's code for support. */
  code?: string;
  /** Since when this state holds. */
  since: Instant;
  /** Over: how long nothing could be read. */
  brokenSince?: Instant;
};

export type ConnectionFinding = FindingOf<'connectionHealth'>;

/** A tenant has one connection. */
export const connectionObject = 'connection';

export type ConnectionKnown = {
  tenantId: TenantId;
  /** As the store has it: written last of all, after the finding and its outbox rows. */
  before: Health;
  /** After the try that has just ended. */
  after: Health;
  finding: ConnectionFinding | null;
  now: Instant;
  digest: (text: string) => string;
};

/**
 * The rule of a broken connection. It opens when a tenant's health becomes an error (`nextHealth` has waited out what
 * may pass by itself), worsens when it becomes another error, and is over with the first good reading. The same error
 * again tells nothing, whatever its sentence says by now. Safe to repeat: while the store's health is not yet what the
 * finding was told with, that very transition comes again, with the same id.
 */
export function decideConnection(known: ConnectionKnown): {
  tell: TransitionOf<'connectionHealth'>[];
  /** To be saved before the health; the same object when nothing is new. */
  finding: ConnectionFinding | null;
} {
  const { before, finding } = known;
  const tell = finding === null || isWritten(finding, before) ? [] : [lastTransition(finding)];
  const next = judged(known);
  if (next === null || next === finding) return { tell, finding };
  return { tell: [...tell, lastTransition(next)], finding: next };
}

/** Is this health one that somebody has to do something about? */
export function isBroken({ state }: Pick<Health, 'state'>): boolean {
  return state !== 'connected' && state !== 'waiting';
}

/** Health is written after the finding: when it says the same, the finding's rows are surely written. */
function isWritten({ state, facts }: ConnectionFinding, before: Health): boolean {
  return state === 'resolved' ? !isBroken(before) : before.state === facts.state;
}

function judged({ tenantId, after, finding, now, digest }: ConnectionKnown): ConnectionFinding | null {
  const standing = finding !== null && isStanding(finding);
  if (!isBroken(after)) {
    if (!standing || after.state !== 'connected') return finding;
    const facts: ConnectionFacts = {
      state: after.state,
      cause: '',
      remedy: '',
      since: now,
      brokenSince: finding.facts.brokenSince ?? finding.facts.since,
    };
    return resolved(finding, { facts, at: now, why: 'it can be read again' });
  }
  const { state, cause, remedy, since, code } = after;
  const brokenSince = standing ? (finding.facts.brokenSince ?? finding.facts.since) : since;
  const facts: ConnectionFacts = {
    ...{ state, cause, remedy, since, brokenSince },
    ...(code === undefined ? {} : { code }),
  };
  // Who has to act can do it at once or not at all: what Microsoft mends by itself weighs less.
  const severity = state === 'service-error' ? 'medium' : 'high';
  const news = { facts, severity, at: now, why: cause } as const;
  if (finding === null) {
    const id = findingId(tenantId, 'connectionHealth', connectionObject, digest);
    return opened({ id, tenantId, rule: 'connectionHealth', object: connectionObject }, news);
  }
  if (!standing) return reopened(finding, news);
  if (finding.facts.state === state || isAside(finding, now)) return finding;
  return worsened(finding, news);
}
