import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import type { Secret } from '../secrets.ts';
import type { Failure, TenantAccess } from '../services.ts';
import { MicrosoftError } from './failures.ts';
import {
  type AppToken,
  appToken,
  askMs,
  type OwnAccess,
  ownCredential,
  type TokenOptions,
} from './token-request.ts';

export type Tokens = {
  /** From memory, or one request however many ask at once. @throws MicrosoftError, OutboundError `stopped`. */
  get(access: TenantAccess): Promise<AppToken>;
  /**
   * A new token because Graph refused `refused` (R42), with the claims it asked for (CAE). Many callers with the same
   * refused token cause one request.
   */
  renew(access: TenantAccess, refused: AppToken, claims?: string): Promise<AppToken>;
  /** Drops all tokens of a tenant, and what we remember of being throttled. */
  forget(tenant: TenantId): void;
};

/**
 * Tokens of any number of tenants. msal-node builds and signs the request; everything else is ours, because msal has
 * no single flight, no time-out, takes answers without a token for good, and prints its secret when logged
 * (`security.md` §5.3): one msal object lives for one request.
 */
export function openTokens(options: TokenOptions): Tokens {
  const { cloud, now, scope = options.cloud.graphScope } = options;
  const kept = new LRUCache<string, AppToken>({ max: options.most ?? 10_000 });
  const flights = new Map<string, Promise<AppToken>>();
  const blocked = new LRUCache<string, { until: number; failure: Failure }>({ max: options.most ?? 10_000 });
  // A credential is part of the key, so that a wrong secret is never helped by a right one's token.
  const pepper = randomBytes(32);
  // The bot's own secret is asked about twice in every turn.
  const prints = new WeakMap<Secret, string>();

  function keyOf(access: OwnAccess): string {
    const { credential } = access;
    const secret = credential.kind === 'secret' ? credential.secret : credential.key;
    let print = prints.get(secret);
    if (print === undefined) {
      print = secret.use((value) => createHmac('sha256', pepper).update(value).digest('base64url'));
      prints.set(secret, print);
    }
    return `${access.tenantId} ${cloud.name} ${access.appId} ${scope} ${credential.kind} ${print}`;
  }

  async function ask(key: string, access: OwnAccess, claims: string | undefined): Promise<AppToken> {
    const block = blocked.get(key);
    if (block !== undefined && block.until > now()) {
      throw new MicrosoftError({ ...block.failure, retryAfterMs: block.until - now() });
    }
    try {
      return await appToken(options, access, { scope, claims });
    } catch (error) {
      if (error instanceof MicrosoftError && error.failure.retryAfterMs !== undefined) {
        blocked.set(key, { until: now() + error.failure.retryAfterMs, failure: error.failure });
      }
      throw error;
    }
  }

  function once(key: string, access: OwnAccess, claims?: string): Promise<AppToken> {
    const flight = flights.get(key);
    if (flight !== undefined) return flight;
    // A flight that was forgotten meanwhile still serves who waits for it, but is not kept.
    const ours = (): boolean => flights.get(key) === started;
    const started: Promise<AppToken> = ask(key, access, claims)
      .then((token) => {
        if (ours()) kept.set(key, token);
        return token;
      })
      .finally(() => {
        if (ours()) flights.delete(key);
      });
    flights.set(key, started);
    return started;
  }

  return {
    async get(given) {
      const access = ownCredential(given, options.consentApp);
      const key = keyOf(access);
      const token = kept.get(key);
      if (token !== undefined && token.renewAt > now()) return token;
      try {
        return await once(key, access);
      } catch (error) {
        // Entra is away for a moment: the old token is good for some minutes yet.
        const lasting = !(error instanceof MicrosoftError) || !error.failure.transient;
        if (token === undefined || lasting || token.expiresAt <= now() + askMs) throw error;
        return token;
      }
    },
    async renew(given, refused, claims) {
      const access = ownCredential(given, options.consentApp);
      const key = keyOf(access);
      const token = kept.get(key);
      // Somebody else has renewed it meanwhile.
      if (token !== undefined && token !== refused && token.renewAt > now()) return token;
      return once(key, access, claims);
    },
    forget(tenant) {
      for (const memory of [kept, blocked, flights]) {
        for (const key of [...memory.keys()]) if (key.startsWith(`${tenant} `)) memory.delete(key);
      }
    },
  };
}
