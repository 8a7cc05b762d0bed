import { chooseTenantCard } from '../../bot/cards/choose-tenant.ts';
import { connectionNews } from '../../bot/cards/connection.ts';
import { collapsedConnections } from '../../bot/cards/connections.ts';
import { dropNews } from '../../bot/cards/drop.ts';
import { collapsedNews } from '../../bot/cards/drops.ts';
import { tenantHealthCard } from '../../bot/cards/health.ts';
import { helpCard } from '../../bot/cards/help.ts';
import { mostRows } from '../../bot/cards/many.ts';
import { noticeCard } from '../../bot/cards/notice.ts';
import { rankingCard, rowsOnPage } from '../../bot/cards/ranking.ts';
import { scoreCard } from '../../bot/cards/score.ts';
import { tenantsCard } from '../../bot/cards/tenants.ts';
import { watchingCard } from '../../bot/cards/watching.ts';
import { notAvailable } from '../../bot/commands/look-up.ts';
import type { CardData, Place } from '../../bot/services.ts';
import { defaultThreshold } from '../../shared/alerts/threshold.ts';
import { commandTable } from '../../shared/command-table.ts';
import type { HealthState, Tenant } from '../../shared/tenants/tenant.ts';
import { brokenAlong } from './broken.ts';
import { acknowledged, type Fall, fallOf, falls } from './fallen.ts';
import { aTenant, contosoPosture, now, settings } from './samples.ts';

export const channel: Place = {
  kind: 'channel',
  conversationId: '19:general@thread.tacv2',
  serviceUrl: 'https://smba.trafficmanager.net/emea/',
  hostTenantId: aTenant(1, 'x').id,
  audience: { kind: 'internal' },
  targeted: false,
  personTeamsId: '29:ana',
};

/** Every foreign text a card can show, from one function: what a hostile tenant could fill. */
export type ForeignText = (what: string) => string;
const usual: ForeignText = (what) => what;

function tenantOf(n: number, name: string, text: ForeignText, change: Partial<Tenant> = {}): Tenant {
  return aTenant(n, text(name), { domain: text(`${n}.example`), ...change });
}

const withdrawn = (text: ForeignText): Partial<Tenant> => ({
  health: {
    state: 'permission-error',
    since: '2026-11-18T08:00:00.000Z',
    cause: text('Consent was withdrawn.'),
    remedy: text('Ask an administrator of Woodgrove Bank to reconnect.'),
  },
  datasets: {
    ...aTenant(1, 'x').datasets,
    secureScores: {
      state: 'permission-missing',
      readAt: '2026-11-18T07:00:00.000Z',
      triedAt: now,
      why: text('permission missing'),
      permission: 'SecurityEvents.Read.All',
    },
  },
});

/** Every card in its fullest form, foreign texts filled by `text`, with `many` tenants in the lists. */
export function gallery(text: ForeignText = usual, many = 25): Record<string, CardData> {
  const names = ['Contoso Ltd', 'Fabrikam', 'Woodgrove Bank', 'Adventure Works', 'Northwind Traders'];
  const tenants = Array.from({ length: many }, (_, i) =>
    tenantOf(i + 1, names[i] ?? `Customer ${i}`, text, i % 5 === 2 ? withdrawn(text) : {}),
  );
  const posture = contosoPosture();
  const foreign = {
    ...posture,
    actions: posture.actions.map((action) => ({
      ...action,
      title: text(action.title),
      effort: text(action.effort),
    })),
  };
  const [first, ...others] = tenants;
  if (first === undefined) throw new Error('a gallery needs a tenant');
  const ill = tenantOf(3, 'Woodgrove Bank', text, withdrawn(text));
  const pages = Math.ceil(many / rowsOnPage);
  const shown = tenants.slice(0, rowsOnPage);
  const fallen = falls(text);
  const drop = (fall: Fall, change: { maybeRepeated?: boolean; mayAcknowledge?: boolean } = {}): CardData =>
    dropNews({
      tenant: first,
      ...fall,
      now,
      settings,
      maybeRepeated: false,
      mayAcknowledge: true,
      ...change,
    }).card;
  const kinds = Object.values(fallen);
  const several = tenants.slice(0, mostRows).flatMap((tenant, i) => {
    const fall = kinds[i % kinds.length];
    return fall === undefined ? [] : [{ tenant, transition: fallOf(fall, tenant.id).transition }];
  });
  const connection = (
    states: HealthState[],
    change: { maybeRepeated?: boolean; by?: string } = {},
  ): CardData => {
    const { finding, transition } = brokenAlong(states, first.id, text);
    const seen = {
      at: now,
      who: change.by ?? '',
      what: 'acknowledged',
      from: 'open',
      to: 'acknowledged',
      why: '',
    } as const;
    return connectionNews({
      tenant: first,
      transition,
      finding:
        change.by === undefined
          ? finding
          : { ...finding, state: 'acknowledged', history: [...finding.history, seen] },
      now,
      settings,
      maybeRepeated: change.maybeRepeated ?? false,
      mayAcknowledge: true,
    }).card;
  };
  const brokenKinds: HealthState[][] = [
    ['permission-error'],
    ['authentication-error'],
    ['service-error', 'connected'],
  ];
  const watched = {
    except: [],
    here: 'channel' as const,
    by: text('Ana Reyes'),
    since: '2026-11-12T08:00:00.000Z',
    now,
    settings,
  };
  const watchedRows = tenants.map((tenant, i) => ({
    tenant,
    threshold: i % 3 === 1 ? { percent: 3, points: null } : defaultThreshold,
  }));
  return {
    dropOpened: drop(fallen.opened),
    dropAside: drop(fallen.aside, { maybeRepeated: true }),
    dropAcknowledged: drop(acknowledged(fallen.worsened, text('Ana Reyes'))),
    dropWorsened: drop(fallen.worsened),
    dropReopened: drop(fallen.reopened),
    dropResolved: drop(fallen.resolved),
    dropMany: drop(fallen.many),
    drops: collapsedNews({ rows: several, now, settings, maybeRepeated: true }).card,
    dropsOver: collapsedNews({
      rows: tenants
        .slice(0, 2)
        .map((tenant) => ({ tenant, transition: fallOf(fallen.resolved, tenant.id).transition })),
      now,
      settings,
      maybeRepeated: false,
    }).card,
    connectionBroken: connection(['permission-error']),
    connectionAgain: connection(['service-error', 'connected', 'authentication-error'], {
      maybeRepeated: true,
    }),
    connectionWorsened: connection(['service-error', 'permission-error'], { by: text('Ana Reyes') }),
    connectionBack: connection(['authentication-error', 'authentication-error', 'connected']),
    connections: collapsedConnections({
      rows: tenants.slice(0, mostRows).map((tenant, i) => ({
        tenant,
        transition: brokenAlong(brokenKinds[i % 3] ?? [], tenant.id, text).transition,
      })),
      now,
      settings,
      maybeRepeated: true,
    }).card,
    connectionsAlike: collapsedConnections({
      rows: tenants.slice(0, 4).map((tenant) => ({
        tenant,
        transition: brokenAlong(['authentication-error'], tenant.id, text).transition,
      })),
      now,
      settings,
      maybeRepeated: false,
    }).card,
    watching: watchingCard({ ...watched, all: false, rows: watchedRows, broken: [] }),
    watchingAll: watchingCard({
      ...watched,
      all: true,
      rows: watchedRows.slice(1, 2),
      except: watchedRows.slice(2, 4).map(({ tenant }) => tenant),
      broken: [
        {
          where: 'here',
          kind: 'channel',
          why: text('Watchpost was removed.'),
          since: '2026-11-18T08:00:00.000Z',
        },
        {
          where: 'in a chat',
          kind: 'groupChat',
          why: text('Guests are here.'),
          since: '2026-11-18T08:00:00.000Z',
        },
      ],
    }),
    score: scoreCard({
      tenant: first,
      posture: foreign,
      now,
      settings,
      maySync: true,
      staleAfterMs: 86_400_000,
      fall: '',
    }).card,
    scoreIll: scoreCard({
      tenant: ill,
      posture: {
        ...foreign,
        over30Days: null,
        sinceYesterday: null,
        comparisons: [],
        trend: foreign.trend.filter((_, i) => i % 7 !== 3),
      },
      now,
      settings,
      staleAfterMs: 86_400_000,
      fall: '',
      maySync: true,
    }).card,
    scoreNothing: scoreCard({
      tenant: first,
      posture: { ...foreign, percent: null, trend: [], actions: [], actionCount: 0 },
      now,
      settings,
      staleAfterMs: 86_400_000,
      fall: '',
      maySync: false,
    }).card,
    ranking: rankingCard({
      rows: shown.map((tenant, i) => ({
        tenant,
        posture: i === 4 ? null : { ...foreign, tenantId: tenant.id },
      })),
      page: 2,
      pages,
      count: many,
      every: true,
      now,
      settings,
    }),
    tenants: tenantsCard({ rows: shown, page: 2, pages, count: many, now, settings }),
    health: tenantHealthCard({ tenant: ill, now, settings }),
    healthWell: tenantHealthCard({ tenant: first, now, settings }),
    healthOfAll: tenantsCard({
      ...{ rows: shown, page: 1, pages, count: many, now, settings },
      health: { broken: 5, failing: 1 },
    }),
    choose: chooseTenantCard('score', text('con'), tenants),
    help: helpCard({
      lead: 'I do not know “flarb”.',
      rows: [...commandTable],
      why: 'Only help is answered here.',
      elsewhere: 'In a channel or group chat: watch contoso tells it when that score falls.',
    }),
    none:
      notAvailable(text('contosso'), 'score', others.slice(0, 3), channel).card ?? noticeCard({ text: '' }),
  };
}
