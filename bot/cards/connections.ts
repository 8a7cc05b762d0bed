import { connectionHeadline } from '../../shared/alerts/connection-words.ts';
import type { Severity, Transition } from '../../shared/alerts/finding.ts';
import { clean, plain } from '../../shared/foreign-text.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { healthLabel } from '../../shared/tenants/tenant-health.ts';
import type { Instant } from '../../shared/time.ts';
import { counted, listed } from '../../shared/words.ts';
import type { CardData } from '../services.ts';
import { ask, type Button, type LinkSettings, openTenants } from './actions.ts';
import template from './drops.json' with { type: 'json' };
import { mostRows } from './drops.ts';
import { repeatedLine } from './finding.ts';
import { cardTemplate } from './render.ts';
import { domainBefore, nameApart, namesakes } from './tenants-apart.ts';

export type ConnectionRow = { tenant: Tenant; transition: Transition<'connectionHealth'> };

type Filled = {
  fallback: string;
  bandStyle: 'attention' | 'good';
  title: string;
  detail: string;
  rows: { points: string; color: 'Attention' | 'Good'; name: string; detail: string }[];
  foot: string;
  buttons: Button[];
};
const fill = cardTemplate<Filled>(template);
const shownInText = 3;
const ranks: Record<Severity, number> = { critical: 3, high: 2, medium: 1, low: 0 };

/** Many connections that broke at once as one card, at most `mostRows`: what all have in common is said first. */
export function collapsedConnections(news: {
  rows: ConnectionRow[];
  now: Instant;
  settings: LinkSettings;
  maybeRepeated: boolean;
}): { card: CardData; text: string } {
  if (news.rows.length > mostRows)
    throw new RangeError(`a card of connections has room for ${mostRows} tenants`);
  const rows = [...news.rows].sort(worstFirst);
  const broken = rows.filter(({ transition }) => transition.kind !== 'resolved');
  const title = titleOf(broken.length, rows.length - broken.length);
  const shared = namesakes(rows.map(({ tenant }) => tenant));
  const foot = news.maybeRepeated ? [repeatedLine] : [];
  const say = (foreign: (text: string, max: number) => string): string[] => {
    const said = rows.slice(0, shownInText).map(({ tenant, transition }) =>
      connectionHeadline(transition, {
        tenant: nameApart(tenant, shared, clean, 60),
        now: news.now,
        foreign: (text) => foreign(text, 60),
        long: (text) => foreign(text, 130),
      }),
    );
    const more = rows.length - said.length;
    return more > 0 ? [...said, `And ${counted(more, 'more tenant')}.`] : said;
  };
  const common = commonCause(broken);
  const card = fill({
    fallback: clean([`${title}.`, ...say(clean), ...foot].join(' '), 600),
    bandStyle: broken.length > 0 ? 'attention' : 'good',
    title,
    detail: common === '' ? several(broken) : `All for one reason: ${common}`,
    rows: rows.map(({ tenant, transition: { kind, facts } }) => {
      const over = kind === 'resolved';
      const cause = common === '' ? ` · ${plain(facts.cause, 60)}` : '';
      const why = over ? 'can be read again' : `${healthLabel(facts.state)}${cause}`;
      return {
        points: over ? 'over' : 'broken',
        color: over ? 'Good' : 'Attention',
        name: plain(tenant.name, 60),
        detail: `${domainBefore(tenant, shared, plain)}${why}`,
      };
    }),
    foot: foot.join(''),
    buttons: [openTenants(news.settings), ask('All tenants', { verb: 'ranking' })],
  });
  return { card, text: [`${title}.`, ...say(plain), ...foot].join(' ') };
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

function worstFirst(one: ConnectionRow, other: ConnectionRow): number {
  return (
    Number(one.transition.kind === 'resolved') - Number(other.transition.kind === 'resolved') ||
    ranks[other.transition.severity] - ranks[one.transition.severity] ||
    (one.tenant.name < other.tenant.name ? -1 : 1)
  );
}
