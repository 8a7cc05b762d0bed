import { createServer as createSocket } from 'node:net';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterEach, expect, test } from '@jest/globals';
import type { ApiRoute } from '../../bot/api/route.ts';
import { type ErrorCode, WatchpostError } from '../../bot/errors.ts';
import { Secret } from '../../bot/secrets.ts';
import { openServer, type ServerRig } from './rig.ts';

let rig: ServerRig | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});
async function open(...changes: Parameters<typeof openServer>): Promise<ServerRig> {
  rig = await openServer(...changes);
  return rig;
}

const whoever = {
  tid: 'x' as never,
  oid: 'o',
  name: 'Ana',
  home: true,
  disabled: false,
  grants: [],
};

// ------------------------------------------------------------------------------------------------ headers

const changing = new Set(['date', 'x-request-id', 'etag', 'content-length', 'keep-alive', 'connection']);
const closed = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const common = {
  'cache-control': 'no-store',
  'content-security-policy': closed,
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
};
const text = { ...common, 'content-type': 'text/plain; charset=utf-8' };
const problem = { ...common, 'content-type': 'application/problem+json; charset=utf-8' };
const page =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; " +
  "connect-src 'self' https://res.cdn.office.net; frame-ancestors 'self' https://*.cloud.microsoft " +
  'https://teams.microsoft.com https://*.teams.microsoft.com https://*.teams.microsoft.us https://*.microsoft365.com ' +
  'https://*.office.com https://outlook.office.com https://outlook.office365.com https://outlook-sdf.office.com ' +
  "https://outlook-sdf.office365.com; base-uri 'none'; form-action 'self'";
const tab = { ...common, 'content-security-policy': page, vary: 'Accept-Encoding' };

test.each([
  { method: 'GET', path: '/healthz', status: 200, headers: text },
  { method: 'HEAD', path: '/healthz', status: 200, headers: text },
  { method: 'GET', path: '/readyz', status: 200, headers: text },
  { method: 'GET', path: '/metrics', status: 404, headers: problem },
  {
    method: 'GET',
    path: '/tab',
    status: 200,
    headers: { ...tab, 'content-type': 'text/html; charset=utf-8' },
  },
  {
    method: 'GET',
    path: '/tab/tenants/7',
    status: 200,
    headers: { ...tab, 'content-type': 'text/html; charset=utf-8' },
  },
  {
    method: 'GET',
    path: '/tab/assets/index-B4d0aZ9x.js',
    status: 200,
    headers: {
      ...tab,
      'cache-control': 'public, max-age=31536000, immutable',
      'content-type': 'text/javascript; charset=utf-8',
    },
  },
  {
    method: 'GET',
    path: '/tab/icon.svg',
    status: 200,
    headers: { ...tab, 'cache-control': 'no-cache', 'content-type': 'image/svg+xml' },
  },
  { method: 'GET', path: '/tab/missing.js', status: 404, headers: problem },
  {
    method: 'GET',
    path: '/api/tab/open',
    status: 200,
    headers: { ...common, 'content-type': 'application/json; charset=utf-8' },
  },
  {
    method: 'GET',
    path: '/api/tab/closed',
    status: 401,
    headers: { ...problem, 'www-authenticate': 'Bearer' },
  },
  { method: 'POST', path: '/api/messages', status: 415, headers: problem },
  { method: 'GET', path: '/api/messages', status: 405, headers: { ...problem, allow: 'POST' } },
  { method: 'PUT', path: '/tab', status: 405, headers: { ...problem, allow: 'GET, HEAD, POST' } },
  { method: 'GET', path: '/', status: 404, headers: problem },
])('$method $path answers $status with exactly its headers', async ({ method, path, status, headers }) => {
  const { ask } = await open({
    routes: [
      { method: 'GET', path: '/api/tab/open', auth: 'none', handle: async () => ({ status: 200, body: {} }) },
      {
        method: 'GET',
        path: '/api/tab/closed',
        auth: 'tab',
        handle: async () => ({ status: 200, body: {} }),
      },
    ],
    door: { handle: async () => ({ status: 200 }), idle: async () => undefined },
  });
  const answer = await ask(method, path);
  expect(answer.status).toBe(status);
  const kept = Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !changing.has(name)));
  expect(kept).toEqual(headers);
  expect(answer.headers).not.toHaveProperty('server');
  expect(answer.headers['x-request-id']).toMatch(/^id-/);
});

test('without https there is no HSTS, and only the demo may speak to its sandbox', async () => {
  const first = await open({
    config: { publicUrl: 'http://localhost:3978', demo: true, sandboxOrigin: 'http://127.0.0.1:4000/x?y' },
  });
  const demo = await first.ask('GET', '/tab');
  expect(demo.headers).not.toHaveProperty('strict-transport-security');
  expect(demo.headers['content-security-policy']).toContain(
    "connect-src 'self' https://res.cdn.office.net http://127.0.0.1:4000;",
  );
  await first.close();
  const second = await open({ config: { sandboxOrigin: 'http://127.0.0.1:4000' } });
  expect((await second.ask('GET', '/tab')).headers['content-security-policy']).not.toContain('127.0.0.1');
});

// ------------------------------------------------------------------------------------------------ static files

test.each([
  '/tab/../secret.txt',
  '/tab/%2e%2e/secret.txt',
  '/tab/%2e%2e%2fsecret.txt',
  '/tab/..%2fsecret.txt',
  '/tab/..%5csecret.txt',
  '/tab/..\\secret.txt',
  '/tab/assets/../../secret.txt',
  '/tab/assets/..%2f..%2fsecret.txt',
  '/tab/%252e%252e/secret.txt',
  '/tab//secret.txt',
  '/tab/secret.txt%00.js',
  '/tab/%00',
  '/tab/index.html/../../secret.txt',
  '/tab/assets/index-B4d0aZ9x.js.map',
  '/tab/__proto__.js',
])('%s leads nowhere', async (path) => {
  const { ask } = await open();
  const answer = await ask('GET', path);
  expect(answer.text).not.toMatch(/canary/);
  // An address inside the app gets the page, everything else nothing.
  if (answer.status === 200) expect(answer.text).toMatch(/^<!doctype html>/);
  else expect(answer.status).toBe(404);
});

test.each([
  { accepts: 'br, gzip', encoding: 'br', unpack: brotliDecompressSync },
  { accepts: 'gzip', encoding: 'gzip', unpack: gunzipSync },
  { accepts: 'gzip;q=1, br;q=0', encoding: 'gzip', unpack: gunzipSync },
  { accepts: 'identity', encoding: undefined, unpack: (bytes: Buffer) => bytes },
])('a script is packed as $encoding for who accepts "$accepts"', async ({ accepts, encoding, unpack }) => {
  const { ask } = await open();
  const answer = await ask('GET', '/tab/assets/index-B4d0aZ9x.js', { headers: ['accept-encoding', accepts] });
  expect(answer.headers['content-encoding']).toBe(encoding);
  expect(unpack(Buffer.from(answer.text, 'latin1')).toString()).toMatch(/^export const long/);
});

test('what the browser has is not sent again', async () => {
  const { ask } = await open();
  const etag = String((await ask('GET', '/tab/icon.svg')).headers.etag);
  const again = await ask('GET', '/tab/icon.svg', { headers: ['if-none-match', etag] });
  expect(again).toMatchObject({ status: 304, text: '' });
});

test('without a built tab its addresses are 404 and the rest works', async () => {
  const { ask } = await open({ config: { tabFolder: '/nowhere/at/all' } });
  expect((await ask('GET', '/tab')).status).toBe(404);
  expect((await ask('GET', '/healthz')).status).toBe(200);
});

// ------------------------------------------------------------------------------------------------ health, metrics

test.each([
  { token: undefined, publicUrl: 'http://localhost:3978', header: undefined, status: 200 },
  { token: undefined, publicUrl: 'http://127.0.0.1:3978', header: undefined, status: 200 },
  { token: undefined, publicUrl: 'https://watchpost.example', header: undefined, status: 404 },
  { token: undefined, publicUrl: 'https://localhost.evil.example', header: undefined, status: 404 },
  { token: 'abc', publicUrl: 'https://watchpost.example', header: 'Bearer abc', status: 200 },
  { token: 'abc', publicUrl: 'https://watchpost.example', header: undefined, status: 404 },
  { token: 'abc', publicUrl: 'https://watchpost.example', header: 'Bearer abd', status: 404 },
  { token: 'abc', publicUrl: 'https://watchpost.example', header: 'Bearer ab', status: 404 },
  { token: 'abc', publicUrl: 'https://watchpost.example', header: 'Bearer abcd', status: 404 },
  { token: 'abc', publicUrl: 'https://watchpost.example', header: 'bearer abc', status: 404 },
  { token: 'abc', publicUrl: 'https://watchpost.example', header: 'abc', status: 404 },
  { token: 'abc', publicUrl: 'http://localhost:3978', header: undefined, status: 404 },
])(
  '/metrics with token $token at $publicUrl for "$header" answers $status',
  async ({ token, publicUrl, header, status }) => {
    const metricsToken = token === undefined ? undefined : new Secret(token);
    const { ask } = await open({ config: { metricsToken, publicUrl } });
    const answer = await ask('GET', '/metrics', {
      headers: header === undefined ? [] : ['authorization', header],
    });
    expect(answer.status).toBe(status);
    if (status === 200) expect(answer.text).toBe('watchpost_up 1\n');
  },
);

test.each([
  { name: 'yes', ready: async () => true, status: 200 },
  { name: 'no', ready: async () => false, status: 503 },
  { name: 'an error', ready: () => Promise.reject(new Error('mongodb://u:p@h')), status: 503 },
  { name: 'nothing for two seconds', ready: () => new Promise<boolean>(() => undefined), status: 503 },
])(
  '/readyz answers $status when the store says $name; /healthz is 200 all the same',
  async ({ ready, status }) => {
    const { ask } = await open({ ready });
    const answer = await ask('GET', '/readyz');
    expect(answer.status).toBe(status);
    expect(answer.text).not.toContain('mongodb');
    expect((await ask('GET', '/healthz')).status).toBe(200);
  },
);

// ------------------------------------------------------------------------------------------------ errors

const codes: { error: unknown; status: number; says: RegExp }[] = [
  {
    error: new WatchpostError('bad-input', 'No such page.', { hint: 'Ask for 1.' }),
    status: 400,
    says: /^No such page\. Ask for 1\.$/,
  },
  { error: new WatchpostError('refused', 'Only Admins.'), status: 403, says: /^Only Admins\.$/ },
  {
    error: new WatchpostError('scope', 'canary: tenant of another'),
    status: 404,
    says: /^There is nothing here\.$/,
  },
  { error: new WatchpostError('not-found', 'canary'), status: 404, says: /^There is nothing here\.$/ },
  {
    error: new WatchpostError('conflict', 'Somebody was faster.'),
    status: 409,
    says: /^Somebody was faster\.$/,
  },
  {
    error: new WatchpostError('store', 'canary mongodb://u:p@h'),
    status: 503,
    says: /^Watchpost cannot answer right now/,
  },
  { error: new WatchpostError('secret', 'canary'), status: 500, says: /^Something went wrong/ },
  { error: new Error('canary mongodb://u:p@h'), status: 500, says: /^Something went wrong/ },
  {
    error: Object.assign(new Error('canary'), { statusCode: 418 }),
    status: 500,
    says: /^Something went wrong/,
  },
  { error: 'canary', status: 500, says: /^Something went wrong/ },
  { error: undefined, status: 500, says: /^Something went wrong/ },
];
test.each(codes)('a handler that throws $error is told as $status', async ({ error, status, says }) => {
  const route: ApiRoute = {
    method: 'GET',
    path: '/api/tab/x',
    auth: 'none',
    handle: () => Promise.reject(error),
  };
  const { ask, lines } = await open({ routes: [route] });
  const answer = await ask('GET', '/api/tab/x');
  const body = JSON.parse(answer.text);
  expect(answer.status).toBe(status);
  expect(body).toEqual({
    title: expect.any(String),
    status,
    detail: expect.stringMatching(says),
    id: answer.headers['x-request-id'],
  });
  expect(JSON.stringify([body, lines])).not.toContain('canary');
  if (status >= 500) expect(lines.some(({ fields }) => fields.problem === body.id)).toBe(true);
});

test('every code of ours has a status', async () => {
  const all: ErrorCode[] = ['config', 'start', 'throttled', 'stopped', 'service-error', 'permission-error'];
  for (const code of all) {
    const route: ApiRoute = {
      method: 'GET',
      path: '/api/tab/x',
      auth: 'none',
      handle: () => Promise.reject(new WatchpostError(code, 'x')),
    };
    const { ask, close } = await open({ routes: [route] });
    expect((await ask('GET', '/api/tab/x')).status).toBeGreaterThanOrEqual(400);
    await close();
  }
});

test('nothing of header, body or answer gets into the log or onto the screen (F7)', async () => {
  const written: string[] = [];
  const streams = [process.stdout, process.stderr].map((stream) => ({ stream, write: stream.write }));
  for (const { stream } of streams) {
    stream.write = ((chunk: string | Uint8Array) => {
      written.push(String(chunk));
      return true;
    }) as typeof stream.write;
  }
  try {
    const { ask, lines } = await open({
      requireUser: async () => ({ kind: 'user', who: whoever }),
      routes: [
        {
          method: 'POST',
          path: '/api/tab/x',
          auth: 'tab',
          handle: async () => ({ status: 200, body: { answer: 'canary-answer' } }),
        },
        {
          method: 'POST',
          path: '/api/tab/bad',
          auth: 'tab',
          handle: () => Promise.reject(new Error('canary-error')),
        },
      ],
      door: {
        handle: async () => ({ status: 200, body: { card: 'canary-card' } }),
        idle: async () => undefined,
      },
    });
    const headers = ['content-type', 'application/json', 'authorization', 'Bearer canary-token'];
    for (const path of ['/api/tab/x', '/api/tab/bad', '/api/messages', '/canary-path?canary-query']) {
      await ask('POST', path, { headers, body: '{"body":"canary-body"}' });
    }
    expect(lines).toHaveLength(5);
    expect(JSON.stringify(lines)).not.toContain('canary');
    expect(written.join('')).not.toContain('canary');
  } finally {
    for (const { stream, write } of streams) stream.write = write;
  }
});

test('a refused person gets a problem and the handler nothing', async () => {
  let reached = false;
  const { ask } = await open({
    requireUser: async (authorization) => ({
      kind: 'refused',
      status: 403,
      detail: `not ${authorization === undefined ? 'without' : 'with'} a token`,
    }),
    routes: [
      {
        method: 'GET',
        path: '/api/tab/x',
        auth: 'tab',
        async handle() {
          reached = true;
          return { status: 200, body: {} };
        },
      },
    ],
  });
  const answer = await ask('GET', '/api/tab/x');
  expect(JSON.parse(answer.text)).toMatchObject({ status: 403, detail: 'not without a token' });
  expect(reached).toBe(false);
});

// ------------------------------------------------------------------------------------------------ start and stop

test('a taken port is one sentence', async () => {
  const other = createSocket();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  try {
    const { server } = await open();
    await server.close();
    await expect(server.listen(port, '127.0.0.1')).rejects.toMatchObject({
      code: 'start',
      message: `Port ${port} is taken by another program.`,
    });
  } finally {
    await new Promise((resolve) => other.close(resolve));
  }
});

test('on closing, who is being answered gets the answer, who comes new does not get in', async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { ask, server, lines } = await open({
    routes: [
      {
        method: 'GET',
        path: '/api/tab/slow',
        auth: 'none',
        async handle() {
          lines.push({ level: 'test', fields: {}, message: 'started' });
          await held;
          return { status: 200, body: { late: true } };
        },
      },
    ],
  });
  const slow = ask('GET', '/api/tab/slow');
  while (!lines.some(({ message }) => message === 'started'))
    await new Promise((resolve) => setImmediate(resolve));
  const closing = server.close();
  await expect(ask('GET', '/healthz')).rejects.toThrow(/ECONNREFUSED|ECONNRESET|socket hang up/);
  release();
  expect(await slow).toMatchObject({ status: 200, text: '{"late":true}' });
  const began = performance.now();
  await closing;
  expect(performance.now() - began).toBeLessThan(1000);
  rig = undefined;
});

test('closing waits four seconds at most', async () => {
  const { ask, server } = await open({
    routes: [
      { method: 'GET', path: '/api/tab/never', auth: 'none', handle: () => new Promise(() => undefined) },
    ],
  });
  const never = ask('GET', '/api/tab/never').catch((error: Error) => error.message);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const began = performance.now();
  await server.close();
  expect(performance.now() - began).toBeLessThan(4800);
  expect(await never).toMatch(/ECONNRESET|socket hang up/);
  rig = undefined;
});
