import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { aadstsRows } from '../../bot/microsoft/aadsts.ts';
import type { Failure } from '../../bot/services.ts';
import { accessTo, aWorld, secretText, tenantNumber, type World } from './fake-microsoft.ts';

/** Every row of the table of Entra's numbers, written down a second time: what kind, transient or not, key words. */
type Row = { number: number; error: string; kind: Failure['kind']; transient?: true; says: RegExp };
const rows: Row[] = [
  {
    number: 700016,
    error: 'unauthorized_client',
    kind: 'authentication',
    says: /does not know this application/,
  },
  {
    number: 7000229,
    error: 'invalid_client',
    kind: 'permission',
    says: /[Cc]onsent was withdrawn.*consent again/s,
  },
  { number: 7000215, error: 'invalid_client', kind: 'authentication', says: /secret is wrong.*not its id/s },
  { number: 7000222, error: 'invalid_client', kind: 'authentication', says: /secret has expired/ },
  { number: 7000218, error: 'invalid_client', kind: 'authentication', says: /no credential/ },
  { number: 7000216, error: 'invalid_request', kind: 'authentication', says: /no credential/ },
  { number: 70002, error: 'invalid_client', kind: 'authentication', says: /secret is wrong/ },
  { number: 700027, error: 'invalid_client', kind: 'authentication', says: /certificate.*thumbprint/s },
  { number: 700024, error: 'invalid_client', kind: 'authentication', says: /clock/ },
  { number: 700030, error: 'invalid_client', kind: 'authentication', says: /subject name/ },
  { number: 1000502, error: 'invalid_client', kind: 'authentication', says: /certificate has expired/ },
  { number: 7000214, error: 'invalid_client', kind: 'authentication', says: /revoked/ },
  { number: 7000277, error: 'invalid_client', kind: 'authentication', says: /revoked/ },
  { number: 7000274, error: 'invalid_client', kind: 'authentication', says: /certificate/ },
  { number: 50012, error: 'invalid_client', kind: 'authentication', says: /certificate/ },
  { number: 50027, error: 'invalid_request', kind: 'authentication', says: /certificate/ },
  { number: 900384, error: 'invalid_request', kind: 'authentication', says: /certificate/ },
  { number: 700211, error: 'invalid_client', kind: 'authentication', says: /federated/ },
  { number: 700213, error: 'invalid_client', kind: 'authentication', says: /federated/ },
  { number: 7000112, error: 'unauthorized_client', kind: 'permission', says: /disabled.*enable/s },
  { number: 70001, error: 'unauthorized_client', kind: 'authentication', says: /disabled or not found/ },
  { number: 700011, error: 'unauthorized_client', kind: 'authentication', says: /disabled or not found/ },
  { number: 50105, error: 'invalid_grant', kind: 'permission', says: /assign/ },
  { number: 65001, error: 'invalid_grant', kind: 'permission', says: /consent/i },
  { number: 65004, error: 'access_denied', kind: 'permission', says: /declined/ },
  { number: 65005, error: 'invalid_resource', kind: 'permission', says: /app registration/ },
  { number: 650056, error: 'invalid_client', kind: 'permission', says: /app registration/ },
  { number: 650057, error: 'invalid_resource', kind: 'permission', says: /app registration/ },
  { number: 650052, error: 'invalid_client', kind: 'licence', says: /subscription/ },
  { number: 650051, error: 'invalid_client', kind: 'service', transient: true, says: /being set up/ },
  { number: 90094, error: 'access_denied', kind: 'permission', says: /administrator/ },
  { number: 90095, error: 'consent_required', kind: 'permission', says: /administrator/ },
  { number: 90099, error: 'invalid_grant', kind: 'permission', says: /customer tenant/ },
  { number: 50020, error: 'invalid_grant', kind: 'authentication', says: /another tenant/ },
  { number: 50034, error: 'invalid_grant', kind: 'authentication', says: /does not exist/ },
  { number: 16000, error: 'interaction_required', kind: 'authentication', says: /does not exist/ },
  { number: 50011, error: 'invalid_request', kind: 'authentication', says: /redirect/ },
  { number: 500113, error: 'invalid_request', kind: 'authentication', says: /redirect/ },
  { number: 900971, error: 'invalid_request', kind: 'bug', says: /fault of Watchpost/ },
  { number: 50194, error: 'invalid_request', kind: 'authentication', says: /single tenant/ },
  { number: 90002, error: 'invalid_request', kind: 'authentication', says: /does not know this tenant/ },
  { number: 900023, error: 'invalid_request', kind: 'authentication', says: /malformed/ },
  { number: 5000224, error: 'invalid_request', kind: 'authentication', says: /no longer available/ },
  { number: 90038, error: 'invalid_request', kind: 'authentication', says: /national cloud/ },
  { number: 900382, error: 'invalid_request', kind: 'authentication', says: /national cloud/ },
  { number: 500011, error: 'invalid_resource', kind: 'authentication', says: /cloud/ },
  { number: 50001, error: 'invalid_resource', kind: 'authentication', says: /cloud/ },
  { number: 70011, error: 'invalid_scope', kind: 'bug', says: /scope/ },
  { number: 28002, error: 'invalid_scope', kind: 'bug', says: /scope/ },
  { number: 900144, error: 'invalid_request', kind: 'bug', says: /fault of Watchpost/ },
  { number: 90014, error: 'invalid_request', kind: 'bug', says: /fault of Watchpost/ },
  { number: 9002313, error: 'invalid_request', kind: 'bug', says: /fault of Watchpost/ },
  { number: 9001023, error: 'invalid_request', kind: 'bug', says: /fault of Watchpost/ },
  {
    number: 53003,
    error: 'access_denied',
    kind: 'permission',
    says: /Conditional Access.*address of this server/s,
  },
  ...[53000, 53001, 53002, 53004, 530032, 530035, 50131].map(
    (number): Row => ({ number, error: 'interaction_required', kind: 'permission', says: /policy/ }),
  ),
  ...[50076, 50079, 50074, 50158].map(
    (number): Row => ({ number, error: 'interaction_required', kind: 'permission', says: /second factor/ }),
  ),
  ...[50173, 50133, 700082, 70008].map(
    (number): Row => ({ number, error: 'invalid_grant', kind: 'authentication', says: /Sign in again/ }),
  ),
  ...[500133, 50013].map(
    (number): Row => ({
      number,
      error: 'invalid_grant',
      kind: 'authentication',
      transient: true,
      says: /Sign in again/,
    }),
  ),
  { number: 7000114, error: 'invalid_request', kind: 'authentication', says: /app registration/ },
  { number: 50196, error: 'invalid_grant', kind: 'service', transient: true, says: /too many/ },
  { number: 90055, error: 'invalid_request', kind: 'throttled', transient: true, says: /wait/ },
  ...[90033, 90006, 90024, 90090, 90012, 50033, 50000, 40010].map(
    (number): Row => ({
      number,
      error: 'temporarily_unavailable',
      kind: 'service',
      transient: true,
      says: /trouble/,
    }),
  ),
];

const contoso = tenantNumber(1);
let world: World;
beforeAll(async () => {
  world = await aWorld();
});
afterAll(() => world.fake.stop());

const trace = 'c1f7ba41-7c2c-4c6b-8a5a-54e0ba9f2b10';
const correlation = '0d7f0b6e-54a1-4a52-9d63-7f4f7ee0a411';
function refusal(number: number, error: string, extra: Record<string, unknown> = {}) {
  return {
    error,
    error_description: `AADSTS${number}: Text of theirs with ${secretText}. Trace ID: ${trace}`,
    error_codes: [number],
    timestamp: '2026-11-20 08:00:00Z',
    trace_id: trace,
    correlation_id: correlation,
    ...extra,
  };
}

async function failureFor(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Failure> {
  world.fake.on('login.microsoftonline.com/', { status, body, headers });
  world.microsoft.forget(contoso);
  const reading = await world.drive(world.microsoft.token(accessTo(contoso)));
  if (reading.kind !== 'failed') throw new Error('expected a failure');
  return reading.failure;
}

test.each(rows)(
  'AADSTS$number is $kind, told in our own words',
  async ({ number, error, kind, transient, says }) => {
    const failure = await failureFor(error === 'temporarily_unavailable' ? 503 : 400, refusal(number, error));
    expect(failure).toMatchObject({
      kind,
      code: `AADSTS${number}`,
      requestId: correlation,
      transient: transient ?? false,
    });
    expect(`${failure.cause} ${failure.remedy}`).toMatch(says);
    expect(JSON.stringify(failure)).not.toMatch(/Text of theirs|canary/);
  },
);

test('no row of the code is missing here, and none appears twice', () => {
  const inCode = aadstsRows.flatMap(({ codes }) => codes);
  expect([...inCode].sort()).toEqual(rows.map(({ number }) => number).sort());
  expect(new Set(inCode).size).toBe(inCode.length);
  for (const { cause, remedy, kind } of aadstsRows) {
    expect(cause).toMatch(/^[A-Z].*\.$/);
    if (['authentication', 'permission', 'bug'].includes(kind)) expect(remedy).toMatch(/^[A-Z].*\.$/);
  }
});

test.each([
  { name: 'status 500 with a lasting number', status: 500, body: refusal(7000215, 'invalid_client') },
  { name: 'server_error with a lasting number', status: 400, body: refusal(7000215, 'server_error') },
  {
    name: 'temporarily_unavailable without a number',
    status: 400,
    body: { error: 'temporarily_unavailable' },
  },
  { name: 'an error nobody knows', status: 400, body: { error: 'brand_new' } },
  { name: 'an error named like a property of objects', status: 400, body: { error: 'constructor' } },
])('$name: the error word and status decide, and it passes', async ({ status, body }) => {
  expect(await failureFor(status, body)).toMatchObject({ kind: 'service', transient: true });
});

test.each([
  { error: 'invalid_client', kind: 'authentication' },
  { error: 'unauthorized_client', kind: 'permission' },
  { error: 'invalid_grant', kind: 'permission' },
  { error: 'invalid_request', kind: 'bug' },
])('$error with a new number is $kind', async ({ error, kind }) => {
  expect(await failureFor(400, refusal(99_999_999, error))).toMatchObject({
    kind,
    transient: false,
    code: 'AADSTS99999999',
  });
  expect(await failureFor(400, { error })).toMatchObject({ kind, code: error });
});

test('the number is found in the description when the list is missing', async () => {
  const body = refusal(7000222, 'invalid_client', { error_codes: undefined });
  expect(await failureFor(401, body)).toMatchObject({ code: 'AADSTS7000222', kind: 'authentication' });
});

test('a remedy says what has to be done, not which button does it', () => {
  const button = /\(|button|press|click|Reconnect|Update credentials/;
  expect(aadstsRows.filter(({ remedy }) => button.test(remedy))).toEqual([]);
  // The check is awake.
  expect('Consent again (Reconnect).').toMatch(button);
});
