import type { Transition } from '../../shared/alerts/finding.ts';
import {
  firstStep,
  hadLost,
  headline,
  notCounted,
  reasons,
  type Saying,
  severityLabel,
  summary,
} from '../../shared/alerts/words.ts';
import { clean, plain } from '../../shared/foreign-text.ts';
import type { CardData } from '../services.ts';
import { type Button, openTenant } from './actions.ts';
import template from './drop.json' with { type: 'json' };
import { bandOf, fromTo, pointsOf } from './drop-words.ts';
import {
  acknowledgeButton,
  acknowledgedOf,
  bandStyleOf,
  type FindingNews,
  hadAcknowledgedLine,
  inMarkdown,
  inPlainText,
  repeatedLine,
  withMarks,
} from './finding.ts';
import { cardTemplate } from './render.ts';

export type DropNews = FindingNews<Transition<'scoreDrop'>>;

type Filled = {
  fallback: string;
  bandStyle: ReturnType<typeof bandStyleOf>;
  title: string;
  detail: string;
  label: string;
  domain: string;
  acknowledged: string;
  whyTitle: string;
  reasons: { points: string; title: string; detail: string }[];
  more: string;
  first: string;
  aside: { line: string }[];
  foot: string;
  buttons: Button[];
};

const fill = cardTemplate<Filled>(template);
const shownReasons = 8;

/**
 * The card of a fall: what happened, how bad, why, what to do first. The data of exactly this tenant. While nobody
 * has acknowledged it the band is red, then yellow, green when it is over; words say the same.
 */
export function dropNews(news: DropNews): { card: CardData; text: string } {
  const { tenant, transition, settings } = news;
  const { facts, kind } = transition;
  const over = kind === 'resolved';
  const saying = inMarkdown(news);
  const acknowledged = acknowledgedOf(news, saying);
  const why = reasons(facts, saying, shownReasons);
  const card = fill({
    fallback: clean(withMarks(summary(transition, inPlainText(news)), news, inPlainText(news)), 700),
    bandStyle: bandStyleOf(news),
    ...bandOf(transition, saying),
    label: over ? 'Resolved' : severityLabel(transition.severity),
    // Two tenants may have one name, and a card in a channel stands without the list that would show it.
    domain: plain(tenant.domain, 80),
    acknowledged,
    whyTitle: over || why.lines.length === 0 ? '' : 'Why, in points',
    reasons: over
      ? []
      : why.lines.map((line, at) => {
          const regressed = facts.regressed[at];
          return { ...line, detail: regressed === undefined ? '' : fromTo(regressed) };
        }),
    more: over || why.more === '' ? '' : `${why.more} points`,
    first: over ? '' : firstStep(facts, saying),
    aside: (over ? pastOf(news, saying) : asideOf(transition)).map((line) => ({ line })),
    foot: news.maybeRepeated ? repeatedLine : '',
    buttons: [...acknowledgeButton(news), openTenant(tenant.id, settings)],
  });
  return { card, text: withMarks(summary(transition, saying), news, saying) };
}

/** The same in one or two lines of Markdown, for the thread below the card. */
export function dropNote(news: DropNews): string {
  const saying = inMarkdown(news);
  return withMarks(headline(news.transition, saying), news, saying);
}

/** What it was, once it is over: who scrolls back sees more than that it ended. */
function pastOf(news: DropNews, saying: Saying): string[] {
  return [hadLost(news.transition.facts, saying), hadAcknowledgedLine(news, saying)].filter(
    (line) => line !== '',
  );
}

/** What does not count, said small: nobody should look for it. */
function asideOf({ facts }: Transition<'scoreDrop'>): string[] {
  if (facts.gained === 0) return notCounted(facts);
  return [
    ...notCounted(facts),
    `Other controls gained ${pointsOf(facts.gained)}; that does not make up for what was lost.`,
  ];
}
