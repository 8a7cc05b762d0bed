import { healthLabel } from '../tenants/tenant-health.ts';
import { dayOf, type Instant, millis } from '../time.ts';
import { counted, dayText, sentence } from '../words.ts';
import type { ConnectionFacts } from './connection-health.ts';
import type { TransitionOf } from './finding.ts';
import type { Saying } from './words.ts';

/** `foreign` cuts a name; causes and remedies are sentences and need more room: `long`. */
export type SayingOfConnection = Saying & { long: (text: string) => string };

type Told = Pick<TransitionOf<'connectionHealth'>, 'kind' | 'facts'>;

/** One sentence, enough for a toast: "Contoso cannot be read: Permission Error. Consent was withdrawn." */
export function connectionHeadline({ kind, facts }: Told, saying: SayingOfConnection): string {
  const name = saying.foreign(saying.tenant);
  const state = healthLabel(facts.state);
  const cause = facts.cause === '' ? '' : ` ${sentence(saying.long(facts.cause))}`;
  switch (kind) {
    case 'opened':
      return `${name} cannot be read: ${state}.${cause}`;
    case 'reopened':
      return `Again: ${name} cannot be read: ${state}.${cause}`;
    case 'worsened':
      return `${name} still cannot be read, for another reason: ${state}.${cause}`;
    case 'resolved':
      return `${name} can be read again${brokenFor(facts) === '' ? '' : `, ${brokenFor(facts)}`}.`;
  }
}

/** Everything in one text: toast, screen reader, clients without cards. */
export function connectionSummary(told: Told, saying: SayingOfConnection): string {
  const { facts, kind } = told;
  if (kind === 'resolved') return connectionHeadline(told, saying);
  const remedy = facts.remedy === '' ? '' : sentence(saying.long(facts.remedy));
  return [connectionHeadline(told, saying), remedy, lastGood(facts, saying.now)].filter(Boolean).join(' ');
}

/** "Its figures are as of 20 Nov." */
export function lastGood({ brokenSince, since }: ConnectionFacts, now: Instant): string {
  return `What is shown of it stands as it was on ${dayText(dayOf(brokenSince ?? since), now)}.`;
}

/** "after 3 days": how long nothing could be read, roughly; empty for a moment. */
export function brokenFor({ brokenSince, since }: ConnectionFacts): string {
  if (brokenSince === undefined) return '';
  const minutes = Math.round((millis(since) - millis(brokenSince)) / 60_000);
  if (minutes < 2) return '';
  if (minutes < 120) return `after ${counted(minutes, 'minute')}`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `after ${counted(hours, 'hour')}` : `after ${counted(Math.round(hours / 24), 'day')}`;
}
