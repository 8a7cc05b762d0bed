import { clean, plain } from '../../shared/foreign-text.ts';
import type { Posture } from '../../shared/score/score.ts';
import { readAtOf } from '../../shared/score/worst-first.ts';
import type { Tenant, TenantId } from '../../shared/tenants/tenant.ts';
import { healthLabel } from '../../shared/tenants/tenant-health.ts';
import type { Instant } from '../../shared/time.ts';
import {
  ageText,
  arrowed,
  counted,
  dayText,
  direction,
  percentChange,
  percentPoints,
  percentText,
} from '../../shared/words.ts';
import type { CardData } from '../services.ts';
import { ask, type Button, type LinkSettings, openTenants } from './actions.ts';
import { listCard, type Row } from './rows.ts';
import { onlyMaximumMoved } from './score.ts';
import { domainBefore, nameApart, namesakes } from './tenants-apart.ts';

export const rowsOnPage = 10;

export type Ranked = { tenant: Tenant; posture: Posture | null };

/** A page of the ranking; a click on a row shows that tenant. The data of exactly the tenants in `rows`. */
export function rankingCard(ranking: {
  rows: Ranked[];
  page: number;
  pages: number;
  /** All tenants of the ranking, on all pages. */
  count: number;
  /** All tenants there are, not only those this reader has. */
  every: boolean;
  now: Instant;
  settings: LinkSettings;
}): CardData {
  const { rows, page, pages, count, now } = ranking;
  const days = new Set(rows.flatMap(({ posture }) => posture?.sinceYesterday?.from ?? []));
  const [since = null] = days.size === 1 ? days : [];
  const shared = namesakes(rows.map(({ tenant }) => tenant));
  const title = `Secure Score of ${ranking.every ? 'all' : 'your'} tenants`;
  return listCard({
    fallback: clean(`${title}. ${rankingLine(rows, now)}`, 600),
    title,
    caption: `${counted(count, 'tenant')}, worst change first${pages > 1 ? ` · page ${page} of ${pages}` : ''}`,
    rows: rows.map((row) => rankedRow(row, now, since === null, shared)),
    foot: `Change in ${percentPoints}${since === null ? '' : ` since ${dayText(since, now)}`}. Choose a row to see why.`,
    buttons: [...pageButtons('ranking', page, pages), openTenants(ranking.settings)],
  });
}

/** *Next* and *Previous* for a list in pages. */
export function pageButtons(verb: string, page: number, pages: number): Button[] {
  const buttons: Button[] = [];
  if (page < pages) buttons.push(ask('Next', { verb, object: String(page + 1) }));
  if (page > 1) buttons.push(ask('Previous', { verb, object: String(page - 1) }));
  return buttons;
}

/** The first few as one line of text, not escaped. */
export function rankingLine(rows: Ranked[], now: Instant): string {
  const shared = namesakes(rows.map(({ tenant }) => tenant));
  return rows
    .slice(0, 5)
    .map(({ tenant, posture }) => {
      const name = nameApart(tenant, shared, clean, 60);
      if (posture === null) return `${name}: not read yet.`;
      const change =
        posture.sinceYesterday === null ? 'change not known' : percentChange(posture.sinceYesterday.percent);
      const stale =
        tenant.health.state === 'connected' ? '' : `, read ${ageText(readAtOf(tenant, posture), now)}`;
      return `${name}: ${percentText(posture.percent)}, ${change}${stale}.`;
    })
    .join(' ');
}

/** `dated`: the rows are compared with different days, so each says its own. `shared`: whose name is not theirs alone. */
function rankedRow(
  { tenant, posture }: Ranked,
  now: Instant,
  dated: boolean,
  shared: ReadonlySet<TenantId>,
): Row {
  const name = plain(tenant.name, 80);
  const select = ask(`Show ${nameApart(tenant, shared, clean, 75)}`, { verb: 'score', tenant: tenant.id });
  const health = healthLabel(tenant.health.state);
  const domain = domainBefore(tenant, shared, plain);
  if (posture === null) return { name, detail: `${domain}not read yet · ${health}`, value: '–', select };
  const read = `read ${ageText(readAtOf(tenant, posture), now)}`;
  return {
    name,
    detail: `${domain}${tenant.health.state === 'connected' ? '' : `${health} · `}${read}`,
    value: percentText(posture.percent),
    ...changeOf(posture, dated ? now : undefined),
    select,
  };
}

function changeOf(
  posture: Posture,
  datedAt?: Instant,
): { change: string; changeColor: 'Default' | 'Good' | 'Attention' } {
  const change = posture.sinceYesterday;
  if (change === null) return { change: 'change not known', changeColor: 'Default' };
  const way = direction(change.percent);
  const since =
    datedAt === undefined ? '' : ` since ${dayText(change.from, datedAt)}`.replaceAll(' ', '\u00a0');
  if (way === 'level') return { change: `unchanged${since}`, changeColor: 'Default' };
  const color = way === 'up' ? 'Good' : 'Attention';
  return {
    change: `${arrowed(change.percent)}${since}`,
    changeColor: onlyMaximumMoved(posture) ? 'Default' : color,
  };
}
