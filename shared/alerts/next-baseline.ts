import { type Baseline, moved, unmoved } from './baseline.ts';
import { type FindingOf, isStanding, lastTransition } from './finding.ts';
import type { Losses } from './losses.ts';
import { thousandths } from './threshold.ts';

type DropFinding = FindingOf<'scoreDrop'>;

/**
 * What the next day is compared with. A rise is when comparable controls gained more than they lost, or lost nothing.
 * While a finding stands, what was told is owed and left out of that: the others move on as ever, but only upwards,
 * since a further fall is counted from what was told last.
 */
export function nextBaseline(
  before: Baseline,
  today: Baseline,
  losses: Losses,
  finding: DropFinding | null,
): Baseline {
  if (finding !== null && isOverToday(finding, before, today)) return moved(before, today, none);
  const stands = finding !== null && isStanding(finding);
  const told = stands ? new Set(finding.facts.regressed.map(({ name }) => name)) : none;
  let rise = 0;
  let lost = 0;
  for (const points of losses.gained.values()) rise += thousandths(points);
  for (const { name, points } of losses.regressed) if (!told.has(name)) lost += thousandths(points);
  if (lost > 0 && rise <= lost) return unmoved(before, today);
  return moved(before, today, stands ? new Set(losses.regressed.map(({ name }) => name)) : none);
}

const none: ReadonlySet<string> = new Set();

/** Over with this very day, and the baseline does not know of it yet: it moves to now, whatever is left. */
function isOverToday(finding: DropFinding, before: Baseline, today: Baseline): boolean {
  return finding.told.kind === 'resolved' && finding.facts.day === today.day && isUnfinished(finding, before);
}

/** A finding whose rows may not have been written: the baseline, saved after them, does not know of it. */
export function isUnfinished(finding: DropFinding, baseline: Baseline | null): boolean {
  return baseline === null || baseline.told !== lastTransition(finding).id;
}

export function marked(baseline: Baseline, finding: DropFinding | null): Baseline {
  const told = finding === null ? null : lastTransition(finding).id;
  return baseline.told === told ? baseline : { ...baseline, told };
}

/** Without a baseline, a finding that stands still knows what its controls had. */
export function owing(today: Baseline, finding: DropFinding | null): Baseline {
  if (finding === null || !isStanding(finding)) return today;
  const from = new Map(finding.facts.regressed.map((one) => [one.name, one.from]));
  return {
    ...today,
    controls: today.controls.map((control) => ({
      ...control,
      score: Math.max(control.score, from.get(control.name) ?? 0),
    })),
  };
}
