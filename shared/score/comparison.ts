import type { Comparison } from './score.ts';

/** Against whom: picked by name, never by position; the nearest yardstick first. */
const yardsticks = [
  { basis: 'TotalSeats', label: 'tenants of similar size' },
  { basis: 'IndustryTypes', label: 'tenants of the same industry' },
  { basis: 'AllTenants', label: 'all tenants' },
] as const;

export type Compared = {
  basis: string;
  /** Average of the others, a percentage. */
  percent: number;
  /** "tenants of similar size" */
  label: string;
  /** Own percentage minus theirs, in percentage points. */
  difference: number;
};

/**
 * The comparison to show for a tenant at `percent`; null when there is none. Microsoft sends none for weeks, or −1,
 * or more than 100: none of these is a comparison.
 */
export function comparisonOf(comparisons: readonly Comparison[], percent: number | null): Compared | null {
  if (percent === null) return null;
  for (const { basis, label } of yardsticks) {
    const found = comparisons.find((one) => one.basis === basis && isPercent(one.percent));
    if (found !== undefined)
      return { basis, percent: found.percent, label, difference: percent - found.percent };
  }
  return null;
}

/** A percentage as Microsoft means one here: 0…100, and a number at all. */
export function isPercent(value: number): boolean {
  return Number.isFinite(value) && value >= 0 && value <= 100;
}
