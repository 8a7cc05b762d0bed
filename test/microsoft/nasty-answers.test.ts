import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { clouds } from '../../bot/clouds.ts';
import type { Gateway } from '../../bot/microsoft/gateway.ts';
import { readAll } from '../../bot/microsoft/paging.ts';
import {
  type Answer,
  accessTo,
  appId,
  aToken,
  aWorld,
  graphRequests,
  type Script,
  tenantNumber,
  type World,
} from './fake-microsoft.ts';

/** What must never crash us, fill the memory, lead elsewhere or pass for data (`security.md` §2.4). */

const contoso = tenantNumber(1);
let world: World;
beforeAll(async () => {
  world = await aWorld();
});
afterAll(() => world.fake.stop());

const next = (link: string): Answer => ({ body: { value: [{ id: 'a.example' }], '@odata.nextLink': link } });

const graphRows: { name: string; answer: Answer | Script; code: RegExp; asked?: number }[] = [
  {
    name: 'HTML',
    answer: { headers: { 'content-type': 'text/html' }, body: '<html>busy</html>' },
    code: /^JSON$/,
  },
  { name: 'nothing at all', answer: { body: '' }, code: /^EMPTY$/, asked: 5 },
  {
    name: '204',
    answer: (_, response) => {
      response.writeHead(204);
      response.end();
      return undefined;
    },
    code: /^EMPTY$/,
    asked: 5,
  },
  { name: 'truncated JSON', answer: { body: '{"value":[{"id":"a"' }, code: /^JSON$/ },
  {
    name: 'broken UTF-8',
    answer: { body: Buffer.from([...Buffer.from('{"value":["'), 0xff, 0xfe, ...Buffer.from('"]}')]) },
    code: /^UTF8$/,
  },
  { name: 'a list', answer: { body: '[]' }, code: /^SHAPE$/ },
  { name: 'a number', answer: { body: '7' }, code: /^SHAPE$/ },
  { name: 'null', answer: { body: 'null' }, code: /^SHAPE$/ },
  { name: 'no value', answer: { body: {} }, code: /^SHAPE$/ },
  { name: 'value that is an object', answer: { body: { value: {} } }, code: /^SHAPE$/ },
  { name: 'items of another kind', answer: { body: { value: [1, null, 'x', []] } }, code: /^SHAPE$/ },
  { name: 'an error with status 200', answer: { body: { error: { code: 'x' } } }, code: /^SHAPE$/ },
  {
    name: 'a next page on another host',
    answer: next('https://evil.example/v1.0/domains'),
    code: /^FOREIGN_LINK$/,
  },
  {
    name: 'a next page of another cloud',
    answer: next('https://graph.microsoft.us/v1.0/domains'),
    code: /^FOREIGN_LINK$/,
  },
  {
    name: 'a next page over http',
    answer: next('http://graph.microsoft.com/v1.0/domains'),
    code: /^FOREIGN_LINK$/,
  },
  {
    name: 'a next page with a user',
    answer: next('https://x@graph.microsoft.com/v1.0/domains'),
    code: /^FOREIGN_LINK$/,
  },
  {
    name: 'a next page with a port',
    answer: next('https://graph.microsoft.com:8443/v1.0/domains'),
    code: /^FOREIGN_LINK$/,
  },
  {
    name: 'a next page outside the versions',
    answer: next('https://graph.microsoft.com/evil/domains'),
    code: /^FOREIGN_LINK$/,
  },
  {
    name: 'a next page that climbs out',
    answer: next('https://graph.microsoft.com/v1.0/../evil'),
    code: /^FOREIGN_LINK$/,
  },
  { name: 'a next page that is a path', answer: next('/v1.0/domains?$skip=1'), code: /^FOREIGN_LINK$/ },
  {
    name: 'a next page that is itself',
    answer: next('https://graph.microsoft.com/v1.0/domains?$skip=1'),
    code: /^ENDLESS$/,
    asked: 2,
  },
  { name: 'a reset in the middle', answer: reset, code: /ECONNRESET|UND_ERR_SOCKET/, asked: 5 },
  {
    name: '301',
    answer: { status: 301, headers: { location: 'https://graph.microsoft.com/v1.0/other' } },
    code: /^HTTP 301$/,
  },
  {
    name: '307',
    answer: { status: 307, headers: { location: 'https://evil.example/' } },
    code: /^HTTP 307$/,
  },
  {
    name: 'an announcement of 100 MB',
    answer: (_, response) => {
      response.writeHead(200, { 'content-length': '104857600' });
      response.write('{');
      return undefined;
    },
    code: /^TOO_BIG$/,
  },
];

function reset(_: unknown, response: ServerResponse): undefined {
  response.writeHead(200, { 'content-length': '1000' });
  response.write('{"value":[', () => response.socket?.resetAndDestroy());
  return undefined;
}

test.each(graphRows)(
  'Graph answers with $name: a service failure that passes',
  async ({ answer, code, asked = 1 }) => {
    const before = graphRequests(world.fake).length;
    world.fake.on('/v1.0/domains', answer);
    const reading = await world.drive(world.microsoft.domains(accessTo(contoso)));
    expect(reading).toMatchObject({ kind: 'failed', failure: { kind: 'service', transient: true } });
    if (reading.kind === 'failed') {
      expect(reading.failure.code).toMatch(code);
      expect(reading.failure.cause).toMatch(/^[A-Za-z].*\.$/);
    }
    expect(graphRequests(world.fake).length - before).toBe(asked);
    expect(world.fake.asked.some(({ host }) => /evil|\.us$/.test(host))).toBe(false);
  },
);

test('pages without end stop at a bound, and what was read is not half used', async () => {
  let page = 0;
  const filler = 'x'.repeat(1024 * 1024);
  world.fake.on('/v1.0/domains', () => {
    page += 1;
    return {
      body: {
        value: [{ id: `d${page}.example`, filler }],
        '@odata.nextLink': `https://graph.microsoft.com/v1.0/domains?$skip=${page}`,
      },
    };
  });
  const reading = await world.drive(world.microsoft.domains(accessTo(contoso)));
  expect(reading).toMatchObject({ kind: 'failed', failure: { kind: 'service', code: 'ENDLESS' } });
  expect(page).toBeLessThan(70);
});

test('a byte order mark and an empty list are fine', async () => {
  world.fake.on('/v1.0/domains', { body: '\ufeff{"value":[]}' });
  expect(await world.drive(world.microsoft.domains(accessTo(contoso)))).toMatchObject({
    kind: 'ok',
    value: [],
  });
});

test("deeply nested JSON and names of objects' own members do no harm", async () => {
  const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;
  world.fake.on('/v1.0/domains', {
    body: `{"__proto__":{"polluted":1},"value":[{"id":"a.example","isDefault":true,"constructor":{"prototype":{"polluted":1}},"x":${deep}}]}`,
  });
  expect(await world.drive(world.microsoft.domains(accessTo(contoso)))).toMatchObject({
    kind: 'ok',
    value: [{ name: 'a.example' }],
  });
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test.each([
  { name: 'ten thousand pages and more', link: (page: number) => page + 1, pages: 10_000 },
  { name: 'a circle of three pages', link: (page: number) => (page + 1) % 3, pages: 4 },
])('$name: stopped after $pages', async ({ link, pages }) => {
  let got = 0;
  const gateway: Pick<Gateway, 'get'> = {
    async get(_, ask) {
      got += 1;
      const page = typeof ask === 'string' ? Number(/skip=(\d+)/.exec(ask)?.[1]) : 0;
      const next = `https://graph.microsoft.com/v1.0/domains?$skip=${link(page)}`;
      return Buffer.from(JSON.stringify({ value: [], '@odata.nextLink': next }));
    },
  };
  const reading = await readAll(
    gateway,
    clouds.global,
    accessTo(contoso),
    { path: '/domains' },
    { map: () => 0 },
  );
  expect(reading).toMatchObject({ kind: 'failed', failure: { kind: 'service', code: 'ENDLESS' } });
  expect(got).toBe(pages);
});

// ---------------------------------------------------------------------------------------------- Entra

const soon = (): number => Math.floor(world.clock.now() / 1000) + 3_599;
const token = (claims: Record<string, unknown> = {}): string =>
  aToken({ tid: contoso, appid: appId, exp: soon(), ...claims });
const granted = (extra: Record<string, unknown>): Answer => ({
  body: { token_type: 'Bearer', expires_in: 3_599, ...extra },
});

const entraRows: { name: string; answer: () => Answer | Script; code: RegExp; asked?: number }[] = [
  { name: '{}', answer: () => ({ body: {} }), code: /^NO_TOKEN$/ },
  { name: 'an empty token', answer: () => granted({ access_token: '' }), code: /^NO_TOKEN$/ },
  { name: 'a token that is a number', answer: () => granted({ access_token: 7 }), code: /^NO_TOKEN$/ },
  {
    name: 'a token of another kind',
    answer: () => granted({ access_token: token(), token_type: 'mac' }),
    code: /^NO_TOKEN$/,
  },
  { name: '500 without an error', answer: () => ({ status: 500, body: { x: 1 } }), code: /^HTTP 500$/ },
  { name: 'HTML', answer: () => ({ body: '<html>Sign in</html>' }), code: /^NOT_JSON$/ },
  { name: 'HTML with 503', answer: () => ({ status: 503, body: '<html>busy</html>' }), code: /^HTTP 503$/ },
  { name: 'a list', answer: () => ({ body: '[]' }), code: /^NOT_JSON$/ },
  { name: 'nothing', answer: () => ({ body: '' }), code: /^NOT_JSON$/ },
  {
    name: 'a redirect',
    answer: () => ({ status: 302, headers: { location: 'https://evil.example/' } }),
    code: /^HTTP 302$/,
  },
  {
    name: 'a token of another tenant',
    answer: () => granted({ access_token: token({ tid: tenantNumber(2) }) }),
    code: /^WRONG_TOKEN$/,
  },
  {
    name: 'a token of another app',
    answer: () => granted({ access_token: token({ appid: tenantNumber(3) }) }),
    code: /^WRONG_TOKEN$/,
  },
  {
    name: 'a token without a tenant',
    answer: () => granted({ access_token: token({ tid: undefined }) }),
    code: /^WRONG_TOKEN$/,
  },
  {
    name: 'a token that has ended',
    answer: () => granted({ access_token: token({ exp: 1 }) }),
    code: /^EXPIRED_TOKEN$/,
  },
  { name: 'a reset', answer: () => reset, code: /ECONNRESET|UND_ERR_SOCKET/ },
];

test.each(entraRows)(
  'Entra answers with $name: no token, a service failure that passes',
  async ({ answer, code }) => {
    world.fake.on('login.microsoftonline.com/', answer());
    world.microsoft.forget(contoso);
    const reading = await world.drive(world.microsoft.token(accessTo(contoso)));
    expect(reading).toMatchObject({ kind: 'failed', failure: { kind: 'service', transient: true } });
    if (reading.kind === 'failed') expect(reading.failure.code).toMatch(code);
  },
);

test.each([
  { name: 'expires_in as text', extra: { expires_in: '3599' } },
  { name: 'no expires_in but a claim', extra: { expires_in: undefined } },
  { name: 'nonsense beside it', extra: { ext_expires_in: null, foo: [] } },
])('a good token with $name is taken', async ({ extra }) => {
  world.fake.on(
    'login.microsoftonline.com/',
    granted({ access_token: token({ roles: ['SecurityEvents.Read.All', '<b>'] }), ...extra }),
  );
  world.microsoft.forget(contoso);
  expect(await world.drive(world.microsoft.token(accessTo(contoso)))).toMatchObject({
    kind: 'ok',
    value: { roles: ['SecurityEvents.Read.All'] },
  });
});

test('a token that clients cannot read is taken for as long as Entra says, without roles', async () => {
  world.fake.on('login.microsoftonline.com/', granted({ access_token: 'opaque' }));
  world.microsoft.forget(contoso);
  expect(await world.drive(world.microsoft.token(accessTo(contoso)))).toMatchObject({
    kind: 'ok',
    value: { roles: [] },
  });
});
