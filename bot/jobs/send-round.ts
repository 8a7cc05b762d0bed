import { setTimeout as pause } from 'node:timers/promises';
import { type Instant, millis, plus } from '../../shared/time.ts';
import { hasCode } from '../errors.ts';
import type { OutboxLease, OutboxRow, OutboxStore, Services } from '../services.ts';

/** One conversation's turn to be sent to, as it goes on. */
export type Round = {
  readonly services: Services;
  readonly lease: OutboxLease;
  readonly leaseMs: number;
  /** Until when the lease lasts, as it was renewed last. */
  until: Instant;
  /** What waits here, as far as it has been read and has not ended since. */
  waiting: OutboxRow[];
  /** Messages that went out. */
  sent: number;
  /** The conversation is marked as broken, before or by this very round. */
  broken: boolean;
  /** A list was not for everybody here: what would go together goes one by one. */
  apart: boolean;
};

/** How one message went on: what is left to do with the conversation now. */
export type Step = { kind: 'go on' } | { kind: 'wait'; until: Instant } | { kind: 'lost' };
export const goOn: Step = { kind: 'go on' };
export const lost: Step = { kind: 'lost' };

export type Result = Parameters<OutboxStore['settle']>[2];

const mostRows = 1_000;
/** Of the lease there must be left what a POST may take, and a margin for clocks. */
const postMs = 15_000;
/** Longer than this nobody stands and waits for the pace: the conversation is given back until then. */
const standingMs = 2_500;

export async function lookAtWaiting(round: Round): Promise<void> {
  round.waiting = await round.services.store.outbox.waiting(round.lease, mostRows);
}

/** Until the pace lets one more go, and the lease is long enough for it; null when it may go now. */
export async function ready(round: Round, hostTenantId: OutboxRow['tenantId']): Promise<Step | null> {
  const { lease, leaseMs, services } = round;
  const { outbox } = services.store;
  for (;;) {
    if (services.signal.aborted) return { kind: 'wait', until: services.now() };
    const pace = await outbox.pace(lease.conversationId, hostTenantId);
    if (pace.kind === 'go') break;
    if (pace.ms > standingMs) return { kind: 'wait', until: plus(services.now(), pace.ms) };
    await pause(pace.ms, undefined, { signal: services.signal }).catch(() => undefined);
  }
  // Long enough for this one; whether it is still ours is asked again with the attempt.
  if (millis(round.until) - millis(services.now()) > leaseMs / 2) return null;
  const renewed = plus(services.now(), leaseMs);
  if (!(await outbox.renew(lease, leaseMs))) return lost;
  round.until = renewed;
  return null;
}

/** By database time, whatever happened to this process in between. */
export function isOurs({ until, services, leaseMs }: Round): boolean {
  return millis(until) - millis(services.now()) >= Math.min(postMs, leaseMs / 2);
}

/** Says where people look that this conversation is not told what it asked for. */
export async function markBroken(round: Round, why: string): Promise<void> {
  await round.services.store.subscriptions.broken(round.lease.conversationId, why);
  round.broken = true;
}

/** Writes down what became of the rows, those with the same result together. False: the lease is lost. */
export async function settle(
  round: Round,
  rows: readonly OutboxRow[],
  resultOf: (row: OutboxRow) => Result,
): Promise<boolean> {
  const { outbox } = round.services.store;
  const groups = new Map<string, { ids: string[]; result: Result }>();
  for (const row of rows) {
    const result = resultOf(row);
    const key = JSON.stringify(result);
    const group = groups.get(key) ?? { ids: [], result };
    group.ids.push(row.id);
    groups.set(key, group);
  }
  for (const { ids, result } of groups.values()) {
    if (!(await insist(() => outbox.settle(round.lease, ids, result)))) return false;
    if (result.state !== 'waiting') round.waiting = round.waiting.filter(({ id }) => !ids.includes(id));
  }
  return true;
}

/** All that waits here ends until the bot is back, however much there is: a rest would ask for another look at once. */
export async function endAll(round: Round, why: string, first: readonly OutboxRow[] = []): Promise<boolean> {
  let rows: readonly OutboxRow[] = [
    ...new Map([...first, ...round.waiting].map((row) => [row.id, row])).values(),
  ];
  while (rows.length > 0) {
    const dead = ({ maybeSent }: OutboxRow) => ({ state: 'dead' as const, why, maybeSent, revivable: true });
    if (!(await settle(round, rows, dead))) return false;
    await lookAtWaiting(round);
    rows = round.waiting;
  }
  return true;
}

/** What Teams has taken must be written down: a store that is away for a moment is asked again. */
async function insist<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (tries === 6 || !hasCode(error, 'store')) throw error;
      await pause(tries * 300);
    }
  }
}
