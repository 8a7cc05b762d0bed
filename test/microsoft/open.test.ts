import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { clouds } from '../../bot/clouds.ts';
import { silentLog } from '../../bot/log.ts';
import { openMicrosoft } from '../../bot/microsoft/open.ts';
import {
  accessTo,
  aWorld,
  graphRequests,
  tenantNumber,
  tokenAnswer,
  tokenRequests,
  type World,
} from './fake-microsoft.ts';

const contoso = tenantNumber(1);
let world: World;
beforeEach(async () => {
  world = await aWorld();
});
afterEach(() => world.fake.stop());

const aDay = (day: string, extra: Record<string, unknown> = {}) => ({
  id: `${contoso}_${day}`,
  azureTenantId: contoso,
  createdDateTime: `${day}T00:00:00Z`,
  currentScore: 212.4,
  maxScore: 331,
  licensedUserCount: 48,
  activeUserCount: 41,
  averageComparativeScores: [{ basis: 'AllTenants', averageScore: 47.12 }],
  controlScores: [
    {
      controlName: 'AdminMFAV2',
      controlCategory: 'Identity',
      score: 10,
      implementationStatus: '0 of 3 users',
    },
    { controlName: 'scid_2016', controlCategory: 'Apps', score: 0, implementationStatus: '' },
    { controlName: 'BlockLegacyAuthentication', controlCategory: 'Identity', score: 2.67 },
  ],
  ...extra,
});

test('scores come newest first with their controls, and the next page of $top is not followed', async () => {
  world.fake.on('/v1.0/security/secureScores', {
    body: {
      value: [aDay('2026-11-19'), aDay('2026-11-18')],
      '@odata.nextLink': 'https://graph.microsoft.com/v1.0/security/secureScores?$top=2&$skip=2',
    },
  });
  const reading = await world.microsoft.secureScores(accessTo(contoso), 2);
  expect(reading).toMatchObject({
    kind: 'ok',
    value: [
      {
        tenantId: contoso,
        day: '2026-11-19',
        current: 212.4,
        max: 331,
        licensedUsers: 48,
        activeUsers: 41,
        comparisons: [{ basis: 'AllTenants', percent: 47.12 }],
        categories: [
          { category: 'Apps', current: 0, max: null },
          { category: 'Identity', current: 12.67, max: null },
        ],
        controls: [
          { name: 'AdminMFAV2', category: 'Identity', score: 10, status: '0 of 3 users' },
          { name: 'scid_2016', category: 'Apps', score: 0 },
          { name: 'BlockLegacyAuthentication', category: 'Identity', score: 2.67 },
        ],
      },
      { day: '2026-11-18' },
    ],
  });
  expect(graphRequests(world.fake).map(({ query }) => query)).toEqual(['?$top=2']);
});

test('an unchanged body is told by its hash and not read again', async () => {
  world.fake.on('/v1.0/domains', {
    body: { value: [{ id: 'contoso.com', isDefault: true, isVerified: true }] },
  });
  const first = await world.microsoft.domains(accessTo(contoso));
  if (first.kind !== 'ok') throw new Error(first.kind);
  expect(await world.microsoft.domains(accessTo(contoso), first.hash)).toEqual({
    kind: 'unchanged',
    hash: first.hash,
  });
  world.fake.on('/v1.0/domains', {
    body: { value: [{ id: 'contoso.com', isDefault: true, isVerified: false }] },
  });
  expect(await world.microsoft.domains(accessTo(contoso), first.hash)).toMatchObject({ kind: 'ok' });
});

test.each(Object.values(clouds))(
  'in $name every call goes to its own hosts with its own scope',
  async (cloud) => {
    await world.fake.stop();
    world = await aWorld({ cloud });
    world.fake.on('/v1.0/organization', {
      body: { value: [{ id: contoso, displayName: 'Contoso', verifiedDomains: [] }] },
    });
    expect(await world.microsoft.organization(accessTo(contoso))).toMatchObject({ kind: 'ok' });
    const [token] = tokenRequests(world.fake);
    expect(`https://${token?.host}`).toBe(cloud.authority);
    expect(new URLSearchParams(token?.body).get('scope')).toBe(cloud.graphScope);
    expect(`https://${graphRequests(world.fake)[0]?.host}`).toBe(cloud.graph);
    expect(world.fake.asked).toHaveLength(2);
  },
);

test('a cloud without Secure Score is a licence gap, told without asking', async () => {
  await world.fake.stop();
  world = await aWorld({ cloud: clouds.china });
  for (const reading of [
    await world.microsoft.secureScores(accessTo(contoso), 3),
    await world.microsoft.secureScoreControlProfiles(accessTo(contoso)),
  ]) {
    expect(reading).toMatchObject({ kind: 'failed', failure: { kind: 'licence', transient: false } });
  }
  expect(world.fake.asked).toEqual([]);
});

const link = (skip: number) => `https://graph.microsoft.com/v1.0/security/secureScores?$top=3&$skip=${skip}`;

test('pages smaller than asked for are followed until there are as many days as asked for, and no further', async () => {
  world.fake.on('/v1.0/security/secureScores', ({ query }) => {
    const skip = Number(/skip=(\d+)/.exec(query)?.[1] ?? 0);
    return { body: { value: [aDay(`2026-11-${19 - skip}`)], '@odata.nextLink': link(skip + 1) } };
  });
  const reading = await world.microsoft.secureScores(accessTo(contoso), 3);
  if (reading.kind !== 'ok') throw new Error(reading.kind);
  expect(reading.value.map(({ day }) => day)).toEqual(['2026-11-19', '2026-11-18', '2026-11-17']);
  expect(graphRequests(world.fake)).toHaveLength(3);
  // Several unchanged pages are told as such too; a change on the last one is seen.
  expect(await world.microsoft.secureScores(accessTo(contoso), 3, reading.hash)).toMatchObject({
    kind: 'unchanged',
  });
  world.fake.on('/v1.0/security/secureScores', ({ query }) => {
    const skip = Number(/skip=(\d+)/.exec(query)?.[1] ?? 0);
    const extra = skip === 2 ? { currentScore: 1 } : {};
    return { body: { value: [aDay(`2026-11-${19 - skip}`, extra)], '@odata.nextLink': link(skip + 1) } };
  });
  const changed = await world.microsoft.secureScores(accessTo(contoso), 3, reading.hash);
  expect(changed).toMatchObject({ kind: 'ok' });
});

test('a first page that is all of an earlier reading is not taken for a longer one', async () => {
  world.fake.on('/v1.0/security/secureScores', { body: { value: [aDay('2026-11-19')] } });
  const short = await world.microsoft.secureScores(accessTo(contoso), 3);
  if (short.kind !== 'ok') throw new Error(short.kind);
  world.fake.on('/v1.0/security/secureScores', ({ query }) =>
    query.includes('skip')
      ? { body: { value: [aDay('2026-11-18')] } }
      : { body: { value: [aDay('2026-11-19')], '@odata.nextLink': link(1) } },
  );
  const longer = await world.microsoft.secureScores(accessTo(contoso), 3, short.hash);
  expect(longer).toMatchObject({ kind: 'ok', value: [{ day: '2026-11-19' }, { day: '2026-11-18' }] });
});

test.each([503, 429])(
  'with real timers the end of the program ends a wait after %d at once',
  async (status) => {
    world.fake.on('/v1.0/domains', { status, headers: { 'retry-after': '60' }, body: {} });
    const stop = new AbortController();
    const microsoft = openMicrosoft({
      outbound: world.outbound,
      cloud: clouds.global,
      now: Date.now,
      log: silentLog(),
      signal: stop.signal,
    });
    world.fake.on('login.microsoftonline.com/', (asked) => tokenAnswer(asked, Date.now()));
    const started = performance.now();
    const work = microsoft.domains(accessTo(contoso));
    while (graphRequests(world.fake).length === 0 || !world.quiet()) await new Promise(setImmediate);
    stop.abort();
    await expect(work).rejects.toMatchObject({ code: 'stopped' });
    expect(performance.now() - started).toBeLessThan(10_000);
  },
);
