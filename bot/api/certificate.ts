import * as v from 'valibot';
import { type Caller, scopeFor } from '../../shared/access.ts';
import type { CertificateAnswer } from '../../shared/api.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { dropCertificate, tryCertificate, waitingCertificate } from '../connect/certificate.ts';
import { tenantOf } from '../connect/test-connection.ts';
import type { Services } from '../services.ts';
import { type Gate, personOf, tooFast } from './allowed.ts';
import { answerOf, foundStep, notFound, patienceMs } from './connect.ts';
import { certificateSchema, newCertificateSchema, tryCertificateSchema, wrongWith } from './connect-body.ts';
import { problem } from './problem.ts';
import { openRate } from './rate.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from './route.ts';
import { tabOf } from './tenants.ts';

/**
 * *Own app and certificate*: Watchpost makes the key pair, a person uploads the public part, and the test saves it as
 * soon as Entra accepts it. For a tenant that is not connected yet, and for one that is: there the old credential stays
 * in use until then.
 */
export function certificateRoutes(gate: Gate): ApiRoute[] {
  /** A key pair costs a third of a second of a core. */
  const makes = openRate(10, 60_000);

  const makeNew: ApiRoute = {
    method: 'POST',
    path: '/api/tab/connect/certificate',
    auth: 'tab',
    handle: async (request, who, services) => {
      const refusal = (await gate.door.toNewTenants(request, who, services)) ?? tooFast(makes, who, request);
      if (refusal !== null) return refusal;
      const body = v.safeParse(newCertificateSchema, request.body, { abortEarly: true });
      if (!body.success) return problem(400, wrongWith(body.issues), request.id);
      const { tenant, appId, anew = false } = body.output;
      let id: TenantId;
      try {
        id = await tenantOf(tenant, services);
      } catch (error) {
        const none: CertificateAnswer = { steps: notFound(error).steps, known: null, certificate: null };
        return { status: 200, body: none };
      }
      const known = await knownTenant(id, who, services);
      if (known !== null) {
        const answer: CertificateAnswer = { steps: [foundStep], known, certificate: null };
        return { status: 200, body: answer };
      }
      return await make(id, { appId, anew }, who, services);
    },
  };
  const tryNew: ApiRoute = {
    method: 'POST',
    path: '/api/tab/connect/certificate/test',
    auth: 'tab',
    handle: async (request, who, services) => {
      const refusal =
        (await gate.door.toNewTenants(request, who, services)) ?? tooFast(gate.tests, who, request);
      if (refusal !== null) return refusal;
      const body = v.safeParse(tryCertificateSchema, request.body, { abortEarly: true });
      if (!body.success) return problem(400, wrongWith(body.issues), request.id);
      const { tenant: id, name } = body.output;
      const what = (await knownTenant(id, who, services)) === null ? 'connect tenant' : 'update credentials';
      return await attempt(
        id,
        { domain: id, ...(name === undefined ? {} : { name }), what },
        request,
        who,
        services,
      );
    },
  };
  const makeNext: ApiRoute = {
    method: 'POST',
    path: '/api/tab/tenants/:id/certificate',
    auth: 'tab',
    handle: async (request, who, services) => {
      const allowed = await gate.door.toTenant(request, who, 'connect', services);
      if (allowed.kind === 'no') return allowed.answer;
      const refusal = tooFast(makes, who, request);
      if (refusal !== null) return refusal;
      const body = v.safeParse(certificateSchema, request.body, { abortEarly: true });
      if (!body.success) return problem(400, wrongWith(body.issues), request.id);
      const { appId, anew = false } = body.output;
      return await make(allowed.tenant.id, { appId, anew }, who, services);
    },
  };
  const tryNext: ApiRoute = {
    method: 'POST',
    path: '/api/tab/tenants/:id/certificate/test',
    auth: 'tab',
    handle: async (request, who, services) => {
      const allowed = await gate.door.toTenant(request, who, 'connect', services);
      if (allowed.kind === 'no') return allowed.answer;
      const refusal = tooFast(gate.tests, who, request);
      if (refusal !== null) return refusal;
      const { id, domain } = allowed.tenant;
      return await attempt(id, { domain, what: 'update credentials' }, request, who, services);
    },
  };
  const drop: ApiRoute = {
    method: 'POST',
    path: '/api/tab/tenants/:id/certificate/drop',
    auth: 'tab',
    handle: async (request, who, services) => {
      const allowed = await gate.door.toTenant(request, who, 'connect', services);
      if (allowed.kind === 'no') return allowed.answer;
      const dropped = await dropCertificate(allowed.tenant.id, personOf(who), services);
      return { status: 200, body: { dropped } };
    },
  };
  return [makeNew, tryNew, makeNext, tryNext, drop];
}

async function knownTenant(
  id: TenantId,
  who: Caller,
  { store, now }: Services,
): Promise<{ id: string; name: string } | null> {
  const known = await store.tenants.get(scopeFor(who, tabOf(who), 'connect', now()), id);
  return known === null ? null : { id, name: known.name };
}

async function make(
  id: TenantId,
  wanted: { appId: string; anew: boolean },
  who: Caller,
  services: Services,
): Promise<ApiAnswer> {
  const certificate = await waitingCertificate(id, { ...wanted, by: personOf(who) }, services);
  const answer: CertificateAnswer = { steps: [], known: null, certificate };
  return { status: 200, body: answer };
}

async function attempt(
  id: TenantId,
  wanted: { domain: string; name?: string; what: 'connect tenant' | 'update credentials' },
  request: ApiRequest,
  who: Caller,
  services: Services,
): Promise<ApiAnswer> {
  const tried = await tryCertificate(id, { ...wanted, by: personOf(who) }, patienceMs, services);
  if (tried.kind === 'none') {
    return problem(409, 'No certificate of this tenant waits for Entra: make one first.', request.id);
  }
  return { status: 200, body: { ...answerOf(tried.report), ...(tried.again ? { again: true } : {}) } };
}
