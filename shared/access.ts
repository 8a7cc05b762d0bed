import type { TenantId } from './tenants/tenant.ts';
import type { Instant } from './time.ts';

export const roles = ['Admin', 'Operator', 'Reader', 'Customer'] as const;
export type Role = (typeof roles)[number];

/** All tenants, or named ones; what is given by tag stands beside it. */
export type GrantScope = 'all' | TenantId[];

/** Tenants by name and by tag; both add up. A tag covers the tenants that have it at the moment of asking. */
export type Covered = { scope: GrantScope; tags?: readonly string[] };

/** One reason why a person may do something; several add up. */
export type Grant = {
  id: string;
  role: Role;
  scope: GrantScope;
  /** Besides `scope`: tenants with one of these tags, whichever they are when somebody asks. Lower case. */
  tags?: string[];
  /** `chat`, `tab`: an Admin there · `app-role`, `group`: Entra app role, group in a tab token · `claim`: first Admin ·
   * `demo` · `cli`. */
  source: 'chat' | 'tab' | 'app-role' | 'group' | 'claim' | 'demo' | 'cli';
  /** Who gave it, as shown to people: a name or `cli:root`. */
  by: string;
  at: Instant;
  /** Not valid from this instant on. */
  until?: Instant;
};

/** What a person may not touch, whatever was granted: it wins over every role. `all` takes everything. */
export type Deny = {
  id: string;
  scope: GrantScope;
  tags?: string[];
  by: string;
  at: Instant;
  /** Not valid from this instant on. */
  until?: Instant;
};

/** Which tenants there are and which have a tag, as they were when a caller was made. */
export type Reach = {
  all: ReadonlySet<TenantId>;
  tagged: ReadonlyMap<string, ReadonlySet<TenantId>>;
};

/** Who is asking. Decisions use only `tid`, `oid`, `grants`, `denies`, `reach`, `disabled`; `name` is for showing. */
export type Caller = {
  tid: TenantId;
  oid: string;
  name: string;
  /** True when `tid` is the home tenant. */
  home: boolean;
  disabled: boolean;
  grants: Grant[];
  denies?: readonly Deny[];
  /** Needed only by who has tags or denies: without it a tag grants nothing and denies everything. */
  reach?: Reach;
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

/** What the tenants there are say about tags: made once for each list of them. */
export function reachOf(tenants: readonly { id: TenantId; tags?: readonly string[] }[]): Reach {
  const tagged = new Map<string, Set<TenantId>>();
  for (const { id, tags } of tenants) {
    for (const tag of tags ?? []) {
      const having = tagged.get(tag);
      if (having === undefined) tagged.set(tag, new Set([id]));
      else having.add(id);
    }
  }
  return { all: new Set(tenants.map(({ id }) => id)), tagged };
}

/** Does what one may do depend on which tenants there are now? Then a caller needs a `reach`. */
export function needsReach(known: { grants: readonly Grant[]; denies?: readonly Deny[] }): boolean {
  return (known.denies?.length ?? 0) > 0 || known.grants.some(({ tags }) => (tags?.length ?? 0) > 0);
}

/** The denies of a caller that count at `now`. */
export function liveDenies(who: Pick<Caller, 'denies'>, now: Instant): Deny[] {
  return (who.denies ?? []).filter((deny) => deny.until === undefined || deny.until > now);
}

/** The grants of a caller that count at `now`. Who is disabled or denied everything has none. */
export function liveGrants(who: Caller, now: Instant): Grant[] {
  if (who.disabled || liveDenies(who, now).some((deny) => deny.scope === 'all')) return [];
  return who.grants.filter((grant) => grant.until === undefined || grant.until > now);
}

/** Is the tenant among these, named or by a tag it has now? */
function isIn({ scope, tags }: Covered, tenant: TenantId, reach: Reach | undefined): boolean {
  if (scope === 'all' || scope.includes(tenant)) return true;
  return tags?.some((tag) => reach?.tagged.get(tag)?.has(tenant) === true) ?? false;
}

/** A tag that cannot be looked up may stand for any tenant: it denies. */
function isDenied(denies: readonly Deny[], tenant: TenantId, reach: Reach | undefined): boolean {
  return denies.some(
    (deny) => isIn(deny, tenant, reach) || (reach === undefined && (deny.tags?.length ?? 0) > 0),
  );
}

/** All that a person may do an action to, whatever the place. With a deny it is never `all`, but who is left. */
function ownScope(who: Caller, allowed: readonly Role[], now: Instant): { all: boolean; ids: Set<TenantId> } {
  const { reach } = who;
  let all = false;
  const ids = new Set<TenantId>();
  for (const grant of liveGrants(who, now)) {
    if (!allowed.includes(grant.role)) continue;
    if (grant.role === 'Customer') {
      // A customer is bound to the own tenant whatever a grant says.
      if (isIn(grant, who.tid, reach)) ids.add(who.tid);
      continue;
    }
    if (grant.scope === 'all') all = true;
    else for (const id of grant.scope) ids.add(id);
    for (const tag of grant.tags ?? []) for (const id of reach?.tagged.get(tag) ?? []) ids.add(id);
  }
  const denies = liveDenies(who, now);
  if (denies.length === 0) return { all, ids };
  if (all) for (const id of reach?.all ?? []) ids.add(id);
  for (const id of ids) if (isDenied(denies, id, reach)) ids.delete(id);
  return { all: false, ids };
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
 * A deny wins over every grant.
 */
export function may(who: Caller, action: AccessAction, tenant: TenantId | undefined, now: Instant): boolean {
  const allowed = rolesFor(action);
  const grants = liveGrants(who, now).filter((grant) => allowed.includes(grant.role));
  const denies = liveDenies(who, now);
  if (tenant === undefined) {
    if (denies.length === 0 && grants.every(({ tags }) => tags === undefined)) return grants.length > 0;
    const { all, ids } = ownScope(who, allowed, now);
    return all || ids.size > 0;
  }
  if (isDenied(denies, tenant, who.reach)) return false;
  // A customer is bound to the own tenant whatever a grant says.
  return grants.some(
    (grant) => (grant.role !== 'Customer' || tenant === who.tid) && isIn(grant, tenant, who.reach),
  );
}

/**
 * The tenants `who` may do `action` to **and** `place` may show, as the scope every store call takes (I-4…I-6).
 * In a place bound to a customer, a person of that tenant without a grant may view it, unless that was denied.
 */
export function scopeFor(who: Caller, place: Audience, action: AccessAction, now: Instant): TenantScope {
  const allowed = rolesFor(action);
  if (allowed.length === 0 || who.disabled) return scopeOf(false, []);
  const { all, ids } = ownScope(who, allowed, now);
  switch (place.kind) {
    case 'internal':
      return who.home ? scopeOf(all, ids) : scopeOf(false, []);
    case 'personal':
      return place.oid === who.oid && place.tid === who.tid ? scopeOf(all, ids) : scopeOf(false, []);
    case 'customer': {
      const visitor =
        action === 'view' &&
        who.tid === place.tenant &&
        !isDenied(liveDenies(who, now), place.tenant, who.reach);
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

/**
 * May `who` give `role` over `scope` and `tags`? Not above the own role, not beyond the own scope; only Admins give at
 * all. What is not named, all or a tag, also covers tenants of later: a tag is given by who holds all or that tag, and
 * who is denied anything gives named tenants only, none of them denied.
 */
export function mayGrant(
  who: Caller,
  role: Role,
  scope: GrantScope,
  now: Instant,
  tags: readonly string[] = [],
): boolean {
  const own = liveGrants(who, now).filter((grant) => rolesFor('grant').includes(grant.role));
  if (own.length === 0 || rankOf(role) < 0) return false;
  const within = own.filter((grant) => rankOf(grant.role) >= rankOf(role));
  const denies = liveDenies(who, now);
  const byAll = within.some((grant) => grant.scope === 'all');
  if (denies.length > 0 && (scope === 'all' || tags.length > 0)) return false;
  if (!tags.every((tag) => byAll || within.some((grant) => grant.tags?.includes(tag) === true))) return false;
  if (scope === 'all') return byAll;
  return (
    scope.length + tags.length > 0 &&
    scope.every(
      (id) => !isDenied(denies, id, who.reach) && within.some((grant) => isIn(grant, id, who.reach)),
    )
  );
}

/** Whose rights are to be changed. */
export type Target = { tid: TenantId; oid: string; grants: readonly Grant[]; denies?: readonly Deny[] };

/** May `who` take all of these grants? Only who could have given each of them, and never the own. */
export function mayTake(who: Caller, target: Target, now: Instant): boolean {
  if (isSelf(who, target) || !may(who, 'grant', undefined, now)) return false;
  return target.grants.every((grant) => mayGrant(who, grant.role, grant.scope, now, grant.tags));
}

/** May `who` deny this to the person? An Admin of all that is denied, who could take all that the person holds. */
export function mayDeny(who: Caller, target: Target, denied: Covered, now: Instant): boolean {
  return mayTake(who, target, now) && mayGrant(who, 'Admin', denied.scope, now, denied.tags);
}

/** May `who` lift all denies of this person? Nobody on himself; an Admin of all that was denied. */
export function mayLift(who: Caller, target: Target, now: Instant): boolean {
  if (isSelf(who, target) || !may(who, 'grant', undefined, now)) return false;
  return (target.denies ?? []).every((deny) => mayGrant(who, 'Admin', deny.scope, now, deny.tags));
}

/** May `who` switch the person off or on again? An Admin of all tenants, and never himself. */
export function maySwitch(who: Caller, target: Target, now: Instant): boolean {
  return mayTake(who, target, now) && mayGrant(who, 'Admin', 'all', now);
}

function isSelf(who: Pick<Caller, 'tid' | 'oid'>, target: Pick<Target, 'tid' | 'oid'>): boolean {
  return who.tid === target.tid && who.oid === target.oid;
}

/** The caller as decisions see one: what the store knows of `tid` + `oid`, nothing a message or token claims besides. */
export function callerOf(
  known: { disabled: boolean; grants: Grant[]; denies?: readonly Deny[]; reach?: Reach } | null,
  identity: { tid: TenantId; oid: string; name: string },
  homeTenantId: TenantId,
): Caller {
  const { tid, oid, name } = identity;
  return {
    ...{ tid, oid, name },
    home: tid === homeTenantId,
    disabled: known?.disabled ?? false,
    grants: known?.grants ?? [],
    ...(known?.denies === undefined ? {} : { denies: known.denies }),
    ...(known?.reach === undefined ? {} : { reach: known.reach }),
  };
}
