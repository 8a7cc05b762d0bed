import { type Caller, scopeFor } from '../../shared/access.ts';
import type { Command } from '../../shared/command.ts';
import { plain } from '../../shared/foreign-text.ts';
import { rowsOnPage } from '../cards/ranking.ts';
import { tenantsCard, tenantsLine } from '../cards/tenants.ts';
import type { Place, Reply, Services } from '../services.ts';
import { refuse, withCard } from './reply.ts';

/** `tenants`: what is connected and how well it can be read. */
export async function tenants(
  command: Extract<Command, { kind: 'tenants' }>,
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  const now = services.now();
  const all = await services.store.tenants.list(scopeFor(who, where.audience, 'view', now));
  if (all.length === 0) return refuse(where, 'No tenants are available here.');

  const pages = Math.ceil(all.length / rowsOnPage);
  const page = Math.min(Math.max(command.page, 1), pages);
  const rows = all.slice((page - 1) * rowsOnPage, page * rowsOnPage);
  const card = tenantsCard({ rows, page, pages, count: all.length, now, settings: services.settings });
  return withCard(
    where,
    card,
    plain(tenantsLine(rows), 600),
    all.map(({ id }) => id),
  );
}
