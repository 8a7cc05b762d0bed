import type { Transition } from '../../shared/alerts/finding.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import type { Instant } from '../../shared/time.ts';
import type { CardData } from '../services.ts';
import type { LinkSettings } from './actions.ts';
import { connectionNews, connectionNote } from './connection.ts';
import { collapsedConnections } from './connections.ts';
import { dropNews, dropNote } from './drop.ts';
import { collapsedNews } from './drops.ts';
import type { FindingNews } from './finding.ts';

/** The card of a finding, whichever rule made it. */
export function findingNews(news: FindingNews): { card: CardData; text: string } {
  const { transition } = news;
  return transition.rule === 'scoreDrop'
    ? dropNews({ ...news, transition })
    : connectionNews({ ...news, transition });
}

/** What stands in the thread below its card. */
export function findingNote(news: FindingNews): string {
  const { transition } = news;
  return transition.rule === 'scoreDrop'
    ? dropNote({ ...news, transition })
    : connectionNote({ ...news, transition });
}

/** Many of one rule as one card. Throws for rows of several: what is told of them differs. */
export function listedNews(news: {
  rows: { tenant: Tenant; transition: Transition }[];
  now: Instant;
  settings: LinkSettings;
  maybeRepeated: boolean;
}): { card: CardData; text: string } {
  const drops = news.rows.flatMap(({ tenant, transition }) =>
    transition.rule === 'scoreDrop' ? [{ tenant, transition }] : [],
  );
  if (drops.length === news.rows.length) return collapsedNews({ ...news, rows: drops });
  const broken = news.rows.flatMap(({ tenant, transition }) =>
    transition.rule === 'connectionHealth' ? [{ tenant, transition }] : [],
  );
  if (broken.length < news.rows.length) throw new TypeError('a list of news is of one rule');
  return collapsedConnections({ ...news, rows: broken });
}
