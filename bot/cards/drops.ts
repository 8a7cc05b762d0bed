import type { Transition, TransitionKind } from '../../shared/alerts/finding.ts';
import { headline, severityLabel } from '../../shared/alerts/words.ts';
import { percentOf } from '../../shared/score/score-change.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import type { Instant } from '../../shared/time.ts';
import { counted, listed, percentText, signed, total } from '../../shared/words.ts';
import type { CardData } from '../services.ts';
import type { LinkSettings } from './actions.ts';
import { unbroken } from './drop-words.ts';
import { type ManyRow, manyCard } from './many.ts';

export type DropRow = { tenant: Tenant; transition: Transition<'scoreDrop'> };
export type CollapsedNews = {
  /** At most `mostRows`; each is shown. */
  rows: DropRow[];
  now: Instant;
  settings: LinkSettings;
  maybeRepeated: boolean;
};

/**
 * Many falls at once as one card, worst first, what is over last. The data of exactly the tenants in `rows`, at most
 * `mostRows`.
 */
export function collapsedNews(news: CollapsedNews): { card: CardData; text: string } {
  const { rows, now } = news;
  const standing = rows.filter(({ transition }) => transition.kind !== 'resolved').length;
  return manyCard({
    ...news,
    title: titleOf(rows),
    detail: standing > 0 ? 'Several scores fell at once. Points lost, worst first.' : 'These falls are over.',
    weight: ({ transition }) => transition.facts.percent ?? 0,
    rowOf,
    say: ({ transition }, tenant, foreign) =>
      headline(transition, { tenant, now, foreign: (text) => foreign(text, 130) }),
  });
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

function rowOf({ transition }: DropRow): ManyRow {
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
    word: over ? 'over' : signed(-facts.points),
    detail: `${over ? '' : `${severityLabel(severity)} · `}${what}${score}`,
  };
}
