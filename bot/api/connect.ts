import * as v from 'valibot';
import { type Caller, scopeFor } from '../../shared/access.ts';
import type { ConnectAnswer, ConnectStep } from '../../shared/api.ts';
import { endGiven } from '../../shared/tenants/credential-expiry.ts';
import type { Tenant, TenantId } from '../../shared/tenants/tenant.ts';
import type { Day } from '../../shared/time.ts';
import { sentence } from '../../shared/words.ts';
import { audit, type ConnectReport, connectKnown } from '../connect/connect-tenant.ts';
import { stepNames, type Tested, tenantOf, testConnection } from '../connect/test-connection.ts';
import { WatchpostError } from '../errors.ts';
import type { Secret } from '../secrets.ts';
import type { Services } from '../services.ts';
import { type Gate, personOf, tooFast } from './allowed.ts';
import { connectSchema, credentialsSchema, wrongWith } from './connect-body.ts';
import { namesakeOf } from './namesake.ts';
import { problem } from './problem.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from './route.ts';
import { tabOf } from './tenants.ts';

/** Below the server's own limit for an answer; what Microsoft has not said by then counts as not answered. */
export const patienceMs = 20_000;
const findStep = 'Find the tenant';
export const foundStep: ConnectStep = { step: findStep, state: 'works', says: '', remedy: '', link: null };

/**
 * Connecting a tenant and exchanging its credentials: each as a test that saves nothing, and as the real thing, which
 * tests once more and saves only what works. The secret goes in and never comes back.
 */
export function connectRoutes(gate: Gate): ApiRoute[] {
  const connect = (save: boolean): ApiRoute => ({
    method: 'POST',
    path: save ? '/api/tab/connect' : '/api/tab/connect/test',
    auth: 'tab',
    handle: async (request, who, services) => {
      const refusal =
        (await gate.door.toNewTenants(request, who, services)) ?? tooFast(gate.tests, who, request);
      if (refusal !== null) return refusal;
      const body = v.safeParse(connectSchema, request.body, { abortEarly: true });
      if (!body.success) return problem(400, wrongWith(body.issues), request.id);
      return await connectNew(body.output, save, who, services);
    },
  });
  const credentials = (save: boolean): ApiRoute => ({
    method: 'POST',
    path: `/api/tab/tenants/:id/credentials${save ? '' : '/test'}`,
    auth: 'tab',
    handle: async (request, who, services) => {
      const allowed = await gate.door.toTenant(request, who, 'connect', services);
      if (allowed.kind === 'no') return allowed.answer;
      const refusal = tooFast(gate.tests, who, request);
      if (refusal !== null) return refusal;
      return await exchange(request, allowed.tenant, save, who, services);
    },
  });
  return [connect(false), connect(true), credentials(false), credentials(true)];
}

type Form = {
  name?: string | undefined;
  tenant: string;
  appId: string;
  secret: Secret;
  secretExpires?: Day | undefined;
};

async function connectNew(form: Form, save: boolean, who: Caller, services: Services): Promise<ApiAnswer> {
  const started = performance.now();
  let id: TenantId;
  try {
    id = await tenantOf(form.tenant, services);
  } catch (error) {
    await audit(save ? 'connect tenant' : 'test connection', 'failed', undefined, services, personOf(who));
    return { status: 200, body: notFound(error) };
  }
  const scope = scopeFor(who, tabOf(who), 'connect', services.now());
  const known = await services.store.tenants.get(scope, id);
  if (known !== null) {
    const body: ConnectAnswer = { ...nothing, steps: [foundStep], known: { id, name: known.name } };
    return { status: 200, body };
  }
  const left = patienceMs - (performance.now() - started);
  const done = await carryOut(id, form, { save, what: 'connect tenant', deadlineMs: left }, who, services);
  const name = done.organization === null ? undefined : (form.name ?? done.organization.name);
  const namesake = name === undefined ? null : namesakeOf(id, name, await services.store.tenants.list(scope));
  return { status: 200, body: { ...done, namesake, steps: [foundStep, ...done.steps] } };
}

/** The old credential stays until the new one has been seen to work. */
async function exchange(
  request: ApiRequest,
  tenant: Tenant,
  save: boolean,
  who: Caller,
  services: Services,
): Promise<ApiAnswer> {
  const body = v.safeParse(credentialsSchema, request.body, { abortEarly: true });
  if (!body.success) return problem(400, wrongWith(body.issues), request.id);
  const form = { ...body.output, tenant: tenant.domain };
  const how = { save, what: 'update credentials', deadlineMs: patienceMs } as const;
  return { status: 200, body: await carryOut(tenant.id, form, how, who, services) };
}

type How = { save: boolean; what: 'connect tenant' | 'update credentials'; deadlineMs: number };

async function carryOut(
  id: TenantId,
  form: Form,
  { save, what, deadlineMs }: How,
  who: Caller,
  services: Services,
): Promise<ConnectAnswer> {
  const by = personOf(who);
  const { secret, secretExpires } = form;
  const expiresAt = endGiven(secretExpires ?? '');
  const credential = { kind: 'secret', secret, ...(expiresAt === null ? {} : { expiresAt }) } as const;
  if (save) {
    const { name, tenant, appId } = form;
    return answerOf(
      await connectKnown(
        id,
        { domain: tenant, ...(name === undefined ? {} : { name }), appId, credential, by, deadlineMs, what },
        services,
      ),
    );
  }
  const tested = await testConnection({ tenantId: id, appId: form.appId, credential }, services, deadlineMs);
  await audit('test connection', tested.organization === null ? 'failed' : 'done', id, services, by);
  return testedAnswer(tested);
}

const nothing: ConnectAnswer = {
  steps: [],
  works: false,
  organization: null,
  known: null,
  namesake: null,
  saved: null,
};

function testedAnswer(tested: Tested): ConnectAnswer {
  const { organization } = tested;
  return {
    ...nothing,
    steps: stepsOf(tested),
    works: organization !== null,
    organization:
      organization === null ? null : { name: organization.name, domain: organization.domains[0] ?? '' },
  };
}

export function answerOf(report: ConnectReport): ConnectAnswer {
  const { saved } = report;
  if (saved === null) return { ...nothing, steps: stepsOf(report) };
  const { tenantId, name, domain, syncId } = saved;
  return {
    ...nothing,
    steps: stepsOf(report),
    works: true,
    organization: { name, domain },
    saved: { id: tenantId, name, domain, sync: syncId },
  };
}

function stepsOf({ steps, notTried }: Pick<Tested, 'steps' | 'notTried'>): ConnectStep[] {
  return [
    ...steps.map(
      ({ step, works, says, remedy, gap, link }): ConnectStep => ({
        step,
        state: works ? (gap === true ? 'gap' : 'works') : 'failed',
        says: says === 'works' ? '' : sentence(says),
        remedy: remedy ?? '',
        link: link ?? null,
      }),
    ),
    ...notTried.map((step): ConnectStep => ({ step, state: 'not-tried', says: '', remedy: '', link: null })),
  ];
}

/** No tenant could be found, for a reason that is told as the first step; a stop of the program is not told here. */
export function notFound(error: unknown): ConnectAnswer {
  if (!(error instanceof WatchpostError) || error.code === 'stopped') throw error;
  const remedy = error.hint === undefined || error.hint === '' ? 'Try again in a few minutes.' : error.hint;
  const failed: ConnectStep = { step: findStep, state: 'failed', says: error.message, remedy, link: null };
  return { ...nothing, steps: [failed, ...stepsOf({ steps: [], notTried: Object.values(stepNames) })] };
}
