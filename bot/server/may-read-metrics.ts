import { createHash, timingSafeEqual } from 'node:crypto';
import { isLoopback } from '../loopback.ts';
import type { Secret } from '../secrets.ts';

/** `/metrics` is for who has the token; without one set, only where the program is for this machine alone. */
export function mayReadMetrics(
  authorization: string | undefined,
  { metricsToken, publicUrl }: { metricsToken: Secret | undefined; publicUrl: string },
): boolean {
  if (metricsToken === undefined) return isLoopback(URL.parse(publicUrl)?.hostname ?? '');
  // Digests: of one length whatever was sent, compared in one time.
  const given = digest(authorization ?? '');
  return metricsToken.use((token) => timingSafeEqual(given, digest(`Bearer ${token}`)));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
