import { type Caller, covers, scopeFor } from '../../shared/access.ts';
import { watches } from '../../shared/alerts/route.ts';
import type { Command } from '../../shared/command.ts';
import { baseOf } from '../../shared/conversation.ts';
import { plain } from '../../shared/foreign-text.ts';
import type { Tenant, TenantId } from '../../shared/tenants/tenant.ts';
import { counted, listed } from '../../shared/words.ts';
import { ask } from '../cards/actions.ts';
import type { Place, Reply, Services, SubscriptionRow } from '../services.ts';
import { auditor } from './audit.ts';
import { lookUpAll } from './look-up-all.ts';
import { refuse, say } from './reply.ts';
import { exceptTenants, hearing, hereOf, refusedWatch, withoutTenants } from './subscribing.ts';

/** `unwatch contoso`, `unwatch`, `unwatch all`: this conversation no longer hears of them. */
export async function unwatch(
  command: Extract<Command, { kind: 'unwatch' }>,
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  if (command.tenants === 'all') return await unwatchAll(who, where, services);
  const found = await lookUpAll(command.tenants, 'unwatch', who, where, services);
  return found.kind === 'reply' ? found.reply : await unwatchThese(found.tenants, who, where, services);
}

/** One tenant, chosen on a card. */
export async function unwatchTenant(
  tenant: Tenant,
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  return await unwatchThese([tenant], who, where, services);
}

/** What came of it, as it was when the row was written. */
type Outcome =
  | { kind: 'nothing' }
  | { kind: 'stopped'; all: boolean; gone: TenantId[] }
  /** Everything is watched: what of that is heard only those decide who look after all tenants. */
  | { kind: 'everything' };

async function unwatchAll(who: Caller, where: Place, services: Services): Promise<Reply> {
  const scope = scopeFor(who, where.audience, 'watch', services.now());
  const outcome = await change(where, services, (row) => {
    if (row.tenants === 'all') {
      return scope.all
        ? { row: withoutTenants(row, [], new Set(thresholdTenants(row))), all: true, gone: [] }
        : { kind: 'everything' };
    }
    const gone = row.tenants.filter((id) => covers(scope, id));
    if (gone.length === 0) return { kind: 'nothing' };
    const left = row.tenants.filter((id) => !covers(scope, id));
    return { row: withoutTenants(row, left, new Set(gone)), all: false, gone };
  });
  return await told(outcome, who, where, services);
}

async function unwatchThese(
  tenants: Tenant[],
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  const refused = await refusedWatch('unwatch', tenants, who, where, services);
  if (refused !== null) return refused;
  const scope = scopeFor(who, where.audience, 'watch', services.now());
  const ids = new Set(tenants.map(({ id }) => id));
  const outcome = await change(where, services, (row) => {
    if (row.tenants === 'all' && !scope.all) return { kind: 'everything' };
    const gone = [...ids].filter((id) => watches(row, id));
    if (gone.length === 0) return { kind: 'nothing' };
    if (row.tenants === 'all') return { row: exceptTenants(row, ids), all: false, gone };
    const watched = row.tenants;
    return {
      row: withoutTenants(
        row,
        watched.filter((id) => !ids.has(id)),
        ids,
      ),
      all: false,
      gone,
    };
  });
  return await told(outcome, who, where, services);
}

/** Writes what `decide` makes of the row as it is; the last decision is the one that was written. */
async function change(
  where: Place,
  services: Services,
  decide: (
    row: SubscriptionRow,
  ) => { row: SubscriptionRow; all: boolean; gone: TenantId[] } | Exclude<Outcome, { kind: 'stopped' }>,
): Promise<Outcome & { before?: SubscriptionRow['tenants'] }> {
  let outcome: Outcome & { before?: SubscriptionRow['tenants'] } = { kind: 'nothing' };
  await services.store.subscriptions.change(baseOf(where.conversationId), (row) => {
    const known = hearing(row);
    if (known === null) {
      outcome = { kind: 'nothing' };
      return null;
    }
    const decided = decide(known);
    if (!('row' in decided)) {
      outcome = decided;
      return null;
    }
    outcome = { kind: 'stopped', all: decided.all, gone: decided.gone, before: known.tenants };
    return decided.row;
  });
  return outcome;
}

function thresholdTenants(row: SubscriptionRow): TenantId[] {
  return row.thresholds.map(({ tenantId }) => tenantId);
}

async function told(
  outcome: Outcome & { before?: SubscriptionRow['tenants'] },
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  const here = hereOf(where);
  const audit = auditor(who, where, services);
  switch (outcome.kind) {
    case 'nothing':
      return refuse(where, `This ${here} does not watch that. Type watching to see what it does.`);
    case 'everything':
      await audit('unwatch', 'refused', { detail: 'all tenants are watched' });
      return refuse(
        where,
        `This ${here} watches all tenants. Only somebody who is Operator or Admin of all of them can change that.`,
      );
    case 'stopped': {
      if (outcome.all) await audit('unwatch', 'done', { detail: 'all tenants' });
      for (const tenant of outcome.gone) await audit('unwatch', 'done', { tenant });
      return await stopped(outcome, who, where, services);
    }
  }
}

async function stopped(
  { all, gone, before }: { all: boolean; gone: TenantId[]; before?: SubscriptionRow['tenants'] },
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  const here = hereOf(where);
  const buttons = [ask('Watching', { verb: 'watching' })];
  if (all) return say(where, { text: `This ${here} no longer hears of any tenant.`, buttons });
  const seen = await services.store.tenants.list(scopeFor(who, where.audience, 'view', services.now()));
  const named = seen.filter(({ id }) => gone.includes(id));
  const names = named.map((tenant) => plain(tenant.name, 60));
  const text = `This ${here} no longer hears of ${names.length === 0 ? counted(gone.length, 'tenant') : listed(names, 10)}.`;
  const lines = before === 'all' ? ['It still hears of all others, also of those connected later.'] : [];
  return say(where, { text, lines, buttons }, gone);
}
