import { randomUUID } from 'node:crypto';
import { type Answer, type Call, json } from './http.ts';

type Row = [status: number, error: string, text: string];

/** Entra's answers by AADSTS number: status, OAuth error, beginning of the sentence. */
const rows: Record<number, Row> = {
  40010: [503, 'temporarily_unavailable', 'The service is temporarily unavailable.'],
  50011: [
    400,
    'invalid_request',
    'The redirect URI specified in the request does not match the ones configured.',
  ],
  50012: [
    401,
    'invalid_client',
    'Authentication failed: the certificate with this identifier is not registered.',
  ],
  50027: [400, 'invalid_request', 'JWT token is invalid or malformed.'],
  50196: [
    400,
    'invalid_grant',
    'The server terminated an operation because it encountered a client request loop.',
  ],
  53003: [400, 'access_denied', 'Access has been blocked by Conditional Access policies.'],
  54005: [400, 'invalid_grant', 'OAuth2 Authorization code was already redeemed.'],
  70008: [400, 'invalid_grant', 'The provided authorization code or refresh token has expired.'],
  70000: [400, 'invalid_grant', 'The provided value for the code is not valid.'],
  70003: [400, 'unsupported_grant_type', 'The app requested an unsupported grant type.'],
  70011: [400, 'invalid_scope', 'The provided request must include a valid scope.'],
  90002: [400, 'invalid_request', 'Tenant not found. Check to make sure you have the correct tenant ID.'],
  500011: [400, 'invalid_resource', 'The resource principal was not found in the tenant.'],
  501481: [
    400,
    'invalid_grant',
    'The Code_Verifier does not match the code_challenge supplied in the request.',
  ],
  650051: [400, 'invalid_request', 'The service principal is being created. Try again later.'],
  700016: [400, 'unauthorized_client', 'Application was not found in the directory.'],
  700024: [401, 'invalid_client', 'Client assertion is not within its valid time range.'],
  700027: [
    401,
    'invalid_client',
    'The certificate used to sign the client assertion is not registered on application.',
  ],
  900023: [
    400,
    'invalid_request',
    'Specified tenant identifier is neither a valid DNS name, nor a valid external domain.',
  ],
  900144: [400, 'invalid_request', 'The request body must contain a required parameter.'],
  7000112: [400, 'unauthorized_client', 'Application is disabled.'],
  7000215: [
    401,
    'invalid_client',
    'Invalid client secret provided. Ensure the secret being sent is the value and not the ID.',
  ],
  7000218: [401, 'invalid_client', "The request body must contain: 'client_assertion' or 'client_secret'."],
  7000222: [401, 'invalid_client', 'The provided client secret keys are expired.'],
  7000229: [401, 'invalid_client', 'The client application is missing service principal in the tenant.'],
  9001023: [
    400,
    'invalid_request',
    'The grant type is not supported over the /common or /consumers endpoints.',
  ],
  9002313: [400, 'invalid_request', 'Invalid request. Request is malformed or invalid.'],
};

/** Entra's error body: `error` is for code, the number and the sentence are for people and support. */
export function aadsts(call: Call, code: number, detail = ''): Answer {
  const [status, error, text] = rows[code] ?? [400, 'invalid_request', 'The request is not valid.'];
  const trace = randomUUID();
  const correlation = String(call.headers['client-request-id'] ?? randomUUID());
  const timestamp = call.at.toISOString().replace('T', ' ').slice(0, 19).concat('Z');
  return json(
    status,
    {
      error,
      error_description: `AADSTS${code}: ${text}${detail === '' ? '' : ` ${detail}`} Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}`,
      error_codes: [code],
      timestamp,
      trace_id: trace,
      correlation_id: correlation,
      error_uri: `https://${call.host}/error?code=${code}`,
      ...(code === 53003 ? { suberror: 'message_only' } : {}),
    },
    { 'cache-control': 'no-store', 'x-ms-request-id': trace },
  );
}

/** All numbers the sandbox can answer with on a fault's order (`"code": "AADSTS7000222"`). */
export function aadstsOfFault(code: string | undefined): number | undefined {
  const number = Number(/^(?:AADSTS)?(\d{4,8})$/.exec(code ?? '')?.[1]);
  return Number.isNaN(number) ? undefined : number;
}
