import * as v from 'valibot';
import { connectLimits } from '../../shared/api.ts';
import { endGiven } from '../../shared/tenants/credential-expiry.ts';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { typedDomain } from '../../shared/tenants/typed-domain.ts';
import { Secret } from '../secrets.ts';

/** What people type into the form of a connection. Every message is a sentence that repeats nothing they typed. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const control = /[\u0000-\u001f\u007f]/;
const object = 'Fill in the form again: it did not come as it was meant.';
const nameWords = `A name may have ${connectLimits.name} characters on one line.`;
const tenantWords = 'Give a domain of the tenant, such as contoso.com, or its id.';
const dayWords = 'Give the day on which the secret ends as a date, or nothing.';
const appWords = 'The app id must be a GUID: the "Application (client) ID" of the app registration.';
const secretWords = 'Give the value of the client secret.';
const shortWords =
  'This is too short to be a client secret. Give its Value, which Entra shows once when it is made, not its Secret ID.';

const app = v.pipe(
  v.string(appWords),
  v.trim(),
  v.toLowerCase(),
  v.regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, appWords),
);
/** Wrapped at once: from here on nobody prints it by mistake. */
const secret = v.pipe(
  v.string(secretWords),
  v.trim(),
  v.minLength(1, secretWords),
  v.minLength(connectLimits.secretLeast, shortWords),
  v.maxLength(connectLimits.secret, `A client secret has at most ${connectLimits.secret} characters.`),
  v.check((text) => !control.test(text), secretWords),
  v.transform((text) => new Secret(text)),
);

/** As a date field gives it; one that has passed already is a slip of the pen, and is seen on the page. */
const secretExpires = v.optional(
  v.pipe(
    v.string(dayWords),
    v.check((day) => endGiven(day) !== null, dayWords),
  ),
);

export const credentialsSchema = v.strictObject({ appId: app, secret, secretExpires }, object);

const tenant = v.pipe(
  v.string(tenantWords),
  v.maxLength(1_000, tenantWords),
  v.transform(typedDomain),
  v.maxLength(connectLimits.tenant, tenantWords),
  v.regex(/^[a-z0-9][a-z0-9.-]{2,}$/, tenantWords),
);
const name = v.optional(
  v.pipe(
    v.string(nameWords),
    v.trim(),
    v.maxLength(connectLimits.name, nameWords),
    v.check((text) => !control.test(text), nameWords),
    v.transform((text) => (text === '' ? undefined : text)),
  ),
);
const anew = v.optional(v.boolean(object));

export const certificateSchema = v.strictObject({ appId: app, anew }, object);
export const newCertificateSchema = v.strictObject({ tenant, appId: app, anew }, object);
/** By the tenant's id, as the certificate told it. */
export const tryCertificateSchema = v.strictObject(
  {
    tenant: v.pipe(
      v.string(tenantWords),
      v.transform((text) => tenantId(text)),
      v.custom<TenantId>((id) => id !== undefined, tenantWords),
    ),
    name,
  },
  object,
);

export const connectSchema = v.strictObject({ name, tenant, appId: app, secret, secretExpires }, object);

export const removeSchema = v.strictObject(
  { name: v.pipe(v.string(object), v.trim(), v.maxLength(300, object)) },
  object,
);

/** The first thing that is wrong, in our own sentence. */
export function wrongWith(issues: readonly { message: string }[]): string {
  return issues[0]?.message ?? object;
}
