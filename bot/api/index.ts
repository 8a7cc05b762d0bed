import type { TabConfig } from '../../shared/api.ts';
import { openGate } from './allowed.ts';
import { auditRoutes } from './audit.ts';
import { audited } from './audited.ts';
import { bulkRoutes } from './bulk.ts';
import { bulkLinksRoute } from './bulk-links.ts';
import { certificateRoutes } from './certificate.ts';
import { claimsRoute } from './claims.ts';
import { companiesRoutes } from './companies.ts';
import { connectRoutes } from './connect.ts';
import { consentRoutes } from './consent.ts';
import { directoryRoute } from './directory.ts';
import { jobsRoute } from './jobs.ts';
import { meRoute } from './me.ts';
import { peopleRoutes } from './people.ts';
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
  const routes: ApiRoute[] = [
    {
      method: 'GET',
      path: '/api/tab/config',
      auth: 'none',
      handle: async () => ({ status: 200, body: options.signIn }),
    },
    meRoute,
    claimsRoute,
    ...peopleRoutes(),
    tenantsRoute(standings),
    tenantRoute,
    directoryRoute,
    ...connectRoutes(gate),
    ...consentRoutes(gate),
    ...certificateRoutes(gate),
    ...syncRoutes(gate),
    removeRoute(gate),
    ...auditRoutes(),
    ...companiesRoutes(gate),
    ...bulkRoutes(gate, standings),
    bulkLinksRoute(gate, standings),
    jobsRoute(gate),
  ];
  return routes.map(audited);
}
