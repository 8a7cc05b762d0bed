import { clean, plain } from '../../shared/foreign-text.ts';
import { notRead } from '../../shared/tenants/not-read.ts';
import type { HealthState, Tenant, TenantId } from '../../shared/tenants/tenant.ts';
import { failingTries, healthLabel, healthReason } from '../../shared/tenants/tenant-health.ts';
import type { Instant } from '../../shared/time.ts';
import { ageText, counted, momentText } from '../../shared/words.ts';
import type { CardData } from '../services.ts';
import { ask, type LinkSettings, openTenants } from './actions.ts';
import { pageButtons } from './ranking.ts';
import { listCard, type Row } from './rows.ts';
import { unseen } from './score.ts';
import { nameApart, namesakes } from './tenants-apart.ts';

/** Connected tenants with their health; the data of exactly the tenants in `rows`. */
export function tenantsCard(list: {
  rows: Tenant[];
  page: number;
  pages: number;
  count: number;
  now: Instant;
  settings: LinkSettings;
  /** As the list of what needs somebody: how many do, and what its pages ask for. */
  health?: { broken: number; failing: number };
}): CardData {
  const { rows, page, pages, count, now, health } = list;
  const shared = namesakes(rows);
  return listCard({
    fallback: clean(`Tenants. ${tenantsLine(rows)}`, 600),
    title: health === undefined ? 'Tenants' : healthTitle(health, count),
    caption: `${counted(count, 'tenant')}${health === undefined ? ' connected' : ''}${pages > 1 ? ` · page ${page} of ${pages}` : ''}`,
    rows: rows.map((tenant) => tenantRow(tenant, now, shared, health === undefined ? 'score' : 'health')),
    buttons: [
      ...pageButtons(health === undefined ? 'tenants' : 'health-of-all', page, pages),
      openTenants(list.settings),
    ],
  });
}

function healthTitle({ broken, failing }: { broken: number; failing: number }, count: number): string {
  if (broken > 0) return `${broken} of ${counted(count, 'tenant')} cannot be read`;
  return failing > 0 ? `The last tries failed at ${counted(failing, 'tenant')}` : 'All tenants can be read';
}

/** The page as one line of text, not escaped. */
export function tenantsLine(rows: Tenant[]): string {
  const shared = namesakes(rows);
  return rows
    .map((tenant) => `${nameApart(tenant, shared, clean, 60)}: ${healthLabel(tenant.health.state)}.`)
    .join(' ');
}

const colors: Record<HealthState, NonNullable<Row['valueColor']>> = {
  waiting: 'Default',
  connected: 'Good',
  'authentication-error': 'Attention',
  'permission-error': 'Attention',
  'service-error': 'Warning',
};

function tenantRow(
  tenant: Tenant,
  now: Instant,
  shared: ReadonlySet<TenantId>,
  verb: 'score' | 'health',
): Row {
  const { health } = tenant;
  const readAt = tenant.datasets.secureScores?.readAt;
  const missing = notRead(tenant);
  const well = health.state === 'connected' || health.state === 'waiting';
  // Before the first sync nothing is read: that is one fact, not five.
  const gaps = health.state !== 'waiting' && missing.length > 0;
  return {
    name: plain(tenant.name, 80),
    detail: plain(tenant.domain, 80),
    value: healthLabel(health.state),
    valueColor: colors[health.state],
    change: readAt === undefined ? 'not read yet' : `read ${ageText(readAt, now)}`,
    note: well
      ? [plain(failingTries(health), 300), gaps ? unseen(missing, 200) : ''].filter(Boolean).join(' ')
      : plain(`Since ${momentText(health.since, now)}. ${healthReason(health)}`, 300),
    select: ask(`Show ${nameApart(tenant, shared, clean, 75)}`, { verb, tenant: tenant.id }),
  };
}
