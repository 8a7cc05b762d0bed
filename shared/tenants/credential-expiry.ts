import { dayOf, type Instant, millis } from '../time.ts';
import { counted, dayText } from '../words.ts';

/** Days before the end at which it is told, and 0 once it has ended (R60). */
export const expiryStages = [30, 14, 7, 1, 0] as const;
export type ExpiryStage = (typeof expiryStages)[number];

/** A credential whose end is known: one version of a tenant's, or one of our own. */
export type Ending = { version: number; expiresAt: Instant };

const dayMs = 86_400_000;

/** The end of a secret of which a person gives the day, `2027-03-31`: its beginning, in UTC. Null when there is no such day. */
export function endGiven(day: string): Instant | null {
  const at = /^20\d\d-\d\d-\d\d$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(at)) return null;
  const instant = new Date(at).toISOString();
  // The 31st of a short month is read as a day of the next one.
  return instant.startsWith(day) ? instant : null;
}

/** How near the end is: the smallest stage reached, null while there are more than 30 days left. */
export function expiryStage(expiresAt: Instant, now: Instant): ExpiryStage | null {
  const days = (millis(expiresAt) - millis(now)) / dayMs;
  return expiryStages.findLast((stage) => days <= stage) ?? null;
}

/** Ends at or before this instant are worth a word: for `CredentialStore.ending`. */
export function expiryHorizon(now: Instant): Instant {
  return new Date(millis(now) + expiryStages[0] * dayMs + 1).toISOString();
}

/** What is to be told now; `marks` are kept with the credential once it is told, so that it is told once. */
export type ExpiryNotice = { stage: ExpiryStage; marks: string[] };

/**
 * The one notice that is due, or null. Each stage is told once for each version: `told` holds the marks of what was
 * told before. Stages that passed while nobody looked are not told one by one: the newest stands for them.
 */
export function expiryNotice(
  { version, expiresAt }: Ending,
  told: readonly string[],
  now: Instant,
): ExpiryNotice | null {
  const stage = expiryStage(expiresAt, now);
  if (stage === null) return null;
  // A later stage was told already: the clock went back, and there is nothing new.
  const later = expiryStages.filter((one) => one <= stage).map((one) => markOf(version, one));
  if (later.some((mark) => told.includes(mark))) return null;
  const passed = expiryStages.filter((one) => one >= stage).map((one) => markOf(version, one));
  return { stage, marks: passed.filter((mark) => !told.includes(mark)) };
}

function markOf(version: number, stage: ExpiryStage): string {
  return `v${version} ${stage}`;
}

/** "ends in 13 days, on 4 Dec", "ends today", "ended on 3 Nov". */
export function expiryText(expiresAt: Instant, now: Instant): string {
  const left = millis(expiresAt) - millis(now);
  const day = dayText(dayOf(expiresAt), now);
  if (left <= 0) return `ended on ${day}`;
  const days = Math.floor(left / dayMs);
  return days === 0 ? `ends within a day, on ${day}` : `ends in ${counted(days, 'day')}, on ${day}`;
}

/** One of Watchpost's own: without it no tenant is read, or nobody is answered. */
export type OwnCredential = {
  /** Within a sentence: "the bot". */
  of: string;
  kind: 'secret' | 'certificate';
  /** Absent when nobody has said it. */
  expiresAt?: Instant;
};

/** Sentences about those of our own that have ended or end within 30 days. */
export function ownNotices(all: readonly OwnCredential[], now: Instant): string[] {
  return all.flatMap(({ of, kind, expiresAt }) =>
    expiresAt === undefined || expiryStage(expiresAt, now) === null
      ? []
      : [
          `${credentialWords[kind]} of ${of} ${expiryText(expiresAt, now)}. Whoever runs Watchpost renews it.`,
        ],
  );
}

/** What a credential is called in a sentence. */
export const credentialWords = {
  secret: 'Client secret',
  certificate: 'Certificate',
  consent: 'Consent',
} as const;
