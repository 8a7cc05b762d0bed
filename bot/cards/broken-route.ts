import { clean } from '../../shared/foreign-text.ts';
import type { Instant } from '../../shared/time.ts';
import { counted, momentText, sentence } from '../../shared/words.ts';
import type { SubscriptionRow } from '../services.ts';

/** A conversation that is not told what it asked for. `why` as it came. */
export type BrokenRoute = {
  /** "here", "in the channel set up by Ana Reyes": fit for where it goes. */
  where: string;
  kind: SubscriptionRow['kind'];
  why: string;
  since: Instant;
};

/**
 * What brings the news back; empty where it comes back by itself, or the reason says what to do. Teams refuses a bot
 * that it no longer counts among the members: only an installation changes that, and what waited is told then.
 */
export function remedyOf({ why, kind }: Pick<BrokenRoute, 'why' | 'kind'>): string {
  if (!/^Teams said 40[34]\b/.test(why)) return '';
  const place = kind === 'channel' ? 'channel' : 'chat';
  return `Remove Watchpost from that ${place} and add it again: what waited is told then.`;
}

/** "News does not arrive in the channel set up by Ana Reyes since 18 Nov. Teams said 403 Forbidden. Remove …" */
export function brokenInWords(
  route: BrokenRoute,
  now: Instant,
  foreign: (text: string, most: number) => string,
): string {
  const why = sentence(foreign(route.why, 200));
  return [`News does not arrive ${route.where} since ${momentText(route.since, now)}.`, why, remedyOf(route)]
    .filter((part) => part !== '')
    .join(' ');
}

const most = 3;

/** For a page that all of them concern, as plain text: the first few, and how many more. `rows` are broken ones. */
export function brokenNotices(rows: readonly SubscriptionRow[], now: Instant): string[] {
  const said = rows.slice(0, most).flatMap(({ kind, by, broken }) => {
    const where = `in the ${kind === 'channel' ? 'channel' : 'chat'} that ${clean(by, 60)} set up`;
    return broken === undefined ? [] : [brokenInWords({ where, kind, ...broken }, now, clean)];
  });
  const more = rows.length - most;
  return more > 0 ? [...said, `${counted(more, 'more conversation')} cannot be reached.`] : said;
}
