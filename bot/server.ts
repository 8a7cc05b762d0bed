import type { AddressInfo } from 'node:net';
import { createServer as createRestify, type Request, type Response, type ServerOptions } from 'restify';
import type { Caller } from '../shared/access.ts';
import type { ApiRequest, ApiRoute } from './api/route.ts';
import type { PageRoute } from './connect/page-route.ts';
import { errorCode, WatchpostError } from './errors.ts';
import type { Secret } from './secrets.ts';
import { commonHeaders, tabPolicy } from './server/headers.ts';
import { mayReadMetrics } from './server/may-read-metrics.ts';
import { problemOf, Refused, refusalOf } from './server/problem.ts';
import { quietLog } from './server/quiet-log.ts';
import { parseJson, readBody, skipForm } from './server/read-body.ts';
import { openStaticFiles } from './server/static-files.ts';
import { discard, routeOf, unwanted } from './server/unwanted.ts';
import { quietWhen, within } from './server/waiting.ts';
import type { Services } from './services.ts';
import type { Door } from './teams/application.ts';

export type ServerParts = {
  config: {
    publicUrl: string;
    metricsToken: Secret | undefined;
    demo: boolean;
    /** Demo only: where the tab signs in. */
    sandboxOrigin?: string;
    /** The built tab. */
    tabFolder: string;
  };
  /** Absent in a process that answers nobody. */
  door: Door | undefined;
  apiRoutes: readonly ApiRoute[];
  /** Pages outside of the tab, for browsers without a token of ours. */
  pages?: readonly PageRoute[];
  requireUser(
    authorization: string | undefined,
  ): Promise<{ kind: 'user'; who: Caller } | { kind: 'refused'; status: number; detail: string }>;
  services: Pick<Services, 'log' | 'metrics' | 'random' | 'signal'> & Services;
  /** May people be sent to this process? */
  ready(): Promise<boolean>;
};

export type Server = {
  /** Resolves to the port; 0 asks for a free one. @throws WatchpostError `start` when it cannot be had */
  listen(port: number, host: string): Promise<number>;
  /** Stops taking requests, lets those in progress end for at most 4 s. */
  close(): Promise<void>;
};

type Answer = { status: number; headers?: Readonly<Record<string, string>>; body?: string | Buffer };
type Handle = (request: Request, id: string) => Promise<Answer>;

const limits = {
  requestMs: 30_000,
  headersMs: 10_000,
  keepAliveMs: 60_000,
  headers: 64,
  answerMs: 25_000,
  closeMs: 4000,
} as const;
const json = 'application/json; charset=utf-8';

/** Routes and nothing else. restify 12 with its traps closed: security.md §5.4 and F7 say which. */
export function createServer(parts: ServerParts): Server {
  const { config, door, services } = parts;
  const { log } = services;
  const server = createRestify({ name: '', log: quietLog } as unknown as ServerOptions);
  const common = Object.entries(commonHeaders(config));
  const tab = tabPolicy(config);
  const files = openStaticFiles(config.tabFolder);
  const ids = new WeakMap<Request, string>();
  let inFlight = 0;
  let closing = false;

  // restify passes Node's errors on to itself and throws where nobody listens: a taken port would be a crash.
  server.on('error', (error: unknown) => log.warn({ code: errorCode(error) }, 'server error'));
  // restify takes upgrades off Node's hands and then leaves the socket hanging; without a listener they are requests.
  server.server.removeAllListeners('upgrade');
  Object.assign(server.server, {
    requestTimeout: limits.requestMs,
    headersTimeout: limits.headersMs,
    keepAliveTimeout: limits.keepAliveMs,
    timeout: limits.keepAliveMs + 5000,
    maxHeadersCount: limits.headers,
    // Node looks every 30 s by default, which makes its own limits of 10 and 30 s three times as long.
    connectionsCheckingInterval: 2000,
  });

  server.pre((request: Request, response: Response, next) => {
    const id = services.random();
    const started = performance.now();
    ids.set(request, id);
    inFlight += 1;
    response.removeHeader('Server');
    for (const [name, value] of common) response.setHeader(name, value);
    response.setHeader('X-Request-Id', id);
    if (closing) response.setHeader('Connection', 'close');
    response.once('close', () => {
      inFlight -= 1;
      const route = routeOf(request);
      const ms = Math.round(performance.now() - started);
      const { statusCode: status } = response;
      // A turn that was let in writes a line of its own.
      const level = route === '/api/messages' && status < 300 ? 'debug' : 'info';
      log[level]({ method: request.method, route, status, ms, requestId: id }, 'request');
    });
    const refusal = unwanted(request, inFlight);
    if (refusal === undefined) return next();
    refuse(request, response, refusal);
    return next(false);
  });

  // 404, 405 and whatever restify finds wrong: our words instead of its own.
  server.on(
    'restifyError',
    (request: Request, response: Response, error: { statusCode?: unknown }, done: () => void) => {
      if (!response.headersSent) {
        const status = error.statusCode;
        if (status === 404) refuse(request, response, new Refused(404, 'There is nothing here.'));
        else if (status === 405) refuse(request, response, new Refused(405, 'This cannot be done here.'));
        else {
          log.error(
            { code: errorCode(error), requestId: ids.get(request) },
            'request failed outside its handler',
          );
          refuse(request, response, refusalOf(error));
        }
      }
      done();
    },
  );

  get('/healthz', async () => ({ status: 200, body: 'ok\n' }));
  get('/readyz', async () =>
    (await isReady()) ? { status: 200, body: 'ready\n' } : { status: 503, body: 'not ready\n' },
  );
  get('/metrics', async (request) => {
    if (!mayReadMetrics(request.headers.authorization, config))
      throw new Refused(404, 'There is nothing here.');
    return {
      status: 200,
      headers: { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' },
      body: await services.metrics.text(),
    };
  });
  for (const path of ['/tab', '/tab/*']) get(path, tabFile);
  for (const route of parts.apiRoutes) {
    if (route.method === 'GET') get(route.path, (request, id) => callApi(route, request, id));
    else post(route.path, (request, id) => callApi(route, request, id));
  }
  for (const route of parts.pages ?? []) {
    if (route.method === 'GET') get(route.path, (request, id) => callPage(route, request, id));
    else post(route.path, (request, id) => callPage(route, request, id));
  }
  if (door !== undefined) {
    post('/api/messages', async (request) => {
      const body = parseJson(await readBody(request));
      const answer = await door.handle({ rawHeaders: request.rawHeaders, body });
      if (answer.status >= 400) throw new Refused(answer.status, doorWords[answer.status] ?? 'Refused.');
      return answer.body === undefined
        ? { status: answer.status }
        : { status: answer.status, headers: { 'Content-Type': json }, body: JSON.stringify(answer.body) };
    });
  }

  function get(path: string, handle: Handle): void {
    server.get(path, wrapped(handle));
    server.head(path, wrapped(handle));
  }
  function post(path: string, handle: Handle): void {
    server.post(path, wrapped(handle));
  }

  /** restify logs what an async handler returns and sends what one throws: this one does neither. */
  function wrapped(handle: Handle) {
    return (request: Request, response: Response, next: (stop?: false) => void): void => {
      const id = ids.get(request) ?? '';
      inTime(handle(request, id))
        .then((answer) => send(response, answer))
        .catch((error: unknown) => {
          const refusal = refusalOf(error);
          if (refusal.status >= 500) {
            log.error(
              { problem: id, requestId: id, code: errorCode(error), route: routeOf(request) },
              'request failed',
            );
          }
          if (!response.headersSent) refuse(request, response, refusal);
        })
        .finally(() => next(false));
    };
  }

  function refuse(request: Request, response: Response, refusal: Refused): void {
    // What is left of a body that nobody reads would be taken for the next request.
    if (!request.complete) {
      response.setHeader('Connection', 'close');
      response.once('finish', () => discard(request));
    }
    const problem = problemOf(refusal.status, refusal.detail, ids.get(request) ?? '');
    send(response, {
      status: refusal.status,
      headers: {
        'Content-Type': 'application/problem+json; charset=utf-8',
        ...(refusal.status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}),
        ...refusal.headers,
      },
      body: JSON.stringify(problem),
    });
  }

  function send(response: Response, { status, headers = {}, body = '' }: Answer): void {
    if (response.headersSent || response.destroyed) return;
    const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body);
    const type = { 'Content-Type': 'text/plain; charset=utf-8' };
    const length = { 'Content-Length': String(bytes.length) };
    response.sendRaw(status, bytes, { ...(bytes.length === 0 ? {} : type), ...length, ...headers });
  }

  async function tabFile(request: Request): Promise<Answer> {
    const path = (request.url ?? '').split(/[?#]/, 1)[0] ?? '';
    const found = await files.find(path.slice('/tab'.length), {
      encodings: header(request, 'accept-encoding'),
      etag: header(request, 'if-none-match'),
    });
    if (found === undefined) throw new Refused(404, 'There is nothing here.');
    return {
      status: found.status,
      headers: { ...found.headers, 'Content-Security-Policy': tab },
      body: found.bytes,
    };
  }

  async function callApi(route: ApiRoute, request: Request, id: string): Promise<Answer> {
    const bytes = route.method === 'POST' ? await readBody(request) : undefined;
    const gone = new AbortController();
    request.once('close', () => {
      if (!request.complete) gone.abort();
    });
    const asked = (body: unknown): ApiRequest => ({
      method: route.method,
      params: { ...request.params },
      query: new URLSearchParams((request.url ?? '').split('?').slice(1).join('?')),
      body,
      id,
      signal: AbortSignal.any([gone.signal, services.signal, AbortSignal.timeout(limits.answerMs)]),
    });
    if (route.auth === 'none') {
      const { status, body } = await route.handle(
        asked(bytes === undefined ? undefined : parseJson(bytes)),
        services,
      );
      return asJson(status, body);
    }
    const user = await parts.requireUser(request.headers.authorization);
    if (user.kind === 'refused') throw new Refused(user.status, user.detail);
    const body = bytes === undefined ? undefined : parseJson(bytes);
    const answer = await route.handle(asked(body), user.who, services);
    return asJson(answer.status, answer.body);
  }

  async function callPage(route: PageRoute, request: Request, id: string): Promise<Answer> {
    if (route.method === 'POST') await skipForm(request);
    const method = request.method === 'HEAD' || request.method === 'POST' ? request.method : 'GET';
    return await route.handle(
      {
        method,
        params: { ...request.params },
        query: new URLSearchParams((request.url ?? '').split('?').slice(1).join('?')),
        headers: Object.fromEntries(
          Object.keys(request.headers).map((name) => [name, header(request, name)]),
        ),
        id,
      },
      services,
    );
  }

  async function isReady(): Promise<boolean> {
    try {
      return !closing && (await within(parts.ready(), 2000)) === true;
    } catch (error) {
      log.warn({ code: errorCode(error) }, 'not ready');
      return false;
    }
  }

  return {
    async listen(port, host) {
      return await new Promise<number>((resolve, reject) => {
        const failed = (error: NodeJS.ErrnoException): void => reject(cannotListen(error, port, host));
        server.server.once('error', failed);
        server.server.listen(port, host, () => {
          server.server.off('error', failed);
          resolve((server.server.address() as AddressInfo).port);
        });
      });
    },
    async close() {
      closing = true;
      const closed = new Promise<void>((resolve) => {
        server.server.close(() => resolve());
      });
      const until = performance.now() + limits.closeMs;
      await within(
        Promise.all([door?.idle(limits.closeMs), quietWhen(() => inFlight === 0, until)]),
        limits.closeMs,
      );
      server.server.closeAllConnections();
      await closed;
    },
  };
}

const doorWords: Readonly<Record<number, string>> = {
  400: 'This is no activity of Teams.',
  401: 'The token of this activity is not accepted.',
  503: 'The token of this activity cannot be checked right now.',
};

async function inTime(work: Promise<Answer>): Promise<Answer> {
  const answer = await within(work, limits.answerMs);
  if (answer === undefined) throw new WatchpostError('stopped', 'A request was not answered in time.');
  return answer;
}

function asJson(status: number, body: unknown): Answer {
  return { status, headers: { 'Content-Type': json }, body: JSON.stringify(body ?? null) };
}

function header(request: Request, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

function cannotListen(error: NodeJS.ErrnoException, port: number, host: string): WatchpostError {
  const why =
    error.code === 'EADDRINUSE'
      ? `Port ${port} is taken by another program.`
      : `Watchpost cannot listen on ${host}:${port} (${error.code}).`;
  return new WatchpostError('start', why, {
    hint: 'Stop that program, or set PORT to another number.',
    cause: error,
  });
}
