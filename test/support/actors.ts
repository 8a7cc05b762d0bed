import { randomUUID } from 'node:crypto';
import { Pool } from 'undici';
import type { Post } from '../sandbox/ledger.ts';
import type { Sandbox } from './sandbox.ts';

/** Somebody in Teams: what an activity and a roster say of one. */
export type Somebody = { oid: string; tid: string; teamsId: string; name: string };

/** A conversation as Teams names one; `host` is the tenant that owns it. */
export type Spot = { id: string; kind: 'personal' | 'groupChat' | 'channel'; host: string };

export type Answered = { status: number; body: unknown };

export type Said = {
  /** Mentioned besides the bot; `<at>Name</at>` must stand in the text. */
  mentions?: Somebody[];
  /** Asked privately in a conversation of several. */
  targeted?: boolean;
  /** Teams' id of the message; the same one twice is a repeat. */
  id?: string;
  /** A thread of a channel: its first message. */
  thread?: string;
};

/** A button as it stands in a card: its verb and its signed data. */
export type CardButton = { title: string; verb: string; data: unknown };

/** People who talk to one bot over HTTP, each message signed as Microsoft signs it. */
export type Actors = {
  say(who: Somebody, where: Spot, text: string, said?: Said): Promise<Answered>;
  /** Presses a button of a card that stands in `where`; `on` is the activity the card is in. */
  click(who: Somebody, where: Spot, button: CardButton, on: string, said?: Said): Promise<Answered>;
  /** What Teams tells of a conversation: who came or went, what was shared. */
  tell(where: Spot, from: Somebody, event: Record<string, unknown>): Promise<Answered>;
  close(): Promise<void>;
};

const serviceUrl = 'https://smba.trafficmanager.net/emea/';

/** Opens the way to the bot at `botUrl` with a token of the sandbox's Bot Framework. */
export async function openActors(sandbox: Sandbox, botUrl: string, connections = 32): Promise<Actors> {
  const token = await sandbox.token({ for: 'bot' });
  const bot = { id: `28:${sandbox.info.apps.bot.appId}`, name: 'Watchpost' };
  const pool = new Pool(new URL(botUrl).origin, { connections, headersTimeout: 90_000, bodyTimeout: 90_000 });

  async function post(activity: Record<string, unknown>): Promise<Answered> {
    const answer = await pool.request({
      method: 'POST',
      path: '/api/messages',
      headers: { 'content-type': 'application/json; charset=utf-8', authorization: `Bearer ${token}` },
      body: JSON.stringify(activity),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, body: text === '' ? undefined : JSON.parse(text) };
  }

  function envelope(who: Somebody, where: Spot, said: Said): Record<string, unknown> {
    const id = said.thread === undefined ? where.id : `${where.id};messageid=${said.thread}`;
    return {
      id: said.id ?? randomUUID(),
      timestamp: new Date().toISOString(),
      channelId: 'msteams',
      serviceUrl,
      from: { id: who.teamsId, name: who.name, aadObjectId: who.oid },
      recipient: { ...bot, ...(said.targeted === true ? { isTargeted: true } : {}) },
      conversation: {
        id,
        conversationType: where.kind,
        tenantId: where.host,
        ...(where.kind === 'personal' ? {} : { isGroup: true }),
      },
      channelData: {
        tenant: { id: where.host },
        ...(where.kind === 'channel' ? { channel: { id: where.id }, team: { id: teamOf(where) } } : {}),
      },
    };
  }

  return {
    async say(who, where, text, said = {}) {
      const mentioned = [
        ...(where.kind === 'personal' || said.targeted === true
          ? []
          : [{ mentioned: bot, text: `<at>${bot.name}</at>` }]),
        ...(said.mentions ?? []).map((one) => ({
          mentioned: { id: one.teamsId, name: one.name },
          text: `<at>${one.name}</at>`,
        })),
      ];
      return await post({
        ...envelope(who, where, said),
        type: 'message',
        text: where.kind === 'personal' || said.targeted === true ? text : `<at>${bot.name}</at> ${text}`,
        entities: mentioned.map((one) => ({ type: 'mention', ...one })),
      });
    },
    async click(who, where, { verb, data }, on, said = {}) {
      return await post({
        ...envelope(who, where, said),
        type: 'invoke',
        name: 'adaptiveCard/action',
        replyToId: on,
        value: { action: { type: 'Action.Execute', verb, data }, trigger: 'manual' },
      });
    },
    async tell(where, from, event) {
      return await post({ ...envelope(from, where, {}), type: 'conversationUpdate', ...event });
    },
    close: () => pool.close(),
  };
}

/** The team a channel belongs to: each channel has one of its own here. */
export function teamOf(where: Spot): string {
  return where.id.replace('19:', '19:team-');
}

/** A personal chat with the bot. */
export function personalWith(who: Somebody, host = who.tid): Spot {
  return { id: `a:${who.oid}`, kind: 'personal', host };
}

/** Every text in a post, an answer, a card: keys and their numbers left out, signatures too. */
export function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number') return [String(value)];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}

/** What a person would read of a post: all its words in one line. */
export function wordsOf(post: Post): string {
  const { summary, text, attachments } = post.activity ?? {};
  return textsIn([summary, text, attachments]).join(' ');
}

/** The buttons of a card, wherever in it they stand. */
export function buttonsIn(value: unknown): CardButton[] {
  if (Array.isArray(value)) return value.flatMap(buttonsIn);
  if (typeof value !== 'object' || value === null) return [];
  const { type, title, verb, data } = value as Record<string, unknown>;
  const own =
    type === 'Action.Execute' && typeof verb === 'string'
      ? [{ title: typeof title === 'string' ? title : '', verb, data }]
      : [];
  return [...own, ...Object.values(value).flatMap(buttonsIn)];
}

/** Reads the ledger on from where it stands now; each post once. */
export async function followLedger(sandbox: Sandbox): Promise<{ more(): Promise<Post[]> }> {
  let after = (await sandbox.posts('?limit=1')).at(-1)?.seq ?? 0;
  return {
    async more() {
      const found: Post[] = [];
      for (;;) {
        const page = await sandbox.posts(`?after=${after}&limit=500`);
        found.push(...page);
        after = page.at(-1)?.seq ?? after;
        if (page.length < 500) return found;
      }
    },
  };
}
