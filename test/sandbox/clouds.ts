/** What an Entra host calls itself and its neighbours, per national cloud. */
export type Cloud = {
  login: string;
  /** Issuer prefix of v1 tokens. */
  sts: string;
  graphRoots: string[];
  /** Scope roots of Exchange Online. */
  exchangeRoots: string[];
  instance: string;
  region: string;
};

const clouds: readonly Cloud[] = [
  {
    login: 'login.microsoftonline.com',
    sts: 'https://sts.windows.net',
    graphRoots: ['https://graph.microsoft.com'],
    exchangeRoots: ['https://outlook.office365.com'],
    instance: 'microsoftonline.com',
    region: 'EU',
  },
  {
    login: 'login.microsoftonline.us',
    sts: 'https://sts.windows.net',
    graphRoots: ['https://graph.microsoft.us', 'https://dod-graph.microsoft.us'],
    exchangeRoots: ['https://outlook.office365.us', 'https://outlook-dod.office365.us'],
    instance: 'microsoftonline.us',
    region: 'USGov',
  },
  {
    login: 'login.partner.microsoftonline.cn',
    sts: 'https://sts.chinacloudapi.cn',
    graphRoots: ['https://microsoftgraph.chinacloudapi.cn'],
    exchangeRoots: [],
    instance: 'partner.microsoftonline.cn',
    region: 'AS',
  },
];

const aliases: Record<string, string> = {
  'login.microsoft.com': 'login.microsoftonline.com',
  'login.windows.net': 'login.microsoftonline.com',
  'login.chinacloudapi.cn': 'login.partner.microsoftonline.cn',
};

export const globalCloud = clouds[0] as Cloud;

/** The cloud whose Entra answers at `host`, or undefined. */
export function cloudOfLogin(host: string): Cloud | undefined {
  const name = aliases[host] ?? host;
  return clouds.find((cloud) => cloud.login === name);
}

export function isGraphHost(host: string): boolean {
  return clouds.some((cloud) => cloud.graphRoots.includes(`https://${host}`));
}

export function isBotLoginHost(host: string): boolean {
  return /^login\.botframework\.(com|azure\.us|azure\.cn)$/.test(host);
}

/** Who signs inbound activities, by the host that publishes the keys. */
export function botIssuerOf(loginHost: string): string {
  if (loginHost.endsWith('.us')) return 'https://api.botframework.us';
  return loginHost.endsWith('.cn') ? 'https://api.botframework.azure.cn' : 'https://api.botframework.com';
}

export function isConnectorHost(host: string): boolean {
  return (
    host === 'smba.trafficmanager.net' ||
    host.endsWith('.smba.trafficmanager.net') ||
    host.startsWith('smba.infra.') ||
    host === 'frontend.botapi.msg.infra.teams.microsoftonline.cn' ||
    /\.botframework\.(com|azure\.us|azure\.cn)$/.test(host)
  );
}

/** Scope root of a Bot Framework token, per cloud. */
export function isBotScope(root: string): boolean {
  return /^https:\/\/api\.botframework\.(com|us|azure\.cn)$/.test(root);
}
