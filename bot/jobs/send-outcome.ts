import { type Instant, millis, plus } from '../../shared/time.ts';
import type { Delivery, OutboxRow } from '../services.ts';
import type { Told } from './news-for.ts';
import { givenUpAfterMs, isPressing, repeatAfterMs, retryAfterMs } from './send-plan.ts';
import { endAll, goOn, lost, markBroken, type Round, type Step, settle } from './send-round.ts';

export const removed = 'Watchpost was removed from this conversation.';

/** `attempted`: the attempt was written down. `collapsed`: the message lists several. */
export type How = { attempted: boolean; collapsed?: boolean };

/** What an outcome means for the rows (R37), and for the conversation. */
export async function after(
  round: Round,
  delivery: Delivery,
  told: readonly Told[],
  how: How,
): Promise<Step> {
  const rows = told.map(({ row }) => row);
  const now = round.services.now();
  switch (delivery.kind) {
    case 'sent':
      return await arrived(round, rows, delivery.activityId, how);
    case 'throttled':
      return await later(round, rows, plus(now, delivery.retryAfterMs), 'Teams asked to wait.', how);
    case 'unreachable': {
      const oldest = rows.reduce((at, { createdAt }) => (createdAt < at ? createdAt : at), now);
      const ms = millis(now) - millis(oldest);
      if (ms > 600_000) await markBroken(round, delivery.why);
      if (ms <= givenUpAfterMs) {
        return await later(round, rows, plus(now, retryAfterMs(ms)), delivery.why, how);
      }
      return await end(round, rows, {
        state: 'dead',
        why: `It could not be told for 7 days: ${delivery.why}`,
      });
    }
    case 'ambiguous':
      return await repeated(round, rows, delivery.why, now);
    case 'withheld':
      return await held(round, rows, delivery.why, how);
    case 'refused': {
      const { status, code } = delivery;
      const why = `Teams said ${status} ${code}.`;
      if (status === 403 || status === 404) return await refusedHere(round, told, why);
      if (status === 401) return await later(round, rows, plus(now, 60_000), why, how);
      round.services.log.error({ code, status, count: rows.length }, 'Teams did not take news');
      return await end(round, rows, { state: 'dead', why });
    }
  }
}

async function arrived(
  round: Round,
  rows: readonly OutboxRow[],
  activityId: string,
  { collapsed }: How,
): Promise<Step> {
  if (!(await settle(round, rows, () => ({ state: 'sent', activityId, collapsed })))) return lost;
  // The mark stays while something is held here: the store looks.
  if (round.broken) await round.services.store.subscriptions.heal(round.lease.conversationId);
  return goOn;
}

/**
 * The gate says no. It is told when the gate says yes: when who reads here or whose it is changes, every 6 hours, and
 * when the bot is installed again (I-8, I-9). Of one tenant the gate says the same of everything.
 */
async function held(round: Round, rows: readonly OutboxRow[], why: string, how: How): Promise<Step> {
  const { store } = round.services;
  const { conversationId } = round.lease;
  // Removed since the first look: what waits is told when the bot is back, as it would have been then.
  if ((await store.places.get(conversationId))?.removed === true) {
    return (await endAll(round, removed, rows)) ? goOn : lost;
  }
  const surelyNot = how.attempted ? { surelyNot: true } : {};
  const [first] = rows;
  if (first !== undefined && rows.length > 1 && !round.apart) {
    // One of a list is enough to hold it: each by itself shows which.
    round.apart = true;
    const now = round.services.now();
    const still = ({ maybeSent }: OutboxRow) => ({ state: 'waiting' as const, dueAt: now, maybeSent, why });
    if (!how.attempted) return goOn;
    return (await settle(round, rows, (row) => ({ ...still(row), ...surelyNot }))) ? goOn : lost;
  }
  await markBroken(round, why);
  const tenants = new Set(rows.map(({ tenantId }) => tenantId));
  const own = new Set(rows.map(({ id }) => id));
  const alike = round.waiting.filter(({ id, tenantId }) => tenants.has(tenantId) && !own.has(id));
  const result = ({ maybeSent }: OutboxRow) => ({ state: 'held' as const, why, maybeSent });
  if (!(await settle(round, rows, (row) => ({ ...result(row), ...surelyNot })))) return lost;
  return (await settle(round, alike, result)) ? goOn : lost;
}

/** The bot is not there: everything that waits for this conversation ends until it is. */
export async function refusedHere(round: Round, told: readonly Told[], why: string): Promise<Step> {
  await markBroken(round, why);
  const count = round.waiting.length;
  round.services.log.warn({ code: why.slice(0, 60), count }, 'a conversation cannot be reached');
  const ended = await endAll(
    round,
    why,
    told.map(({ row }) => row),
  );
  return ended ? goOn : lost;
}

/** Nobody knows whether it arrived: once more after a while, with a word that it may be there already (R38). */
async function repeated(round: Round, rows: readonly OutboxRow[], why: string, now: Instant): Promise<Step> {
  for (const row of rows) {
    // The attempt that has just been unclear is one more than the row knows of.
    const ms = repeatAfterMs(row.unclear + 1, row.transition.severity);
    if (ms === null) {
      await markBroken(round, `Teams did not say whether news arrived: ${why}`);
      const never = {
        state: 'dead' as const,
        why: `Teams never said whether it arrived: ${why}`,
        maybeSent: true,
        // What presses is not given up: it is tried again with the next news here.
        ...(isPressing(row.transition.severity) ? { revivable: true } : {}),
      };
      if (!(await settle(round, [row], () => never))) return lost;
      continue;
    }
    const dueAt = plus(now, ms);
    if (!(await settle(round, [row], () => ({ state: 'waiting', dueAt, maybeSent: true, why })))) return lost;
    const changed = { ...row, dueAt, maybeSent: true, unclear: row.unclear + 1 };
    round.waiting = round.waiting.map((one) => (one.id === row.id ? changed : one));
  }
  return goOn;
}

/** Surely not taken: the conversation rests until then. */
async function later(
  round: Round,
  rows: readonly OutboxRow[],
  dueAt: Instant,
  why: string,
  { attempted }: How,
): Promise<Step> {
  const done = await settle(round, rows, ({ maybeSent }) => ({
    state: 'waiting',
    dueAt,
    maybeSent,
    why,
    surelyNot: attempted,
  }));
  return done ? { kind: 'wait', until: dueAt } : lost;
}

/** For good. */
export async function end(
  round: Round,
  rows: readonly OutboxRow[],
  result: { state: 'withheld' | 'dead'; why: string },
): Promise<Step> {
  return (await settle(round, rows, ({ maybeSent }) => ({ ...result, maybeSent }))) ? goOn : lost;
}
