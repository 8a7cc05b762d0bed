import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Locator, Page } from 'playwright-core';
import { demoPeople } from '../../bot/cast.ts';
import { browserExpected, keepShot, openBrowser } from '../support/browser.ts';
import { addCustomer, type SandboxCustomer } from '../support/production.ts';
import { type Program, poll, startProgram } from '../support/program.ts';
import { type Sandbox, startSandbox } from '../support/sandbox.ts';

/** An Admin connects a customer in the tab: whatever is wrong is said, what is right is saved, and chat answers. */

const story = browserExpected ? describe : describe.skip;
const permissions = [
  'Organization.Read.All',
  'Domain.Read.All',
  'LicenseAssignment.Read.All',
  'SecurityEvents.Read.All',
];

story('connecting a tenant', () => {
  let browser: Browser;
  let sandbox: Sandbox;
  let program: Program;
  let page: Page;
  let url: string;
  let wingtip: SandboxCustomer;
  let lucerne: SandboxCustomer;
  /** All that the API answered to the page, the addresses it asked, and what the page held along the way. */
  const answers: string[] = [];
  const addresses: string[] = [];
  const pages: string[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    const opened = await openBrowser();
    if (opened === null) throw new Error('There is no browser on this machine: install Chrome or Edge.');
    browser = opened;
    sandbox = await startSandbox();
    program = await startProgram({ env: { SANDBOX_URL: sandbox.url }, until: /Ctrl-C stops everything/ });
    await sandbox.control('POST', '/_sandbox/limits', { off: true });
    url = program.url.replace('127.0.0.1', 'localhost');
    wingtip = await addCustomer(sandbox, 'Wingtip Toys', 'wingtip.com');
    lucerne = await addCustomer(sandbox, 'Lucerne Publishing', 'lucerne.com');
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    page = await context.newPage();
    page.setDefaultTimeout(10_000);
    page.on('request', (request) => addresses.push(request.url()));
    page.on('response', (response) => {
      if (response.url().includes('/api/'))
        void response.text().then(
          (text) => answers.push(text),
          () => undefined,
        );
    });
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${url}/tab/`);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('Ana Reyes').first().click();
    await page.getByRole('button', { name: 'Connect a tenant' }).click();
  }, 90_000);
  afterAll(async () => {
    await browser?.close();
    await program?.end();
    await sandbox?.stop();
  });

  const dialog = (): Locator => page.getByRole('dialog');
  const line = (step: string): Locator => dialog().getByRole('listitem').filter({ hasText: step });

  async function fill(form: { domain: string; appId: string; secret: string; name?: string }): Promise<void> {
    await dialog().getByLabel('Tenant id or domain').fill(form.domain);
    await dialog()
      .getByLabel('Name')
      .fill(form.name ?? '');
    await dialog().getByLabel('App id').fill(form.appId);
    await dialog().getByLabel('Client secret').fill(form.secret);
  }
  async function tested(form: Parameters<typeof fill>[0]): Promise<void> {
    await fill(form);
    await dialog().getByRole('button', { name: /^Test/ }).click();
    await dialog()
      .getByText(/Everything works|cannot be saved yet/)
      .waitFor();
    pages.push(await page.content());
  }

  test.each([
    {
      what: 'a wrong secret',
      prepare: async () => undefined,
      form: () => ({ ...wingtip, secret: 'a-secret-of-somebody-else' }),
      step: 'Sign in to the tenant',
      says: /client secret is wrong\.[\s\S]*its value, not its id/,
      link: /\/Credentials\/appId\//,
    },
    {
      what: 'an expired secret',
      prepare: () =>
        sandbox.control('POST', `/_sandbox/tenants/${lucerne.domain}/app`, { expireSecret: true }),
      form: () => lucerne,
      step: 'Sign in to the tenant',
      says: /client secret has expired\.[\s\S]*new secret/,
      link: /\/Credentials\/appId\//,
    },
    {
      what: 'a tenant that does not exist',
      prepare: async () => undefined,
      form: () => ({ ...wingtip, domain: 'wingtop.com' }),
      step: 'Find the tenant',
      says: /No Microsoft 365 tenant has the domain "wingtop\.com"\.[\s\S]*spelling/,
      link: null,
    },
    {
      what: 'somebody else’s tenant',
      prepare: async () => undefined,
      form: () => ({ ...wingtip, domain: 'lucerne.com' }),
      step: 'Sign in to the tenant',
      says: /does not know this application\.[\s\S]*App id and the tenant id/,
      link: /ApplicationsListBlade/,
    },
    {
      what: 'a permission nobody agreed to',
      prepare: () =>
        sandbox.control('POST', `/_sandbox/tenants/${wingtip.domain}/consent`, {
          grant: permissions.slice(0, 3),
        }),
      form: () => wingtip,
      step: 'Read Secure Score',
      says: /SecurityEvents\.Read\.All is missing[\s\S]*grant the permission/,
      link: /\/CallAnAPI\/appId\//,
    },
  ])('$what is said in words, and cannot be saved', async ({ what, prepare, form, step, says, link }) => {
    await prepare();
    await tested(form());
    expect(await line(step).innerText()).toMatch(says);
    expect(await dialog().getByRole('button', { name: 'Save' }).count()).toBe(0);
    const links = await line(step).getByRole('link').all();
    expect(links.length).toBe(link === null ? 0 : 1);
    for (const one of links) {
      const href = (await one.getAttribute('href')) ?? '';
      expect(new URL(href).origin).toBe('https://entra.microsoft.com');
      expect(href).toMatch(link ?? /never/);
    }
    await keepShot(page, `connect-${what.replaceAll(/\W+/g, '-')}`);
  });

  test('a tenant without Entra ID P2 is fine: what is not seen is said, and it is saved and read', async () => {
    await sandbox.control('POST', `/_sandbox/tenants/${wingtip.domain}/consent`, { grant: permissions });
    await tested(wingtip);
    expect(await line('Read the licences').innerText()).toMatch(/works[\s\S]*No Entra ID P2: risky users/);
    await dialog().getByText('Everything works: this is Wingtip Toys (wingtip.com).').waitFor();
    expect(
      await dialog()
        .getByText(/Another tenant is called/)
        .count(),
    ).toBe(0);
    await keepShot(page, 'connect-works');
    // A name that another tenant has is said before saving, and refuses nothing.
    await dialog().getByLabel('Name').fill('contoso ltd');
    expect(await dialog().getByRole('button', { name: 'Save' }).count()).toBe(0);
    await dialog().getByRole('button', { name: 'Test' }).click();
    await dialog()
      .getByText(/^Another tenant is called Contoso Ltd already \(contoso\.com\)\./)
      .waitFor();
    expect(await dialog().getByRole('button', { name: 'Save' }).count()).toBe(1);
    await keepShot(page, 'connect-namesake');
    await dialog().getByLabel('Name').fill('');
    await dialog().getByRole('button', { name: 'Test' }).click();
    await dialog().getByText('Everything works: this is Wingtip Toys (wingtip.com).').waitFor();
    expect(
      await dialog()
        .getByText(/Another tenant is called/)
        .count(),
    ).toBe(0);
    await dialog().getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog', { name: 'Wingtip Toys is connected' }).waitFor();
    // Whoever pressed a button that is gone goes on from the heading.
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Wingtip Toys is connected');
    await dialog()
      .getByText(/^First read: \d+\.\d/)
      .waitFor({ timeout: 20_000 });
    pages.push(await page.content());
    await keepShot(page, 'connect-saved');
    await dialog().getByRole('button', { name: 'Show Wingtip Toys' }).click();
    await page.getByRole('heading', { name: 'Wingtip Toys', level: 1 }).waitFor();
    await page.locator('.score-card .big:not(.bone)').waitFor();
    expect(await page.locator('.head').innerText()).toMatch(/Connected/);
    expect(await page.locator('.connection').innerText()).toContain(wingtip.appId);
    await page.getByRole('link', { name: 'Tenants' }).click();
    await page.getByRole('link', { name: 'Wingtip Toys' }).waitFor();
  });

  test('chat answers for it at once', async () => {
    expect(await say('/score wingtip')).toMatch(/Wingtip Toys: \d+\.\d/);
  });

  test('the same tenant again is known, and leads to its credentials; a dead secret does not replace the good one', async () => {
    await page.getByRole('button', { name: 'Connect a tenant' }).click();
    await fill(wingtip);
    await dialog().getByRole('button', { name: 'Test' }).click();
    await dialog().getByText('Wingtip Toys is connected already').waitFor();
    await dialog().getByRole('button', { name: 'Update its credentials' }).click();
    await page.getByRole('dialog', { name: 'Update credentials of Wingtip Toys' }).waitFor();
    expect(await dialog().getByLabel('App id').inputValue()).toBe(wingtip.appId);
    await dialog().getByLabel('Client secret').fill('a-secret-of-somebody-else');
    await dialog().getByRole('button', { name: 'Test' }).click();
    await dialog().getByText('cannot be saved yet').waitFor();
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
    // The focus is where it was before the dialog.
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Connect a tenant');
    await page.getByRole('link', { name: 'Wingtip Toys' }).click();
    await page.getByRole('button', { name: 'Sync now' }).click();
    await page.getByText(/Wingtip Toys is synced\. Nothing new/).waitFor({ timeout: 20_000 });
    await keepShot(page, 'tenant-synced');
  });

  test('a secret that expires turns it red with the way out; new credentials make it green again', async () => {
    await sandbox.control('POST', `/_sandbox/tenants/${wingtip.domain}/app`, { newSecret: true });
    const now = await sandbox.control<{ tenants: SandboxCustomer[] }>('GET', '/_sandbox');
    const secret = now.tenants.find(({ id }) => id === wingtip.id)?.secret ?? '';
    // The clock thread holds a token for an hour: Graph refuses it, as it does when one is revoked.
    await sandbox.control('POST', '/_sandbox/faults', {
      path: '/organization',
      tenant: wingtip.id,
      status: 401,
      code: 'InvalidAuthenticationToken',
      times: 3,
    });
    await page.getByRole('button', { name: 'Sync now' }).click();
    await page.getByText(/Authentication Error since/).waitFor({ timeout: 20_000 });
    await keepShot(page, 'tenant-authentication-error');
    await sandbox.control('DELETE', '/_sandbox/faults');
    await page.locator('.banner').getByRole('button', { name: 'Update credentials' }).click();
    await dialog().getByLabel('Client secret').fill(secret);
    await dialog().getByRole('button', { name: 'Test' }).click();
    await dialog().getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog', { name: 'Wingtip Toys has new credentials' }).waitFor();
    await dialog()
      .getByText(/It can be read again/)
      .waitFor({ timeout: 20_000 });
    await dialog().getByRole('button', { name: 'Done' }).click();
    await page.locator('.head').getByText('Connected').waitFor();
    wingtip.secret = secret;
  });

  test('by certificate: made here, uploaded there, saved as soon as Entra knows it', async () => {
    await page.getByRole('link', { name: 'Tenants' }).click();
    await page.getByRole('button', { name: 'Connect a tenant' }).click();
    await dialog().getByLabel('Tenant id or domain').fill(lucerne.domain);
    await dialog().getByLabel('App id').fill(lucerne.appId);
    await dialog()
      .getByRole('radio', { name: /Certificate/ })
      .check();
    await keepShot(page, 'connect-way-certificate');
    await dialog().getByRole('button', { name: 'Make certificate' }).click();
    await dialog().getByText('SHA-256').waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      dialog()
        .getByRole('link', { name: /\.pem$/ })
        .click(),
    ]);
    const certificate = readFileSync(await download.path(), 'utf8');
    const sha256 = new X509Certificate(certificate).fingerprint256.replaceAll(':', '');
    await dialog().getByText(sha256).waitFor();
    await keepShot(page, 'connect-certificate');
    await dialog().getByRole('button', { name: 'Test' }).click();
    await dialog()
      .getByText(/Entra does not know the certificate yet[\s\S]*Asking again/)
      .waitFor();
    await keepShot(page, 'connect-certificate-waits');
    pages.push(await page.content());
    await sandbox.control('POST', `/_sandbox/apps/${lucerne.appId}/certificates`, { certificate });
    await page.getByRole('dialog', { name: 'Lucerne Publishing is connected' }).waitFor({ timeout: 20_000 });
    await dialog()
      .getByText(/Exchange settings: Exchange\.ManageAsApp is not granted/)
      .waitFor();
    await keepShot(page, 'connect-certificate-saved');
    await dialog().getByRole('button', { name: 'Show Lucerne Publishing' }).click();
    await page.getByRole('heading', { name: 'Lucerne Publishing', level: 1 }).waitFor();
    expect(await page.locator('.connection').innerText()).toMatch(/Certificate[\s\S]*ends/);
    expect(pages.join('\n')).not.toContain('PRIVATE KEY');
  });

  test('an Operator may sync and nothing else', async () => {
    await page.goto(`${url}/tab/tenants/${wingtip.id}`);
    await page.getByRole('heading', { name: 'Wingtip Toys', level: 1 }).waitFor();
    await page.getByRole('link', { name: 'Tenants' }).click();
    await page.getByRole('button', { name: 'Switch person' }).click();
    await page.getByText('Chidi Okafor').first().click();
    await page.getByText(/Signed in as Chidi/).waitFor();
    expect(await page.getByRole('button', { name: 'Connect a tenant' }).count()).toBe(0);
    await page.getByRole('link', { name: 'Wingtip Toys' }).click();
    await page.getByRole('button', { name: 'Sync now' }).waitFor();
    expect(await page.getByRole('button', { name: /Update credentials|Remove/ }).count()).toBe(0);
    await page.getByRole('link', { name: 'Tenants' }).click();
    await page.getByRole('button', { name: 'Switch person' }).click();
    await page.getByText('Ana Reyes').first().click();
    await page.getByRole('button', { name: 'Connect a tenant' }).waitFor();
  });

  test('the secret is nowhere: no log, answer, address, page or file', async () => {
    const secrets = [wingtip.secret, lucerne.secret];
    expect(secrets.every((secret) => secret.length > 10)).toBe(true);
    const files = readdirSync(program.folder, { recursive: true, withFileTypes: true })
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => statSync(file).isFile());
    expect(files.some((file) => file.endsWith('.sqlite'))).toBe(true);
    const places = {
      log: program.out() + program.err(),
      answers: answers.join('\n'),
      addresses: addresses.join('\n'),
      pages: pages.join('\n'),
      storage: await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }])),
      files: files.map((file) => readFileSync(file, 'latin1')).join('\n'),
    };
    expect(places.answers).toContain('Sign in to the tenant');
    expect(places.pages).toContain('Client secret');
    const found = Object.entries(places).filter(([, text]) =>
      secrets.some((secret) => text.includes(secret) || text.includes(encodeURIComponent(secret))),
    );
    expect(found.map(([place]) => place)).toEqual([]);
    expect(Object.values(places).some((text) => text.includes('a-secret-of-somebody-else'))).toBe(false);
  });

  test('removed by its name, it is gone from list and chat', async () => {
    await page.getByRole('link', { name: 'Wingtip Toys' }).click();
    await page.locator('.connection').getByRole('button', { name: 'Remove' }).click();
    const remove = dialog().getByRole('button', { name: 'Remove', exact: true });
    expect(await remove.getAttribute('aria-disabled')).toBe('true');
    await dialog()
      .getByLabel(/Type Wingtip Toys/)
      .fill('wingtip toys');
    await keepShot(page, 'remove');
    await remove.click();
    await dialog()
      .getByText(/Deleted: 1 credential, 9\d days of scores/)
      .waitFor();
    await keepShot(page, 'removed');
    await dialog().getByRole('button', { name: 'Show the tenants' }).click();
    await page.getByRole('link', { name: 'Contoso Ltd' }).waitFor();
    expect(await page.getByRole('link', { name: 'Wingtip Toys' }).count()).toBe(0);
    expect(await say('score wingtip')).toMatch(/don.t know|no tenant/i);
    expect(complaints).toEqual([]);
  });

  /** Ana in her personal chat, with a real token; answers what the bot posted. */
  async function say(text: string): Promise<string> {
    const ana = demoPeople[0];
    const conversation = 'a:ana';
    const query = `?conversation=${encodeURIComponent(conversation)}`;
    const before = (await sandbox.posts(query)).length;
    const serviceUrl = 'https://smba.trafficmanager.net/emea/';
    const tid = sandbox.info.apps.bot.tenantId;
    const token = await sandbox.token({ for: 'bot', claims: { serviceurl: serviceUrl } });
    const answer = await fetch(`${program.url}/api/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({
        ...{ type: 'message', id: `${before + 1}`, channelId: 'msteams', serviceUrl, text },
        from: { id: ana?.teamsId, aadObjectId: ana?.oid, name: ana?.name },
        recipient: { id: `28:${sandbox.info.apps.bot.appId}` },
        conversation: { id: conversation, conversationType: 'personal', tenantId: tid },
        channelData: { tenant: { id: tid } },
      }),
      signal: AbortSignal.timeout(10_000),
    });
    expect(answer.status).toBe(200);
    const post = await poll(
      async () => (await sandbox.posts(query)).slice(before).find((one) => one.activity?.type === 'message'),
      10_000,
      () => `no answer to ${text}`,
    );
    return [post.activity?.text, post.activity?.summary].filter(Boolean).join(' ');
  }
});
