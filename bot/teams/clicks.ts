import { type Caller, covers, scopeFor } from '../../shared/access.ts';
import { millis } from '../../shared/time.ts';
import type { Place, Reply } from '../services.ts';
import type { Turn } from './activity.ts';
import type { Verified } from './card-data.ts';
import { clickOf, type DoorAnswer, withCard, withText } from './invoke.ts';
import { allowed, notHere, outdated, type TurnKit, type TurnParts, unsigned } from './turn-kit.ts';

/** Teams gives an invoke 5 s before it asks again. */
const clickMs = 4500;
const busy = 'Still working on it. Look again in a moment.';

/** The turn of a button: believed only when signed for here, allowed by today's roles, answered to who clicked (R9, R10, R28). */
export function openClicks(parts: TurnParts, kit: TurnKit): (turn: Turn) => Promise<DoorAnswer> {
  const { services, sender, cards, commands, arrivals, track } = parts;
  const { callerIn, placeOf, spotOf, isFirst, guarded, wentWrong, done } = kit;
  const { log } = services;

  async function click(turn: Turn): Promise<DoorAnswer> {
    const started = performance.now();
    const tenant = allowed(turn);
    const spot = spotOf(turn, tenant);
    let who: Caller | null = null;
    let kind = 'click';
    let outcome = 'failed';
    try {
      const clicked = clickOf(turn.value);
      await arrivals.remember(turn, tenant);
      who = await callerIn(turn, tenant, spot);
      if (who === null) {
        outcome = 'unsigned';
        return withText(unsigned);
      }
      if (clicked === undefined) {
        outcome = 'not-ours';
        return withText(outdated);
      }
      const { verified, where } = await verifiedIn(clicked.data, await placeOf(spot, who), who);
      if (
        verified.kind === 'refused' ||
        (clicked.verb !== undefined && clicked.verb !== verified.action.verb)
      ) {
        outcome = verified.kind === 'refused' ? verified.why : 'tampered';
        log.warn({ reason: outcome, person: who.oid }, 'card data refused');
        return withText(outdated);
      }
      const { action, inputs } = verified;
      const handler = Object.hasOwn(commands.cardActions, action.verb)
        ? commands.cardActions[action.verb]
        : undefined;
      if (handler === undefined) {
        outcome = 'unknown-verb';
        return withText(outdated);
      }
      kind = action.verb;
      // Asked again at every click, whatever was allowed when the card was made (R10).
      if (action.tenant !== undefined) {
        const today = scopeFor(who, where.audience, 'view', services.now());
        if (!covers(today, action.tenant)) {
          outcome = 'refused';
          return withText(notHere);
        }
      }
      if (handler.changes && !(await isFirst(turn, tenant))) {
        outcome = 'repeated';
        return withText('That has been done already.');
      }
      const person = who;
      const answered = answerClick(turn, where, person, () =>
        handler.run(action, inputs, person, where, services),
      );
      track(answered);
      const ended = await within(answered, clickMs);
      outcome = ended === undefined ? 'slow' : ended.outcome;
      return ended === undefined ? withText(busy) : ended.answer;
    } catch (error) {
      return withText(wentWrong(turn, error));
    } finally {
      done(turn, who, kind, outcome, started);
    }
  }

  /** The data as signed for this person alone, or for all who read along here. */
  async function verifiedIn(
    data: unknown,
    where: Place,
    who: Caller,
  ): Promise<{ verified: Verified; where: Place }> {
    const { conversationId, audience } = where;
    const nowMs = millis(services.now());
    const open = cards.verify(data, { conversationId, audience }, nowMs);
    if (open.kind === 'ok' || where.kind === 'personal') return { verified: open, where };
    const alone = cards.verify(data, { conversationId, audience, oid: who.oid }, nowMs);
    return alone.kind === 'ok'
      ? { verified: alone, where: { ...where, targeted: true } }
      : { verified: open, where };
  }

  async function answerClick(turn: Turn, where: Place, who: Caller, work: () => Promise<Reply>) {
    const { reply, failed } = await guarded(turn, work);
    const rendered = await sender.renderFor(where, reply, who);
    if (reply.to === 'conversation' && turn.replyToId !== undefined && rendered.kind === 'card' && !failed) {
      // For everybody who reads along: the same card, through the gate of the conversation.
      const delivery = await sender.send(
        where,
        { ...reply, replaces: reply.replaces ?? turn.replyToId },
        who,
      );
      if (delivery.kind !== 'sent')
        log.warn({ outcome: delivery.kind }, 'card was not replaced for everybody');
    }
    const answer =
      rendered.kind === 'card'
        ? withCard(rendered.card)
        : withText(rendered.kind === 'text' ? rendered.text : notHere);
    return { answer, outcome: failed ? 'failed' : rendered.kind === 'withheld' ? 'withheld' : 'answered' };
  }

  return click;
}

async function within<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
