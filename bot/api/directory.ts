import { covers, scopeFor } from '../../shared/access.ts';
import { directoryPage } from '../../shared/directory/page.ts';
import { tenantId } from '../../shared/tenants/tenant.ts';
import { problem } from './problem.ts';
import type { ApiRoute } from './route.ts';
import { tabOf } from './tenants.ts';

/**
 * `GET /api/tab/tenants/{id}/directory`: users, MFA, roles, groups, licences and domains of one tenant. A tenant this
 * person may not see is answered as one that does not exist (I-4).
 */
export const directoryRoute: ApiRoute = {
  method: 'GET',
  path: '/api/tab/tenants/:id/directory',
  auth: 'tab',
  handle: async (request, who, { store, now: clock }) => {
    const now = clock();
    const scope = scopeFor(who, tabOf(who), 'view', now);
    const id = tenantId(request.params.id ?? '');
    const tenant = id === undefined || !covers(scope, id) ? null : await store.tenants.get(scope, id);
    if (tenant === null) return problem(404, 'No such tenant is available here.', request.id);
    const directory = await store.directories.get(scope, tenant.id);
    return { status: 200, body: directoryPage(tenant, directory ?? {}, now) };
  },
};
