import { type Caller, scopeFor } from '../../shared/access.ts';
import { thresholdOf, watches } from '../../shared/alerts/route.ts';
import { baseOf } from '../../shared/conversation.ts';
import { plain } from '../../shared/foreign-text.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { type BrokenRoute, brokenInWords } from '../cards/broken-route.ts';
import { watchingCard, watchingLine } from '../cards/watching.ts';
import type { Place, Reply, Services, SubscriptionRow } from '../services.ts';
import { boundInWords } from './bind.ts';
import { say, withCard } from './reply.ts';
import { hearing, hereOf } from './subscribing.ts';

/**
 * `watching`: what this conversation hears, with the thresholds, and what does not arrive. Of a list, only the tenants
 * that this person may see are named or counted.
 */
export async function watching(_: unknown, who: Caller, where: Place, services: Services): Promise<Reply> {
  const { store, settings } = services;
  const now = services.now();
  const here = hereOf(where);
  const row = hearing(await store.subscriptions.get(baseOf(where.conversationId)));
  const broken = await brokenRoutes(row, who, where, services);
  const seen = await store.tenants.list(scopeFor(who, where.audience, 'view', now));
  const rows = row === null ? [] : watchedOf(row, seen);
  const except = seen.filter(({ id }) => row?.except?.includes(id) === true);
  const bound = await boundInWords(who, where, services);
  if (row === null || (row.tenants !== 'all' && rows.length === 0)) {
    return say(
      where,
      {
        text: nothingWatched(who, where, services),
        lines: [...broken.slice(0, 5).map((route) => brokenInWords(route, now, plain)), bound.text],
      },
      bound.tenants,
    );
  }
  const watched = {
    here,
    all: row.tenants === 'all',
    rows,
    except,
    by: row.by,
    since: row.since,
    broken,
    bound: bound.text,
    now,
    settings,
  };
  return withCard(where, watchingCard(watched), plain(watchingLine(watched), 600), [
    ...rows.map(({ tenant }) => tenant.id),
    ...except.map(({ id }) => id),
    ...bound.tenants,
  ]);
}

/** The way forward. The same whether nothing is watched, or only what this person may not see. */
function nothingWatched(who: Caller, where: Place, services: Services): string {
  const here = hereOf(where);
  const nothing = `Nothing that you may see is watched in this ${here} yet`;
  const scope = scopeFor(who, where.audience, 'watch', services.now());
  return scope.all || scope.ids.size > 0
    ? `${nothing}: type watch contoso, or watch all, and a card comes when a score falls.`
    : `${nothing}; an Operator or Admin can change that with watch contoso.`;
}

/** Of all tenants, those that differ; else those that are watched by name. */
function watchedOf(row: SubscriptionRow, seen: readonly Tenant[]) {
  const own = new Set(row.thresholds.map(({ tenantId }) => tenantId));
  return seen
    .filter(({ id }) => watches(row, id) && (row.tenants !== 'all' || own.has(id)))
    .map((tenant) => ({ tenant, threshold: thresholdOf(row, tenant.id) }));
}

/** This one for all of us who read here; those elsewhere for whoever looks after all tenants, and only among ourselves. */
async function brokenRoutes(
  row: SubscriptionRow | null,
  who: Caller,
  where: Place,
  services: Services,
): Promise<BrokenRoute[]> {
  // Since when a customer's place was denied something is when another customer's score fell (I-5).
  if (where.audience.kind === 'customer') return [];
  const routes: BrokenRoute[] =
    row?.broken === undefined ? [] : [{ where: 'here', kind: row.kind, ...row.broken }];
  const scope = scopeFor(who, where.audience, 'watch', services.now());
  if (where.audience.kind !== 'internal' || !scope.all) return routes;
  const here = baseOf(where.conversationId);
  for (const other of await services.store.subscriptions.all()) {
    if (other.broken === undefined || other.conversationId === here || hearing(other) === null) continue;
    const kind = other.kind === 'channel' ? 'channel' : 'chat';
    routes.push({
      where: `in the ${kind} set up by ${plain(other.by, 60)}`,
      kind: other.kind,
      ...other.broken,
    });
  }
  return routes;
}
