import type { Finding, Transition } from '../../shared/alerts/finding.ts';
import { acknowledgedBy, hadAcknowledged, isTakenOn, isWorseSince } from '../../shared/alerts/people.ts';
import type { Saying } from '../../shared/alerts/words.ts';
import { clean, plain } from '../../shared/foreign-text.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { dayOf, type Instant } from '../../shared/time.ts';
import { dayText } from '../../shared/words.ts';
import { ask, type Button, type LinkSettings } from './actions.ts';

/** What the card of any finding is drawn from. */
export type FindingNews<T extends Transition = Transition> = {
  tenant: Tenant;
  /** What is told, with the facts of that moment. */
  transition: T;
  /** The finding as it is now: who has acknowledged it, and whether there is anything left to acknowledge. */
  finding: Finding;
  now: Instant;
  settings: LinkSettings;
  /** An earlier attempt may have arrived. */
  maybeRepeated: boolean;
  /** Where it goes somebody may acknowledge: the button is shown while there is something to. */
  mayAcknowledge: boolean;
};

export const repeatedLine = 'This may have reached you before.';

/**
 * While nobody has acknowledged it the band is red, then yellow, green when it is over; words say the same. What became
 * worse since is red again.
 */
export function bandStyleOf(news: FindingNews): 'attention' | 'warning' | 'good' {
  if (news.transition.kind === 'resolved') return 'good';
  return isOfThisGeneration(news) && isTakenOn(news.finding) ? 'warning' : 'attention';
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

export function acknowledgeButton(news: FindingNews): Button[] {
  const { tenant, transition, finding, mayAcknowledge } = news;
  const standing = transition.kind !== 'resolved' && isOfThisGeneration(news);
  if (!mayAcknowledge || !standing || finding.state === 'resolved' || isTakenOn(finding)) return [];
  const action = { verb: 'acknowledge', tenant: tenant.id, object: acknowledgeObject(finding) };
  return [{ ...ask('Acknowledge', action), style: 'positive' }];
}

/** The finding may have gone on to another generation since: what happened to that is not this card's. */
function isOfThisGeneration({ transition, finding }: Pick<FindingNews, 'transition' | 'finding'>): boolean {
  return finding.id === transition.findingId && finding.generation === transition.generation;
}

/** Who has acknowledged what this card tells of; empty when nobody has. */
export function acknowledgedOf(news: FindingNews, { foreign }: Saying): string {
  const stands = news.transition.kind !== 'resolved' && isOfThisGeneration(news);
  return stands ? acknowledgedLine(news.finding, news.now, foreign) : '';
}

/**
 * "Acknowledged by Ana Reyes on 20 Nov, 09:14 UTC"; empty when nobody has. A posted card stays as it is, so the hour is
 * said and no age. `foreign` makes the name fit for where it goes.
 */
export function acknowledgedLine(
  finding: Pick<Finding, 'rule' | 'state' | 'history' | 'told'>,
  now: Instant,
  foreign: (text: string) => string,
): string {
  const by = acknowledgedBy(finding);
  if (by === null) return '';
  // Whoever took it on did not know of what came later: the reader should.
  const before = {
    scoreDrop: ', before it fell further',
    connectionHealth: ', before the reason changed',
    credentialEnd: ', before its end came nearer',
  }[finding.rule];
  return `Acknowledged by ${foreign(by.who)} on ${dayText(dayOf(by.at), now)}, ${by.at.slice(11, 16)} UTC${isWorseSince(finding) ? before : ''}`;
}

/** "Acknowledged by Ana Reyes on 20 Nov, 09:14 UTC." of what is over; empty when nobody had. */
export function hadAcknowledgedLine(news: FindingNews, { foreign, now }: Saying): string {
  const by = isOfThisGeneration(news) ? hadAcknowledged(news.finding) : null;
  return by === null
    ? ''
    : `Acknowledged by ${foreign(by.who)} on ${dayText(dayOf(by.at), now)}, ${by.at.slice(11, 16)} UTC.`;
}

/** Sentences, who has acknowledged it, and that it may be a repeat, as one text. */
export function withMarks(sentences: string, news: FindingNews, saying: Saying): string {
  const acknowledged = acknowledgedOf(news, saying);
  return [sentences, acknowledged === '' ? '' : `${acknowledged}.`, news.maybeRepeated ? repeatedLine : '']
    .filter((part) => part !== '')
    .join(' ');
}

export function inMarkdown({ tenant, now }: Pick<FindingNews, 'tenant' | 'now'>): Saying {
  return { tenant: tenant.name, now, foreign: (text) => plain(text, 120) };
}

export function inPlainText({ tenant, now }: Pick<FindingNews, 'tenant' | 'now'>): Saying {
  return { tenant: tenant.name, now, foreign: (text) => clean(text, 80) };
}
