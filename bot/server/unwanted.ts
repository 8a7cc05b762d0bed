import type { Request } from 'restify';
import { Refused } from './problem.ts';

const longestAddress = 2048;
/** Entra's codes alone can be longer than that. */
const longestCallback = 8192;
const mostInFlight = 1000;

/** What no route needs to see. */
export function unwanted(request: Request, inFlight: number): Refused | undefined {
  const { method = '', url = '' } = request;
  if (!['GET', 'HEAD', 'POST'].includes(method)) {
    return new Refused(405, 'This cannot be done here.', { Allow: 'GET, HEAD, POST' });
  }
  const longest = url.startsWith('/connect/callback?') ? longestCallback : longestAddress;
  if (url.length > longest) return new Refused(414, 'The address is too long.');
  // restify builds an address from what the client claims to have called and throws where nobody catches it.
  if (!url.startsWith('/') || !URL.canParse(`http://${request.headers.host ?? 'localhost'}${url}`)) {
    return new Refused(400, 'The address is not understood.');
  }
  if (inFlight > mostInFlight) return new Refused(503, 'Too much at once. Please try again in a moment.');
  return undefined;
}

/** The pattern, never the address: ids in addresses stay out of the log. */
export function routeOf(request: Request): string {
  const route: unknown = request.getRoute?.();
  const path = typeof route === 'object' && route !== null ? Reflect.get(route, 'path') : undefined;
  return typeof path === 'string' ? path : 'none';
}

/** Reads the rest of a refused body for a moment, so that the answer is heard before the connection ends. */
export function discard(request: Request): void {
  const { socket } = request;
  request.resume();
  setTimeout(() => socket.destroy(), 500).unref();
}
