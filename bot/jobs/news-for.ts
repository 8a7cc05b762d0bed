import { type Finding, lastTransition, type Transition } from '../../shared/alerts/finding.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import type { Instant } from '../../shared/time.ts';
import type { LinkSettings } from '../cards/actions.ts';
import { findingNews, findingNote, listedNews } from '../cards/news.ts';
import type { News, OutboxRow } from '../services.ts';

/** What is known of a row's tenant and finding right before it is told. */
export type Told = { row: OutboxRow; tenant: Tenant; finding: Finding };
export type Telling = { now: Instant; settings: LinkSettings; mayAcknowledge: boolean };

/** The card of one row. */
export function cardNews({ row, tenant, finding }: Told, telling: Telling): News {
  // Drawn anew it says what is known by now: worse news may have overtaken whoever asked for it.
  const isOld = row.kind === 'refresh' && finding.generation === row.finding.generation;
  const transition = isOld ? lastTransition(finding) : row.transition;
  const input = { ...telling, tenant, finding, transition, maybeRepeated: row.maybeSent };
  return { ...findingNews(input), ...about([row]), tenants: [tenant.id] };
}

/** What stands in the thread below a card that was drawn anew. */
export function noteNews({ row, tenant, finding }: Told, telling: Telling): News {
  const input = { ...telling, tenant, finding, transition: row.transition, maybeRepeated: row.maybeSent };
  return { text: findingNote(input), ...about([row]), tenants: [tenant.id] };
}

/** One card that lists many; of a finding it shows what was told last, and names all. */
export function listNews(all: readonly Told[], { now, settings }: Telling): News {
  const newest = new Map<string, { tenant: Tenant; transition: Transition }>();
  for (const { row, tenant } of all) newest.set(row.finding.id, { tenant, transition: row.transition });
  const rows = all.map(({ row }) => row);
  const maybeRepeated = rows.some(({ maybeSent }) => maybeSent);
  return {
    ...listedNews({ rows: [...newest.values()], now, settings, maybeRepeated }),
    ...about(rows),
    tenants: [...new Set(all.map(({ tenant }) => tenant.id))],
  };
}

function about(rows: readonly OutboxRow[]): Pick<News, 'findings' | 'repeated'> {
  return {
    findings: rows.map(({ finding }) => finding),
    ...(rows.some(({ maybeSent }) => maybeSent) ? { repeated: true } : {}),
  };
}
