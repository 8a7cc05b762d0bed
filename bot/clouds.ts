/** The four national clouds of Microsoft 365. Registrations and tokens of one are worth nothing in another. */
export type CloudName = 'global' | 'usgov' | 'usgovdod' | 'china';

/** Where one cloud lives. All addresses are https, without a trailing slash. */
export type Cloud = {
  name: CloudName;
  /** Entra's sign-in host, `https://login.microsoftonline.com`. */
  authority: string;
  /** Microsoft Graph's root without a version. */
  graph: string;
  /** Scope of an app-only token for Graph. */
  graphScope: string;
  /** Scope of an app-only token for Exchange Online; absent where nobody has said what it is. Only Entra is asked. */
  exchangeScope?: string;
  /** Bot Framework's OpenID metadata: where the keys of inbound activities are named. */
  botOpenIdMetadata: string;
  /** Issuer of inbound activities' tokens. */
  botIssuer: string;
  /** Scope of the bot's own connector token; its authority is `authority` with the bot's tenant. */
  botScope: string;
  /** Hosts a `serviceUrl` may name: exact, or `*.` and a suffix for any number of labels before it. */
  connectorHosts: readonly string[];
  /** Other hosts Entra and Bot Framework name in their metadata. */
  metadataHosts: readonly string[];
  /** Issuer of the tab's tokens with `{tid}` to be replaced, and where the keys for them are named. */
  tabIssuer: string;
  /** The Entra admin center, for people: remedies link there (Microsoft's Entra FAQ names the three hosts). */
  entraPortal: string;
  /** Microsoft Secure Score and its control profiles exist in this cloud. */
  hasSecureScore: boolean;
};

/** The one table of hosts. Nothing leaves the program for a host that is not in it. */
export const clouds: Readonly<Record<CloudName, Cloud>> = {
  // GCC has its own connector host and is otherwise part of the global cloud.
  global: {
    name: 'global',
    authority: 'https://login.microsoftonline.com',
    graph: 'https://graph.microsoft.com',
    graphScope: 'https://graph.microsoft.com/.default',
    exchangeScope: 'https://outlook.office365.com/.default',
    botOpenIdMetadata: 'https://login.botframework.com/v1/.well-known/openidconfiguration',
    botIssuer: 'https://api.botframework.com',
    botScope: 'https://api.botframework.com/.default',
    connectorHosts: ['smba.trafficmanager.net', 'smba.infra.gcc.teams.microsoft.com', '*.botframework.com'],
    metadataHosts: ['login.botframework.com'],
    tabIssuer: 'https://login.microsoftonline.com/{tid}/v2.0',
    entraPortal: 'https://entra.microsoft.com',
    hasSecureScore: true,
  },
  usgov: {
    name: 'usgov',
    authority: 'https://login.microsoftonline.us',
    graph: 'https://graph.microsoft.us',
    graphScope: 'https://graph.microsoft.us/.default',
    exchangeScope: 'https://outlook.office365.us/.default',
    botOpenIdMetadata: 'https://login.botframework.azure.us/v1/.well-known/openidconfiguration',
    botIssuer: 'https://api.botframework.us',
    botScope: 'https://api.botframework.us/.default',
    connectorHosts: ['smba.infra.gov.teams.microsoft.us', '*.botframework.azure.us'],
    metadataHosts: ['login.botframework.azure.us'],
    tabIssuer: 'https://login.microsoftonline.us/{tid}/v2.0',
    entraPortal: 'https://entra.microsoft.us',
    hasSecureScore: true,
  },
  usgovdod: {
    name: 'usgovdod',
    authority: 'https://login.microsoftonline.us',
    graph: 'https://dod-graph.microsoft.us',
    graphScope: 'https://dod-graph.microsoft.us/.default',
    exchangeScope: 'https://outlook-dod.office365.us/.default',
    botOpenIdMetadata: 'https://login.botframework.azure.us/v1/.well-known/openidconfiguration',
    botIssuer: 'https://api.botframework.us',
    botScope: 'https://api.botframework.us/.default',
    connectorHosts: ['smba.infra.dod.teams.microsoft.us', '*.botframework.azure.us'],
    metadataHosts: ['login.botframework.azure.us'],
    tabIssuer: 'https://login.microsoftonline.us/{tid}/v2.0',
    entraPortal: 'https://entra.microsoft.us',
    hasSecureScore: true,
  },
  china: {
    name: 'china',
    authority: 'https://login.partner.microsoftonline.cn',
    graph: 'https://microsoftgraph.chinacloudapi.cn',
    graphScope: 'https://microsoftgraph.chinacloudapi.cn/.default',
    botOpenIdMetadata: 'https://login.botframework.azure.cn/v1/.well-known/openidconfiguration',
    botIssuer: 'https://api.botframework.azure.cn',
    botScope: 'https://api.botframework.azure.cn/.default',
    connectorHosts: ['frontend.botapi.msg.infra.teams.microsoftonline.cn', '*.botframework.azure.cn'],
    // Microsoft's own pages still name the older sign-in host, and metadata may point there.
    metadataHosts: ['login.botframework.azure.cn', 'login.chinacloudapi.cn'],
    tabIssuer: 'https://login.partner.microsoftonline.cn/{tid}/v2.0',
    entraPortal: 'https://entra.microsoftonline.cn',
    hasSecureScore: false,
  },
};

export const cloudNames = Object.keys(clouds) as readonly CloudName[];

/** The cloud of that name; undefined for a name that is none. The setting `CLOUD` is the only source of names. */
export function cloudNamed(name: CloudName): Cloud;
export function cloudNamed(name: string): Cloud | undefined;
export function cloudNamed(name: string): Cloud | undefined {
  return cloudNames.includes(name as CloudName) ? clouds[name as CloudName] : undefined;
}

/** True for an https address of one of this cloud's hosts, without user, password or port. */
export function isOfCloud(cloud: Cloud, url: URL): boolean {
  if (url.protocol !== 'https:' || url.port !== '' || url.username !== '' || url.password !== '')
    return false;
  const host = url.hostname;
  return (
    host === hostOf(cloud.authority) ||
    host === hostOf(cloud.graph) ||
    cloud.metadataHosts.includes(host) ||
    isOneOf(cloud.connectorHosts, host)
  );
}

/** Entra's OpenID metadata of one tenant (or `common`, which names the keys of all). */
export function entraMetadata(cloud: Cloud, tenant: string): string {
  return `${cloud.authority}/${encodeURIComponent(tenant)}/v2.0/.well-known/openid-configuration`;
}

/** Of an address of the table, which is https and a host. */
function hostOf(address: string): string {
  return address.slice('https://'.length);
}

/** True when `host` is one of `patterns`: exact, or `*.` and a suffix with at least one label before it. */
export function isOneOf(patterns: readonly string[], host: string): boolean {
  return patterns.some((pattern) =>
    pattern.startsWith('*.')
      ? host.length > pattern.length - 1 && host.endsWith(pattern.slice(1))
      : host === pattern,
  );
}
