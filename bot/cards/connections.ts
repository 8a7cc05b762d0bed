import { connectionHeadline } from '../../shared/alerts/connection-words.ts';
import type { Transition } from '../../shared/alerts/finding.ts';
import { plain } from '../../shared/foreign-text.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { healthLabel } from '../../shared/tenants/tenant-health.ts';
import type { Instant } from '../../shared/time.ts';
import { counted, listed } from '../../shared/words.ts';
import type { CardData } from '../services.ts';
import type { LinkSettings } from './actions.ts';
import { manyCard } from './many.ts';

export type ConnectionRow = { tenant: Tenant; transition: Transition<'connectionHealth'> };

/** Many connections that broke at once as one card: what all have in common is said first. */
export function collapsedConnections(news: {
  rows: ConnectionRow[];
  now: Instant;
  settings: LinkSettings;
  maybeRepeated: boolean;
}): { card: CardData; text: string } {
  const { rows, now } = news;
  const broken = rows.filter(({ transition }) => transition.kind !== 'resolved');
  const common = commonCause(broken);
  return manyCard({
    ...news,
    title: titleOf(broken.length, rows.length - broken.length),
    detail: common === '' ? several(broken) : `All for one reason: ${common}`,
    rowOf({ transition: { kind, facts } }) {
      if (kind === 'resolved') return { word: 'over', detail: 'can be read again' };
      const cause = common === '' ? ` · ${plain(facts.cause, 60)}` : '';
      return { word: 'broken', detail: `${healthLabel(facts.state)}${cause}` };
    },
    say: ({ transition }, tenant, foreign) =>
      connectionHeadline(transition, {
        ...{ tenant, now },
        foreign: (text) => foreign(text, 60),
        long: (text) => foreign(text, 130),
      }),
  });
}

function titleOf(broken: number, back: number): string {
  const parts: string[] = [];
  if (broken > 0) parts.push(`${counted(broken, 'tenant')} cannot be read`);
  if (back > 0) parts.push(`${parts.length === 0 ? counted(back, 'tenant') : back} can be read again`);
  return listed(parts);
}

/** One cause behind all of them is most likely ours, and mended once: it and its remedy; empty when there are several. */
function commonCause(broken: readonly ConnectionRow[]): string {
  const [first] = broken;
  if (first === undefined || broken.length < 2) return '';
  const { cause, remedy } = first.transition.facts;
  const one = broken.every(({ transition }) => transition.facts.cause === cause);
  return one ? `${plain(cause, 200)} ${plain(remedy, 200)}`.trim() : '';
}

function several(broken: readonly ConnectionRow[]): string {
  return broken.length === 0 ? 'These connections work again.' : 'Several connections broke at once.';
}
