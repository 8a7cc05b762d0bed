import { Agent, type Dispatcher } from 'undici';

/** Microsoft's hosts in all four national clouds; an entry that begins with a dot stands for every host below it. */
const microsoftHosts = [
  // Entra
  'login.microsoftonline.com',
  'login.microsoft.com',
  'login.windows.net',
  'sts.windows.net',
  'login.microsoftonline.us',
  'login.partner.microsoftonline.cn',
  'login.chinacloudapi.cn',
  // Graph
  'graph.microsoft.com',
  'graph.microsoft.us',
  'dod-graph.microsoft.us',
  'microsoftgraph.chinacloudapi.cn',
  // Bot Framework: keys and token service
  '.botframework.com',
  '.botframework.azure.us',
  '.botframework.azure.cn',
  // Connector
  'smba.trafficmanager.net',
  '.smba.trafficmanager.net',
  'smba.infra.gcc.teams.microsoft.com',
  'smba.infra.gov.teams.microsoft.us',
  'smba.infra.dod.teams.microsoft.us',
  'smba.partner.teams.microsoftonline.cn',
  // Exchange Online
  'outlook.office365.com',
] as const;

/** True for a host that Microsoft answers at and the sandbox plays. */
export function isMicrosoftHost(host: string): boolean {
  const name = host.toLowerCase();
  return microsoftHosts.some((one) => (one.startsWith('.') ? name.endsWith(one) : name === one));
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * A way out for the demo and for tests: https to one of Microsoft's hosts goes to the sandbox over plain http on
 * loopback with the real name in `host`; loopback stays as it is; every other host is refused, so that nothing of
 * the demo can ever leave the machine. One Agent without a limit of connections keeps them open between requests.
 */
export function toSandbox(sandboxUrl: string): Dispatcher {
  const sandbox = new URL(sandboxUrl);
  if (sandbox.protocol !== 'http:' || !isLoopback(sandbox.hostname))
    throw new TypeError('The sandbox must be an http address on loopback.');
  const agent = new Agent({ connections: null, connect: { timeout: 5_000 } });
  return agent.compose((dispatch) => (options, handler) => {
    const target = new URL(String(options.origin));
    if (isLoopback(target.hostname)) return dispatch(options, handler);
    if (target.protocol !== 'https:' || target.port !== '' || !isMicrosoftHost(target.hostname))
      throw new TypeError(`The sandbox does not play ${target.origin}.`);
    return dispatch(
      { ...options, origin: sandbox.origin, headers: withHost(options.headers, target.host) },
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
