import type { Severity, Transition, TransitionKind } from '../../shared/alerts/finding.ts';
import { headline, severityLabel } from '../../shared/alerts/words.ts';
import { clean, plain } from '../../shared/foreign-text.ts';
import { percentOf } from '../../shared/score/score-change.ts';
import type { Tenant, TenantId } from '../../shared/tenants/tenant.ts';
import type { Instant } from '../../shared/time.ts';
import { counted, listed, percentText, signed, total } from '../../shared/words.ts';
import type { CardData } from '../services.ts';
import { ask, type Button, type LinkSettings, openTenants } from './actions.ts';
import { unbroken } from './drop-words.ts';
import template from './drops.json' with { type: 'json' };
import { repeatedLine } from './finding.ts';
import { cardTemplate } from './render.ts';
import { domainBefore, nameApart, namesakes } from './tenants-apart.ts';

export type DropRow = { tenant: Tenant; transition: Transition<'scoreDrop'> };
export type CollapsedNews = {
  /** At most `mostRows`; each is shown. */
  rows: DropRow[];
  now: Instant;
  settings: LinkSettings;
  maybeRepeated: boolean;
};

/** What fits under 28 KB, signed, whatever the names are. */
export const mostRows = 30;

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

/**
 * Many falls at once as one card, worst first, what is over last. The data of exactly the tenants in `rows`; more than
 * `mostRows` are a mistake of the caller, since a finding that is in no post would be lost.
 */
export function collapsedNews(news: CollapsedNews): { card: CardData; text: string } {
  if (news.rows.length > mostRows) throw new RangeError(`a card of falls has room for ${mostRows} tenants`);
  const rows = [...news.rows].sort(worstFirst);
  const standing = rows.filter(({ transition }) => transition.kind !== 'resolved').length;
  const title = titleOf(rows);
  const shared = namesakes(rows.map(({ tenant }) => tenant));
  const foot = news.maybeRepeated ? [repeatedLine] : [];
  const card = fill({
    fallback: clean([`${title}.`, ...worst(rows, news.now, clean), ...foot].join(' '), 600),
    bandStyle: standing > 0 ? 'attention' : 'good',
    title,
    detail: standing > 0 ? 'Several scores fell at once. Points lost, worst first.' : 'These falls are over.',
    rows: rows.map((row) => rowOf(row, shared)),
    foot: foot.join(''),
    buttons: [openTenants(news.settings), ask('All tenants', { verb: 'ranking' })],
  });
  return { card, text: [`${title}.`, ...worst(rows, news.now, plain), ...foot].join(' ') };
}

const shownInText = 3;

/** The first few as sentences, and how many more there are. */
function worst(rows: DropRow[], now: Instant, foreign: (text: string, max: number) => string): string[] {
  const shared = namesakes(rows.map(({ tenant }) => tenant));
  const said = rows.slice(0, shownInText).map(({ tenant, transition }) =>
    headline(transition, {
      tenant: nameApart(tenant, shared, clean, 60),
      now,
      foreign: (text) => foreign(text, 130),
    }),
  );
  const more = rows.length - said.length;
  return more > 0 ? [...said, `And ${counted(more, 'more tenant')}.`] : said;
}

/** "7 tenants fell, 2 fell further and 3 recovered" */
function titleOf(rows: DropRow[]): string {
  const count = (...kinds: TransitionKind[]): number =>
    rows.filter(({ transition }) => kinds.includes(transition.kind)).length;
  const parts: string[] = [];
  const add = (many: number, verb: string): void => {
    if (many > 0) parts.push(`${parts.length === 0 ? counted(many, 'tenant') : many} ${verb}`);
  };
  add(count('opened', 'reopened'), 'lost points');
  add(count('worsened'), 'lost more');
  add(count('resolved'), 'recovered');
  return listed(parts);
}

function rowOf({ tenant, transition }: DropRow, shared: ReadonlySet<TenantId>): Filled['rows'][number] {
  const { facts, kind, severity } = transition;
  const after = percentOf(facts.after);
  const score = after === null ? '' : unbroken(` · score\u00a0${percentText(after)}`);
  const over = kind === 'resolved';
  const what = {
    opened: `${counted(facts.regressed.length, 'control')} regressed`,
    reopened: `again, ${counted(facts.regressed.length, 'control')} regressed`,
    worsened: `${total(facts.further)} points more, ${counted(facts.regressed.length, 'control')} regressed`,
    resolved: 'recovered',
  }[kind];
  return {
    points: over ? 'over' : signed(-facts.points),
    color: over ? 'Good' : 'Attention',
    name: plain(tenant.name, 60),
    detail: `${domainBefore(tenant, shared, plain)}${over ? '' : `${severityLabel(severity)} · `}${what}${score}`,
  };
}

const ranks: Record<Severity, number> = { critical: 3, high: 2, medium: 1, low: 0 };

function worstFirst(one: DropRow, other: DropRow): number {
  return (
    Number(one.transition.kind === 'resolved') - Number(other.transition.kind === 'resolved') ||
    ranks[other.transition.severity] - ranks[one.transition.severity] ||
    (other.transition.facts.percent ?? 0) - (one.transition.facts.percent ?? 0) ||
    (one.tenant.name < other.tenant.name ? -1 : 1)
  );
}
