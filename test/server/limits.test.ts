import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ApiRequest, ApiRoute } from '../../bot/api/route.ts';
import { shapeOf } from '../../bot/server/json-shape.ts';
import { openServer, type ServerRig } from './rig.ts';

/** R6 and security.md §5.4: what is too large, too deep, too slow or not JSON ends before anybody works on it. */

let rig: ServerRig;
let reached = 0;
let last: ApiRequest | undefined;
let checkedTokens = 0;
const echo: ApiRoute = {
  method: 'POST',
  path: '/api/tab/echo',
  auth: 'tab',
  async handle(request) {
    reached += 1;
    last = request;
    return { status: 200, body: { ok: true } };
  },
};
const look: ApiRoute = {
  method: 'GET',
  path: '/api/tab/look/:id',
  auth: 'none',
  async handle(request) {
    last = request;
    return { status: 200, body: { id: request.params.id } };
  },
};

beforeAll(async () => {
  rig = await openServer({
    routes: [echo, look],
    door: {
      async handle() {
        reached += 1;
        return { status: 200 };
      },
      idle: async () => undefined,
    },
    async requireUser() {
      checkedTokens += 1;
      return {
        kind: 'user',
        who: { tid: 'x' as never, oid: 'o', name: 'Ana', home: true, disabled: false, grants: [] },
      };
    },
  });
});
afterAll(() => rig.close());

const json = ['content-type', 'application/json'];
const paths = ['/api/messages', '/api/tab/echo'];
const kib256 = 256 * 1024;
const sized = (bytes: number): string => `{"a":"${'x'.repeat(bytes - 8)}"}`;

test.each([
  { bytes: kib256 - 1, chunked: false, status: 200 },
  { bytes: kib256, chunked: false, status: 200 },
  { bytes: kib256 + 1, chunked: false, status: 413 },
  { bytes: kib256, chunked: true, status: 200 },
  { bytes: kib256 + 1, chunked: true, status: 413 },
  { bytes: 20 * 1024 * 1024, chunked: false, status: 413 },
  { bytes: 20 * 1024 * 1024, chunked: true, status: 413 },
])(
  'a body of $bytes bytes (chunked: $chunked) is answered with $status',
  async ({ bytes, chunked, status }) => {
    for (const path of paths) {
      const before = { reached, checkedTokens };
      const answer = await rig.ask('POST', path, { headers: json, body: sized(bytes), chunked });
      expect(answer.status).toBe(status);
      if (status !== 200) expect({ reached, checkedTokens }).toEqual(before);
    }
  },
);

test('a hundred bodies of 20 MB do not stay in memory', async () => {
  const body = Buffer.from(sized(20 * 1024 * 1024));
  global.gc?.();
  const before = process.memoryUsage().arrayBuffers;
  for (let at = 0; at < 20; at += 1) {
    await Promise.all(
      Array.from({ length: 5 }, () =>
        rig.ask('POST', '/api/messages', { headers: json, body, chunked: true }),
      ),
    );
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024);
}, 60_000);

test('a packed bomb is refused before it is unpacked', async () => {
  const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024, 32));
  expect(bomb.length).toBeLessThan(100 * 1024);
  for (const encoding of ['gzip', 'deflate', 'br', 'gzip, identity', 'GZIP', '']) {
    const answer = await rig.ask('POST', '/api/messages', {
      headers: [...json, 'content-encoding', encoding],
      body: bomb,
    });
    expect([400, 415]).toContain(answer.status);
  }
});

test.each([
  { type: 'application/json', status: 200 },
  { type: 'application/json; charset=utf-8', status: 200 },
  { type: 'Application/JSON;charset="UTF-8"', status: 200 },
  { type: 'application/json; charset=utf-16', status: 415 },
  { type: 'application/json; boundary=x', status: 415 },
  { type: 'application/jsonx', status: 415 },
  { type: 'text/json', status: 415 },
  { type: 'text/plain', status: 415 },
  { type: 'application/x-www-form-urlencoded', status: 415 },
  { type: 'multipart/form-data; boundary=x', status: 415 },
  { type: 'application/octet-stream', status: 415 },
  { type: '', status: 415 },
])('content type "$type" is answered with $status', async ({ type, status }) => {
  for (const path of paths) {
    const answer = await rig.ask('POST', path, { headers: ['content-type', type], body: '{}' });
    expect(answer.status).toBe(status);
  }
});

const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
test.each([
  { name: '32 levels', body: nested(32), status: 200 },
  { name: '33 levels', body: nested(33), status: 400 },
  { name: '100,000 levels', body: nested(100_000), status: 400 },
  { name: '100,000 levels never closed', body: '['.repeat(100_000), status: 400 },
  {
    name: '5,000 members',
    body: JSON.stringify(Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`k${at}`, 1]))),
    status: 200,
  },
  {
    name: '5,001 members',
    body: JSON.stringify(Object.fromEntries(Array.from({ length: 5001 }, (_, at) => [`k${at}`, 1]))),
    status: 400,
  },
  { name: 'brackets inside text', body: JSON.stringify({ a: '[{'.repeat(1000), b: '\\"[[[' }), status: 200 },
  { name: 'colons inside text', body: JSON.stringify({ a: ':'.repeat(10_000) }), status: 200 },
  { name: 'an escaped quotation mark before brackets', body: `{"a":"\\"${'['.repeat(50)}"}`, status: 200 },
  { name: 'an escaped backslash before brackets', body: `{"a":"\\\\","b":${nested(33)}}`, status: 400 },
])('JSON of $name is answered with $status', async ({ body, status }) => {
  for (const path of paths)
    expect((await rig.ask('POST', path, { headers: json, body })).status).toBe(status);
});

test('the shape of JSON is told as JSON.parse would find it', () => {
  for (const text of ['{}', '[]', '{"a":{"b":[{"c":"}]"}]}}', '"\\\\"', '{"\\"":{"x":1}}']) {
    let depth = 0;
    let keys = 0;
    (function walk(value: unknown, level: number): void {
      depth = Math.max(depth, level);
      if (typeof value !== 'object' || value === null) return;
      if (!Array.isArray(value)) keys += Object.keys(value).length;
      for (const inner of Object.values(value)) walk(inner, level + (typeof inner === 'object' ? 1 : 0));
    })(JSON.parse(text), typeof JSON.parse(text) === 'object' ? 1 : 0);
    expect(shapeOf(Buffer.from(text), { depth, keys })).toBe('fine');
    if (depth > 0) expect(shapeOf(Buffer.from(text), { depth: depth - 1, keys })).toBe('too-deep');
    if (keys > 0) expect(shapeOf(Buffer.from(text), { depth, keys: keys - 1 })).toBe('too-many-keys');
  }
});

test('a query is flat text, whatever brackets say', async () => {
  await rig.ask('GET', '/api/tab/look/7?a[$ne]=1&a[$ne]=2&b=%00&__proto__=x&constructor[prototype]=y');
  expect([...(last?.query ?? [])]).toEqual([
    ['a[$ne]', '1'],
    ['a[$ne]', '2'],
    ['b', '\u0000'],
    ['__proto__', 'x'],
    ['constructor[prototype]', 'y'],
  ]);
});

test.each([
  { path: '/api/tab/look/a%2Fb', status: 200, id: 'a/b' },
  { path: '/api/tab/look/..%2F..', status: 200, id: '../..' },
  { path: '/api/tab/look/../look/7', status: 200, id: '7' },
  { path: '/api/tab/look/7/', status: 404 },
  { path: '/api/tab/look', status: 404 },
  { path: `/api/tab/look/${'x'.repeat(500)}`, status: 404 },
  { path: `/api/tab/look/${'x'.repeat(3000)}`, status: 414 },
  { path: '/api/tab/look/%', status: 404 },
  { path: '/api/tab/look/%E0%A4%A', status: 404 },
  { path: '//api/tab/look/7', status: 404 },
  { path: '/API/tab/look/7', status: 404 },
  { path: '/nothing', status: 404 },
  { path: '/nothing?x=<script>', status: 404 },
])('GET $path is answered with $status', async ({ path, status, id }) => {
  const answer = await rig.ask('GET', path);
  expect(answer.status).toBe(status);
  if (id !== undefined) expect(JSON.parse(answer.text)).toEqual({ id });
  else expect(JSON.parse(answer.text)).toMatchObject({ status, id: expect.stringMatching(/^id-/) });
  expect(answer.text).not.toContain('<script>');
});

test.each([
  { method: 'PUT', path: '/api/messages', status: 405 },
  { method: 'DELETE', path: '/api/tab/echo', status: 405 },
  { method: 'PATCH', path: '/tab', status: 405 },
  { method: 'OPTIONS', path: '/api/tab/echo', status: 405 },
  { method: 'OPTIONS', path: '*', status: 405 },
  { method: 'TRACE', path: '/api/messages', status: 405 },
  { method: 'PROPFIND', path: '/', status: 405 },
  { method: 'GET', path: '/api/messages', status: 405 },
  { method: 'HEAD', path: '/api/messages', status: 405 },
  { method: 'GET', path: '/api/tab/echo', status: 405 },
  { method: 'POST', path: '/tab', status: 405 },
  { method: 'POST', path: '/healthz', status: 405 },
  { method: 'HEAD', path: '/healthz', status: 200 },
  { method: 'HEAD', path: '/tab', status: 200 },
])('$method $path is answered with $status', async ({ method, path, status }) => {
  const before = reached;
  const answer = await rig.ask(method, path, {
    headers: ['x-http-method-override', 'POST', 'x-method-override', 'POST'],
  });
  expect(answer.status).toBe(status);
  if (status === 405) expect(answer.headers.allow).toBeDefined();
  if (method === 'HEAD') expect(answer.text).toBe('');
  expect(reached).toBe(before);
});

test.each([
  {
    name: 'a host that is no host',
    bytes: 'GET /healthz HTTP/1.1\r\nHost: [\r\nConnection: close\r\n\r\n',
    status: 400,
  },
  {
    name: 'a host with a path',
    bytes: 'GET /healthz HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n',
    status: 400,
  },
  { name: 'no host', bytes: 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n', status: 400 },
  {
    name: 'an absolute address',
    bytes: 'GET http://evil.example/healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    status: 400,
  },
  {
    name: 'two lengths',
    bytes: 'POST /api/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
    status: 400,
  },
  {
    name: 'length and chunks',
    bytes:
      'POST /api/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    status: 400,
  },
  {
    name: 'a header of 20 KB',
    bytes: `GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`,
    status: 431,
  },
  {
    name: 'an upgrade',
    bytes:
      'GET /api/messages HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n',
    status: 405,
  },
  {
    name: 'an upgrade of nothing',
    bytes: 'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n',
    status: 404,
  },
  { name: 'noise', bytes: '\u0016\u0003\u0001\u0002\u0000\r\n\r\n', status: 400 },
])('$name is answered with $status and the server lives on', async ({ bytes, status }) => {
  const text = await rig.raw(bytes);
  expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect((await rig.ask('GET', '/healthz')).status).toBe(200);
});

test('a tunnel is not offered', async () => {
  expect(await rig.raw('CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n', 2000)).not.toMatch(
    / 200 /,
  );
});

test('what follows a refused body is not taken for a request', async () => {
  const hidden = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';
  const text = await rig.raw(
    `POST /api/messages HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: ${hidden.length + 10}\r\n\r\n${hidden}`,
  );
  expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  expect(text).toMatch(/^HTTP\/1.1 415 /);
});

test('two requests behind each other get their two answers', async () => {
  const one = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';
  const two = 'GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
  expect((await rig.raw(one + two)).match(/HTTP\/1\.1 200 /g)).toHaveLength(2);
});

test('headers that come drop by drop end the connection within 15 s, a body that does within 30 s', async () => {
  const slow = (start: string): Promise<{ ms: number; text: string }> =>
    new Promise((resolve) => {
      const began = performance.now();
      const socket = connect(rig.port, '127.0.0.1', () => socket.write(start));
      let text = '';
      const drip = setInterval(() => socket.write('x'), 500);
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
      });
      let cut = '';
      // The server ends the line while we still write: the reset that may follow is an end like any other.
      socket.on('error', (error) => {
        cut = error.message;
      });
      socket.once('close', () => {
        clearInterval(drip);
        resolve({ ms: performance.now() - began, text: text === '' ? cut : text });
      });
    });
  const [headers, body] = await Promise.all([
    slow('GET /healthz HTTP/1.1\r\nHost: x\r\nX: '),
    slow(
      'POST /api/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n',
    ),
  ]);
  expect(headers.ms).toBeLessThan(15_000);
  expect(body.ms).toBeLessThan(30_000);
  // A reset may overtake the 408 that was sent before it.
  expect(body.text).toMatch(/^HTTP\/1.1 408 |ECONNRESET/);
}, 45_000);
