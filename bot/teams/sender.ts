import { setTimeout as pause } from 'node:timers/promises';
import { type Audience, type Caller, callerOf, mayGo, scopeFor } from '../../shared/access.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { type Instant, millis } from '../../shared/time.ts';
import { errorCode } from '../errors.ts';
import type { Log } from '../log.ts';
import type { CardData, Deliver, Delivery, News, Place, Reply, Store } from '../services.ts';
import { type Audiences, isPassing } from './audience.ts';
import type { CardSigner } from './card-data.ts';
import { type Address, type Connector, deliveryOf, type OutgoingActivity } from './connector.ts';

const cardBytes = 28 * 1024;
const textLength = 8000;
/** A person waits this long for an answer that Teams would not take at once. */
const waitAtMostMs = 5_000;

export type Gate = typeof mayGo;

/** What an invoke is answered with: only the person who clicked sees it. */
export type Rendered =
  | { kind: 'card'; card: CardData }
  | { kind: 'text'; text: string }
  | { kind: 'withheld' };

type Said = Pick<Reply, 'card' | 'text'>;

export type Sender = Deliver & {
  renderFor(place: Place, reply: Reply, who: Caller): Promise<Rendered>;
};

export type SenderOptions = {
  connector: Connector;
  audiences: Audiences;
  store: Pick<Store, 'people' | 'audit'>;
  homeTenantId: TenantId;
  cards: CardSigner;
  /** Given as an argument so that a test can take it out and see that it guards something. */
  gate?: Gate;
  /** Where a card that is too large leads to. */
  openUrl: string;
  now(): Instant;
  log: Log;
};

/**
 * The way into Teams (R37, I-3, I-7): everything passes the gate right before the wire, with binding, members and the
 * reader's grants as they are at that moment, whatever they were when the answer was made.
 */
export function openSender(options: SenderOptions): Sender {
  const { connector, audiences, store, cards, homeTenantId, now, log } = options;
  const gate = options.gate ?? mayGo;

  /** Who reads along in `place` now. A personal chat is its person's, whatever the place said before. */
  async function audienceOfNow(place: Place, who: Caller): Promise<Audience> {
    return place.kind === 'personal'
      ? { kind: 'personal', oid: who.oid, tid: who.tid }
      : await audiences.of(place);
  }

  /** The gate for one reader: what the place may show **and** what that person may see today. */
  async function passesFor(tenants: readonly TenantId[], audience: Audience, who: Caller): Promise<boolean> {
    const today = callerOf(await store.people.get(who.tid, who.oid), who, homeTenantId);
    const alone: Audience = { kind: 'personal', oid: who.oid, tid: who.tid };
    const scope = scopeFor(today, audience, 'view', now());
    return gate(tenants, audience, scope) && gate(tenants, alone, scope);
  }

  async function passes(tenants: readonly TenantId[], place: Place, audience: Audience, who: Caller) {
    if (tenants.length === 0) return true;
    if (place.kind === 'personal' || place.targeted) return await passesFor(tenants, audience, who);
    return gate(tenants, audience);
  }

  /** Once through the gate and, when it opens, onto the wire with nothing in between. */
  async function attempt(place: Place, reply: Reply, who: Caller): Promise<Delivery> {
    try {
      await connector.ready();
    } catch (error) {
      return { kind: 'unreachable', why: errorCode(error) };
    }
    const address: Address = {
      serviceUrl: place.serviceUrl,
      conversationId: place.conversationId,
      targeted: place.targeted && place.kind !== 'personal',
    };
    const static_ = reply.tenants.length === 0 && reply.card === undefined;
    // A static text may go anywhere: nobody needs to be asked who reads it.
    const audience: Audience = static_
      ? { kind: 'unbound', why: 'not asked' }
      : await audienceOfNow(place, who);
    const activity = message(reply, signed(reply.card, place, audience, who), address, place);
    if (!(await passes(reply.tenants, place, audience, who))) {
      log.warn({ kind: audience.kind, count: reply.tenants.length }, 'the gate withheld an answer');
      await withheld('an answer', reply.tenants, place, audience, who);
      return { kind: 'withheld', why: `not for ${audience.kind}` };
    }
    const outcome =
      reply.replaces === undefined
        ? await connector.post(address, activity)
        : await connector.update(address, reply.replaces, activity);
    return deliveryOf(outcome);
  }

  /** News once through the gate and, when it opens, onto the wire. */
  async function tell(
    place: Omit<Place, 'audience'>,
    news: News,
    isOurs: () => boolean = () => true,
    begin?: () => Promise<boolean>,
  ): Promise<Delivery> {
    // News has no reader of its own, and says whose it is.
    if (place.kind === 'personal' || news.tenants.length === 0) {
      return { kind: 'withheld', why: 'news is for channels and group chats' };
    }
    try {
      await connector.ready();
    } catch (error) {
      return { kind: 'unreachable', why: errorCode(error) };
    }
    let audience = await audiences.of(place);
    if (!gate(news.tenants, audience)) return await refusalOf(news, place, audience);
    if (begin !== undefined) {
      if (!(await begin())) return { kind: 'unreachable', why: othersMaySend };
      // That took its time: what decides is who reads there and whose it is now.
      audience = await audiences.of(place);
    }
    const address: Address = { ...place, targeted: false };
    const activity = {
      ...message(news, signed(news.card, place, audience), address, place),
      channelData: {
        watchpost: { findings: news.findings, ...(news.repeated === true ? { repeated: true } : {}) },
      },
    };
    if (!gate(news.tenants, audience)) return await refusalOf(news, place, audience);
    if (!isOurs()) return { kind: 'unreachable', why: othersMaySend };
    const outcome =
      news.replaces === undefined
        ? await connector.post(address, activity)
        : await connector.update(address, news.replaces, activity);
    return deliveryOf(outcome);
  }

  /** What the gate keeps back is in the audit, a flood of it counted. */
  async function withheld(
    what: string,
    tenants: readonly TenantId[],
    place: Omit<Place, 'audience'>,
    audience: Audience,
    who?: Caller,
  ): Promise<void> {
    const [tenant] = tenants;
    await store.audit.denied({
      who: who === undefined ? 'watchpost' : `${who.tid}/${who.oid}`,
      what: 'gate',
      ...(tenants.length === 1 && tenant !== undefined ? { tenant } : {}),
      where: place.conversationId,
      result: 'refused',
      detail: `withheld ${what} of ${tenants.length} tenant${tenants.length === 1 ? '' : 's'}: not for ${audience.kind}`,
    });
  }

  /** News that the gate kept back. Where it is only not known yet who reads along, it is looked at again in a while. */
  async function refusalOf(
    news: News,
    place: Omit<Place, 'audience'>,
    audience: Audience,
  ): Promise<Delivery> {
    log.warn({ kind: audience.kind, count: news.tenants.length }, 'the gate withheld news');
    if (isPassing(audience)) return { kind: 'unreachable', why: whyNot(audience) };
    await withheld('news', news.tenants, place, audience);
    return { kind: 'withheld', why: whyNot(audience) };
  }

  /** The card as JSON. `who` is the reader of a targeted one. */
  function signed(
    card: CardData | undefined,
    place: Omit<Place, 'audience'>,
    audience: Audience,
    who?: Caller,
  ): string | undefined {
    if (card === undefined) return undefined;
    const oid = place.targeted && who !== undefined ? { oid: who.oid } : {};
    return cards.sign(card, { conversationId: place.conversationId, audience, ...oid }, millis(now()));
  }

  function message(
    reply: Said,
    card: string | undefined,
    address: Address,
    place: Omit<Place, 'audience'>,
  ): OutgoingActivity {
    const content = fitting(reply, card, options.openUrl);
    return {
      type: 'message',
      ...(address.targeted ? { recipient: { id: place.personTeamsId, isTargeted: true } } : {}),
      ...(content.kind === 'card'
        ? { summary: cut(summaryOf(reply)), card: content.card }
        : { text: content.text, textFormat: 'markdown' }),
    };
  }

  /** The personal chat with the person a targeted answer was for; undefined when Teams does not give one. */
  async function personalPlace(place: Place, who: Caller): Promise<Place | Delivery> {
    const opened = deliveryOf(
      await connector.openPersonal(place.serviceUrl, place.personTeamsId, place.hostTenantId),
    );
    if (opened.kind !== 'sent') return opened;
    return {
      kind: 'personal',
      conversationId: opened.activityId,
      serviceUrl: place.serviceUrl,
      hostTenantId: place.hostTenantId,
      audience: { kind: 'personal', oid: who.oid, tid: who.tid },
      targeted: false,
      personTeamsId: place.personTeamsId,
    };
  }

  return {
    async send(place, reply, who) {
      const first = await attempt(place, reply, who);
      // 429 was surely not accepted: after a short wait once more, through the gate again. Longer ones are told.
      const soon = first.kind === 'throttled' && first.retryAfterMs <= waitAtMostMs;
      if (soon) await pause(first.retryAfterMs);
      const delivery = soon ? await attempt(place, reply, who) : first;
      const cannotTarget =
        place.targeted &&
        place.kind !== 'personal' &&
        delivery.kind === 'refused' &&
        (delivery.status === 404 || delivery.status === 400);
      if (!cannotTarget) return delivery;
      // Asked privately: the answer goes to the person alone or nowhere, never into the conversation.
      if (place.personTeamsId === '') return delivery;
      const personal = await personalPlace(place, who);
      if (!('conversationId' in personal)) return personal;
      const { replaces: _, ...again } = reply;
      return await attempt(personal, again, who);
    },
    post: tell,
    async typing(place) {
      const targeted = place.targeted && place.kind !== 'personal';
      const activity: OutgoingActivity = {
        type: 'typing',
        ...(targeted ? { recipient: { id: place.personTeamsId, isTargeted: true } } : {}),
      };
      const outcome = await connector.post(
        { serviceUrl: place.serviceUrl, conversationId: place.conversationId, targeted },
        activity,
      );
      const ended = deliveryOf(outcome);
      // Nobody waits for a typing sign: one that does not arrive is only noted.
      if (ended.kind !== 'sent' && ended.kind !== 'ambiguous')
        log.debug({ code: ended.kind }, 'typing not shown');
    },
    async renderFor(place, reply, who) {
      const audience = await audienceOfNow(place, who);
      const card = signed(reply.card, place, audience, who);
      if (reply.tenants.length > 0 && !(await passesFor(reply.tenants, audience, who))) {
        log.warn({ kind: audience.kind, count: reply.tenants.length }, 'the gate withheld an answer');
        await withheld('an answer', reply.tenants, place, audience, who);
        return { kind: 'withheld' };
      }
      const content = fitting(reply, card, options.openUrl);
      return content.kind === 'card' ? { kind: 'card', card: JSON.parse(content.card) } : content;
    },
  };
}

const othersMaySend = 'somebody else may send it by now';

function whyNot(audience: Audience): string {
  if (audience.kind === 'customer') return 'this conversation belongs to another customer';
  return audience.kind === 'unbound' ? audience.why : `not for ${audience.kind}`;
}

/** The toast knows no Markdown: the card's own plain text, without escapes and stars. */
function summaryOf({ card, text }: Said): string {
  return typeof card?.fallbackText === 'string' && card.fallbackText !== '' ? card.fallbackText : text;
}

/** The card when it is small enough for every client, otherwise its text with the way to the rest. */
function fitting(
  reply: Said,
  card: string | undefined,
  openUrl: string,
): { kind: 'card'; card: string } | { kind: 'text'; text: string } {
  if (card === undefined) return { kind: 'text', text: cut(reply.text) };
  // A character takes three bytes at most.
  if (card.length * 3 <= cardBytes || Buffer.byteLength(card) <= cardBytes) return { kind: 'card', card };
  return {
    kind: 'text',
    text: `${cut(reply.text)}\n\nThis is too long for a card. [Open in Watchpost](${openUrl})`,
  };
}

function cut(text: string): string {
  return text.length <= textLength ? text : `${text.slice(0, textLength - 1).toWellFormed()}…`;
}
