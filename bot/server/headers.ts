export type HeaderConfig = {
  publicUrl: string;
  demo: boolean;
  /** Demo only: where the page signs in. */
  sandboxOrigin?: string;
};

/** Hosts that may show the tab in a frame (teams.md §4). */
const frames = [
  "'self'",
  'https://*.cloud.microsoft',
  'https://teams.microsoft.com',
  'https://*.teams.microsoft.com',
  'https://*.teams.microsoft.us',
  'https://*.microsoft365.com',
  'https://*.office.com',
  'https://outlook.office.com',
  'https://outlook.office365.com',
  'https://outlook-sdf.office.com',
  'https://outlook-sdf.office365.com',
];

/** On every answer, whatever the route. */
export function commonHeaders({ publicUrl }: HeaderConfig): Record<string, string> {
  return {
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
    'Content-Security-Policy':
      "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ...(publicUrl.startsWith('https:') ? { 'Strict-Transport-Security': 'max-age=31536000' } : {}),
  };
}

/**
 * The policy of the tab's pages (R14). Griffel writes style elements, hence 'unsafe-inline' for styles only; teams-js
 * fetches its list of hosts from Microsoft's CDN.
 */
export function tabPolicy({ demo, sandboxOrigin }: HeaderConfig): string {
  const connect = ["'self'", 'https://res.cdn.office.net'];
  if (demo && sandboxOrigin !== undefined) connect.push(new URL(sandboxOrigin).origin);
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src ${connect.join(' ')}`,
    `frame-ancestors ${frames.join(' ')}`,
    "base-uri 'none'",
    "form-action 'self'",
  ].join('; ');
}
