import { verify } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import * as v from 'valibot';
import type { SigningKeys } from '../services.ts';
import { isAllowedServiceUrl } from './service-url.ts';

/** Why an activity was not let in. For the log: the caller is told nothing but 401. */
export type Refusal =
  | 'no-header'
  | 'several-headers'
  | 'scheme'
  | 'not-a-jwt'
  | 'algorithm'
  | 'no-kid'
  | 'header'
  | 'claims'
  | 'issuer'
  | 'audience'
  | 'expired'
  | 'not-yet'
  | 'channel'
  | 'no-service-url'
  | 'service-url-claim'
  | 'service-url-host'
  | 'unknown-key'
  | 'endorsement'
  | 'signature'
  | 'keys-unavailable';

export type TokenCheck = { kind: 'ok' } | { kind: 'refused'; why: Refusal };

/** What of an activity the token speaks about; unknown until compared with what is signed. */
export type Envelope = { channelId?: unknown; serviceUrl?: unknown };

/** What is right for this bot; the rest is wrong. */
export type Trust = {
  keys: SigningKeys;
  /** The bot's app id: the only audience. */
  botId: string;
  issuer: string;
  allowedHosts: readonly string[];
};

const leewaySeconds = 300;
const keptMs = 600_000;
const header = v.object({
  alg: v.literal('RS256'),
  kid: v.pipe(v.string(), v.minLength(1), v.maxLength(256)),
  typ: v.optional(v.literal('JWT')),
});
const claims = v.object({
  iss: v.string(),
  aud: v.string(),
  exp: v.pipe(v.number(), v.finite()),
  nbf: v.optional(v.pipe(v.number(), v.finite())),
  serviceurl: v.optional(v.string()),
});

/** What a signature has proved about a whole header line. */
type Proven = { exp: number; nbf: number | undefined; serviceUrl: string };

/**
 * The check of inbound activities (R1–R3): one function for one rule, no door beside it. Cheap refusals first, the
 * network last; a token whose signature was checked is remembered by its whole header line for at most 10 minutes
 * (1,000 of them), and what belongs to the turn (times, service address, channel) is checked every time.
 */
export function openTokenCheck(
  trust: Trust,
): (lines: readonly string[], envelope: Envelope, nowMs: number) => Promise<TokenCheck> {
  const proven = new LRUCache<string, Proven & { until: number }>({ max: 1000 });

  return async function check(lines, envelope, nowMs) {
    if (lines.length === 0) return refused('no-header');
    if (lines.length > 1) return refused('several-headers');
    const line = lines[0] ?? '';
    const known = proven.get(line);
    if (known !== undefined && known.until > nowMs) return turn(known, envelope, trust, nowMs);

    const token = /^Bearer ([A-Za-z0-9_-]{2,4096})\.([A-Za-z0-9_-]{2,8192})\.([A-Za-z0-9_-]{2,2048})$/.exec(
      line,
    );
    if (token === null) return refused(/^Bearer [^ ]/.test(line) ? 'not-a-jwt' : 'scheme');
    const [, head = '', body = '', signature = ''] = token;
    const read = readToken(head, body, trust);
    if (read.kind === 'refused') return read;
    const soon = turn(read.proven, envelope, trust, nowMs);
    if (soon.kind === 'refused') return soon;

    let key: Awaited<ReturnType<SigningKeys['find']>>;
    try {
      key = await trust.keys.find(read.kid);
    } catch {
      return refused('keys-unavailable');
    }
    if (key === null) return refused('unknown-key');
    if (!key.endorsements.includes('msteams')) return refused('endorsement');
    if (key.key.asymmetricKeyType !== 'rsa') return refused('algorithm');
    const signed = Buffer.from(`${head}.${body}`, 'ascii');
    if (!verify('sha256', signed, key.key, Buffer.from(signature, 'base64url'))) return refused('signature');
    proven.set(line, { ...read.proven, until: Math.min(read.proven.exp * 1000, nowMs + keptMs) });
    return soon;
  };
}

/** Everything a token can be refused for without asking anybody. */
function readToken(
  head: string,
  body: string,
  trust: Trust,
): { kind: 'ok'; kid: string; proven: Proven } | { kind: 'refused'; why: Refusal } {
  const rawHeader = decode(head);
  if (rawHeader === undefined) return refused('not-a-jwt');
  const parsedHeader = v.safeParse(header, rawHeader);
  if (!parsedHeader.success) {
    const { alg, kid } = rawHeader;
    if (alg !== 'RS256') return refused('algorithm');
    return refused(typeof kid === 'string' && kid !== '' ? 'header' : 'no-kid');
  }
  // An extension we do not know but must understand, or a key that the token brings along: not ours.
  if (
    ['crit', 'jwk', 'jku', 'x5u', 'x5c', 'b64', 'enc', 'zip'].some((name) => Object.hasOwn(rawHeader, name))
  ) {
    return refused('header');
  }
  const rawClaims = decode(body);
  if (rawClaims === undefined) return refused('not-a-jwt');
  if (rawClaims.iss !== trust.issuer) return refused('issuer');
  if (rawClaims.aud !== trust.botId) return refused('audience');
  const parsed = v.safeParse(claims, rawClaims);
  if (!parsed.success) return refused('claims');
  const { exp, nbf, serviceurl } = parsed.output;
  if (serviceurl === undefined || serviceurl === '') return refused('service-url-claim');
  return { kind: 'ok', kid: parsedHeader.output.kid, proven: { exp, nbf, serviceUrl: serviceurl } };
}

/** What must hold on every turn, remembered token or not. */
function turn(proven: Proven, envelope: Envelope, trust: Trust, nowMs: number): TokenCheck {
  const now = nowMs / 1000;
  if (proven.exp + leewaySeconds <= now) return refused('expired');
  if (proven.nbf !== undefined && proven.nbf - leewaySeconds > now) return refused('not-yet');
  if (envelope.channelId !== 'msteams') return refused('channel');
  if (typeof envelope.serviceUrl !== 'string' || envelope.serviceUrl === '') return refused('no-service-url');
  if (envelope.serviceUrl !== proven.serviceUrl) return refused('service-url-claim');
  if (!isAllowedServiceUrl(envelope.serviceUrl, trust.allowedHosts)) return refused('service-url-host');
  return { kind: 'ok' };
}

function refused(why: Refusal): { kind: 'refused'; why: Refusal } {
  return { kind: 'refused', why };
}

function decode(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined; // not JSON: not a token
  }
}
