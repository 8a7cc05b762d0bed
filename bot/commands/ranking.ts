import { setImmediate as breathe } from 'node:timers/promises';
import { type Caller, scopeFor, type TenantScope } from '../../shared/access.ts';
import type { Command } from '../../shared/command.ts';
import { plain } from '../../shared/foreign-text.ts';
import { compareRanks, rate, type Standing } from '../../shared/score/worst-first.ts';
import type { Tenant, TenantId } from '../../shared/tenants/tenant.ts';
import type { Instant } from '../../shared/time.ts';
import { type Ranked, rankingCard, rankingLine, rowsOnPage } from '../cards/ranking.ts';
import { staleBy } from '../cron.ts';
import type { Place, Reply, Services } from '../services.ts';
import { refuse, withCard } from './reply.ts';

/** A posture carries 90 days; so many are held and parsed at once while the list is sorted. */
const batch = 100;

/** `score`: the tenants ranked, worst change first, in pages. */
export async function ranking(
  command: Extract<Command, { kind: 'ranking' }>,
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  const { store, settings } = services;
  const now = services.now();
  const scope = scopeFor(who, where.audience, 'view', now);
  const tenants = await store.tenants.list(scope);
  if (tenants.length === 0) return refuse(where, 'No tenants are available here.');

  const order = await worstChangeFirst(tenants, scope, services, now);
  const pages = Math.ceil(order.length / rowsOnPage);
  const page = Math.min(Math.max(command.page, 1), pages);
  const shown = order.slice((page - 1) * rowsOnPage, page * rowsOnPage);
  const postures = await store.scores.postures(
    scope,
    shown.map(({ id }) => id),
  );
  const byId = new Map(postures.map((posture) => [posture.tenantId, posture]));
  const rows: Ranked[] = shown.map((tenant) => ({ tenant, posture: byId.get(tenant.id) ?? null }));
  const card = rankingCard({ rows, page, pages, count: order.length, every: scope.all, now, settings });
  // The count and the order say something of every tenant in the list, not only of those on this page.
  return withCard(
    where,
    card,
    plain(rankingLine(rows, now), 600),
    tenants.map(({ id }) => id),
  );
}

async function worstChangeFirst(
  tenants: readonly Tenant[],
  scope: TenantScope,
  services: Services,
  now: Instant,
): Promise<Tenant[]> {
  const standings = new Map<TenantId, Standing>();
  for (let from = 0; from < tenants.length; from += batch) {
    // 2,000 tenants must not keep everybody else waiting: other turns get theirs between the batches.
    if (from > 0) await breathe();
    const ids = tenants.slice(from, from + batch).map(({ id }) => id);
    for (const posture of await services.store.scores.postures(scope, ids)) {
      const change = posture.sinceYesterday?.percent ?? null;
      standings.set(posture.tenantId, { change, readAt: posture.readAt });
    }
  }
  const staleMs = staleBy(services.settings, now);
  return tenants
    .map((tenant) => ({ tenant, rank: rate(tenant, standings.get(tenant.id), now, staleMs(tenant)).rank }))
    .sort((a, b) => compareRanks(a.rank, b.rank))
    .map(({ tenant }) => tenant);
}
