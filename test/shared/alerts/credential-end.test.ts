import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { digest } from '../../../bot/digest.ts';
import {
  type CredentialEndFinding,
  decideCredentialEnd,
  toldMark,
} from '../../../shared/alerts/credential-end.ts';
import { credentialEndHeadline, credentialEndSummary } from '../../../shared/alerts/credential-end-words.ts';
import type { TenantId } from '../../../shared/tenants/tenant.ts';
import { count } from '../../support/counts.ts';

/** A credential that ends: told at 30, 14, 7 and 1 day and when it has ended, once for a version, whatever crashes. */

const tenantId = '11111111-0000-4000-8000-000000000001' as TenantId;
const dayMs = 86_400_000;
const from = Date.UTC(2026, 10, 1, 6);
const on = (day: number): string => new Date(from + day * dayMs).toISOString();

type Ending = { kind: 'secret' | 'certificate'; version: number; expiresAt: string };
type Stored = { mark: string | undefined; finding: CredentialEndFinding | null };
const nothing: Stored = { mark: undefined, finding: null };
const endsOn = (day: number, version = 1): Ending => ({ kind: 'secret', version, expiresAt: on(day) });

/** One sync; `dies` between finding and mark. */
function sync(stored: Stored, ending: Ending | null, day: number, dies = false) {
  const { finding, tell } = decideCredentialEnd({ tenantId, ending, ...stored, now: on(day), digest });
  const names = tell.map(({ generation, name, facts }) => `${generation} ${name} at ${facts.stage}`);
  const mark = finding === null || dies ? stored.mark : toldMark(finding);
  return { stored: { finding, mark }, names };
}

function along(days: readonly number[], endingOf: (day: number) => Ending | null) {
  let stored = nothing;
  const told: string[] = [];
  for (const day of days) {
    const done = sync(stored, endingOf(day), day);
    told.push(...done.names);
    stored = done.stored;
  }
  return { told, stored };
}

const everyDay = (most: number): number[] => Array.from({ length: most }, (_, day) => day);

test('every stage once, on the day it is reached', () => {
  expect(along(everyDay(60), () => endsOn(45)).told).toEqual([
    '1 opened at 30',
    '1 worsened at 14',
    '1 worsened-2 at 7',
    '1 worsened-3 at 1',
    '1 worsened-4 at 0',
  ]);
});

test('what passed while nobody looked is told by the newest stage alone', () => {
  expect(along([0, 40], () => endsOn(45)).told).toEqual(['1 opened at 7']);
});

test('renewed it is over, and the next version is told anew', () => {
  const { told } = along(everyDay(120), (day) => (day < 20 ? endsOn(45) : endsOn(130, 2)));
  expect(told).toEqual(['1 opened at 30', '1 resolved at 30', '2 reopened at 30', '2 worsened at 14']);
  expect(along([20, 21], (day) => (day === 20 ? endsOn(45) : null)).told).toEqual([
    '1 opened at 30',
    '1 resolved at 30',
  ]);
});

test('a clock that is set back, or an end that nobody knows, tells nothing', () => {
  expect(along([40, 20, 40, 20], () => endsOn(45)).told).toEqual(['1 opened at 7']);
  expect(along(everyDay(50), () => null).told).toEqual([]);
});

test('killed between finding and mark, anywhere: the same names, none missing', () => {
  const walk = fc.array(
    fc.record({
      pass: fc.integer({ min: 0, max: 12 }),
      dies: fc.boolean(),
      renew: fc.integer({ min: 0, max: 9 }),
    }),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(walk, (steps) => {
      let day = 0;
      let version = 1;
      let end = 40;
      const calm: string[] = [];
      const killed: string[] = [];
      let [well, ill] = [nothing, nothing];
      for (const { pass, dies, renew } of steps) {
        day += pass;
        if (renew === 0) {
          version += 1;
          end = day + 60;
        }
        const done = sync(well, endsOn(end, version), day);
        calm.push(...done.names);
        well = done.stored;
        for (const crash of dies ? [true, false] : [false]) {
          const again = sync(ill, endsOn(end, version), day, crash);
          for (const name of again.names) if (!killed.includes(name)) killed.push(name);
          ill = again.stored;
        }
      }
      expect(killed).toEqual(calm);
    }),
    { numRuns: count(300, 5_000), seed: 20261121 },
  );
});

test('without the mark nothing would be told again after a crash: the check above can see it', () => {
  const first = sync(nothing, endsOn(20), 0, true);
  expect(sync(first.stored, endsOn(20), 0).names).toEqual(['1 opened at 30']);
  const marked = { ...first.stored, mark: '1 opened' };
  expect(sync(marked, endsOn(20), 0).names).toEqual([]);
});

test('says which, when, and what to do', () => {
  const [tell] = decideCredentialEnd({ tenantId, ending: endsOn(13), ...nothing, now: on(0), digest }).tell;
  if (tell === undefined) throw new Error('nothing told');
  const saying = { tenant: 'Contoso', now: on(0), foreign: (text: string) => text };
  expect(credentialEndHeadline(tell, saying)).toBe(
    'The client secret of Contoso ends in 13 days, on 14 Nov.',
  );
  expect(credentialEndSummary(tell, saying)).toContain('Make a new client secret in Entra');
});
