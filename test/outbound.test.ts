import type { AddressInfo } from 'node:net';
import { createServer as createTcp, type Server as TcpServer } from 'node:net';
import { inspect } from 'node:util';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Agent, type Dispatcher, EnvHttpProxyAgent, getGlobalDispatcher, setGlobalDispatcher } from 'undici';
import { type Cloud, clouds } from '../bot/clouds.ts';
import { configureDispatcher, OutboundError, openOutbound } from '../bot/outbound.ts';
import { isAllowedServiceUrl } from '../bot/teams/service-url.ts';
import { type Fake, startFake } from './microsoft/fake-microsoft.ts';

const graph = 'https://graph.microsoft.com/v1.0/organization';
const bearer = 'Bearer canary.of.a.token';
let fake: Fake;
beforeEach(async () => {
  fake = await startFake();
});
afterEach(() => fake.stop());

const get = { method: 'GET', headers: { authorization: bearer } } as const;
const outbound = openOutbound({ cloud: clouds.global });

async function failureOf(call: Promise<unknown>): Promise<OutboundError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof OutboundError)) throw new Error(`expected an OutboundError, got ${inspect(error)}`);
  expect(inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })).not.toContain(
    'canary.of.a.token',
  );
  return error;
}

// ---------------------------------------------------------------------------------------------- where it may go

const good = [
  'graph.microsoft.com',
  'login.microsoftonline.com',
  'smba.trafficmanager.net',
  'login.microsoftonline.us',
  'smba.infra.gcc.teams.microsoft.com',
];
/** Every way we know of to make an address look like Microsoft's (R59). */
const foreign: string[] = [
  ...good.flatMap((host) => [
    `http://${host}/`,
    `https://${host}./`,
    `https://${host}:8443/`,
    `https://${host}:444/`,
    `https://${host}.evil.example/`,
    `https://${host}@evil.example/`,
    `https://user@${host}/`,
    `https://user:word@${host}/`,
    `https://:word@${host}/`,
    `https://evil.example/${host}`,
    `https://evil.example?${host}`,
    `https://evil.example#${host}`,
    `https://evil-${host}/`,
    `https://x.${host}/`,
    `ftp://${host}/`,
    `ws://${host}/`,
    `//${host}/`,
    `${host}/`,
  ]),
  'https://evil.example/',
  'https://evilbotframework.com/',
  'https://botframework.com/',
  'https://.botframework.com.evil.example/',
  'https://smba.trafficmanager.net.evil.example/teams/',
  'https://evil.trafficmanager.net/',
  'https://graph.microsoft.com%2eevil.example/',
  'https://graph.microsoft.com%00.evil.example/',
  'https://graph.mіcrosoft.com/', // a Cyrillic letter
  'https://graph.microsoft.com\u3002evil.example/',
  'https://127.0.0.1/',
  'https://2130706433/',
  'https://0x7f000001/',
  'https://[::1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://169.254.169.254/metadata/instance',
  'https://localhost/',
  'https://graph.microsoft.com\\@evil.example:99/',
  'https:evil.example',
  'file:///etc/passwd',
  'data:text/plain,x',
  'javascript:alert(1)',
  '',
  'nonsense',
];

/** Hosts a call really set out for, out of a list of addresses. */
async function reached(cloud: Cloud, addresses: string[]): Promise<string[]> {
  const hosts: string[] = [];
  const before = getGlobalDispatcher();
  setGlobalDispatcher(
    new Agent().compose(() => (options) => {
      hosts.push(new URL(String(options.origin)).host);
      throw new Error('not in this test');
    }),
  );
  const call = openOutbound({ cloud });
  for (const address of addresses) await call(address, get).catch(() => undefined);
  setGlobalDispatcher(before);
  return hosts;
}

test('a hundred addresses that only look like Microsoft are refused before a socket opens', async () => {
  expect(foreign.length).toBeGreaterThanOrEqual(100);
  // The row with a backslash: for the parser, and so for the request, it ends the host, and the rest is a path.
  expect(await reached(clouds.global, foreign)).toEqual(['graph.microsoft.com']);
  const error = await failureOf(outbound('https://evil.example/', get));
  expect(error).toMatchObject({ code: 'refused', phase: 'before' });
});

test('planted: a table with a wildcard too wide lets foreign hosts through', async () => {
  const wide: Cloud = { ...clouds.global, connectorHosts: ['*.example'] };
  expect((await reached(wide, foreign)).length).toBeGreaterThan(10);
});

test.each(Object.values(clouds))(
  '$name reaches its own hosts and none that only another cloud has',
  async (cloud) => {
    const hostsOf = (one: Cloud): string[] => [
      one.authority,
      one.graph,
      new URL(one.botOpenIdMetadata).origin,
      ...one.connectorHosts.map((host) => `https://${host.replace('*', 'europe')}`),
    ];
    const own = hostsOf(cloud);
    expect(await reached(cloud, own)).toEqual(own.map((one) => new URL(one).host));
    const others = Object.values(clouds)
      .flatMap(hostsOf)
      .filter((one) => !own.includes(one));
    expect(others.length).toBeGreaterThan(3);
    expect(await reached(cloud, others)).toEqual([]);
  },
);

test.each([
  { url: 'https://smba.trafficmanager.net/emea/', may: true },
  { url: 'https://smba.infra.gcc.teams.microsoft.com/teams', may: true },
  { url: 'https://europe.webchat.botframework.com/', may: true },
  { url: 'https://graph.microsoft.com/', may: false },
  { url: 'https://login.microsoftonline.com/', may: false },
  { url: 'https://smba.infra.gov.teams.microsoft.us/', may: false },
  { url: 'http://smba.trafficmanager.net/', may: false },
  { url: 'https://evil@smba.trafficmanager.net/', may: false },
])('a service URL $url may be posted to: $may', ({ url, may }) => {
  expect(isAllowedServiceUrl(url, clouds.global.connectorHosts)).toBe(may);
});

// ---------------------------------------------------------------------------------------------- what comes back

test.each([301, 302, 303, 307, 308])('%d is an answer, the other address is never asked', async (status) => {
  fake.on('/', { status, headers: { location: 'https://graph.microsoft.com/elsewhere' } });
  expect(await outbound(graph, get)).toMatchObject({ status });
  expect(fake.asked.map(({ path }) => path)).toEqual(['/v1.0/organization']);
});

test.each([
  { encoding: 'gzip', pack: (text: string) => gzipSync(text) },
  { encoding: 'br', pack: (text: string) => brotliCompressSync(text) },
  { encoding: 'identity', pack: (text: string) => Buffer.from(text) },
  { encoding: 'GZIP', pack: (text: string) => gzipSync(text) },
])('a body packed with $encoding comes unpacked', async ({ encoding, pack }) => {
  const text = JSON.stringify({ value: 'ä'.repeat(50_000) });
  fake.on('/', { headers: { 'content-encoding': encoding, 'x-Some': 'a' }, body: pack(text) });
  const answer = await outbound(graph, get);
  expect(answer.body.toString('utf8')).toBe(text);
  expect(answer.headers['x-some']).toBe('a');
  expect(fake.asked[0]?.headers).toMatchObject({ 'accept-encoding': 'gzip, br', authorization: bearer });
});

test('a big packed body is unpacked too, away from the event loop', async () => {
  const text = Array.from(
    { length: 300_000 },
    (_, number) => `${(number * 2_654_435_761) % 4_294_967_296}`,
  ).join();
  const packed = gzipSync(text);
  expect(packed.length).toBeGreaterThan(1024 * 1024);
  fake.on('/', { headers: { 'content-encoding': 'gzip' }, body: packed });
  expect((await outbound(graph, get)).body.length).toBe(text.length);
});

test.each([
  {
    name: 'broken gzip',
    headers: { 'content-encoding': 'gzip' },
    body: Buffer.from('no gzip'),
    reason: /Z_DATA_ERROR/,
  },
  {
    name: 'half a gzip',
    headers: { 'content-encoding': 'gzip' },
    body: gzipSync('x'.repeat(9999)).subarray(0, 30),
    reason: /Z_BUF_ERROR/,
  },
  {
    name: 'an encoding nobody asked for',
    headers: { 'content-encoding': 'zstd' },
    body: 'x',
    reason: /ENCODING/,
  },
  { name: 'gzip in gzip', headers: { 'content-encoding': 'gzip, gzip' }, body: 'x', reason: /ENCODING/ },
  {
    name: 'a bomb of 100 MB in 100 KB',
    headers: { 'content-encoding': 'gzip' },
    body: gzipSync(Buffer.alloc(100 * 1024 * 1024)),
    reason: /TOO_BIG/,
  },
  {
    name: 'a bomb of brotli',
    headers: { 'content-encoding': 'br' },
    body: brotliCompressSync(Buffer.alloc(80 * 1024 * 1024), {
      params: { [constants.BROTLI_PARAM_QUALITY]: 1 },
    }),
    reason: /TOO_BIG/,
  },
])('$name is a service error', async ({ headers, body, reason }) => {
  fake.on('/', { headers, body });
  const error = await failureOf(outbound(graph, get));
  expect(error).toMatchObject({ code: 'service-error', phase: 'after' });
  expect(error.reason).toMatch(reason);
});

test('an endless body is cut off at the limit, announced or not', async () => {
  let sent = 0;
  fake.on('/', (_, response) => {
    response.writeHead(200);
    const chunk = Buffer.alloc(64 * 1024);
    const more = (): void => {
      while (!response.destroyed && sent < 100 * 1024 * 1024) {
        sent += chunk.length;
        if (!response.write(chunk)) {
          response.once('drain', more);
          return;
        }
      }
    };
    more();
    return undefined;
  });
  const error = await failureOf(outbound(graph, { ...get, maxBytes: 1024 * 1024 }));
  expect(error.reason).toBe('TOO_BIG');
  expect(sent).toBeLessThan(20 * 1024 * 1024);
  fake.on('/', (_, response) => {
    response.writeHead(200, { 'content-length': String(100 * 1024 * 1024) });
    response.write('x');
    return undefined;
  });
  expect((await failureOf(outbound(graph, get))).reason).toBe('TOO_BIG');
});

// ---------------------------------------------------------------------------------------------- time and faults

test.each([
  {
    name: 'silence before the first byte',
    script: () => undefined,
    init: { idleMs: 50 },
    reason: /HEADERS_TIMEOUT/,
  },
  {
    name: 'silence in the middle',
    script: (_: unknown, response: import('node:http').ServerResponse) => {
      response.writeHead(200);
      response.write('{');
      return undefined;
    },
    init: { idleMs: 50 },
    reason: /BODY_TIMEOUT/,
  },
  {
    name: 'a byte now and then',
    script: (_: unknown, response: import('node:http').ServerResponse) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write(' '), 10);
      response.once('close', () => clearInterval(timer));
      return undefined;
    },
    init: { timeoutMs: 120, idleMs: 100 },
    reason: /^TIMEOUT$/,
  },
  {
    name: 'a reset before an answer',
    script: (_: unknown, response: import('node:http').ServerResponse) => {
      response.socket?.resetAndDestroy();
      return undefined;
    },
    init: {},
    reason: /ECONNRESET|UND_ERR_SOCKET/,
  },
  {
    name: 'a reset in the middle',
    script: (_: unknown, response: import('node:http').ServerResponse) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"value":', () => response.socket?.resetAndDestroy());
      return undefined;
    },
    init: {},
    reason: /ECONNRESET|UND_ERR_SOCKET/,
  },
  {
    name: 'less than was announced',
    script: (_: unknown, response: import('node:http').ServerResponse) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{}', () => response.socket?.end());
      return undefined;
    },
    init: {},
    reason: /UND_ERR_SOCKET|ECONNRESET|UND_ERR_RES_CONTENT_LENGTH_MISMATCH/,
  },
])('$name: may have arrived', async ({ script, init, reason }) => {
  fake.on('/', script);
  const error = await failureOf(outbound(graph, { ...get, ...init }));
  expect(error).toMatchObject({ code: 'service-error', phase: 'after' });
  expect(error.reason).toMatch(reason);
  // What people read is words; the code is for the log.
  expect(error.message).toMatch(/^[^A-Z]*[A-Za-z][^A-Z_]*\.$/);
  expect(error.message).not.toContain(error.reason);
});

/** Sends everything to one port, over TLS or not, with its own connect options. */
function to(origin: string, options: Agent.Options = {}): Dispatcher {
  return new Agent(options).compose(
    (dispatch) => (asked, handler) => dispatch({ ...asked, origin }, handler),
  );
}

let tcp: TcpServer | undefined;
afterEach(() => {
  tcp?.close();
});
async function port(server: TcpServer): Promise<number> {
  tcp = server;
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return (server.address() as AddressInfo).port;
}

test.each([
  {
    name: 'nobody listens',
    dispatcher: async () => {
      const free = await port(createTcp());
      await new Promise((resolve) => tcp?.close(resolve));
      return to(`http://127.0.0.1:${free}`);
    },
    reason: /ECONNREFUSED/,
  },
  {
    name: 'no such name',
    dispatcher: async () =>
      to('http://nowhere.invalid', {
        connect: {
          lookup: (_, __, done) => done(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), ''),
        },
      }),
    reason: /ENOTFOUND/,
  },
  {
    name: 'no TLS on the other side',
    dispatcher: async () =>
      to(`https://127.0.0.1:${await port(createTcp((socket) => socket.end('HTTP/1.1 200\r\n\r\n')))}`),
    reason: /SSL|EPROTO|ECONNRESET/,
  },
  {
    name: 'a connection that is never made',
    dispatcher: async () => to('http://127.0.0.1:1', { connect: () => undefined }),
    reason: /^TIMEOUT$/,
  },
])('$name: surely not arrived', async ({ dispatcher, reason }) => {
  setGlobalDispatcher(await dispatcher());
  const error = await failureOf(outbound(graph, { ...get, method: 'POST', body: 'x', timeoutMs: 300 }));
  expect(error).toMatchObject({ code: 'service-error', phase: 'before' });
  expect(error.reason).toMatch(reason);
});

test('an answer that is cut off at any byte is never taken for a whole one', async () => {
  const whole = Buffer.from(
    'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{"value":[{"a":12}]}',
  );
  let cut = 0;
  const cutting = await port(
    createTcp((socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('data', () => socket.end(whole.subarray(0, cut)));
    }),
  );
  setGlobalDispatcher(to(`http://127.0.0.1:${cutting}`));
  for (cut = 0; cut < whole.length; cut += 1) {
    expect(await failureOf(outbound(graph, get))).toMatchObject({ code: 'service-error', phase: 'after' });
  }
  expect((await outbound(graph, get)).body.toString('utf8')).toBe('{"value":[{"a":12}]}');
});

test('a call given up is told as stopped, with what is known of where it was', async () => {
  const stop = new AbortController();
  fake.on('/', () => {
    stop.abort();
    return undefined;
  });
  expect(await failureOf(outbound(graph, { ...get, signal: stop.signal }))).toMatchObject({
    code: 'stopped',
    phase: 'after',
  });
  expect(await failureOf(outbound(graph, { ...get, signal: stop.signal }))).toMatchObject({
    code: 'stopped',
    phase: 'before',
  });
  expect(fake.asked).toHaveLength(1);
});

test('who listens hears of every call, good or bad, without its query', async () => {
  const heard: unknown[] = [];
  const listening = openOutbound({
    cloud: clouds.global,
    onCall: (host, path, status, ms) => heard.push([host, path, status, ms >= 0]),
  });
  fake.on('/', { status: 503 });
  await listening(`${graph}?$select=id`, get);
  fake.on('/', { headers: { 'content-encoding': 'zstd' }, body: 'x' });
  await failureOf(listening(graph, get));
  expect(heard).toEqual([
    ['graph.microsoft.com', '/v1.0/organization', 503, true],
    ['graph.microsoft.com', '/v1.0/organization', 'ENCODING', true],
  ]);
});

// ---------------------------------------------------------------------------------------------- the dispatcher

test('the dispatcher is set only where nobody has chosen one', () => {
  const chosen = to('http://127.0.0.1:1');
  for (const theirs of [chosen, new EnvHttpProxyAgent()]) {
    setGlobalDispatcher(theirs);
    configureDispatcher();
    expect(getGlobalDispatcher()).toBe(theirs);
    configureDispatcher(to('http://127.0.0.1:2'));
    expect(getGlobalDispatcher()).toBe(theirs);
  }
  const unchosen = new Agent();
  setGlobalDispatcher(unchosen);
  configureDispatcher();
  expect(getGlobalDispatcher()).not.toBe(unchosen);
  setGlobalDispatcher(unchosen);
  configureDispatcher(chosen);
  expect(getGlobalDispatcher()).toBe(chosen);
});
