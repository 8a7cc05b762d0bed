import type { Finding, Transition } from '../../shared/alerts/finding.ts';
import {
  firstStep,
  headline,
  notCounted,
  reasons,
  type Saying,
  severityLabel,
  summary,
} from '../../shared/alerts/words.ts';
import { clean, plain } from '../../shared/foreign-text.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import type { Instant } from '../../shared/time.ts';
import type { CardData } from '../services.ts';
import { ask, type Button, type LinkSettings, openTenant } from './actions.ts';
import template from './drop.json' with { type: 'json' };
import { acknowledgedLine, bandOf, fromTo, pointsOf } from './drop-words.ts';
import { cardTemplate } from './render.ts';

export type DropNews = {
  tenant: Tenant;
  /** What is told, with the facts of that moment. */
  transition: Transition<'scoreDrop'>;
  /** The finding as it is now: who has acknowledged it, and whether there is anything left to acknowledge. */
  finding: Finding;
  now: Instant;
  settings: LinkSettings;
  /** An earlier attempt may have arrived. */
  maybeRepeated: boolean;
  /** Where it goes somebody may acknowledge: the button is shown while there is something to. */
  mayAcknowledge: boolean;
};

type Filled = {
  fallback: string;
  bandStyle: 'attention' | 'warning' | 'good';
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
export const repeatedLine = 'This may have reached you before.';

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
    fallback: clean(sentencesOf(news, inPlainText(news)), 700),
    bandStyle: over ? 'good' : acknowledged === '' ? 'attention' : 'warning',
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
    aside: over ? [] : asideOf(transition).map((line) => ({ line })),
    foot: news.maybeRepeated ? repeatedLine : '',
    buttons: [...acknowledgeButton(news), openTenant(tenant.id, settings)],
  });
  return { card, text: sentencesOf(news, saying) };
}

/** The same in one or two lines of Markdown, for the thread below the card. */
export function dropNote(news: DropNews): string {
  const saying = inMarkdown(news);
  const acknowledged = acknowledgedOf(news, saying);
  return [
    headline(news.transition, saying),
    acknowledged === '' ? '' : `${acknowledged}.`,
    news.maybeRepeated ? repeatedLine : '',
  ]
    .filter((line) => line !== '')
    .join(' ');
}

/** What the button *Acknowledge* carries: this finding, in this generation. */
export function acknowledgeObject({ id, generation }: Pick<Finding, 'id' | 'generation'>): string {
  return `${generation}.${id}`;
}

/** The same read back from signed data, which an older version may have written; null when it is none. */
export function acknowledgedObject(object: string | undefined): { id: string; generation: number } | null {
  const [, generation, id] = /^([1-9][0-9]{0,8})\.(.{1,500})$/s.exec(object ?? '') ?? [];
  return generation === undefined || id === undefined ? null : { id, generation: Number(generation) };
}

function acknowledgeButton({ tenant, transition, finding, mayAcknowledge }: DropNews): Button[] {
  const standing = transition.kind !== 'resolved' && isOfThisFall({ transition, finding });
  if (!mayAcknowledge || !standing || finding.state !== 'open') return [];
  const action = { verb: 'acknowledge', tenant: tenant.id, object: acknowledgeObject(finding) };
  return [{ ...ask('Acknowledge', action), style: 'positive' }];
}

/** The finding may have gone on to another generation since: what happened to that is not this card's. */
function isOfThisFall({ transition, finding }: Pick<DropNews, 'transition' | 'finding'>): boolean {
  return finding.id === transition.findingId && finding.generation === transition.generation;
}

function acknowledgedOf(news: DropNews, { foreign }: Saying): string {
  const stands = news.transition.kind !== 'resolved' && isOfThisFall(news);
  return stands ? acknowledgedLine(news.finding, news.now, foreign) : '';
}

/** What does not count, said small: nobody should look for it. */
function asideOf({ facts }: Transition<'scoreDrop'>): string[] {
  if (facts.gained === 0) return notCounted(facts);
  return [
    ...notCounted(facts),
    `Other controls gained ${pointsOf(facts.gained)}; that does not make up for what was lost.`,
  ];
}

function sentencesOf(news: DropNews, saying: Saying): string {
  const acknowledged = acknowledgedOf(news, saying);
  return [
    summary(news.transition, saying),
    acknowledged === '' ? '' : `${acknowledged}.`,
    news.maybeRepeated ? repeatedLine : '',
  ]
    .filter((part) => part !== '')
    .join(' ');
}

function inMarkdown({ tenant, now }: Pick<DropNews, 'tenant' | 'now'>): Saying {
  return { tenant: tenant.name, now, foreign: (text) => plain(text, 120) };
}

function inPlainText({ tenant, now }: Pick<DropNews, 'tenant' | 'now'>): Saying {
  return { tenant: tenant.name, now, foreign: (text) => clean(text, 80) };
}
