import type { Severity, TransitionKind } from '../../shared/alerts/finding.ts';
import { clean, plain } from '../../shared/foreign-text.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { counted } from '../../shared/words.ts';
import type { CardData } from '../services.ts';
import { ask, type Button, type LinkSettings, openTenants } from './actions.ts';
import template from './drops.json' with { type: 'json' };
import { repeatedLine } from './finding.ts';
import { cardTemplate } from './render.ts';
import { domainBefore, nameApart, namesakes } from './tenants-apart.ts';

/** What fits under 28 KB, signed, whatever the names are. */
export const mostRows = 30;

/** How one of many is told: a word in front of its name, and a line below it. */
export type ManyRow = { word: string; detail: string };
type Ranked = { tenant: Tenant; transition: { kind: TransitionKind; severity: Severity } };

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

/**
 * News of many tenants by one rule as one card, worst first, what is over last. The data of exactly the tenants in
 * `rows`; more than `mostRows` are a mistake of the caller, since a finding that is in no post would be lost.
 */
export function manyCard<R extends Ranked>(news: {
  rows: readonly R[];
  settings: LinkSettings;
  maybeRepeated: boolean;
  /** Escaped. */
  title: string;
  detail: string;
  /** Of two that are as severe, the heavier one comes first; otherwise by name. */
  weight?(row: R): number;
  rowOf(row: R): ManyRow;
  /** One of them as a sentence; `tenant` is told apart from its namesakes, `foreign` escapes and cuts. */
  say(row: R, tenant: string, foreign: (text: string, most: number) => string): string;
}): { card: CardData; text: string } {
  if (news.rows.length > mostRows) throw new RangeError(`a card of news has room for ${mostRows} tenants`);
  const { title, weight = () => 0 } = news;
  const rows = [...news.rows].sort((one, other) => worstFirst(one, other, weight));
  const shared = namesakes(rows.map(({ tenant }) => tenant));
  const foot = news.maybeRepeated ? [repeatedLine] : [];
  const sentences = (foreign: (text: string, most: number) => string): string[] => {
    const said = rows
      .slice(0, shownInText)
      .map((row) => news.say(row, nameApart(row.tenant, shared, clean, 60), foreign));
    const more = rows.length - said.length;
    return more > 0 ? [...said, `And ${counted(more, 'more tenant')}.`] : said;
  };
  const card = fill({
    fallback: clean([`${title}.`, ...sentences(clean), ...foot].join(' '), 600),
    bandStyle: rows.some(({ transition }) => transition.kind !== 'resolved') ? 'attention' : 'good',
    title,
    detail: news.detail,
    rows: rows.map((row) => {
      const { word, detail } = news.rowOf(row);
      return {
        points: word,
        color: row.transition.kind === 'resolved' ? 'Good' : 'Attention',
        name: plain(row.tenant.name, 60),
        detail: `${domainBefore(row.tenant, shared, plain)}${detail}`,
      };
    }),
    foot: foot.join(''),
    buttons: [openTenants(news.settings), ask('All tenants', { verb: 'ranking' })],
  });
  return { card, text: [`${title}.`, ...sentences(plain), ...foot].join(' ') };
}

function worstFirst<R extends Ranked>(one: R, other: R, weight: (row: R) => number): number {
  return (
    Number(one.transition.kind === 'resolved') - Number(other.transition.kind === 'resolved') ||
    ranks[other.transition.severity] - ranks[one.transition.severity] ||
    weight(other) - weight(one) ||
    (one.tenant.name < other.tenant.name ? -1 : 1)
  );
}
