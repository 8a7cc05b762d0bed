import { createPublicKey } from 'node:crypto';
import * as v from 'valibot';
import { WatchpostError } from '../errors.ts';
import type { Outbound } from '../outbound.ts';
import type { SigningKey, SigningKeys } from '../services.ts';
import { looseJson } from './failures.ts';

const minute = 60_000;
const hour = 60 * minute;
const askMs = 5_000;
const keptMs = 24 * hour;
const refreshAfterMs = 12 * hour;
const againAfterMs = 5 * minute;

const metadataSchema = v.object({ jwks_uri: v.pipe(v.string(), v.url()) });
const keySetSchema = v.object({ keys: v.pipe(v.array(v.unknown()), v.maxLength(200)) });
const keySchema = v.object({
  kty: v.literal('RSA'),
  use: v.optional(v.literal('sig')),
  alg: v.optional(v.literal('RS256')),
  kid: v.pipe(v.string(), v.nonEmpty(), v.maxLength(256)),
  n: v.pipe(v.string(), v.maxLength(2048)),
  e: v.pipe(v.string(), v.maxLength(16)),
  endorsements: v.fallback(v.optional(v.array(v.string()), []), []),
  issuer: v.optional(v.string()),
});

/**
 * The keys that Bot Framework or Entra publish under `metadataUrl` (R7). Known keys are answered from memory, for 24 h
 * after the last good reading, whatever happens outside; from 12 h on they are read again in the background. All reading
 * is one flight of at most 5 s and, once there are keys, at most once in 5 minutes. `prefetch` never throws; `find`
 * throws `service-error` while there are no keys at all: then nobody can say whether one is unknown.
 */
export function openSigningKeys(options: {
  outbound: Outbound;
  metadataUrl: string;
  /** Milliseconds. */
  now(): number;
}): SigningKeys {
  const { outbound, metadataUrl, now } = options;
  let keys = new Map<string, SigningKey>();
  let readAt = Number.NEGATIVE_INFINITY;
  let triedAt = Number.NEGATIVE_INFINITY;
  let failures = 0;
  let flight: Promise<void> | undefined;

  function read(): Promise<void> {
    flight ??= readOnce().finally(() => {
      flight = undefined;
    });
    return flight;
  }

  async function readOnce(): Promise<void> {
    triedAt = now();
    try {
      keys = await fetchKeys(outbound, metadataUrl);
      readAt = now();
      failures = 0;
    } catch {
      // Microsoft is down or talks nonsense: what is in memory stays, the way out has counted the failure.
      failures += 1;
    }
  }

  /** Without any key nobody can be let in, so a cold start asks sooner: 5 s, 10 s … 5 minutes. */
  function mayAsk(): boolean {
    const cold = keys.size === 0 || now() - readAt >= keptMs;
    const wait = cold ? Math.min(againAfterMs, 5_000 * 2 ** Math.max(0, failures - 1)) : againAfterMs;
    return flight !== undefined || now() - triedAt >= wait;
  }

  return {
    async find(kid) {
      const age = now() - readAt;
      const known = age < keptMs ? keys.get(kid) : undefined;
      if (known !== undefined) {
        if (age >= refreshAfterMs && mayAsk()) void read();
        return known;
      }
      if (mayAsk()) await read();
      if (now() - readAt >= keptMs) {
        throw new WatchpostError(
          'service-error',
          'Microsoft does not tell the keys that tokens are signed with.',
        );
      }
      return keys.get(kid) ?? null;
    },
    async prefetch() {
      if (keys.size === 0) await read();
    },
  };
}

/** Both documents within 5 s. The way out refuses hosts of another cloud, so `jwks_uri` cannot lead elsewhere. */
async function fetchKeys(outbound: Outbound, metadataUrl: string): Promise<Map<string, SigningKey>> {
  const signal = AbortSignal.timeout(askMs);
  const read = async (url: string): Promise<unknown> => {
    const answer = await outbound(url, {
      method: 'GET',
      headers: { accept: 'application/json' },
      timeoutMs: askMs,
      maxBytes: 1024 * 1024,
      signal,
    });
    if (answer.status !== 200) throw new Error(`HTTP ${answer.status}`);
    return looseJson(answer.body);
  };
  const { jwks_uri } = v.parse(metadataSchema, await read(metadataUrl));
  const published = v.parse(keySetSchema, await read(jwks_uri)).keys;
  const keys = new Map<string, SigningKey>();
  for (const one of published) {
    const key = usable(one);
    if (key !== undefined) keys.set(key.kid, key.signingKey);
  }
  if (keys.size === 0) throw new Error('no usable key was published');
  return keys;
}

/** Only RSA keys of 2,048 to 8,192 bits that are meant for signing; others are passed over. */
function usable(one: unknown): { kid: string; signingKey: SigningKey } | undefined {
  const parsed = v.safeParse(keySchema, one);
  if (!parsed.success) return undefined;
  const { kid, n, e, endorsements, issuer } = parsed.output;
  try {
    const key = createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' });
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
    if (bits < 2048 || bits > 8192) return undefined;
    return { kid, signingKey: { key, endorsements, ...(issuer === undefined ? {} : { issuer }) } };
  } catch {
    // Not a key at all; the others may be.
    return undefined;
  }
}
