import { clean, plain } from '../../shared/foreign-text.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import type { CardData } from '../services.ts';
import { ask } from './actions.ts';
import { listCard } from './rows.ts';
import { nameApart, namesakes } from './tenants-apart.ts';

export const choicesShown = 6;

/** What can be asked of one tenant. */
export type TenantVerb = 'score' | 'health' | 'connect' | 'sync' | 'watch' | 'unwatch' | 'threshold';
const titles: Record<TenantVerb, string> = {
  score: 'Show',
  health: 'Health of',
  connect: 'Connect',
  sync: 'Sync',
  watch: 'Watch',
  unwatch: 'Stop watching',
  threshold: 'Set for',
};

/**
 * Several tenants fit a name: which one? A click does `verb` to it, with `object` beside. The data of the first
 * `choicesShown` tenants.
 */
export function chooseTenantCard(
  verb: TenantVerb,
  said: string,
  tenants: Tenant[],
  object?: string,
): CardData {
  const shown = tenants.slice(0, choicesShown);
  const more = tenants.length - shown.length;
  const shared = namesakes(tenants);
  return listCard({
    fallback: clean(
      `Which one? ${shown.map((tenant) => nameApart(tenant, shared, clean, 60)).join(', ')}`,
      600,
    ),
    title: 'Which one?',
    caption: `${tenants.length} tenants fit “${plain(said, 80)}”.`,
    rows: shown.map((tenant) => ({
      name: plain(tenant.name, 80),
      detail: plain(tenant.domain, 80),
      value: '›',
      select: ask(`${titles[verb]} ${nameApart(tenant, shared, clean, 75)}`, {
        verb,
        tenant: tenant.id,
        ...(object === undefined ? {} : { object }),
      }),
    })),
    foot: more > 0 ? `And ${more} more: type more of the name, or the domain.` : '',
    buttons: [],
  });
}
