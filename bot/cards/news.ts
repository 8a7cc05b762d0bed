import type { Rule, Transition } from '../../shared/alerts/finding.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import type { Instant } from '../../shared/time.ts';
import type { CardData } from '../services.ts';
import type { LinkSettings } from './actions.ts';
import { connectionNews, connectionNote } from './connection.ts';
import { collapsedConnections } from './connections.ts';
import { collapsedCredentialEnds, credentialEndNews, credentialEndNote } from './credential-end.ts';
import { dropNews, dropNote } from './drop.ts';
import { collapsedNews } from './drops.ts';
import type { FindingNews } from './finding.ts';

/** The card of a finding, whichever rule made it. */
export function findingNews(news: FindingNews): { card: CardData; text: string } {
  const { transition } = news;
  switch (transition.rule) {
    case 'scoreDrop':
      return dropNews({ ...news, transition });
    case 'connectionHealth':
      return connectionNews({ ...news, transition });
    case 'credentialEnd':
      return credentialEndNews({ ...news, transition });
  }
}

/** What stands in the thread below its card. */
export function findingNote(news: FindingNews): string {
  const { transition } = news;
  switch (transition.rule) {
    case 'scoreDrop':
      return dropNote({ ...news, transition });
    case 'connectionHealth':
      return connectionNote({ ...news, transition });
    case 'credentialEnd':
      return credentialEndNote({ ...news, transition });
  }
}

type Listed = {
  rows: { tenant: Tenant; transition: Transition }[];
  now: Instant;
  settings: LinkSettings;
  maybeRepeated: boolean;
};

/** Many of one rule as one card. Throws for rows of several: what is told of them differs. */
export function listedNews(news: Listed): { card: CardData; text: string } {
  switch (news.rows[0]?.transition.rule) {
    case 'scoreDrop':
      return collapsedNews({ ...news, rows: allOf('scoreDrop', news) });
    case 'connectionHealth':
      return collapsedConnections({ ...news, rows: allOf('connectionHealth', news) });
    case 'credentialEnd':
      return collapsedCredentialEnds({ ...news, rows: allOf('credentialEnd', news) });
    case undefined:
      throw new RangeError('a list of news with nothing in it');
  }
}

function allOf<R extends Rule>(rule: R, { rows }: Listed): { tenant: Tenant; transition: Transition<R> }[] {
  return rows.map(({ tenant, transition }) => {
    if (transition.rule !== rule) throw new TypeError('a list of news is of one rule');
    return { tenant, transition: transition as Transition as Transition<R> };
  });
}
