import type { BrowserContext, Frame, Page, Route } from 'playwright-core';

/** Where our tab lives for the browser; nothing of it is ever asked of the network. */
export const tabOrigin = 'https://watchpost.example.com';
const hostOrigin = 'https://teams.microsoft.com';

export type HostOptions = {
  /** The running program or test server that really answers. */
  server: string;
  theme?: 'default' | 'dark' | 'contrast' | (string & {});
  /** What `getAuthToken` gives, or `{ error }` for what it refuses with. */
  token: string | { error: string };
  /** `tenant:{id}` of a deep link. */
  subPage?: string;
  /** Address of the tab below the origin. */
  path?: string;
  /** `settings`: the dialog in which somebody puts the tab into a channel. */
  frame?: 'content' | 'settings';
  /** What the tab of a channel was set to before. */
  entity?: string;
  /** Asked before each call to the server; answer true when it was handled. */
  intercept?: (route: Route) => Promise<boolean>;
};

export type TeamsHostPage = {
  page: Page;
  /** The frame with our tab in it. */
  tab: Frame;
  /** Names of the calls teams-js made, in order. */
  calls(): Promise<string[]>;
  setTheme(theme: string): Promise<void>;
  /** What `getAuthToken` gives from now on. */
  setToken(token: HostOptions['token']): Promise<void>;
  /** How Teams says that a window of `authentication.authenticate` ended. */
  setWindow(end: [worked: boolean, says: string]): Promise<void>;
  /** What the settings dialog knows: may *Save* be pressed, and what was saved. */
  settings(): Promise<{ valid: boolean; saved: Record<string, unknown> | null; ended: string | null }>;
  /** A person presses *Save*. */
  save(): Promise<void>;
};

/**
 * A Teams client for one tab: https://teams.microsoft.com frames https://watchpost.example.com, both answered from
 * here, so that teams-js' check of its parent and our own `frame-ancestors` are met as in life, without certificate
 * or network. The host answers what teams-js asks; everything else on the internet fails.
 */
export async function openInTeams(context: BrowserContext, options: HostOptions): Promise<TeamsHostPage> {
  const page = await context.newPage();
  await routeTab(page, options.server, options.intercept);
  await page.route(`${hostOrigin}/**`, (route) =>
    route.fulfill({ contentType: 'text/html; charset=utf-8', body: hostPage(options) }),
  );
  await page.goto(`${hostOrigin}/_#/apps/watchpost`);
  const frame = await page.waitForSelector('iframe');
  const tab = await frame.contentFrame();
  if (tab === null) throw new Error('the host shows no frame');
  return {
    page,
    tab,
    calls: () => page.evaluate(() => (window as unknown as { calls: string[] }).calls),
    setTheme: async (theme) => {
      await page.evaluate(
        (name) => (window as unknown as { setTheme(name: string): void }).setTheme(name),
        theme,
      );
    },
    setToken: async (token) => {
      await page.evaluate((given) => {
        (window as unknown as { told: { token: unknown } }).told.token = given;
      }, token);
    },
    setWindow: async (end) => {
      await page.evaluate((given) => {
        (window as unknown as { told: { authenticate: unknown } }).told.authenticate = given;
      }, end);
    },
    settings: () =>
      page.evaluate(
        () =>
          (
            window as unknown as {
              settings: { valid: boolean; saved: Record<string, unknown> | null; ended: string | null };
            }
          ).settings,
      ),
    save: () => page.evaluate(() => (window as unknown as { save(): void }).save()),
  };
}

/** Answers `tabOrigin` from `server` with all its headers, Microsoft's list of hosts, and nothing else. */
export async function routeTab(
  page: Page,
  server: string,
  intercept?: (route: Route) => Promise<boolean>,
): Promise<void> {
  await page.route(/^https?:/, (route) => route.abort());
  await page.route('https://res.cdn.office.net/**', (route) =>
    route.fulfill({
      json: { validOrigins: ['teams.microsoft.com', '*.teams.microsoft.com'] },
      headers: { 'access-control-allow-origin': '*' },
    }),
  );
  await page.route(`${tabOrigin}/**`, async (route) => {
    if (intercept !== undefined && (await intercept(route))) return;
    const asked = route.request();
    const { pathname, search } = new URL(asked.url());
    const answer = await fetch(`${server}${pathname}${search}`, {
      method: asked.method(),
      headers: { ...(await asked.allHeaders()), 'accept-encoding': 'identity' },
      body: asked.postData(),
      redirect: 'manual',
      signal: AbortSignal.timeout(20_000),
    });
    await route.fulfill({
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: Buffer.from(await answer.arrayBuffer()),
    });
  });
}

/** The page around the tab: what a Teams client answers to teams-js, and nothing more. */
function hostPage(options: HostOptions): string {
  const context = {
    locale: 'en-gb',
    theme: options.theme ?? 'default',
    entityId: options.entity ?? 'watchpost',
    subEntityId: options.subPage,
    tid: '6f1c0a7e-51d2-4c39-9a0b-3e2f7d5c8a10',
    userObjectId: '0a4e8d52-19c7-4b3f-a6d0-72f5b8c1e931',
    hostClientType: 'web',
    hostName: 'Teams',
    frameContext: options.frame ?? 'content',
  };
  const runtime = {
    apiVersion: 4,
    hostVersionsInfo: {},
    isLegacyTeams: false,
    supports: { pages: { backStack: {}, appButton: {}, tabs: {}, config: {} } },
  };
  const told = JSON.stringify({
    context,
    runtime: JSON.stringify(runtime),
    token: options.token,
    frame: options.frame ?? 'content',
    tabOrigin,
    path: options.path ?? '/tab/',
  }).replaceAll('<', '\\u003c');
  return `<!doctype html><html lang="en"><head><meta name="viewport" content="width=device-width, initial-scale=1"><title>Teams</title><style>html,body{margin:0;height:100%}
iframe{border:0;width:100%;height:100%;display:block}</style></head><body><script>
const told = window.told = ${told};
const settings = window.settings = { valid: false, saved: null, ended: null };
const calls = window.calls = [];
const answers = {
  initialize: () => [told.frame, 'web', told.runtime, '2.58.0'],
  getContext: () => [told.context],
  'authentication.getAuthToken': () =>
    typeof told.token === 'string' ? [true, told.token] : [false, told.token.error],
  // A window of its own is played by its end only.
  'authentication.authenticate': () => told.authenticate ?? [false, 'CancelledByUser'],
  'settings.setValidityState': ([valid]) => { settings.valid = valid; return [true]; },
  'settings.setSettings': ([saved]) => { settings.saved = saved; return [true]; },
  'settings.save.success': () => { settings.ended = 'success'; },
  'settings.save.failure': ([why]) => { settings.ended = why; },
};
const frame = document.createElement('iframe');
frame.title = 'Watchpost';
frame.src = told.tabOrigin + told.path;
window.setTheme = (theme) => {
  told.context.theme = theme;
  frame.contentWindow.postMessage({ func: 'themeChange', args: [theme] }, told.tabOrigin);
};
window.save = () => {
  if (!settings.valid) throw new Error('Save cannot be pressed');
  frame.contentWindow.postMessage({ func: 'settings.save', args: [{}] }, told.tabOrigin);
};
addEventListener('message', (event) => {
  if (event.origin !== told.tabOrigin || typeof event.data?.func !== 'string') return;
  const { id, uuidAsString, func, args } = event.data;
  calls.push(func === 'registerHandler' ? func + ' ' + args[0] : func);
  const answer = answers[func];
  const given = answer?.(args ?? []);
  if (given) event.source.postMessage({ id, uuidAsString, args: given }, event.origin);
});
document.body.append(frame);
</script></body></html>`;
}
