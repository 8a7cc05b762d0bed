import { type Caller, callerOf, covers, scopeFor } from '../../shared/access.ts';
import type { Command, Mention } from '../../shared/command.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { millis } from '../../shared/time.ts';
import { errorCode } from '../errors.ts';
import type { CardAction, Delivery, Place, Reply, Services } from '../services.ts';
import type { Turn } from './activity.ts';
import { helloIn, type openArrivals } from './arrivals.ts';
import type { Audiences } from './audience.ts';
import type { CardSigner, Verified } from './card-data.ts';
import { activityKey } from './dedup.ts';
import { clickOf, type DoorAnswer, withCard, withText } from './invoke.ts';
import type { Sender } from './sender.ts';
import { startTyping } from './typing.ts';

/** The handlers the door dispatches to. */
export type Commands = {
  parseCommand(text: string, mentions: readonly Mention[]): Command;
  runCommand(command: Command, who: Caller, where: Place, services: Services): Promise<Reply>;
  /** Such a command is done once, however often it is delivered, over all instances. */
  changesSomething(command: Command): boolean;
  cardActions: Readonly<Record<string, CardHandler>>;
};
export type CardHandler = {
  changes: boolean;
  run(
    action: CardAction,
    inputs: Record<string, string>,
    who: Caller,
    where: Place,
    services: Services,
  ): Promise<Reply>;
};

/** Teams gives an invoke 5 s before it asks again. */
const clickMs = 4500;

const unsigned = 'Watchpost answers people who are signed in to Microsoft 365 only.';
const outdated =
  'This card is from another time or place and no longer answers. Ask again to get a fresh one.';
const notHere = 'That is not available here. With help I say what is.';
const busy = 'Still working on it. Look again in a moment.';

export type Turns = {
  message(turn: Turn): Promise<void>;
  click(turn: Turn): Promise<DoorAnswer>;
  arrival(turn: Turn): Promise<void>;
};

/** What happens in one turn once it is let in: who asks, where, what; then the handler, then the answer. */
export function openTurns(options: {
  services: Services;
  audiences: Audiences;
  sender: Sender;
  cards: CardSigner;
  commands: Commands;
  arrivals: ReturnType<typeof openArrivals>;
  /** Hears of work that outlives its request, so that a graceful stop can wait for it. */
  track(work: Promise<unknown>): void;
}): Turns {
  const { services, audiences, sender, cards, commands, arrivals, track } = options;
  const { store, log, metrics, settings } = services;

  /** The person as the store knows them; a guest or foreign member belongs to the tenant Teams lists them with. */
  async function callerIn(
    turn: Turn,
    tenant: TenantId,
    where: Omit<Place, 'audience'>,
  ): Promise<Caller | null> {
    const { from } = turn;
    if (from?.oid === undefined) return null;
    const tid = where.kind === 'personal' ? tenant : ((await audiences.tenantOf(where, from.oid)) ?? tenant);
    await store.people.seen({ tid, oid: from.oid, name: from.name, teamsId: from.id });
    const known = await store.people.get(tid, from.oid);
    return callerOf(known, { tid, oid: from.oid, name: from.name }, settings.homeTenantId);
  }

  async function placeOf(spot: Omit<Place, 'audience'>, who: Caller): Promise<Place> {
    return spot.kind === 'personal'
      ? { ...spot, audience: { kind: 'personal', oid: who.oid, tid: who.tid } }
      : { ...spot, audience: await audiences.of(spot) };
  }

  function spotOf(turn: Turn, tenant: TenantId): Omit<Place, 'audience'> {
    return {
      kind: turn.conversation.kind,
      conversationId: turn.conversation.id,
      serviceUrl: turn.serviceUrl,
      hostTenantId: tenant,
      targeted: turn.targeted,
      personTeamsId: turn.from?.id ?? '',
    };
  }

  async function isFirst(turn: Turn, tenant: TenantId): Promise<boolean> {
    return await store.inbound.firstTime(activityKey(tenant, turn.conversation.id, turn.id ?? ''));
  }

  /** Runs a handler; a failure becomes a sentence with an id that is in the log, never a message of internals. */
  async function guarded(turn: Turn, work: () => Promise<Reply>): Promise<{ reply: Reply; failed: boolean }> {
    try {
      return { reply: await work(), failed: false };
    } catch (error) {
      return { reply: { text: wentWrong(turn, error), to: 'caller', tenants: [] }, failed: true };
    }
  }

  function wentWrong(turn: Turn, error: unknown): string {
    const problem = services.random().slice(0, 8);
    log.error({ problem, code: errorCode(error), kind: turn.type }, 'turn failed');
    return `Something went wrong on our side. Please try again; if it happens again, tell an Admin problem ${problem}.`;
  }

  function done(turn: Turn, who: Caller | null, kind: string, outcome: string, started: number): void {
    const ms = Math.round(performance.now() - started);
    metrics.turn(kind, outcome, ms);
    const person = who === null ? undefined : who.oid;
    log.info({ kind: turn.type, command: kind, outcome, ms, person, activity: turn.id }, 'turn');
  }

  async function message(turn: Turn): Promise<void> {
    const started = performance.now();
    const tenant = allowed(turn);
    const spot = spotOf(turn, tenant);
    let command: Command = { kind: 'help' };
    const typing = startTyping(() => sender.typing({ ...spot, audience: unknownAudience }));
    let who: Caller | null = null;
    let outcome = 'failed';
    try {
      command = commands.parseCommand(turn.text, turn.mentions);
      await arrivals.remember(turn, tenant);
      who = await callerIn(turn, tenant, spot);
      if (who === null) {
        outcome = 'unsigned';
        await typing.stop();
        await sayTo(spot, unsigned);
        return;
      }
      const person = who;
      if (commands.changesSomething(command) && !(await isFirst(turn, tenant))) {
        outcome = 'repeated';
        return;
      }
      const where = await placeOf(spot, person);
      const view = perTurn(typing.stop);
      const { reply, failed } = isOldSubmit(turn)
        ? { reply: { text: outdated, to: 'caller', tenants: [] } satisfies Reply, failed: false }
        : await guarded(turn, () => commands.runCommand(command, person, where, view));
      await typing.stop();
      const delivery = await sender.send(where, reply, person);
      if (delivery.kind === 'withheld' && reply.tenants.length > 0) await sayTo(spot, notHere);
      outcome = failed ? 'failed' : outcomeOf(delivery);
    } catch (error) {
      // Before or after the handler, most likely the store: the person is told all the same.
      await typing.stop();
      await sayTo(spot, wentWrong(turn, error));
    } finally {
      await typing.stop();
      done(turn, who, command.kind, outcome, started);
    }
  }

  /** Services for one turn: what a handler sends by itself ends the typing sign, as the answer would. */
  function perTurn(stopTyping: () => Promise<void>): Services {
    const { deliver } = services;
    return {
      ...services,
      deliver: {
        typing: deliver.typing,
        async send(place, reply, who) {
          await stopTyping();
          return await deliver.send(place, reply, who);
        },
      },
    };
  }

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

  async function arrival(turn: Turn): Promise<void> {
    const started = performance.now();
    const tenant = allowed(turn);
    let outcome = 'failed';
    try {
      const asked = await arrivals.note(turn, tenant);
      outcome = asked.kind;
      if (asked.kind === 'nothing' || !(await arrivals.mayGreet(asked.conversationId))) return;
      const spot = { ...spotOf(turn, tenant), conversationId: asked.conversationId, targeted: false };
      if (spot.kind !== 'personal') {
        await sayTo(spot, helloIn(spot.kind, asked.by));
        return;
      }
      const who = await callerIn(turn, tenant, spot);
      if (who === null) return;
      const where = await placeOf(spot, who);
      const { reply } = await guarded(turn, () =>
        commands.runCommand({ kind: 'help' }, who, where, services),
      );
      outcome = outcomeOf(await sender.send(where, reply, who));
    } finally {
      done(turn, null, turn.type === 'installationUpdate' ? 'install' : 'update', outcome, started);
    }
  }

  async function sayTo(spot: Omit<Place, 'audience'>, text: string): Promise<void> {
    const nobody = callerOf(null, { tid: spot.hostTenantId, oid: '', name: '' }, settings.homeTenantId);
    await sender.send(
      { ...spot, audience: unknownAudience },
      { text, to: 'conversation', tenants: [] },
      nobody,
    );
  }

  return { message, click, arrival };
}

const unknownAudience = { kind: 'unbound' as const, why: 'not asked' };

function allowed(turn: Turn): TenantId {
  if (turn.tenant === null) throw new Error('a turn without a tenant was let in');
  return turn.tenant;
}

/** A button of the old kind arrives as a message without text: none of our cards has one. */
function isOldSubmit(turn: Turn): boolean {
  return turn.text.trim() === '' && typeof turn.value === 'object' && turn.value !== null;
}

function outcomeOf(delivery: Delivery): string {
  return delivery.kind === 'sent' ? 'answered' : delivery.kind;
}

async function within<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
