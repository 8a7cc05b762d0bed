import { randomUUID } from 'node:crypto';
import { dayOf } from '../../shared/time.ts';
import { bearer } from './bearer.ts';
import { disturbed, type Fault, faultAnswer, replaces, takeFault } from './faults.ts';
import { directoryAnswers } from './graph-directory.ts';
import { directoryRoles, groups, roleMembers } from './graph-groups.ts';
import { openDirectoryLimits } from './graph-limits.ts';
import { type Paging, page, queryProblem } from './graph-page.ts';
import { hasP1, registrations, users } from './graph-people.ts';
import { conditionalAccess, securityDefaults, subscriptions } from './graph-policies.ts';
import { type Answer, type Call, json } from './http.ts';
import { profiles, secureScore } from './score-answers.ts';
import { findTenant, type Keeper } from './state.ts';
import { daysOf, type SandboxTenant } from './tenants.ts';

export type GraphAnswer = { answer: Answer; tenant: string | undefined };
export type Graph = {
  /** `done` must be called when the answer has been written: it ends the call's place among the concurrent ones. */
  answer(call: Call, done: (end: () => void) => void): GraphAnswer;
};

type Source = {
  path: string;
  /** Any one of these roles opens it. */
  roles: string[];
  /** The body of the 403, by the service that answers. */
  refusal: [code: string, message: string];
  secureScore?: boolean;
  /** Only tenants with P1 get an answer. */
  needsP1?: boolean;
  /** One object instead of a list. */
  single?: true;
  /** Undefined: there is no such collection. */
  items(tenant: SandboxTenant, today: string): readonly object[] | undefined;
  /** `pageSize`: rows of one answer when the caller does not ask for another number. */
} & Paging;

const scoreRoles = ['SecurityEvents.Read.All', 'SecurityEvents.ReadWrite.All'];
const scoreRefusal: Source['refusal'] = [
  '',
  'Auth token does not contain valid permissions or user does not have valid roles. For more information, see https://learn.microsoft.com/graph/security-authorization',
];
const directoryRefusal: Source['refusal'] = [
  'Authorization_RequestDenied',
  'Insufficient privileges to complete the operation.',
];

const auditRefusal: Source['refusal'] = [
  'Authentication_MSGraphPermissionMissing',
  'Calling principal does not have required MSGraph permissions AuditLog.Read.All',
];
const notPremium: Source['refusal'] = [
  'Authentication_RequestFromNonPremiumTenantOrB2CTenant',
  "Neither tenant is B2C or tenant doesn't have premium license",
];

const sources: readonly Source[] = [
  {
    path: '/security/secureScores',
    roles: scoreRoles,
    refusal: scoreRefusal,
    secureScore: true,
    pageSize: 100,
    items: (tenant, today) => daysOf(tenant, today).map((day) => lazily(tenant, day)),
  },
  {
    path: '/security/secureScoreControlProfiles',
    roles: scoreRoles,
    refusal: scoreRefusal,
    secureScore: true,
    pageSize: 100,
    items: (tenant) => profiles(tenant),
  },
  {
    path: '/organization',
    roles: ['Organization.Read.All', 'User.Read.All', 'Directory.Read.All'],
    refusal: directoryRefusal,
    pageSize: 100,
    items: (tenant) => directoryAnswers.organization(tenant),
  },
  {
    path: '/domains',
    roles: ['Domain.Read.All', 'Directory.Read.All'],
    refusal: directoryRefusal,
    pageSize: 100,
    items: (tenant) => directoryAnswers.domains(tenant),
  },
  {
    path: '/subscribedSkus',
    roles: ['LicenseAssignment.Read.All', 'Organization.Read.All', 'Directory.Read.All'],
    refusal: directoryRefusal,
    pageSize: 999,
    items: (tenant) => directoryAnswers.subscribedSkus(tenant),
  },
  {
    path: '/users',
    roles: ['User.Read.All', 'Directory.Read.All'],
    refusal: directoryRefusal,
    pageSize: 100,
    tokens: true,
    defaults: [
      ...['id', 'businessPhones', 'displayName', 'givenName', 'jobTitle', 'mail', 'mobilePhone'],
      ...['officeLocation', 'preferredLanguage', 'surname', 'userPrincipalName'],
    ],
    items: users,
  },
  {
    path: '/groups',
    roles: ['GroupMember.Read.All', 'Group.Read.All', 'Directory.Read.All'],
    refusal: directoryRefusal,
    pageSize: 100,
    tokens: true,
    items: (tenant) => groups(tenant),
  },
  {
    path: '/directoryRoles',
    roles: ['RoleManagement.Read.Directory', 'Directory.Read.All'],
    refusal: directoryRefusal,
    pageSize: 100,
    items: (tenant) => directoryRoles(tenant),
  },
  {
    path: '/directory/subscriptions',
    roles: ['Organization.Read.All', 'Directory.Read.All', 'LicenseAssignment.Read.All'],
    refusal: directoryRefusal,
    pageSize: 100,
    items: (tenant) => subscriptions(tenant),
  },
  {
    path: '/policies/identitySecurityDefaultsEnforcementPolicy',
    roles: ['Policy.Read.All'],
    refusal: directoryRefusal,
    pageSize: 1,
    single: true,
    items: (tenant) => [securityDefaults(tenant)],
  },
  {
    path: '/identity/conditionalAccess/policies',
    roles: ['Policy.Read.All'],
    refusal: [
      'AccessDenied',
      'You cannot perform the requested operation, required scopes are missing in the token.',
    ],
    pageSize: 100,
    items: (tenant) => conditionalAccess(tenant),
  },
  {
    path: '/reports/authenticationMethods/userRegistrationDetails',
    roles: ['AuditLog.Read.All', 'UserAuthenticationMethod.Read.All'],
    refusal: auditRefusal,
    needsP1: true,
    pageSize: 100,
    tokens: true,
    items: registrations,
  },
];

/** Sign-ins ride along with users, for who may read the audit log of a tenant with P1. */
const signIns: Pick<Source, 'roles' | 'refusal' | 'needsP1' | 'most'> = {
  roles: ['AuditLog.Read.All'],
  refusal: auditRefusal,
  needsP1: true,
  most: 500,
};

/** The members of one role are a collection of their own. */
function membersOf(path: string): Source | undefined {
  const role = /^\/directoryRoles\/([0-9a-fA-F-]{36})\/members$/.exec(path)?.[1];
  if (role === undefined) return undefined;
  return {
    path,
    roles: ['RoleManagement.Read.Directory', 'Directory.Read.All'],
    refusal: directoryRefusal,
    pageSize: 100,
    items: (tenant) => roleMembers(tenant, role),
  };
}

/** Snapshots are made only for the days of the page that is asked for, and kept while the tenant does not change. */
const made = new Map<string, object>();
function lazily(tenant: SandboxTenant, day: string): object {
  const key = `${tenant.id} ${day} ${tenant.version}`;
  return {
    id: `${tenant.id}_${day}`,
    createdDateTime: `${day}T00:00:00Z`,
    get whole(): object {
      const known = made.get(key);
      if (known !== undefined) return known;
      const snapshot = secureScore(tenant, day);
      if (made.size > 1_000) made.clear();
      made.set(key, snapshot);
      return snapshot;
    },
  };
}

/** Graph v1.0 for all tenants: the token decides whose data it is. */
export function openGraph({ state, touch }: Keeper): Graph {
  const running = new Map<string, number>();
  const minutes = new Map<string, number[]>();
  const directoryLimits = openDirectoryLimits();

  function answer(call: Call, done: (end: () => void) => void): GraphAnswer {
    const read = bearer(call, state.keys.entra);
    if ('problem' in read)
      return { answer: refusal(call, 401, 'InvalidAuthenticationToken', read.problem), tenant: undefined };
    const { aud, tid, appid } = read.claims;
    const tenant = typeof tid === 'string' ? findTenant(state, tid) : undefined;
    const rightAudience = aud === `https://${call.host}` || aud === '00000003-0000-0000-c000-000000000000';
    if (!rightAudience || tenant === undefined) {
      const why = rightAudience
        ? 'The tenant of the token is not known.'
        : 'Access token validation failure. Invalid audience.';
      return { answer: refusal(call, 401, 'InvalidAuthenticationToken', why), tenant: undefined };
    }
    const fault = takeFault(state.faults, call, tenant.id);
    if (fault !== null) touch();
    const found =
      fault !== null && replaces(fault)
        ? fromFault(call, fault)
        : answered(call, tenant, String(appid), read.claims, done);
    return { answer: fault === null || replaces(fault) ? found : disturbed(found, fault), tenant: tenant.id };
  }

  function answered(
    call: Call,
    tenant: SandboxTenant,
    app: string,
    claims: Record<string, unknown>,
    done: (end: () => void) => void,
  ): Answer {
    if (!call.path.startsWith('/v1.0/'))
      return refusal(call, 400, 'BadRequest', "Invalid version. Supported: 'v1.0'.");
    const path = call.path.slice('/v1.0'.length);
    const source =
      membersOf(path) ?? sources.find((one) => path === one.path || path.startsWith(`${one.path}/`));
    // Secure Score does not exist in China's cloud.
    if (source === undefined || (source.secureScore && call.host.endsWith('.cn')))
      return refusal(call, 400, 'BadRequest', `Resource not found for the segment '${path.split('/')[1]}'.`);
    if (call.method !== 'GET')
      return refusal(call, 405, 'Request_BadRequest', 'The method is not allowed here.');
    const granted = Array.isArray(claims.roles) ? claims.roles : [];
    const still = (app === state.graph.appId ? tenant.ours?.roles : tenant.consent) ?? [];
    if (!source.roles.some((role) => granted.includes(role) && still.includes(role)))
      return refusal(call, 403, ...source.refusal);
    const withSignIns = source.path === '/users' && /signInActivity/.test(call.query.get('$select') ?? '');
    if (withSignIns && !signIns.roles.some((role) => granted.includes(role) && still.includes(role)))
      return refusal(call, 403, ...signIns.refusal);
    if ((withSignIns || source.needsP1) && !hasP1(tenant)) return refusal(call, 403, ...notPremium);
    const wait = state.limitsOff ? undefined : directoryLimits(call, path, withSignIns, tenant.id, app);
    if (wait !== undefined) return throttled(call, wait, 'Too many requests.');
    if (source.secureScore) {
      const throttled = overLimit(
        call,
        `${tenant.id} ${app}`,
        path.startsWith('/security/secureScores'),
        done,
      );
      if (throttled !== undefined) return throttled;
    }
    const wrong = queryProblem(call.query);
    if (wrong !== undefined) return refusal(call, 400, 'BadRequest', wrong);
    const items = source.items(tenant, dayOf(call.at.toISOString()));
    const [only] = items ?? [];
    const body = source.single
      ? { '@odata.context': `https://${call.host}/v1.0/$metadata#${path.slice(1)}/$entity`, ...only }
      : items && page(call, items, source.path, withSignIns ? { ...source, ...signIns } : source);
    if (body === undefined)
      return refusal(call, 404, 'ResourceNotFound', 'The requested resource does not exist.');
    return json(200, body, {
      'content-type':
        'application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8',
      ...ids(call),
    });
  }

  /** Four at a time for Secure Score and profiles, 150 a minute for Secure Score, per app and tenant. */
  function overLimit(
    call: Call,
    key: string,
    isScore: boolean,
    done: (end: () => void) => void,
  ): Answer | undefined {
    if (state.limitsOff) return undefined;
    const now = call.at.getTime();
    const active = running.get(key) ?? 0;
    if (active >= 4) return throttled(call, 1, 'Too many concurrent requests.');
    if (isScore) {
      const times = (minutes.get(key) ?? []).filter((at) => at > now - 60_000);
      minutes.set(key, times);
      const [oldest] = times;
      if (times.length >= 150 && oldest !== undefined)
        return throttled(call, Math.max(1, Math.ceil((oldest + 60_000 - now) / 1000)), 'Too many requests.');
      times.push(now);
    }
    running.set(key, active + 1);
    done(() => running.set(key, (running.get(key) ?? 1) - 1));
    return undefined;
  }

  return { answer };
}

/** `seconds` null: without a word on when to come back, as identity protection and Conditional Access do. */
function throttled(call: Call, seconds: number | null, message: string): Answer {
  const found = refusal(call, 429, 'TooManyRequests', message);
  if (seconds === null) return found;
  return { ...found, headers: { ...found.headers, 'retry-after': String(seconds) } };
}

function fromFault(call: Call, fault: Fault): Answer {
  const found = faultAnswer(fault, (code, message) => errorBody(call, code, message));
  return { ...found, headers: { ...found.headers, ...ids(call) } };
}

/** Graph's error answer; the code may be an empty string, as Secure Score sends it. */
export function refusal(call: Call, status: number, code: string, message: string): Answer {
  return json(status, errorBody(call, code, message), {
    ...ids(call),
    ...(status === 401
      ? {
          'www-authenticate':
            'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"',
        }
      : {}),
  });
}

function errorBody(call: Call, code: string, message: string): unknown {
  const { 'request-id': request, 'client-request-id': client } = ids(call);
  return {
    error: {
      code,
      message,
      innerError: {
        date: call.at.toISOString().slice(0, 19),
        'request-id': request,
        'client-request-id': client,
      },
    },
  };
}

const requestIds = new WeakMap<Call, string>();
function ids(call: Call): Record<string, string> {
  const id = requestIds.get(call) ?? randomUUID();
  requestIds.set(call, id);
  return { 'request-id': id, 'client-request-id': String(call.headers['client-request-id'] ?? id) };
}
