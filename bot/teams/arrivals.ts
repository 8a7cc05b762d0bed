import { baseOf } from '../../shared/conversation.ts';
import { plain } from '../../shared/foreign-text.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { type Instant, millis } from '../../shared/time.ts';
import type { PlaceRow, PlaceSeen, PlaceStore, SubscriptionStore } from '../services.ts';
import type { Turn } from './activity.ts';
import type { Audiences } from './audience.ts';

/** What an event about a conversation asks us to do. Everything but a greeting is done by `note`. */
export type Arrival =
  | { kind: 'nothing' }
  /** Say hello in this conversation, if nobody has yet. */
  | { kind: 'greet'; conversationId: string; by: string };

const seenEveryMs = 3_600_000;

/** Keeps what we know of conversations up to date with what Teams tells about them (I-9). */
export function openArrivals(options: {
  places: PlaceStore;
  subscriptions: Pick<SubscriptionStore, 'end' | 'reinstalled'>;
  audiences: Audiences;
  now(): Instant;
}) {
  const { places, subscriptions, audiences, now } = options;

  /** Remembers the conversation of a turn; writes only what is new, or once an hour. */
  async function remember(
    turn: Turn,
    tenant: TenantId,
    conversationId = turn.conversation.id,
  ): Promise<void> {
    const base = baseOf(conversationId);
    const known = await places.get(base);
    const row: PlaceSeen = {
      conversationId: base,
      kind: turn.conversation.kind,
      serviceUrl: turn.serviceUrl,
      hostTenantId: tenant,
      ...(turn.team === undefined ? {} : { teamId: turn.team }),
      ...(turn.conversation.kind === 'channel' ? { channelId: base } : {}),
      removed: false,
      seenAt: now(),
    };
    if (known !== null && sameAs(known, row)) return;
    await places.save(row);
  }

  function sameAs(known: PlaceRow, row: PlaceSeen): boolean {
    return (
      known.kind === row.kind &&
      known.serviceUrl === row.serviceUrl &&
      known.hostTenantId === row.hostTenantId &&
      (row.teamId === undefined || known.teamId === row.teamId) &&
      known.removed !== true &&
      millis(row.seenAt) - millis(known.seenAt) < seenEveryMs
    );
  }

  /** `installationUpdate` and `conversationUpdate`: who came, who left, what was shared, renamed, deleted. */
  async function note(turn: Turn, tenant: TenantId): Promise<Arrival> {
    const conversationId = turn.conversation.id;
    const install = turn.type === 'installationUpdate';
    const botCame = turn.botId !== undefined && turn.joined.includes(turn.botId);
    const botLeft = turn.botId !== undefined && turn.left.includes(turn.botId);
    const gone =
      (install && turn.action?.startsWith('remove') === true) || botLeft || deleted.has(turn.eventType ?? '');
    if (gone) {
      const from = baseOf(goneFrom(turn));
      await places.markRemoved(from);
      await audiences.forget(from, turn.team);
      await subscriptions.end(from, deleted.has(turn.eventType ?? '') ? 'deleted' : 'removed');
      return { kind: 'nothing' };
    }
    // Whoever came or went, whatever was shared or renamed: the list of members we have counts no more.
    if (!install || botCame) await audiences.forget(turn.channel ?? conversationId, turn.team);
    await remember(turn, tenant);
    if (!(install && turn.action?.startsWith('add') === true) && !botCame) return { kind: 'nothing' };
    // Back in a team is back in all its channels, and what they asked for goes on.
    await places.markBack(baseOf(conversationId));
    await subscriptions.reinstalled(baseOf(conversationId));
    const greeted =
      turn.conversation.kind === 'channel' ? (turn.selectedChannel ?? conversationId) : conversationId;
    if (greeted !== conversationId) await remember(turn, tenant, greeted);
    return { kind: 'greet', conversationId: greeted, by: turn.from?.name ?? '' };
  }

  /** True for the first who wants to greet here. */
  async function mayGreet(conversationId: string): Promise<boolean> {
    return await places.welcomeOnce(baseOf(conversationId));
  }

  return { remember, note, mayGreet };
}

const deleted = new Set(['channelDeleted', 'teamDeleted', 'teamHardDeleted']);

/** A deleted channel is told about in the team's general channel, whose id is the team's. */
function goneFrom(turn: Turn): string {
  return turn.eventType === 'channelDeleted' ? (turn.channel ?? turn.conversation.id) : turn.conversation.id;
}

/** The one post of an installation in a shared conversation: who brought us, how to ask, what it is good for. */
export function helloIn(kind: 'groupChat' | 'channel', by: string): string {
  const name = plain(by, 80);
  const who = name === '' ? 'Watchpost was added' : `${name} added Watchpost`;
  const [where, here] = kind === 'channel' ? ['team', 'channel'] : ['chat', 'chat'];
  return [
    `${who} to this ${where}.`,
    'Mention it with a question, for example: score contoso.',
    `watch contoso tells this ${here} when its score falls.`,
    'With help it says what else it answers.',
  ].join(' ');
}
