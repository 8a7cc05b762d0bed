import { errorCode } from '../errors.ts';
import type { Delivery } from '../services.ts';
import { isAllowedServiceUrl } from './service-url.ts';

/** What the connector needs of the way out: one attempt, no redirects followed, an error that knows its phase. */
export type OutboundLike = (
  url: string,
  init: {
    method: 'GET' | 'POST' | 'PUT';
    headers: Readonly<Record<string, string>>;
    body?: string;
    timeoutMs?: number;
    maxBytes?: number;
  },
) => Promise<{ status: number; headers: Readonly<Record<string, string>>; body: Uint8Array }>;

/** What came of one attempt, before it is judged. `id` of an update is the one we named. */
export type Outcome =
  | { kind: 'answered'; status: number; id?: string; code?: string; retryAfter?: string }
  | { kind: 'failed'; phase: 'before' | 'after'; code: string }
  | { kind: 'not-allowed' };

/** An activity on its way out, as Bot Framework's JSON; `card` is that of an Adaptive Card, which is attached. */
export type OutgoingActivity = { type: string; card?: string; [member: string]: unknown };

/** Where an activity goes. `targeted` makes it private to its `recipient`. */
export type Address = { serviceUrl: string; conversationId: string; targeted: boolean };

/** One member as Teams lists one; every field is foreign. */
export type ListedMember = {
  id?: unknown;
  aadObjectId?: unknown;
  objectId?: unknown;
  tenantId?: unknown;
  userRole?: unknown;
  name?: unknown;
  email?: unknown;
  userPrincipalName?: unknown;
};
export type MemberPage =
  | { kind: 'read'; members: ListedMember[]; next: string | undefined }
  | { kind: 'unread'; why: string };

export type Connector = {
  /** Gets the bearer token ready, so that nothing slow stands between the gate and the wire. */
  ready(): Promise<void>;
  /** Posts into the conversation; a thread's id (`;messageid=`) makes it an answer there. */
  post(to: Address, activity: OutgoingActivity): Promise<Outcome>;
  /** Replaces an activity of ours: idempotent. */
  update(to: Address, activityId: string, activity: OutgoingActivity): Promise<Outcome>;
  /** The personal chat with one person; the outcome's id is the conversation's. */
  openPersonal(serviceUrl: string, personTeamsId: string, tenantId: string): Promise<Outcome>;
  /** One page of at most 500 members. */
  members(serviceUrl: string, conversationId: string, after?: string): Promise<MemberPage>;
};

const attemptMs = 10_000;
const cardType = 'application/vnd.microsoft.card.adaptive';

/**
 * Teams' connector through our one way out: one attempt of at most 10 s, because the create call is not idempotent and
 * a repeat after an unclear answer is a second message (security.md F4). Repeating is the sender's business.
 */
export function openConnector(options: {
  outbound: OutboundLike;
  /** The bot's own bearer token. */
  token(): Promise<string>;
  /** The connector refused that token: the next message needs a new one. */
  tokenRefused?(): void;
  allowedHosts: readonly string[];
  /** As Teams names the bot: `28:` and its app id. */
  botId: string;
}): Connector {
  const bot = { id: `28:${options.botId}` };

  async function call(
    serviceUrl: string,
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    body?: OutgoingActivity | Record<string, unknown>,
  ): Promise<{ outcome: Outcome; json: unknown }> {
    if (!isAllowedServiceUrl(serviceUrl, options.allowedHosts)) {
      return { outcome: { kind: 'not-allowed' }, json: undefined };
    }
    const base = serviceUrl.endsWith('/') ? serviceUrl.slice(0, -1) : serviceUrl;
    let bearer: string;
    try {
      bearer = await options.token();
    } catch (error) {
      return { outcome: { kind: 'failed', phase: 'before', code: errorCode(error) }, json: undefined };
    }
    try {
      const answer = await options.outbound(`${base}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${bearer}`,
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }),
        },
        ...(body === undefined ? {} : { body: jsonOf(body) }),
        timeoutMs: attemptMs,
        maxBytes: 4 * 1024 * 1024,
      });
      // Not repeated here: a 401 was not accepted, and the next message comes with a new token.
      if (answer.status === 401) options.tokenRefused?.();
      const json = parse(answer.body);
      return {
        json,
        outcome: {
          kind: 'answered',
          status: answer.status,
          id: textAt(json, 'id'),
          code: tokenAt(at(json, 'error'), 'code'),
          retryAfter: answer.headers['retry-after'],
        },
      };
    } catch (error) {
      // Without a phase we do not know whether it arrived: that is `after`.
      const phase = at(error, 'phase') === 'before' ? 'before' : 'after';
      const code = textAt(error, 'reason') ?? errorCode(error);
      return { outcome: { kind: 'failed', phase, code }, json: undefined };
    }
  }

  return {
    async ready() {
      await options.token();
    },
    async post(to, activity) {
      const path = `${activities(to.conversationId)}${to.targeted ? '?isTargetedActivity=true' : ''}`;
      const sent = { ...activity, from: bot, conversation: { id: to.conversationId } };
      return (await call(to.serviceUrl, 'POST', path, sent)).outcome;
    },
    async update(to, activityId, activity) {
      const path = `${activities(to.conversationId)}/${encodeURIComponent(activityId)}${to.targeted ? '?isTargetedActivity=true' : ''}`;
      const sent: OutgoingActivity = {
        ...activity,
        id: activityId,
        from: bot,
        conversation: { id: to.conversationId },
      };
      // Teams takes a recipient when a targeted message is created and refuses one when it is changed.
      delete sent.recipient;
      const { outcome } = await call(to.serviceUrl, 'PUT', path, sent);
      return outcome.kind === 'answered' && isSuccess(outcome.status)
        ? { ...outcome, id: outcome.id ?? activityId }
        : outcome;
    },
    async openPersonal(serviceUrl, personTeamsId, tenantId) {
      const sent = {
        bot,
        isGroup: false,
        members: [{ id: personTeamsId }],
        tenantId,
        channelData: { tenant: { id: tenantId } },
      };
      return (await call(serviceUrl, 'POST', '/v3/conversations', sent)).outcome;
    },
    async members(serviceUrl, conversationId, after) {
      const more = after === undefined ? '' : `&continuationToken=${encodeURIComponent(after)}`;
      const path = `/v3/conversations/${encodeURIComponent(conversationId)}/pagedmembers?pageSize=500${more}`;
      const { outcome, json } = await call(serviceUrl, 'GET', path);
      const members = at(json, 'members');
      if (outcome.kind !== 'answered' || outcome.status !== 200 || !Array.isArray(members)) {
        return { kind: 'unread', why: whyOf(outcome) };
      }
      const known = members.filter((one): one is ListedMember => typeof one === 'object' && one !== null);
      // A row that cannot be read could be anybody: then nobody knows who is there.
      if (known.length !== members.length) return { kind: 'unread', why: 'member list not understood' };
      return { kind: 'read', members: known, next: textAt(json, 'continuationToken') };
    },
  };
}

/**
 * What an outcome means for the message (R37). Not accepted is `refused`; whatever may have been accepted without
 * our knowing is `ambiguous` and never repeated blindly.
 */
export function deliveryOf(outcome: Outcome): Delivery {
  if (outcome.kind === 'not-allowed') return { kind: 'withheld', why: 'service address not allowed' };
  if (outcome.kind === 'failed') {
    return outcome.phase === 'before'
      ? { kind: 'unreachable', why: outcome.code }
      : { kind: 'ambiguous', why: outcome.code };
  }
  const { status, id } = outcome;
  if (isSuccess(status)) {
    return id === undefined
      ? { kind: 'ambiguous', why: `${status} without an id` }
      : { kind: 'sent', activityId: id };
  }
  if (status === 429) return { kind: 'throttled', retryAfterMs: waitOf(outcome.retryAfter) };
  if (status === 408 || status === 412 || status >= 500 || status < 300) {
    return { kind: 'ambiguous', why: String(status) };
  }
  return { kind: 'refused', status, code: outcome.code ?? String(status) };
}

/** Retry-After in seconds or as a date, at most an hour; 1 s when absent or nonsense. */
export function waitOf(header: string | undefined, now = Date.now()): number {
  const text = header?.trim() ?? '';
  const wait = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(wait) && wait > 0 ? Math.min(wait, 3_600_000) : 1000;
}

/** A card is JSON already: written once, it goes in as it stands. */
function jsonOf(body: OutgoingActivity | Record<string, unknown>): string {
  const { card, ...rest } = body;
  const text = JSON.stringify(rest);
  if (typeof card !== 'string') return text;
  return `${text.slice(0, -1)},"attachments":[{"contentType":"${cardType}","content":${card}}]}`;
}

function whyOf(outcome: Outcome): string {
  if (outcome.kind === 'answered') return `status ${outcome.status}`;
  return outcome.kind === 'failed' ? outcome.code : 'service address not allowed';
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function activities(conversationId: string): string {
  return `/v3/conversations/${encodeURIComponent(conversationId)}/activities`;
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
  } catch {
    return undefined; // HTML, nothing, or half an answer: the status decides
  }
}

function at(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** A word of Teams' own, as its error codes are: it goes to the log and to where people look. */
function tokenAt(value: unknown, name: string): string | undefined {
  const found = textAt(value, name);
  return found !== undefined && /^[A-Za-z0-9_.-]{1,60}$/.test(found) ? found : undefined;
}

function textAt(value: unknown, name: string): string | undefined {
  const found = at(value, name);
  return typeof found === 'string' && found !== '' && found.length <= 4096 ? found : undefined;
}
