import { demoHome } from '../../bot/cast.ts';
import { bearer } from './bearer.ts';
import { isBotScope } from './clouds.ts';
import {
  type Activity,
  bodyOf,
  bodyText,
  decoded,
  guidKey,
  idOf,
  newActivityId,
  refusal,
  rootOf,
  type Target,
  targetOf,
} from './connector-words.ts';
import { disturbed, type Fault, faultAnswer, replaces, takeFault } from './faults.ts';
import { type Answer, type Call, json } from './http.ts';
import type { Ledger } from './ledger.ts';
import { limiter, listLimits, sendLimits, tenantLimits } from './limits.ts';
import { members } from './roster.ts';
import type { Conversation, Keeper } from './state.ts';

/** The Playground's own connector, for the conversations it knows. */
export type PassOn = {
  knows(conversationId: string): boolean;
  /** Null when the Playground does not answer. */
  send(call: Call, path: string): Promise<Answer | null>;
};

export type Connector = { answer(call: Call): Promise<{ answer: Answer; tenant: string | undefined }> };

/** Bot Framework's connector: checks the bot's token and the published limits, and writes down what it took. */
export function openConnector(
  keeper: Keeper,
  ledger: Ledger,
  playground: () => PassOn | undefined,
): Connector {
  const { state } = keeper;
  const counts = limiter();

  async function answer(call: Call): Promise<{ answer: Answer; tenant: string | undefined }> {
    // `/emea/v3/…`, `/teams/v3/…`, `/emea/{tenant}/v3/…`: the region in front says nothing.
    const path = /^(?:\/[\w-]+){0,2}?(\/v3\/.*)$/.exec(call.path)?.[1];
    if (path === undefined) return { answer: refusal(404, 'NotFound', 'No such route.'), tenant: undefined };
    const denied = tokenProblem(call);
    if (denied !== undefined) return { answer: denied, tenant: undefined };
    const target = targetOf(path);
    const host = hostTenantOf(target?.conversation, call);
    const fault = takeFault(state.faults, call, host);
    if (fault !== null) keeper.touch();
    if (fault !== null && replaces(fault))
      return { answer: await failing(call, path, target, host, fault), tenant: host };
    const found = await answered(call, path, target, host, undefined);
    return { answer: fault === null ? found : disturbed(found, fault), tenant: host };
  }

  /** Fails; with `accept` the post has been taken before, and the sender cannot know. */
  async function failing(
    call: Call,
    path: string,
    target: Target | undefined,
    host: string,
    fault: Fault,
  ): Promise<Answer> {
    const failure = faultAnswer(fault, (code, message) => ({ error: { code, message } }));
    if (!fault.accept) return failure;
    const told = fault.reset ? 0 : failure.status;
    const taken = await answered(call, path, target, host, told);
    return taken.status < 300 ? failure : taken;
  }

  function tokenProblem(call: Call): Answer | undefined {
    const read = bearer(call, state.keys.entra);
    if ('problem' in read) return refusal(401, 'Unauthorized', read.problem);
    const { aud, appid, tid } = read.claims;
    if (typeof aud !== 'string' || !isBotScope(aud))
      return refusal(401, 'Unauthorized', 'The audience of the token is not this service.');
    if (appid !== state.bot.appId || tid !== state.bot.tenantId)
      return refusal(403, 'Forbidden', 'The token belongs to another bot.');
    return undefined;
  }

  function hostTenantOf(conversation: string | undefined, call: Call): string {
    const known = conversation === undefined ? undefined : conversationOf(conversation);
    if (known !== undefined) return known.hostTenant;
    const asked = conversation === undefined ? bodyOf(call) : undefined;
    const channelData = asked?.channelData as { tenant?: { id?: string } } | undefined;
    return String(asked?.tenantId ?? channelData?.tenant?.id ?? demoHome.id);
  }

  function conversationOf(id: string): Conversation | undefined {
    const root = rootOf(id);
    return state.conversations.find((one) => one.id === id || one.id === root);
  }

  async function answered(
    call: Call,
    path: string,
    target: Target | undefined,
    host: string,
    told: number | undefined,
  ): Promise<Answer> {
    if (path === '/v3/conversations' && call.method === 'POST')
      return createConversation(call, path, host, told);
    if (target === undefined) return refusal(404, 'NotFound', 'No such route.');
    const { conversation, rest } = target;
    if (call.method === 'GET') {
      if (!/^(paged)?members(\/|$)/.test(rest)) return refusal(404, 'NotFound', 'No such route.');
      return (
        limited(conversation, host, 'list', call) ?? members(conversationOf(conversation), rest, call.query)
      );
    }
    const activityId = /^activities(?:\/(.+))?$/.exec(rest)?.[1];
    if (rest !== 'activities' && activityId === undefined) return refusal(404, 'NotFound', 'No such route.');
    const targeted = call.query.get('isTargetedActivity') === 'true';
    const wrong = activityProblem(call, conversation, activityId, targeted);
    if (wrong !== undefined) return wrong;
    const throttled = limited(conversation, host, 'send', call);
    if (throttled !== undefined) return throttled;
    return take(call, path, conversation, decoded(activityId), targeted, told);
  }

  function activityProblem(
    call: Call,
    conversation: string,
    activityId: string | undefined,
    targeted: boolean,
  ): Answer | undefined {
    if (call.method === 'PUT' || call.method === 'DELETE') {
      if (activityId === undefined) return refusal(405, 'MethodNotAllowed', 'An activity id is missing.');
      if (!ledger.stands(conversation, decoded(activityId) ?? ''))
        return refusal(404, 'ActivityNotFoundInConversation', 'The activity is not in this conversation.');
    } else if (call.method !== 'POST') return refusal(405, 'MethodNotAllowed', 'Not allowed here.');
    if (call.method === 'DELETE') return undefined;
    if (call.body.length > 100 * 1024) return refusal(413, 'MessageSizeTooBig', 'Message size too large.');
    const activity = bodyOf(call);
    if (activity === undefined || typeof activity.type !== 'string')
      return refusal(400, 'BadSyntax', 'The activity cannot be read.');
    if (!targeted) return undefined;
    const recipient = activity.recipient as { id?: unknown; isTargeted?: unknown } | undefined;
    if (call.method === 'PUT')
      return recipient === undefined
        ? undefined
        : refusal(400, 'BadArgument', 'A targeted update must not have a recipient.');
    if (typeof recipient?.id !== 'string')
      return refusal(400, 'BadArgument', 'A targeted activity needs a recipient.');
    const known = conversationOf(conversation);
    if (known?.kind === 'personal')
      return refusal(400, 'BadArgument', 'There is no targeting in a personal chat.');
    if (known !== undefined && !known.members.some((one) => one.id === recipient.id))
      return refusal(404, 'BotNotInConversationRoster', 'The recipient is not part of the conversation.');
    return undefined;
  }

  /** Per conversation and, over all of them, per tenant. */
  function limited(
    conversation: string,
    host: string,
    kind: 'send' | 'list',
    call: Call,
  ): Answer | undefined {
    if (state.limitsOff) return undefined;
    const now = call.at.getTime();
    const tenantKey = `tenant ${host}`;
    const tenantWait = counts.take(tenantKey, tenantLimits, now);
    const wait =
      tenantWait > 0
        ? tenantWait
        : counts.take(`${kind} ${rootOf(conversation)}`, kind === 'send' ? sendLimits : listLimits, now);
    if (wait === 0) return undefined;
    if (tenantWait === 0) counts.giveBack(tenantKey);
    return refusal(429, 'TooManyRequests', 'API calls quota exceeded.', {
      'retry-after': String(Math.max(1, Math.ceil(wait / 1000))),
    });
  }

  async function take(
    call: Call,
    path: string,
    conversation: string,
    activityId: string | undefined,
    targeted: boolean,
    told: number | undefined,
  ): Promise<Answer> {
    const kind = call.method === 'POST' ? 'create' : call.method === 'PUT' ? 'update' : 'delete';
    const passOn = playground();
    const passed = passOn?.knows(conversation) ? await passOn.send(call, path) : null;
    const id = kind === 'create' ? (idOf(passed) ?? newActivityId(call)) : (activityId ?? '');
    const status = kind === 'create' ? 201 : 200;
    ledger.add({
      at: call.at.toISOString(),
      conversation,
      kind,
      targeted,
      activityId: id,
      ...(kind === 'create' && activityId !== undefined ? { replyTo: activityId } : {}),
      activity: kind === 'delete' ? null : (bodyOf(call) ?? null),
      status: told ?? status,
    });
    return kind === 'delete' ? { status: 200 } : json(status, { id });
  }

  async function createConversation(
    call: Call,
    path: string,
    host: string,
    told: number | undefined,
  ): Promise<Answer> {
    const asked = bodyOf(call);
    if (asked === undefined) return refusal(400, 'BadSyntax', 'The request cannot be read.');
    const channelData = asked.channelData as { channel?: { id?: string } } | undefined;
    const channel = channelData?.channel?.id;
    const wanted = Array.isArray(asked.members)
      ? (asked.members[0] as { id?: string } | undefined)
      : undefined;
    const root = channel ?? `a:${guidKey(wanted?.id ?? '')}`;
    if (channel === undefined && typeof wanted?.id !== 'string')
      return refusal(400, 'BadArgument', 'A member or a channel is needed.');
    const throttled = limited(root, host, 'send', call);
    if (throttled !== undefined) return throttled;
    const passOn = playground();
    const passed =
      passOn !== undefined && (channel === undefined || passOn.knows(channel))
        ? await passOn.send(call, path)
        : null;
    const answeredId = passed === null ? undefined : bodyText(passed).id;
    const activityId = idOf(passed, 'activityId') ?? newActivityId(call);
    const id =
      typeof answeredId === 'string'
        ? answeredId
        : channel === undefined
          ? root
          : `${channel};messageid=${activityId}`;
    const activity = asked.activity as Activity | undefined;
    if (activity !== undefined)
      ledger.add({
        at: call.at.toISOString(),
        conversation: id,
        kind: 'create',
        targeted: false,
        activityId,
        activity,
        status: told ?? 201,
      });
    return json(201, { id, activityId, serviceUrl: `https://${call.host}/emea/` });
  }

  return { answer };
}
