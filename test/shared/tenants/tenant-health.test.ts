import { expect, test } from '@jest/globals';
import { notRead } from '../../../shared/tenants/not-read.ts';
import type { Health, HealthState, Tenant } from '../../../shared/tenants/tenant.ts';
import { type HealthFailure, healthSentence, nextHealth } from '../../../shared/tenants/tenant-health.ts';
import { plus } from '../../../shared/time.ts';
import { aTenant } from '../../cards/samples.ts';

const start = '2026-11-20T10:00:00.000Z';

function health(state: HealthState, change: Partial<Health> = {}): Health {
  return { state, since: '2026-11-01T00:00:00.000Z', cause: '', remedy: '', ...change };
}

function failure(kind: HealthFailure['kind'], transient: boolean): HealthFailure {
  return { kind, transient, cause: `${kind} happened`, remedy: 'do something' };
}

const step = (kind: HealthFailure['kind'] | 'ok', minute: number, transient = false) => ({
  kind,
  minute,
  transient,
});

/** What happened at which minute, and the state after it. */
test.each<{ from: HealthState; steps: ReturnType<typeof step>[]; to: HealthState }>([
  { from: 'waiting', steps: [step('ok', 0)], to: 'connected' },
  { from: 'connected', steps: [step('authentication', 0)], to: 'authentication-error' },
  { from: 'connected', steps: [step('permission', 0)], to: 'permission-error' },
  { from: 'waiting', steps: [step('permission', 0)], to: 'permission-error' },
  { from: 'connected', steps: [step('licence', 0)], to: 'connected' },
  { from: 'waiting', steps: [step('licence', 0)], to: 'connected' },
  {
    from: 'connected',
    steps: [step('not-found', 0), step('not-found', 20), step('not-found', 40)],
    to: 'connected',
  },
  { from: 'connected', steps: [step('service', 0, true)], to: 'connected' },
  { from: 'connected', steps: [step('service', 0, true), step('service', 60, true)], to: 'connected' },
  {
    from: 'connected',
    steps: [step('service', 0, true), step('service', 1, true), step('service', 14, true)],
    to: 'connected',
  },
  {
    from: 'connected',
    steps: [step('service', 0, true), step('service', 1, true), step('service', 15, true)],
    to: 'service-error',
  },
  {
    from: 'connected',
    steps: [step('throttled', 0, true), step('service', 8, true), step('throttled', 15, true)],
    to: 'service-error',
  },
  {
    from: 'connected',
    steps: [step('service', 0, true), step('ok', 5), step('service', 10, true), step('service', 20, true)],
    to: 'connected',
  },
  { from: 'connected', steps: [step('bug', 0), step('bug', 5)], to: 'connected' },
  { from: 'connected', steps: [step('authentication', 0, true)], to: 'connected' },
  {
    from: 'connected',
    steps: [
      step('authentication', 0, true),
      step('authentication', 10, true),
      step('authentication', 20, true),
    ],
    to: 'authentication-error',
  },
  {
    from: 'permission-error',
    steps: [step('service', 0, true), step('service', 10, true), step('service', 20, true)],
    to: 'permission-error',
  },
  { from: 'permission-error', steps: [step('authentication', 0)], to: 'authentication-error' },
  { from: 'authentication-error', steps: [step('ok', 0)], to: 'connected' },
  { from: 'service-error', steps: [step('ok', 0)], to: 'connected' },
  { from: 'service-error', steps: [step('licence', 0)], to: 'connected' },
])('$from, then $steps: $to', ({ from, steps, to }) => {
  let now = health(from);
  for (const { kind, minute, transient } of steps) {
    now = nextHealth(now, kind === 'ok' ? undefined : failure(kind, transient), plus(start, minute * 60_000));
  }
  expect(now.state).toBe(to);
  if (to === 'connected' && steps.at(-1)?.kind === 'ok') expect(now).not.toHaveProperty('failing');
});

test('a state keeps its day while it lasts, and its cause stays current', () => {
  const first = nextHealth(health('connected'), failure('permission', false), start);
  const later = nextHealth(
    first,
    { ...failure('permission', false), cause: 'another permission is missing' },
    plus(start, 86_400_000),
  );
  expect(later).toMatchObject({
    since: start,
    cause: 'Another permission is missing.',
    remedy: 'Do something.',
  });
});

test('recovery says when and forgets the cause', () => {
  const ill = nextHealth(health('connected'), failure('authentication', false), start);
  expect(nextHealth(ill, undefined, plus(start, 60_000))).toEqual(
    health('connected', { since: plus(start, 60_000) }),
  );
});

test('an ill tenant is told with its day, cause and remedy', () => {
  const ill = health('permission-error', {
    since: '2026-11-18T08:00:00.000Z',
    cause: 'Consent was withdrawn.',
    remedy: 'Ask an administrator of Woodgrove Bank to reconnect.',
  });
  expect(healthSentence(ill, start)).toBe(
    'Permission Error since 18 Nov. Consent was withdrawn. Ask an administrator of Woodgrove Bank to reconnect.',
  );
  // On the very day the day says nothing.
  expect(healthSentence(ill, '2026-11-18T10:00:00.000Z')).toMatch(
    /^Permission Error since 18 Nov, 08:00 UTC\. /,
  );
  expect(healthSentence(health('connected'), start)).toBe('Connected.');
  const failing = { times: 2, since: '2026-11-18T08:02:00.000Z', cause: 'Microsoft has trouble' };
  expect(healthSentence(health('connected', { failing }), start)).toBe(
    'Connected. The last 2 tries failed, since 18 Nov, 08:02 UTC: Microsoft has trouble. It is tried again by itself.',
  );
});

const read = aTenant(1, 'Contoso Ltd').datasets.domains;
test.each<{ what: string; change: Partial<Tenant>; says: string[] }>([
  { what: 'everything read', change: {}, says: [] },
  {
    what: 'no P2',
    change: {
      licences: { entraP1: { known: true, value: true }, entraP2: { known: true, value: false }, skus: [] },
    },
    says: ['risky users: needs Entra ID P2'],
  },
  {
    what: 'licences unknown',
    change: {
      licences: { entraP1: { known: false, why: 'x' }, entraP2: { known: false, why: 'x' }, skus: [] },
      datasets: {
        ...aTenant(1, 'x').datasets,
        subscribedSkus: {
          state: 'permission-missing',
          triedAt: start,
          permission: 'LicenseAssignment.Read.All',
        },
      },
    },
    says: ['licences: permission missing (LicenseAssignment.Read.All)'],
  },
  {
    what: 'a reason given',
    change: {
      datasets: {
        organization: read,
        domains: { state: 'error', triedAt: start, why: 'Microsoft does not answer.' },
        subscribedSkus: read,
        secureScores: { state: 'throttled', triedAt: start },
      },
    },
    says: [
      'domains: Microsoft does not answer',
      'Secure Score: Microsoft asks us to wait',
      'recommendations: not read yet',
    ],
  },
  {
    what: 'the same reason twice, and one that the health says already',
    change: {
      health: { state: 'permission-error', since: start, cause: 'Consent was withdrawn.', remedy: 'Ask.' },
      datasets: {
        organization: { state: 'permission-missing', triedAt: start, why: 'Consent was withdrawn' },
        domains: { state: 'error', triedAt: start, why: 'Microsoft does not answer.' },
        subscribedSkus: { state: 'error', triedAt: start, why: 'Microsoft does not answer.' },
        secureScores: read,
        secureScoreControlProfiles: read,
      },
    },
    says: ['domains, licences: Microsoft does not answer'],
  },
])('$what: $says', ({ change, says }) => {
  expect(notRead(aTenant(1, 'Contoso Ltd', change))).toEqual(says);
});
