import { hkdfSync, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { WatchpostError } from './errors.ts';

const values = new WeakMap<Secret, string>();

/** A value that cannot be printed, logged or serialised (R55); `use` is the only way to it. */
export class Secret {
  constructor(value: string) {
    values.set(this, value);
  }

  /** Hands the value to `fn` and returns what it returns. Do not keep the value. */
  use<T>(fn: (value: string) => T): T {
    return fn(values.get(this) ?? '');
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  valueOf(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}

/** The program's own keys, by id. Holds no key itself, so printing one shows none; `derivedKey` is the way to them. */
export type Keyring = { readonly primary: string; readonly kids: readonly string[] };

const keyBytes = 32;
const maxKeys = 16;
const keysOf = new WeakMap<Keyring, Map<string, { key: Buffer; derived: Map<string, Buffer> }>>();

/**
 * Reads `ENCRYPTION_KEYS`: `kid:base64(32 bytes)[,kid:…]`, the first is the one that seals, all of them open.
 * Throws `config` with a sentence that never shows a key.
 */
export function parseKeyring(text: string): Keyring {
  const keys = new Map<string, { key: Buffer; derived: Map<string, Buffer> }>();
  const parts = text.split(',').map((part) => part.trim());
  if (parts.length > maxKeys) throw badKeys(`holds more than ${maxKeys} keys`);
  for (const [at, part] of parts.entries()) {
    const colon = part.indexOf(':');
    const kid = part.slice(0, Math.max(colon, 0));
    const encoded = part.slice(colon + 1);
    // The place, not the text: what stands there may be a key.
    if (!/^[A-Za-z0-9_-]{1,32}$/.test(kid))
      throw badKeys(`key ${at + 1} has no id of letters and digits before a colon`);
    const key = Buffer.from(encoded, 'base64');
    if (key.length !== keyBytes || !sameBase64(key, encoded)) {
      throw badKeys(`key ${at + 1} is not the base64 of ${keyBytes} bytes`);
    }
    if (keys.has(kid)) throw badKeys(`two keys have the id of key ${at + 1}`);
    for (const known of keys.values())
      if (known.key.equals(key)) throw badKeys(`key ${at + 1} stands there twice`);
    keys.set(kid, { key, derived: new Map() });
  }
  const kids = [...keys.keys()];
  const keyring: Keyring = Object.freeze({ primary: kids[0] ?? '', kids: Object.freeze(kids) });
  keysOf.set(keyring, keys);
  return keyring;
}

/** A new `ENCRYPTION_KEYS` with one fresh key. `random` gives that many random bytes. */
export function newKeyringText(random: (bytes: number) => Buffer = randomBytes): string {
  return `k${random(4).toString('hex')}:${random(keyBytes).toString('base64')}`;
}

/** The primary's key for one purpose: 32 bytes that say nothing about the keys of other purposes (HKDF-SHA-256). */
export function derivedKey(keyring: Keyring, purpose: string): Buffer {
  const key = derivedKeyOf(keyring, keyring.primary, purpose);
  if (key === undefined) throw new WatchpostError('config', 'There is no key to seal with.');
  return key;
}

/** The key of one id for one purpose; undefined when the keyring has no such id. */
export function derivedKeyOf(keyring: Keyring, kid: string, purpose: string): Buffer | undefined {
  const known = keysOf.get(keyring)?.get(kid);
  if (known === undefined) return undefined;
  let key = known.derived.get(purpose);
  if (key === undefined) {
    key = Buffer.from(hkdfSync('sha256', known.key, Buffer.alloc(0), `watchpost/${purpose}`, keyBytes));
    known.derived.set(purpose, key);
  }
  return key;
}

/** The keys of all ids for one purpose, the primary's first: one signs, all verify. */
export function derivedKeys(keyring: Keyring, purpose: string): { kid: string; key: Buffer }[] {
  return keyring.kids.flatMap((kid) => {
    const key = derivedKeyOf(keyring, kid, purpose);
    return key === undefined ? [] : [{ kid, key }];
  });
}

/** Node reads base64 with gaps and odd ends; a key that was cut off must not pass as another one. */
function sameBase64(key: Buffer, text: string): boolean {
  const bare = text.replace(/=+$/, '');
  return bare === key.toString('base64').replace(/=+$/, '') || bare === key.toString('base64url');
}

function badKeys(what: string): WatchpostError {
  return new WatchpostError('config', `ENCRYPTION_KEYS ${what}.`, {
    hint: 'It is kid:base64 of 32 random bytes, several separated by commas; `openssl rand -base64 32` makes one.',
  });
}
