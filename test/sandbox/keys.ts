import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  sign,
} from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Keys as kept in the folder, PEM; the first of `entra` and of `bot` signs, the others stay published. */
export type KeyRing = { entra: string[]; bot: string[]; other: string };

export type SigningPair = {
  kid: string;
  key: KeyObject;
  publicJwk: { n?: string | undefined; e?: string | undefined };
};

const generate = promisify(generateKeyPair);
const cache = new Map<string, SigningPair>();

export async function newKey(): Promise<string> {
  const { privateKey } = await generate('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** A new ring, or the one that another sandbox left in `shared` (tests start many sandboxes). */
export async function newRing(shared?: string): Promise<KeyRing> {
  const file = shared === undefined ? undefined : join(shared, 'keys.json');
  if (file !== undefined) {
    const found = await readRing(file);
    if (found !== undefined) return found;
  }
  const [entra, bot, other] = await Promise.all([newKey(), newKey(), newKey()]);
  const ring: KeyRing = { entra: [entra], bot: [bot], other };
  if (file !== undefined && shared !== undefined) {
    await mkdir(shared, { recursive: true, mode: 0o700 });
    const draft = `${file}.${process.pid}`;
    await writeFile(draft, JSON.stringify(ring), { mode: 0o600 });
    await rename(draft, file);
  }
  return ring;
}

async function readRing(file: string): Promise<KeyRing | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as KeyRing;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The pair of a PEM, with the key id both ends use: a digest of the public key. */
export function pairOf(pem: string): SigningPair {
  const known = cache.get(pem);
  if (known !== undefined) return known;
  const key = createPrivateKey(pem);
  const publicKey = createPublicKey(key);
  const kid = createHash('sha1')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
  const pair = { kid, key, publicJwk: publicKey.export({ format: 'jwk' }) };
  cache.set(pem, pair);
  return pair;
}

/** A compact RS256 token. `header` is laid over the usual one: a member given as undefined goes. */
export function signToken(
  pem: string,
  claims: Record<string, unknown>,
  header: Record<string, unknown> = {},
): string {
  const pair = pairOf(pem);
  const signed = `${part({ typ: 'JWT', alg: 'RS256', x5t: pair.kid, kid: pair.kid, ...header })}.${part(claims)}`;
  return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), pair.key).toString('base64url')}`;
}

/** The same with an empty signature. */
export function unsignedToken(claims: Record<string, unknown>, header: Record<string, unknown> = {}): string {
  return `${part({ typ: 'JWT', alg: 'none', ...header })}.${part(claims)}.`;
}

function part(value: Record<string, unknown>): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
