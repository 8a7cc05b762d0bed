import { randomUUID } from 'node:crypto';
import { Client, type GraphRequest } from '@microsoft/microsoft-graph-client';
import type { Cloud } from '../clouds.ts';
import { errorCode } from '../errors.ts';
import type { Log } from '../log.ts';
import { type Outbound, type OutboundAnswer, OutboundError } from '../outbound.ts';
import type { TenantAccess } from '../services.ts';
import { MicrosoftError, nonsense, silence, throttled } from './failures.ts';
import { failureOf, refusedBy } from './graph-errors.ts';
import { type Lane, type Limits, openLimits } from './limits.ts';
import { backOff, maxTries } from './retry.ts';
import type { AppToken } from './token-request.ts';
import type { Tokens } from './tokens.ts';

export type Gateway = {
  /**
   * GET with the tenant's own token: the body of a 2xx, as it came. Waits its turn, honours throttling, renews a
   * refused token once. `ask` says what is wanted; or the whole address of a next page.
   * @throws MicrosoftError with a Failure; WatchpostError `stopped`.
   */
  get(access: TenantAccess, ask: Ask | string): Promise<Buffer>;
  /** Tries, waits and tokens of one request to Entra. */
  token(access: TenantAccess): Promise<AppToken>;
  limits: Limits;
};

/** What is asked of Graph: its path without version, and the query in the words of Microsoft's own client. */
export type Ask = { path: string; query?: (request: GraphRequest) => GraphRequest };

export type GatewayOptions = {
  outbound: Outbound;
  cloud: Cloud;
  tokens: Tokens;
  now(): number;
  /** Resolves after `ms`; rejects only when the program stops. */
  sleep(ms: number): Promise<void>;
  random(): number;
  log: Log;
  signal: AbortSignal;
  limits?: Limits;
  /** What one request may wait in all before it is given back to the job; default 2 minutes. */
  patienceMs?: number;
};

/**
 * The one gateway of a thread to Graph (R40–R42). A request that must wait never holds a slot: for a throttled tenant
 * the tenant is parked, after a fault only this request waits.
 */
export function openGateway(options: GatewayOptions): Gateway {
  const { outbound, cloud, tokens, now, sleep, random, log, signal } = options;
  const limits = options.limits ?? openLimits({ now, sleep, signal });
  const patienceMs = options.patienceMs ?? 120_000;

  /** Runs `attempt` until it works, tries or patience end; `attempt` throws MicrosoftError. */
  async function persist<T>(
    access: TenantAccess,
    lane: Lane,
    path: string,
    attempt: () => Promise<T>,
  ): Promise<T> {
    const giveUpAt = now() + patienceMs;
    for (let tries = 1; ; tries += 1) {
      const parkedFor = limits.parkedFor(access.tenantId, lane);
      if (now() + parkedFor > giveUpAt) throw new MicrosoftError(throttled(parkedFor));
      try {
        return await limits.run(access.tenantId, lane, attempt, tries > 1);
      } catch (error) {
        if (!(error instanceof MicrosoftError)) throw error;
        const { failure } = error;
        const waits = failure.kind === 'throttled' || failure.retryAfterMs !== undefined;
        if (!waits && !error.again) throw error;
        const wait = failure.retryAfterMs ?? backOff(tries, random);
        log.info(
          { tenant: access.tenantId, route: path, code: failure.code, count: tries, ms: wait },
          'call to Microsoft has to wait',
        );
        // Parked even when we give up: nobody else of this tenant may call too early either.
        if (waits) limits.park(access.tenantId, lane, wait);
        if (tries >= maxTries || now() + wait > giveUpAt) {
          throw waits ? new MicrosoftError({ ...failure, retryAfterMs: wait }) : error;
        }
        if (!waits) await sleep(wait);
      }
    }
  }

  async function attempt(access: TenantAccess, url: string, path: string): Promise<Buffer> {
    const token = await tokens.get(access);
    const first = await call(access, url, token);
    if (first.status !== 401) return bodyOf(first, path, now());
    const refusal = failureOf(first, path);
    if (refusal.kind === 'licence') throw new MicrosoftError(refusal);
    const claims = claimsOf(first.headers['www-authenticate']);
    const renewed = await tokens.renew(access, token, claims);
    const second = await call(access, url, renewed);
    if (second.status === 401 && claims !== undefined) {
      throw new MicrosoftError({
        ...failureOf(second, path),
        cause: 'A policy of the tenant blocks the application (continuous access evaluation).',
        remedy:
          'An administrator of the tenant has to exclude the application or allow the address of this server.',
      });
    }
    return bodyOf(second, path, now());
  }

  async function call(access: TenantAccess, url: string, token: AppToken): Promise<OutboundAnswer> {
    try {
      return await token.value.use((bearer) =>
        outbound(url, {
          method: 'GET',
          headers: {
            accept: 'application/json',
            authorization: `Bearer ${bearer}`,
            'client-request-id': randomUUID(),
            'x-ms-throttle-priority': 'low',
          },
          signal,
        }),
      );
    } catch (error) {
      if (error instanceof OutboundError && error.code !== 'stopped') throw silence(error);
      log.debug({ tenant: access.tenantId, code: errorCode(error) }, 'call to Microsoft was given up');
      throw error;
    }
  }

  return {
    limits,
    async get(access, ask) {
      const url = typeof ask === 'string' ? ask : await addressOf(cloud, ask);
      const path = new URL(url).pathname.replace(/^\/(v1\.0|beta)/, '');
      return persist(access, laneOf(path), path, () => attempt(access, url, path));
    },
    token(access) {
      return persist(access, 'usual', '/token', () => tokens.get(access));
    },
  };
}

/** Identity protection, Conditional Access and named locations: one request a second for all apps together. */
function laneOf(path: string): Lane {
  return /^\/(identityProtection|identity\/conditionalAccess)\//i.test(path) ? 'one-a-second' : 'usual';
}

function bodyOf(answer: OutboundAnswer, path: string, now: number): Buffer {
  if (answer.status < 200 || answer.status >= 300) throw refusedBy(answer, path, now);
  if (answer.body.length === 0) {
    throw new MicrosoftError(nonsense('Microsoft answered with nothing.', 'EMPTY'), true);
  }
  return answer.body;
}

/** An `Ask` that is made once is worked out once. */
const addresses = new WeakMap<Ask, Map<string, Promise<string>>>();

function addressOf(cloud: Cloud, ask: Ask): Promise<string> {
  let known = addresses.get(ask);
  if (known === undefined) {
    known = new Map();
    addresses.set(ask, known);
  }
  let address = known.get(cloud.graph);
  if (address === undefined) {
    address = madeAddress(cloud, ask);
    known.set(cloud.graph, address);
  }
  return address;
}

/**
 * Microsoft's own client makes the address: version, path, `$top`, `$select`. Its other middleware (retry, redirect,
 * telemetry, authentication) is left out; ours is the only and last one and takes the address without sending.
 */
async function madeAddress(cloud: Cloud, ask: Ask): Promise<string> {
  let address = '';
  const client = Client.initWithMiddleware({
    baseUrl: cloud.graph,
    defaultVersion: 'v1.0',
    middleware: {
      async execute(context) {
        address = typeof context.request === 'string' ? context.request : context.request.url;
        context.response = new Response(null, { status: 204 });
      },
    },
  });
  const request = client.api(ask.path);
  await (ask.query?.(request) ?? request).get();
  return address;
}

/** The claims of a continuous access challenge: base64 of a JSON object; undefined for anything else. */
function claimsOf(challenge: string | undefined): string | undefined {
  if (challenge === undefined || !/insufficient_claims/i.test(challenge)) return undefined;
  const packed = /claims="([A-Za-z0-9+/=_-]{1,8192})"/i.exec(challenge)?.[1];
  if (packed === undefined) return undefined;
  const text = Buffer.from(packed, 'base64').toString('utf8');
  try {
    const claims: unknown = JSON.parse(text);
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims) ? text : undefined;
  } catch {
    // A challenge that cannot be read is a plain 401.
    return undefined;
  }
}
