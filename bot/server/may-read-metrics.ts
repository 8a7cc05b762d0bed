import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../secrets.ts';

/** `/metrics` is for who has the token; without one set, only where the program is for this machine alone. */
export function mayReadMetrics(
  authorization: string | undefined,
  { metricsToken, publicUrl }: { metricsToken: Secret | undefined; publicUrl: string },
): boolean {
  if (metricsToken === undefined) return isLoopback(publicUrl);
  // Digests: of one length whatever was sent, compared in one time.
  const given = digest(authorization ?? '');
  return metricsToken.use((token) => timingSafeEqual(given, digest(`Bearer ${token}`)));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function isLoopback(publicUrl: string): boolean {
  const host = URL.parse(publicUrl)?.hostname ?? '';
  return host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}
