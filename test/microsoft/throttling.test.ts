import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { clouds } from '../../bot/clouds.ts';
import { silentLog } from '../../bot/log.ts';
import { openGateway } from '../../bot/microsoft/gateway.ts';
import { type Limits, openLimits } from '../../bot/microsoft/limits.ts';
import { askedToWait, backOff } from '../../bot/microsoft/retry.ts';
import { openTokens } from '../../bot/microsoft/tokens.ts';
import {
  aClock,
  accessTo,
  aWorld,
  type Clock,
  graphRequests,
  tenantNumber,
  type World,
} from './fake-microsoft.ts';

const contoso = tenantNumber(1);
const fabrikam = tenantNumber(2);
const domain = { body: { value: [{ id: 'a.example', isDefault: true, isVerified: true }] } };
let world: World;
beforeEach(async () => {
  world = await aWorld();
});
afterEach(() => world.fake.stop());

// ---------------------------------------------------------------------------------------------- how long to wait

const now = Date.parse('2026-11-20T08:00:00Z');
const hour = 3_600_000;
test.each([
  { says: '7', date: undefined, ms: 7_000 },
  { says: ' 120 ', date: undefined, ms: 120_000 },
  { says: '1.5', date: undefined, ms: 1_500 },
  { says: '0', date: undefined, ms: undefined },
  { says: '-5', date: undefined, ms: undefined },
  { says: '86400', date: undefined, ms: hour },
  { says: '99999999999999999999', date: undefined, ms: hour },
  { says: 'soon', date: undefined, ms: undefined },
  { says: '', date: undefined, ms: undefined },
  { says: undefined, date: undefined, ms: undefined },
  { says: 'Fri, 20 Nov 2026 08:00:30 GMT', date: undefined, ms: 30_000 },
  { says: 'Fri, 20 Nov 2026 07:59:00 GMT', date: undefined, ms: undefined },
  { says: 'Fri, 20 Nov 2026 12:00:00 GMT', date: undefined, ms: hour },
  // Our clock is 10 minutes off: theirs counts.
  { says: 'Fri, 20 Nov 2026 08:10:30 GMT', date: 'Fri, 20 Nov 2026 08:10:00 GMT', ms: 30_000 },
])('Retry-After "$says" (their clock $date) is $ms ms', ({ says, date, ms }) => {
  const headers: Record<string, string> = {};
  if (says !== undefined) headers['retry-after'] = says;
  if (date !== undefined) headers.date = date;
  expect(askedToWait(headers, now)).toBe(ms);
});

test.each([
  { tries: 1, least: 1_000, most: 2_000 },
  { tries: 2, least: 1_000, most: 4_000 },
  { tries: 5, least: 1_000, most: 32_000 },
  { tries: 6, least: 1_000, most: 64_000 },
  { tries: 40, least: 1_000, most: 64_000 },
])('without a word we wait $least to $most ms after try $tries', ({ tries, least, most }) => {
  expect(backOff(tries, () => 0)).toBe(least);
  expect(backOff(tries, () => 0.999999)).toBeGreaterThan(most - 2_000);
  expect(backOff(tries, () => 0.999999)).toBeLessThan(most);
});

// ---------------------------------------------------------------------------------------------- one request

test.each([
  { header: '7', waits: 7_000 },
  { header: 'Fri, 20 Nov 2026 08:00:30 GMT', waits: 30_000 },
  { header: '0', waits: 1_500 },
  { header: undefined, waits: 1_500 },
])(
  'after 429 with Retry-After $header the next request comes $waits ms later and not before',
  async ({ header, waits }) => {
    let times = 0;
    world.fake.on('/v1.0/domains', ({ at }) => {
      times += 1;
      if (times > 1) return domain;
      const headers: Record<string, string> = { date: new Date(at).toUTCString() };
      if (header !== undefined) headers['retry-after'] = header;
      return { status: 429, headers, body: { error: { code: 'TooManyRequests' } } };
    });
    expect(await world.drive(world.microsoft.domains(accessTo(contoso)))).toMatchObject({ kind: 'ok' });
    const [first, second] = graphRequests(world.fake);
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBe(waits);
  },
);

test('five tries, then a throttled failure that says when to come back', async () => {
  world.fake.on('/v1.0/domains', { status: 429, headers: { 'retry-after': '9' }, body: {} });
  const reading = await world.drive(world.microsoft.domains(accessTo(contoso)));
  expect(reading).toMatchObject({
    kind: 'failed',
    failure: { kind: 'throttled', transient: true, retryAfterMs: 9_000, code: 'HTTP 429' },
  });
  const at = graphRequests(world.fake).map((one) => one.at);
  expect(at).toHaveLength(5);
  for (let i = 1; i < at.length; i += 1) expect((at[i] ?? 0) - (at[i - 1] ?? 0)).toBe(9_000);
});

test('a wait longer than our patience is given back at once, and until then nobody of that tenant asks', async () => {
  world.fake.on('/v1.0/domains', { status: 429, headers: { 'retry-after': '86400' }, body: {} });
  const first = await world.microsoft.domains(accessTo(contoso));
  expect(first).toMatchObject({ kind: 'failed', failure: { kind: 'throttled', retryAfterMs: hour } });
  await world.clock.advance(1_000_000);
  const second = await world.microsoft.organization(accessTo(contoso));
  expect(second).toMatchObject({
    kind: 'failed',
    failure: { kind: 'throttled', retryAfterMs: hour - 1_000_000 },
  });
  expect(graphRequests(world.fake)).toHaveLength(1);
  world.fake.on('/v1.0/domains', domain);
  await world.clock.advance(hour);
  expect(await world.microsoft.domains(accessTo(contoso))).toMatchObject({ kind: 'ok' });
});

test.each([408, 500, 502, 503, 504, 507, 509])(
  '%d is tried again after a wait of our own',
  async (status) => {
    let times = 0;
    world.fake.on('/v1.0/domains', () => {
      times += 1;
      return times < 4 ? { status, body: 'busy' } : domain;
    });
    expect(await world.drive(world.microsoft.domains(accessTo(contoso)))).toMatchObject({ kind: 'ok' });
    const at = graphRequests(world.fake).map((one) => one.at);
    expect(at.map((one, index) => one - (at[index - 1] ?? one))).toEqual([0, 1_500, 2_500, 4_500]);
  },
);

test.each([400, 403, 404, 405, 410, 418])('%d is not tried again', async (status) => {
  world.fake.on('/v1.0/domains', { status, body: {} });
  expect(await world.microsoft.domains(accessTo(contoso))).toMatchObject({ kind: 'failed' });
  expect(graphRequests(world.fake)).toHaveLength(1);
});

test('a token endpoint that asks to wait is left alone as long as it asked', async () => {
  world.fake.on('login.microsoftonline.com/', { status: 429, headers: { 'retry-after': '300' }, body: {} });
  const reading = await world.microsoft.token(accessTo(contoso));
  expect(reading).toMatchObject({ kind: 'failed', failure: { kind: 'throttled', retryAfterMs: 300_000 } });
  await world.clock.advance(200_000);
  await world.drive(world.microsoft.token(accessTo(contoso)));
  const [first, second] = world.fake.asked;
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(300_000);
});

test('the end of the program ends every wait', async () => {
  world.fake.on('/v1.0/domains', { status: 429, headers: { 'retry-after': '60' }, body: {} });
  const work = world.microsoft.domains(accessTo(contoso));
  const queued = world.microsoft.domains(accessTo(contoso));
  while (graphRequests(world.fake).length < 2 || !world.quiet()) await new Promise(setImmediate);
  world.stop.abort();
  await expect(work).rejects.toMatchObject({ code: 'stopped' });
  await expect(queued).rejects.toMatchObject({ code: 'stopped' });
  await expect(world.microsoft.domains(accessTo(fabrikam))).rejects.toMatchObject({ code: 'stopped' });
});

// ---------------------------------------------------------------------------------------------- many at once

test('a throttled tenant is parked: forty others are served meanwhile and nothing of it goes early', async () => {
  let contosoAsked = 0;
  world.fake.on('/v1.0/domains', ({ headers }) => {
    const tid = tidOf(headers.authorization);
    if (tid !== contoso) return domain;
    contosoAsked += 1;
    return contosoAsked <= 4 ? { status: 429, headers: { 'retry-after': '30' }, body: {} } : domain;
  });
  const start = world.clock.now();
  const throttled = Array.from({ length: 20 }, () => world.microsoft.domains(accessTo(contoso)));
  while (contosoAsked < 4 || !world.quiet()) await new Promise(setImmediate);
  const others = await Promise.all(
    Array.from({ length: 40 }, (_, number) => world.microsoft.domains(accessTo(tenantNumber(100 + number)))),
  );
  expect(others.every(({ kind }) => kind === 'ok')).toBe(true);
  expect(world.clock.now()).toBe(start);
  expect(contosoAsked).toBe(4);
  const readings = await world.drive(Promise.all(throttled));
  expect(readings.every(({ kind }) => kind === 'ok')).toBe(true);
  const late = graphRequests(world.fake)
    .filter(({ headers }) => tidOf(headers.authorization) === contoso)
    .slice(4);
  expect(late.length).toBe(20);
  expect(Math.min(...late.map(({ at }) => at))).toBe(start + 30_000);
});

function tidOf(authorization: string | undefined): string {
  const payload = authorization?.split('.')[1] ?? '';
  return String(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')).tid);
}

/** The most requests of one tenant, and of all, that the server saw at once. */
async function mostAtOnce(limits: (clock: Clock) => Limits): Promise<{ tenant: number; all: number }> {
  const running = new Map<string, number>();
  const most = { tenant: 0, all: 0 };
  world.fake.on('/v1.0/domains', async ({ headers }) => {
    const tid = tidOf(headers.authorization);
    running.set(tid, (running.get(tid) ?? 0) + 1);
    most.tenant = Math.max(most.tenant, running.get(tid) ?? 0);
    most.all = Math.max(
      most.all,
      [...running.values()].reduce((a, b) => a + b, 0),
    );
    // Long enough for all that may come to have come.
    for (let i = 0; i < 20; i += 1) await new Promise(setImmediate);
    running.set(tid, (running.get(tid) ?? 1) - 1);
    return domain;
  });
  const { clock, outbound, stop } = world;
  const gateway = openGateway({
    outbound,
    cloud: clouds.global,
    tokens: openTokens({ outbound, cloud: clouds.global, now: clock.now }),
    now: clock.now,
    sleep: clock.sleep,
    random: () => 0.5,
    log: silentLog(),
    signal: stop.signal,
    limits: limits(clock),
  });
  await Promise.all(
    Array.from({ length: 60 }, (_, number) =>
      gateway.get(accessTo(tenantNumber(number % 5)), { path: '/domains' }),
    ),
  );
  return most;
}

test('at most four requests of a tenant, and ten of all, are under way', async () => {
  const most = await mostAtOnce((clock) => openLimits({ ...clock, signal: world.stop.signal, total: 10 }));
  expect(most.tenant).toBeLessThanOrEqual(4);
  expect(most.all).toBeLessThanOrEqual(10);
  expect(most.all).toBeGreaterThan(4);
});

test('planted: a limit that lets nine through is seen', async () => {
  const most = await mostAtOnce((clock) => openLimits({ ...clock, signal: world.stop.signal, perTenant: 9 }));
  expect(most.tenant).toBeGreaterThan(4);
});

test('tenants are served in turn, however much one of them asks', async () => {
  const clock = aClock();
  const limits = openLimits({ ...clock, signal: new AbortController().signal, total: 2, perTenant: 2 });
  const order: string[] = [];
  const ask = (tenant: string): Promise<void> =>
    limits.run(tenant, 'usual', async () => {
      order.push(tenant);
      await new Promise(setImmediate);
    });
  await Promise.all([...Array.from({ length: 50 }, () => ask('big')), ask('small'), ask('tiny')]);
  expect(order.indexOf('small')).toBeLessThan(6);
  expect(order.indexOf('tiny')).toBeLessThan(6);
  expect(limits.counts()).toEqual({ running: 0, waiting: 0 });
});

test('identity protection: one at a time, never two within a second, other requests beside it', async () => {
  const clock = aClock();
  const limits = openLimits({ ...clock, signal: new AbortController().signal });
  const starts: number[] = [];
  let beside = 0;
  const work = Promise.all([
    ...Array.from({ length: 5 }, () =>
      limits.run('contoso', 'one-a-second', async () => {
        starts.push(clock.now());
      }),
    ),
    limits.run('contoso', 'usual', async () => {
      beside = clock.now();
    }),
  ]);
  const start = clock.now();
  while (starts.length < 5) await clock.advance(100);
  await work;
  for (let i = 1; i < starts.length; i += 1)
    expect((starts[i] ?? 0) - (starts[i - 1] ?? 0)).toBeGreaterThanOrEqual(1_000);
  expect((starts[4] ?? 0) - start).toBeLessThanOrEqual(6_000);
  expect(beside).toBe(start);
});

test('a timer that fires early starts nothing early', async () => {
  let time = 0;
  const waits: (() => void)[] = [];
  const limits = openLimits({
    now: () => time,
    sleep: () => new Promise((wake) => waits.push(wake)),
    signal: new AbortController().signal,
  });
  limits.park('contoso', 'usual', 1_000);
  let ran = false;
  const work = limits.run('contoso', 'usual', async () => {
    ran = true;
  });
  time = 999;
  waits.shift()?.();
  await new Promise(setImmediate);
  expect(ran).toBe(false);
  time = 1_000;
  waits.shift()?.();
  await work;
  expect(ran).toBe(true);
});
