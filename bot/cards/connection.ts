import {
  brokenFor,
  connectionSummary,
  lastGood,
  type SayingOfConnection,
} from '../../shared/alerts/connection-words.ts';
import type { Transition } from '../../shared/alerts/finding.ts';
import { type Saying, severityLabel } from '../../shared/alerts/words.ts';
import { clean, plain } from '../../shared/foreign-text.ts';
import { healthLabel } from '../../shared/tenants/tenant-health.ts';
import { momentText, sentence } from '../../shared/words.ts';
import type { CardData } from '../services.ts';
import { type Button, openTenant } from './actions.ts';
import template from './connection.json' with { type: 'json' };
import {
  acknowledgeButton,
  acknowledgedOf,
  bandStyleOf,
  type FindingNews,
  inMarkdown,
  inPlainText,
  repeatedLine,
  withMarks,
} from './finding.ts';
import { cardTemplate } from './render.ts';

export type ConnectionNews = FindingNews<Transition<'connectionHealth'>>;

/** What the card of anything about a connection is filled with; all but `fallback` Markdown. */
export type ConnectionCard = {
  fallback: string;
  bandStyle: ReturnType<typeof bandStyleOf>;
  title: string;
  detail: string;
  label: string;
  domain: string;
  acknowledged: string;
  cause: string;
  remedy: string;
  aside: string;
  foot: string;
  buttons: Button[];
};
export const connectionCard = cardTemplate<ConnectionCard>(template);

/** The card of a connection that broke, or works again: what is the matter, since when, what to do. One tenant's data. */
export function connectionNews(news: ConnectionNews): { card: CardData; text: string } {
  const { tenant, transition, settings, now } = news;
  const { facts, kind } = transition;
  const over = kind === 'resolved';
  const saying = longer(inMarkdown(news), plain);
  const bare = longer(inPlainText(news), clean);
  const name = plain(tenant.name, 120);
  const since = momentText(facts.since, now).replaceAll(' ', '\u00a0');
  const card = connectionCard({
    fallback: clean(withMarks(connectionSummary(transition, bare), news, bare), 900),
    bandStyle: bandStyleOf(news),
    title: over ? `${name} can be read again` : `${name} cannot be read`,
    detail: over
      ? sentence(brokenFor(facts) || `since ${since}`)
      : `${healthLabel(facts.state)} since ${since}`,
    label: over ? 'Resolved' : severityLabel(transition.severity),
    domain: plain(tenant.domain, 80),
    acknowledged: acknowledgedOf(news, saying),
    cause: over ? '' : plain(facts.cause, 300),
    remedy: over || facts.remedy === '' ? '' : plain(facts.remedy, 400),
    aside: over ? '' : [lastGood(facts, now), facts.code ?? ''].filter(Boolean).join(' '),
    foot: news.maybeRepeated ? repeatedLine : '',
    buttons: [...acknowledgeButton(news), openTenant(tenant.id, settings)],
  });
  return { card, text: withMarks(connectionSummary(transition, saying), news, saying) };
}

/** The same in one or two lines of Markdown, for the thread below the card. */
export function connectionNote(news: ConnectionNews): string {
  const saying = longer(inMarkdown(news), plain);
  return withMarks(connectionSummary(news.transition, saying), news, saying);
}

/** Causes and remedies are our own sentences with little that is foreign in them: not cut like a name. */
function longer(saying: Saying, cut: (text: string, most: number) => string): SayingOfConnection {
  return { ...saying, long: (text) => cut(text, 400) };
}
