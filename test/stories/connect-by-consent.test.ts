import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { openRig, type Rig } from '../connect/consent-rig.ts';
import { browserExpected, keepShot, openBrowser } from '../support/browser.ts';
import { freePort } from '../support/program.ts';
import { type Sandbox, startSandbox } from '../support/sandbox.ts';
import { openInTeams } from '../support/teams-host.ts';
import { builtTab } from '../tab/built-tab.ts';

/** An Admin connects a company in a real browser: by the window of Microsoft, and by a link for its administrator. */

const story = browserExpected ? describe : describe.skip;

story('connecting by consent', () => {
  let sandbox: Sandbox;
  let rig: Rig;
  let browser: Browser;
  let url: string;
  beforeAll(async () => {
    const opened = await openBrowser();
    if (opened === null) throw new Error('There is no browser on this machine: install Chrome or Edge.');
    browser = opened;
    sandbox = await startSandbox();
    const port = await freePort();
    url = `http://localhost:${port}`;
    const { appId, tenantId } = sandbox.info.apps.tab;
    const base = `${sandbox.url}/${tenantId}/oauth2/v2.0`;
    rig = await openRig(sandbox, {
      port,
      demo: true,
      tabFolder: await builtTab(),
      env: { PUBLIC_URL: url },
      patience: { consentMs: 10_000, rolesMs: 1_000, tokenMs: 2_000, betweenMs: 200 },
      signIn: {
        signIn: 'sandbox',
        authorizeUrl: `${base}/authorize`,
        tokenUrl: `${base}/token`,
        clientId: appId,
        scope: `api://${appId}/access_as_user`,
      },
    });
    rig.startClock();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await rig?.close();
    await sandbox?.stop();
  });

  /** The tab as Ana sees it. */
  async function asAna(
    options: { width?: number; dark?: boolean; permissions?: string[] } = {},
  ): Promise<Page> {
    const context = await browser.newContext({
      viewport: { width: options.width ?? 1280, height: 900 },
      colorScheme: options.dark === true ? 'dark' : 'light',
      permissions: options.permissions ?? [],
    });
    const page = await context.newPage();
    await page.goto(`${url}/tab/`);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('link', { name: /Ana Reyes/ }).click();
    await page.getByRole('heading', { name: 'Tenants' }).waitFor();
    return page;
  }

  test('the row of a company: the window opens, closes by itself, and the row turns green', async () => {
    await rig.company('fabrikam.com');
    const page = await asAna();
    const row = page.getByRole('row', { name: /fabrikam/i });
    await row.getByText('Not connected yet', { exact: true }).waitFor();
    await keepShot(page, 'consent-row');
    const popup = page.waitForEvent('popup');
    await row.getByRole('button', { name: /Sign in with Microsoft/ }).click();
    const window = await popup;
    await window.getByRole('link', { name: /Global Administrator of Fabrikam/ }).click();
    await keepShot(window, 'consent-microsoft');
    await Promise.all([window.waitForEvent('close'), window.getByRole('link', { name: 'Accept' }).click()]);
    await row.getByText('Connected', { exact: true }).waitFor({ timeout: 15_000 });
    await page.context().close();
  }, 60_000);

  test('declined: the page says so, in the window and behind it', async () => {
    const company = await rig.company('fabrikam.com');
    const page = await asAna({ width: 320, dark: true });
    await page.goto(`${url}/tab/tenants/${company.id}`);
    const connection = page.locator('section', {
      has: page.getByRole('heading', { name: 'Not connected yet' }),
    });
    await connection.getByRole('button', { name: 'Sign in with Microsoft' }).waitFor();
    await keepShot(page, 'consent-page-320-dark');
    const popup = page.waitForEvent('popup');
    await connection.getByRole('button', { name: 'Sign in with Microsoft' }).click();
    const window = await popup;
    await window.getByRole('link', { name: /Global Administrator of Fabrikam/ }).click();
    await window.getByRole('link', { name: 'Cancel' }).click();
    await window.getByRole('heading', { name: 'Consent was declined' }).waitFor();
    await keepShot(window, 'consent-declined');
    await connection.getByRole('alert').filter({ hasText: 'was declined at Microsoft' }).waitFor();
    await page.context().close();
  }, 60_000);

  test('a window that may not open: a sentence and the same as a link', async () => {
    await rig.company('fabrikam.com');
    const page = await asAna();
    await page.evaluate('window.open = () => null');
    const row = page.getByRole('row', { name: /fabrikam/i });
    await row.getByRole('button', { name: /Sign in with Microsoft/ }).click();
    await row.getByRole('alert').filter({ hasText: 'did not let the window open' }).waitFor();
    const instead = row.getByRole('link', { name: /in a new window/ });
    expect(await instead.getAttribute('href')).toMatch(/^\/connect\/start\?ticket=[\w-]{43}$/);
    await keepShot(page, 'consent-blocked');
    await page.context().close();
  }, 60_000);

  test('in Teams the client opens the window: what it says of its end is what the page says', async () => {
    const company = await rig.company('fabrikam.com');
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    const [ana] = sandbox.info.people;
    const token = await sandbox.token({ for: 'tab', person: ana?.oid ?? '' });
    const path = `/tab/tenants/${company.id}`;
    const host = await openInTeams(context, { server: rig.url, token, path, theme: 'contrast' });
    const ways = host.tab.locator('section', {
      has: host.tab.getByRole('heading', { name: 'Not connected yet' }),
    });
    for (const { end, says } of [
      { end: [false, 'FailedToOpenWindow'], says: 'did not let the window open' },
      { end: [false, 'CancelledByUser'], says: 'was closed before it was done' },
      { end: [false, 'Consent was declined. Start again.'], says: 'Consent was declined. Start again.' },
      { end: [true, 'Fabrikam is connected.'], says: 'Fabrikam is connected.' },
    ] satisfies { end: [boolean, string]; says: string }[]) {
      await host.setWindow(end);
      await ways.getByRole('button', { name: 'Sign in with Microsoft' }).click();
      await ways.locator('.said').filter({ hasText: says }).waitFor();
      await keepShot(host.page, `consent-teams-${says.slice(0, 12)}`);
    }
    expect((await host.calls()).filter((call) => call === 'authentication.authenticate')).toHaveLength(4);
    await context.close();
  }, 60_000);

  test('a link is copied, and the company’s administrator connects with it', async () => {
    const company = await rig.company('fabrikam.com');
    const page = await asAna({ permissions: ['clipboard-read', 'clipboard-write'] });
    await page.goto(`${url}/tab/tenants/${company.id}`);
    const connection = page.locator('section', {
      has: page.getByRole('heading', { name: 'Not connected yet' }),
    });
    await connection.getByRole('button', { name: 'Generate link' }).click();
    await connection.getByText('The link is copied.').waitFor();
    await keepShot(page, 'consent-link');
    const link = (await page.evaluate('navigator.clipboard.readText()')) as string;
    expect(link).toBe(await connection.getByLabel(/Link for an administrator/).inputValue());
    const theirs = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage();
    await theirs.goto(link);
    await keepShot(theirs, 'consent-asking');
    await theirs.getByRole('button', { name: 'Continue to Microsoft' }).click();
    await theirs.getByRole('link', { name: /Privileged Role Administrator of Fabrikam/ }).click();
    await theirs.getByRole('link', { name: 'Accept' }).click();
    await theirs.getByRole('heading', { name: /is connected/ }).waitFor({ timeout: 15_000 });
    await theirs.context().close();
    await page.context().close();
  }, 60_000);
});
