import type { TenantId } from './tenants/tenant.ts';
import type { Instant } from './time.ts';

export const roles = ['Admin', 'Operator', 'Reader', 'Customer'] as const;
export type Role = (typeof roles)[number];

/** All tenants, or named ones. Tags and deny come with *Tenants*. */
export type GrantScope = 'all' | TenantId[];

/** One reason why a person may do something; several add up. */
export type Grant = {
  id: string;
  role: Role;
  scope: GrantScope;
  /** `chat`: an Admin's command · `app-role`: Entra app role in a tab token · `claim`: first Admin · `demo` · `cli`. */
  source: 'chat' | 'app-role' | 'claim' | 'demo' | 'cli';
  /** Who gave it, as shown to people: a name or `cli:root`. */
  by: string;
  at: Instant;
  /** Not valid from this instant on. */
  until?: Instant;
};

/** Who is asking. Decisions use only `tid`, `oid`, `grants`, `disabled`; `name` is for showing. */
export type Caller = {
  tid: TenantId;
  oid: string;
  name: string;
  /** True when `tid` is the home tenant. */
  home: boolean;
  disabled: boolean;
  grants: Grant[];
};

/** Audience class of a conversation: who can read what is posted there. */
export type Audience =
  | { kind: 'personal'; oid: string; tid: TenantId }
  | { kind: 'internal' }
  | { kind: 'customer'; tenant: TenantId }
  | { kind: 'unbound'; why: string };

export const actions = [
  'view', // posture of tenants
  'sync',
  'work', // acknowledge, snooze, claim, plan
  'grant', // roles and scopes
  'connect', // credentials, consent links
  'watch', // what a channel hears
  'bind', // which customer a channel belongs to
  'export',
  'purge', // delete a tenant, restore, key rotation: two people
] as const;
export type AccessAction = (typeof actions)[number];

/** The one table: who may do what. A role or action that is not here may not. */
const table: Record<AccessAction, readonly Role[]> = {
  view: ['Admin', 'Operator', 'Reader', 'Customer'],
  sync: ['Admin', 'Operator'],
  work: ['Admin', 'Operator'],
  grant: ['Admin'],
  connect: ['Admin'],
  watch: ['Admin', 'Operator'],
  bind: ['Admin'],
  export: ['Admin'],
  purge: ['Admin'],
};

/** Strength order for "nobody grants above the own role". */
const rank: Record<Role, number> = { Customer: 0, Reader: 1, Operator: 2, Admin: 3 };

/** The roles an action is open to: none for an action that is not in the table, whatever an object inherits. */
function rolesFor(action: AccessAction): readonly Role[] {
  return Object.hasOwn(table, action) ? table[action] : [];
}

/** Strength of a role; −1 for one that is not known. */
function rankOf(role: Role): number {
  return Object.hasOwn(rank, role) ? rank[role] : -1;
}

const brand: unique symbol = Symbol('TenantScope');

/**
 * The right to read or write rows of these tenants (I-10). Only this file makes one; a store file takes it as its
 * first argument and throws `scope` for a tenant outside it or for an object that was not made here.
 */
export type TenantScope = {
  readonly [brand]: true;
  readonly all: boolean;
  readonly ids: ReadonlySet<TenantId>;
};

const made = new WeakSet<object>();

function scopeOf(all: boolean, ids: Iterable<TenantId>): TenantScope {
  const scope: TenantScope = Object.freeze({ [brand]: true as const, all, ids: new Set(ids) });
  made.add(scope);
  return scope;
}

/** True when `scope` was made here and covers `tenant`. */
export function covers(scope: TenantScope, tenant: TenantId): boolean {
  return made.has(scope) && (scope.all || scope.ids.has(tenant));
}

/** True when `scope` was made here: what a store checks before it answers for several tenants. */
export function isScope(scope: TenantScope): boolean {
  return made.has(scope);
}

/** Scope of background work: one tenant at a time (I-12). */
export function scopeOfJob(tenant: TenantId): TenantScope {
  return scopeOf(false, [tenant]);
}

/** Scope of the program itself for finding work and for roll-ups that show nobody anything. */
export function scopeOfSystem(): TenantScope {
  return scopeOf(true, []);
}

/** The grants of a caller that count at `now`. A disabled person has none. */
export function liveGrants(who: Caller, now: Instant): Grant[] {
  if (who.disabled) return [];
  return who.grants.filter((grant) => grant.until === undefined || grant.until > now);
}

/** The strongest role a caller holds anywhere at `now`, null without any. */
export function roleOf(who: Caller, now: Instant): Role | null {
  let best: Role | null = null;
  for (const grant of liveGrants(who, now)) {
    if (rankOf(grant.role) > (best === null ? -1 : rankOf(best))) best = grant.role;
  }
  return best;
}

/**
 * May `who` do `action` (to `tenant`, when it is about one) at `now`? Looks at the person only; the place is the
 * business of `allowedIn` and `mayGo`. Unknown action, role, or tenant → no. `undefined` for `tenant` asks "to any".
 */
export function may(who: Caller, action: AccessAction, tenant: TenantId | undefined, now: Instant): boolean {
  const allowed = rolesFor(action);
  return liveGrants(who, now).some((grant) => {
    if (!allowed.includes(grant.role)) return false;
    if (grant.role === 'Customer') {
      // A customer is bound to the own tenant whatever a grant says.
      return (
        tenant === undefined ||
        (tenant === who.tid && (grant.scope === 'all' || grant.scope.includes(tenant)))
      );
    }
    return tenant === undefined || grant.scope === 'all' || grant.scope.includes(tenant);
  });
}

/**
 * The tenants `who` may do `action` to **and** `place` may show, as the scope every store call takes (I-4…I-6).
 * In a place bound to a customer, a person of that tenant without a grant may view it.
 */
export function scopeFor(who: Caller, place: Audience, action: AccessAction, now: Instant): TenantScope {
  const allowed = rolesFor(action);
  if (allowed.length === 0 || who.disabled) return scopeOf(false, []);
  let all = false;
  const ids = new Set<TenantId>();
  for (const grant of liveGrants(who, now)) {
    if (!allowed.includes(grant.role)) continue;
    if (grant.role === 'Customer') {
      if (grant.scope === 'all' || grant.scope.includes(who.tid)) ids.add(who.tid);
    } else if (grant.scope === 'all') all = true;
    else for (const id of grant.scope) ids.add(id);
  }
  switch (place.kind) {
    case 'internal':
      return who.home ? scopeOf(all, ids) : scopeOf(false, []);
    case 'personal':
      return place.oid === who.oid && place.tid === who.tid ? scopeOf(all, ids) : scopeOf(false, []);
    case 'customer': {
      const visitor = action === 'view' && who.tid === place.tenant;
      return scopeOf(false, all || ids.has(place.tenant) || visitor ? [place.tenant] : []);
    }
    default:
      return scopeOf(false, []);
  }
}

/** The tenants whose data may be seen in a place, whoever asks: the right side of the gate. */
export function allowedIn(place: Audience, personal: TenantScope | undefined): TenantScope {
  switch (place.kind) {
    case 'internal':
      return scopeOf(true, []);
    case 'customer':
      return scopeOf(false, [place.tenant]);
    case 'personal':
      return personal ?? scopeOf(false, []);
    default:
      return scopeOf(false, []);
  }
}

/**
 * The last call before the wire (I-3): may something that carries data of `tenants` go to `place`? `personal` is
 * today's view scope of the one reader of a personal chat or a targeted answer; without it nothing about tenants
 * goes there. No tenants = static text, which may go anywhere.
 */
export function mayGo(tenants: readonly TenantId[], place: Audience, personal?: TenantScope): boolean {
  if (tenants.length === 0) return true;
  const allowed = allowedIn(place, personal);
  return tenants.every((tenant) => covers(allowed, tenant));
}

/** May `who` give `role` over `scope`? Not above the own role, not beyond the own scope; only Admins give at all. */
export function mayGrant(who: Caller, role: Role, scope: GrantScope, now: Instant): boolean {
  const own = liveGrants(who, now).filter((grant) => rolesFor('grant').includes(grant.role));
  if (own.length === 0 || rankOf(role) < 0) return false;
  const within = own.filter((grant) => rankOf(grant.role) >= rankOf(role));
  if (scope === 'all') return within.some((grant) => grant.scope === 'all');
  return (
    scope.length > 0 &&
    scope.every((id) => within.some((grant) => grant.scope === 'all' || grant.scope.includes(id)))
  );
}

/** The caller as decisions see one: what the store knows of `tid` + `oid`, nothing a message or token claims besides. */
export function callerOf(
  known: { disabled: boolean; grants: Grant[] } | null,
  identity: { tid: TenantId; oid: string; name: string },
  homeTenantId: TenantId,
): Caller {
  return {
    ...identity,
    home: identity.tid === homeTenantId,
    disabled: known?.disabled ?? false,
    grants: known?.grants ?? [],
  };
}
