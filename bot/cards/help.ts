import type { CommandRow } from '../../shared/command-table.ts';
import type { CardData } from '../services.ts';
import { ask, type Button } from './actions.ts';
import { listCard } from './rows.ts';

/** What can be asked here by this person, from the command table. Static text: the data of no tenant. */
export function helpCard(help: {
  /** What was not understood, escaped; empty when nothing was. */
  lead: string;
  rows: CommandRow[];
  /** Why there is no more here and where to go; escaped. */
  why: string;
  /** What can be asked in another kind of place; empty when nothing more. */
  elsewhere: string;
}): CardData {
  const asks = (name: string): boolean => help.rows.some((row) => row.name === name);
  const buttons: Button[] = [];
  if (asks('score')) buttons.push(ask('All tenants', { verb: 'ranking' }));
  if (asks('tenants')) buttons.push(ask('Health', { verb: 'tenants' }));
  return listCard({
    fallback: helpLine(help.rows),
    title: 'What you can ask',
    caption: help.lead,
    rows: help.rows.map((row) => ({ name: escapeUsage(row.usage), detail: `${row.summary}.` })),
    foot: [help.why, help.elsewhere].filter((line) => line !== '').join(' '),
    buttons,
  });
}

/** Help as one line of plain text. */
export function helpLine(rows: CommandRow[]): string {
  return `You can ask: ${rows.map((row) => row.usage).join(' · ')}`;
}

/** Square brackets are Markdown's links. */
export function escapeUsage(usage: string): string {
  return usage.replace(/[[\]]/g, '\\$&');
}
