import type { Dispatcher } from 'undici';
import Agent from 'undici/lib/dispatcher/agent.js';
import { cloudNames, clouds, isOfCloud } from './clouds.ts';
import { isLoopback } from './loopback.ts';

/**
 * A way out for the demo and for tests: https to a host of the cloud table goes to the sandbox over plain http on
 * loopback with the real name in `host`; loopback stays as it is; every other host is refused, so that nothing of
 * the demo can ever leave the machine. One Agent without a limit of connections keeps them open between requests.
 */
export function toSandbox(sandboxUrl: string): Dispatcher {
  const sandbox = new URL(sandboxUrl);
  if (sandbox.protocol !== 'http:' || !isLoopback(sandbox.hostname))
    throw new TypeError('The sandbox must be an http address on loopback.');
  const agent = new Agent({ connections: null, connect: { timeout: 5_000 } });
  // Few origins, many requests: each is looked at once. Only known ones are kept, so it cannot grow.
  const hosts = new Map<string, string>();
  return agent.compose((dispatch) => (options, handler) => {
    const origin = String(options.origin);
    let host = hosts.get(origin);
    if (host === undefined) {
      const target = new URL(origin);
      if (isLoopback(target.hostname)) return dispatch(options, handler);
      if (!cloudNames.some((name) => isOfCloud(clouds[name], target)))
        throw new TypeError(`The sandbox does not play ${target.origin}.`);
      host = target.host;
      if (hosts.size < 100) hosts.set(origin, host);
    }
    return dispatch(
      { ...options, origin: sandbox.origin, headers: withHost(options.headers, host) },
      handler,
    );
  });
}

/** The headers as a flat list of names and values, any `host` replaced. */
function withHost(headers: Dispatcher.DispatchOptions['headers'], host: string): string[] {
  const flat: string[] = ['host', host];
  for (const [name, value] of pairs(headers)) {
    if (name.toLowerCase() === 'host' || value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) flat.push(name, one);
  }
  return flat;
}

function pairs(
  headers: Dispatcher.DispatchOptions['headers'],
): Iterable<[string, string | string[] | undefined]> {
  if (headers === null || headers === undefined) return [];
  if (Array.isArray(headers)) {
    return Array.from({ length: headers.length / 2 }, (_, at) => [
      String(headers[at * 2]),
      String(headers[at * 2 + 1]),
    ]);
  }
  if (Symbol.iterator in headers) return headers as Iterable<[string, string | string[] | undefined]>;
  return Object.entries(headers);
}
