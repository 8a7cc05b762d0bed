import { defaultThreshold, type Threshold, thresholdInWords } from '../../shared/alerts/threshold.ts';
import { clean, plain } from '../../shared/foreign-text.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { dayOf, type Instant } from '../../shared/time.ts';
import { counted, dayText, listed, momentText, sentence } from '../../shared/words.ts';
import type { CardData } from '../services.ts';
import { type Button, type LinkSettings, openTenants } from './actions.ts';
import { type BrokenRoute, remedyOf } from './broken-route.ts';
import { listCard, type Row } from './rows.ts';
import { domainBefore, nameApart, namesakes } from './tenants-apart.ts';

/** Where people read it. */
export type Here = 'channel' | 'chat';

export type Watched = {
  here: Here;
  /** All tenants, also those connected later. */
  all: boolean;
  /** Those this reader may see, by name: all that are watched by name, and of `all` those with a threshold of their own. */
  rows: { tenant: Tenant; threshold: Threshold }[];
  /** Of all tenants, those that are not heard of and that this reader may see. */
  except: readonly Tenant[];
  /** Who set it up and when; `by` as it came. */
  by: string;
  since: Instant;
  /** Why news does not arrive, here and elsewhere. */
  broken: BrokenRoute[];
  /** To whom the conversation belongs, a sentence; escaped. */
  bound?: string;
  now: Instant;
  settings: LinkSettings;
};

export const watchedShown = 12;
const brokenShown = 5;

/** What a conversation hears, with the thresholds, and what does not arrive. The data of exactly the tenants in `rows`. */
export function watchingCard(watched: Watched): CardData {
  const { here, all, rows, broken, now } = watched;
  const shown = rows.slice(0, watchedShown);
  const more = rows.length - shown.length;
  const shared = namesakes(rows.map(({ tenant }) => tenant));
  const buttons: Button[] = [openTenants(watched.settings)];
  return listCard({
    fallback: clean(watchingLine(watched), 600),
    title: all
      ? `This ${here} watches all tenants`
      : `This ${here} watches ${counted(rows.length, 'tenant')}`,
    caption: `Set up by ${plain(watched.by, 60)} on ${dayText(dayOf(watched.since), now)}`,
    rows: [
      ...broken.slice(0, brokenShown).map((route) => brokenRow(route, now)),
      ...shown.map(({ tenant, threshold }) => ({
        name: plain(tenant.name, 80),
        detail: `${domainBefore(tenant, shared, plain)}${from(threshold)}`,
      })),
      ...(all && rows.length > 0 ? [{ name: 'Every other tenant', detail: from(defaultThreshold) }] : []),
    ],
    foot: [
      watched.bound ?? '',
      more > 0 ? `And ${more} more.` : '',
      exceptInWords(watched, plain),
      all && rows.length === 0 ? `Each is told ${from(defaultThreshold)}.` : '',
      broken.length > brokenShown ? `${broken.length - brokenShown} more do not arrive.` : '',
      'Change it with watch, unwatch and threshold.',
    ]
      .filter((line) => line !== '')
      .join(' '),
    buttons,
  });
}

/** The same as one line of plain text. */
export function watchingLine(watched: Watched): string {
  const { here, all, rows, broken } = watched;
  const shared = namesakes(rows.map(({ tenant }) => tenant));
  const own = rows
    .slice(0, 5)
    .map(({ tenant, threshold }) => `${nameApart(tenant, shared, clean, 60)} ${from(threshold)}`);
  const rest = rows.length - own.length;
  const named = [...own, ...(rest > 0 ? [`and ${rest} more`] : [])].join(', ');
  const what = all ? `all tenants${named === '' ? '' : `, ${named}`}` : named;
  const away = broken.length === 0 ? '' : ` ${counted(broken.length, 'place')} cannot be reached.`;
  const not = exceptInWords(watched, clean);
  return `This ${here} watches ${what}.${not === '' ? '' : ` ${not}`}${away}`;
}

/** "Not of Fabrikam and Contoso."; empty when all are heard of. */
function exceptInWords({ except }: Watched, foreign: (text: string, most: number) => string): string {
  if (except.length === 0) return '';
  const shared = namesakes(except);
  return `Not of ${listed(
    except.map((tenant) => nameApart(tenant, shared, foreign, 60)),
    10,
  )}.`;
}

function from(threshold: Threshold): string {
  return `from a loss of ${thresholdInWords(threshold)} on`;
}

function brokenRow(route: BrokenRoute, now: Instant): Row {
  const remedy = remedyOf(route);
  return {
    name: `News does not arrive ${route.where}`,
    detail: `since ${momentText(route.since, now)}`,
    note: `${sentence(plain(route.why, 200))}${remedy === '' ? '' : ` ${remedy}`}`,
  };
}
