import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContextOptions, Frame, Page } from 'playwright-core';
import { Secret } from '../../bot/secrets.ts';
import { scopeOfJob, scopeOfSystem } from '../../shared/access.ts';
import type { DropFinding } from '../../shared/alerts/score-drop.ts';
import { acknowledged, fallOf, falls } from '../cards/fallen.ts';
import { browserExpected, keepShot, openBrowser } from '../support/browser.ts';
import { type Program, startProgram } from '../support/program.ts';
import { type Sandbox, startSandbox } from '../support/sandbox.ts';
import { openInTeams, routeTab, type TeamsHostPage, tabOrigin } from '../support/teams-host.ts';
import { builtTab } from '../tab/built-tab.ts';
import { fiveTenants, manyTenants } from '../tab/seeded.ts';
import { openTabServer, type TabServer } from '../tab/tab-server.ts';

/** The tab as people open it: real server, store, token check and teams-js; only the Teams client is played. */

const themes = ['default', 'dark', 'contrast'] as const;
const widths = [320, 768, 1440];
const story = browserExpected ? describe : describe.skip;

story('opening the tab', () => {
  let browser: Browser;
  let server: TabServer;
  let token: string;
  let contoso: string;

  beforeAll(async () => {
    const opened = await openBrowser();
    if (opened === null) throw new Error('There is no browser on this machine: install Chrome or Edge.');
    browser = opened;
    server = await openTabServer({ seeds: fiveTenants, tabFolder: await builtTab() });
    await server.grant(0, 'Admin', 'all');
    token = await server.tokenOf(0);
    contoso = server.tenants[1]?.id ?? '';
    for (const { id } of server.tenants) {
      await server.store.credentials.save(scopeOfSystem(), {
        tenantId: id,
        appId: 'ffffffff-0000-4000-8000-000000000001',
        credential: { kind: 'secret', secret: new Secret('a-secret-of-the-story') },
      });
    }
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  /** A fresh context of that width; `look` gets the host, whatever happens it is closed again. */
  async function inTeams(
    options: Partial<Parameters<typeof openInTeams>[1]> & {
      width?: number;
      context?: BrowserContextOptions;
      /** How much the device's clock is ahead. */
      skewMs?: number;
    },
    look: (host: TeamsHostPage) => Promise<void>,
  ): Promise<void> {
    const { width = 1440, context: contextOptions, skewMs = 0, ...host } = options;
    const context = await browser.newContext({ viewport: { width, height: 900 }, ...contextOptions });
    if (skewMs !== 0) {
      await context.addInitScript((ms) => {
        const now = Date.now.bind(Date);
        Date.now = () => now() + ms;
      }, skewMs);
    }
    try {
      await look(await openInTeams(context, { server: server.url, token, ...host }));
    } finally {
      await context.close();
    }
  }
  const list = (tab: Frame) => tab.waitForSelector('table.tenants tbody a');
  const score = (tab: Frame) => tab.waitForSelector('.score-card .big:not(.bone)');

  describe.each(themes)('in the %s theme', (theme) => {
    test.each([
      { name: 'overview', path: () => '/tab/', ready: list },
      {
        name: 'tenant',
        path: () => `/tab/tenants/${contoso}`,
        ready: async (tab: Frame) => {
          await score(tab);
          await tab.waitForSelector('.directory .mail-domains');
        },
      },
    ])(
      'the $name is whole, accessible and never scrolls sideways, from 320 to 1440 px',
      async ({ name, path, ready }) => {
        await inTeams({ theme, path: path() }, async ({ page, tab }) => {
          await ready(tab);
          for (const width of widths) {
            await page.setViewportSize({ width, height: 900 });
            await until(
              () => tab.evaluate(() => window.innerWidth),
              (seen) => seen === width,
            );
            // The chart follows the new width a moment later.
            await until(
              () => overflowOf(tab),
              (outside) => outside.length === 0,
            );
            if (width !== 768) expect(await axeOf(tab)).toEqual([]);
            await grow(page, tab, width);
            await keepShot(page, `${name}-${theme}-${width}`);
          }
        });
      },
      60_000,
    );
  });

  test('axe is awake: a picture without words is found', async () => {
    await inTeams({}, async ({ tab }) => {
      await list(tab);
      await tab.evaluate(() => document.querySelector('main')?.append(document.createElement('img')));
      expect(await axeOf(tab)).toEqual([expect.stringContaining('image-alt')]);
    });
  });

  test('teams-js is told in order: initialize, theme, loaded, token, success', async () => {
    await inTeams({}, async ({ tab, calls }) => {
      await list(tab);
      const made = await until(calls, (all) => all.includes('appInitialization.success'));
      const wanted = [
        'initialize',
        'getContext',
        'registerHandler themeChange',
        'appInitialization.appLoaded',
        'authentication.getAuthToken',
        'appInitialization.success',
      ];
      expect(made.filter((call, i) => wanted.includes(call) && made.indexOf(call) === i)).toEqual(wanted);
    });
  });

  test('the worst change stands first, and every number has its words', async () => {
    await inTeams({}, async ({ tab }) => {
      await list(tab);
      const names = await tab.locator('table.tenants tbody a').allTextContents();
      expect(names).toEqual([
        'Fabrikam',
        'Contoso Ltd',
        'Woodgrove Bank',
        'Adventure Works',
        'Northwind Traders',
      ]);
      const woodgrove = tab.getByRole('row', { name: /Woodgrove/ });
      await expectText(woodgrove.innerText(), /Permission Error[\s\S]*Consent was withdrawn[\s\S]*2 d ago/);
      // What was known last stays with its day, in no colour of news; the header says who cannot be read.
      expect(await woodgrove.innerText()).not.toContain('not read');
      await expectText(woodgrove.innerText(), /[\d.]+\u2009%[\s\S]*of \d+ \w+/);
      expect(await woodgrove.locator('.change').count()).toBe(2);
      expect(await woodgrove.locator('.change:is(.worse, .better)').count()).toBe(0);
      await expectText(tab.locator('.head').innerText(), /5 tenants, 1 cannot be read/);
      await expectText(tab.getByRole('row', { name: /Adventure Works/ }).innerText(), /risky users not read/);
    });
  });

  test('at 320 px the trends begin and end together, and no chip is cut', async () => {
    await inTeams({ width: 320 }, async ({ tab }) => {
      await list(tab);
      const edges = await tab.locator('.tenants .spark').evaluateAll((all) =>
        all.map((one) => {
          const { left, right } = one.getBoundingClientRect();
          return `${Math.round(left)} ${Math.round(right)}`;
        }),
      );
      expect(edges).toHaveLength(5);
      expect(new Set(edges).size).toBe(1);
      // The state and how old it is stand on one line; centred on its mark, the word would not.
      const onOneLine = () =>
        tab.locator('.tenants tbody tr').evaluateAll((rows) =>
          rows.every((row) => {
            const [health = 0, read = 9] = ['.health', '.read'].map((part) => {
              const text = document.createTreeWalker(row.querySelector(part) ?? row, NodeFilter.SHOW_TEXT);
              const range = document.createRange();
              range.selectNodeContents(text.nextNode() ?? row);
              return range.getBoundingClientRect().top;
            });
            return Math.abs(health - read) <= 1;
          }),
        );
      expect(await onOneLine()).toBe(true);
      await tab.addStyleTag({ content: '.page .health { align-items: center }' });
      expect(await onOneLine()).toBe(false);
      const strip = tab.locator('.overview > .chips');
      expect(await strip.evaluate((one) => one.scrollWidth - one.clientWidth)).toBe(0);
      // The short word is for the eye only.
      expect(await strip.innerText()).toContain('Attention 1');
      expect(await tab.getByRole('button', { name: 'Needs attention 1', exact: true }).count()).toBe(1);
    });
  });

  test('names without a space wrap in the list and the heading, and push nothing off the screen', async () => {
    const seeds = [
      {
        name: 'W'.repeat(120),
        domain: `${'w'.repeat(60)}.example`,
        percent: 60,
        fell: ['AdminMFAV2'],
        days: 3,
      },
      { name: 'Rechtsschutzversicherungsgesellschaften AG', domain: 'recht.example', percent: 50, days: 3 },
      { name: 'Contoso', domain: 'contoso.example', percent: 40, days: 3 },
    ];
    const long = await openTabServer({ seeds, tabFolder: await builtTab() });
    try {
      await long.grant(0, 'Admin', 'all');
      const seen = { server: long.url, token: await long.tokenOf(0) };
      for (const width of [320, 1280]) {
        await inTeams({ ...seen, width }, async ({ page, tab }) => {
          await list(tab);
          await keepShot(page, `overview-long-${width}`);
          expect(await overflowOf(tab)).toEqual([]);
          // A cell may hide what runs out of it without the page growing: each figure stands beside its name.
          const cut = await tab.locator('.tenants :is(.score, .day, .name a)').evaluateAll(
            (all) =>
              all.filter((one) => {
                const { right } = one.getBoundingClientRect();
                return right > window.innerWidth || one.scrollWidth > one.clientWidth + 1;
              }).length,
          );
          expect(cut).toBe(0);
          if (width === 320) expect(await axeOf(tab)).toEqual([]);
          // What has spaces breaks at these, as before.
          const lines = (name: RegExp) =>
            tab
              .getByRole('link', { name })
              .evaluate((one) => Math.round(one.getBoundingClientRect().height / 20));
          expect(await lines(/^Contoso/)).toBe(1);
          expect(await lines(/^Rechtsschutz/)).toBeLessThanOrEqual(width === 320 ? 3 : 1);
        });
        const path = `/tab/tenants/${long.tenants[0]?.id}`;
        await inTeams({ ...seen, width, path }, async ({ page, tab }) => {
          await score(tab);
          await keepShot(page, `tenant-long-${width}`);
          expect(await overflowOf(tab)).toEqual([]);
        });
      }
    } finally {
      await long.close();
    }
  }, 60_000);

  test('two tenants of one name are told apart in the list, the figures, and at 320 px', async () => {
    const [one, other] = ['contoso.example', 'contoso-holding.example'];
    const seeds = [
      { name: 'Contoso', domain: one, percent: 60, fell: ['AdminMFAV2'] },
      { name: 'contoso ', domain: other, percent: 50 },
      { name: 'Fabrikam', domain: 'fabrikam.example', percent: 40 },
    ];
    const alike = await openTabServer({ seeds, tabFolder: await builtTab() });
    try {
      await alike.grant(0, 'Reader', 'all');
      await alike.grant(
        1,
        'Reader',
        alike.tenants.slice(1).map(({ id }) => id),
      );
      const visible = async (tab: Frame): Promise<string[]> => {
        await list(tab);
        const captions = tab.locator('.tenants .name .caption');
        const shown = await captions.evaluateAll((all) =>
          all.filter((each) => each.getBoundingClientRect().height > 8).map((each) => each.textContent),
        );
        return shown.map(String).sort();
      };
      const seen = { server: alike.url, width: 320 };
      await inTeams({ ...seen, token: await alike.tokenOf(0) }, async ({ page, tab }) => {
        expect(await visible(tab)).toEqual([other, one]);
        expect(await axeOf(tab)).toEqual([]);
        const fell = tab.getByRole('button', { name: /^Fell in 1 day/ });
        await expectText(fell.innerText(), /Contoso \(contoso\.example\)/);
        await keepShot(page, 'overview-alike-320');
      });
      // Who does not see the other one is told nothing of it.
      await inTeams({ ...seen, token: await alike.tokenOf(1) }, async ({ tab }) => {
        expect(await visible(tab)).toEqual([]);
      });
    } finally {
      await alike.close();
    }
  }, 60_000);

  test('a sync that failed and what is the matter with the tenant are told in one box', async () => {
    const woodgrove = server.tenants[2];
    const cases = [
      {
        result: 'Consent was withdrawn. Ask an administrator of Woodgrove Bank to reconnect.',
        says: /^Woodgrove Bank could not be synced\. Permission Error since [^.]+\. Consent was withdrawn\. Ask an administrator of Woodgrove Bank to reconnect\. What you see was read 2 d ago\./,
      },
      {
        result: 'Microsoft did not answer within 10 s.',
        says: /^Woodgrove Bank could not be synced\. Microsoft did not answer within 10 s\. Permission Error since/,
      },
    ];
    for (const { result, says } of cases) {
      await inTeams(
        {
          path: `/tab/tenants/${woodgrove?.id}`,
          intercept: async (route) => {
            if (!route.request().url().endsWith('/sync')) return false;
            await route.fulfill({ json: { id: 'ended-already', state: 'failed', result } });
            return true;
          },
        },
        async ({ page, tab }) => {
          await score(tab);
          expect(await tab.locator('.banner').count()).toBe(1);
          await tab.getByRole('button', { name: 'Sync now' }).click();
          await tab.getByText(/could not be synced/).waitFor();
          expect(await tab.locator('.banner').count()).toBe(1);
          await expectText(tab.getByRole('status').filter({ hasText: 'synced' }).innerText(), says);
          expect(await axeOf(tab)).toEqual([]);
          await keepShot(page, 'sync-failed');
        },
      );
    }
  });

  test('a figure filters the table, the search finds, the address keeps both', async () => {
    await inTeams({}, async ({ tab }) => {
      await list(tab);
      await tab.getByRole('button', { name: /^Fell in 1 day/ }).click();
      await rows(tab, ['Fabrikam', 'Contoso Ltd']);
      await tab.getByRole('searchbox').fill('contoso');
      await rows(tab, ['Contoso Ltd']);
      expect(new URL(tab.url()).search).toBe('?show=fell&q=contoso');
      await tab.getByRole('searchbox').fill('nobody');
      await tab.getByText('No tenant of these has “nobody” in its name or domain.').waitFor();
      await tab.getByRole('button', { name: 'Show all tenants' }).click();
      await rows(tab, ['Fabrikam', 'Contoso Ltd', 'Woodgrove Bank', 'Adventure Works', 'Northwind Traders']);
      expect(await tab.getByRole('searchbox').inputValue()).toBe('');
    });
  });

  test('with the keyboard alone into a tenant, along its trend, and back to where one was', async () => {
    await inTeams({}, async ({ page, tab }) => {
      await list(tab);
      await tab.getByRole('link', { name: 'Contoso Ltd' }).focus();
      await page.keyboard.press('Enter');
      await score(tab);
      expect(await tab.evaluate(() => document.activeElement?.textContent)).toBe('Contoso Ltd');
      expect(await tab.title()).toBe('Contoso Ltd · Watchpost');
      const chart = tab.getByRole('slider');
      await chart.focus();
      const last = await chart.getAttribute('aria-valuetext');
      expect(last).toMatch(/^\d+ \w+ 2\d{3}: [\d.]+\u2009%, [\d.]+ of [\d.]+ points$/);
      await page.keyboard.press('ArrowLeft');
      expect(await chart.getAttribute('aria-valuetext')).not.toBe(last);
      await tab.getByRole('button', { name: 'as a table' }).click();
      expect(await tab.getByRole('button', { name: 'as a chart' }).count()).toBe(1);
      expect(await tab.locator('.trend-table tbody tr').count()).toBe(90);
      await tab.getByRole('link', { name: 'Tenants' }).click();
      await list(tab);
      expect(new URL(tab.url()).pathname).toBe('/tab/');
      expect(await tab.evaluate(() => document.activeElement?.textContent)).toBe('Tenants');
    });
  });

  test('why it fell adds up, and an action opens its steps', async () => {
    await inTeams({ path: `/tab/tenants/${contoso}` }, async ({ tab }) => {
      await score(tab);
      await expectText(
        tab.locator('.why').innerText(),
        /Why it fell on[\s\S]*−7\.0[\s\S]*Adds up to −7\.\d of 153\.0 points/,
      );
      const first = tab.locator('.actions .disclose').first();
      await first.click();
      expect(await first.getAttribute('aria-expanded')).toBe('true');
      const link = tab.getByRole('link', { name: /View at security.microsoft.com/ });
      expect(await link.getAttribute('rel')).toBe('noopener noreferrer');
    });
  });

  test('a tenant that cannot be read keeps its last numbers, and says once why nothing newer is there', async () => {
    const woodgrove = server.tenants[2]?.id ?? '';
    await inTeams({ path: `/tab/tenants/${woodgrove}`, width: 320 }, async ({ page, tab }) => {
      await score(tab);
      const text = await tab.locator('main').innerText();
      expect(text.match(/consent was withdrawn/gi)).toHaveLength(1);
      expect(text).toMatch(/Cannot be read, as said above\.\s+Last read 2 d ago/);
      expect(text).toMatch(/[▲▼±] \d+\.\d since \d+ \w+/);
      expect(await tab.locator('.score-card .changes .change:is(.worse, .better)').count()).toBe(0);
      await grow(page, tab, 320);
      await keepShot(page, 'tenant-unreadable-320');
    });
  });

  test.each([320, 1440])(
    'the words of the chart and of the pointer stay inside it, at %i px',
    async (width) => {
      await inTeams({ path: `/tab/tenants/${contoso}`, width }, async ({ page, tab }) => {
        await score(tab);
        const outside = () =>
          tab.evaluate(() => {
            const frame = document.querySelector('.chart')?.getBoundingClientRect();
            const inside = document.querySelectorAll('.chart text, .chart .readout');
            return [...inside].flatMap((one) => {
              const box = one.getBoundingClientRect();
              const out = frame === undefined || box.left < frame.left - 1 || box.right > frame.right + 1;
              return out || one.scrollWidth > one.clientWidth + 1 ? [one.textContent] : [];
            });
          });
        for (const key of ['Home', 'End']) {
          await tab.getByRole('slider').focus();
          await page.keyboard.press(key);
          await tab.waitForSelector('.readout');
          await until(outside, (found) => found.length === 0);
        }
        expect(await tab.locator('.chart .event text').count()).toBe(2);
        await keepShot(page, `chart-pointer-${width}`);
      });
    },
  );

  describe('a fall that stands', () => {
    const fallen = falls();
    /** Its score did not fall on the last day: without the finding nothing on the page tells of it. */
    const northwind = () => {
      const tenant = server.tenants[4];
      if (tenant === undefined) throw new Error('nothing was seeded');
      return tenant;
    };
    const stands = async (finding: DropFinding): Promise<void> => {
      const { findings } = server.store;
      const kept = await findings.get(scopeOfSystem(), finding.tenantId, finding.id);
      expect(await findings.save(scopeOfSystem(), finding, kept?.revision ?? null, [])).toBe(true);
    };
    const notice = (tab: Frame) => tab.getByRole('region', { name: /^Northwind Traders fell / });
    const open = { path: () => `/tab/tenants/${northwind().id}` };

    test.each(themes)(
      'is told above the figures, whole and accessible at every width, in the %s theme',
      async (theme) => {
        await stands(fallOf(fallen.many, northwind().id).finding);
        await inTeams({ theme, path: open.path() }, async ({ page, tab }) => {
          await score(tab);
          await expectText(
            notice(tab).innerText(),
            /controls regressed\.\s+Compared with 19 Nov.*Nobody has acknowledged it yet\.[\s\S]*−10\.0\s+MFA for all administrators[\s\S]*and 5 more controls with −15\.0 points/,
          );
          expect(await notice(tab).getByRole('listitem').count()).toBe(8);
          for (const width of widths) {
            await page.setViewportSize({ width, height: 900 });
            await until(
              () => tab.evaluate(() => window.innerWidth),
              (seen) => seen === width,
            );
            await until(
              () => overflowOf(tab),
              (outside) => outside.length === 0,
            );
            const above = await tab.evaluate(() => {
              const bottom = document.querySelector('.fall')?.getBoundingClientRect().bottom ?? Infinity;
              return bottom <= (document.querySelector('.score-card')?.getBoundingClientRect().top ?? 0);
            });
            expect(above).toBe(true);
            if (width !== 768) expect(await axeOf(tab)).toEqual([]);
            await grow(page, tab, width);
            await keepShot(page, `fall-${theme}-${width}`);
          }
        });
      },
      60_000,
    );

    test.each(themes)('is marked in the list and needs attention, in the %s theme', async (theme) => {
      const marked = async (words: RegExp, width: number): Promise<void> => {
        await inTeams({ theme, width }, async ({ page, tab }) => {
          await list(tab);
          const row = tab.getByRole('row', { name: /Northwind Traders/ });
          await expectText(row.innerText(), words);
          expect(await tab.locator('.tag.fell').count()).toBe(1);
          expect(await overflowOf(tab)).toEqual([]);
          expect(await axeOf(tab)).toEqual([]);
          await keepShot(page, `overview-fall-${theme}-${width}`);
          await tab.getByRole('button', { name: 'Needs attention 2', exact: true }).click();
          await rows(tab, ['Woodgrove Bank', 'Northwind Traders']);
        });
      };
      await stands(fallOf(fallen.opened, northwind().id).finding);
      for (const width of [320, 1280]) await marked(/▼ Lost 16 points/, width);
      await stands(acknowledged(fallOf(fallen.opened, northwind().id)).finding);
      await marked(/Lost 16 points · acknowledged/, 320);
      await stands(fallOf(fallen.resolved, northwind().id).finding);
      await inTeams({ theme }, async ({ tab }) => {
        await list(tab);
        expect(await tab.locator('.tag.fell').count()).toBe(0);
      });
    });

    test('says who has acknowledged it, and is gone when it is over', async () => {
      const { opened, resolved } = fallen;
      await stands(acknowledged(fallOf(opened, northwind().id)).finding);
      await inTeams({ path: open.path() }, async ({ page, tab }) => {
        await score(tab);
        await expectText(notice(tab).innerText(), /Acknowledged by Ana Reyes on 20 Nov.*, 09:14 UTC\./);
        await keepShot(page, 'fall-acknowledged');
      });
      await stands(fallOf(resolved, northwind().id).finding);
      await inTeams({ path: open.path() }, async ({ tab }) => {
        await score(tab);
        expect(await tab.locator('.fall').count()).toBe(0);
      });
    });
  });

  test('a tenant whose last tries failed is not shown as if all were well', async () => {
    const adventure = server.tenants[3];
    if (adventure === undefined) throw new Error('nothing was seeded');
    const { work, now } = server.store;
    const scope = scopeOfJob(adventure.id);
    const triedTwice =
      /The last 2 tries failed, since \d+ \w+, \d\d:\d\d UTC: Microsoft did not answer within 10 s\. It is tried again by itself\./;
    await work.schedule(scope, adventure.id, 'sync-scores', '2000-01-01T00:00:00.000Z');
    const [lease] = await work.claimDue('sync-scores', 1, 60_000);
    if (lease === undefined) throw new Error('no lease');
    const failing = { times: 2, since: now(), cause: 'Microsoft did not answer within 10 s' };
    await work.saveTenant(scope, lease, { health: { ...adventure.health, failing } });
    try {
      await inTeams({}, async ({ page, tab }) => {
        await list(tab);
        const row = tab.getByRole('row', { name: /Adventure Works/ });
        await expectText(row.innerText(), /Connected · failing/);
        await expectText(row.innerText(), triedTwice);
        await expectText(row.innerText(), /risky users not read/);
        expect(await row.locator('.health').getAttribute('title')).toMatch(triedTwice);
        expect(await row.locator('.mark.good').count()).toBe(0);
        await tab.getByRole('button', { name: 'Needs attention 2', exact: true }).click();
        await rows(tab, ['Woodgrove Bank', 'Adventure Works']);
        await keepShot(page, 'overview-failing');
        await row.getByRole('link').click();
        await score(tab);
        await expectText(tab.getByText(triedTwice).innerText(), /What you see was read/);
        expect(await axeOf(tab)).toEqual([]);
        await keepShot(page, 'tenant-failing');
      });
    } finally {
      await work.saveTenant(scope, lease, { health: adventure.health });
      await work.finish(lease, {
        nextDueAt: '2100-01-01T00:00:00.000Z',
        outcome: 'ok',
        ms: 1,
        failed: false,
      });
    }
  });

  test('a deep link opens its tenant', async () => {
    await inTeams({ subPage: `tenant:${contoso}` }, async ({ tab }) => {
      await score(tab);
      expect(await tab.locator('h1').textContent()).toBe('Contoso Ltd');
      expect(new URL(tab.url()).pathname).toBe(`/tab/tenants/${contoso}`);
    });
  });

  test('the theme of Teams changes while the page is open', async () => {
    await inTeams({}, async ({ tab, setTheme }) => {
      await list(tab);
      const ground = () => tab.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
      const seen = [await ground()];
      for (const theme of ['dark', 'contrast', 'default']) {
        await setTheme(theme);
        await tab.waitForSelector(`html[data-theme="${theme}"]`, { state: 'attached' });
        seen.push(await ground());
      }
      expect(new Set(seen).size).toBe(3);
      expect(seen[3]).toBe(seen[0]);
    });
  });

  test('who has no role is told how to get one', async () => {
    await inTeams({ token: await server.tokenOf(4) }, async ({ tab }) => {
      await tab.getByRole('heading', { name: 'You have no role in Watchpost yet' }).waitFor();
      await expectText(
        tab.locator('main').innerText(),
        /Eli Novak[\s\S]*Then ask Ana Reyes for a role: an Admin gives it on the page People[\s\S]*who am i/i,
      );
    });
  });

  test.each([
    {
      what: 'nobody has agreed yet',
      token: () => ({ error: 'resourceRequiresConsent' }),
      title: 'Watchpost needs your consent',
      says: /choose Accept[\s\S]*only an administrator may agree/,
      button: 'Ask me again',
      tells: 'appInitialization.expectedFailure',
    },
    {
      what: 'consent was withdrawn',
      token: () => ({ error: 'invalid_grant' }),
      title: 'Watchpost needs your consent',
      says: /Teams has to ask you once/,
      button: 'Ask me again',
      tells: 'appInitialization.expectedFailure',
    },
    {
      what: 'the question was closed',
      token: () => ({ error: 'CancelledByUser' }),
      title: 'Watchpost needs your consent',
      says: /You closed the question/,
      button: 'Ask me again',
      tells: 'appInitialization.expectedFailure',
    },
    {
      what: 'Teams has nobody signed in',
      token: () => ({ error: 'User is not signed in' }),
      title: 'You are not signed in',
      says: /Sign in to Teams/,
      button: 'Try again',
      tells: 'appInitialization.failure',
    },
    {
      what: 'Teams says something nobody knows',
      token: () => ({ error: 'Internal error 7' }),
      title: 'You are not signed in',
      says: /Ask an administrator whether the app has been approved/,
      button: 'Try again',
      tells: 'appInitialization.failure',
    },
    {
      what: 'Teams has no network',
      token: () => ({ error: 'Network error: failed to fetch' }),
      title: 'Watchpost cannot be reached',
      says: /Check your connection[\s\S]*tried again by itself/,
      button: 'Try again',
      tells: 'appInitialization.success',
    },
    {
      what: 'the token is not accepted',
      token: () => 'a.b.c',
      title: 'You are not signed in',
      says: /sign-in is not valid/,
      button: 'Try again',
      tells: 'appInitialization.failure',
    },
    {
      what: 'the server’s clock is slow',
      token: () => server.tokenOf(0, { iat: inSeconds(1_800), nbf: inSeconds(1_800), exp: inSeconds(5_400) }),
      title: 'A clock is wrong',
      says: /clock of the Watchpost server is 30 minutes behind Microsoft's/,
      button: 'Try again',
      tells: 'appInitialization.expectedFailure',
    },
    {
      what: 'Teams gives a token that has ended',
      token: () => server.tokenOf(0, { exp: inSeconds(-1_200) }),
      title: 'A clock is wrong',
      says: /sign-in that ended 20 minutes ago/,
      button: 'Try again',
      tells: 'appInitialization.expectedFailure',
    },
  ])(
    'when $what the page says so, and goes on without a new start',
    async ({ what, token: given, ...expected }) => {
      await inTeams({ token: await given() }, async ({ page, tab, calls, setToken }) => {
        await tab.getByRole('heading', { name: expected.title }).waitFor();
        await until(
          () => tab.locator('main').innerText(),
          (text) => expected.says.test(text),
        );
        await until(calls, (all) => all.includes(expected.tells));
        expect(await axeOf(tab)).toEqual([]);
        await keepShot(page, `trouble-${what.replaceAll(/\W+/g, '-')}`);
        await tab.evaluate(() => Object.assign(window, { stillHere: true }));
        await setToken(token);
        await tab.getByRole('button', { name: expected.button }).click();
        await list(tab);
        expect(await tab.evaluate(() => 'stillHere' in window)).toBe(true);
        await until(calls, (all) => all.includes('appInitialization.success'));
      });
    },
  );

  test('who was offline need not press anything', async () => {
    let offline = true;
    await inTeams(
      {
        intercept: async (route) => {
          if (!offline || !route.request().url().includes('/api/')) return false;
          await route.abort('internetdisconnected');
          return true;
        },
      },
      async ({ tab }) => {
        await tab.getByRole('heading', { name: 'Watchpost cannot be reached' }).waitFor();
        offline = false;
        await tab.evaluate(() => window.dispatchEvent(new Event('online')));
        await list(tab);
      },
    );
  });

  test('a device whose clock is wrong is told so', async () => {
    const expired = await server.tokenOf(0, { exp: inSeconds(-600) });
    await inTeams({ token: expired, skewMs: -3_600_000 }, async ({ tab }) => {
      await tab.getByRole('heading', { name: 'A clock is wrong' }).waitFor();
      await expectText(
        tab.locator('main').innerText(),
        /clock of this device is 60 minutes behind Watchpost's/,
      );
    });
  });

  describe('setting up the tab of a channel', () => {
    const settingsOf = async (host: TeamsHostPage) => await host.settings();
    test('one tenant is chosen, and Teams keeps where it is', async () => {
      await inTeams({ path: '/tab/configure', frame: 'settings', width: 768 }, async (host) => {
        const { page, tab } = host;
        await tab.getByRole('heading', { name: 'Add Watchpost to this channel' }).waitFor();
        // All tenants are chosen to begin with: Save can be pressed at once.
        await until(
          () => settingsOf(host),
          ({ valid }) => valid,
        );
        await tab.getByRole('radio', { name: /Contoso Ltd/ }).check();
        expect(await axeOf(tab)).toEqual([]);
        await keepShot(page, 'configure');
        await host.save();
        const { saved, ended } = await until(
          () => settingsOf(host),
          (seen) => seen.ended !== null,
        );
        expect(ended).toBe('success');
        expect(saved).toEqual({
          entityId: `tenant:${contoso}`,
          contentUrl: `${tabOrigin}/tab/tenants/${contoso}`,
          websiteUrl: `${tabOrigin}/tab/tenants/${contoso}`,
          suggestedDisplayName: 'Contoso Ltd',
        });
      });
    });

    test('with the keyboard; what it shows today is chosen already', async () => {
      const options = { path: '/tab/configure', frame: 'settings', entity: `tenant:${contoso}` } as const;
      await inTeams({ ...options, width: 320 }, async (host) => {
        const { page, tab } = host;
        const chosen = tab.getByRole('radio', { name: /Contoso Ltd/ });
        await chosen.waitFor();
        expect(await chosen.isChecked()).toBe(true);
        await chosen.focus();
        await page.keyboard.press('ArrowUp');
        await page.keyboard.press('ArrowUp');
        expect(await tab.getByRole('radio', { name: /All tenants/ }).isChecked()).toBe(true);
        expect(await overflowOf(tab)).toEqual([]);
        await host.save();
        const { saved } = await until(
          () => settingsOf(host),
          (seen) => seen.ended !== null,
        );
        expect(saved).toMatchObject({ entityId: 'tenants', suggestedDisplayName: 'Tenants' });
      });
    });

    test('a tenant that this person may not see is not offered, and stays unchosen', async () => {
      await server.grant(1, 'Reader', [server.tenants[0]?.id ?? (contoso as never)]);
      const options = { path: '/tab/configure', frame: 'settings', entity: `tenant:${contoso}` } as const;
      await inTeams({ ...options, token: await server.tokenOf(1) }, async (host) => {
        await host.tab.getByRole('radio', { name: /Fabrikam/ }).waitFor();
        expect(await host.tab.getByRole('radio').count()).toBe(2);
        expect(await host.tab.locator('main').innerText()).not.toContain('Contoso');
        expect((await settingsOf(host)).valid).toBe(false);
      });
    });

    test('the channel shows each viewer what he or she may see', async () => {
      const path = `/tab/tenants/${contoso}`;
      await inTeams(
        { path, entity: `tenant:${contoso}`, token: await server.tokenOf(1) },
        async ({ tab }) => {
          await tab.getByRole('heading', { name: 'No such tenant is available here' }).waitFor();
        },
      );
    });

    test('in a browser it says what it is for', async () => {
      await inTeams({ path: '/tab/configure' }, async ({ tab }) => {
        await tab.getByRole('heading', { name: 'This page belongs to Teams' }).waitFor();
      });
    });
  });

  describe.each(themes)('the dialogs in the %s theme', (theme) => {
    test.each([320, 1440])('are whole and accessible at %i px', async (width) => {
      await inTeams({ theme, width }, async ({ page, tab }) => {
        await list(tab);
        await tab.getByRole('button', { name: 'Connect a tenant' }).click();
        await tab.getByRole('dialog', { name: 'Connect a tenant' }).waitFor();
        await tab.getByLabel('Client secret').fill('ffffffff-0000-4000-8000-000000000003');
        await tab.getByText('This looks like the id of a secret').waitFor();
        expect(await axeOf(tab)).toEqual([]);
        expect(await overflowOf(tab)).toEqual([]);
        await keepShot(page, `connect-${theme}-${width}`);
        await page.keyboard.press('Escape');
        await tab.getByRole('dialog').waitFor({ state: 'detached' });
        await tab.getByRole('link', { name: 'Contoso Ltd' }).click();
        await score(tab);
        await tab.getByRole('button', { name: 'Remove' }).click();
        await tab.getByRole('dialog', { name: 'Remove Contoso Ltd' }).waitFor();
        expect(await axeOf(tab)).toEqual([]);
        expect(await overflowOf(tab)).toEqual([]);
        await keepShot(page, `remove-${theme}-${width}`);
      });
    });
  });

  test('an API that fails is told with what still works, and the next try brings the list', async () => {
    let broken = true;
    await inTeams(
      {
        intercept: async (route) => {
          if (!broken || !route.request().url().includes('/api/tab/tenants')) return false;
          await route.fulfill({
            status: 503,
            contentType: 'application/problem+json',
            body: JSON.stringify({
              title: 'x',
              status: 503,
              detail: 'Please try again in a moment.',
              id: 'abc-1',
            }),
          });
          return true;
        },
      },
      async ({ tab }) => {
        await tab.getByRole('heading', { name: 'The tenants could not be loaded' }).waitFor();
        await expectText(tab.locator('main').innerText(), /try again in a moment[\s\S]*in chat[\s\S]*abc-1/);
        broken = false;
        await tab.getByRole('button', { name: 'Try again' }).click();
        await list(tab);
      },
    );
  });

  test('while it loads the frame stands, and nothing moves when the data comes', async () => {
    let let_go: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      let_go = resolve;
    });
    await inTeams(
      {
        intercept: async (route) => {
          if (route.request().url().includes('/api/tab/tenants')) await held;
          return false;
        },
      },
      async ({ tab }) => {
        await tab.getByText('Loading …').waitFor();
        const places = () =>
          tab.evaluate(() =>
            ['h1', '.figures', '.chips', 'table.tenants thead', 'table.tenants tbody tr'].map((what) => {
              const box = document.querySelector(what)?.getBoundingClientRect();
              return [what, Math.round(box?.top ?? -1), Math.round(box?.height ?? -1)];
            }),
          );
        const before = await places();
        let_go();
        await list(tab);
        const after = await places();
        for (const [i, place] of after.entries()) {
          expect(Math.abs(Number(place[1]) - Number(before[i]?.[1]))).toBeLessThanOrEqual(4);
        }
      },
    );
  });

  test('an unknown tenant and an unknown page lead back to the list', async () => {
    await inTeams({ path: '/tab/tenants/99999999-0000-4000-8000-000000000000' }, async ({ tab }) => {
      await tab.getByRole('heading', { name: 'No such tenant is available here' }).waitFor();
      await tab.getByRole('button', { name: 'Show the tenants' }).click();
      await list(tab);
    });
  });

  test('the system’s own colours are honoured', async () => {
    await inTeams({ context: { forcedColors: 'active' } }, async ({ page, tab }) => {
      await list(tab);
      const [line, text] = await tab.evaluate(() => [
        getComputedStyle(document.querySelector('.spark path') as Element).stroke,
        getComputedStyle(document.querySelector('h1') as Element).color,
      ]);
      expect(line).toBe(text);
      await keepShot(page, 'overview-forced-colors');
      await tab.getByRole('link', { name: 'Contoso Ltd' }).click();
      await score(tab);
      const chart = await tab.evaluate(() => {
        const of = (what: string) => getComputedStyle(document.querySelector(`.chart ${what}`) as Element);
        return {
          grid: of('.grid').stroke,
          dots: of('.grid').strokeDasharray,
          fell: of('.event.fell text').fill,
          mark: of('.event.fell circle').stroke,
        };
      });
      expect(chart).toEqual({ grid: text, dots: '1px, 3px', fell: text, mark: text });
      await keepShot(page, 'tenant-forced-colors');
    });
  });

  test('outside Teams the page says where to open it', async () => {
    const context = await browser.newContext({ colorScheme: 'dark' });
    try {
      const page = await context.newPage();
      await routeTab(page, server.url);
      await page.goto(`${tabOrigin}/tab/`);
      await page.getByRole('heading', { name: 'Open Watchpost in Teams' }).waitFor();
      expect(await page.getAttribute('html', 'data-theme')).toBe('dark');
      await keepShot(page, 'outside-teams');
    } finally {
      await context.close();
    }
  });

  test('another site cannot frame the tab', async () => {
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      await routeTab(page, server.url);
      await page.route('https://evil.example/**', (route) =>
        route.fulfill({ contentType: 'text/html', body: `<iframe src="${tabOrigin}/tab/"></iframe>` }),
      );
      const refused = page.waitForEvent('console', (message) => /frame-ancestors/.test(message.text()));
      await page.goto('https://evil.example/');
      await refused;
    } finally {
      await context.close();
    }
  });

  test('a long list comes by 200 and loses nobody', async () => {
    const many = await openTabServer({ seeds: manyTenants(230), tabFolder: await builtTab() });
    try {
      await many.grant(0, 'Reader', 'all');
      await inTeams({ server: many.url, token: await many.tokenOf(0) }, async ({ tab }) => {
        await list(tab);
        const shown = () => tab.locator('table.tenants tbody tr').count();
        expect(await shown()).toBe(200);
        await tab.getByRole('button', { name: 'Show more' }).click();
        await until(shown, (count) => count === 230);
        expect(await tab.getByRole('button', { name: 'Show more' }).count()).toBe(0);
      });
    } finally {
      await many.close();
    }
  }, 90_000);
});

story('the tab in the browser of the demo', () => {
  let browser: Browser;
  let sandbox: Sandbox;
  let program: Program;
  let url: string;

  beforeAll(async () => {
    const opened = await openBrowser();
    if (opened === null) throw new Error('There is no browser on this machine: install Chrome or Edge.');
    browser = opened;
    sandbox = await startSandbox();
    // Until the demo is told ready: then all five tenants are there.
    program = await startProgram({ env: { SANDBOX_URL: sandbox.url }, until: /Ctrl-C stops everything/ });
    url = program.url.replace('127.0.0.1', 'localhost');
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await program?.end();
    await sandbox?.stop();
  });

  async function inBrowser(look: (page: Page) => Promise<void>): Promise<string[]> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const complaints: string[] = [];
    try {
      const page = await context.newPage();
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(error.message));
      await look(page);
    } finally {
      await context.close();
    }
    return complaints;
  }
  async function signIn(page: Page, name: string): Promise<void> {
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText(name).first().click();
    await page.waitForURL((at) => at.href.startsWith(`${url}/tab`) && !at.search.includes('code='));
  }

  test('a person signs in at the sandbox and comes back to the page that was asked for; the token stays in memory', async () => {
    const contoso = sandbox.info.tenants.find(({ domain }) => domain === 'contoso.com')?.id ?? '';
    const complaints = await inBrowser(async (page) => {
      const seen: string[] = [];
      page.on('request', (request) => seen.push(request.url()));
      await page.goto(`${url}/tab/tenants/${contoso}`);
      await signIn(page, 'Dana Petrov');
      await page.getByRole('heading', { name: 'Contoso Ltd', level: 1 }).waitFor();
      expect(new URL(page.url())).toMatchObject({ pathname: `/tab/tenants/${contoso}`, search: '' });
      await page.getByRole('link', { name: 'Tenants' }).click();
      await page.getByText('Signed in as Dana Petrov. Reader of all tenants').waitFor();
      // A reload asks nothing again: the sandbox knows who chose last, this page keeps nothing.
      await page.reload();
      await page.getByText('Signed in as Dana Petrov. Reader of all tenants').waitFor();
      await until(
        () => page.locator('table.tenants tbody a').count(),
        (count) => count === 5,
        30_000,
      );
      const kept = await page.evaluate(() =>
        JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]),
      );
      expect(kept).toBe('[{},{},""]');
      expect(seen.filter((address) => /eyJ|token=/.test(address))).toEqual([]);
      await keepShot(page, 'demo-overview');
    });
    expect(complaints).toEqual([]);
  }, 90_000);

  test('another person is chosen from the page, and a choice can be cancelled', async () => {
    await inBrowser(async (page) => {
      await page.goto(`${url}/tab/?show=blind`);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('link', { name: 'Cancel' }).click();
      await page.getByText('You did not sign in.').waitFor();
      expect(new URL(page.url()).search).toBe('?show=blind');
      await signIn(page, 'Eli Novak');
      await page.getByRole('heading', { name: 'You have no role in Watchpost yet' }).waitFor();
      await page.getByRole('button', { name: 'Switch person' }).click();
      await page.getByText('Ana').first().click();
      await page.getByText(/Signed in as Ana .*Admin/).waitFor();
      expect(new URL(page.url()).search).toBe('?show=blind');
    });
  });

  test.each([
    { what: 'an answer nobody asked for', query: '?code=abc&state=def', says: /was not started here/ },
    {
      what: 'a refusal nobody asked for',
      query: '?error=access_denied&state=def',
      says: /was not started here/,
    },
  ])('$what signs nobody in and leaves the address', async ({ query, says }) => {
    await inBrowser(async (page) => {
      await page.goto(`${url}/tab/${query}`);
      await page.getByText(says).waitFor();
      expect(new URL(page.url()).search).toBe('');
      await signIn(page, 'Eli Novak');
      await page.getByRole('heading', { name: 'You have no role in Watchpost yet' }).waitFor();
    });
  });
});

function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

/** Looks until `isIt` says so; the last seen is in the failure. */
async function until<T>(look: () => Promise<T>, isIt: (seen: T) => boolean, ms = 10_000): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const seen = await look();
    if (isIt(seen)) return seen;
    if (performance.now() > end) throw new Error(`not within ${ms} ms; last seen: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function expectText(text: Promise<string>, pattern: RegExp): Promise<void> {
  expect(await text).toMatch(pattern);
}

async function rows(tab: Frame, names: string[]): Promise<void> {
  const wanted = JSON.stringify(names);
  await until(
    () => tab.locator('table.tenants tbody a').allTextContents(),
    (seen) => JSON.stringify(seen) === wanted,
  );
}

const require = createRequire(import.meta.url);
const axe = readFileSync(
  createRequire(require.resolve('@axe-core/playwright')).resolve('axe-core/axe.min.js'),
  'utf8',
);

/**
 * What axe finds wrong in the tab's own frame, as rule and element. Run inside it: asked through the host, axe counts a
 * frame that answers late as one without faults. Fluent's focus sentinels are hidden and focusable on purpose.
 */
async function axeOf(tab: Frame): Promise<string[]> {
  await tab.evaluate(axe);
  const found = await tab.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: {
        run(
          context: object,
        ): Promise<Record<'violations' | 'passes', { id: string; nodes: { html: string }[] }[]>>;
      };
    };
    const { violations, passes } = await axe.run({ include: ['body'], exclude: ['[data-tabster-dummy]'] });
    return { wrong: violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`), right: passes.length };
  });
  expect(found.right).toBeGreaterThan(10);
  return found.wrong;
}

/** Elements that stick out of the window, and the page when it can be scrolled sideways. */
async function overflowOf(tab: Frame): Promise<string[]> {
  return await tab.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const found = document.documentElement.scrollWidth > width ? ['the page'] : [];
    for (const element of document.querySelectorAll('main *')) {
      const box = element.getBoundingClientRect();
      // A strip of chips scrolls inside itself; what only screen readers see is out of the way on purpose.
      if (element.closest('.chips, .sr, thead') !== null || box.width === 0) continue;
      if (box.right > width + 1) found.push(`${element.tagName}.${element.getAttribute('class')}`);
    }
    return found;
  });
}

/** Makes the window as high as the page, for a picture of all of it. */
async function grow(page: Page, tab: Frame, width: number): Promise<void> {
  if (process.env.SHOTS === undefined) return;
  const height = await tab.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ width, height: Math.min(height, 6_000) });
}
