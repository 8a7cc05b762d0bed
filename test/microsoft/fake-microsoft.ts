import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { setGlobalDispatcher } from 'undici';
import { type Cloud, clouds } from '../../bot/clouds.ts';
import { silentLog } from '../../bot/log.ts';
import { openMicrosoft } from '../../bot/microsoft/open.ts';
import { type Outbound, openOutbound } from '../../bot/outbound.ts';
import { toSandbox } from '../../bot/sandbox-dispatcher.ts';
import { Secret } from '../../bot/secrets.ts';
import type { Microsoft, TenantAccess } from '../../bot/services.ts';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';

/** A loopback server that answers as Microsoft's hosts, and a clock that stands still until it is moved. */

export type Asked = {
  method: string;
  host: string;
  path: string;
  query: string;
  headers: IncomingHttpHeaders;
  body: string;
  /** By the test's clock. */
  at: number;
};
export type Answer = { status?: number; headers?: Record<string, string>; body?: unknown };
/** A JSON-able body or raw text/Buffer, or a function that writes the answer itself. */
export type Script = (
  asked: Asked,
  response: ServerResponse,
) => Answer | undefined | Promise<Answer | undefined>;

export type Fake = {
  url: string;
  asked: Asked[];
  /** Later rows win. `path` is matched from its beginning, with the host before it when given. */
  on(path: string, script: Script | Answer): void;
  stop(): Promise<void>;
};

export async function startFake(now: () => number = () => Date.now()): Promise<Fake> {
  const scripts: { path: string; script: Script }[] = [];
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', 'https://fake.example');
    const one: Asked = {
      method: request.method ?? '',
      host: request.headers.host ?? '',
      path: url.pathname,
      query: decodeURIComponent(url.search),
      headers: request.headers,
      body: Buffer.concat(chunks).toString('utf8'),
      at: now(),
    };
    asked.push(one);
    const row = scripts.findLast(
      ({ path }) => one.path.startsWith(path) || `${one.host}${one.path}`.startsWith(path),
    );
    const answer = row === undefined ? { status: 404, body: {} } : await row.script(one, response);
    if (answer === undefined) return;
    const { status = 200, headers = {}, body = {} } = answer;
    const raw = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    // Not chained: restify, loaded by another test of this process, replaces writeHead by one that answers nothing.
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(raw);
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  setGlobalDispatcher(toSandbox(url));
  return {
    url,
    asked,
    on: (path, script) =>
      scripts.push({ path, script: typeof script === 'function' ? script : () => script }),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An id that is a GUID and can be told apart. */
export function tenantNumber(number: number): TenantId {
  const id = tenantId(`00000000-0000-4000-8000-${String(number).padStart(12, '0')}`);
  if (id === undefined) throw new Error('not a GUID');
  return id;
}

export const appId = '11111111-2222-4333-8444-555555555555';
export const secretText = 'canary~Secret.Of-Contoso_8Q';
export const tokenCanary = 'canaryTokenSignature0123456789';

export function accessTo(tenant: TenantId, secret = secretText): TenantAccess {
  return { tenantId: tenant, appId, credential: { kind: 'secret', secret: new Secret(secret) } };
}

/** A token as Entra makes them, but signed by nobody: its clients do not look at the signature. */
export function aToken(claims: Record<string, unknown>): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.${tokenCanary}`;
}

/** Entra's answer to a good token request for the tenant in the path. */
export function tokenAnswer(asked: Asked, now: number, extra: Record<string, unknown> = {}): Answer {
  const tid = asked.path.split('/')[1];
  const exp = Math.floor(now / 1000) + 3_599;
  const roles = ['SecurityEvents.Read.All', 'Organization.Read.All'];
  const token = aToken({
    tid,
    appid: new URLSearchParams(asked.body).get('client_id'),
    exp,
    roles,
    ...extra,
  });
  return { body: { token_type: 'Bearer', expires_in: 3_599, ext_expires_in: 3_599, access_token: token } };
}

export type Clock = {
  now(): number;
  sleep(ms: number): Promise<void>;
  advance(ms: number): Promise<void>;
  /** The next moment somebody waits for. */
  next(): number | undefined;
};

export function aClock(start = Date.parse('2026-11-20T08:00:00Z')): Clock {
  let time = start;
  let sleepers: { at: number; wake(): void }[] = [];
  return {
    now: () => time,
    sleep: (ms) => new Promise((wake) => sleepers.push({ at: time + ms, wake })),
    next: () => (sleepers.length === 0 ? undefined : Math.min(...sleepers.map(({ at }) => at))),
    async advance(ms) {
      time += ms;
      const due = sleepers.filter(({ at }) => at <= time);
      sleepers = sleepers.filter(({ at }) => at > time);
      for (const one of due) one.wake();
      await new Promise(setImmediate);
    },
  };
}

export type World = {
  fake: Fake;
  clock: Clock;
  microsoft: Microsoft;
  outbound: Outbound;
  stop: AbortController;
  /** Waits for `work`; when nothing is in flight and it still waits, the clock jumps to what it waits for. */
  drive<T>(work: Promise<T>): Promise<T>;
  /** True when no call to Microsoft is under way. */
  quiet(): boolean;
};

/** The real port against the fake, with a clock of its own. `random` is 0.5 unless given. */
export async function aWorld(options: { cloud?: Cloud; random?: () => number } = {}): Promise<World> {
  const clock = aClock();
  const fake = await startFake(clock.now);
  const cloud = options.cloud ?? clouds.global;
  const direct = openOutbound({ cloud });
  let busy = 0;
  const outbound: Outbound = async (url, init) => {
    busy += 1;
    try {
      return await direct(url, init);
    } finally {
      busy -= 1;
    }
  };
  for (const authority of new Set(Object.values(clouds).map((one) => new URL(one.authority).host))) {
    fake.on(`${authority}/`, (asked) => tokenAnswer(asked, clock.now()));
  }
  const stop = new AbortController();
  const microsoft = openMicrosoft({
    outbound,
    cloud,
    now: clock.now,
    sleep: clock.sleep,
    random: options.random ?? (() => 0.5),
    log: silentLog(),
    signal: stop.signal,
  });
  return {
    fake,
    clock,
    microsoft,
    outbound,
    stop,
    quiet: () => busy === 0,
    async drive(work) {
      let done = false;
      work.then(
        () => {
          done = true;
        },
        () => {
          done = true;
        },
      );
      while (!done) {
        await wait(2);
        const next = clock.next();
        if (!done && busy === 0 && next !== undefined) await clock.advance(Math.max(0, next - clock.now()));
      }
      return work;
    },
  };
}

/** How often the token endpoint was asked. */
export function tokenRequests(fake: Fake): Asked[] {
  return fake.asked.filter(({ path }) => path.endsWith('/oauth2/v2.0/token'));
}

export function graphRequests(fake: Fake): Asked[] {
  return fake.asked.filter(({ path }) => path.startsWith('/v1.0/'));
}

/** RSA keys are dear to make: one per run. */
export const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
