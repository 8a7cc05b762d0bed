import type { AuditQuery } from '../shared/api-audit.ts';

export const emptyQuery: AuditQuery = { person: '', tenant: '', action: '', result: '', from: '', to: '' };

/** The part of the address that asks for it, with its `?`; empty when nothing is asked for. */
export function queryText(query: AuditQuery): string {
  const asked = Object.entries(query).filter(([, value]) => value !== '');
  return asked.length === 0 ? '' : `?${new URLSearchParams(asked)}`;
}

/** The instant at which a day of the reader's own zone begins; empty for no day. */
export function startOfDay(day: string): string {
  return instantOf(day, 0);
}

/** The instant at which the day after begins, wherever the clock is put forward or back in between. */
export function endOfDay(day: string): string {
  return instantOf(day, 1);
}

function instantOf(day: string, after: number): string {
  const [year, month, date] = day.split('-').map(Number);
  if (year === undefined || month === undefined || date === undefined || day === '') return '';
  const at = new Date(year, month - 1, date + after);
  return Number.isNaN(at.getTime()) ? '' : at.toISOString();
}
