import { randomUUID } from 'node:crypto';
import { request } from 'undici';
import { demoHome, demoPeople } from '../../bot/cast.ts';
import { inboundToken, serviceUrl } from './bot-keys.ts';
import { rootOf } from './connector-words.ts';
import { type Answer, type Call, json } from './http.ts';
import { findPerson } from './people.ts';
import { guidOf } from './seeded.ts';
import { extra, homeMembers, type Keeper } from './state.ts';

export type Relay = { answer(call: Call): Promise<Answer> };

type Activity = Record<string, unknown>;
type Account = { id?: string; name?: string; aadObjectId?: string };
export const botName = 'Watchpost';

/**
 * Teams as the bot sees it: any activity gets the fixed ids, the real service address and a token of the Bot
 * Framework, and is passed to the bot. Status and body come back as they are.
 */
export function openRelay(keeper: Keeper, bot: string | undefined): Relay {
  async function answer(call: Call): Promise<Answer> {
    if (bot === undefined) return json(503, { error: 'The sandbox was started without --bot.' });
    if (call.method !== 'POST') return json(405, { error: 'POST an activity.' });
    // A page of another site can send text without asking, JSON it cannot; nobody else may speak as these people.
    if (!/^application\/json\b/.test(String(call.headers['content-type'] ?? '')))
      return json(415, { error: 'Send JSON with content-type: application/json.' });
    let activity: Activity;
    try {
      activity = withFixedIds(keeper, JSON.parse(call.body.toString('utf8')) as Activity, call.at);
    } catch {
      return json(400, { error: 'The body is not an activity.' });
    }
    try {
      const answered = await request(bot, {
        method: 'POST',
        headers: {
          'content-type': 'application/json; charset=utf-8',
          authorization: `Bearer ${inboundToken(keeper.state, call.at)}`,
        },
        body: JSON.stringify(activity),
        headersTimeout: 20_000,
        bodyTimeout: 20_000,
      });
      const body = Buffer.from(await answered.body.arrayBuffer());
      const type = answered.headers['content-type'];
      return {
        status: answered.statusCode,
        ...(type === undefined ? {} : { headers: { 'content-type': String(type) } }),
        body,
      };
    } catch (error) {
      return json(502, {
        error: `The bot does not answer: ${error instanceof Error ? error.message : String(error)}`,
      });
    }
  }
  return { answer };
}

/** The activity as Teams would send it; what is missing is filled in, so that one line of text is enough. */
export function withFixedIds(keeper: Keeper, activity: Activity, at: Date): Activity {
  const from = account(activity.from as Account | undefined);
  const given = (activity.conversation ?? {}) as Activity;
  const id = typeof given.id === 'string' ? given.id : 'a:sandbox-personal';
  const kind = kindOf(given, id);
  const conversation = {
    ...given,
    id,
    tenantId: demoHome.id,
    conversationType: kind,
    ...(kind === 'personal' ? {} : { isGroup: true }),
  };
  remember(keeper, id, kind, from);
  const bot = { id: `28:${keeper.state.bot.appId}`, name: botName };
  const recipient = (activity.recipient ?? {}) as Account;
  const isBot = (one: Account): boolean =>
    one.id === bot.id ||
    one.id === keeper.state.bot.appId ||
    (one.id !== undefined && one.id === recipient.id);
  return {
    type: 'message',
    id: randomUUID(),
    timestamp: at.toISOString(),
    locale: 'en-GB',
    ...activity,
    channelId: 'msteams',
    serviceUrl,
    from,
    recipient: { ...recipient, ...bot },
    ...withPeople(activity, (one) => (isBot(one) ? { ...one, ...bot } : named(one))),
    conversation,
    channelData: { ...(activity.channelData as Activity | undefined), tenant: { id: demoHome.id } },
  };
}

/** One of the five, or a stranger of the home tenant with an id that stays the same. */
function account(given: Account | undefined): Account {
  if (given?.id === undefined && given?.aadObjectId === undefined) return asAccount(demoPeople[0]);
  const person =
    findPerson(given.id ?? '') ??
    findPerson(given.aadObjectId ?? '') ??
    (given.id === undefined ? undefined : findPerson(given.name ?? ''));
  if (person !== undefined) return { ...given, ...asAccount(person) };
  if (given.id === extra.teamsId) return { ...given, name: extra.name, aadObjectId: extra.oid };
  return {
    ...given,
    id: given.id ?? `29:${given.aadObjectId}`,
    aadObjectId: given.aadObjectId ?? guidOf(`stranger ${given.id}`),
  };
}

function asAccount(person: (typeof demoPeople)[number] | undefined): Account {
  if (person === undefined) throw new Error('The cast is empty.');
  return { id: person.teamsId, name: person.name, aadObjectId: person.oid };
}

/** Mentions and added or removed members speak of the same people. */
function withPeople(activity: Activity, known: (one: Account) => Account): Activity {
  const changed: Activity = {};
  for (const name of ['membersAdded', 'membersRemoved']) {
    const list = activity[name];
    if (Array.isArray(list)) changed[name] = list.map((one: Account) => known(one));
  }
  if (Array.isArray(activity.entities))
    changed.entities = activity.entities.map((entity: Activity) =>
      entity.type === 'mention' && typeof entity.mentioned === 'object' && entity.mentioned !== null
        ? { ...entity, mentioned: known(entity.mentioned as Account) }
        : entity,
    );
  return changed;
}

function named(one: Account): Account {
  const person = findPerson(one.id ?? '');
  return person === undefined ? one : { ...one, ...asAccount(person) };
}

function kindOf(conversation: Activity, id: string): 'personal' | 'groupChat' | 'channel' {
  const said = conversation.conversationType;
  if (said === 'personal' || said === 'groupChat' || said === 'channel') return said;
  if (!id.startsWith('19:')) return conversation.isGroup === true ? 'groupChat' : 'personal';
  return id.includes('@thread.tacv2') ? 'channel' : 'groupChat';
}

/** Whoever speaks through the relay is of the home tenant: a new chat has the speaker, a new group all of them. */
function remember(
  { state, touch }: Keeper,
  id: string,
  kind: 'personal' | 'groupChat' | 'channel',
  from: Account,
): void {
  const root = rootOf(id);
  if (state.conversations.some((one) => one.id === root || one.id === id)) return;
  const speaker = {
    id: from.id ?? '',
    aadObjectId: from.aadObjectId ?? '',
    name: from.name ?? 'Somebody',
    userRole: 'user',
    tenantId: demoHome.id,
  };
  const all = homeMembers();
  const known = all.find((one) => one.id === speaker.id);
  const members = kind === 'personal' ? [known ?? speaker] : known === undefined ? [...all, speaker] : all;
  if (state.conversations.length >= 10_000) state.conversations.shift();
  state.conversations.push({ id: root, kind, hostTenant: demoHome.id, members });
  touch();
}
