import { createHmac, createPublicKey, createSign, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type KeyRing, pairOf } from '../sandbox/keys.ts';

/** How one token differs from the right one. `undefined` takes a member away. */
export type Difference = {
  header?: Record<string, unknown>;
  claims?: Record<string, unknown>;
  /** Whose key signs: Bot Framework's, Entra's, or nobody's. */
  key?: 'bot' | 'entra' | 'stranger';
  how?: 'RS256' | 'RS384' | 'RS512' | 'PS256' | 'HS256' | 'none' | 'ES256';
};

const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
});
const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

/** The keys the test sandboxes share. */
export function sandboxKeys(): KeyRing {
  const file = join(tmpdir(), `watchpost-test-keys-${process.getuid?.() ?? 0}`, 'keys.json');
  return JSON.parse(readFileSync(file, 'utf8')) as KeyRing;
}

/** A token of Bot Framework, right in everything but the difference. */
export function mint(
  botId: string,
  serviceUrl: string,
  { header, claims, key = 'bot', how = 'RS256' }: Difference = {},
): string {
  const ring = sandboxKeys();
  const pem = key === 'bot' ? ring.bot[0] : key === 'entra' ? ring.entra[0] : stranger.toString();
  const pair = pairOf(pem ?? '');
  const named = pairOf(ring.bot[0] ?? '').kid;
  const now = Math.floor(Date.now() / 1000);
  const kid = key === 'entra' ? pair.kid : named;
  const head = part({ typ: 'JWT', alg: how, kid, x5t: kid, ...header });
  const body = part({
    iss: 'https://api.botframework.com',
    aud: botId,
    serviceurl: serviceUrl,
    nbf: now,
    exp: now + 3600,
    ...claims,
  });
  const signed = Buffer.from(`${head}.${body}`);
  return `${head}.${body}.${signature(how, signed, pair.key)}`;
}

function signature(
  how: NonNullable<Difference['how']>,
  signed: Buffer,
  key: ReturnType<typeof pairOf>['key'],
): string {
  switch (how) {
    case 'none':
      return '';
    case 'HS256': {
      // The classic: the published key taken for a shared secret.
      const published = createPublicKey(key).export({ type: 'spki', format: 'pem' });
      return createHmac('sha256', published).update(signed).digest('base64url');
    }
    case 'PS256':
      return createSign('sha256')
        .update(signed)
        .sign({ key, padding: 6, saltLength: 32 })
        .toString('base64url');
    case 'ES256':
      return sign('sha256', signed, { key: curve, dsaEncoding: 'ieee-p1363' }).toString('base64url');
    default:
      return sign(how.replace('RS', 'RSA-SHA'), signed, key).toString('base64url');
  }
}

export function part(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}
