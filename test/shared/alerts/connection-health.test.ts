import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { digest } from '../../../bot/digest.ts';
import { type ConnectionFinding, decideConnection } from '../../../shared/alerts/connection-health.ts';
import { connectionHeadline, connectionSummary } from '../../../shared/alerts/connection-words.ts';
import { acknowledge } from '../../../shared/alerts/people.ts';
import type { Health, HealthState, TenantId } from '../../../shared/tenants/tenant.ts';
import { count } from '../../support/counts.ts';

/** A broken connection as a finding: what is told when, once, whatever crashes in between. */

const tenantId = '11111111-0000-4000-8000-000000000001' as TenantId;
const at = (minute: number): string => new Date(Date.UTC(2026, 10, 20, 6, minute)).toISOString();
const states: readonly HealthState[] = [
  ...(['connected', 'authentication-error', 'permission-error', 'service-error'] as const),
];

function healthOf(state: HealthState, minute = 0): Health {
  const fine = state === 'connected' || state === 'waiting';
  return {
    state,
    since: at(minute),
    cause: fine ? '' : `Cause of ${state}.`,
    remedy: fine ? '' : 'Do this.',
    ...(fine ? {} : { code: 'AADSTS7000222' }),
  };
}

/** What stands in the store: the health is written last of all. */
type Stored = { health: Health; finding: ConnectionFinding | null };

/** One sync. `dies`: before the finding is written, or between it and the health. */
function sync(stored: Stored, after: Health, minute: number, dies?: 'before' | 'between') {
  const { finding, tell } = decideConnection({
    ...{ tenantId, before: stored.health, after, finding: stored.finding, now: at(minute), digest },
  });
  const names = tell.map(({ generation, name }) => `${generation} ${name}`);
  if (dies === 'before') return { stored, names: [] };
  return { stored: { finding, health: dies === 'between' ? stored.health : after }, names };
}

function along(walk: readonly HealthState[], from: HealthState = 'connected') {
  let stored: Stored = { health: healthOf(from), finding: null };
  const told: string[] = [];
  for (const [step, state] of walk.entries()) {
    const done = sync(stored, healthOf(state, step + 1), step + 1);
    told.push(...done.names);
    stored = done.stored;
  }
  return { told, finding: stored.finding };
}

const auth = 'authentication-error';
const permission = 'permission-error';

test.each([
  { what: 'all is well', walk: ['connected', 'connected'], told: [] },
  { what: 'it breaks and stays so', walk: [auth, auth, auth], told: ['1 opened'] },
  { what: 'it breaks and comes back', walk: [auth, 'connected'], told: ['1 opened', '1 resolved'] },
  {
    what: 'another reason, and a third',
    walk: [auth, permission, auth, auth],
    told: ['1 opened', '1 worsened', '1 worsened-2'],
  },
  {
    what: 'it breaks again',
    walk: [permission, 'connected', 'connected', permission],
    told: ['1 opened', '1 resolved', '2 reopened'],
  },
] as { what: string; walk: HealthState[]; told: string[] }[])('$what', ({ walk, told }) => {
  expect(along(walk).told).toEqual(told);
});

test('a tenant that never was read breaks as any other, and its first good reading tells nothing', () => {
  expect(along([auth, 'connected'], 'waiting').told).toEqual(['1 opened', '1 resolved']);
  expect(along(['connected'], 'waiting').told).toEqual([]);
});

describe('killed anywhere and done again', () => {
  const walks = fc.array(
    fc.record({
      state: fc.constantFrom(...states),
      dies: fc.constantFrom(undefined, 'before' as const, 'between' as const),
    }),
    { maxLength: 25 },
  );

  /** The names told on the way when each sync that dies is done again with the same answer of Microsoft's. */
  function undisturbedAndKilled(walk: { state: HealthState; dies: 'before' | 'between' | undefined }[]) {
    const told = along(walk.map(({ state }) => state)).told;
    let stored: Stored = { health: healthOf('connected'), finding: null };
    const killed = new Set<string>();
    for (const [step, { state, dies }] of walk.entries()) {
      for (const end of dies === undefined ? [undefined] : [dies, undefined]) {
        const done = sync(stored, healthOf(state, step + 1), step + 1, end);
        for (const name of done.names) killed.add(name);
        stored = done.stored;
      }
    }
    return { told, killed: [...killed] };
  }

  test('it tells what it would have told, each under the same name', () => {
    fc.assert(
      fc.property(walks, (walk) => {
        const { told, killed } = undisturbedAndKilled(walk);
        expect(killed).toEqual(told);
      }),
      { numRuns: count(300, 5_000), seed: 20261121 },
    );
  });

  test('between finding and rows, the rows are asked for again', () => {
    const first = sync({ health: healthOf('connected'), finding: null }, healthOf(auth, 1), 1, 'between');
    expect(sync(first.stored, healthOf(auth, 2), 2).names).toEqual(['1 opened']);
    const back = sync({ ...first.stored, health: healthOf(auth) }, healthOf('connected', 3), 3, 'between');
    expect(sync(back.stored, healthOf('connected', 4), 4).names).toEqual(['1 resolved']);
  });

  test('with the health written first it would be lost: the check above can see it', () => {
    const health = healthOf(auth, 1);
    expect(sync({ health, finding: null }, health, 2).names).toEqual(['1 opened']);
    const told = decideConnection({
      ...{ tenantId, before: health, after: health, now: at(2), digest },
      finding: along([auth]).finding,
    }).tell;
    expect(told).toEqual([]);
  });
});

test('put aside it tells nothing worse, and its end all the same', () => {
  const { finding } = along([auth]);
  if (finding === null) throw new Error('no finding');
  const aside: ConnectionFinding = { ...finding, aside: { kind: 'snoozed', until: at(60) } };
  const stored: Stored = { health: healthOf(auth), finding: aside };
  expect(sync(stored, healthOf(permission, 5), 5).names).toEqual([]);
  expect(sync(stored, healthOf('connected', 5), 5).names).toEqual(['1 resolved']);
});

test('somebody acknowledges: it stays told, and its end closes it', () => {
  const { finding } = along([auth]);
  if (finding === null) throw new Error('no finding');
  const done = acknowledge(finding, { who: 'Ana', at: at(3), why: '' });
  if (done.kind !== 'done') throw new Error('not acknowledged');
  const stored: Stored = { health: healthOf(auth), finding: done.finding };
  expect(sync(stored, healthOf(auth, 5), 5).names).toEqual([]);
  expect(sync(stored, healthOf('connected', 5), 5).stored.finding?.state).toBe('resolved');
});

test('says what is the matter, what to do, and how long it lasted', () => {
  const saying = {
    tenant: 'Contoso',
    now: at(300),
    foreign: (text: string) => text,
    long: (text: string) => text,
  };
  const [opened] = decideConnection({
    ...{ tenantId, before: healthOf('connected'), after: healthOf(permission), finding: null },
    ...{ now: at(0), digest },
  }).tell;
  if (opened === undefined) throw new Error('nothing told');
  expect(connectionSummary(opened, saying)).toBe(
    'Contoso cannot be read: Permission Error. Cause of permission-error. Do this. What is shown of it stands as it was on 20 Nov.',
  );
  const { finding } = along([permission]);
  const [over] = decideConnection({
    ...{ tenantId, before: healthOf(permission), after: healthOf('connected'), finding },
    ...{ now: at(181), digest },
  }).tell;
  if (over === undefined) throw new Error('nothing told');
  expect(connectionHeadline(over, saying)).toBe('Contoso can be read again, after 3 hours.');
});
