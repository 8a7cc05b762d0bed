import type { TabConfig } from '../../shared/api.ts';
import { openGate } from './allowed.ts';
import { certificateRoutes } from './certificate.ts';
import { connectRoutes } from './connect.ts';
import { meRoute } from './me.ts';
import { removeRoute } from './remove.ts';
import type { ApiRoute } from './route.ts';
import { openStandings } from './standings.ts';
import { syncRoutes } from './sync.ts';
import { tenantRoute } from './tenant.ts';
import { tenantsRoute } from './tenants.ts';

/** All routes of the tab's API. `signIn` says how a page outside Teams gets its token. */
export function apiRoutes(options: { signIn: TabConfig }): ApiRoute[] {
  const standings = openStandings();
  const gate = openGate();
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
    ...connectRoutes(gate),
    ...certificateRoutes(gate),
    ...syncRoutes(gate),
    removeRoute(gate),
  ];
}
