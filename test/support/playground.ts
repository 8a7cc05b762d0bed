import { poll } from './program.ts';

/** What the Playground shows of one message: text of the message, or all texts of its card, and the whole of it. */
export type Shown = { conversation: string; action: string; id: string; words: string; card: unknown };

/** A conversation partner in Microsoft's Agents Playground, over its own API: says something, reads what is shown. */
export type Chat = {
  places: { personal: string; group: string; channel: string };
  /** Says it and answers the first message that the bot then shows in that conversation. */
  say(text: string, options?: { in?: 'personal' | 'group' | 'channel'; as?: string }): Promise<Shown>;
  /** Says it and expects nothing back. */
  utter(
    text: string,
    options?: { in?: 'personal' | 'group' | 'channel'; as?: string; mention?: boolean },
  ): Promise<void>;
  /** Presses a button of a shown card (Action.Execute): what the bot answers for the person who pressed. */
  press(
    shown: Shown,
    title: string | RegExp,
    as?: string,
  ): Promise<{ status: number; words: string; card: unknown }>;
  /** Everything shown so far, in order. */
  shown(): readonly Shown[];
  /** The first thing shown from `since` on that fits. */
  next(fits: (shown: Shown) => boolean, since: number): Promise<Shown>;
  close(): void;
};

type Config = {
  bot: { id: string; name: string };
  currentUser: { id: string };
  personalChat: { id: string };
  groupChats: { id: string }[];
  teams: { channels: { id: string; name: string }[] }[];
};

/** Opens a chat at the Playground's address and installs the bot, as its page does when it is opened. */
export async function openChat(url: string): Promise<Chat> {
  const { config } = (await (await fetch(`${url}/_internal/v1/testConfig`)).json()) as { config: Config };
  const places = {
    personal: config.personalChat.id,
    group: config.groupChats[0]?.id ?? '',
    channel: config.teams[0]?.channels.at(-1)?.id ?? '',
  };
  const seen: Shown[] = [];
  const socket = new WebSocket(`${url.replace('http', 'ws')}/_ws_conversation/v1/conversations/stream`);
  socket.addEventListener('message', (event) => {
    const one = shownOf(JSON.parse(String(event.data)));
    if (one !== null) seen.push(one);
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', reject, { once: true });
  });

  async function post(path: string, body: unknown): Promise<{ status: number; body: unknown }> {
    const answer = await fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(20_000),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? null : JSON.parse(text) };
  }

  const chat: Chat = {
    places,
    shown: () => seen,
    async utter(text, options = {}) {
      const place = options.in ?? 'personal';
      const mention = options.mention ?? place !== 'personal';
      const at = `<at>${config.bot.name}</at>`;
      const answer = await post(
        `/_conversation/v1/conversations/${encodeURIComponent(places[place])}/messages`,
        {
          from: { id: options.as ?? config.currentUser.id },
          text: mention ? `${at} ${text}` : text,
          textFormat: 'plain',
          ...(mention
            ? { mentions: [{ mentioned: { id: config.bot.id, name: config.bot.name }, text: at }] }
            : {}),
        },
      );
      if (answer.status >= 300)
        throw new Error(`the Playground answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    },
    async say(text, options = {}) {
      const since = seen.length;
      await chat.utter(text, options);
      return await chat.next(
        (one) =>
          one.action === 'createMessage' && one.conversation.startsWith(places[options.in ?? 'personal']),
        since,
      );
    },
    next: (fits, since) =>
      poll(
        () => seen.slice(since).find(fits) ?? null,
        15_000,
        () => `nothing fitting was shown; last: ${JSON.stringify(seen.at(-1))?.slice(0, 500)}`,
      ),
    async press(shown, title, as) {
      const action = actionsOf(shown.card).find((one) =>
        typeof title === 'string' ? one.title === title : title.test(one.title ?? ''),
      );
      if (action === undefined)
        throw new Error(
          `no such button: ${title}; there are ${actionsOf(shown.card).map((one) => one.title)}`,
        );
      const answer = await post('/_conversation/v1/invoke', {
        name: 'adaptiveCard/action',
        conversation: { id: shown.conversation },
        from: { id: as ?? config.currentUser.id },
        replyToId: shown.id,
        value: {
          action: { type: 'Action.Execute', verb: action.verb, data: action.data },
          trigger: 'manual',
        },
      });
      const body = answer.body as { body?: { value?: unknown }; value?: unknown } | null;
      const card = body?.value ?? body?.body?.value ?? body;
      return { status: answer.status, words: wordsOf(card).join(' '), card };
    },
    close: () => socket.close(),
  };
  return chat;
}

type Button = { type?: string; title?: string; verb?: string; data?: unknown };

/** Every action of a card, also those of rows. */
export function actionsOf(card: unknown): Button[] {
  if (Array.isArray(card)) return card.flatMap(actionsOf);
  if (typeof card !== 'object' || card === null) return [];
  const own =
    'type' in card && typeof card.type === 'string' && card.type.startsWith('Action.')
      ? [card as Button]
      : [];
  return [
    ...own,
    ...Object.entries(card).flatMap(([name, value]) => (name === 'data' ? [] : actionsOf(value))),
  ];
}

function shownOf(event: unknown): Shown | null {
  const { action, actionConversationId, message } = event as {
    action?: string;
    actionConversationId?: string;
    message?: {
      messageId?: string;
      text?: string;
      from?: { id?: string };
      attachments?: { content?: unknown }[];
    };
  };
  if (action === undefined || message === undefined || message.from?.id?.startsWith('28:') !== true)
    return null;
  const card = message.attachments?.[0]?.content;
  return {
    conversation: actionConversationId ?? '',
    action,
    id: message.messageId ?? '',
    words: [message.text ?? '', ...wordsOf(card)].join(' ').trim(),
    card,
  };
}

/** All texts of a card, in order; the invisible joiners that keep foreign names from becoming links are left out. */
export function wordsOf(card: unknown): string[] {
  if (Array.isArray(card)) return card.flatMap(wordsOf);
  if (typeof card !== 'object' || card === null) return [];
  return Object.entries(card).flatMap(([name, value]) => {
    if ((name === 'text' || name === 'title') && typeof value === 'string')
      return [value.replaceAll('\u2060', '')];
    return name === 'data' ? [] : wordsOf(value);
  });
}
