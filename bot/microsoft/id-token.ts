import { decodeProtectedHeader } from 'jose/decode/protected_header';
import { jwtVerify } from 'jose/jwt/verify';
import * as v from 'valibot';
import { tenantId } from '../../shared/tenants/tenant.ts';
import { errorCode } from '../errors.ts';
import type { SignedIn, SigningKeys } from '../services.ts';

/** Entra's ids of the two roles whose holders may consent to application permissions of Graph. */
const mayConsent = ['62e90394-69f5-4237-9190-012177145e10', 'e8611ab8-c189-46e8-94e1-60213ab1f814'];

const skewSeconds = 120;
const guid = v.pipe(v.string(), v.regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/));
const headerSchema = v.object({
  alg: v.literal('RS256'),
  kid: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
});
/** An audience in a list has no one meaning here and is refused. */
const claimsSchema = v.object({
  aud: v.string(),
  iss: v.string(),
  tid: guid,
  oid: guid,
  ver: v.literal('2.0'),
  nonce: v.string(),
  wids: v.optional(v.pipe(v.array(v.string()), v.maxLength(200))),
});

export type IdTokenOptions = {
  keys: SigningKeys;
  /** App id of the application the person signed in to. */
  audience: string;
  /** Issuer of this cloud's tokens with `{tid}` in it. */
  issuer: string;
  nonce: string;
  now: Date;
};

/**
 * Who signed in, by an ID token (R18): signed by a key that Entra publishes, for our application, by the issuer that
 * belongs to its own tenant, with the nonce of this very sign-in, within its time. Decisions use `tid`, `oid`, `wids`
 * only (R12). `refused` says in a word why not, for the audit. @throws `service-error` when Entra tells no keys.
 */
export async function checkIdToken(token: string, options: IdTokenOptions): Promise<SignedIn> {
  const header = v.safeParse(headerSchema, headerOf(token));
  if (!header.success) return refused('header');
  const key = await options.keys.find(header.output.kid);
  if (key === null) return refused('key');
  let payload: unknown;
  try {
    ({ payload } = await jwtVerify(token, key.key, {
      algorithms: ['RS256'],
      audience: options.audience,
      clockTolerance: skewSeconds,
      currentDate: options.now,
      requiredClaims: ['exp', 'nbf', 'iat'],
    }));
  } catch (error) {
    return refused(errorCode(error));
  }
  const parsed = v.safeParse(claimsSchema, payload);
  if (!parsed.success) return refused('claims');
  const { iss, nonce, oid, wids } = parsed.output;
  const tid = tenantId(parsed.output.tid);
  if (tid === undefined) return refused('tid');
  if (iss !== options.issuer.replaceAll('{tid}', tid)) return refused('issuer');
  if (key.issuer !== undefined && key.issuer.replaceAll('{tenantid}', tid) !== iss)
    return refused('issuer of the key');
  if (nonce !== options.nonce) return refused('nonce');
  // Everybody has one role at least; none at all means that the registration does not ask for them.
  const administrator =
    wids === undefined ? null : wids.some((one) => mayConsent.includes(one.toLowerCase()));
  return { kind: 'person', tid, oid, administrator };
}

function refused(why: string): SignedIn {
  return { kind: 'refused', why };
}

function headerOf(token: string): unknown {
  try {
    return decodeProtectedHeader(token);
  } catch {
    return undefined; // not even a header: the schema says no
  }
}
