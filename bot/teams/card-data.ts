import { createHmac, createSecretKey, hash, type KeyObject, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Audience } from '../../shared/access.ts';
import { baseOf } from '../../shared/conversation.ts';
import { tenantId } from '../../shared/tenants/tenant.ts';
import type { CardAction, CardData } from '../services.ts';
import { textOf } from './card-text.ts';

/** Whom a card was made for: one conversation as it was bound then; `oid` when only that person got it. */
export type CardPlace = { conversationId: string; audience: Audience; oid?: string };

export type Verified =
  | { kind: 'ok'; action: CardAction; inputs: Record<string, string> }
  | { kind: 'refused'; why: 'not-ours' | 'tampered' | 'expired' | 'elsewhere' };

/** Signs what buttons mean on the way out and believes only what it signed on the way in (R9). */
export type CardSigner = {
  /** The card as JSON, every `Action.Execute` with signed data; nobody may change it afterwards. `nowMs` since 1970. */
  sign(card: CardData, place: CardPlace, nowMs: number): string;
  verify(data: unknown, place: CardPlace, nowMs: number): Verified;
};

/** The one member that is ours in an action's data; what people typed rides beside it. */
const ours = 'wp';
const fields = ['v', 'kid', 'tenant', 'binding', 'object', 'verb', 'exp', 'mac'] as const;
const lifeSeconds = 30 * 86_400;

type Signed = {
  v: 1;
  kid: string;
  tenant?: string;
  binding: string;
  object?: string;
  verb: string;
  exp: number;
  mac: string;
};

/** `keys`: the first signs, all verify, so that keys can be rotated while old cards are still clicked. */
export function openCardSigner(keys: readonly { kid: string; key: Buffer }[]): CardSigner {
  const ready = keys.map(({ kid, key }) => ({ kid, key: createSecretKey(key) }));
  const first = ready[0];
  if (first === undefined) throw new Error('a card signer needs a key');
  const byKid = new Map(ready.map((one) => [one.kid, one.key]));
  // People ask again and again where they asked before.
  const bindings = new LRUCache<string, string>({ max: 1000, memoMethod: digestOf });

  return {
    sign(card, place, nowMs) {
      const binding = bindings.memo(partsOf(place));
      const exp = Math.floor(nowMs / 1000) + lifeSeconds;
      return textOf(card, actionOf, (action) => {
        const bare = { v: 1 as const, kid: first.kid, ...action, binding, exp };
        return JSON.stringify({ [ours]: { ...bare, mac: macOf(first.key, bare) } });
      });
    },
    verify(data, place, nowMs) {
      const found = signedIn(data);
      if (found === undefined) return { kind: 'refused', why: 'not-ours' };
      if (found === 'tampered') return { kind: 'refused', why: 'tampered' };
      const { mac, ...bare } = found;
      const key = byKid.get(found.kid);
      if (key === undefined || !same(mac, macOf(key, bare))) return { kind: 'refused', why: 'tampered' };
      if (found.exp * 1000 <= nowMs) return { kind: 'refused', why: 'expired' };
      if (!same(found.binding, bindings.memo(partsOf(place)))) return { kind: 'refused', why: 'elsewhere' };
      const tenant = found.tenant === undefined ? undefined : tenantId(found.tenant);
      return {
        kind: 'ok',
        action: {
          verb: found.verb,
          ...(tenant === undefined ? {} : { tenant }),
          ...(found.object === undefined ? {} : { object: found.object }),
        },
        inputs: inputsOf(data),
      };
    },
  };
}

/** Framed as JSON, so that no two places look alike. A re-bound channel is another place: its old cards are no longer believed (I-7). */
function partsOf({ conversationId, audience, oid }: CardPlace): string {
  const audienceKey =
    audience.kind === 'customer'
      ? `customer ${audience.tenant}`
      : audience.kind === 'personal'
        ? `personal ${audience.tid} ${audience.oid}`
        : audience.kind;
  return JSON.stringify([baseOf(conversationId), audienceKey, oid ?? '']);
}

function digestOf(parts: string): string {
  return hash('sha256', parts, 'buffer').toString('base64url', 0, 16);
}

function macOf(key: KeyObject, signed: Omit<Signed, 'mac'>): string {
  const parts = [
    'watchpost-card-v1',
    String(signed.v),
    signed.kid,
    optional(signed.tenant),
    signed.binding,
    optional(signed.object),
    signed.verb,
    String(signed.exp),
  ];
  return createHmac('sha256', key).update(framed(parts)).digest('base64url');
}

/** Absent and empty are different things. */
function optional(value: string | undefined): string {
  return value === undefined ? '-' : `+${value}`;
}

/** Each part behind its length, so that no two lists of parts look alike. */
function framed(parts: readonly string[]): Buffer {
  const lengths = parts.map((part) => Buffer.byteLength(part, 'utf8'));
  const bytes = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + 4 + length, 0));
  let at = 0;
  parts.forEach((part, index) => {
    at = bytes.writeUInt32BE(lengths[index] ?? 0, at);
    at += bytes.write(part, at, 'utf8');
  });
  return bytes;
}

// The texts are compared, not what they decode to: base64 has several spellings of the same bytes.
function same(a: string, b: string): boolean {
  const left = Buffer.from(a, 'utf8');
  const right = Buffer.from(b, 'utf8');
  return left.length === right.length && timingSafeEqual(left, right);
}

function actionOf(data: unknown): CardAction {
  if (!isObject(data)) throw new Error('an Action.Execute needs a CardAction as its data');
  const { verb, tenant, object, ...rest } = data;
  const wellFormed =
    typeof verb === 'string' &&
    verb !== '' &&
    (tenant === undefined || (typeof tenant === 'string' && tenantId(tenant) === tenant)) &&
    (object === undefined || (typeof object === 'string' && object.isWellFormed())) &&
    Object.keys(rest).length === 0;
  if (!wellFormed) throw new Error(`not a CardAction: ${typeof verb === 'string' ? verb : 'no verb'}`);
  return {
    verb,
    ...(typeof tenant === 'string' ? { tenant: tenant as CardAction['tenant'] } : {}),
    ...(typeof object === 'string' ? { object } : {}),
  };
}

function signedIn(data: unknown): Signed | 'tampered' | undefined {
  if (!isObject(data) || !Object.hasOwn(data, ours)) return undefined;
  const found = data[ours];
  if (!isObject(found)) return 'tampered';
  if (!Object.keys(found).every((name) => (fields as readonly string[]).includes(name))) return 'tampered';
  const { v, kid, tenant, binding, object, verb, exp, mac } = found;
  const wellFormed =
    v === 1 &&
    isText(kid) &&
    isText(binding) &&
    isText(verb) &&
    isText(mac) &&
    Number.isSafeInteger(exp) &&
    (tenant === undefined || (isText(tenant) && tenantId(tenant) === tenant)) &&
    (object === undefined || isText(object));
  return wellFormed ? (found as Signed) : 'tampered';
}

/** What a person typed: at most 20 short texts; anything else is left out, the handler's schema judges the rest. */
function inputsOf(data: unknown): Record<string, string> {
  const inputs: Record<string, string> = Object.create(null);
  if (!isObject(data)) return inputs;
  for (const [name, value] of Object.entries(data).slice(0, 40)) {
    if (name === ours || name.length > 64 || typeof value !== 'string' || value.length > 4000) continue;
    if (Object.keys(inputs).length < 20) inputs[name] = value.toWellFormed();
  }
  return inputs;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 2048 && value.isWellFormed();
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
