import * as v from 'valibot';
import type { Mention } from '../../shared/command.ts';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';

/** The envelope of an inbound activity: what we use of it and nothing else, each part bounded. Microsoft sends null for absent. */
// Ids become parts of paths and keys of rows: one that is only dots would climb, half a character is no text at all.
const id = v.pipe(
  v.string(),
  v.maxLength(512),
  v.regex(/[^.]/),
  v.check((text) => text.isWellFormed() && !text.includes('\0')),
);
const shortText = v.pipe(v.string(), v.maxLength(1024));
const anyText = v.pipe(v.string(), v.maxLength(262_144));

const account = v.object({
  id,
  name: v.nullish(shortText),
  aadObjectId: v.nullish(v.pipe(v.string(), v.maxLength(64))),
  isTargeted: v.nullish(v.boolean()),
});
const named = v.object({ id: v.nullish(id), type: v.nullish(shortText) });

const envelope = v.object({
  type: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  id: v.nullish(id),
  channelId: v.literal('msteams'),
  serviceUrl: v.pipe(v.string(), v.minLength(1), v.maxLength(1024)),
  name: v.nullish(v.pipe(v.string(), v.maxLength(256))),
  action: v.nullish(v.pipe(v.string(), v.maxLength(64))),
  replyToId: v.nullish(id),
  from: v.nullish(account),
  recipient: v.nullish(account),
  conversation: v.object({
    id,
    conversationType: v.nullish(v.pipe(v.string(), v.maxLength(64))),
    tenantId: v.nullish(v.pipe(v.string(), v.maxLength(64))),
  }),
  channelData: v.nullish(
    v.object({
      tenant: v.nullish(v.object({ id: v.nullish(v.pipe(v.string(), v.maxLength(64))) })),
      team: v.nullish(named),
      channel: v.nullish(named),
      eventType: v.nullish(v.pipe(v.string(), v.maxLength(128))),
      settings: v.nullish(v.object({ selectedChannel: v.nullish(named) })),
    }),
  ),
  text: v.nullish(anyText),
  entities: v.nullish(v.pipe(v.array(v.unknown()), v.maxLength(1000))),
  value: v.optional(v.unknown()),
  membersAdded: v.nullish(v.pipe(v.array(v.object({ id })), v.maxLength(5000))),
  membersRemoved: v.nullish(v.pipe(v.array(v.object({ id })), v.maxLength(5000))),
});

const mention = v.object({
  type: v.literal('mention'),
  text: v.nullish(v.pipe(v.string(), v.maxLength(1024))),
  mentioned: v.object({ id }),
});

/** An activity as the rest of the door sees it: absent is undefined, ids are checked. */
export type Turn = {
  type: string;
  id: string | undefined;
  serviceUrl: string;
  /** Of an invoke. */
  name: string | undefined;
  /** Of an installationUpdate. */
  action: string | undefined;
  replyToId: string | undefined;
  conversation: { id: string; kind: 'personal' | 'groupChat' | 'channel' };
  /** Tenant the envelope speaks of, twice; null when it is no GUID or the two differ. */
  tenant: TenantId | null;
  from: { id: string; oid: string | undefined; name: string } | undefined;
  /** Teams' id of the bot in this conversation. */
  botId: string | undefined;
  targeted: boolean;
  team: string | undefined;
  channel: string | undefined;
  eventType: string | undefined;
  selectedChannel: string | undefined;
  text: string;
  mentions: Mention[];
  value: unknown;
  joined: string[];
  left: string[];
};

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The body of `POST /api/messages` as a turn, or undefined when it is no activity. */
export function parseActivity(body: unknown): Turn | undefined {
  const parsed = v.safeParse(envelope, body);
  if (!parsed.success) return undefined;
  const raw = parsed.output;
  const kind = kindOf(raw.conversation.conversationType, raw.conversation.id);
  if (kind === undefined) return undefined;
  // What a person says or clicks has an id, so that it can be done once; what only informs us may lack one.
  if ((raw.type === 'message' || raw.type === 'invoke') && raw.id == null) return undefined;
  const oid = raw.from?.aadObjectId?.toLowerCase();
  const botId = raw.recipient?.id;
  return {
    type: raw.type,
    id: raw.id ?? undefined,
    serviceUrl: raw.serviceUrl,
    name: raw.name ?? undefined,
    action: raw.action ?? undefined,
    replyToId: raw.replyToId ?? undefined,
    conversation: { id: raw.conversation.id, kind },
    tenant: tenantOf(raw.conversation.tenantId, raw.channelData?.tenant?.id),
    from:
      raw.from == null
        ? undefined
        : {
            id: raw.from.id,
            oid: oid !== undefined && guid.test(oid) ? oid : undefined,
            name: (raw.from.name ?? '').toWellFormed(),
          },
    botId,
    targeted: kind !== 'personal' && raw.recipient?.isTargeted === true,
    team: raw.channelData?.team?.id ?? undefined,
    channel: raw.channelData?.channel?.id ?? undefined,
    eventType: raw.channelData?.eventType ?? undefined,
    selectedChannel: raw.channelData?.settings?.selectedChannel?.id ?? undefined,
    text: raw.text ?? '',
    mentions: mentionsOf(raw.entities ?? [], botId),
    value: raw.value,
    joined: (raw.membersAdded ?? []).map((one) => one.id),
    left: (raw.membersRemoved ?? []).map((one) => one.id),
  };
}

/** Teams names the kind; where it does not, the id's form tells a channel, and anything unclear is no personal chat. */
function kindOf(
  type: string | null | undefined,
  conversationId: string,
): Turn['conversation']['kind'] | undefined {
  if (type === 'personal' || type === 'groupChat' || type === 'channel') return type;
  if (type != null) return undefined;
  return conversationId.includes('@thread.tacv2') || conversationId.includes('@thread.skype')
    ? 'channel'
    : 'groupChat';
}

function tenantOf(first: string | null | undefined, second: string | null | undefined): TenantId | null {
  const one = tenantId(first ?? '');
  const other = tenantId(second ?? '');
  return one !== undefined && one === other ? one : null;
}

function mentionsOf(entities: readonly unknown[], botId: string | undefined): Mention[] {
  const found: Mention[] = [];
  for (const entity of entities) {
    if (found.length === 50) break;
    const parsed = v.safeParse(mention, entity);
    if (!parsed.success) continue;
    const { mentioned, text } = parsed.output;
    found.push({ teamsId: mentioned.id, text: text ?? '', isBot: mentioned.id === botId });
  }
  return found;
}
