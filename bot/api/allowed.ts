import { type AccessAction, type Caller, covers, scopeFor, type TenantScope } from '../../shared/access.ts';
import { type Tenant, tenantId } from '../../shared/tenants/tenant.ts';
import type { Services } from '../services.ts';
import { problem } from './problem.ts';
import { openRate } from './rate.ts';
import type { ApiAnswer, ApiRequest } from './route.ts';
import { tabOf } from './tenants.ts';

/** Who asked, as audit and sync requests name a person. */
export function personOf({ tid, oid }: Pick<Caller, 'tid' | 'oid'>): string {
  return `${tid}/${oid}`;
}

export type Allowed = { kind: 'yes'; tenant: Tenant; scope: TenantScope } | { kind: 'no'; answer: ApiAnswer };

/** What the actions are called in the audit and in the words of a refusal. */
const words: Partial<Record<AccessAction, { audit: string; refusal: string }>> = {
  sync: { audit: 'sync', refusal: 'Syncing is for Operators and Admins of this tenant. You may look at it.' },
  connect: {
    audit: 'update credentials',
    refusal: 'Changing how a tenant is connected is for its Admins. You may look at it.',
  },
  purge: { audit: 'remove tenant', refusal: 'Removing a tenant is for its Admins. You may look at it.' },
};

/**
 * The door before everything that changes something: may this person do this to the tenant in the path? A tenant the
 * person may not even see is answered as one that does not exist (I-4); a refusal is audited, a flood of them counted.
 */
export function openDoor(): {
  toTenant(
    request: ApiRequest,
    who: Caller,
    action: 'sync' | 'connect' | 'purge',
    services: Services,
  ): Promise<Allowed>;
  /** May this person connect tenants that are not known yet? Null when so. */
  toNewTenants(request: ApiRequest, who: Caller, services: Services): Promise<ApiAnswer | null>;
  /** May this person do it to any tenant at all? Null when so; to which is the business of the handler. */
  toSome(
    request: ApiRequest,
    who: Caller,
    action: 'sync' | 'connect',
    services: Services,
  ): Promise<ApiAnswer | null>;
} {
  async function note(who: Caller, what: string, tenant: Tenant | null, services: Services): Promise<void> {
    await services.store.audit.denied({
      who: personOf(who),
      what,
      where: 'tab',
      result: 'refused',
      ...(tenant === null ? {} : { tenant: tenant.id }),
    });
  }

  return {
    async toTenant(request, who, action, services) {
      const now = services.now();
      const seen = scopeFor(who, tabOf(who), 'view', now);
      const id = tenantId(request.params.id ?? '');
      const tenant =
        id === undefined || !covers(seen, id) ? null : await services.store.tenants.get(seen, id);
      if (tenant === null) {
        return { kind: 'no', answer: problem(404, 'No such tenant is available here.', request.id) };
      }
      const scope = scopeFor(who, tabOf(who), action, now);
      if (covers(scope, tenant.id)) return { kind: 'yes', tenant, scope };
      await note(who, words[action]?.audit ?? action, tenant, services);
      const refusal = words[action]?.refusal ?? 'This is not for you to do.';
      return { kind: 'no', answer: problem(403, refusal, request.id) };
    },
    async toSome(request, who, action, services) {
      const scope = scopeFor(who, tabOf(who), action, services.now());
      if (scope.all || scope.ids.size > 0) return null;
      await note(who, words[action]?.audit ?? action, null, services);
      return problem(403, words[action]?.refusal ?? 'This is not for you to do.', request.id);
    },
    async toNewTenants(request, who, services) {
      if (scopeFor(who, tabOf(who), 'connect', services.now()).all) return null;
      await note(who, 'connect tenant', null, services);
      return problem(403, 'Connecting a tenant is for Admins of all tenants.', request.id);
    },
  };
}

/** The door and the counters all routes share that change something. */
export type Gate = ReturnType<typeof openGate>;
export function openGate() {
  return {
    door: openDoor(),
    /** Tests of credentials, and saving them, which tests once more: ten connections a minute. */
    tests: openRate(20, 60_000),
    syncs: openRate(20, 60_000),
    /** Changes of many tenants at once, and the steps of an import. */
    bulk: openRate(300, 60_000),
  };
}

/** A refusal for who is too fast, or null. */
export function tooFast(
  rate: ReturnType<typeof openRate>,
  who: Caller,
  request: ApiRequest,
): ApiAnswer | null {
  const turn = rate(who);
  if (turn.kind === 'go') return null;
  const seconds = turn.seconds === 1 ? 'a second' : `${turn.seconds} seconds`;
  return problem(429, `That is a lot at once. Try again in ${seconds}.`, request.id);
}
