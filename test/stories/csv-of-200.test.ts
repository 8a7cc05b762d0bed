import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Frame, Page } from 'playwright-core';
import { startTimetable } from '../../bot/jobs/index.ts';
import { Secret } from '../../bot/secrets.ts';
import { scopeOfSystem } from '../../shared/access.ts';
import { tenantId } from '../../shared/tenants/tenant.ts';
import { openMicrosoftOf, type Sandboxed } from '../jobs/sandboxed.ts';
import { browserExpected, keepShot, openBrowser } from '../support/browser.ts';
import { count, proving } from '../support/counts.ts';
import { axeOf, overflowOf } from '../support/judge-page.ts';
import { openInTeams, type TeamsHostPage } from '../support/teams-host.ts';
import { builtTab } from '../tab/built-tab.ts';
import { openTabServer, type TabServer } from '../tab/tab-server.ts';

/** An MSP brings its customers in: first steps, a list with faults, tags, links for all, a sync of all, and the jobs. */

const story = browserExpected ? describe : describe.skip;
const many = count(20, 200);
/** How many of them are connected and read; one with a wrong secret. */
const some = count(2, 6);
const whole = proving || (process.env.SHOTS ?? '') !== '';
const everything = scopeOfSystem();
type Customer = { name: string; domain: string; id: string; appId: string; secret: string };

story(`a list of ${many} companies`, () => {
  let browser: Browser;
  let world: Sandboxed;
  let server: TabServer;
  let host: TeamsHostPage;
  let page: Page;
  let tab: Frame;
  let customers: Customer[];

  beforeAll(async () => {
    const opened = await openBrowser();
    if (opened === null) throw new Error('There is no browser on this machine: install Chrome or Edge.');
    browser = opened;
    world = await openMicrosoftOf();
    await world.sandbox.control('POST', '/_sandbox/limits', { off: true });
    const made = await world.sandbox.control<{ tenants: Customer[] } | Customer[]>(
      'POST',
      '/_sandbox/tenants',
      { count: many, seed: 'story' },
    );
    customers = Array.isArray(made) ? made : made.tenants;
    const folder = await builtTab();
    server = await openTabServer({
      seeds: [],
      tabFolder: folder,
      services: {
        microsoft: world.microsoft,
        consent: { appId: 'ffffffff-0000-4000-8000-0000000000aa' } as never,
      },
    });
    await server.grant(0, 'Admin', 'all');
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    host = await openInTeams(context, { server: server.url, token: await server.tokenOf(0), path: '/tab/' });
    ({ page, tab } = host);
    page.setDefaultTimeout(15_000);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await world?.stop();
  });

  /** In the proof in all themes and widths; else once, so that it costs a second. */
  async function judged(name: string): Promise<void> {
    if (!whole && name !== 'companies' && name !== 'jobs') return;
    for (const theme of whole ? ['dark', 'contrast', 'default'] : ['default']) {
      await host.setTheme(theme);
      for (const width of whole ? [320, 768, 1440] : [320, 1440]) {
        await page.setViewportSize({ width, height: 900 });
        await tab.waitForFunction((wanted) => window.innerWidth === wanted, width);
        expect(await overflowOf(tab)).toEqual([]);
        if (width === 1440 || (whole && width === 320)) {
          const { wrong, right } = await axeOf(tab);
          expect(wrong).toEqual([]);
          expect(right).toBeGreaterThan(10);
        }
        await keepShot(page, `${name}-${theme}-${width}`);
      }
    }
  }

  test('an empty installation walks through the steps; a list is looked at first, and only what is good is added', async () => {
    await tab.getByRole('heading', { name: 'Welcome to Watchpost' }).waitFor();
    await judged('first-steps');
    await tab.getByRole('button', { name: 'Add companies' }).click();
    await tab.getByRole('heading', { name: 'A list' }).waitFor();
    await judged('add');

    const rows = customers.map(({ name, domain }, n) => `"${name}";${domain};gold, wave ${n % 4}`);
    const list = [
      ...['Name;Domain;Tags', ...rows],
      `Again;${customers[0]?.domain};`,
      'Nobody;nobody-has-this.example;',
      'No domain;;x',
      `Long tag;long.example;${'x'.repeat(41)}`,
    ].join('\r\n');
    await tab.getByLabel('Paste lines of name, domain and tags').fill(list);
    await tab.getByRole('button', { name: 'Look at the list' }).click();
    const add = tab.getByRole('button', { name: `Add ${many} companies` });
    await add.waitFor({ timeout: 60_000 });
    const told = await tab
      .getByRole('row')
      .filter({ hasText: /Nobody|Again|No domain|Long tag/ })
      .allInnerTexts();
    expect(told.join('\n')).toMatch(/The same as line 2\./);
    expect(told.join('\n')).toMatch(/No Microsoft 365 tenant has this domain\./);
    expect(told.join('\n')).toMatch(/The domain is missing\./);
    expect(told.join('\n')).toMatch(/A tag has at most 40 characters\./);
    expect(await server.store.tenants.list(everything)).toHaveLength(0);
    await judged('preview');

    await add.click();
    await tab.getByText(`${many} companies added. 4 lines left out.`).waitFor({ timeout: 60_000 });
    expect(await server.store.tenants.list(everything)).toHaveLength(many);
    await tab.getByRole('button', { name: 'Connect them' }).click();
    await tab.getByText(`0 of ${many} connected`).waitFor();
  }, 180_000);

  test('by key alone: a filter, all of it chosen, links for each in a file', async () => {
    await tab.getByRole('combobox', { name: /^Tag/ }).selectOption('wave 1');
    await tab.getByText(`${many / 4} companies shown`).waitFor({ state: 'attached' });
    const all = tab.getByLabel('Choose all that are shown');
    await all.focus();
    await page.keyboard.press('Space');
    await tab.getByText(`${many / 4} companies chosen`).waitFor();
    await judged('companies');
    await tab.getByRole('button', { name: 'Generate links' }).focus();
    await page.keyboard.press('Enter');
    await tab.getByRole('dialog').waitFor();
    await judged('links');
    const saved = page.waitForEvent('download');
    await tab.getByRole('button', { name: 'Generate and download' }).focus();
    await page.keyboard.press('Enter');
    const file = await saved;
    expect(file.suggestedFilename()).toMatch(/^watchpost-links-\d{4}-\d\d-\d\d\.csv$/);
    const lines = readFileSync(await file.path(), 'utf8')
      .trimEnd()
      .split('\r\n');
    expect(lines).toHaveLength(many / 4 + 1);
    expect(lines[1]).toMatch(
      /^"[^"]+","[^"]+","https:\/\/watchpost\.example\.com\/connect\/[\w-]{43}","2\d{3}-/,
    );
    await tab.getByText(`${many / 4} links made; the file is in your downloads.`).waitFor();
  }, 90_000);

  test('those that are connected are synced together; the bar says how many are; the jobs say what was done', async () => {
    for (const [n, customer] of customers.slice(0, some).entries()) {
      const id = tenantId(customer.id);
      if (id === undefined) throw new Error('no id');
      const secret = new Secret(n === some - 1 ? 'not-the-right-secret' : customer.secret);
      await server.store.credentials.save(everything, {
        ...{ tenantId: id, appId: customer.appId, credential: { kind: 'secret', secret } },
      });
      await server.store.tenants.setHealth(everything, id, {
        ...{ state: 'waiting', since: server.store.now(), cause: '', remedy: '' },
      });
    }
    const clock = startTimetable(server.services, { sendAtOnce: 0 });
    try {
      await tab.getByRole('link', { name: 'Back to the scores' }).click();
      await tab.getByRole('link', { name: 'Companies' }).click();
      await tab.getByLabel('Choose all that are shown').check();
      await tab.getByRole('button', { name: 'Sync now' }).click();
      await tab
        .getByText(/(1 company|5 companies) read\. 1 could not be: see Jobs\./)
        .waitFor({ timeout: 60_000 });
      await tab.getByText(`${some - 1} of ${many} connected`).waitFor();
      await tab.goto('https://watchpost.example.com/tab/jobs');
      await tab.getByRole('heading', { name: 'Jobs' }).waitFor();
      await tab.getByText('Failed once').first().waitFor();
      await judged('jobs');

      const one = tenantId(customers[0]?.id ?? '');
      await tab.goto(`https://watchpost.example.com/tab/tenants/${one}`);
      await tab.getByRole('button', { name: 'Edit tags' }).click();
      await tab.getByLabel('wave 0').check();
      await tab.getByLabel('Add a tag').fill('VIP');
      await judged('tags');
      await tab.getByRole('button', { name: 'Save' }).click();
      await tab.getByRole('list', { name: 'Tags' }).getByText('vip').waitFor();
      expect(one && (await server.store.tenants.get(everything, one))?.tags).toEqual(['gold', 'vip']);
      await judged('tenant');
    } finally {
      await clock.stop(10_000);
    }
  }, 120_000);
});
