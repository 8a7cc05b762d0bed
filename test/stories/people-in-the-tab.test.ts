import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Frame } from 'playwright-core';
import { demoHome, demoPeople } from '../../bot/cast.ts';
import { scopeOfSystem } from '../../shared/access.ts';
import { browserExpected, keepShot, openBrowser } from '../support/browser.ts';
import { proving } from '../support/counts.ts';
import { openInTeams, type TeamsHostPage } from '../support/teams-host.ts';
import { builtTab } from '../tab/built-tab.ts';
import { fiveTenants } from '../tab/seeded.ts';
import { openTabServer, type TabServer } from '../tab/tab-server.ts';

/** An Admin gives a role in the tab and takes it away; whoever has none sees why. In three themes, narrow and wide. */

const looks = [
  { theme: 'dark', width: 320 },
  { theme: 'default', width: 1280 },
  { theme: 'contrast', width: 1280 },
  { theme: 'contrast', width: 320 },
] as const;
const story = browserExpected ? describe : describe.skip;

story('people in the tab', () => {
  let browser: Browser;
  let server: TabServer;

  beforeAll(async () => {
    const opened = await openBrowser();
    if (opened === null) throw new Error('There is no browser on this machine: install Chrome or Edge.');
    browser = opened;
    server = await openTabServer({ seeds: fiveTenants, tabFolder: await builtTab() });
    await server.grant(0, 'Admin', 'all');
    await server.grant(
      2,
      'Operator',
      server.tenants.slice(0, 3).map(({ id }) => id),
    );
    for (const { oid, name, address } of demoPeople) {
      await server.store.people.seen({ tid: demoHome.id, oid, name, address });
    }
    for (const tenant of server.tenants.slice(0, 2)) {
      await server.store.tenants.save(scopeOfSystem(), { ...tenant, tags: ['retail'] });
    }
    const deny = { id: 'd', scope: [], tags: ['retail'], by: 'Ana Reyes', at: server.store.now() };
    await server.store.people.change(demoHome.id, demoPeople[2]?.oid ?? '', undefined, () => ({
      denies: [deny],
    }));
    await server.store.people.change(demoHome.id, demoPeople[3]?.oid ?? '', undefined, () => ({
      disabled: true,
    }));
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  async function inTeams(
    { theme, width, path, person }: { theme: string; width: number; path: string; person: number },
    look: (host: TeamsHostPage) => Promise<void>,
  ): Promise<void> {
    const context = await browser.newContext({ viewport: { width, height: 900 } });
    try {
      const token = await server.tokenOf(person, { roles: person === 0 ? ['Watchpost.Operator'] : [] });
      await look(await openInTeams(context, { server: server.url, token, theme, path }));
    } finally {
      await context.close();
    }
  }

  // In npm test the next one looks at the list as well.
  (proving ? test : test.skip).each(looks)(
    'list, form and sign-in are whole and accessible: $theme, $width px',
    async ({ theme, width }) => {
      await inTeams({ theme, width, path: '/tab/people', person: 0 }, async ({ page, tab }) => {
        await tab.getByText('Chidi Okafor').first().waitFor();
        expect(await faultsOf(tab)).toEqual([]);
        await keepShot(page, `people-${theme}-${width}`);
        await tab.getByRole('button', { name: 'Give a role' }).click();
        await tab.getByRole('dialog', { name: 'Give a role' }).waitFor();
        await tab.getByRole('checkbox').first().waitFor();
        expect(await faultsOf(tab)).toEqual([]);
        await keepShot(page, `give-a-role-${theme}-${width}`);
      });
      await inTeams({ theme, width, path: '/tab/me', person: 0 }, async ({ page, tab }) => {
        await tab.getByText('What your sign-in says').waitFor();
        expect(await faultsOf(tab)).toEqual([]);
        await keepShot(page, `who-am-i-${theme}-${width}`);
      });
    },
    60_000,
  );

  test('an Admin gives a role by address, tag and day, and takes it again', async () => {
    await inTeams({ theme: 'default', width: 1280, path: '/tab/people', person: 0 }, async ({ tab }) => {
      await tab.getByRole('button', { name: 'Give a role' }).click();
      await tab.getByLabel('Who').fill(demoPeople[4]?.address ?? '');
      await tab.getByRole('radio', { name: /^Operator/ }).check();
      await tab.getByRole('button', { name: 'retail' }).click();
      await tab.getByLabel(/^Until/).fill('2099-02-28');
      await tab.getByRole('button', { name: 'Make Operator' }).click();
      await tab.getByText('Eli Novak is now Operator of all tagged retail.').waitFor();
      expect(await faultsOf(tab)).toEqual([]);
      const row = tab.getByRole('listitem').filter({ hasText: 'eli@fourthcoffee.example' });
      expect(await row.innerText()).toContain('until 28 Feb 2099');
      await row.getByRole('button', { name: /Take all roles/ }).click();
      await tab.getByRole('dialog').getByRole('button', { name: 'Take all roles' }).click();
      await tab.getByText('All roles of Eli Novak are taken').waitFor();
      expect((await server.store.people.get(demoHome.id, demoPeople[4]?.oid ?? ''))?.grants).toEqual([]);
    });
  }, 60_000);

  test('without a role: who am I says what is missing', async () => {
    await inTeams({ theme: 'dark', width: 320, path: '/tab/me', person: 1 }, async ({ tab }) => {
      await tab.getByText('You have no role').waitFor();
      expect(await tab.locator('main').innerText()).toContain(demoPeople[1]?.oid);
      expect(await faultsOf(tab)).toEqual([]);
    });
  }, 60_000);
});

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds, and what sticks out of the window. */
async function faultsOf(tab: Frame): Promise<string[]> {
  await tab.evaluate(axe);
  return await tab.evaluate(async () => {
    const run = (
      window as unknown as {
        axe: { run(context: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
      }
    ).axe.run;
    const { violations } = await run({ include: ['body'], exclude: ['[data-tabster-dummy]'] });
    const width = document.documentElement.clientWidth;
    const outside = [...document.querySelectorAll('main *')].filter((element) => {
      const box = element.getBoundingClientRect();
      return box.width > 0 && element.closest('.sr') === null && box.right > width + 1;
    });
    return [
      ...violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`),
      ...outside.map((element) => `outside: ${element.tagName}.${element.className}`),
      ...(document.documentElement.scrollWidth > width ? ['the page scrolls sideways'] : []),
    ];
  });
}
