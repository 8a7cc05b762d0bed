import * as v from 'valibot';
import type { OutboundAnswer } from '../outbound.ts';
import type { Failure } from '../services.ts';
import { looseJson, MicrosoftError, nonsense } from './failures.ts';
import { askedToWait } from './retry.ts';

type Row = {
  status: number | readonly number[];
  /** Matched without regard to case against the code, and the code of `innerError`. */
  code?: RegExp;
  message?: RegExp;
  kind: Failure['kind'];
  cause: string;
  remedy: string;
  transient?: boolean;
};

const unprovisioned = 'This feature is not licensed or not set up in the tenant.';
const permissionMissing = 'Microsoft Graph says a permission is missing.';
const grantIt =
  'An administrator of the tenant has to grant the permission and consent again; then sync once more.';
const newToken = 'The access was refused although the token was fresh.';

/**
 * What Graph answers and what it means (`graph.md` §4), first match wins. Microsoft's own texts are only matched,
 * never shown. A licence gap is not a fault and has no remedy.
 */
const rows: readonly Row[] = [
  {
    status: 401,
    message: /account is not provisioned/i,
    kind: 'licence',
    cause: unprovisioned,
    remedy: '',
  },
  {
    status: 401,
    kind: 'authentication',
    cause: newToken,
    remedy: 'Check the app registration and its credential; a policy of the tenant may block the app.',
  },
  {
    status: 403,
    message: /not licensed|license is required|licen[cs]e.{0,40}(missing|required)|premium licen/i,
    kind: 'licence',
    cause: 'The tenant has no licence for this feature.',
    remedy: '',
  },
  {
    status: 403,
    code: /Authentication_RequestFromNonPremiumTenantOrB2CTenant/i,
    kind: 'licence',
    cause: 'The feature needs Entra ID P1.',
    remedy: '',
  },
  {
    status: 403,
    code: /Authentication_MSGraphPermissionMissing/i,
    kind: 'permission',
    cause: permissionMissing,
    remedy: grantIt,
  },
  {
    status: 403,
    code: /^ErrorAccessDenied$/i,
    kind: 'permission',
    cause: 'The app may not open this mailbox: the tenant has narrowed which mailboxes it may reach.',
    remedy: 'An Exchange administrator has to add the mailbox to the scope of the app.',
  },
  {
    status: 403,
    message: /quota|maximum number of .{0,30}subscriptions/i,
    kind: 'permission',
    cause: 'The tenant has no room left for change notifications of this app.',
    remedy: 'Old subscriptions lapse within three days; nothing has to be done.',
  },
  {
    status: 403,
    code: /Authorization_RequestDenied|AccessDenied|Forbidden/i,
    kind: 'permission',
    cause: permissionMissing,
    remedy: grantIt,
  },
  { status: 403, kind: 'permission', cause: permissionMissing, remedy: grantIt },
  {
    status: 404,
    kind: 'not-found',
    cause: 'Microsoft does not have what was asked for.',
    remedy: '',
  },
  {
    status: 410,
    kind: 'not-found',
    cause: 'Microsoft has forgotten where the last reading stopped.',
    remedy: '',
    transient: true,
  },
  {
    status: [409, 412],
    kind: 'service',
    cause: 'Somebody else changed the same object at the same time.',
    remedy: 'Read again and repeat the change.',
    transient: true,
  },
  {
    status: 423,
    kind: 'service',
    cause: 'Microsoft has locked the object for a moment.',
    remedy: '',
    transient: true,
  },
  {
    status: 429,
    kind: 'throttled',
    cause: 'Microsoft asks us to wait.',
    remedy: '',
    transient: true,
  },
  {
    status: [408, 500, 502, 503, 504, 507, 509],
    kind: 'service',
    cause: 'Microsoft has trouble answering.',
    remedy: '',
    transient: true,
  },
];

/** Which application permission a path needs (`graph.md` §0): named to the person when it is missing. */
const permissions: readonly { path: RegExp; permission: string }[] = [
  { path: /^\/security\/secureScore/i, permission: 'SecurityEvents.Read.All' },
  { path: /^\/security\/alerts_v2/i, permission: 'SecurityAlert.Read.All' },
  { path: /^\/security\/incidents/i, permission: 'SecurityIncident.Read.All' },
  { path: /^\/identityProtection\/riskyUsers/i, permission: 'IdentityRiskyUser.Read.All' },
  { path: /^\/identityProtection\/riskDetections/i, permission: 'IdentityRiskEvent.Read.All' },
  { path: /^\/(identity\/conditionalAccess|policies)\//i, permission: 'Policy.Read.All' },
  { path: /^\/reports\/authenticationMethods/i, permission: 'AuditLog.Read.All' },
  { path: /^\/organization/i, permission: 'Organization.Read.All' },
  { path: /^\/domains/i, permission: 'Domain.Read.All' },
  { path: /^\/subscribedSkus/i, permission: 'LicenseAssignment.Read.All' },
  { path: /^\/users/i, permission: 'User.Read.All' },
  { path: /^\/groups/i, permission: 'GroupMember.Read.All' },
  { path: /^\/directoryRoles/i, permission: 'RoleManagement.Read.Directory' },
  { path: /^\/directory\/subscriptions/i, permission: 'Organization.Read.All' },
];

/** The least application permission a Graph path (without version) needs; undefined for paths not in the table. */
export function permissionFor(path: string): string | undefined {
  return permissions.find((one) => one.path.test(path))?.permission;
}

const text = v.fallback(v.string(), '');
const inner = v.fallback(
  v.nullish(v.object({ code: v.optional(text), 'request-id': v.optional(text) })),
  undefined,
);
const errorSchema = v.object({
  error: v.object({
    code: v.optional(text, ''),
    message: v.optional(text, ''),
    innerError: v.optional(inner),
    innererror: v.optional(inner),
  }),
});

/** The failure of an answer that is not 2xx. `path` is Graph's, without version. Never holds Microsoft's text. */
export function failureOf(answer: OutboundAnswer, path: string): Failure {
  const parsed = v.safeParse(errorSchema, looseJson(answer.body));
  const error = parsed.success ? parsed.output.error : undefined;
  const detail = error?.innerError ?? error?.innererror;
  const code = error?.code || detail?.code || '';
  const message = error?.message ?? '';
  const requestId = idOf(detail?.['request-id']) ?? idOf(answer.headers['request-id']);
  const row = rows.find(
    (one) =>
      (typeof one.status === 'number' ? one.status === answer.status : one.status.includes(answer.status)) &&
      (one.code === undefined || one.code.test(code) || one.code.test(detail?.code ?? '')) &&
      (one.message === undefined || one.message.test(message)),
  );
  const failure: Failure = row
    ? { kind: row.kind, cause: row.cause, remedy: row.remedy, transient: row.transient ?? false }
    : unlisted(answer.status);
  if (failure.kind === 'permission' && failure.cause === permissionMissing) {
    const permission = namedRole(message) ?? permissionFor(path);
    if (permission !== undefined) {
      failure.permission = permission;
      failure.cause = `The application permission ${permission} is missing or has been withdrawn.`;
    }
  }
  failure.code = plainCode(code) ?? `HTTP ${answer.status}`;
  if (requestId !== undefined) failure.requestId = requestId;
  return failure;
}

function unlisted(status: number): Failure {
  if (status >= 300 && status < 400) {
    return nonsense('Microsoft sent us to another address, which Watchpost does not follow.');
  }
  if (status >= 400 && status < 500) {
    return {
      kind: 'bug',
      cause: 'Microsoft does not understand what Watchpost asked.',
      remedy: 'This is a fault of Watchpost: please report it with the code.',
      transient: false,
    };
  }
  return nonsense('Microsoft has trouble answering.');
}

const worthRepeating: readonly number[] = [408, 429, 500, 502, 503, 504, 507, 509];

/** The error of an answer that is not 2xx, with the wait Microsoft asks for when it is one that passes. */
export function refusedBy(answer: OutboundAnswer, path: string, now: number): MicrosoftError {
  const failure = failureOf(answer, path);
  const again = worthRepeating.includes(answer.status);
  const wait = again ? askedToWait(answer.headers, now) : undefined;
  if (wait !== undefined) failure.retryAfterMs = wait;
  return new MicrosoftError(failure, again);
}

/** "Missing application roles. API required roles: SecurityAlert.Read.All, …": the first, when it is a plain name. */
function namedRole(message: string): string | undefined {
  return /required roles:\s*([A-Za-z]+(?:\.[A-Za-z]+){1,4})\b/i.exec(message)?.[1];
}

function idOf(value: string | undefined): string | undefined {
  return value !== undefined && /^[0-9a-z-]{8,64}$/i.test(value) ? value : undefined;
}

function plainCode(code: string): string | undefined {
  return /^[A-Za-z][A-Za-z0-9_.-]{0,79}$/.test(code) ? code : undefined;
}
