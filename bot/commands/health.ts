import { type Caller, scopeFor } from '../../shared/access.ts';
import type { Command } from '../../shared/command.ts';
import { plain } from '../../shared/foreign-text.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { healthSentence } from '../../shared/tenants/tenant-health.ts';
import { tenantHealthCard } from '../cards/health.ts';
import { rowsOnPage } from '../cards/ranking.ts';
import { tenantsCard, tenantsLine } from '../cards/tenants.ts';
import type { Place, Reply, Services } from '../services.ts';
import { lookUp } from './look-up.ts';
import { refuse, withCard } from './reply.ts';

/** `health contoso`: what of a tenant can be read; `health`: all tenants, what needs somebody first. */
export async function health(
  command: Extract<Command, { kind: 'health' }>,
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  if (command.tenant === '') return await healthOfAll(command.page, who, where, services);
  const found = await lookUp(command.tenant, 'health', who, where, services);
  return found.kind === 'reply' ? found.reply : await healthOf(found.tenant, who, where, services);
}

/** One tenant's health as a card, for the command and the click. */
export async function healthOf(
  tenant: Tenant,
  _: Caller,
  where: Place,
  { now, settings }: Services,
): Promise<Reply> {
  const card = tenantHealthCard({ tenant, now: now(), settings });
  const text = `${plain(tenant.name, 80)}: ${plain(healthSentence(tenant.health, now()), 500)}`;
  return withCard(where, card, text, [tenant.id]);
}

async function healthOfAll(page: number, who: Caller, where: Place, services: Services): Promise<Reply> {
  const now = services.now();
  const tenants = await services.store.tenants.list(scopeFor(who, where.audience, 'view', now));
  if (tenants.length === 0) return refuse(where, 'No tenants are available here.');
  // The list comes by name; those that need somebody stand before the others in that order.
  const sorted = [...tenants].sort((one, other) => urgency(other) - urgency(one));
  const pages = Math.ceil(sorted.length / rowsOnPage);
  const shown = Math.min(Math.max(page, 1), pages);
  const rows = sorted.slice((shown - 1) * rowsOnPage, shown * rowsOnPage);
  const broken = tenants.filter((tenant) => urgency(tenant) > 2).length;
  const failing = tenants.filter((tenant) => urgency(tenant) === 2).length;
  const card = tenantsCard({
    ...{ rows, page: shown, pages, count: tenants.length, now, settings: services.settings },
    health: { broken, failing },
  });
  // The counts are facts about all of them.
  return withCard(
    where,
    card,
    plain(tenantsLine(rows), 600),
    tenants.map(({ id }) => id),
  );
}

/** 3 and more cannot be read, 2 failed the last tries, 1 waits, 0 is well. */
function urgency({ health: { state, failing } }: Tenant): number {
  if (state === 'authentication-error') return 5;
  if (state === 'permission-error') return 4;
  if (state === 'service-error') return 3;
  if (failing !== undefined) return 2;
  return state === 'waiting' ? 1 : 0;
}
