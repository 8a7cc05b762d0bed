/** An instant as ISO 8601 in UTC with milliseconds, `2026-11-20T07:04:00.000Z`: sorts as text, survives JSON. */
export type Instant = string;

/** Sorts after every instant: what is due then is never due. */
export const never: Instant = '9999-12-31T23:59:59.999Z';

/** A calendar day in UTC, `2026-11-20`: Microsoft's own label of a Secure Score snapshot. */
export type Day = string;

/** Milliseconds of an instant since 1970; NaN when the text is no instant. */
export function millis(at: Instant): number {
  return Date.parse(at);
}

/** The instant `ms` milliseconds after `at` (before, when negative). */
export function plus(at: Instant, ms: number): Instant {
  return new Date(Date.parse(at) + ms).toISOString();
}

/** The UTC day of an instant. */
export function dayOf(at: Instant): Day {
  return at.slice(0, 10);
}

/** The day `days` after `day` (before, when negative). */
export function plusDays(day: Day, days: number): Day {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** Whole days from one day to another; negative when `to` is earlier. */
export function daysBetween(from: Day, to: Day): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / 86_400_000);
}
