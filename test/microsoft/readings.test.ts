import { expect, test } from '@jest/globals';
import { profilesOf } from '../../bot/microsoft/control-profiles.ts';
import { domainsOf } from '../../bot/microsoft/domains.ts';
import { organizationOf } from '../../bot/microsoft/organization.ts';
import { snapshotsOf } from '../../bot/microsoft/secure-scores.ts';
import { licencesOf } from '../../bot/microsoft/subscribed-skus.ts';
import { httpLink, plainText } from '../../bot/microsoft/tolerant.ts';
import { tenantNumber } from './fake-microsoft.ts';

/** What Microsoft really sends, and what we make of it (`graph.md` §1.1, §1.2, §1.10, §1.11). */

const contoso = tenantNumber(1);
const fabrikam = tenantNumber(2);

const aScore = (extra: Record<string, unknown> = {}) => ({
  id: `${contoso}_2026-11-19`,
  azureTenantId: contoso,
  createdDateTime: '2026-11-19T00:00:00Z',
  currentScore: 50,
  maxScore: 80,
  controlScores: [],
  averageComparativeScores: [],
  ...extra,
});
const one = (extra: Record<string, unknown>) => snapshotsOf([aScore(extra)], contoso, 90)[0];

test.each([
  {
    name: 'percentages',
    sent: [
      { basis: 'AllTenants', averageScore: 47.1 },
      { basis: 'TotalSeats', averageScore: 0 },
      { basis: 'IndustryTypes', averageScore: 100 },
    ],
    kept: ['AllTenants 47.1', 'TotalSeats 0', 'IndustryTypes 100'],
  },
  {
    name: 'minus one for all',
    sent: [
      { basis: 'AllTenants', averageScore: -1 },
      { basis: 'TotalSeats', averageScore: -1 },
    ],
    kept: [],
  },
  { name: 'points of old', sent: [{ basis: 'AllTenants', averageScore: 109 }], kept: [] },
  { name: 'nothing', sent: [], kept: [] },
  { name: 'null', sent: null, kept: [] },
  { name: 'no such member', sent: undefined, kept: [] },
  {
    name: 'text and nulls',
    sent: [
      { basis: 'AllTenants', averageScore: '47.1' },
      { basis: null, averageScore: 5 },
      { basis: 'TotalSeats', averageScore: null },
      null,
      'x',
    ],
    kept: ['AllTenants 47.1'],
  },
  {
    name: 'riders',
    sent: [{ basis: 'TotalSeats', averageScore: 51.3, seatSizeRangeLowerValue: '1', identityScore: 9 }],
    kept: ['TotalSeats 51.3'],
  },
])('comparisons of $name', ({ sent, kept }) => {
  expect(
    one({ averageComparativeScores: sent })?.comparisons.map(({ basis, percent }) => `${basis} ${percent}`),
  ).toEqual(kept);
});

test.each([
  { name: 'the id', extra: {}, day: '2026-11-19' },
  {
    name: 'the id, whatever the time says',
    extra: { createdDateTime: '2026-11-20T01:00:00Z' },
    day: '2026-11-19',
  },
  { name: 'the time, without an id', extra: { id: null }, day: '2026-11-19' },
  { name: 'the time, with an id of another form', extra: { id: 'abc' }, day: '2026-11-19' },
  { name: 'a leap day', extra: { id: `${contoso}_2028-02-29` }, day: '2028-02-29' },
  {
    name: 'the time, when the id names a day that is none',
    extra: { id: `${contoso}_2026-02-30` },
    day: '2026-11-19',
  },
])('the day comes from $name', ({ extra, day }) => {
  expect(one(extra)?.day).toBe(day);
});

test('points as text, counts as null or nonsense', () => {
  expect(
    one({ currentScore: '50.5', maxScore: '80', licensedUserCount: null, activeUserCount: -1 }),
  ).toMatchObject({
    current: 50.5,
    max: 80,
    licensedUsers: null,
    activeUsers: null,
  });
});

test.each([
  { name: 'no points', extra: { currentScore: null } },
  { name: 'no maximum', extra: { maxScore: null } },
  { name: 'no such member', extra: { maxScore: undefined } },
  { name: 'negative points', extra: { currentScore: -3 } },
  { name: 'no day', extra: { id: 'x', createdDateTime: 'yesterday' } },
])(
  'a snapshot with $name is a gap, not a zero; with nothing else it is an answer we cannot read',
  ({ extra }) => {
    const snapshots = snapshotsOf([aScore(extra), aScore({ id: `${contoso}_2026-11-18` })], contoso, 90);
    expect(snapshots.map(({ day }) => day)).toEqual(['2026-11-18']);
    expect(() => snapshotsOf([aScore(extra)], contoso, 90)).toThrow('cannot be read');
  },
);

test('a new tenant without snapshots is an empty list', () => {
  expect(snapshotsOf([], contoso, 90)).toEqual([]);
});

test('days come newest first, one each, no more than asked for', () => {
  const days = ['2026-11-17', '2026-11-19', '2026-11-18', '2026-11-19'];
  const items = days.map((day, index) => aScore({ id: `${contoso}_${day}`, currentScore: index }));
  expect(snapshotsOf(items, contoso, 2).map(({ day, current }) => `${day} ${current}`)).toEqual([
    '2026-11-19 1',
    '2026-11-18 2',
  ]);
});

test('controls: extras of any kind, no points, twice the same, no category', () => {
  const snapshot = one({
    controlScores: [
      {
        controlName: 'A',
        controlCategory: 'Identity',
        score: 0.1,
        on: 'true',
        count: 3,
        total: '3',
        lastSynced: null,
      },
      {
        controlName: 'B',
        controlCategory: 'Identity',
        score: '0.2',
        implementationStatus: '<b>You</b> have 1 &amp; 2',
      },
      { controlName: 'C', controlCategory: null, score: 5, implementationStatus: null },
      { controlName: 'D', controlCategory: 'Apps', score: null },
      { controlName: 'A', controlCategory: 'Identity', score: 99 },
      { controlName: '', score: 1 },
      { controlName: 7, score: 1 },
      null,
    ],
  });
  expect(snapshot?.controls).toEqual([
    { name: 'A', category: 'Identity', score: 0.1, reach: { covered: 3, total: 3 } },
    { name: 'B', category: 'Identity', score: 0.2, status: 'You have 1 & 2' },
    { name: 'C', category: 'Other', score: 5 },
  ]);
  expect(snapshot?.categories).toEqual([
    { category: 'Identity', current: 0.3, max: null },
    { category: 'Other', current: 5, max: null },
  ]);
});

test('an answer about another tenant is refused', () => {
  expect(() => snapshotsOf([aScore({ azureTenantId: fabrikam })], contoso, 90)).toThrow('another tenant');
  expect(() => profilesOf([aProfile({ azureTenantId: fabrikam })], contoso)).toThrow('another tenant');
  expect(() => organizationOf([{ id: fabrikam, displayName: 'Fabrikam' }], contoso)).toThrow(
    'another tenant',
  );
  expect(one({ azureTenantId: contoso.toUpperCase() })).toBeDefined();
});

// ---------------------------------------------------------------------------------------------- profiles

const aProfile = (extra: Record<string, unknown> = {}) => ({
  id: 'AdminMFAV2',
  azureTenantId: contoso,
  title: 'Require multifactor authentication for administrative roles',
  controlCategory: 'Identity',
  service: 'AzureAD',
  maxScore: 10,
  rank: 1,
  tier: 'Core',
  implementationCost: 'Low',
  userImpact: 'Moderate',
  actionUrl: 'https://entra.microsoft.com/#view/x',
  threats: ['Account Breach'],
  deprecated: false,
  remediation: '<p>Create a <a href="https://aka.ms/x">policy</a>.</p>',
  controlStateUpdates: [],
  ...extra,
});
const profile = (extra: Record<string, unknown>) => profilesOf([aProfile(extra)], contoso)[0];

test('a profile as it usually comes', () => {
  expect(profile({})).toEqual({
    name: 'AdminMFAV2',
    title: 'Require multifactor authentication for administrative roles',
    category: 'Identity',
    service: 'AzureAD',
    max: 10,
    rank: 1,
    tier: 'Core',
    effort: 'low',
    userImpact: 'moderate',
    actionUrl: 'https://entra.microsoft.com/#view/x',
    threats: ['Account Breach'],
    deprecated: false,
    remediation: 'Create a policy (https://aka.ms/x).',
    state: 'Default',
  });
});

test.each([
  { name: 'no history', updates: null, state: 'Default' },
  {
    name: 'the newest, in any order',
    updates: [
      { state: 'Reviewed', updatedDateTime: '2026-07-02T09:14:00Z' },
      { state: 'ThirdParty', updatedDateTime: '2026-08-02T09:14:00Z' },
      { state: 'Ignored', updatedDateTime: '2026-06-02T09:14:00Z' },
    ],
    state: 'ThirdParty',
  },
  {
    name: 'another casing',
    updates: [{ state: 'thirdparty', updatedDateTime: '2026-07-02T09:14:00Z' }],
    state: 'ThirdParty',
  },
  {
    name: 'a time that is none',
    updates: [
      { state: 'Ignored', updatedDateTime: null },
      { state: 'Reviewed', updatedDateTime: '2026-07-02T09:14:00Z' },
    ],
    state: 'Reviewed',
  },
  {
    name: 'a new state',
    updates: [{ state: 'Planned', updatedDateTime: '2026-07-02T09:14:00Z' }],
    state: 'Planned',
  },
])('the state is $name', ({ updates, state }) => {
  expect(profile({ controlStateUpdates: updates })?.state).toBe(state);
});

test('nulls everywhere leave a profile with its name and points', () => {
  const bare = Object.fromEntries(Object.keys(aProfile()).map((name) => [name, null]));
  expect(profilesOf([{ ...bare, id: 'scid_1', maxScore: '9' }], contoso)).toEqual([
    {
      name: 'scid_1',
      title: 'scid_1',
      category: 'Other',
      service: '',
      max: 9,
      rank: 9_999,
      tier: '',
      effort: '',
      userImpact: '',
      actionUrl: null,
      threats: [],
      deprecated: false,
      remediation: '',
      state: 'Default',
    },
  ]);
  expect(() => profilesOf([{ ...bare, id: 'scid_1' }], contoso)).toThrow('cannot be read');
});

test.each([
  { sent: 'https://security.microsoft.com/x?y=1', link: 'https://security.microsoft.com/x?y=1' },
  { sent: ' http://aka.ms/x ', link: 'http://aka.ms/x' },
  { sent: 'javascript:alert(1)', link: null },
  { sent: 'data:text/html,x', link: null },
  { sent: 'ms-settings:x', link: null },
  { sent: 'https://user:word@evil.example/', link: null },
  { sent: '/relative', link: null },
  { sent: '', link: null },
])('"$sent" as a link is $link', ({ sent, link }) => {
  expect(httpLink(sent)).toBe(link);
});

test.each([
  { html: 'plain words', text: 'plain words' },
  { html: '<p>One</p><p>Two</p>', text: 'One\n\nTwo' },
  { html: '<ol><li>Go</li><li>Do</li></ol>', text: '1. Go\n 2. Do' },
  { html: 'a &lt; b &amp;&nbsp;c', text: 'a < b & c' },
  { html: '<script>alert(1)</script>safe<style>p{}</style>', text: 'safe' },
  { html: '<a href="javascript:alert(1)">click</a>', text: 'click' },
  { html: '<a href="https://aka.ms/x">https://aka.ms/x</a>', text: 'https://aka.ms/x' },
  { html: '<img src="https://evil.example/x.png" alt="x">text', text: 'text' },
  { html: '<h1>Title</h1>', text: 'Title' },
  { html: 'a\u202eb\u200b\u0007c', text: 'abc' },
  { html: 'lone \ud800 half', text: 'lone \ufffd half' },
  { html: '<p>unclosed <b>tags', text: 'unclosed tags' },
])('$html becomes $text', ({ html, text }) => {
  expect(plainText(html, 1_000)).toBe(text);
});

test('long and deep HTML stays bounded', () => {
  expect(plainText('x'.repeat(5_000), 100)).toHaveLength(100);
  const started = performance.now();
  expect(
    plainText(`${'<div>'.repeat(20_000)}deep${'</div>'.repeat(20_000)}`, 100).length,
  ).toBeLessThanOrEqual(100);
  expect(plainText('<p>'.repeat(60_000), 100).length).toBeLessThanOrEqual(100);
  expect(performance.now() - started).toBeLessThan(5_000);
});

// ---------------------------------------------------------------------------------------------- the rest

test('an organization: its verified domains in lower case, the default one first', () => {
  const item = {
    id: contoso.toUpperCase(),
    displayName: 'Contoso <b>Ltd</b>',
    verifiedDomains: [
      { name: 'contoso.onmicrosoft.com', isDefault: false },
      { name: 'Contoso.com', isDefault: true },
      { name: 'contoso.com' },
    ],
  };
  expect(organizationOf([item], contoso)).toEqual({
    id: contoso,
    name: 'Contoso Ltd',
    domains: ['contoso.com', 'contoso.onmicrosoft.com'],
  });
  expect(() => organizationOf([], contoso)).toThrow('no organization');
});

test('domains: the default one first, flags in any form', () => {
  const items = [
    { id: 'b.example', isVerified: 'True' },
    { id: 'A.example', isDefault: true, isVerified: true },
    { id: null },
  ];
  expect(domainsOf(items)).toEqual([
    { name: 'a.example', isDefault: true, isVerified: true },
    { name: 'b.example', isDefault: false, isVerified: true },
  ]);
});

const p1 = { servicePlanId: '41781fb2-bc02-4b7c-bd55-b576c07bb09d', provisioningStatus: 'Success' };
const p2 = { servicePlanId: 'EEC0EB4F-6444-4F95-ABA0-50C24D67F998', provisioningStatus: 'Success' };
test.each([
  { name: 'P1 in Business Premium', sku: { servicePlans: [p1] }, has: [true, false] },
  { name: 'P2 alone', sku: { servicePlans: [p2] }, has: [true, true] },
  {
    name: 'P2 in its grace period',
    sku: { capabilityStatus: 'Warning', servicePlans: [p2] },
    has: [true, true],
  },
  {
    name: 'P2 that has ended',
    sku: { capabilityStatus: 'Suspended', servicePlans: [p2] },
    has: [false, false],
  },
  {
    name: 'P2 that is switched off',
    sku: { servicePlans: [{ ...p2, provisioningStatus: 'Disabled' }] },
    has: [false, false],
  },
  { name: 'no plans', sku: { servicePlans: null }, has: [false, false] },
])('licences: $name', ({ sku, has }) => {
  const licences = licencesOf([
    {
      skuPartNumber: 'SPB',
      capabilityStatus: 'Enabled',
      consumedUnits: 44,
      prepaidUnits: { enabled: 50 },
      ...sku,
    },
  ]);
  expect([licences.entraP1, licences.entraP2]).toEqual(has.map((value) => ({ known: true, value })));
  expect(licences.skus[0]).toMatchObject({
    partNumber: 'SPB',
    name: 'Microsoft 365 Business Premium',
    enabled: 50,
    consumed: 44,
  });
});

test('an unknown product keeps its part number, odd units count as none', () => {
  const sku = {
    skuPartNumber: 'constructor',
    capabilityStatus: null,
    consumedUnits: null,
    prepaidUnits: null,
  };
  expect(licencesOf([sku]).skus).toEqual([
    { partNumber: 'constructor', name: 'constructor', enabled: 0, consumed: 0, state: '' },
  ]);
  expect(licencesOf([]).skus).toEqual([]);
});

test.each([
  { sent: { count: '41', total: '48' }, reach: { covered: 41, total: 48 } },
  { sent: { count: 0, total: 48 }, reach: { covered: 0, total: 48 } },
  { sent: { count: 48, total: 48.0 }, reach: { covered: 48, total: 48 } },
  { sent: { count: '41' }, reach: undefined },
  { sent: { count: 41, total: 0 }, reach: undefined },
  { sent: { count: 49, total: 48 }, reach: undefined },
  { sent: { count: -1, total: 48 }, reach: undefined },
  { sent: { count: 'many', total: null }, reach: undefined },
  { sent: { count: { a: 1 }, total: [48] }, reach: undefined },
])('how many a control covers, sent as $sent, is $reach', ({ sent, reach }) => {
  const controlScores = [{ controlName: 'AdminMFAV2', controlCategory: 'Identity', score: 8.5, ...sent }];
  expect(one({ controlScores })?.controls[0]?.reach).toEqual(reach);
});

test('a control that is not scored stays out, whatever it covers', () => {
  const controlScores = [{ controlName: 'AdminMFAV2', score: null, count: 4, total: 8 }];
  expect(one({ controlScores })?.controls).toEqual([]);
});
