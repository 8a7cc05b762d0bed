import type { TabConfig } from '../../shared/api.ts';
import { meRoute } from './me.ts';
import type { ApiRoute } from './route.ts';
import { openStandings } from './standings.ts';
import { tenantRoute } from './tenant.ts';
import { tenantsRoute } from './tenants.ts';

/** All routes of the tab's API. `signIn` says how a page outside Teams gets its token. */
export function apiRoutes(options: { signIn: TabConfig }): ApiRoute[] {
  const standings = openStandings();
  return [
    {
      method: 'GET',
      path: '/api/tab/config',
      auth: 'none',
      handle: async () => ({ status: 200, body: options.signIn }),
    },
    meRoute,
    tenantsRoute(standings),
    tenantRoute,
  ];
}
