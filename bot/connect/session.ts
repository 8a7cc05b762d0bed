import { randomBytes } from 'node:crypto';
import type { PageRequest } from './page-route.ts';

/** The cookie that binds a try to consent to one browser (R15): ten minutes, for no script, sent by no other site. */

const seconds = 600;

/** `__Host-`: nobody but this very host can set it. Browsers take that over https only; loopback does without. */
function nameFor(publicUrl: string): string {
  return publicUrl.startsWith('https:') ? '__Host-watchpost-connect' : 'watchpost-connect';
}

/** The session of this browser, or undefined. */
export function sessionOf({ headers }: PageRequest, publicUrl: string): string | undefined {
  const name = nameFor(publicUrl);
  for (const pair of (headers.cookie ?? '').split(';')) {
    const [key, value = ''] = pair.trim().split('=', 2);
    if (key === name && /^[\w-]{43}$/.test(value)) return value;
  }
  return undefined;
}

/** A session of 256 random bits. */
export function newSession(): string {
  return randomBytes(32).toString('base64url');
}

/** The `Set-Cookie` that keeps it for another ten minutes. */
export function keeping(session: string, publicUrl: string): string {
  const secure = publicUrl.startsWith('https:') ? '; Secure' : '';
  return `${nameFor(publicUrl)}=${session}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`;
}
