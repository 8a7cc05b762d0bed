import type { Baseline } from '../../../shared/alerts/baseline.ts';
import type { Transition } from '../../../shared/alerts/finding.ts';
import { type DropFinding, type DropKnown, decideScoreDrop } from '../../../shared/alerts/score-drop.ts';
import { defaultThreshold, type Threshold } from '../../../shared/alerts/threshold.ts';
import type { ControlProfile, ControlReach, EvaluatedSnapshot } from '../../../shared/score/score.ts';
import { aProfile, idOf } from '../../cards/samples.ts';

/** Evaluated days, and the rule run over them one after the other as the job does it. */

export const tenant = idOf(1);

export type Scores = Record<string, number>;
export type DayOf = {
  day: string;
  scores: Scores;
  max?: number;
  licensed?: number | null;
  active?: number | null;
  reach?: Record<string, ControlReach>;
};

/** A day whose total is the sum of its controls. */
export function dayOf({
  day,
  scores,
  max = 500,
  licensed = 120,
  active = 110,
  reach,
}: DayOf): EvaluatedSnapshot {
  return {
    tenantId: tenant,
    day,
    current: Object.values(scores).reduce((sum, score) => sum + score, 0),
    max,
    licensedUsers: licensed,
    activeUsers: active,
    comparisons: [],
    categories: [],
    controls: Object.entries(scores).map(([name, score]) => {
      const heads = reach?.[name];
      return { name, category: 'Identity', score, ...(heads === undefined ? {} : { reach: heads }) };
    }),
  };
}

export function profilesOf(maxima: Record<string, number>): ControlProfile[] {
  return Object.entries(maxima).map(([name, max]) => aProfile(name, `Do ${name}`, max));
}

export const digest = (text: string): string => `#${text}`;
export const morning = '2026-11-20T06:00:00.000Z';

export type Standing = { baseline: Baseline | null; finding: DropFinding | null };
export type Decide = typeof decideScoreDrop;

export type Around = {
  profiles?: ControlProfile[];
  threshold?: Threshold;
  thresholds?: readonly Threshold[];
  now?: string;
  decide?: Decide;
};

/** One evaluation: what it tells, and how things stand after everything was saved. */
export function evaluate(
  standing: Standing,
  snapshot: EvaluatedSnapshot,
  around: Around = {},
): Standing & { tell: Transition<'scoreDrop'>[] } {
  const known: DropKnown = {
    ...standing,
    snapshot,
    profiles: around.profiles ?? [],
    threshold: around.threshold ?? defaultThreshold,
    ...(around.thresholds === undefined ? {} : { thresholds: around.thresholds }),
    now: around.now ?? morning,
    digest,
  };
  return (around.decide ?? decideScoreDrop)(known);
}

export const nothing: Standing = { baseline: null, finding: null };

/** What is told along some days: "2026-11-20 opened 6". */
export function told(days: EvaluatedSnapshot[], around: Around = {}): string[] {
  const says: string[] = [];
  let standing = nothing;
  for (const day of days) {
    const after = evaluate(standing, day, around);
    standing = after;
    for (const { name, generation, facts } of after.tell) {
      const again = generation === 1 ? '' : ` (${generation})`;
      says.push(`${day.day} ${name}${again} ${facts.points}`);
    }
  }
  return says;
}
