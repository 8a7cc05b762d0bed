import { expect, test } from '@jest/globals';
import { openBudget } from '../../bot/microsoft/budget.ts';
import { conditionalAccessOf } from '../../bot/microsoft/conditional-access.ts';
import { groupFactsOf } from '../../bot/microsoft/groups.ts';
import { licenceFactsOf, licenceTermsOf } from '../../bot/microsoft/licences.ts';
import { mfaFactsOf } from '../../bot/microsoft/mfa.ts';
import { namedRight, signInFactsOf } from '../../bot/microsoft/sign-ins.ts';
import { userFactsOf } from '../../bot/microsoft/users.ts';

/** Users, groups, policies and licences as Microsoft sends them: with nulls, new words and things left out. */

const now = Date.parse('2026-11-20T12:00:00Z');

test('accounts: who has no type is a member, who has no state is not enabled, nulls are nothing', () => {
  expect(
    userFactsOf([
      {
        id: '1',
        userType: 'Member',
        accountEnabled: true,
        assignedLicenses: [{}],
        onPremisesSyncEnabled: null,
      },
      { id: '2', userType: null, accountEnabled: true, assignedLicenses: null },
      { id: '3', userType: 'guest', accountEnabled: false, assignedLicenses: [] },
      {
        id: '4',
        userType: 'Member',
        accountEnabled: false,
        assignedLicenses: [{}],
        onPremisesSyncEnabled: true,
      },
      { id: '5' },
      { noId: true },
    ]),
  ).toEqual({ members: 4, guests: 1, enabledMembers: 2, enabledGuests: 0, disabledLicensed: 1, synced: 1 });
  expect(() => userFactsOf([{ name: 'something else' }])).toThrow(/cannot be read/);
});

const old = { accountEnabled: true, createdDateTime: '2024-01-01T00:00:00Z' };
const at = (text: string | null) => ({ lastSuccessfulSignInDateTime: text });
test.each([
  {
    name: 'signed in last week',
    user: { ...old, signInActivity: at('2026-11-13T00:00:00Z') },
    counts: [1, 0, 0],
  },
  {
    name: 'last seen in July',
    user: { ...old, signInActivity: at('2026-07-13T00:00:00Z') },
    counts: [1, 1, 0],
  },
  { name: 'never seen', user: old, counts: [1, 1, 1] },
  { name: 'null all over', user: { ...old, signInActivity: at(null) }, counts: [1, 1, 1] },
  {
    name: 'from before successes were kept, with attempts since',
    user: {
      ...old,
      signInActivity: { lastSignInDateTime: null, lastNonInteractiveSignInDateTime: '2026-11-19T00:00:00Z' },
    },
    counts: [1, 0, 0],
  },
  {
    name: 'attempts that failed do not make anybody active',
    user: {
      ...old,
      signInActivity: { ...at('2026-01-01T00:00:00Z'), lastSignInDateTime: '2026-11-19T00:00:00Z' },
    },
    counts: [1, 1, 0],
  },
  {
    name: 'made last week, never seen',
    user: { ...old, createdDateTime: '2026-11-13T00:00:00Z' },
    counts: [0, 0, 0],
  },
  { name: 'of unknown age', user: { accountEnabled: true, createdDateTime: null }, counts: [0, 0, 0] },
  { name: 'switched off', user: { ...old, accountEnabled: false }, counts: [0, 0, 0] },
])('an account $name: $counts', ({ user, counts }) => {
  const facts = signInFactsOf([{ id: '1', ...user }], now);
  expect([facts.counted, facts.inactiveMembers, facts.neverSeen]).toEqual(counts);
  const guest = signInFactsOf([{ id: '1', ...user, userType: 'Guest' }], now);
  expect([guest.counted, guest.inactiveGuests, guest.neverSeen]).toEqual(counts);
});

test('the permission that sign-ins lack is named, though the path is that of users', () => {
  const failure = {
    kind: 'permission',
    cause: 'x',
    remedy: '',
    transient: false,
    permission: 'User.Read.All',
  } as const;
  expect(namedRight({ kind: 'failed', failure })).toEqual({ kind: 'failed', failure });
  expect(
    namedRight({ kind: 'failed', failure: { ...failure, code: 'Authentication_MSGraphPermissionMissing' } }),
  ).toMatchObject({ failure: { permission: 'AuditLog.Read.All', cause: expect.stringMatching(/AuditLog/) } });
});

test('MFA: registered is not capable, guests are apart, names are cut at fifty and free of control characters', () => {
  const admin = (n: number) => ({
    ...{ id: String(n), userPrincipalName: `a${String(n).padStart(3, '0')}@x.example`, userType: 'member' },
    ...{
      userDisplayName: `Ad\u202emin\u0000 ${n}`,
      isAdmin: true,
      isMfaRegistered: true,
      isMfaCapable: false,
    },
    lastUpdatedDateTime: '2026-11-19T03:00:00Z',
  });
  const facts = mfaFactsOf([
    ...Array.from({ length: 60 }, (_, n) => admin(59 - n)),
    { id: 'g', userType: 'guest', isMfaCapable: 'True', isMfaRegistered: true, lastUpdatedDateTime: 'soon' },
    { id: 'n', userPrincipalName: null, isAdmin: null },
  ]);
  expect(facts).toMatchObject({
    users: { total: 61, registered: 60, capable: 0 },
    guests: { total: 1, registered: 1, capable: 1 },
    admins: { total: 60, registered: 60, capable: 0 },
    adminsWithoutCount: 60,
    asOf: '2026-11-19',
  });
  expect(facts.adminsWithout).toHaveLength(50);
  expect(facts.adminsWithout[0]).toEqual({ name: 'Admin 0', upn: 'a000@x.example' });
});

test('groups: only a Microsoft 365 group that surely has no owner is called so', () => {
  const unified = { displayName: 'G', groupTypes: ['Unified'], mailEnabled: true, securityEnabled: false };
  expect(
    groupFactsOf([
      { id: '1', ...unified, owners: [] },
      { id: '2', ...unified, owners: [{ id: 'x' }], visibility: 'Public' },
      { id: '3', ...unified },
      { id: '4', ...unified, owners: null },
      { id: '5', ...unified, owners: [], onPremisesSyncEnabled: true },
      { id: '6', displayName: 'S', groupTypes: ['DynamicMembership'], securityEnabled: true, owners: [] },
      { id: '7', displayName: 'Mail', securityEnabled: true, mailEnabled: true, owners: [] },
      { id: '8', groupTypes: null, displayName: null },
    ]),
  ).toEqual({
    ...{ total: 8, microsoft365: 5, security: 1, dynamic: 1, publicTeams: 1 },
    ...{ ownerless: ['G'], ownerlessCount: 1 },
  });
});

const everyone = {
  users: { includeUsers: ['All'] },
  applications: { includeApplications: ['All'] },
  clientAppTypes: ['all'],
};
const mfa = { operator: 'OR', builtInControls: ['mfa'] };
test.each([
  {
    name: 'MFA for all',
    policy: { conditions: everyone, grantControls: mfa },
    says: { reach: 'everyone', apps: 'all', demands: 'mfa', conditional: false, exclusions: 0 },
  },
  {
    name: 'roles',
    policy: {
      conditions: {
        ...everyone,
        users: { includeRoles: ['x'], excludeUsers: ['a', 'b'], excludeGuestsOrExternalUsers: {} },
      },
      grantControls: mfa,
    },
    says: { reach: 'admins', exclusions: 3 },
  },
  {
    name: 'a group',
    policy: {
      conditions: { ...everyone, users: { includeUsers: ['None'], includeGroups: ['g'] } },
      grantControls: mfa,
    },
    says: { reach: 'some' },
  },
  {
    name: 'guests by word',
    policy: {
      conditions: { ...everyone, users: { includeUsers: ['GuestsOrExternalUsers'] } },
      grantControls: mfa,
    },
    says: { reach: 'guests' },
  },
  {
    name: 'nobody',
    policy: { conditions: { ...everyone, users: { includeUsers: ['None'] } }, grantControls: mfa },
    says: { reach: 'nobody' },
  },
  {
    name: 'users missing',
    policy: { conditions: null, grantControls: mfa },
    says: { reach: 'nobody', apps: 'some' },
  },
  {
    name: 'one app',
    policy: {
      conditions: { ...everyone, applications: { includeApplications: ['Office365'] } },
      grantControls: mfa,
    },
    says: { apps: 'some' },
  },
  {
    name: 'MFA or a device',
    policy: {
      conditions: everyone,
      grantControls: { operator: 'OR', builtInControls: ['mfa', 'compliantDevice'] },
    },
    says: { demands: 'mfaOr' },
  },
  {
    name: 'MFA and a device',
    policy: {
      conditions: everyone,
      grantControls: { operator: 'AND', builtInControls: ['mfa', 'compliantDevice'] },
    },
    says: { demands: 'mfa' },
  },
  {
    name: 'a strength',
    policy: {
      conditions: everyone,
      grantControls: { operator: 'OR', builtInControls: [], authenticationStrength: { id: 'x' } },
    },
    says: { demands: 'mfa' },
  },
  {
    name: 'at a risk',
    policy: { conditions: { ...everyone, signInRiskLevels: ['high'] }, grantControls: mfa },
    says: { conditional: true },
  },
  {
    name: 'outside places',
    policy: {
      conditions: { ...everyone, locations: { includeLocations: ['All'], excludeLocations: ['AllTrusted'] } },
      grantControls: mfa,
    },
    says: { conditional: true },
  },
  {
    name: 'in every place',
    policy: {
      conditions: {
        ...everyone,
        locations: { includeLocations: ['All'], excludeLocations: [] },
        platforms: { includePlatforms: ['all'] },
      },
      grantControls: mfa,
    },
    says: { conditional: false },
  },
  {
    name: 'one platform',
    policy: { conditions: { ...everyone, platforms: { includePlatforms: ['iOS'] } }, grantControls: mfa },
    says: { conditional: true },
  },
  {
    name: 'all modern clients',
    policy: {
      conditions: { ...everyone, clientAppTypes: ['browser', 'mobileAppsAndDesktopClients'] },
      grantControls: mfa,
    },
    says: { conditional: false },
  },
  {
    name: 'old clients blocked',
    policy: {
      conditions: { ...everyone, clientAppTypes: ['exchangeActiveSync', 'other'] },
      grantControls: { operator: 'OR', builtInControls: ['block'] },
    },
    says: { demands: 'block', blocksLegacy: true },
  },
])('a policy with $name', ({ policy, says }) => {
  const { policies, on } = conditionalAccessOf([{ id: 'p', displayName: 'P', state: 'enabled', ...policy }]);
  expect(on).toBe(1);
  expect(policies).toEqual([expect.objectContaining(says)]);
});

test.each([
  { state: 'enabled', is: 'on' },
  { state: 'enabledForReportingButNotEnforced', is: 'reportOnly' },
  { state: 'disabled', is: 'off' },
  { state: 'somethingNew', is: 'off' },
  { state: null, is: 'off' },
])('state $state enforces as $is', ({ state, is }) => {
  const facts = conditionalAccessOf([{ id: 'p', state, conditions: everyone, grantControls: mfa }]);
  expect(facts.policies[0]?.state).toBe(is);
});

test('what has nothing to do with MFA is counted and not listed', () => {
  const other = { id: 'q', state: 'enabled', conditions: everyone, grantControls: null, sessionControls: {} };
  expect(conditionalAccessOf([other])).toEqual({ on: 1, reportOnly: 0, off: 0, policies: [] });
  expect(conditionalAccessOf([])).toEqual({ on: 0, reportOnly: 0, off: 0, policies: [] });
});

test('licences: owned are those that work, those running out among them; free ones say nothing of waste', () => {
  const facts = licenceFactsOf([
    { skuPartNumber: 'FLOW_FREE', consumedUnits: 7, prepaidUnits: { enabled: 10_000 } },
    {
      skuPartNumber: 'SPE_E3',
      consumedUnits: 12_000,
      prepaidUnits: { enabled: 15_000, warning: 0, suspended: 0 },
    },
    { skuPartNumber: 'SPB', consumedUnits: '44', prepaidUnits: { enabled: 50, warning: 5, suspended: 3 } },
    { skuPartNumber: 'ODD', consumedUnits: -3, prepaidUnits: null },
  ]);
  expect(
    facts.lines.map(({ partNumber, owned, used, warning, suspended, free }) => [
      partNumber,
      owned,
      used,
      warning,
      suspended,
      free,
    ]),
  ).toEqual([
    ['SPE_E3', 15_000, 12_000, 0, 0, false],
    ['SPB', 55, 44, 5, 3, false],
    ['ODD', 0, 0, 0, 0, false],
    ['FLOW_FREE', 10_000, 7, 0, 0, true],
  ]);
  const terms = licenceTermsOf([
    {
      skuPartNumber: 'SPB',
      status: 'Enabled',
      totalLicenses: 50,
      nextLifecycleDateTime: '2027-03-01T00:00:00Z',
    },
    {
      skuPartNumber: 'SPE_E3',
      status: 'Warning',
      totalLicenses: 9,
      isTrial: true,
      nextLifecycleDateTime: '2026-12-01T00:00:00.0000000Z',
    },
    { skuPartNumber: 'OLD', status: 'Deleted', nextLifecycleDateTime: '2020-01-01T00:00:00Z' },
    { skuPartNumber: 'FREE', status: 'Enabled', nextLifecycleDateTime: null },
  ]);
  expect(terms.ends.map(({ name, on, isTrial }) => [name, on, isTrial])).toEqual([
    ['Microsoft 365 E3', '2026-12-01', true],
    ['Microsoft 365 Business Premium', '2027-03-01', false],
  ]);
});

test('the budget: what begins over it comes back later, what goes on waits, each app has its own', async () => {
  let clock = 1_000_000;
  const slept: number[] = [];
  const budget = openBudget({
    ...{ most: 3, spanMs: 60_000, now: () => clock },
    async sleep(ms) {
      slept.push(ms);
      clock += ms;
    },
  });
  budget.begin('one');
  clock += 10_000;
  budget.begin('one');
  budget.begin('one');
  expect(() => budget.begin('one')).toThrow(/wait/);
  budget.begin('two');
  await budget.goOn('one');
  expect(slept).toEqual([50_000]);
  await budget.goOn('one');
  expect(slept).toEqual([50_000, 10_000]);
  // A clock that was set back opens the gate rather than closing it for hours.
  clock -= 3_600_000;
  budget.begin('one');
});
