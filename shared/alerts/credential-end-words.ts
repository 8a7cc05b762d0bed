import { credentialWords, expiryText } from '../tenants/credential-expiry.ts';
import type { CredentialEndFacts } from './credential-end.ts';
import type { TransitionOf } from './finding.ts';
import type { Saying } from './words.ts';

type Told = Pick<TransitionOf<'credentialEnd'>, 'kind' | 'facts'>;

/** One sentence, enough for a toast: "The client secret of Contoso ends in 13 days, on 4 Dec." */
export function credentialEndHeadline({ kind, facts }: Told, saying: Saying): string {
  const name = saying.foreign(saying.tenant);
  const word = credentialWord(facts);
  return kind === 'resolved'
    ? `The ${word} of ${name} was renewed.`
    : `The ${word} of ${name} ${expiryText(facts.expiresAt, saying.now)}.`;
}

/** "client secret" */
export function credentialWord({ kind }: CredentialEndFacts): string {
  const word = credentialWords[kind];
  return word.slice(0, 1).toLowerCase() + word.slice(1);
}

/** What comes of it, and what to do, a sentence each. */
export function credentialEndSteps({ kind, stage }: CredentialEndFacts): { cause: string; remedy: string } {
  return {
    cause: stage === 0 ? 'Nothing of it can be read any more.' : 'From then on nothing of it can be read.',
    remedy:
      kind === 'secret'
        ? 'Make a new client secret in Entra, then enter it under Update credentials.'
        : 'Make a new certificate under Update credentials and upload it in Entra; the old one works until then.',
  };
}

/** Everything in one text: toast, screen reader, clients without cards. */
export function credentialEndSummary(told: Told, saying: Saying): string {
  if (told.kind === 'resolved') return credentialEndHeadline(told, saying);
  const { cause, remedy } = credentialEndSteps(told.facts);
  return `${credentialEndHeadline(told, saying)} ${cause} ${remedy}`;
}
