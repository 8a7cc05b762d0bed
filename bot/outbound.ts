import type { Dispatcher } from 'undici';
import Agent from 'undici/lib/dispatcher/agent.js';
import { getGlobalDispatcher, setGlobalDispatcher } from 'undici/lib/global.js';
import { type Cloud, isOfCloud } from './clouds.ts';
import { WatchpostError } from './errors.ts';
import { noAnswerInWords } from './no-answer.ts';
import { unpack } from './unpack.ts';

export type OutboundInit = {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  headers?: Readonly<Record<string, string>>;
  body?: string | Uint8Array;
  signal?: AbortSignal;
  /** From the call to the last byte; at most 60 s. */
  timeoutMs?: number;
  /** Without a byte; at most 15 s. */
  idleMs?: number;
  /** Of the body, packed and unpacked; at most 64 MiB. */
  maxBytes?: number;
};

/** Any status, also 3xx, 4xx and 5xx; header names in lower case; the body unpacked. */
export type OutboundAnswer = {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: Buffer;
};

export type Outbound = (url: string, init: OutboundInit) => Promise<OutboundAnswer>;

export const outboundLimits = {
  connectMs: 5_000,
  idleMs: 15_000,
  totalMs: 60_000,
  bytes: 64 * 1024 * 1024,
} as const;

/**
 * No usable answer. `phase` says whether the other side may have seen the request (R37): `before` = surely not, a
 * repeat is safe; `after` = it was being sent or answered, so what happened there is unknown.
 */
export class OutboundError extends WatchpostError {
  readonly phase: 'before' | 'after';
  /** The system's or undici's code, e.g. `ECONNREFUSED`; for the log. */
  readonly reason: string;

  constructor(
    code: 'service-error' | 'refused' | 'stopped',
    phase: 'before' | 'after',
    reason: string,
    message: string,
    cause?: unknown,
  ) {
    super(code, message, { cause });
    this.name = 'OutboundError';
    this.phase = phase;
    this.reason = reason;
  }
}

/**
 * Sets undici's global dispatcher once at the start of a thread: no limit on connections (who calls bounds what is in
 * flight; a limit here makes requests queue behind busy sockets), 5 s to connect. A dispatcher that somebody has put
 * there already stays: a proxy from the environment, or what a test leads Microsoft's hosts to its sandbox with.
 * `instead` is the demo's, which leads them to the demo's sandbox.
 */
export function configureDispatcher(instead?: Dispatcher): void {
  if (!isNobodys(getGlobalDispatcher())) return;
  setGlobalDispatcher(
    instead ??
      new Agent({
        connections: null,
        pipelining: 1,
        keepAliveTimeout: 10_000,
        connect: { timeout: outboundLimits.connectMs },
      }),
  );
}

/** undici (and Node) put a plain Agent there themselves when first used: that one is nobody's choice. */
function isNobodys(dispatcher: Dispatcher): boolean {
  // Node's own `fetch` leaves a wrapper for older undicis, with the Agent it really uses under the newer name.
  const newer: unknown = Reflect.get(globalThis, Symbol.for('undici.globalDispatcher.2'));
  const wrapped = dispatcher.constructor.name === 'Dispatcher1Wrapper';
  return isPlainAgent(wrapped ? newer : dispatcher);
}

function isPlainAgent(dispatcher: unknown): boolean {
  return (
    typeof dispatcher === 'object' &&
    dispatcher !== null &&
    dispatcher.constructor.name === 'Agent' &&
    Reflect.get(dispatcher, 'dispatch') === Reflect.get(Object.getPrototypeOf(dispatcher), 'dispatch')
  );
}

/**
 * The one way out to Microsoft (R40, R59): https hosts of `cloud` only, no redirects followed, bounded in time and
 * bytes. Goes through undici's global dispatcher. `onCall` hears of every call: status, or the reason of the failure.
 * @throws OutboundError only.
 */
export function openOutbound(options: {
  cloud: Cloud;
  onCall?: (host: string, path: string, status: number | string, ms: number) => void;
}): Outbound {
  return async function outbound(address, init) {
    // The same reading of the address decides and is called: two could differ.
    const url = URL.parse(address);
    if (url === null || !isOfCloud(options.cloud, url)) {
      throw new OutboundError(
        'refused',
        'before',
        'HOST_NOT_ALLOWED',
        'Watchpost does not call addresses outside the Microsoft cloud it is set up for.',
      );
    }
    const startedAt = performance.now();
    const report = (status: number | string): void =>
      options.onCall?.(url.hostname, url.pathname, status, performance.now() - startedAt);
    try {
      const answer = await exchange(url, init);
      const body = await unpacked(answer, bounded(init.maxBytes, outboundLimits.bytes), url.hostname);
      report(answer.status);
      return { ...answer, body };
    } catch (error) {
      report(reasonOf(error));
      throw error;
    }
  };
}

/**
 * One request through `dispatch`, the layer right under `undici.request`: only here one hears the moment a socket
 * takes the request, which is the line between `before` and `after`.
 */
function exchange(url: URL, init: OutboundInit): Promise<OutboundAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<OutboundAnswer>();
  const maxBytes = bounded(init.maxBytes, outboundLimits.bytes);
  const timeoutMs = bounded(init.timeoutMs, outboundLimits.totalMs);
  const idleMs = bounded(init.idleMs, outboundLimits.idleMs);
  const host = url.hostname;
  let phase: 'before' | 'after' = 'before';
  let settled = false;
  let controller: Dispatcher.DispatchController | undefined;
  let status = 0;
  let headers: Record<string, string> = {};
  let received = 0;
  const chunks: Buffer[] = [];

  function settle(end: () => void): void {
    if (settled) return;
    settled = true;
    clearTimeout(deadline);
    init.signal?.removeEventListener('abort', stop);
    end();
  }
  function fail(error: OutboundError): void {
    settle(() => reject(error));
    controller?.abort(error);
  }
  function stop(): void {
    fail(new OutboundError('stopped', phase, 'ABORTED', `The call to ${host} was given up.`));
  }
  const deadline = setTimeout(
    () =>
      fail(
        new OutboundError(
          'service-error',
          phase,
          'TIMEOUT',
          `${host} did not answer within ${timeoutMs / 1000} seconds.`,
        ),
      ),
    timeoutMs,
  );
  init.signal?.addEventListener('abort', stop, { once: true });
  if (init.signal?.aborted) {
    stop();
    return promise;
  }

  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(started) {
      controller = started;
      // Given up while the connection was still being made: nothing is sent.
      if (settled) started.abort(new Error('given up before it was sent'));
      else phase = 'after';
    },
    onResponseStart(_, statusCode, fields) {
      status = statusCode;
      headers = flatten(fields);
      const announced = Number(headers['content-length']);
      if (announced > maxBytes) fail(tooBig(host, maxBytes));
    },
    onResponseData(_, chunk) {
      received += chunk.length;
      if (received > maxBytes) fail(tooBig(host, maxBytes));
      else if (!settled) chunks.push(chunk);
    },
    onResponseEnd() {
      settle(() =>
        resolve({
          status,
          headers,
          body: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, received),
        }),
      );
    },
    onResponseError(_, error) {
      fail(noAnswer(host, phase, error));
    },
  };
  try {
    getGlobalDispatcher().dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: init.method,
        headers: { 'accept-encoding': 'gzip, br', ...init.headers },
        body:
          init.body === undefined ? null : typeof init.body === 'string' ? init.body : Buffer.from(init.body),
        headersTimeout: idleMs,
        bodyTimeout: idleMs,
      },
      handler,
    );
  } catch (error) {
    fail(noAnswer(host, phase, error));
  }
  return promise;
}

async function unpacked(answer: OutboundAnswer, maxBytes: number, host: string): Promise<Buffer> {
  try {
    return await unpack(answer.body, answer.headers['content-encoding'], maxBytes);
  } catch (error) {
    if (reasonOf(error) === 'ERR_BUFFER_TOO_LARGE') throw tooBig(host, maxBytes);
    throw noAnswer(host, 'after', error);
  }
}

function bounded(wanted: number | undefined, most: number): number {
  return wanted === undefined || !(wanted > 0) ? most : Math.min(wanted, most);
}

function flatten(fields: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const flat: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) flat[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}

function tooBig(host: string, maxBytes: number): OutboundError {
  return new OutboundError(
    'service-error',
    'after',
    'TOO_BIG',
    `${host} answered with more than ${Math.floor(maxBytes / (1024 * 1024))} MiB.`,
  );
}

function noAnswer(host: string, phase: 'before' | 'after', error: unknown): OutboundError {
  if (error instanceof OutboundError) return error;
  const reason = reasonOf(error);
  return new OutboundError('service-error', phase, reason, noAnswerInWords(host, phase, reason), error);
}

/** A short word for the log: never a message, which may quote what was sent. */
function reasonOf(error: unknown): string {
  if (error instanceof OutboundError) return error.reason;
  const known =
    typeof error === 'object' && error !== null ? (error as { code?: unknown; name?: unknown }) : {};
  if (typeof known.code === 'string') return known.code;
  return typeof known.name === 'string' ? known.name : 'unknown';
}
