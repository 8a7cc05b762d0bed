import { setTimeout as pause } from 'node:timers/promises';
import { scopeOfJob } from '../../shared/access.ts';
import { watches } from '../../shared/alerts/route.ts';
import { type Instant, millis, plus } from '../../shared/time.ts';
import { hasCode } from '../errors.ts';
import type {
  Delivery,
  News,
  OutboxLease,
  OutboxRow,
  Place,
  Services,
  SubscriptionRow,
} from '../services.ts';
import { cardNews, listNews, noteNews, type Telling, type Told } from './news-for.ts';
import { givenUpAfterMs, nextOf, repeatAfterMs, retryAfterMs } from './send-plan.ts';

/** Longer than this nobody stands and waits for the pace: the conversation is given back until then. */
const standingMs = 2_500;
/** Of the lease there must be left what a POST may take, and a margin for clocks. */
const postMs = 15_000;
const mostRows = 1_000;
const removed = 'Watchpost was removed from this conversation.';

/** How one message went on: what is left to do with the conversation now. */
type Step = { kind: 'go on' } | { kind: 'wait'; until: Instant } | { kind: 'lost' };
const goOn: Step = { kind: 'go on' };

/**
 * Tells one conversation what waits for it, in order, under a lease: nobody else sends there at the same time. Before
 * each POST the attempt is written down, after it its outcome, so that after a crash it is known that the message may
 * have arrived. Answers how many messages went out. A row ends as sent, withheld, or dead with a reason, and else waits.
 */
export async function sendDue(lease: OutboxLease, services: Services, leaseMs = 60_000): Promise<number> {
  const { store, deliver, log, signal } = services;
  const { outbox, subscriptions } = store;
  const { conversationId } = lease;
  let until = lease.until;
  let sent = 0;

  const known = await store.places.get(conversationId);
  const subscription = await subscriptions.get(conversationId);
  const spot = spotOf(lease, known ?? subscription);
  const left = known?.removed === true || subscription?.ended !== undefined;
  // What Teams refused while nobody could be reached there comes first, so that news stays in order.
  if (!left && subscription?.broken !== undefined) await outbox.revive(conversationId);
  let waiting = await outbox.waiting(lease, mostRows);
  let notBefore: Instant | undefined;
  if (left && !(await endAll(waiting, removed))) return sent;

  while (!signal.aborted) {
    const next = nextOf(waiting, services.now());
    if (next.kind === 'nothing') break;
    const rows = next.kind === 'one' ? [next.row] : next.rows;
    const step = await tell(rows);
    if (step.kind === 'lost') return sent;
    if (step.kind === 'wait') {
      notBefore = step.until;
      break;
    }
  }
  await outbox.release(lease, notBefore);
  return sent;

  async function tell(rows: OutboxRow[]): Promise<Step> {
    const told: Told[] = [];
    for (const row of rows) {
      const found = await foundOf(row, subscription, services);
      if (typeof found === 'string') {
        if (!(await end([row], 'withheld', found))) return { kind: 'lost' };
      } else told.push(found);
    }
    const [first] = told;
    if (first === undefined) return goOn;
    if (spot === null) return await refusedHere(told, 'Nobody knows where this conversation is.');
    const telling: Telling = {
      now: services.now(),
      settings: services.settings,
      mayAcknowledge: known?.binding?.kind !== 'customer',
    };
    if (rows.length > 1) return await create(told, listNews(told, telling), spot, true);
    return await tellOne(first, telling, spot);
  }

  async function tellOne(told: Told, telling: Telling, at: Spot): Promise<Step> {
    const { row } = told;
    const isNew = row.kind === 'opened' || row.kind === 'reopened';
    const card = isNew ? null : await outbox.card(conversationId, row.finding.id, row.finding.generation);
    if (card === null) {
      if (row.kind !== 'refresh') return await create([told], cardNews(told, telling), at);
      return (await end([row], 'withheld', 'There is no card to draw anew.')) ? goOn : { kind: 'lost' };
    }

    // Drawn anew first: that may be repeated as often as it takes.
    const paced = await ready(at);
    if (paced !== null) return paced;
    const drawn = await deliver.post(at, { ...cardNews(told, telling), replaces: card.activityId }, isOurs);
    if (drawn.kind === 'refused' && ![401, 403].includes(drawn.status)) {
      // Somebody deleted it, or Teams takes no change of it any more: news does not end with its card.
      if (row.kind !== 'refresh') return await create([told], cardNews(told, telling), at);
      return (await end([row], 'withheld', 'The card is gone.')) ? goOn : { kind: 'lost' };
    }
    if (drawn.kind !== 'sent') {
      const surely: Delivery = drawn.kind === 'ambiguous' ? { kind: 'unreachable', why: drawn.why } : drawn;
      return await after(surely, [told], { attempted: false });
    }
    sent += 1;
    if (row.kind === 'refresh') return await after(drawn, [told], { attempted: false });
    const thread = at.kind === 'channel' ? `${conversationId};messageid=${card.activityId}` : conversationId;
    const note = noteNews(told, telling);
    return await create([told], note, { ...at, conversationId: thread }, false, card.activityId);
  }

  /** One message that must not be there twice. `card` is the one it belongs to when it is none itself. */
  async function create(told: Told[], news: News, at: Spot, collapsed = false, card?: string): Promise<Step> {
    const ids = told.map(({ row }) => row.id);
    for (let renewed = false; ; ) {
      const paced = await ready(at);
      if (paced !== null) return paced;
      if (!(await outbox.attempting(lease, ids))) return { kind: 'lost' };
      const delivery = await deliver.post(at, news, isOurs);
      const refused = delivery.kind === 'refused' ? delivery.status : 0;
      // Not taken: with a new token, or without the card that was too large, it is another message.
      const again = (refused === 401 && !renewed) || (refused === 413 && news.card !== undefined);
      if (!again) {
        const outcome =
          delivery.kind === 'sent' && card !== undefined ? { ...delivery, activityId: card } : delivery;
        if (delivery.kind === 'sent') sent += 1;
        return await after(outcome, told, { attempted: true, collapsed });
      }
      if (refused === 401) renewed = true;
      else {
        log.warn({ code: '413', kind: 'card', count: ids.length }, 'a card was too large for Teams');
        news = { ...news, card: undefined };
      }
      const was = { dueAt: services.now(), surelyNot: true, why: String(refused) };
      for (const { row } of told) {
        const still = { state: 'waiting' as const, ...was, maybeSent: row.maybeSent };
        if (!(await outbox.settle(lease, [row.id], still))) return { kind: 'lost' };
      }
    }
  }

  /** Until the pace lets one more go, and the lease is long enough for it; null when it may go now. */
  async function ready(at: Spot): Promise<Step | null> {
    for (;;) {
      if (signal.aborted) return { kind: 'wait', until: services.now() };
      const pace = await outbox.pace(conversationId, at.hostTenantId);
      if (pace.kind === 'go') break;
      if (pace.ms > standingMs) return { kind: 'wait', until: plus(services.now(), pace.ms) };
      await pause(pace.ms, undefined, { signal }).catch(() => undefined);
    }
    // Long enough for this one; whether it is still ours is asked again with the attempt.
    if (millis(until) - millis(services.now()) > leaseMs / 2) return null;
    const renewed = plus(services.now(), leaseMs);
    if (!(await outbox.renew(lease, leaseMs))) return { kind: 'lost' };
    until = renewed;
    return null;
  }

  /** By database time, whatever happened to this process in between. */
  function isOurs(): boolean {
    return millis(until) - millis(services.now()) >= Math.min(postMs, leaseMs / 2);
  }

  /** What an outcome means for the rows (R37). */
  async function after(
    delivery: Delivery,
    told: readonly Told[],
    how: { attempted: boolean; collapsed?: boolean },
  ): Promise<Step> {
    const rows = told.map(({ row }) => row);
    const now = services.now();
    switch (delivery.kind) {
      case 'sent': {
        const result = { state: 'sent' as const, activityId: delivery.activityId, collapsed: how.collapsed };
        if (!(await settle(rows, () => result))) return { kind: 'lost' };
        if (subscription?.broken !== undefined) await subscriptions.heal(conversationId);
        return goOn;
      }
      case 'throttled':
        return await later(rows, plus(now, delivery.retryAfterMs), 'Teams asked to wait.', how.attempted);
      case 'unreachable': {
        const oldest = rows.reduce((at, { createdAt }) => (createdAt < at ? createdAt : at), now);
        const ms = millis(now) - millis(oldest);
        if (ms > givenUpAfterMs) {
          await subscriptions.broken(conversationId, delivery.why);
          return (await end(rows, 'dead', `It could not be told for 7 days: ${delivery.why}`))
            ? goOn
            : { kind: 'lost' };
        }
        if (ms > 600_000) await subscriptions.broken(conversationId, delivery.why);
        return await later(rows, plus(now, retryAfterMs(ms)), delivery.why, how.attempted);
      }
      case 'ambiguous':
        return await repeated(rows, delivery.why, now);
      case 'withheld':
        // Removed since the first look: what waits is told when the bot is back, as it would have been then.
        if ((await store.places.get(conversationId))?.removed === true) {
          return (await endAll([...rows, ...waiting], removed)) ? goOn : { kind: 'lost' };
        }
        await subscriptions.broken(conversationId, delivery.why);
        return (await end(rows, 'withheld', delivery.why)) ? goOn : { kind: 'lost' };
      case 'refused': {
        const { status, code } = delivery;
        if (status === 403 || status === 404) return await refusedHere(told, `Teams said ${status} ${code}.`);
        if (status === 401) {
          return await later(rows, plus(now, 60_000), `Teams said 401 ${code}.`, how.attempted);
        }
        log.error({ code, status, count: rows.length }, 'Teams did not take news');
        return (await end(rows, 'dead', `Teams said ${status} ${code}.`)) ? goOn : { kind: 'lost' };
      }
    }
  }

  /** The bot is not there: everything that waits for this conversation ends until it is. */
  async function refusedHere(told: readonly Told[], why: string): Promise<Step> {
    await subscriptions.broken(conversationId, why);
    log.warn({ code: why.slice(0, 60), count: waiting.length }, 'a conversation cannot be reached');
    return (await endAll([...told.map(({ row }) => row), ...waiting], why)) ? goOn : { kind: 'lost' };
  }

  /** All that waits here ends until the bot is back, however much there is: a rest would ask for another look at once. */
  async function endAll(first: readonly OutboxRow[], why: string): Promise<boolean> {
    for (let rows = [...new Set(first)]; rows.length > 0; rows = await outbox.waiting(lease, mostRows)) {
      if (!(await end(rows, 'dead', why, true))) return false;
    }
    return true;
  }

  /** Nobody knows whether it arrived: once more after a while, with a word that it may be there already. */
  async function repeated(rows: readonly OutboxRow[], why: string, now: Instant): Promise<Step> {
    for (const row of rows) {
      // The attempt that has just been unclear is one more than the row knows of.
      const ms = repeatAfterMs(row.unclear + 1);
      if (ms === null) {
        await subscriptions.broken(conversationId, `Teams did not say whether news arrived: ${why}`);
        if (!(await end([row], 'dead', `Teams never said whether it arrived: ${why}`)))
          return { kind: 'lost' };
        continue;
      }
      const result = { state: 'waiting' as const, dueAt: plus(now, ms), maybeSent: true, why };
      if (!(await outbox.settle(lease, [row.id], result))) return { kind: 'lost' };
      replace(row, { ...row, dueAt: result.dueAt, maybeSent: true, unclear: row.unclear + 1 });
    }
    return goOn;
  }

  /** Surely not taken: the conversation rests until then. */
  async function later(
    rows: readonly OutboxRow[],
    dueAt: Instant,
    why: string,
    attempted: boolean,
  ): Promise<Step> {
    const done = await settle(rows, ({ maybeSent }) => ({
      state: 'waiting',
      dueAt,
      maybeSent,
      why,
      surelyNot: attempted,
    }));
    return done ? { kind: 'wait', until: dueAt } : { kind: 'lost' };
  }

  async function end(
    rows: readonly OutboxRow[],
    state: 'withheld' | 'dead',
    why: string,
    revivable?: boolean,
  ): Promise<boolean> {
    const more = revivable === true ? { revivable } : {};
    return await settle(rows, ({ maybeSent }) => ({ state, why, maybeSent, ...more }));
  }

  /** Rows that get the same result are written together. */
  async function settle(
    rows: readonly OutboxRow[],
    resultOf: (row: OutboxRow) => Parameters<typeof outbox.settle>[2],
  ): Promise<boolean> {
    const groups = new Map<string, { ids: string[]; result: Parameters<typeof outbox.settle>[2] }>();
    for (const row of rows) {
      const result = resultOf(row);
      const key = JSON.stringify(result);
      const group = groups.get(key) ?? { ids: [], result };
      group.ids.push(row.id);
      groups.set(key, group);
    }
    for (const { ids, result } of groups.values()) {
      if (!(await insist(() => outbox.settle(lease, ids, result)))) return false;
      if (result.state !== 'waiting') waiting = waiting.filter(({ id }) => !ids.includes(id));
    }
    return true;
  }

  function replace(row: OutboxRow, changed: OutboxRow): void {
    waiting = waiting.map((one) => (one.id === row.id ? changed : one));
  }
}

type Spot = Omit<Place, 'audience'>;

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

/** Where a conversation is, as it wrote last or as it was when it asked for news. */
function spotOf(
  { conversationId }: OutboxLease,
  known: { kind: Place['kind']; serviceUrl: string; hostTenantId: Place['hostTenantId'] } | null,
): Spot | null {
  if (known === null) return null;
  const { kind, serviceUrl, hostTenantId } = known;
  return { kind, conversationId, serviceUrl, hostTenantId, targeted: false, personTeamsId: '' };
}

/** What a row is about, or why it is not told any more. */
async function foundOf(
  row: OutboxRow,
  subscription: SubscriptionRow | null,
  { store }: Services,
): Promise<Told | string> {
  const scope = scopeOfJob(row.tenantId);
  const tenant = await store.tenants.get(scope, row.tenantId);
  const finding = await store.findings.get(scope, row.tenantId, row.finding.id);
  if (tenant === null || finding === null) return 'This tenant is no longer connected.';
  const told = { row, tenant, finding: finding.value };
  // A card that stands there is kept true, whoever listens by now.
  if (row.kind === 'refresh') return told;
  if (subscription === null || !watches(subscription, row.tenantId)) {
    return 'This conversation no longer asks for news of this tenant.';
  }
  return told;
}
