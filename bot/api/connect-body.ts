import * as v from 'valibot';
import { connectLimits } from '../../shared/api.ts';
import { Secret } from '../secrets.ts';

/** What people type into the form of a connection. Every message is a sentence that repeats nothing they typed. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const control = /[\u0000-\u001f\u007f]/;
const object = 'Fill in the form again: it did not come as it was meant.';
const nameWords = `A name may have ${connectLimits.name} characters on one line.`;
const tenantWords = 'Give a domain of the tenant, such as contoso.com, or its id.';
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

export const credentialsSchema = v.strictObject({ appId: app, secret }, object);

export const connectSchema = v.strictObject(
  {
    name: v.optional(
      v.pipe(
        v.string(nameWords),
        v.trim(),
        v.maxLength(connectLimits.name, nameWords),
        v.check((text) => !control.test(text), nameWords),
        v.transform((text) => (text === '' ? undefined : text)),
      ),
    ),
    tenant: v.pipe(
      v.string(tenantWords),
      v.trim(),
      v.toLowerCase(),
      v.maxLength(connectLimits.tenant, tenantWords),
      v.regex(/^[a-z0-9][a-z0-9.-]{2,}$/, tenantWords),
    ),
    appId: app,
    secret,
  },
  object,
);

export const removeSchema = v.strictObject(
  { name: v.pipe(v.string(object), v.trim(), v.maxLength(300, object)) },
  object,
);

/** The first thing that is wrong, in our own sentence. */
export function wrongWith(issues: readonly { message: string }[]): string {
  return issues[0]?.message ?? object;
}
