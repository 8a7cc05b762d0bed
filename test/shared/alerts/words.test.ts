import { expect, test } from '@jest/globals';
import { accountOf } from '../../../shared/alerts/account.ts';
import type { Transition } from '../../../shared/alerts/finding.ts';
import { firstStep, headline, notCounted, reasons, summary } from '../../../shared/alerts/words.ts';
import { clean, plain } from '../../../shared/foreign-text.ts';
import type { EvaluatedSnapshot } from '../../../shared/score/score.ts';
import { aDay, aProfile, profiles as sampleProfiles } from '../../cards/samples.ts';
import { type DayOf, dayOf, evaluate, morning, nothing, tenant } from './drops.ts';

const t = '\u202f';
/** A no-break space: a number and its unit stay on one line. */
const n = '\u00a0';
const saying = { tenant: 'Contoso', now: morning, foreign: (text: string) => plain(text, 80) };

const titles = new Map([
  ['mfa', 'MFA for all administrators'],
  ['reset', 'Self-service password reset'],
  ['links', 'Turn on Safe Links'],
  ['old', 'Old protocols'],
]);
const profiles = [...titles].map(([name, title]) => aProfile(name, title, 20));
const full = { mfa: 10, reset: 6, links: 9, old: 4, rest: 289 };

type Change = Partial<Omit<DayOf, 'day' | 'scores'>> & { scores?: Record<string, number> };

/** The last thing told along these days, each a change of the first. */
function last(first: Change, ...later: Change[]): Transition<'scoreDrop'> {
  let standing = evaluate(nothing, day(0, first), { profiles });
  let told: Transition<'scoreDrop'> | undefined;
  for (const [i, change] of later.entries()) {
    const after = evaluate(standing, day(i + 1, change), { profiles });
    told = after.tell.at(-1) ?? told;
    standing = after;
  }
  if (told === undefined) throw new Error('nothing was told');
  return told;
}

function day(index: number, { scores, ...change }: Change): EvaluatedSnapshot {
  return dayOf({ day: `2026-11-${19 + index}`, max: 510, ...change, scores: { ...full, ...scores } });
}

const fell = { scores: { mfa: 0, reset: 0 } };

test.each<{ what: string; told: Transition<'scoreDrop'>; says: string }>([
  {
    what: 'opened',
    told: last({}, fell),
    says: `Contoso fell 3.1${n}%-points (62.4${t}% → 59.2${t}%), 2 controls regressed.`,
  },
  {
    what: 'opened while Microsoft moved the maximum',
    told: last({}, { ...fell, max: 514 }),
    says: `Contoso lost 16${n}points (3.1${n}%-points), 2 controls regressed. Its score fell from 62.4${t}% to 58.8${t}%: −3.1 by these controls, −0.5 by Microsoft.`,
  },
  {
    what: 'opened while others rose',
    told: last({ scores: { links: 0 } }, { scores: { mfa: 4, links: 9 } }),
    says: `Contoso lost 6${n}points (1.2${n}%-points), 1 control regressed. Its score rose from 60.6${t}% to 61.2${t}%: −1.2 by these controls, +1.8 by controls that gained.`,
  },
  {
    what: 'opened with a maximum of nothing',
    told: last({ max: 0 }, { ...fell, max: 0 }),
    says: `Contoso lost 16${n}points, 2 controls regressed.`,
  },
  {
    what: 'worsened',
    told: last({}, { scores: { mfa: 4 } }, fell),
    says: `Contoso lost a further 10${n}points: now 16${n}points (3.1${n}%-points) since 19 Nov. Its score fell from 62.4${t}% to 59.2${t}%.`,
  },
  {
    what: 'resolved',
    told: last({}, fell, {}),
    says: `Contoso recovered: everything that was lost is back. Its score is 62.4${t}%.`,
  },
  {
    what: 'resolved while the score is lower for another reason',
    told: last({}, { ...fell, max: 520 }, { max: 520, licensed: 115 }),
    says: `Contoso recovered: everything that was lost is back. Its score is 61.2${t}%, from 62.4${t}%. Microsoft moved the maximum by +10; that is not counted. Licences or users changed: −5 licensed users; that is not counted.`,
  },
  {
    what: 'resolved while others rose',
    told: last({ scores: { links: 0 } }, { scores: { mfa: 0, links: 0 } }, { scores: { links: 9 } }),
    says: `Contoso recovered: everything that was lost is back. Its score rose from 60.6${t}% to 62.4${t}%: +1.8 by controls that gained.`,
  },
  {
    what: 'resolved but for a point',
    told: last({}, fell, { scores: { mfa: 9 } }),
    says: `Contoso recovered: of what was lost, 1${n}point is left. Its score fell from 62.4${t}% to 62.2${t}%.`,
  },
  {
    what: 'reopened',
    told: last({}, fell, {}, fell),
    says: `Contoso again fell 3.1${n}%-points (62.4${t}% → 59.2${t}%), 2 controls regressed.`,
  },
])('$what: $says', ({ told, says }) => {
  expect(headline(told, saying)).toBe(says);
});

test.each<{ what: string; told: Transition<'scoreDrop'>; says: string[] }>([
  { what: 'nothing else', told: last({}, fell), says: [] },
  {
    what: 'the maximum',
    told: last({}, { ...fell, max: 514 }),
    says: ['Microsoft moved the maximum by +4; that is not counted.'],
  },
  {
    what: 'a new control',
    told: last({}, { scores: { ...fell.scores, fresh: 0 }, max: 514 }),
    says: ['Microsoft added 1 control and moved the maximum by +4; that is not counted.'],
  },
  {
    what: 'users',
    told: last({}, { ...fell, licensed: 115, active: 100 }),
    says: ['Licences or users changed: −5 licensed users; that is not counted.'],
  },
  {
    what: 'both',
    told: last({}, { ...fell, licensed: 125, max: 500 }),
    says: [
      'Microsoft moved the maximum by −10; that is not counted.',
      'Licences or users changed: +5 licensed users; that is not counted.',
    ],
  },
])('not counted: $what', ({ told, says }) => {
  expect(notCounted(told.facts)).toEqual(says);
});

test('a licence that went is not said to be Microsoft’s doing', () => {
  const { old: _, ...without } = full;
  const first = evaluate(nothing, dayOf({ day: '2026-11-19', scores: full, max: 510 }), { profiles });
  const after = dayOf({ day: '2026-11-20', scores: { ...without, mfa: 0 }, max: 480, licensed: 100 });
  const [told] = evaluate(first, after, { profiles }).tell;
  expect(told && notCounted(told.facts)).toEqual([
    `Licences or users changed: 1 control no longer licensed, the maximum by −30, −20 licensed users and −4${n}points by that; that is not counted.`,
  ]);
});

test('reasons come biggest first, the rest as a sum', () => {
  const told = last({}, { scores: { mfa: 0, reset: 3, links: 7, old: 3 } });
  expect(reasons(told.facts, saying, 2)).toEqual({
    lines: [
      { points: '−10.0', title: 'MFA for all administrators' },
      { points: '−3.0', title: 'Self-service password reset' },
    ],
    more: 'and 2 more controls with −3.0',
  });
  expect(reasons(told.facts, saying, 4).more).toBe('');
});

test('the summary says what happened, why, what does not count, and what to do first', () => {
  expect(summary(last({}, { ...fell, max: 514 }), saying)).toBe(
    `Contoso lost 16${n}points (3.1${n}%-points), 2 controls regressed. Its score fell from 62.4${t}% to 58.8${t}%: −3.1 by these controls, −0.5 by Microsoft. ` +
      'Why: MFA for all administrators −10.0, Self-service password reset −6.0. ' +
      `Microsoft moved the maximum by +4; that is not counted. First: MFA for all administrators (10${n}points).`,
  );
});

test('the card of the sample tenant: the figures of its score card', () => {
  const first = aDay(tenant, '2026-11-19', 334, 510, { AdminMFAV2: 10, SelfServicePasswordReset: 6 });
  const after = aDay(tenant, '2026-11-20', 318, 510, { AdminMFAV2: 0, SelfServicePasswordReset: 0 });
  const around = { profiles: sampleProfiles };
  const [told] = evaluate(evaluate(nothing, first, around), after, around).tell;
  expect(told && headline(told, saying)).toBe(
    `Contoso fell 3.1${n}%-points (65.5${t}% → 62.4${t}%), 2 controls regressed.`,
  );
  expect(told?.severity).toBe('high');
});

test('no line breaks between a number and its unit', () => {
  const told = [last({}, { ...fell, max: 514 }), last({}, fell), last({}, { scores: { mfa: 4 } }, fell)];
  told.push(last({}, fell, { scores: { mfa: 9 } }));
  const said = told.flatMap((one) => [summary(one, saying), firstStep(one.facts, saying)]).join('\n');
  expect(said).toMatch(/First: MFA for all administrators \(10\u00a0points\)\./);
  expect(said).not.toMatch(breakable);
  expect('First: MFA (9 points).').toMatch(breakable);
});

/** A number and its unit with a space between that may be the end of a line. */
const breakable = /\d[ \u2009](?:points?\b|%)/;

test('foreign names cannot act', () => {
  const bad = '**[x](http://evil.example)** <at>all</at>\u202e';
  const tell = evaluate(
    evaluate(nothing, dayOf({ day: '2026-11-19', scores: { c: 10 } })),
    dayOf({ day: '2026-11-20', scores: { c: 0 } }),
    { profiles: [aProfile('c', bad, 10)] },
  ).tell[0];
  if (tell === undefined) throw new Error('nothing was told');
  for (const say of [summary(tell, { ...saying, tenant: bad }), firstStep(tell.facts, saying)]) {
    expect(say).not.toMatch(/(?<!\\)\[x|<at>|\u202e|(?<!\\)\*\*/);
  }
  const unescaped = summary(tell, { ...saying, tenant: 'A & B', foreign: (text) => clean(text, 80) });
  expect(unescaped).toMatch(/^A & B lost|^A & B fell/);
});

test.each<{ what: string; change: Change }>([
  { what: 'a maximum', change: { max: 514 } },
  { what: 'a maximum that shrank', change: { max: 480 } },
  { what: 'a new control', change: { max: 514, scores: { fresh: 3 } } },
  { what: 'others that gained', change: { scores: { old: 8 } } },
  { what: 'others, a maximum and users', change: { scores: { old: 8 }, max: 530, licensed: 90 } },
])('what the parts say adds up to what the two percentages say: $what', ({ change }) => {
  const { scores = {}, ...rest } = change;
  const { facts } = last({}, { ...rest, scores: { ...fell.scores, ...scores } });
  const [from, to] = [facts.before, facts.after].map(({ current, max }) =>
    Math.round((current / max) * 1000),
  );
  const parts = accountOf(facts);
  expect(parts.map(({ by }) => by)).toContain('lost');
  expect(parts.reduce((sum, { percent }) => sum + Math.round(percent * 10), 0)).toBe((to ?? 0) - (from ?? 0));
});
