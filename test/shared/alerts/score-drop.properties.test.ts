import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { baselineOf } from '../../../shared/alerts/baseline.ts';
import { lossesSince } from '../../../shared/alerts/losses.ts';
import { type DropKnown, decideScoreDrop } from '../../../shared/alerts/score-drop.ts';
import { plusDays } from '../../../shared/time.ts';
import { count, seed } from '../../support/counts.ts';
import {
  type Decide,
  dayOf,
  evaluate,
  nothing,
  profilesOf,
  type Scores,
  type Standing,
  told,
} from './drops.ts';
import { steps, stepsWithGaps, whatIsWrong } from './walk.ts';

const numRuns = count(300, 5_000);

test.each([
  { what: 'with every day read', lives: steps },
  { what: 'with missed days', lives: stepsWithGaps },
])('$what: nothing is told twice, no fall is lost, the reasons add up', ({ lives }) => {
  fc.assert(
    fc.property(lives, (all) => {
      expect(whatIsWrong(all)).toBeNull();
    }),
    { seed, numRuns },
  );
});

/** What the judge would miss is no proof: each of these must be seen. */
const planted: { defect: string; decide: Decide; seen: RegExp }[] = [
  {
    defect: 'the baseline moves on a fall',
    decide: (known: DropKnown) => {
      const decision = decideScoreDrop(known);
      const moved = { ...baselineOf(known.snapshot, known.profiles), told: decision.baseline.told };
      const same = JSON.stringify(moved) === JSON.stringify(known.baseline);
      return { ...decision, baseline: same && known.baseline !== null ? known.baseline : moved };
    },
    seen: /a fall from the peak was not told/,
  },
  {
    defect: 'the key has the date in it',
    decide: (known: DropKnown) => {
      const decision = decideScoreDrop(known);
      const tell = decision.tell.map((one) => ({ ...one, id: `${one.id} ${known.now.slice(0, 10)}` }));
      return { ...decision, tell };
    },
    seen: /instead of/,
  },
  {
    defect: 'what was lost and what was gained are set off against each other',
    decide: (known: DropKnown) => {
      const { baseline, snapshot } = known;
      const before = baseline?.controls.reduce((sum, { score }) => sum + score, 0) ?? 0;
      const now = snapshot.controls.reduce((sum, { score }) => sum + score, 0);
      if (baseline === null || known.finding !== null || before - now >= 5) return decideScoreDrop(known);
      return { tell: [], finding: null, baseline: now > before ? baselineOf(snapshot, []) : baseline };
    },
    seen: /a fall since the day before was not told/,
  },
  {
    defect: 'worsenings are not numbered',
    decide: (known: DropKnown) => {
      const decision = decideScoreDrop(known);
      return { ...decision, tell: decision.tell.map((one) => ({ ...one, step: Math.min(one.step, 1) })) };
    },
    seen: /instead of/,
  },
  {
    defect: 'an unfinished telling is forgotten',
    decide: (known: DropKnown) => {
      const decision = decideScoreDrop(known);
      return { ...decision, tell: decision.finding === known.finding ? [] : decision.tell.slice(-1) };
    },
    seen: /instead of/,
  },
];

test.each(planted)('planted: $defect — seen', ({ decide, seen }) => {
  const wrong = fc
    .sample(stepsWithGaps, { seed, numRuns: 200 })
    .map((all) => whatIsWrong(all, decide))
    .filter((one) => one !== null);
  expect(wrong.length).toBeGreaterThan(0);
  expect(wrong.join('\n')).toMatch(seen);
});

test('planted: slow falls on their own show a baseline that moves on a fall', () => {
  const slide = Array.from({ length: 12 }, (_, i) => ({
    set: [[0, 1000 - i * 80] as [number, number]],
    missed: false,
    crash: 'none' as const,
  }));
  expect(whatIsWrong(slide)).toBeNull();
  expect(whatIsWrong(slide, planted[0]?.decide)).toMatch(/a fall from the peak was not told/);
});

const scoresOf = fc
  .array(fc.nat(1000), { minLength: 1, maxLength: 8 })
  .map((all): Scores => Object.fromEntries(all.map((score, i) => [`c${i}`, score / 100])));

test('maxima, licences, users, new and retired controls alone never open anything', () => {
  const day = fc.record({
    max: fc.nat(2000),
    licensed: fc.option(fc.nat(500)),
    active: fc.option(fc.nat(500)),
    scored: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
    fresh: fc.nat(3),
  });
  fc.assert(
    fc.property(scoresOf, fc.array(day, { minLength: 1, maxLength: 15 }), (scores, all) => {
      const days = [{ max: 500, licensed: 120, active: 110, scored: [], fresh: 0 }, ...all].map((one, i) => {
        // Some controls are not scored on some days; new ones come, each with its own points.
        const some = Object.entries(scores).filter((_, index) => one.scored[index] !== false);
        const fresh = Array.from({ length: one.fresh }, (_, n): [string, number] => [`new${n}`, n * 3]);
        return dayOf({
          ...one,
          day: plusDays('2026-01-01', i),
          scores: Object.fromEntries([...some, ...fresh]),
        });
      });
      expect(told(days, { threshold: { percent: 0.5, points: 1 } })).toEqual([]);
    }),
    { seed, numRuns },
  );
});

test('controls that Microsoft weighs differently never open anything while their share stays', () => {
  fc.assert(
    fc.property(
      scoresOf,
      fc.array(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 8, maxLength: 8 }), { maxLength: 8 }),
      (scores, weights) => {
        const names = Object.keys(scores);
        let standing: Standing = nothing;
        for (const [i, weight] of [Array<number>(8).fill(10), ...weights].entries()) {
          const maxima = Object.fromEntries(names.map((name, n) => [name, weight[n] ?? 10]));
          const now = names.map((name, n) => [name, ((scores[name] ?? 0) * (weight[n] ?? 10)) / 10]);
          const day = dayOf({ day: plusDays('2026-01-01', i), scores: Object.fromEntries(now) });
          const after = evaluate(standing, day, {
            profiles: profilesOf(maxima),
            threshold: { percent: 0.5, points: 1 },
          });
          expect(after.tell).toEqual([]);
          standing = after;
        }
      },
    ),
    { seed, numRuns },
  );
});

test('the difference of two days is the loss, the gain and what is not counted, to the thousandth', () => {
  const scored = fc.array(fc.option(fc.nat(1000), { freq: 5 }), { minLength: 8, maxLength: 8 });
  const maxima = fc.array(fc.option(fc.integer({ min: 10, max: 20 })), { minLength: 8, maxLength: 8 });
  const dayFrom = (day: string, all: (number | null)[]) =>
    dayOf({
      day,
      scores: Object.fromEntries(all.flatMap((s, i) => (s === null ? [] : [[`c${i}`, s / 100]]))),
    });
  const profilesFrom = (all: (number | null)[]) =>
    profilesOf(Object.fromEntries(all.flatMap((max, i) => (max === null ? [] : [[`c${i}`, max]]))));
  fc.assert(
    fc.property(scored, scored, maxima, maxima, (before, after, maxBefore, maxAfter) => {
      const from = baselineOf(dayFrom('2026-01-01', before), profilesFrom(maxBefore));
      const to = baselineOf(dayFrom('2026-01-02', after), profilesFrom(maxAfter));
      const losses = lossesSince(from, to, profilesFrom(maxAfter));
      const gained = [...losses.gained.values()].reduce((sum, points) => sum + points, 0);
      const { microsoft, tenant } = losses.notCounted;
      expect(gained - losses.points + microsoft.points + tenant.points).toBeCloseTo(
        to.current - from.current,
        6,
      );
      expect(losses.regressed.reduce((sum, one) => sum + one.points, 0)).toBeCloseTo(losses.points, 6);
    }),
    { seed, numRuns },
  );
});

test('one jump over missed days tells one opening with the total of the falls', () => {
  const falls = fc.array(fc.tuple(fc.nat(4), fc.integer({ min: 1, max: 300 })), {
    minLength: 1,
    maxLength: 20,
  });
  fc.assert(
    fc.property(falls, (all) => {
      const scores: Scores = { c0: 90, c1: 90, c2: 90, c3: 90, c4: 90 };
      const first = dayOf({ day: '2026-01-01', scores: { ...scores } });
      let lost = 0;
      for (const [control, hundredths] of all) {
        scores[`c${control}`] = ((scores[`c${control}`] ?? 0) * 100 - hundredths) / 100;
        lost += hundredths;
      }
      const says = told([first, dayOf({ day: '2026-02-01', scores })], {
        threshold: { percent: null, points: 5 },
      });
      expect(says).toEqual(lost >= 500 ? [`2026-02-01 opened ${lost / 100}`] : []);
    }),
    { seed, numRuns },
  );
});

test('the baseline of a control goes down only when the whole rose or it is over', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const scores: Scores = { c0: 10, c1: 10, c2: 10, c3: 10, c4: 10 };
      let standing: Standing = nothing;
      for (const [i, { set }] of all.entries()) {
        for (const [control, hundredths] of set) scores[`c${control}`] = hundredths / 100;
        const after = evaluate(standing, dayOf({ day: plusDays('2026-01-01', i), scores: { ...scores } }), {
          threshold: { percent: null, points: 5 },
        });
        const was = new Map(standing.baseline?.controls.map(({ name, score }) => [name, score]));
        const lower =
          after.baseline?.controls.filter(({ name, score }) => score < (was.get(name) ?? 0)) ?? [];
        const owed = new Set(after.finding?.facts.regressed.map(({ name }) => name));
        const others = Object.entries(scores).filter(
          ([name, score]) =>
            after.finding?.state === 'resolved' || !owed.has(name) || score >= (was.get(name) ?? 0),
        );
        const rise = others.reduce((sum, [name, score]) => sum + score - (was.get(name) ?? 0), 0);
        if (lower.length > 0 && after.tell[0]?.kind !== 'resolved') expect(rise).toBeGreaterThan(0);
        standing = after;
      }
    }),
    { seed, numRuns },
  );
});

test('the order of the controls makes no difference', () => {
  fc.assert(
    fc.property(scoresOf, scoresOf, fc.nat(7), (before, after, turn) => {
      const first = evaluate(nothing, dayOf({ day: '2026-01-01', scores: before }));
      const day = dayOf({ day: '2026-01-02', scores: after });
      const turned = [...day.controls.slice(turn), ...day.controls.slice(0, turn)].reverse();
      expect(evaluate(first, { ...day, controls: turned }).tell).toEqual(evaluate(first, day).tell);
    }),
    { seed, numRuns },
  );
});
