import {
  credentialEndHeadline,
  credentialEndSteps,
  credentialEndSummary,
  credentialWord,
} from '../../shared/alerts/credential-end-words.ts';
import type { Transition } from '../../shared/alerts/finding.ts';
import { severityLabel } from '../../shared/alerts/words.ts';
import { clean, plain } from '../../shared/foreign-text.ts';
import { expiryText } from '../../shared/tenants/credential-expiry.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import type { Instant } from '../../shared/time.ts';
import { counted, listed, sentence } from '../../shared/words.ts';
import type { CardData } from '../services.ts';
import { type LinkSettings, openTenant } from './actions.ts';
import { type ConnectionCard, connectionCard } from './connection.ts';
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
import { manyCard } from './many.ts';

export type CredentialEndNews = FindingNews<Transition<'credentialEnd'>>;

/** The card of a credential that ends, or was renewed: when, what comes of it, what to do. One tenant's data. */
export function credentialEndNews(news: CredentialEndNews): { card: CardData; text: string } {
  const { tenant, transition, settings, now } = news;
  const { facts, kind } = transition;
  const over = kind === 'resolved';
  const saying = inMarkdown(news);
  const bare = inPlainText(news);
  const steps = over ? { cause: '', remedy: '' } : credentialEndSteps(facts);
  const filled: ConnectionCard = {
    fallback: clean(withMarks(credentialEndSummary(transition, bare), news, bare), 700),
    bandStyle: bandStyleOf(news),
    title: `${plain(tenant.name, 120)}: ${credentialWord(facts)} ${over ? 'renewed' : facts.stage === 0 ? 'has ended' : 'ends soon'}`,
    detail: over ? 'Another one is in use.' : sentence(expiryText(facts.expiresAt, now)),
    label: over ? 'Resolved' : severityLabel(transition.severity),
    domain: plain(tenant.domain, 80),
    acknowledged: acknowledgedOf(news, saying),
    ...steps,
    aside: '',
    foot: news.maybeRepeated ? repeatedLine : '',
    buttons: [...acknowledgeButton(news), openTenant(tenant.id, settings)],
  };
  return {
    card: connectionCard(filled),
    text: withMarks(credentialEndSummary(transition, saying), news, saying),
  };
}

/** The same in one or two lines of Markdown, for the thread below the card. */
export function credentialEndNote(news: CredentialEndNews): string {
  const saying = inMarkdown(news);
  return withMarks(credentialEndSummary(news.transition, saying), news, saying);
}

export type CredentialEndRow = { tenant: Tenant; transition: Transition<'credentialEnd'> };

/** Many that end as one card, at most 30. */
export function collapsedCredentialEnds(news: {
  rows: CredentialEndRow[];
  now: Instant;
  settings: LinkSettings;
  maybeRepeated: boolean;
}): { card: CardData; text: string } {
  const { rows, now } = news;
  const ending = rows.filter(({ transition }) => transition.kind !== 'resolved').length;
  const renewed = rows.length - ending;
  const parts: string[] = [];
  if (ending > 0) parts.push(`${counted(ending, 'credential')} ${ending === 1 ? 'ends' : 'end'}`);
  if (renewed > 0) parts.push(`${ending > 0 ? renewed : counted(renewed, 'credential')} renewed`);
  return manyCard({
    ...news,
    title: listed(parts),
    detail: ending > 0 ? 'From its end on nothing of a tenant can be read.' : 'Others are in use.',
    rowOf: ({ transition: { kind, facts } }) => ({
      word: kind === 'resolved' ? 'over' : facts.stage === 0 ? 'ended' : 'ends',
      detail: `${credentialWord(facts)} ${kind === 'resolved' ? 'renewed' : expiryText(facts.expiresAt, now)}`,
    }),
    say: ({ transition }, tenant, foreign) =>
      credentialEndHeadline(transition, { tenant, now, foreign: (text) => foreign(text, 60) }),
  });
}
