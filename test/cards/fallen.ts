import type { Transition } from '../../shared/alerts/finding.ts';
import { acknowledge } from '../../shared/alerts/people.ts';
import type { DropFinding } from '../../shared/alerts/score-drop.ts';
import type { EvaluatedSnapshot } from '../../shared/score/score.ts';
import { dayOf, evaluate, nothing } from '../shared/alerts/drops.ts';
import { aProfile } from './samples.ts';

/** Falls as the rule makes them, told along some days. */
export type Fall = { finding: DropFinding; transition: Transition<'scoreDrop'> };

const controls = [
  { name: 'AdminMFAV2', title: 'MFA for all administrators', full: 10 },
  { name: 'SelfServicePasswordReset', title: 'Self-service password reset', full: 6 },
  { name: 'SafeLinks', title: 'Turn on Safe Links for Office apps', full: 9 },
  { name: 'BlockLegacyAuthentication', title: 'Block legacy authentication', full: 8 },
  ...Array.from({ length: 9 }, (_, n) => ({ name: `Rule${n}`, title: `Policy ${n + 1} is on`, full: 3 })),
];
const full = Object.fromEntries(controls.map(({ name, full: most }) => [name, most]));

type Change = { scores?: Record<string, number>; max?: number; licensed?: number };

/** What was told last along these days from 19 Nov on; `scores` are what differs from a perfect day. */
export function fallAlong(days: Change[], text: (what: string) => string = (what) => what): Fall {
  const profiles = controls.map(({ name, title, full: most }) => aProfile(name, text(title), most));
  let standing = evaluate(nothing, dayAt(0, {}), { profiles });
  let transition: Transition<'scoreDrop'> | undefined;
  for (const [at, change] of days.entries()) {
    const now = `2026-11-${20 + at}T06:00:00.000Z`;
    const after = evaluate(standing, dayAt(at + 1, change), { profiles, now });
    transition = after.tell.at(-1) ?? transition;
    standing = after;
  }
  const { finding } = standing;
  if (transition === undefined || finding === null) throw new Error('nothing was told');
  return { finding, transition };
}

/** The rest of the score is worth 274 points, so that a perfect day is 334 of 510. */
function dayAt(at: number, { scores, max = 510, licensed = 120 }: Change): EvaluatedSnapshot {
  return dayOf({ day: `2026-11-${19 + at}`, max, licensed, scores: { ...full, ...scores, rest: 274 } });
}

const fell = { AdminMFAV2: 0, SelfServicePasswordReset: 0 };
const everything = Object.fromEntries(controls.map(({ name }) => [name, 0]));

/** One of each kind. */
export function falls(text?: (what: string) => string) {
  return {
    opened: fallAlong([{ scores: fell }], text),
    /** With what is not counted beside it. */
    aside: fallAlong([{ scores: fell, max: 520, licensed: 115 }], text),
    worsened: fallAlong([{ scores: { AdminMFAV2: 4 } }, { scores: fell }], text),
    resolved: fallAlong([{ scores: fell }, {}], text),
    reopened: fallAlong([{ scores: fell }, {}, { scores: fell }], text),
    /** More controls than a card shows, none of them whole. */
    many: fallAlong([{ scores: everything }], text),
  };
}

/** The same fall of another tenant. */
export function fallOf(fall: Fall, tenantId: DropFinding['tenantId']): Fall {
  return {
    finding: { ...fall.finding, tenantId },
    transition: { ...fall.transition, tenantId },
  };
}

/** Ana has taken it on. */
export function acknowledged(fall: Fall, who = 'Ana Reyes'): Fall {
  const done = acknowledge(fall.finding, { who, at: '2026-11-20T09:14:00.000Z', why: '' });
  if (done.kind !== 'done') throw new Error('could not be acknowledged');
  return { ...fall, finding: done.finding };
}
