import * as v from 'valibot';
import { type Caller, scopeOfJob } from '../../shared/access.ts';
import type { ConsentStart, LinkMade, LinkState } from '../../shared/api.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { beginInTab } from '../connect/consent.ts';
import { consentIsOff, makeLink } from '../connect/links.ts';
import type { Services } from '../services.ts';
import { type Gate, personOf, tooFast } from './allowed.ts';
import { problem } from './problem.ts';
import { openRate } from './rate.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from './route.ts';

const nothing = v.strictObject({});

/** *Sign in with Microsoft* and *Generate link* of one company, for its Admins. */
export function consentRoutes(gate: Gate): ApiRoute[] {
  const rate = openRate(30, 60_000);
  const off = (request: ApiRequest): ApiAnswer => {
    const { message, hint } = consentIsOff();
    return problem(409, `${message} ${hint ?? ''}`.trim(), request.id);
  };
  /** A POST with nothing in it by who may connect this tenant, where consent is on. */
  const starts = (
    path: string,
    begin: (tenant: Tenant, who: Caller, services: Services) => Promise<ConsentStart | LinkMade>,
  ): ApiRoute => ({
    method: 'POST',
    path,
    auth: 'tab',
    handle: async (request, who, services) => {
      const allowed = await gate.door.toTenant(request, who, 'connect', services);
      if (allowed.kind === 'no') return allowed.answer;
      const refusal = tooFast(rate, who, request);
      if (refusal !== null) return refusal;
      if (services.consent === undefined) return off(request);
      if (!v.is(nothing, request.body)) return problem(400, 'Nothing is to be sent along.', request.id);
      return { status: 200, body: await begin(allowed.tenant, who, services) };
    },
  });
  return [
    starts('/api/tab/tenants/:id/consent', (tenant, who, services) =>
      beginInTab(tenant.id, personOf(who), services),
    ),
    starts('/api/tab/tenants/:id/link', (tenant, who, services) =>
      makeLink(tenant, personOf(who), 'tab', services),
    ),
    {
      method: 'GET',
      path: '/api/tab/tenants/:id/link',
      auth: 'tab',
      handle: async (request, who, services) => {
        const allowed = await gate.door.toTenant(request, who, 'connect', services);
        if (allowed.kind === 'no') return allowed.answer;
        const { id } = allowed.tenant;
        const link = await services.store.connectLinks.current(scopeOfJob(id), id);
        const body: LinkState = {
          consent: services.consent !== undefined,
          link: link === null ? null : { madeAt: link.at, expiresAt: link.expiresAt },
        };
        return { status: 200, body };
      },
    },
  ];
}
