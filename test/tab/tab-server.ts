import { fileURLToPath } from 'node:url';
import { apiRoutes } from '../../bot/api/index.ts';
import { openRequireUser, type RequireUserOptions } from '../../bot/api/require-user.ts';
import { demoBotId, demoHome, demoPeople, demoTabAppId } from '../../bot/cast.ts';
import { silentLog } from '../../bot/log.ts';
import { openMetrics } from '../../bot/metrics.ts';
import { createServer } from '../../bot/server.ts';
import type { Services, Store } from '../../bot/services.ts';
import type { Role } from '../../shared/access.ts';
import type { TabConfig } from '../../shared/api.ts';
import type { Tenant, TenantId } from '../../shared/tenants/tenant.ts';
import { directoryReads } from '../support/directory-reads.ts';
import { openTestStore } from '../support/store.ts';
import { type Seed, seedTenants } from './seeded.ts';
import { issuer, openTestEntra } from './tab-tokens.ts';

export type TabServer = {
  url: string;
  store: Store;
  /** Where the store's files are. */
  folder: string;
  tenants: Tenant[];
  entra: ReturnType<typeof openTestEntra>;
  /** A token of one of the demo's people, 0 = Ana. */
  tokenOf(person: number, claims?: Record<string, unknown>): Promise<string>;
  grant(person: number, role: Role, scope: 'all' | TenantId[]): Promise<void>;
  get(path: string, authorization?: string): Promise<Response>;
  /** JSON to a POST route; text goes as it is. */
  post(path: string, body: unknown, authorization?: string): Promise<Response>;
  services: Services;
  close(): Promise<void>;
};

const built = fileURLToPath(new URL('../../tab/dist', import.meta.url));

/** The real server, API, token check and store, with tenants seeded; only Entra's keys are the test's. */
export async function openTabServer(options: {
  seeds: readonly Seed[];
  signIn?: TabConfig;
  tabFolder?: string;
  requireUser?: Partial<RequireUserOptions>;
  sandboxOrigin?: string;
  /** Instead of a Microsoft that is never asked, a log that is silent, and so on. */
  services?: Partial<Services>;
}): Promise<TabServer> {
  const { store, folder, close } = await openTestStore();
  const tenants = await seedTenants(store, options.seeds, store.now());
  const entra = openTestEntra();
  const notHere = async (): Promise<never> => {
    throw new Error('the tab asks nothing of Microsoft or Teams');
  };
  const services: Services = {
    store,
    microsoft: {
      token: notHere,
      organization: notHere,
      domains: notHere,
      subscribedSkus: notHere,
      secureScores: notHere,
      secureScoreControlProfiles: notHere,
      ...directoryReads(notHere),
      tenantOfDomain: notHere,
      forget: () => undefined,
    },
    dns: { txt: notHere, cname: notHere },
    deliver: { send: notHere, typing: notHere, post: notHere },
    roster: notHere,
    entraKeys: entra.keys,
    log: silentLog(),
    metrics: openMetrics('main'),
    now: () => store.now(),
    random: () => crypto.randomUUID(),
    nudge: () => undefined,
    signal: new AbortController().signal,
    settings: {
      demo: false,
      homeTenantId: demoHome.id,
      publicUrl: 'https://watchpost.example.com',
      teamsAppId: undefined,
      botId: demoBotId,
      entraPortal: 'https://entra.microsoft.com',
      syncScores: '17 5,17 * * *',
      syncDirectory: '41 2 * * *',
    },
    ...options.services,
  };
  const server = createServer({
    config: {
      publicUrl: 'https://watchpost.example.com',
      metricsToken: undefined,
      demo: options.sandboxOrigin !== undefined,
      sandboxOrigin: options.sandboxOrigin,
      tabFolder: options.tabFolder ?? built,
    },
    door: undefined,
    apiRoutes: apiRoutes({ signIn: options.signIn ?? { signIn: 'teams-only' } }),
    requireUser: openRequireUser({
      services,
      audience: demoTabAppId,
      homeTenantId: demoHome.id,
      issuer,
      ...options.requireUser,
    }),
    services,
    ready: async () => true,
  });
  const port = await server.listen(0, '127.0.0.1');
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    store,
    folder,
    tenants,
    entra,
    tokenOf: (person, claims = {}) =>
      entra.token({ oid: demoPeople[person]?.oid, name: demoPeople[person]?.name, ...claims }),
    async grant(person, role, scope) {
      const who = demoPeople[person];
      if (who === undefined) throw new Error('no such person');
      await store.people.addGrant(demoHome.id, who.oid, who.name, {
        id: `${person} ${role}`,
        role,
        scope,
        source: 'demo',
        by: 'demo',
        at: store.now(),
      });
    },
    get: (path, authorization) =>
      fetch(`${url}${path}`, {
        headers: authorization === undefined ? {} : { authorization },
        signal: AbortSignal.timeout(20_000),
      }),
    post: (path, body, authorization) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(authorization === undefined ? {} : { authorization }),
        },
        body: typeof body === 'string' ? body : JSON.stringify(body),
        signal: AbortSignal.timeout(30_000),
      }),
    services,
    async close() {
      await server.close();
      await close();
    },
  };
}
