import { percentOf } from '../score/score-change.ts';
import { direction, listed, percentPoints, signed } from '../words.ts';
import type { DropFacts } from './drop-facts.ts';

/** What moved a score between two days; `points` is what controls lost, `gained` what controls gained, both ≥ 0. */
export type Movement = Pick<DropFacts, 'before' | 'after' | 'points' | 'gained' | 'notCounted'>;

/** Who moved the percent, and by how many percentage points, as shown: whole tenths. */
export type Part = { by: 'lost' | 'gained' | 'users' | 'microsoft' | 'other'; percent: number };

/**
 * The difference of the two percentages **as they are shown**, told apart by who moved it, so that the parts add up to
 * what a reader subtracts. Microsoft's part is what is left: a maximum weighs on every point there is. Empty when
 * nothing could be reached on one of the days.
 */
export function accountOf({ before, after, points, gained, notCounted }: Movement): Part[] {
  const from = percentOf(before);
  const to = percentOf(after);
  if (from === null || to === null) return [];
  const { microsoft, tenant } = notCounted;
  const share = (moved: number): number => tenths((moved / before.max) * 100);
  const parts: Part[] = [
    { by: 'lost', percent: -share(points) },
    { by: 'gained', percent: share(gained) },
  ];
  const licences = tenant.unlicensed > 0;
  const theirs =
    microsoft.added + microsoft.retired + microsoft.rescaled > 0 ||
    direction(microsoft.points) !== 'level' ||
    (direction(microsoft.maxMoved) !== 'level' && !licences);
  // Where a licence went, its maximum went with it: then that takes what is left.
  const rest: Part['by'] = theirs ? 'microsoft' : licences ? 'users' : 'other';
  if (rest !== 'users') parts.push({ by: 'users', percent: share(tenant.points) });
  const left = tenths(to) - tenths(from) - parts.reduce((sum, { percent }) => sum + percent, 0);
  // Two roundings may leave a tenth that nobody moved: it goes with the largest of the others.
  const [largest] = parts
    .filter(({ by }) => by !== 'lost')
    .sort((a, b) => Math.abs(b.percent) - Math.abs(a.percent));
  if (rest !== 'other' || Math.abs(left) >= 0.15) parts.push({ by: rest, percent: left });
  else if (largest !== undefined && direction(largest.percent) !== 'level') largest.percent += left;
  return parts.filter(({ percent }) => direction(percent) !== 'level');
}

const names: Record<Part['by'], string> = {
  lost: 'these controls',
  gained: 'controls that gained',
  users: 'licences or users',
  microsoft: 'Microsoft',
  other: 'earlier days',
};

/** "−3.1 by these controls, −1.2 by Microsoft"; empty when what controls lost says it all. */
export function accountInWords(movement: Movement, lost = names.lost): string {
  const parts = accountOf(movement);
  if (parts.every(({ by }) => by === 'lost')) return '';
  return parts
    .map(({ by, percent }) => `${signed(percent)} by ${by === 'lost' ? lost : names[by]}`)
    .join(', ');
}

/** The same without the controls' loss, for where that has just been said: "−1.2 %-points by Microsoft". */
export function besidesInWords(movement: Movement): string {
  return listed(
    accountOf(movement)
      .filter(({ by }) => by !== 'lost')
      .map(({ by, percent }) => `${signed(percent)} ${percentPoints} by ${names[by]}`),
  );
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
