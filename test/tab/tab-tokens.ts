import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { demoHome, demoPeople, demoTabAppId } from '../../bot/cast.ts';
import type { SigningKeys } from '../../bot/services.ts';

export const issuer = 'https://login.microsoftonline.com/{tid}/v2.0';
export const teamsWeb = '5e3ce6c0-2b1f-4285-8d4b-75ee78787346';

/** An Entra of the test's own: one key pair that is published, one that is not. */
export function openTestEntra(): {
  keys: SigningKeys;
  right: KeyObject;
  wrong: KeyObject;
  token(claims?: Record<string, unknown>): Promise<string>;
} {
  const right = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const wrong = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    keys: {
      find: async (kid) =>
        kid === 'k1'
          ? {
              key: right.publicKey,
              endorsements: [],
              issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0',
            }
          : null,
      prefetch: async () => undefined,
    },
    right: right.privateKey,
    wrong: wrong.privateKey,
    token: (claims = {}) =>
      new SignJWT(claimsOf(claims))
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: 'k1' })
        .sign(right.privateKey),
  };
}

/** Claims of a good token of Ana, changed by `change`; undefined takes a claim away. */
export function claimsOf(change: Record<string, unknown> = {}): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  const claims: Record<string, unknown> = {
    aud: demoTabAppId,
    iss: issuer.replace('{tid}', demoHome.id),
    iat: now - 10,
    nbf: now - 10,
    exp: now + 3_600,
    azp: teamsWeb,
    azpacr: '0',
    name: demoPeople[0]?.name,
    oid: demoPeople[0]?.oid,
    preferred_username: demoPeople[0]?.address,
    scp: 'access_as_user',
    sub: 'subject',
    tid: demoHome.id,
    ver: '2.0',
    ...change,
  };
  for (const [name, value] of Object.entries(claims)) if (value === undefined) delete claims[name];
  return claims;
}
