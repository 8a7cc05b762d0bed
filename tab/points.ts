import { decimal } from '../shared/words.ts';

/** "318.0 of 510.0 points": beside other numbers in columns a total carries its decimal like all of them. */
export function pointsOf(current: number, max: number): string {
  return `${decimal(current)} of ${decimal(max)} points`;
}
