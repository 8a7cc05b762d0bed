import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { clouds } from '../../bot/clouds.ts';
import {
  accessTo,
  aWorld,
  graphRequests,
  tenantNumber,
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
