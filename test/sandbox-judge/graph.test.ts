import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { SecureScore, SecureScoreControlProfile } from '@microsoft/microsoft-graph-types';
import { request } from 'undici';
import { dayOf, plusDays } from '../../shared/time.ts';
import { type Sandbox, startSandbox } from '../support/sandbox.ts';
import { type Answered, ask } from './talk.ts';

/** Graph as the sandbox plays it: days, pages, permissions, limits and faults. */

const graph = 'https://graph.microsoft.com/v1.0';
let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.stop());
beforeEach(async () => {
  await sandbox.control('DELETE', '/_sandbox/faults');
  await sandbox.control('POST', '/_sandbox/limits', { off: true });
});

async function get(tenant: string, path: string, headers: Record<string, string> = {}): Promise<Answered> {
  const token = await sandbox.token({ for: 'app', tenant });
  const url = path.startsWith('https:') ? path : `${graph}${path}`;
  return ask(sandbox, 'GET', url, { headers: { authorization: `Bearer ${token}`, ...headers } });
}
function scoresOf(answer: Answered): SecureScore[] {
  return answer.body.value as SecureScore[];
}
function percent(score: SecureScore | undefined): number {
  return Math.round(((score?.currentScore ?? 0) / (score?.maxScore ?? 1)) * 1000) / 10;
}

test.each([
  { domain: 'contoso.com', today: 62.4, day: -3, month: 4.7, max: 485 },
  { domain: 'fabrikam.com', today: 48.1, day: -1, month: -6, max: 408 },
  { domain: 'northwindtraders.com', today: 79.3, day: 0.4, month: 2.8, max: 485 },
  { domain: 'adventure-works.com', today: 55.6, day: 0, month: 1, max: 384 },
  { domain: 'woodgrovebank.com', today: 71, day: 0, month: 0.4, max: 485 },
])(
  '$domain stands at $today %, $day since yesterday, $month over 30 days',
  async ({ domain, today, day, month, max }) => {
    const days = scoresOf(await get(domain, '/security/secureScores?$top=90'));
    expect(days).toHaveLength(90);
    const last = dayOf(new Date().toISOString());
    const tenant = sandbox.info.tenants.find((one) => one.domain === domain);
    expect(days.map((one) => one.id)).toEqual(
      days.map((_, back) => `${tenant?.id}_${plusDays(last, -back)}`),
    );
    expect(days[0]?.maxScore).toBe(max);
    expect(percent(days[0])).toBeCloseTo(today, 1);
    expect(percent(days[0]) - percent(days[1])).toBeCloseTo(day, 0);
    expect(percent(days[0]) - percent(days[30])).toBeCloseTo(month, 0);
  },
);

test('a day says the same in its total and in its controls, and its controls have profiles', async () => {
  const profiles = (await get('contoso.com', '/security/secureScoreControlProfiles?$top=999')).body
    .value as SecureScoreControlProfile[];
  const known = new Map(profiles.map((one) => [one.id, one]));
  for (const day of scoresOf(await get('contoso.com', '/security/secureScores?$top=90'))) {
    const points = (day.controlScores ?? []).reduce((all, one) => all + (one.score ?? 0), 0);
    expect(points).toBeCloseTo(day.currentScore ?? 0, 1);
    for (const one of day.controlScores ?? [])
      expect(one.score ?? 0).toBeLessThanOrEqual(known.get(one.controlName ?? '')?.maxScore ?? 0);
  }
  expect(profiles.length).toBeGreaterThanOrEqual(100);
  expect(profiles.filter((one) => one.deprecated)).toHaveLength(1);
  expect(profiles.filter((one) => (one.controlStateUpdates ?? []).length > 0).length).toBeGreaterThan(1);
});

test('contoso fell by two controls on its last day', async () => {
  const [today, yesterday] = scoresOf(await get('contoso.com', '/security/secureScores?$top=2'));
  const before = new Map((yesterday?.controlScores ?? []).map((one) => [one.controlName, one.score]));
  const moved = (today?.controlScores ?? []).filter((one) => before.get(one.controlName) !== one.score);
  expect(moved.map((one) => one.controlName)).toEqual(['AdminMFAV2', 'mdo_safeattachments']);
});

test('one tenant has no usable comparison; extras come as numbers and as texts', async () => {
  const broken = scoresOf(await get('adventure-works.com', '/security/secureScores?$top=2'));
  const averages = broken.map((one) => (one.averageComparativeScores ?? []).map((each) => each.averageScore));
  expect(averages.toSorted((a, b) => a.length - b.length)).toEqual([[], [-1, -1]]);
  const [day] = scoresOf(await get('contoso.com', '/security/secureScores?$top=1'));
  const types = new Set((day?.controlScores ?? []).map((one) => typeof (one as { count?: unknown }).count));
  expect(types).toEqual(new Set(['string', 'number', 'undefined']));
});

test('one day asked for still comes with a link to more; links end after 90 days, without a gap or a repeat', async () => {
  const seen: string[] = [];
  let path: string | undefined = '/security/secureScores?$top=25';
  const pages: number[] = [];
  while (path !== undefined) {
    const answer = await get('contoso.com', path);
    pages.push(scoresOf(answer).length);
    seen.push(...scoresOf(answer).map((one) => one.id ?? ''));
    path = answer.body['@odata.nextLink'] as string | undefined;
    if (path !== undefined)
      expect(path).toMatch(/^https:\/\/graph\.microsoft\.com\/v1\.0\/security\/secureScores\?/);
  }
  expect(pages).toEqual([25, 25, 25, 15]);
  expect(new Set(seen).size).toBe(90);
  expect((await get('contoso.com', '/security/secureScores?$top=1')).body).toHaveProperty([
    '@odata.nextLink',
  ]);
  expect((await get('contoso.com', '/security/secureScores?$top=90')).body).not.toHaveProperty([
    '@odata.nextLink',
  ]);
});

test.each([
  { path: '/security/secureScores?$skip=89', count: 1 },
  { path: '/security/secureScores?$skip=90', count: 0 },
  { path: "/security/secureScoreControlProfiles?$filter=id eq 'AdminMFAV2'", count: 1 },
  { path: "/security/secureScoreControlProfiles?$filter=service eq 'SPO' and maxScore ge 3", count: 3 },
])('GET $path answers $count', async ({ path, count }) => {
  expect((await get('contoso.com', path.replaceAll(' ', '%20'))).body.value).toHaveLength(count);
});

test.each([
  { name: 'an unknown option', path: '/security/secureScores?$nonsense=1', status: 400 },
  { name: 'a top that is no number', path: '/security/secureScores?$top=many', status: 400 },
  {
    name: 'a filter that cannot be read',
    path: '/security/secureScores?$filter=day%20is%20monday',
    status: 400,
  },
  { name: 'a path nobody knows', path: '/security/nothing', status: 400 },
  { name: 'a day that is not there', path: '/security/secureScores/nobody_2020-01-01', status: 404 },
  { name: 'another version', path: 'https://graph.microsoft.com/beta/organization', status: 400 },
])('$name is $status', async ({ path, status }) => {
  const answer = await get('contoso.com', path);
  expect(answer.status).toBe(status);
  expect(answer.body).toMatchObject({
    error: { message: expect.any(String), innerError: { 'request-id': expect.any(String) } },
  });
});

test.each<{
  name: string;
  claims?: Record<string, unknown>;
  sign?: 'right' | 'wrong' | 'none';
  status: number;
}>([
  { name: 'the right token', status: 200 },
  { name: 'a signature of somebody else', sign: 'wrong', status: 401 },
  { name: 'no signature', sign: 'none', status: 401 },
  { name: 'a life that is over', claims: { exp: 1_700_000_000 }, status: 401 },
  { name: 'another audience', claims: { aud: 'https://api.botframework.com' }, status: 401 },
  { name: 'a tenant nobody knows', claims: { tid: '11111111-1111-4111-8111-111111111111' }, status: 401 },
  { name: 'no role', claims: { roles: null }, status: 403 },
  { name: 'a role for something else', claims: { roles: ['User.Read.All'] }, status: 403 },
])('$name: $status', async ({ claims = {}, sign = 'right', status }) => {
  const token = await sandbox.token({ for: 'app', tenant: 'contoso.com', claims, sign });
  const answer = await ask(sandbox, 'GET', `${graph}/security/secureScores?$top=1`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(answer.status).toBe(status);
  if (status === 403)
    expect(answer.body).toMatchObject({
      error: { code: '', message: expect.stringContaining('valid permissions') },
    });
});

test('consent that is withdrawn counts at once, also for a token that still says otherwise', async () => {
  const token = await sandbox.token({ for: 'app', tenant: 'fabrikam.com' });
  const { usual } = await sandbox.control<{ usual: string[] }>(
    'POST',
    '/_sandbox/tenants/fabrikam.com/consent',
    {
      revoke: true,
    },
  );
  const headers = { authorization: `Bearer ${token}` };
  expect((await ask(sandbox, 'GET', `${graph}/organization`, { headers })).body).toMatchObject({
    error: { code: 'Authorization_RequestDenied' },
  });
  await sandbox.control('POST', '/_sandbox/tenants/fabrikam.com/consent', { grant: usual });
  expect((await ask(sandbox, 'GET', `${graph}/organization`, { headers })).status).toBe(200);
});

test('gzip is spoken when it is asked for', async () => {
  const token = await sandbox.token({ for: 'app', tenant: 'contoso.com' });
  const answer = await request(`${graph}/security/secureScores?$top=1`, {
    dispatcher: sandbox.dispatcher,
    headers: { authorization: `Bearer ${token}`, 'accept-encoding': 'gzip' },
  });
  expect(answer.headers['content-encoding']).toBe('gzip');
  const body = gunzipSync(Buffer.from(await answer.body.arrayBuffer())).toString('utf8');
  expect(JSON.parse(body).value).toHaveLength(1);
});

test('the fifth at a time and the 151st in a minute are sent away with Retry-After', async () => {
  await sandbox.control('POST', '/_sandbox/tenants', { name: 'Busy', domain: 'busy.example' });
  await sandbox.control('POST', '/_sandbox/limits', { off: false });
  await sandbox.control('POST', '/_sandbox/faults', {
    path: '/security/secureScoreControlProfiles',
    delayMs: 300,
    times: 5,
  });
  const five = await Promise.all(
    Array.from({ length: 5 }, () => get('busy.example', '/security/secureScoreControlProfiles?$select=id')),
  );
  expect(five.map((one) => one.status).sort()).toEqual([200, 200, 200, 200, 429]);
  let refused: Answered | undefined;
  let good = 0;
  while (refused === undefined && good < 200) {
    const answer = await get('busy.example', '/security/secureScores?$top=1&$select=id');
    if (answer.status === 200) good += 1;
    else refused = answer;
  }
  expect(good).toBe(150);
  expect(refused?.status).toBe(429);
  expect(Number(refused?.headers['retry-after'])).toBeGreaterThan(0);
});

test.each<{ name: string; fault: Record<string, unknown>; expected: Record<string, unknown> }>([
  {
    name: '429 with Retry-After',
    fault: { status: 429, retryAfter: 7 },
    expected: { status: 429, headers: expect.objectContaining({ 'retry-after': '7' }) },
  },
  {
    name: 'a code',
    fault: { status: 403, code: 'Forbidden', message: 'Your tenant is not licensed for this feature.' },
    expected: { status: 403, body: { error: expect.objectContaining({ code: 'Forbidden' }) } },
  },
  {
    name: 'a page of a proxy',
    fault: { html: true, status: 503 },
    expected: { status: 503, text: expect.stringContaining('<html>') },
  },
])(
  'a fault answers with $name, as often as ordered, for the tenant it is for',
  async ({ fault, expected }) => {
    await sandbox.control('POST', '/_sandbox/faults', {
      path: '/organization',
      tenant: 'contoso.com',
      times: 2,
      ...fault,
    });
    expect((await get('fabrikam.com', '/organization')).status).toBe(200);
    expect((await get('contoso.com', '/domains')).status).toBe(200);
    expect(await get('contoso.com', '/organization')).toMatchObject(expected);
    expect(await get('contoso.com', '/organization')).toMatchObject(expected);
    expect((await get('contoso.com', '/organization')).status).toBe(200);
  },
);

test('a fault can be slow, cut the body in the middle, or cut the line', async () => {
  await sandbox.control('POST', '/_sandbox/faults', { path: '/organization', delayMs: 200, times: 1 });
  const started = performance.now();
  expect((await get('contoso.com', '/organization')).status).toBe(200);
  expect(performance.now() - started).toBeGreaterThan(190);
  await sandbox.control('POST', '/_sandbox/faults', { path: '/organization', truncate: true, times: 1 });
  await expect(get('contoso.com', '/organization')).rejects.toThrow();
  await sandbox.control('POST', '/_sandbox/faults', { path: '/organization', reset: true, times: 1 });
  await expect(get('contoso.com', '/organization')).rejects.toThrow();
});

test.each<{ name: string; call: Record<string, unknown>; points: number; max: number; users: number }>([
  {
    name: 'named controls',
    call: { drop: ['AdminMFAV2', 'BlockLegacyAuthentication'] },
    points: -18,
    max: 0,
    users: 0,
  },
  { name: 'points', call: { drop: 12.5 }, points: -12.5, max: 0, users: 0 },
  { name: 'recovery', call: { recover: true }, points: 30.5, max: 0, users: 0 },
  { name: 'a new control', call: { max: 10 }, points: 0, max: 10, users: 0 },
])('the score call for $name makes the next day with exactly that', async ({ call, points, max, users }) => {
  const [before] = scoresOf(await get('northwindtraders.com', '/security/secureScores?$top=1'));
  await sandbox.control('POST', '/_sandbox/tenants/northwindtraders.com/score', call);
  const [after, same] = scoresOf(await get('northwindtraders.com', '/security/secureScores?$top=2'));
  expect(same).toEqual(before);
  expect(after?.createdDateTime).toBe(
    `${plusDays(String(before?.createdDateTime).slice(0, 10), 1)}T00:00:00Z`,
  );
  expect((after?.currentScore ?? 0) - (before?.currentScore ?? 0)).toBeCloseTo(points, 2);
  expect((after?.maxScore ?? 0) - (before?.maxScore ?? 0)).toBe(max);
  expect((after?.licensedUserCount ?? 0) - (before?.licensedUserCount ?? 0)).toBe(users);
});

test('fewer licences move what is counted per user; what was put off comes with the clock', async () => {
  const [before] = scoresOf(await get('woodgrovebank.com', '/security/secureScores?$top=1'));
  await sandbox.control('POST', '/_sandbox/tenants/woodgrovebank.com/score', { licences: -5, later: true });
  expect(scoresOf(await get('woodgrovebank.com', '/security/secureScores?$top=1'))).toEqual([before]);
  await sandbox.control('POST', '/_sandbox/clock', { advance: '2d' });
  const [last, first] = scoresOf(await get('woodgrovebank.com', '/security/secureScores?$top=2'));
  expect(first?.licensedUserCount).toBe((before?.licensedUserCount ?? 0) - 5);
  expect(last?.licensedUserCount).toBe(first?.licensedUserCount);
  expect((await get('woodgrovebank.com', '/security/secureScores?$top=90')).body.value).toHaveLength(90);
});

test.each([
  { path: '/_sandbox/tenants/contoso.com/score', body: { drop: ['NoSuchControl'] }, status: 400 },
  { path: '/_sandbox/tenants/contoso.com/score', body: { droop: 5 }, status: 400 },
  { path: '/_sandbox/tenants/nobody.example/score', body: { drop: 5 }, status: 404 },
  { path: '/_sandbox/tenants', body: { name: 'Twice', domain: 'contoso.com' }, status: 409 },
  { path: '/_sandbox/clock', body: { advance: 'soon' }, status: 400 },
  { path: '/_sandbox/faults', body: { path: 'no slash' }, status: 400 },
  { path: '/_sandbox/nothing', body: {}, status: 404 },
])('POST $path with $body is $status and says why', async ({ path, body, status }) => {
  const answer = await ask(sandbox, 'POST', `${sandbox.url}${path}`, {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(answer).toMatchObject({ status, body: { error: expect.any(String) } });
});

test('the same seed makes the same tenants, another one others', async () => {
  const other = await startSandbox({ empty: true });
  try {
    type Made = { tenants: { domain: string; id: string }[] };
    const wish = { count: 20, seed: 'a class' };
    const [one, two, three] = [
      await sandbox.control<Made>('POST', '/_sandbox/tenants', wish),
      await other.control<Made>('POST', '/_sandbox/tenants', wish),
      await other.control<Made>('POST', '/_sandbox/tenants', { ...wish, seed: 'another' }),
    ].map((made) => made.tenants.map(({ domain, id }) => ({ domain, id })));
    expect(one).toEqual(two);
    expect(one).not.toEqual(three);
    expect(new Set(one?.map(({ domain }) => domain)).size).toBe(20);
  } finally {
    await other.stop();
  }
});
