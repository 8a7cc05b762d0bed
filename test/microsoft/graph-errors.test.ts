import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Failure } from '../../bot/services.ts';
import {
  accessTo,
  aWorld,
  graphRequests,
  tenantNumber,
  tokenRequests,
  type World,
} from './fake-microsoft.ts';

const contoso = tenantNumber(1);
const requestId = '7a3c9f52-1d0e-4b7a-9c55-0a1b2c3d4e5f';
let world: World;
beforeAll(async () => {
  world = await aWorld();
});
afterAll(() => world.fake.stop());

type Row = {
  name: string;
  status: number;
  code?: string;
  message?: string;
  inner?: string;
  kind: Failure['kind'];
  transient?: true;
  permission?: string;
  says?: RegExp;
};
const secureScore = 'SecurityEvents.Read.All';

/** `graph.md` §4, asked of the secure scores: what Graph says and what it means. */
const rows: Row[] = [
  {
    name: 'a token that is refused twice',
    status: 401,
    code: 'InvalidAuthenticationToken',
    message: 'Lifetime validation failed, the token is expired.',
    kind: 'authentication',
  },
  {
    name: 'a compact token that cannot be read',
    status: 401,
    code: 'InvalidAuthenticationToken',
    message: 'CompactToken parsing failed with error code: 80049217',
    kind: 'authentication',
  },
  {
    name: 'security not set up',
    status: 401,
    code: 'Unauthorized',
    message: 'Account is not provisioned.',
    kind: 'licence',
  },
  {
    name: 'a directory permission',
    status: 403,
    code: 'Authorization_RequestDenied',
    message: 'Insufficient privileges to complete the operation.',
    kind: 'permission',
    permission: secureScore,
  },
  {
    name: 'missing scopes',
    status: 403,
    code: 'AccessDenied',
    message: 'You cannot perform the requested operation, required scopes are missing in the token.',
    kind: 'permission',
    permission: secureScore,
  },
  {
    name: 'missing roles, named',
    status: 403,
    code: 'Forbidden',
    message:
      'Missing application roles. API required roles: SecurityAlert.Read.All, SecurityAlert.ReadWrite.All, application roles: Other.',
    kind: 'permission',
    permission: 'SecurityAlert.Read.All',
  },
  {
    name: 'secure score without permission',
    status: 403,
    code: '',
    message: 'Auth token does not contain valid permissions or user does not have valid roles.',
    kind: 'permission',
    permission: secureScore,
    says: /SecurityEvents\.Read\.All is missing/,
  },
  {
    name: 'no licence',
    status: 403,
    code: 'Forbidden',
    message: 'Your tenant is not licensed for this feature.',
    kind: 'licence',
  },
  {
    name: 'no licence, in capitals',
    status: 403,
    code: 'ACCESSDENIED',
    message: 'YOUR TENANT IS NOT LICENSED FOR THIS FEATURE',
    kind: 'licence',
  },
  {
    name: 'no P1',
    status: 403,
    code: 'Authentication_RequestFromNonPremiumTenantOrB2CTenant',
    message: "Neither tenant is B2C or tenant doesn't have premium license",
    kind: 'licence',
  },
  {
    name: 'the report without permission',
    status: 403,
    code: 'Authentication_MSGraphPermissionMissing',
    message: 'Calling principal does not have required MSGraph permissions',
    kind: 'permission',
  },
  {
    name: 'a mailbox outside the scope',
    status: 403,
    code: 'ErrorAccessDenied',
    message: 'Access is denied.',
    kind: 'permission',
    says: /mailbox/,
  },
  {
    name: 'a real code inside',
    status: 403,
    code: '',
    inner: 'Authorization_RequestDenied',
    kind: 'permission',
  },
  { name: 'nothing but 403', status: 403, kind: 'permission', permission: secureScore },
  { name: 'a mailbox that is none', status: 404, code: 'MailboxNotEnabledForRESTAPI', kind: 'not-found' },
  { name: 'an object that is gone', status: 404, code: 'ResourceNotFound', kind: 'not-found' },
  { name: 'a query we may not ask', status: 400, code: 'Request_UnsupportedQuery', kind: 'bug' },
  { name: 'a bad request', status: 400, code: 'BadRequest', kind: 'bug' },
  { name: 'a forgotten delta', status: 410, code: 'resyncRequired', kind: 'not-found', transient: true },
  {
    name: 'an edit conflict',
    status: 409,
    code: 'ErrorIrresolvableConflict',
    kind: 'service',
    transient: true,
  },
  { name: 'a precondition', status: 412, kind: 'service', transient: true },
  { name: 'a lock', status: 423, kind: 'service', transient: true },
  { name: 'too many requests', status: 429, code: 'TooManyRequests', kind: 'throttled', transient: true },
  {
    name: 'a throttled application',
    status: 429,
    code: 'ApplicationThrottled',
    kind: 'throttled',
    transient: true,
  },
  { name: 'a fault', status: 500, code: 'generalException', kind: 'service', transient: true },
  { name: 'a bad gateway', status: 502, kind: 'service', transient: true },
  {
    name: 'a service that is away',
    status: 503,
    code: 'serviceNotAvailable',
    kind: 'service',
    transient: true,
  },
  { name: 'a late gateway', status: 504, kind: 'service', transient: true },
  { name: 'no room', status: 507, kind: 'service', transient: true },
  { name: 'a redirect', status: 302, kind: 'service', transient: true },
];

test.each(rows)(
  '$status $name is $kind',
  async ({ status, code = '', message = '', inner, kind, transient, permission, says }) => {
    world.fake.on('/v1.0/security/secureScores', {
      status,
      headers: { location: 'https://evil.example/' },
      body: {
        error: {
          code,
          message: `${message} Secret text of theirs`,
          innerError: { code: inner, 'request-id': requestId },
        },
      },
    });
    const reading = await world.drive(world.microsoft.secureScores(accessTo(contoso), 3));
    if (reading.kind !== 'failed') throw new Error('expected a failure');
    const { failure } = reading;
    expect(failure).toMatchObject({ kind, transient: transient ?? false, requestId });
    if (permission !== undefined) expect(failure.permission).toBe(permission);
    if (kind !== 'permission') expect(failure.permission).toBeUndefined();
    if (says !== undefined) expect(failure.cause).toMatch(says);
    if (kind === 'licence') expect(failure.remedy).toBe('');
    if (kind === 'permission') expect(failure.remedy).not.toBe('');
    expect(failure.cause).toMatch(/^[A-Z].*\.$/);
    expect(JSON.stringify(failure)).not.toContain('theirs');
    expect(world.fake.asked.some(({ host }) => host === 'evil.example')).toBe(false);
  },
);

test.each([
  { name: 'HTML', body: '<html>403 Forbidden</html>' },
  { name: 'nothing', body: '' },
  { name: 'an error that is text', body: '{"error":"no"}' },
  { name: 'a list', body: '[1]' },
  { name: 'numbers where text belongs', body: '{"error":{"code":403,"message":null,"innerError":[]}}' },
  { name: 'a code of odd characters', body: '{"error":{"code":"<script>","message":"x"}}' },
])('an error body of $name still has its class and a harmless code', async ({ body }) => {
  world.fake.on('/v1.0/security/secureScores', { status: 403, body });
  const reading = await world.drive(world.microsoft.secureScores(accessTo(contoso), 3));
  expect(reading).toMatchObject({ kind: 'failed', failure: { kind: 'permission', code: 'HTTP 403' } });
});

test('a 401 renews the token once; a second one is an authentication failure and the end', async () => {
  const before = tokenRequests(world.fake).length;
  const asked = graphRequests(world.fake).length;
  world.fake.on('/v1.0/domains', { status: 401, body: { error: { code: 'InvalidAuthenticationToken' } } });
  const reading = await world.drive(world.microsoft.domains(accessTo(contoso)));
  expect(reading).toMatchObject({ kind: 'failed', failure: { kind: 'authentication', transient: false } });
  expect(tokenRequests(world.fake).length - before).toBe(1);
  expect(graphRequests(world.fake).length - asked).toBe(2);
});

test('a refused token that is renewed goes unnoticed', async () => {
  let times = 0;
  world.fake.on('/v1.0/domains', () => {
    times += 1;
    return times === 1
      ? { status: 401, body: { error: { code: 'InvalidAuthenticationToken' } } }
      : { body: { value: [{ id: 'contoso.com', isDefault: true, isVerified: true }] } };
  });
  expect(await world.drive(world.microsoft.domains(accessTo(contoso)))).toMatchObject({ kind: 'ok' });
});

test('a claims challenge is passed on to Entra; refused again, a policy blocks the app', async () => {
  const claims = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}';
  world.fake.on('/v1.0/domains', {
    status: 401,
    headers: {
      'www-authenticate': `Bearer realm="", error="insufficient_claims", claims="${Buffer.from(claims).toString('base64')}"`,
    },
    body: {
      error: {
        code: 'InvalidAuthenticationToken',
        message: 'Continuous access evaluation resulted in challenge',
      },
    },
  });
  const reading = await world.drive(world.microsoft.domains(accessTo(contoso)));
  expect(reading).toMatchObject({ kind: 'failed', failure: { kind: 'authentication' } });
  if (reading.kind === 'failed') expect(reading.failure.cause).toMatch(/policy/);
  const sent = new URLSearchParams(tokenRequests(world.fake).at(-1)?.body).get('claims');
  expect(JSON.parse(sent ?? '{}')).toMatchObject(JSON.parse(claims));
});

test.each(['bm90IGpzb24=', '!!!', ''])(
  'a challenge that cannot be read (%s) is a plain 401',
  async (packed) => {
    world.fake.on('/v1.0/domains', {
      status: 401,
      headers: { 'www-authenticate': `Bearer error="insufficient_claims", claims="${packed}"` },
      body: {},
    });
    expect(await world.drive(world.microsoft.domains(accessTo(contoso)))).toMatchObject({
      kind: 'failed',
      failure: { kind: 'authentication' },
    });
    expect(new URLSearchParams(tokenRequests(world.fake).at(-1)?.body).get('claims')).toBeNull();
  },
);
