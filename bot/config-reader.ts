import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { CronExpressionParser } from 'cron-parser';
import * as v from 'valibot';
import { type Role, roles } from '../shared/access.ts';
import { endGiven } from '../shared/tenants/credential-expiry.ts';
import { type TenantId, tenantId } from '../shared/tenants/tenant.ts';
import { isLoopback } from './loopback.ts';
import { Secret } from './secrets.ts';

/** How an app proves who it is to Entra. */
export type AppCredential =
  /** `expiresAt` as the settings say it: nobody else can. */
  | { kind: 'secret'; secret: Secret; expiresAt?: string }
  | { kind: 'certificate'; certificatePem: string; key: Secret };

/** Every setting there is. */
export const names = [
  'PORT',
  'HOST',
  'PUBLIC_URL',
  'BOT_ID',
  'BOT_PASSWORD',
  'BOT_PASSWORD_EXPIRES',
  'BOT_CERTIFICATE_FILE',
  'BOT_KEY_FILE',
  'BOT_TENANT_ID',
  'TEAMS_APP_ID',
  'AAD_APP_CLIENT_ID',
  'AAD_APP_TENANT_ID',
  'AAD_APP_SECRET',
  'AAD_APP_SECRET_EXPIRES',
  'AAD_APP_CERTIFICATE_FILE',
  'AAD_APP_KEY_FILE',
  'GRAPH_APP_ID',
  'GRAPH_APP_SECRET',
  'GRAPH_APP_SECRET_EXPIRES',
  'GRAPH_CERTIFICATE_FILE',
  'GRAPH_KEY_FILE',
  'HOME_TENANT_ID',
  'ENCRYPTION_KEYS',
  'AUDIT_CHECKPOINT_FILE',
  'AUDIT_KEY_FILE',
  'MONGODB_URI',
  'WATCHPOST_DATA',
  'WATCHPOST_ROLE',
  'WATCHPOST_GROUP_ROLES',
  'WATCHPOST_NAME_CLAIMS',
  'WATCHPOST_MAIL_CLAIMS',
  'METRICS_TOKEN',
  'CLOUD',
  'SYNC_CRON_SCORES',
  'SYNC_CRON_ALERTS',
  'SYNC_CRON_IDENTITY',
  'SYNC_CRON_DIRECTORY',
  'SYNC_CRON_POLICIES',
  'SYNC_CRON_CALENDAR',
  'SANDBOX_URL',
  'LOG_LEVEL',
] as const;
export type Name = (typeof names)[number];

/** Reads single settings; what is missing or wrong goes into `problems` as a sentence, never as a value. */
export function reader(set: Map<Name, string>, problems: string[], folder: string) {
  function guid(name: Name, required: boolean): TenantId | undefined {
    const value = set.get(name);
    if (value === undefined) {
      if (required) problems.push(`${name} is missing.`);
      return undefined;
    }
    const id = tenantId(value);
    if (id === undefined) problems.push(`${name} must be a GUID.`);
    return id;
  }
  function secret(name: Name, shortest: number): Secret | undefined {
    const value = set.get(name);
    if (value === undefined) return undefined;
    if (value.length < shortest) problems.push(`${name} is too short: at least ${shortest} characters.`);
    return new Secret(value);
  }
  function pem(name: Name): string | undefined {
    const value = set.get(name);
    if (value === undefined) return undefined;
    const path = isAbsolute(value) ? value : join(folder, value);
    try {
      const text = readFileSync(path, 'utf8');
      if (!text.includes('-----BEGIN ')) problems.push(`${name}: the file is not PEM.`);
      return text;
    } catch {
      problems.push(`${name}: the file cannot be read.`);
      return undefined;
    }
  }
  /** The day on which a secret ends, from the setting beside it. */
  function ending(secretName: Name): string | undefined {
    const name = names.find((one) => one === `${secretName}_EXPIRES`);
    const value = name === undefined ? undefined : set.get(name);
    if (name === undefined || value === undefined) return undefined;
    if (!set.has(secretName)) problems.push(`${name} is set without ${secretName}.`);
    const at = endGiven(value);
    if (at !== null) return at;
    problems.push(`${name} must be a day like 2027-03-31.`);
    return undefined;
  }
  return {
    guid,
    secret,
    /** A file to write, from the folder the program was started in. */
    path(name: Name, fallback: string): string {
      const value = set.get(name);
      if (value === undefined) return fallback;
      return isAbsolute(value) ? value : join(folder, value);
    },
    /** A file with an Ed25519 private key in it, when it is named. */
    signingKeyFile(name: Name, fallback: string): string {
      const value = set.get(name);
      const text = value === undefined ? undefined : pem(name);
      if (value === undefined) return fallback;
      if (text?.includes('-----BEGIN ') === true && !isEd25519(text))
        problems.push(`${name}: the file holds no Ed25519 private key.`);
      return isAbsolute(value) ? value : join(folder, value);
    },
    port(name: Name, fallback: number): number {
      const value = set.get(name);
      if (value === undefined) return fallback;
      const parsed = v.safeParse(
        v.pipe(v.string(), v.regex(/^\d{1,5}$/), v.transform(Number), v.maxValue(65535)),
        value,
      );
      if (parsed.success) return parsed.output;
      problems.push(`${name} must be a port, 0 to 65535.`);
      return fallback;
    },
    oneOf<T extends string>(name: Name, values: readonly T[], fallback: T): T {
      const value = set.get(name);
      if (value === undefined) return fallback;
      const found = values.find((one) => one === value);
      if (found !== undefined) return found;
      problems.push(`${name} must be one of ${values.join(', ')}.`);
      return fallback;
    },
    /** Some of these words, with commas between, in the order in which they were said. */
    someOf<T extends string>(name: Name, values: readonly T[], fallback: readonly T[]): readonly T[] {
      const value = set.get(name);
      if (value === undefined) return fallback;
      const said = value.split(',').map((one) => one.trim().toLowerCase());
      const found = said.map((one) => values.find((known) => known === one));
      const known = found.filter((one) => one !== undefined);
      if (known.length === said.length) return known;
      problems.push(`${name} must be some of ${values.join(', ')}, with commas between.`);
      return fallback;
    },
    /** `<object id>=Role`, with commas between. */
    groupRoles(name: Name): ReadonlyMap<string, Role> {
      const mapped = new Map<string, Role>();
      const value = set.get(name);
      if (value === undefined) return mapped;
      for (const pair of value.split(',')) {
        const [group = '', said = '', ...rest] = pair.split('=').map((one) => one.trim());
        const role = roles.find((one) => one.toLowerCase() === said.toLowerCase());
        const id = tenantId(group);
        // Customer is for people of other tenants, whose groups are none of ours.
        if (id === undefined || role === undefined || role === 'Customer' || rest.length > 0) {
          problems.push(
            `${name} must be the object ids of groups with a role each: <id>=Operator,<id>=Reader. Roles are Admin, Operator and Reader.`,
          );
          return mapped;
        }
        if (mapped.has(id)) {
          problems.push(`${name} names a group twice.`);
          return mapped;
        }
        mapped.set(id, role);
      }
      return mapped;
    },
    cron(name: Name, fallback: string): string {
      const value = set.get(name);
      if (value === undefined) return fallback;
      try {
        CronExpressionParser.parse(value);
        return value;
      } catch {
        problems.push(`${name} is not a cron expression.`);
        return fallback;
      }
    },
    publicUrl(): string | undefined {
      const value = set.get('PUBLIC_URL');
      if (value === undefined) {
        problems.push('PUBLIC_URL is missing: the https address that users and Microsoft reach.');
        return undefined;
      }
      const url = URL.canParse(value) ? new URL(value) : undefined;
      if (
        url === undefined ||
        url.username !== '' ||
        url.search !== '' ||
        url.hash !== '' ||
        (url.protocol !== 'https:' && !isLoopbackUrl(value))
      ) {
        problems.push('PUBLIC_URL must be an https address without user, query or fragment.');
        return undefined;
      }
      return value.replace(/\/+$/, '');
    },
    credential(
      secretName: Name,
      certificateName: Name,
      keyName: Name,
      required: boolean,
    ): AppCredential | undefined {
      const value = secret(secretName, 8);
      const certificate = pem(certificateName);
      const key = pem(keyName);
      const halfPair = (set.get(certificateName) === undefined) !== (set.get(keyName) === undefined);
      if (halfPair) problems.push(`${certificateName} and ${keyName} belong together; one is missing.`);
      if (value !== undefined && set.get(certificateName) !== undefined)
        problems.push(`${secretName} and ${certificateName} are both set; choose one.`);
      const expiresAt = ending(secretName);
      if (value !== undefined) {
        return { kind: 'secret', secret: value, ...(expiresAt === undefined ? {} : { expiresAt }) };
      }
      if (certificate !== undefined && key !== undefined)
        return { kind: 'certificate', certificatePem: certificate, key: new Secret(key) };
      if (required && !halfPair && set.get(certificateName) === undefined)
        problems.push(`${secretName} is missing (or ${certificateName} and ${keyName}).`);
      return undefined;
    },
  };
}

function isEd25519(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'ed25519';
  } catch {
    return false; // no private key, or one with a passphrase: the sentence is the same
  }
}

export function isLoopbackUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return url.protocol === 'http:' && isLoopback(url.hostname) && url.username === '';
}
