import { expect, test } from '@jest/globals';
import { OutboundError } from '../../bot/outbound.ts';
import type { Delivery } from '../../bot/services.ts';
import { deliveryOf, type Outcome, openConnector, waitOf } from '../../bot/teams/connector.ts';
import { isAllowedServiceUrl } from '../../bot/teams/service-url.ts';

const answered = (status: number, more: object = {}): Outcome => ({ kind: 'answered', status, ...more });
const rows: { outcome: Outcome; says: Delivery }[] = [
  { outcome: answered(200, { id: '7' }), says: { kind: 'sent', activityId: '7' } },
  { outcome: answered(201, { id: '7' }), says: { kind: 'sent', activityId: '7' } },
  { outcome: answered(202, { id: '7' }), says: { kind: 'sent', activityId: '7' } },
  { outcome: answered(200), says: { kind: 'ambiguous', why: '200 without an id' } },
  { outcome: answered(204), says: { kind: 'ambiguous', why: '204 without an id' } },
  { outcome: answered(429, { retryAfter: '17' }), says: { kind: 'throttled', retryAfterMs: 17_000 } },
  { outcome: answered(429), says: { kind: 'throttled', retryAfterMs: 1000 } },
  ...[400, 401, 403, 404, 405, 409, 410, 413, 415, 422].map((status) => ({
    outcome: answered(status, { code: 'Some' }),
    says: { kind: 'refused' as const, status, code: 'Some' },
  })),
  { outcome: answered(404), says: { kind: 'refused', status: 404, code: '404' } },
  // Not followed and not done.
  ...[301, 302, 307, 308].map((status) => ({
    outcome: answered(status),
    says: { kind: 'refused' as const, status, code: String(status) },
  })),
  ...[408, 412, 500, 501, 502, 503, 504, 599].map((status) => ({
    outcome: answered(status),
    says: { kind: 'ambiguous' as const, why: String(status) },
  })),
  { outcome: answered(100), says: { kind: 'ambiguous', why: '100' } },
  {
    outcome: { kind: 'failed', phase: 'before', code: 'ECONNREFUSED' },
    says: { kind: 'unreachable', why: 'ECONNREFUSED' },
  },
  {
    outcome: { kind: 'failed', phase: 'after', code: 'ECONNRESET' },
    says: { kind: 'ambiguous', why: 'ECONNRESET' },
  },
  {
    outcome: { kind: 'failed', phase: 'after', code: 'TIMEOUT' },
    says: { kind: 'ambiguous', why: 'TIMEOUT' },
  },
  { outcome: { kind: 'not-allowed' }, says: { kind: 'withheld', why: 'service address not allowed' } },
];
test.each(rows)('$outcome means $says.kind', ({ outcome, says }) => {
  expect(deliveryOf(outcome)).toEqual(says);
});

test.each([
  { code: 'BotNotInConversationRoster', says: 'BotNotInConversationRoster' },
  { code: 'ServiceError.Throttled-2', says: 'ServiceError.Throttled-2' },
  { code: 'contoso.com ana@contoso.com', says: '403' },
  { code: 'Two\nlines', says: '403' },
  { code: `A${'b'.repeat(60)}`, says: '403' },
  { code: 7, says: '403' },
])('of a foreign code $code only a short word is passed on', async ({ code, says }) => {
  const connector = openConnector({
    outbound: async () => ({
      status: 403,
      headers: {},
      body: Buffer.from(JSON.stringify({ error: { code } })),
    }),
    token: async () => 'a token',
    allowedHosts: ['smba.trafficmanager.net'],
    botId: 'b',
  });
  const to = { serviceUrl: 'https://smba.trafficmanager.net/emea/', conversationId: '19:a', targeted: false };
  expect(deliveryOf(await connector.post(to, { type: 'message' }))).toEqual({
    kind: 'refused',
    status: 403,
    code: says,
  });
});

test.each([
  { header: '0', ms: 1000 },
  { header: '1', ms: 1000 },
  { header: ' 30 ', ms: 30_000 },
  { header: '86400', ms: 3_600_000 },
  { header: '-5', ms: 1000 },
  { header: '1e9', ms: 1000 },
  { header: 'soon', ms: 1000 },
  { header: '', ms: 1000 },
  { header: undefined, ms: 1000 },
  { header: 'Fri, 20 Nov 2026 07:00:10 GMT', ms: 10_000 },
  { header: 'Fri, 20 Nov 2026 06:00:00 GMT', ms: 1000 },
])('Retry-After $header is $ms ms', ({ header, ms }) => {
  expect(waitOf(header, Date.parse('2026-11-20T07:00:00Z'))).toBe(ms);
});

const hosts = ['smba.trafficmanager.net', '*.botframework.com'];
test.each([
  { address: 'https://smba.trafficmanager.net/emea/', allowed: true },
  { address: 'https://smba.trafficmanager.net', allowed: true },
  { address: 'https://webchat.botframework.com/', allowed: true },
  { address: 'https://a.b.botframework.com/x', allowed: true },
  { address: 'https://botframework.com/', allowed: false },
  { address: 'https://.botframework.com/', allowed: false },
  { address: 'https://smba.trafficmanager.net:8443/', allowed: false },
  { address: 'https://a:b@smba.trafficmanager.net/', allowed: false },
  { address: 'https://smba.trafficmanager.net#@evil.example/', allowed: false },
  { address: 'https://smba.trafficmanager.net/\r\nx', allowed: false },
  { address: 'https://smba.trafficmanager.net/ x', allowed: false },
  { address: 'https://smba.trafficmanager.net/ü', allowed: false },
  { address: 'https:/smba.trafficmanager.net/', allowed: false },
  { address: 'https:smba.trafficmanager.net', allowed: false },
  { address: `https://smba.trafficmanager.net/${'a'.repeat(2000)}`, allowed: false },
  { address: 'javascript:alert(1)', allowed: false },
  { address: '', allowed: false },
  { address: undefined, allowed: false },
  { address: {}, allowed: false },
])('$address may be a service address: $allowed', ({ address, allowed }) => {
  expect(isAllowedServiceUrl(address, hosts)).toBe(allowed);
});

function recording(answer: () => { status: number; body?: string; headers?: Record<string, string> }) {
  const calls: { url: string; method: string; body: unknown; authorization: string | undefined }[] = [];
  const connector = openConnector({
    async outbound(url, init) {
      const { authorization } = init.headers;
      calls.push({ url, method: init.method, authorization, body: init.body && JSON.parse(init.body) });
      const { status, body = '', headers = {} } = answer();
      return { status, headers, body: Buffer.from(body) };
    },
    token: async () => 'secret-token',
    allowedHosts: hosts,
    botId: 'bot',
  });
  return { calls, connector };
}

const to = {
  serviceUrl: 'https://smba.trafficmanager.net/emea/',
  conversationId: '19:a@thread.tacv2;messageid=5',
  targeted: false,
};

test('poisoned addresses never see the token, whatever we would send there', async () => {
  const { calls, connector } = recording(() => ({ status: 200, body: '{"id":"1"}' }));
  for (let at = 0; at < 1000; at += 1) {
    const serviceUrl =
      [
        `https://evil${at}.example/`,
        `http://smba.trafficmanager.net/${at}`,
        `https://smba.trafficmanager.net:${at + 1}/`,
      ][at % 3] ?? '';
    const address = { ...to, serviceUrl };
    expect(await connector.post(address, { type: 'message' })).toEqual({ kind: 'not-allowed' });
    expect(await connector.update(address, '1', { type: 'message' })).toEqual({ kind: 'not-allowed' });
    expect(await connector.openPersonal(serviceUrl, '29:x', 't')).toEqual({ kind: 'not-allowed' });
    expect(await connector.members(serviceUrl, '19:a')).toMatchObject({ kind: 'unread' });
  }
  expect(calls).toEqual([]);
});

test('ids go into the path as one part each', async () => {
  const { calls, connector } = recording(() => ({ status: 200, body: '{"id":"1"}' }));
  await connector.post(to, { type: 'message' });
  await connector.update({ ...to, conversationId: 'a/../b?c#d', targeted: true }, '../7', {
    type: 'message',
    recipient: { id: '29:x' },
  });
  await connector.members(to.serviceUrl, '19:a@thread.tacv2', 'x&y');
  expect(calls.map(({ method, url }) => `${method} ${url}`)).toEqual([
    'POST https://smba.trafficmanager.net/emea/v3/conversations/19%3Aa%40thread.tacv2%3Bmessageid%3D5/activities',
    'PUT https://smba.trafficmanager.net/emea/v3/conversations/a%2F..%2Fb%3Fc%23d/activities/..%2F7?isTargetedActivity=true',
    'GET https://smba.trafficmanager.net/emea/v3/conversations/19%3Aa%40thread.tacv2/pagedmembers?pageSize=500&continuationToken=x%26y',
  ]);
  // A targeted message is created with its recipient and changed without.
  expect(calls[1]?.body).not.toHaveProperty('recipient');
  expect(new Set(calls.map((one) => one.authorization))).toEqual(new Set(['Bearer secret-token']));
});

test.each([
  { body: '', id: undefined },
  { body: '<html>ok</html>', id: undefined },
  { body: '{"id":', id: undefined },
  { body: '{"id":7}', id: undefined },
  { body: '{"id":""}', id: undefined },
  { body: '[]', id: undefined },
  { body: 'null', id: undefined },
  { body: '{"id":"7"}', id: '7' },
])('an accepted post that answers $body has the id $id', async ({ body, id }) => {
  const { connector } = recording(() => ({ status: 201, body }));
  expect(await connector.post(to, { type: 'message' })).toMatchObject({ kind: 'answered', status: 201, id });
  // An update names its id itself: nothing is unclear about it.
  expect(deliveryOf(await connector.update(to, '5', { type: 'message' }))).toEqual({
    kind: 'sent',
    activityId: id ?? '5',
  });
});

test('one attempt, and the failure knows whether it may have arrived', async () => {
  for (const phase of ['before', 'after'] as const) {
    let attempts = 0;
    const connector = openConnector({
      async outbound() {
        attempts += 1;
        throw new OutboundError('service-error', phase, 'ECONNRESET', 'gone');
      },
      token: async () => 'token',
      allowedHosts: hosts,
      botId: 'bot',
    });
    expect(await connector.post(to, { type: 'message' })).toEqual({
      kind: 'failed',
      phase,
      code: 'ECONNRESET',
    });
    expect(attempts).toBe(1);
  }
});

test('without a token nothing was sent', async () => {
  const connector = openConnector({
    outbound: async () => {
      throw new Error('must not be called');
    },
    token: async () => {
      throw new Error('Entra is down');
    },
    allowedHosts: hosts,
    botId: 'bot',
  });
  expect(deliveryOf(await connector.post(to, { type: 'message' }))).toMatchObject({ kind: 'unreachable' });
});
