import { type AccessAction, type Caller, covers, scopeFor, type TenantScope } from '../../shared/access.ts';
import type { CredentialLine, PageLink, TenantPage } from '../../shared/api.ts';
import { comparisonOf } from '../../shared/score/comparison.ts';
import { actionsWorthMost } from '../../shared/score/posture.ts';
import type { Action, Posture } from '../../shared/score/score.ts';
import { percentOf, pointsMoved } from '../../shared/score/score-change.ts';
import { permissionFacts } from '../../shared/tenants/permission-facts.ts';
import { datasetNames, type HealthState, type Tenant, tenantId } from '../../shared/tenants/tenant.ts';
import { dayOf, type Instant, plusDays } from '../../shared/time.ts';
import { direction } from '../../shared/words.ts';
import { entraPage } from '../connect/entra-pages.ts';
import { staleBy } from '../cron.ts';
import type { Failure, Services } from '../services.ts';
import { standingFall } from './fall.ts';
import { problem } from './problem.ts';
import type { ApiRoute } from './route.ts';
import { tenantRow } from './tenant-row.ts';
import { tabOf } from './tenants.ts';

const trendDays = 365;
const mostActions = 300;
/** Of domains, and of licences: a school has thousands of domains, and nobody reads them here. */
const mostNames = 100;
/** Microsoft has five categories and a handful of comparisons. */
const mostParts = 50;

/**
 * `GET /api/tab/tenants/{id}`: all that is known of one tenant. A tenant this person may not see is answered as one
 * that does not exist, by the same path and in the same words (I-4).
 */
export const tenantRoute: ApiRoute = {
  method: 'GET',
  path: '/api/tab/tenants/:id',
  auth: 'tab',
  handle: async (request, who, services) => {
    const now = services.now();
    const scope = scopeFor(who, tabOf(who), 'view', now);
    const id = tenantId(request.params.id ?? '');
    const tenant =
      id === undefined || !covers(scope, id) ? null : await services.store.tenants.get(scope, id);
    if (tenant === null) return problem(404, 'No such tenant is available here.', request.id);
    return { status: 200, body: await pageOf(tenant, who, scope, now, services) };
  },
};

async function pageOf(
  tenant: Tenant,
  who: Caller,
  scope: TenantScope,
  now: Instant,
  services: Services,
): Promise<TenantPage> {
  const { store, settings } = services;
  const [posture, findings] = await Promise.all([
    store.scores.posture(scope, tenant.id),
    store.findings.ofTenant(scope, tenant.id),
  ]);
  const row = tenantRow(tenant, posture, now, staleBy(settings, now)(tenant));
  return {
    now,
    tenant: row,
    domains: tenant.domains.slice(0, mostNames),
    domainCount: tenant.domains.length,
    licenceCount: tenant.licences.skus.length,
    licences: licenceNames(tenant.licences.skus.slice(0, mostNames)),
    datasets: datasetNames.map((name) => {
      const state = tenant.datasets[name];
      return {
        name,
        state: state?.state ?? 'waiting',
        why: state?.why ?? '',
        readAt: state?.readAt ?? null,
        triedAt: state?.triedAt ?? null,
      };
    }),
    fall: standingFall(findings, tenant, now),
    connectedAt: tenant.connectedAt,
    permissions: permissionsOf(tenant),
    ...(posture === null ? nothingRead : await scoresOf(posture, tenant, scope, now, store)),
    ...(await offered(tenant, who, now, services)),
  };
}

function permissionsOf({ permissions }: Tenant): TenantPage['permissions'] {
  return permissions === undefined ? null : { ...permissionFacts(permissions.roles), at: permissions.at };
}

/** What the page offers this person, and what only those see who may change the connection. */
async function offered(
  tenant: Tenant,
  who: Caller,
  now: Instant,
  { store, settings }: Services,
): Promise<Pick<TenantPage, 'may' | 'credential' | 'waiting' | 'mend'>> {
  const scopeTo = (action: AccessAction): TenantScope => scopeFor(who, tabOf(who), action, now);
  const mayDo = (action: AccessAction): boolean => covers(scopeTo(action), tenant.id);
  const may = { sync: mayDo('sync'), connect: mayDo('connect'), remove: mayDo('purge') };
  if (!may.connect) return { may, credential: null, waiting: null, mend: null };
  const [facts, next] = await Promise.all([
    store.credentials.facts(scopeTo('connect'), tenant.id),
    store.nextCredentials.facts(scopeTo('connect'), tenant.id),
  ]);
  const waiting = next === null ? null : { appId: next.appId, madeAt: next.createdAt };
  if (facts === null) return { may, credential: null, waiting, mend: null };
  const { kind, appId, last4, createdAt, expiresAt } = facts;
  const credential: CredentialLine = { kind, appId, last4, createdAt, expiresAt: expiresAt ?? null };
  return { may, credential, waiting, mend: mendOf(tenant, appId, settings.entraPortal) };
}

const failureOf: Partial<Record<HealthState, Failure['kind']>> = {
  'authentication-error': 'authentication',
  'permission-error': 'permission',
};

function mendOf({ id, health }: Tenant, appId: string, portal: string): PageLink | null {
  const kind = failureOf[health.state];
  return kind === undefined ? null : entraPage({ kind, code: health.code }, id, appId, portal);
}

/** Two products may have one name: then what Microsoft sells them as stands beside it. */
function licenceNames(skus: readonly { name: string; partNumber: string }[]): string[] {
  const names = skus.map(({ name }) => name);
  return skus.map(({ name, partNumber }) => {
    if (name === '') return partNumber;
    const shared = names.indexOf(name) !== names.lastIndexOf(name);
    return shared ? `${name} (${partNumber})` : name;
  });
}

type Scores = Pick<
  TenantPage,
  'trend' | 'comparisons' | 'comparison' | 'categories' | 'moved' | 'actions' | 'actionCount'
>;

const nothingRead: Scores = {
  trend: [],
  comparisons: [],
  comparison: null,
  categories: [],
  moved: [],
  actions: [],
  actionCount: 0,
};

async function scoresOf(
  posture: Posture,
  tenant: Tenant,
  scope: TenantScope,
  now: Instant,
  store: Services['store'],
): Promise<Scores> {
  const [snapshots, actions] = await Promise.all([
    store.scores.snapshots(scope, tenant.id, plusDays(dayOf(now), -trendDays)),
    allActions(posture, tenant, scope, store),
  ]);
  const compared = comparisonOf(posture.comparisons, posture.percent);
  return {
    trend:
      snapshots.length === 0
        ? posture.trend
        : snapshots.map((one) => ({
            day: one.day,
            percent: percentOf(one),
            current: one.current,
            max: one.max,
          })),
    comparisons: posture.comparisons.slice(0, mostParts),
    comparison:
      compared === null
        ? null
        : { percent: compared.percent, label: compared.label, difference: compared.difference },
    categories: posture.categories.slice(0, mostParts),
    moved: posture.moved,
    actions,
    actionCount: posture.actionCount,
  };
}

/** The posture holds the first ten; the page shows all, ranked by the same function. */
async function allActions(
  posture: Posture,
  tenant: Tenant,
  scope: TenantScope,
  store: Services['store'],
): Promise<Action[]> {
  const [evaluated, profiles, changes] = await Promise.all([
    store.scores.evaluated(scope, tenant.id),
    store.scores.profiles(scope, tenant.id),
    store.scores.changes(scope, tenant.id, posture.day),
  ]);
  // A loss that reads as 0.0 is rounding, not a regression.
  const regressed = new Set(
    changes.filter((change) => direction(pointsMoved(change)) === 'down').map(({ name }) => name),
  );
  // Between two writes of a sync the parts may be of different days: then the ten that belong together are shown.
  if (evaluated === null || evaluated.day !== posture.day) return posture.actions;
  return actionsWorthMost(evaluated.controls, profiles, regressed).slice(0, mostActions);
}
