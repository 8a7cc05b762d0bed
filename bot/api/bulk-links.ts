import * as v from 'valibot';
import { type BulkLinks, selectionLimits } from '../../shared/api.ts';
import { isNotConnected } from '../../shared/tenants/not-connected.ts';
import { dayOf } from '../../shared/time.ts';
import { consentIsOff, makeLink } from '../connect/links.ts';
import { csvText } from '../csv.ts';
import { type Gate, personOf, tooFast } from './allowed.ts';
import { wrongWith } from './connect-body.ts';
import { problem } from './problem.ts';
import { openRate } from './rate.ts';
import type { ApiRoute } from './route.ts';
import { choose, selectionSchema } from './selection.ts';
import type { Standings } from './standings.ts';

const form = 'Fill in the form again: it did not come as it was meant.';
const bodySchema = v.strictObject({ of: selectionSchema, again: v.optional(v.boolean(), false) }, form);

/**
 * `POST /api/tab/tenants/links`: a link for the administrator of each chosen company, as a file. A company that has a
 * link which still can be used, or that is connected, keeps what it has unless `again` says so: a new link ends the one
 * somebody may be about to open.
 */
export function bulkLinksRoute(gate: Gate, standings: Standings): ApiRoute {
  const rate = openRate(5, 60_000);
  return {
    method: 'POST',
    path: '/api/tab/tenants/links',
    auth: 'tab',
    handle: async (request, who, services) => {
      const refusal =
        (await gate.door.toSome(request, who, 'connect', services)) ?? tooFast(rate, who, request);
      if (refusal !== null) return refusal;
      const body = v.safeParse(bodySchema, request.body, { abortEarly: true });
      if (!body.success) return problem(400, wrongWith(body.issues), request.id);
      if (services.consent === undefined) {
        const { message, hint } = consentIsOff();
        return problem(409, `${message} ${hint ?? ''}`.trim(), request.id);
      }
      const { of, again } = body.output;
      const { tenants, scope, left: notTheirs } = await choose(of, 'connect', who, standings, services);
      if (tenants.length > selectionLimits.links) {
        const most = `At most ${selectionLimits.links} links are made at once; these are ${tenants.length} companies.`;
        return problem(400, most, request.id);
      }
      const left: BulkLinks['left'] = [];
      const rows: string[][] = [];
      for (const tenant of tenants) {
        const why = again
          ? ''
          : !isNotConnected(tenant.health)
            ? 'It is connected, or was once.'
            : (await services.store.connectLinks.current(scope, tenant.id)) !== null
              ? 'It has a link that can still be used.'
              : '';
        if (why !== '') {
          left.push({ name: tenant.name, why });
          continue;
        }
        const { url, expiresAt } = await makeLink(tenant, personOf(who), 'tab', services);
        rows.push([tenant.name, tenant.domain, url, expiresAt]);
      }
      if (notTheirs > 0) {
        left.push({ name: `${notTheirs} more`, why: 'Making links is for Admins of these companies.' });
      }
      const answer: BulkLinks = {
        count: rows.length,
        csv: csvText(['Name', 'Domain', 'Link', 'Valid until'], rows),
        file: `watchpost-links-${dayOf(services.now())}.csv`,
        left,
      };
      return { status: 200, body: answer };
    },
  };
}
