import { verify } from 'node:crypto';
import type { Call } from './http.ts';
import { pairOf } from './keys.ts';

export type Bearer = { claims: Record<string, unknown> } | { problem: string };
const verified = new Map<string, { claims: Record<string, unknown>; pem: string }>();

/** The claims of the call's bearer token when one of `pems` signed it and it is within its life. */
export function bearer(call: Call, pems: string[]): Bearer {
  const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/.exec(String(call.headers.authorization ?? ''))?.[1];
  if (token === undefined) return { problem: 'Access token is empty.' };
  const read = readToken(token, pems);
  if (read === undefined) return { problem: 'IDX10511: Signature validation failed.' };
  const now = call.at.getTime() / 1000;
  if (typeof read.exp !== 'number' || read.exp <= now)
    return { problem: 'Lifetime validation failed, the token is expired.' };
  if (typeof read.nbf === 'number' && read.nbf > now + 300)
    return { problem: 'Lifetime validation failed, the token is not yet valid.' };
  return { claims: read };
}

function readToken(token: string, pems: string[]): Record<string, unknown> | undefined {
  const known = verified.get(token);
  if (known !== undefined && pems.includes(known.pem)) return known.claims;
  const [head = '', body = '', signature = ''] = token.split('.');
  try {
    const header = JSON.parse(Buffer.from(head, 'base64url').toString('utf8')) as Record<string, unknown>;
    const pem = pems.find((one) => pairOf(one).kid === header.kid);
    if (header.alg !== 'RS256' || pem === undefined) return undefined;
    const right = verify(
      'RSA-SHA256',
      Buffer.from(`${head}.${body}`),
      pairOf(pem).key,
      Buffer.from(signature, 'base64url'),
    );
    if (!right) return undefined;
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as Record<string, unknown>;
    if (verified.size > 20_000) verified.clear();
    verified.set(token, { claims, pem });
    return claims;
  } catch {
    return undefined;
  }
}
