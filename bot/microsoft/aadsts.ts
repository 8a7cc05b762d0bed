import * as v from 'valibot';
import type { Failure } from '../services.ts';
import { nonsense, throttled } from './failures.ts';

type Row = {
  codes: readonly number[];
  kind: Failure['kind'];
  cause: string;
  remedy: string;
  /** Passes by itself; only for codes that come with a lasting `error`. */
  transient?: true;
};

const report = 'This is a fault of Watchpost: please report it with the code.';
const signInAgain = 'Sign in again.';
const entraTrouble = 'Microsoft Entra has trouble answering.';

/**
 * Entra's numbers and what people are told (`graph.md` §6.5). The numbers may change without notice, so they choose
 * the sentence only; whether to try again is decided by `error` and the HTTP status. A remedy says what has to be done,
 * never which button does it: it is read in chat, in the tab and at the command line.
 */
export const aadstsRows: readonly Row[] = [
  {
    codes: [700016],
    kind: 'authentication',
    cause: 'The tenant does not know this application.',
    remedy: 'Check the App id and the tenant id; for a shared application run the admin consent again.',
  },
  {
    codes: [7000229],
    kind: 'permission',
    cause: 'Consent was withdrawn or never given: the application is not present in the tenant.',
    remedy: 'An administrator of the tenant has to consent again; right after a consent wait a few minutes.',
  },
  {
    codes: [7000215, 70002],
    kind: 'authentication',
    cause: 'The client secret is wrong.',
    remedy: 'Create a new secret in the app registration and give Watchpost its value, not its id.',
  },
  {
    codes: [7000222],
    kind: 'authentication',
    cause: 'The client secret has expired.',
    remedy: 'Create a new secret in the app registration and give it to Watchpost.',
  },
  {
    codes: [7000218, 7000216],
    kind: 'authentication',
    cause: 'The request carried no credential that Microsoft accepts.',
    remedy: 'Give Watchpost the secret or the certificate of the application once more.',
  },
  {
    codes: [700027],
    kind: 'authentication',
    cause:
      'Microsoft does not accept the certificate: it is not registered with the application, or the key is another.',
    remedy: 'Upload the certificate to the app registration and check its thumbprint.',
  },
  {
    codes: [700024],
    kind: 'authentication',
    cause: 'The signed request was outside its valid time: the clock of this server may be wrong.',
    remedy: 'Set the clock of the server right.',
  },
  {
    codes: [700030],
    kind: 'authentication',
    cause: "The certificate's subject name is not allowed for this application.",
    remedy: 'Register this very certificate with the application.',
  },
  {
    codes: [1000502, 7000274],
    kind: 'authentication',
    cause: 'The certificate has expired or is not valid yet.',
    remedy: 'Renew the certificate, upload it to the app registration and give it to Watchpost with its key.',
  },
  {
    codes: [7000214, 7000277],
    kind: 'authentication',
    cause: 'The certificate has been revoked.',
    remedy: 'Replace the certificate, in the app registration and in Watchpost.',
  },
  {
    codes: [50012, 50027, 900384],
    kind: 'authentication',
    cause: 'Microsoft could not read the signed request or does not accept its certificate.',
    remedy: 'Check the certificate and its key.',
  },
  {
    codes: [700211, 700213],
    kind: 'authentication',
    cause: 'No federated credential of the application matches.',
    remedy: 'Correct issuer and subject of the federated credential.',
  },
  {
    codes: [7000112],
    kind: 'permission',
    cause: 'The application is disabled in the tenant.',
    remedy: 'An administrator of the tenant has to enable the enterprise application again.',
  },
  {
    codes: [70001, 700011],
    kind: 'authentication',
    cause: 'The application is disabled or not found in the tenant.',
    remedy: 'Check the App id and the tenant id; for a shared application run the admin consent again.',
  },
  {
    codes: [50105],
    kind: 'permission',
    cause: 'The person is not assigned to the application.',
    remedy: 'An administrator has to assign the person to the enterprise application.',
  },
  {
    codes: [65001],
    kind: 'permission',
    cause: 'Nobody has consented to the delegated permission.',
    remedy: 'Consent, or ask an administrator to.',
  },
  {
    codes: [65004],
    kind: 'permission',
    cause: 'The consent was declined.',
    remedy: 'Ask again and explain what the permissions are for.',
  },
  {
    codes: [65005, 650056, 650057],
    kind: 'permission',
    cause: 'The app registration does not list Microsoft Graph with the permissions it needs.',
    remedy: 'Correct the app registration, then let an administrator consent again.',
  },
  {
    codes: [650052],
    kind: 'licence',
    cause: 'The tenant has no subscription to the service that is needed.',
    remedy: '',
  },
  {
    codes: [650051],
    kind: 'service',
    cause: 'The application is just being set up in the tenant.',
    remedy: 'Wait half a minute.',
    transient: true,
  },
  {
    codes: [90094, 90095],
    kind: 'permission',
    cause: 'Only an administrator may consent.',
    remedy: 'Send the link to an administrator of the tenant.',
  },
  {
    codes: [90099],
    kind: 'permission',
    cause: 'The application has no consent in the customer tenant; partner access does not replace it.',
    remedy: 'An administrator of the customer tenant has to consent.',
  },
  {
    codes: [50020],
    kind: 'authentication',
    cause: 'The account belongs to another tenant.',
    remedy: 'Sign in with an account of this tenant.',
  },
  {
    codes: [50034, 16000],
    kind: 'authentication',
    cause: 'The account does not exist in this tenant.',
    remedy: 'Sign in with an account of this tenant.',
  },
  {
    codes: [50011],
    kind: 'authentication',
    cause: 'The redirect address is not registered.',
    remedy: 'Register exactly the address of this server with the application.',
  },
  {
    codes: [500113],
    kind: 'authentication',
    cause: 'The application has no redirect address at all.',
    remedy: 'Register the address of this server with the application.',
  },
  {
    codes: [900971],
    kind: 'bug',
    cause: 'The request had no redirect address.',
    remedy: report,
  },
  {
    codes: [50194],
    kind: 'authentication',
    cause: 'The application is registered for a single tenant.',
    remedy: 'Make the registration multi-tenant, or use an own application for this tenant.',
  },
  {
    codes: [90002],
    kind: 'authentication',
    cause: 'Microsoft does not know this tenant.',
    remedy: 'Check the tenant id; the tenant may be deleted or live in another national cloud.',
  },
  {
    codes: [900023],
    kind: 'authentication',
    cause: 'The tenant id is malformed.',
    remedy: 'Correct the tenant id.',
  },
  {
    codes: [5000224],
    kind: 'authentication',
    cause: 'The tenant is no longer available; it may have been deleted.',
    remedy: 'Check the tenant, or remove it from Watchpost.',
  },
  {
    codes: [90038, 900382],
    kind: 'authentication',
    cause: 'The tenant lives in another national cloud.',
    remedy: 'Connect it from a Watchpost that is set up for that cloud.',
  },
  {
    codes: [500011, 50001],
    kind: 'authentication',
    cause: 'Microsoft Graph is not known in the tenant under this name.',
    remedy: 'Check that the tenant belongs to the cloud Watchpost is set up for.',
  },
  { codes: [70011, 28002], kind: 'bug', cause: 'The requested scope is wrong.', remedy: report },
  { codes: [900144, 90014], kind: 'bug', cause: 'The token request lacked a field.', remedy: report },
  { codes: [9002313], kind: 'bug', cause: 'The token request was malformed.', remedy: report },
  { codes: [9001023], kind: 'bug', cause: 'The token request did not name the tenant.', remedy: report },
  {
    codes: [53003],
    kind: 'permission',
    cause: 'A Conditional Access policy of the tenant blocks the application.',
    remedy:
      'An administrator of the tenant has to exclude the application or allow the address of this server.',
  },
  {
    codes: [53000, 53001, 53002, 53004, 530032, 530035, 50131],
    kind: 'permission',
    cause: 'A security policy of the tenant blocks the access.',
    remedy: 'An administrator of the tenant has to allow it.',
  },
  {
    codes: [50076, 50079, 50074, 50158],
    kind: 'permission',
    cause: 'The tenant asks for a second factor.',
    remedy: 'Sign in again with the second factor.',
  },
  {
    codes: [50173, 50133, 700082, 70008],
    kind: 'authentication',
    cause: 'The sign-in has been revoked or has expired.',
    remedy: signInAgain,
  },
  {
    codes: [500133, 50013],
    kind: 'authentication',
    cause: 'The sign-in of the page has expired.',
    remedy: signInAgain,
    transient: true,
  },
  {
    codes: [7000114],
    kind: 'authentication',
    cause: 'The application may not act for signed-in people.',
    remedy: 'Correct the app registration.',
  },
  {
    codes: [50196],
    kind: 'service',
    cause: 'Microsoft saw too many equal token requests from us.',
    remedy: '',
    transient: true,
  },
  { codes: [90055], kind: 'throttled', cause: 'Microsoft asks us to wait.', remedy: '', transient: true },
  {
    codes: [90033, 90006, 90024, 90090, 90012, 50033, 50000, 40010],
    kind: 'service',
    cause: entraTrouble,
    remedy: '',
    transient: true,
  },
];

const byNumber = new Map(aadstsRows.flatMap((row) => row.codes.map((code) => [code, row] as const)));

const tenantRefused: Omit<Row, 'codes'> = {
  kind: 'permission',
  cause: 'The tenant refused the access.',
  remedy: 'An administrator of the tenant has to allow it.',
};

/** RFC 6749's word alone, when the number is unknown. */
const byError: Readonly<Record<string, Omit<Row, 'codes'>>> = {
  invalid_client: {
    kind: 'authentication',
    cause: 'Microsoft does not accept the credential of the application.',
    remedy: 'Check the App id and give Watchpost a new secret or certificate.',
  },
  unauthorized_client: {
    kind: 'permission',
    cause: 'The application may not be used in this tenant.',
    remedy: 'An administrator of the tenant has to consent again.',
  },
  invalid_resource: {
    kind: 'permission',
    cause: 'The app registration does not list what it asks for.',
    remedy: 'Correct the app registration, then let an administrator consent again.',
  },
  access_denied: tenantRefused,
  invalid_grant: tenantRefused,
  consent_required: tenantRefused,
  interaction_required: tenantRefused,
  invalid_request: { kind: 'bug', cause: 'Microsoft does not understand the token request.', remedy: report },
  invalid_scope: { kind: 'bug', cause: 'The requested scope is wrong.', remedy: report },
  unsupported_grant_type: { kind: 'bug', cause: 'The token request was of a wrong kind.', remedy: report },
};

const word = v.fallback(v.optional(v.string(), ''), '');
/** Entra's error JSON; a token request's answer with anything else in it makes no sense. */
export const entraErrorSchema = v.object({
  error: v.pipe(v.string(), v.nonEmpty()),
  error_description: word,
  error_codes: v.fallback(v.optional(v.array(v.number()), []), []),
  correlation_id: word,
  trace_id: word,
});
export type EntraError = v.InferOutput<typeof entraErrorSchema>;

/** What an error answer of Entra means. `error_description` is searched for the number only and goes nowhere. */
export function entraFailure(status: number, answer: EntraError): Failure {
  const number = answer.error_codes[0] ?? Number(/AADSTS(\d{4,8})/.exec(answer.error_description)?.[1]);
  const row =
    byNumber.get(number) ?? (Object.hasOwn(byError, answer.error) ? byError[answer.error] : undefined);
  const failure = decide(status, answer.error, row);
  failure.code = Number.isSafeInteger(number) ? `AADSTS${number}` : plainWord(answer.error);
  const id = [answer.correlation_id, answer.trace_id].find((one) => /^[0-9a-f-]{36}$/i.test(one));
  if (id !== undefined) failure.requestId = id;
  return failure;
}

function decide(status: number, error: string, row: Omit<Row, 'codes'> | undefined): Failure {
  if (status === 429) return throttled();
  // Their trouble, whatever number stands beside it.
  if (status >= 500 || error === 'temporarily_unavailable' || error === 'server_error') {
    return nonsense(row?.transient === true ? row.cause : entraTrouble);
  }
  if (row === undefined) return nonsense(entraTrouble);
  return { kind: row.kind, cause: row.cause, remedy: row.remedy, transient: row.transient ?? false };
}

function plainWord(error: string): string {
  return /^[a-z_]{1,40}$/.test(error) ? error : 'unknown error';
}
