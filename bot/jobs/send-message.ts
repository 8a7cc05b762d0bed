import type { Delivery, News, Place } from '../services.ts';
import { cardNews, noteNews, type Telling, type Told } from './news-for.ts';
import { after, end } from './send-outcome.ts';
import { goOn, isOurs, lost, type Round, ready, type Step } from './send-round.ts';

/** Where a conversation is; who reads there is asked right before the wire. */
export type Spot = Omit<Place, 'audience'>;

/** One row: a new card, or the card that is there drawn anew and a note of what happened below it. */
export async function tellOne(round: Round, told: Told, telling: Telling, at: Spot): Promise<Step> {
  const { deliver, store } = round.services;
  const { conversationId } = round.lease;
  const { row } = told;
  const isNew = row.kind === 'opened' || row.kind === 'reopened';
  const card = isNew ? null : await store.outbox.card(conversationId, row.finding.id, row.finding.generation);
  if (card === null) {
    if (row.kind !== 'refresh') return await create(round, [told], cardNews(told, telling), at);
    return await end(round, [row], { state: 'withheld', why: 'There is no card to draw anew.' });
  }

  // Drawn anew first: that may be repeated as often as it takes.
  let paced: Step | null = null;
  const drawn = await deliver.post(
    at,
    { ...cardNews(told, telling), replaces: card.activityId },
    () => isOurs(round),
    async () => {
      paced = await ready(round, at.hostTenantId);
      return paced === null;
    },
  );
  if (paced !== null) return paced;
  if (drawn.kind === 'refused' && ![401, 403].includes(drawn.status)) {
    // Somebody deleted it, or Teams takes no change of it any more: news does not end with its card.
    if (row.kind !== 'refresh') return await create(round, [told], cardNews(told, telling), at);
    return await end(round, [row], { state: 'withheld', why: 'The card is gone.' });
  }
  if (drawn.kind !== 'sent') {
    const surely: Delivery = drawn.kind === 'ambiguous' ? { kind: 'unreachable', why: drawn.why } : drawn;
    return await after(round, surely, [told], { attempted: false });
  }
  round.sent += 1;
  if (row.kind === 'refresh') return await after(round, drawn, [told], { attempted: false });
  const thread = at.kind === 'channel' ? `${conversationId};messageid=${card.activityId}` : conversationId;
  const note = noteNews(told, telling);
  return await create(round, [told], note, { ...at, conversationId: thread }, { card: card.activityId });
}

/**
 * One message that must not be there twice. Before the POST the attempt is written down, and not before token, members
 * and gate have let it pass: what fails until then was no attempt. `card` is the one it belongs to when it is none
 * itself.
 */
export async function create(
  round: Round,
  told: Told[],
  news: News,
  at: Spot,
  how: { collapsed?: boolean; card?: string } = {},
): Promise<Step> {
  const { deliver, store, log } = round.services;
  const ids = told.map(({ row }) => row.id);
  for (let renewed = false; ; ) {
    let begun = false;
    let stopped: Step | null = null;
    const begin = async (): Promise<boolean> => {
      stopped = await ready(round, at.hostTenantId);
      if (stopped !== null) return false;
      begun = await store.outbox.attempting(round.lease, ids);
      if (!begun) stopped = lost;
      return begun;
    };
    let delivery: Delivery;
    try {
      delivery = await deliver.post(at, news, () => isOurs(round), begin);
    } catch (error) {
      // What Teams answers is never thrown: it was not on the wire yet.
      if (begun) await notTaken(round, told, 'It could not be sent.');
      throw error;
    }
    if (stopped !== null) return stopped;
    const refused = delivery.kind === 'refused' ? delivery.status : 0;
    // Not taken: with a new token, or without the card that was too large, it is another message.
    const again = (refused === 401 && !renewed) || (refused === 413 && news.card !== undefined);
    if (!again) {
      const outcome =
        delivery.kind === 'sent' && how.card !== undefined ? { ...delivery, activityId: how.card } : delivery;
      if (delivery.kind === 'sent') round.sent += 1;
      return await after(round, outcome, told, { attempted: begun, collapsed: how.collapsed });
    }
    if (refused === 401) renewed = true;
    else {
      log.warn({ code: '413', kind: 'card', count: ids.length }, 'a card was too large for Teams');
      news = { ...news, card: undefined };
    }
    if (begun && (await notTaken(round, told, String(refused))).kind === 'lost') return lost;
  }
}

/** An attempt that surely did not arrive counts for nothing. */
async function notTaken(round: Round, told: readonly Told[], why: string): Promise<Step> {
  const { outbox } = round.services.store;
  const was = { state: 'waiting' as const, dueAt: round.services.now(), surelyNot: true, why };
  for (const { row } of told) {
    if (!(await outbox.settle(round.lease, [row.id], { ...was, maybeSent: row.maybeSent }))) return lost;
  }
  return goOn;
}
