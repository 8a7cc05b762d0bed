import { createHash } from 'node:crypto';
// Not the index of jose: it signs and encrypts too, 35 files that nobody here asks.
import { decodeProtectedHeader } from 'jose/decode/protected_header';
import { jwtVerify } from 'jose/jwt/verify';
import { LRUCache } from 'lru-cache';
import * as v from 'valibot';
import { type Caller, callerOf, type Role, scopeOfSystem } from '../../shared/access.ts';
import { type ShownBy, shownByDefault, shownClaims } from '../../shared/shown-claims.ts';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { type Instant, plus } from '../../shared/time.ts';
import { errorCode } from '../errors.ts';
import type { Services, SigningKey } from '../services.ts';
import { openComplaints } from './complaints.ts';
import { firstOf, keepFacts, type TokenFacts } from './token-claims.ts';

export type RequireUser = (authorization: string | undefined) => Promise<UserAnswer>;
export type UserAnswer =
  | { kind: 'user'; who: Caller }
  | { kind: 'refused'; status: 401 | 403 | 503; detail: string };

export type RequireUserOptions = {
  services: Pick<Services, 'store' | 'entraKeys' | 'log' | 'now'>;
  /** App id of the tab's API: the only audience. */
  audience: string;
  homeTenantId: TenantId;
  /** Issuer of this cloud's tokens with `{tid}` in it. */
  issuer: string;
  /** App ids a person may come through; Teams, Microsoft 365, Outlook and our own popup by default. */
  clients?: readonly string[];
  /** Roles by the object id of a group in the token's `groups`. */
  groupRoles?: ReadonlyMap<string, Role>;
  /** Which claims are the name and the mail address that are shown. */
  shownBy?: ShownBy;
  /** May people of this tenant come in at all? The home tenant and connected ones by default. */
  allowedTenants?: (tid: TenantId) => Promise<boolean>;
};

/** Microsoft's own apps that host tabs and ask for a token on their behalf. */
export const hostClients: readonly string[] = [
  '1fec8e78-bce4-4aaf-ab1b-5451cc387264', // Teams, desktop and mobile
  '5e3ce6c0-2b1f-4285-8d4b-75ee78787346', // Teams, web
  '4765445b-32c6-49b0-83e6-1d93765276ca', // Microsoft 365, web
  '0ec893e0-5785-4de6-99da-4ed124e5296c', // Microsoft 365, desktop
  'd3590ed6-52b3-4102-aeff-aad2292ab01c', // Microsoft 365, mobile; Outlook, desktop
  'bc59ab01-8403-45c6-8796-ac3ef710b3e3', // Outlook, web
  '27922004-5251-4030-b22d-91ecd9a37ea4', // Outlook, mobile
];

const skewSeconds = 120;
const longestToken = 16_384;
const appRoleDays = 14;
const appRoles: Readonly<Record<string, Role>> = {
  'Watchpost.Admin': 'Admin',
  'Watchpost.Operator': 'Operator',
  'Watchpost.Reader': 'Reader',
};

const guid = v.pipe(v.string(), v.regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/));
const headerSchema = v.object({
  alg: v.literal('RS256'),
  kid: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
});

const shownSchema = v.fallback(v.optional(v.pipe(v.string(), v.maxLength(256))), undefined);

/** The claims that decide, and those to show. An audience in a list has no one meaning here and is refused. */
const claimsSchema = v.object({
  aud: v.string(),
  iss: v.string(),
  tid: guid,
  oid: guid,
  ver: v.literal('2.0'),
  azp: v.string(),
  scp: v.string(),
  idtyp: v.optional(v.string()),
  /** 1 = a guest of the tenant that issued the token. */
  acct: v.optional(v.number()),
  /** Who signed the person in, when that is not the tenant that issued the token. */
  idp: v.optional(v.string()),
  iat: v.pipe(v.number(), v.finite(), v.minValue(0)),
  nbf: v.pipe(v.number(), v.finite()),
  exp: v.pipe(v.number(), v.finite()),
  // To show only: what is odd in them is left out and refuses nobody.
  name: v.optional(v.pipe(v.string(), v.maxLength(256))),
  preferred_username: shownSchema,
  email: shownSchema,
  upn: shownSchema,
  unique_name: shownSchema,
  given_name: shownSchema,
  family_name: shownSchema,
  roles: v.optional(v.pipe(v.array(v.string()), v.maxLength(200)), []),
  groups: v.fallback(v.optional(v.pipe(v.array(v.string()), v.maxLength(1_000))), undefined),
  /** Overage: Entra names here what it left out. Nothing is fetched, so nothing follows from it. */
  _claim_names: v.optional(v.unknown()),
  hasgroups: v.optional(v.unknown()),
});
type Claims = v.InferOutput<typeof claimsSchema>;

type Checked =
  | { kind: 'good'; claims: Claims; tid: TenantId }
  | { kind: 'bad'; why: string }
  /** Entra's keys cannot be had now: no word on the token. */
  | { kind: 'later' };

const refusals = {
  token: { kind: 'refused', status: 401, detail: 'Your sign-in is not valid or has ended. Sign in again.' },
  tenant: {
    kind: 'refused',
    status: 403,
    detail: 'Your organisation does not use Watchpost. Ask the people who run it to connect it.',
  },
  disabled: {
    kind: 'refused',
    status: 403,
    detail: 'Your access to Watchpost is switched off. Ask an Admin of Watchpost.',
  },
  later: {
    kind: 'refused',
    status: 503,
    detail: 'Your sign-in cannot be checked right now. Please try again in a moment.',
  },
} as const satisfies Record<string, UserAnswer>;

/**
 * The check of the tab's bearer token (R11): signature by Entra's keys, RS256 only, made for us, by the issuer that
 * belongs to its own tenant, for a person, through an app that hosts tabs, within its time. Who the person is comes
 * from `tid` and `oid` alone (R12), what the person may do from the store, at most 60 s old (R13). App roles of the
 * home tenant are written there when a token is first seen. Never throws for what a stranger sends; 503 while Entra's
 * keys cannot be had, throws when the store cannot.
 */
export function openRequireUser(options: RequireUserOptions): RequireUser {
  const { services, audience, homeTenantId } = options;
  const clients = new Set(options.clients ?? [...hostClients, audience]);
  const { store, log } = services;
  const refuse = openComplaints(log, 'token of the tab refused');
  const shownBy = options.shownBy ?? shownByDefault;
  const groupRoles = options.groupRoles ?? new Map<string, Role>();
  const later = openComplaints(log, 'token of the tab could not be checked');
  const allowedTenants =
    options.allowedTenants ??
    (async (tid: TenantId) =>
      tid === homeTenantId || (await store.tenants.get(scopeOfSystem(), tid)) !== null);
  /** Tokens whose signature and claims were good; time, tenant and role are looked at again each time. */
  const verified = new LRUCache<string, { claims: Claims; tid: TenantId }>({ max: 2_000 });

  return async function requireUser(authorization) {
    const token = bearer(authorization);
    if (token === undefined) return refusals.token;
    const now = services.now();
    const digest = createHash('sha256').update(token).digest('base64');
    let known = verified.get(digest);
    if (known === undefined) {
      const checked = await check(token, now);
      if (checked.kind === 'later') return refusals.later;
      if (checked.kind === 'bad') {
        refuse({ reason: checked.why });
        await denied('anybody', `token: ${checked.why}`);
        return refusals.token;
      }
      known = checked;
    } else if (!inTime(known.claims, now)) {
      verified.delete(digest);
      return refusals.token;
    }
    const { claims, tid } = known;
    if (!(await allowedTenants(tid))) {
      refuse({ reason: 'tenant' });
      await denied(`${tid}/${claims.oid}`, 'not a connected tenant');
      return refusals.tenant;
    }
    if (!verified.has(digest)) {
      if (await signedIn(claims, tid)) {
        await keepAppRoles(claims, tid, now);
        verified.set(digest, { claims, tid });
      }
    }
    const who = callerOf(
      await store.people.get(tid, claims.oid),
      { tid, oid: claims.oid, name: nameIn(claims) },
      homeTenantId,
    );
    keepFacts(who, factsIn(claims, tid));
    if (who.disabled) {
      await denied(`${tid}/${claims.oid}`, 'switched off');
      return refusals.disabled;
    }
    return { kind: 'user', who };
  };

  async function denied(who: string, detail: string): Promise<void> {
    await store.audit.denied({ who, what: 'sign in', where: 'tab', result: 'refused', detail });
  }

  /** The first sight of a token. Without its entry nobody gets a role by it; who has one goes on. */
  async function signedIn(claims: Claims, tid: TenantId): Promise<boolean> {
    const roles = claims.roles.length === 0 ? '' : `app roles in the token: ${claims.roles.join(' ')}`;
    try {
      await store.audit.write({
        ...{ who: `${tid}/${claims.oid}`, what: 'sign in', where: 'tab', result: 'done' },
        ...(roles === '' ? {} : { detail: roles }),
      });
      return true;
    } catch (error) {
      log.error({ code: errorCode(error) }, 'audit line could not be written');
      return false;
    }
  }

  async function check(token: string, now: Instant): Promise<Checked> {
    const header = v.safeParse(headerSchema, headerOf(token));
    if (!header.success) return { kind: 'bad', why: 'header' };
    let key: SigningKey | null;
    try {
      key = await services.entraKeys.find(header.output.kid);
    } catch (error) {
      later({ code: errorCode(error) });
      return { kind: 'later' };
    }
    if (key === null) return { kind: 'bad', why: 'key' };
    let payload: unknown;
    try {
      ({ payload } = await jwtVerify(token, key.key, {
        algorithms: ['RS256'],
        audience,
        clockTolerance: skewSeconds,
        currentDate: new Date(now),
        requiredClaims: ['exp', 'nbf', 'iat'],
      }));
    } catch (error) {
      return { kind: 'bad', why: errorCode(error) };
    }
    const parsed = v.safeParse(claimsSchema, payload);
    if (!parsed.success) return { kind: 'bad', why: 'claims' };
    const claims = parsed.output;
    const tid = tenantId(claims.tid);
    if (tid === undefined) return { kind: 'bad', why: 'tid' };
    // The issuer is built from the token's own tenant, so a token of one tenant cannot speak for another.
    if (claims.iss !== options.issuer.replaceAll('{tid}', tid)) return { kind: 'bad', why: 'issuer' };
    if (key.issuer !== undefined && key.issuer.replaceAll('{tenantid}', tid) !== claims.iss)
      return { kind: 'bad', why: 'issuer of the key' };
    if (!clients.has(claims.azp)) return { kind: 'bad', why: 'client' };
    if (!claims.scp.split(' ').includes('access_as_user')) return { kind: 'bad', why: 'scope' };
    if (claims.idtyp === 'app') return { kind: 'bad', why: 'app' };
    if (!inTime(claims, now)) return { kind: 'bad', why: 'time' };
    return { kind: 'good', claims, tid };
  }

  /**
   * App roles are the home tenant's to give, to its own people: a guest needs a grant. Written when a token is first
   * seen, so each sign-in renews them and one without a role takes it back. An older token that is still good brings
   * nothing back: the store knows when the newest was issued.
   */
  async function keepAppRoles(claims: Claims, tid: TenantId, now: Instant): Promise<void> {
    const { mail } = factsIn(claims, tid);
    const { oid } = claims;
    await store.people.seen({ tid, oid, name: nameIn(claims), ...(mail === null ? {} : { mail }) });
    if (tid !== homeTenantId) return;
    const roles = isGuest(claims) ? [] : rolesOf(claims.roles);
    await store.people.saveAppRoles(tid, oid, nameIn(claims), roles, {
      issuedAt: new Date(claims.iat * 1000).toISOString(),
      until: plus(now, appRoleDays * 86_400_000),
      groupRoles: rolesByGroup(claims, tid).map(({ role }) => role),
    });
  }

  function nameIn(claims: Claims): string {
    return firstOf(claims, shownBy.name) ?? '';
  }

  /** Groups are the home tenant's as well; of too many Entra sends none, and then none counts. */
  function rolesByGroup(claims: Claims, tid: TenantId): { group: string; role: Role }[] {
    if (tid !== homeTenantId || isGuest(claims) || isOverage(claims)) return [];
    return (claims.groups ?? []).flatMap((id) => {
      const group = id.toLowerCase();
      const role = groupRoles.get(group);
      return role === undefined ? [] : [{ group, role }];
    });
  }

  function factsIn(claims: Claims, tid: TenantId): TokenFacts {
    return {
      shown: Object.fromEntries(
        shownClaims.flatMap((claim) => (claims[claim] === undefined ? [] : [[claim, claims[claim]]])),
      ),
      mail: firstOf(claims, shownBy.mail),
      appRoles: claims.roles,
      groups: isOverage(claims) ? null : (claims.groups ?? []),
      groupRoles: rolesByGroup(claims, tid),
      guest: isGuest(claims),
      client: claims.azp,
      issuedAt: new Date(claims.iat * 1000).toISOString(),
      expiresAt: new Date(claims.exp * 1000).toISOString(),
    };
  }
}

function bearer(authorization: string | undefined): string | undefined {
  if (authorization === undefined || authorization.length > longestToken) return undefined;
  return /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/.exec(authorization)?.[1];
}

function headerOf(token: string): unknown {
  try {
    return decodeProtectedHeader(token);
  } catch {
    return undefined; // not even a header: the schema says no
  }
}

function inTime(claims: Claims, now: Instant): boolean {
  const seconds = Date.parse(now) / 1000;
  return (
    seconds < claims.exp + skewSeconds &&
    seconds >= claims.nbf - skewSeconds &&
    seconds >= claims.iat - skewSeconds
  );
}

function isGuest(claims: Claims): boolean {
  return claims.acct === 1 || (claims.idp !== undefined && !claims.idp.includes(claims.tid));
}

function isOverage({ _claim_names: left, hasgroups }: Claims): boolean {
  return (typeof left === 'object' && left !== null && 'groups' in left) || hasgroups === true;
}

function rolesOf(names: readonly string[]): Role[] {
  const roles = names.map((name) => (Object.hasOwn(appRoles, name) ? appRoles[name] : undefined));
  return [...new Set(roles.filter((role) => role !== undefined))];
}
