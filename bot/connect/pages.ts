import { optionalPermissions } from '../../shared/tenants/permission-facts.ts';
import { neverRead, type Permission, requiredPermissions } from '../../shared/tenants/permissions.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { dayOf } from '../../shared/time.ts';
import { fullDay } from '../../shared/words.ts';
import type { ConnectLink, ConnectOutcome, Services } from '../services.ts';
import { nameOf } from './consent-words.ts';
import type { PageAnswer } from './page-route.ts';

/** What people outside of the tab see while a tenant is connected: plain pages that say everything without a script. */

type Wanted = {
  status?: number;
  title: string;
  /** HTML. */
  body: string;
  /** For the script that speaks to Teams and to the tab: how it stands. */
  outcome?: ConnectOutcome['kind'] | 'waiting';
  says?: string;
  headers?: Record<string, string>;
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`);
}

/** `form-action` is asked again for where a form's answer leads, so Microsoft's origin stands there. */
export function pagePolicy(consent: Services['consent']): string {
  const forms = ["'self'", ...(consent === undefined ? [] : [consent.pages])];
  return [
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    "base-uri 'none'",
    `form-action ${forms.join(' ')}`,
    "frame-ancestors 'none'",
  ].join('; ');
}

function page(wanted: Wanted, { consent }: Pick<Services, 'consent'>): PageAnswer {
  const { title, body, outcome, says = '', headers = {} } = wanted;
  const script = outcome === undefined ? '' : '<script type="module" src="/tab/connected.js"></script>';
  const marks =
    outcome === undefined ? '' : ` data-outcome="${outcome}" data-says="${escapeHtml(`${title}. ${says}`)}"`;
  return {
    status: wanted.status ?? 200,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': pagePolicy(consent),
      ...headers,
    },
    body: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(title)} · Watchpost</title>
<link rel="stylesheet" href="/tab/page.css">
${script}
</head>
<body${marks}>
<main>
<h1>${escapeHtml(title)}</h1>
${body}
</main>
</body>
</html>
`,
  };
}

/** What a link opens: who asks, for whom, what for, and what is never read. Looking at it uses nothing up. */
export function askingPage(
  asked: { link: ConnectLink; tenant: Tenant; by: string; address: string },
  services: Services,
): PageAnswer {
  const { link, tenant, address } = asked;
  const name = escapeHtml(nameOf(tenant));
  const by = escapeHtml(asked.by);
  const rows = (all: readonly Permission[]): string =>
    all.map((one) => `<li><b>${escapeHtml(one.name)}</b>: ${escapeHtml(one.why)}.</li>`).join('\n');
  const never = escapeHtml(`${neverRead.slice(0, -1).join(', ')} or ${neverRead.at(-1)}`);
  const until = `${fullDay(dayOf(link.expiresAt))}, ${link.expiresAt.slice(11, 16)} UTC`;
  return page(
    {
      title: `Connect ${nameOf(tenant)} to Watchpost`,
      body: `<p><b>${by}</b> asks you to let Watchpost read how well Microsoft 365 of <b>${name}</b> is protected.</p>
<p>You need an account of that organisation that is a Global Administrator or a Privileged Role Administrator. The next page is Microsoft's own; Watchpost sees no password.</p>
<h2>What Watchpost will be allowed to read, and why</h2>
<ul>${rows(requiredPermissions)}</ul>
<p>And, so that more than the score is seen:</p>
<ul>${rows(optionalPermissions)}</ul>
<p><b>Watchpost never reads ${never}</b>, and it changes nothing.</p>
<form method="post" action="${escapeHtml(address)}"><button type="submit">Continue to Microsoft</button></form>
<p class="fine">This link works once, until ${escapeHtml(until)}. You did not expect it? Close this page: nothing happens.</p>`,
    },
    services,
  );
}

/** The same words for a link that is used, ended, replaced, or never was (R17). */
export function noSuchLink(services: Services): PageAnswer {
  return page(
    {
      status: 404,
      title: 'This link cannot be used',
      body: '<p>It may have been used, have ended after seven days, or have been replaced by a newer one. Ask the person who sent it to you for a new link.</p>',
    },
    services,
  );
}

/** The same words for a window that was not opened by us just now. */
export function noSuchWindow(services: Services): PageAnswer {
  return page(
    {
      status: 404,
      title: 'This page has ended',
      body: '<p>Close this window and press Sign in with Microsoft in Watchpost once more.</p>',
      outcome: 'failed',
      says: 'Press Sign in with Microsoft once more.',
    },
    services,
  );
}

export function consentOff(services: Services): PageAnswer {
  return page(
    {
      status: 404,
      title: 'Nobody can consent here yet',
      body: '<p>This Watchpost has no application that organisations consent to. Whoever runs it sets GRAPH_APP_ID.</p>',
    },
    services,
  );
}

export function outcomePage(
  { kind, title, says }: ConnectOutcome,
  services: Services,
  how: { status?: number; headers?: Record<string, string> } = {},
): PageAnswer {
  return page(
    { title, body: `<p role="status">${escapeHtml(says)}</p>`, outcome: kind, says, ...how },
    services,
  );
}

/** Looks again by itself, also without a script. */
export function waitingPage(services: Services, headers: Record<string, string>): PageAnswer {
  return page(
    {
      title: 'Almost there',
      body: '<p role="status">The consent is given. Until all of Microsoft knows of it, it can take up to five minutes. Keep this window open; it looks again by itself.</p>',
      outcome: 'waiting',
      headers: { Refresh: '4', ...headers },
    },
    services,
  );
}
