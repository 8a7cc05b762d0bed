import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { makeLink } from '../../bot/connect/links.ts';
import { linkLifeMs } from '../../bot/store/connect-links.ts';
import { optionalPermissions } from '../../shared/tenants/permission-facts.ts';
import { requiredPermissions } from '../../shared/tenants/permissions.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { millis, plus } from '../../shared/time.ts';
import { count } from '../support/counts.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { answering, everything, openBrowser, publicUrl, type Rig } from './consent-rig.ts';

/** *Generate link*: what it opens, that it works once and for seven days, and who may use it. */

/** `given` is asked when a test runs; sandbox and servers are shared with the tests of the consent. */
export function linkTests(given: () => { sandbox: Sandbox; rig: Rig }): void {
  describe('a link for the administrator of a company', () => {
    let sandbox: Sandbox;
    let rig: Rig;
    let company: Tenant;
    let url: string;
    let path: string;
    beforeEach(async () => {
      ({ sandbox, rig } = given());
      company = await rig.company();
      ({ url } = await makeLink(company, rig.admin, 'test', rig.services));
      path = new URL(url).pathname;
    });

    const post = { method: 'POST' };
    const neutral = /This link cannot be used/;

    test('made in the tab: an address with 256 random bits, told once, good for seven days', async () => {
      const { status, body } = await rig.api('POST', `/api/tab/tenants/${company.id}/link`);
      expect(status).toBe(200);
      expect(body.url).toMatch(new RegExp(`^${publicUrl}/connect/[\\w-]{43}$`));
      const shown = await rig.api('GET', `/api/tab/tenants/${company.id}/link`);
      expect(JSON.stringify(shown.body)).not.toContain(new URL(String(body.url)).pathname.slice(9));
      expect(shown.body).toMatchObject({ consent: true, link: { expiresAt: body.expiresAt } });
      const { madeAt, expiresAt } = shown.body.link as unknown as { madeAt: string; expiresAt: string };
      expect(millis(expiresAt) - millis(madeAt)).toBe(7 * 24 * 3_600_000);
      // The one before it has ended with it.
      expect((await openBrowser(rig.url).open(path)).text).toMatch(neutral);
    });

    test('it says who asks, for whom, for what and why, and what is never read', async () => {
      const { text, status, headers } = await openBrowser(rig.url).open(path);
      expect(status).toBe(200);
      expect(text).toContain('<b>Ana Reyes</b> asks you');
      expect(text).toContain('fabrikam.com');
      for (const { name, why } of [...requiredPermissions, ...optionalPermissions]) {
        expect(text).toContain(`<b>${name}</b>`);
        expect(text).toContain(why);
      }
      expect(text).toContain('never reads mail, files, passwords or chats');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('set-cookie')).toBeNull();
      expect(headers.get('content-security-policy')).toBe(
        `default-src 'none'; style-src 'self'; script-src 'self'; base-uri 'none'; form-action 'self' ${sandbox.url}; frame-ancestors 'none'`,
      );
    });

    test('foreign names are text and nothing else', async () => {
      await rig.services.store.tenants.save(everything, {
        ...company,
        name: '<img src=x onerror=alert(1)>"\'&',
      });
      const { text } = await openBrowser(rig.url).open(path);
      expect(text).not.toContain('<img');
      expect(text).toContain('&#60;img src=x');
    });

    test('looked at by 50 scanners it can still be used; used, the way leads to the end', async () => {
      const scanner = openBrowser(rig.url);
      for (let n = 0; n < 50; n += 1) {
        expect((await scanner.open(path, n % 2 === 0 ? { method: 'HEAD' } : {})).status).toBe(200);
      }
      const browser = openBrowser(rig.url);
      const consent = await browser.open(path, post);
      expect(consent.address.pathname).toBe(`/${company.id}/v2.0/adminconsent`);
      expect(consent.way.join()).not.toMatch(new RegExp(`(state|ticket)=${path.slice(9)}`));
      const shown = await browser.open(
        answering(consent.address, { account: 'fabrikam.com/admin', answer: 'accept' }),
      );
      expect(shown.text).toContain('Fabrikam (fabrikam.com) is connected');
      expect((await rig.services.store.credentials.facts(everything, company.id))?.kind).toBe('consent');
      for (const again of [await browser.open(path), await browser.open(path, post)]) {
        expect(again.status).toBe(404);
        expect(again.text).toMatch(neutral);
      }
      expect(await rig.audit()).toEqual(
        expect.arrayContaining([
          'make connect link | started',
          'make connect link | done',
          'use connect link | done',
        ]),
      );
    });

    test('used, ended, replaced or made up: the same page, letter for letter', async () => {
      const browser = openBrowser(rig.url);
      const pages: string[] = [];
      const keep = async (address: string, how = {}): Promise<void> => {
        const { status, text } = await browser.open(address, how);
        pages.push(`${status} ${text}`);
      };
      await keep(`/connect/${'A'.repeat(43)}`);
      await keep('/connect/x');
      await keep(`/connect/${'A'.repeat(90)}`, post);
      await makeLink(company, rig.admin, 'test', rig.services);
      await keep(path);
      const used = await makeLink(company, rig.admin, 'test', rig.services);
      await openBrowser(rig.url).open(new URL(used.url).pathname, { ...post, follow: false });
      await keep(new URL(used.url).pathname);
      await keep(new URL(used.url).pathname, post);
      expect(new Set(pages).size).toBe(1);
    });

    test('it ends after seven days to the second, by the time of the store', async () => {
      const link = await rig.services.store.connectLinks.current(everything, company.id);
      const { store } = rig.services;
      const end = plus(link?.at ?? '', linkLifeMs);
      expect(link?.expiresAt).toBe(end);
      for (const { ms, status } of [
        { ms: 1_000, status: 404 },
        { ms: 0, status: 404 },
        { ms: -1_000, status: 303 },
      ]) {
        // The engine's own test turns its clock; here the row is moved instead, by as much.
        const { url: other } = await makeLink(company, rig.admin, 'test', rig.services);
        const moved = await shifted(other, -linkLifeMs - ms);
        expect(moved).toBe(1);
        // A second before the end there is a second left: the machine may be slow, so more is given.
        const grace = ms < 0 ? await shifted(other, 30_000) : 0;
        expect(grace).toBe(ms < 0 ? 1 : 0);
        const shown = await openBrowser(rig.url).open(new URL(other).pathname, { ...post, follow: false });
        expect(shown.status).toBe(status);
      }
      expect(store.kind).toBe('embedded');
    });

    /** Moves a link's end in the file by `ms`. */
    async function shifted(link: string, ms: number): Promise<number> {
      const { DatabaseSync } = await import('node:sqlite');
      const database = new DatabaseSync(join(rig.folder, 'watchpost.sqlite'), { timeout: 5_000 });
      const id = createHash('sha256').update(new URL(link).pathname.slice(9)).digest('base64url');
      const [row] = database.prepare('select * from connectLinks where _id = ?').all(id) as Record<
        string,
        string
      >[];
      const column = Object.keys(row ?? {}).find((name) => String(row?.[name]).startsWith('{')) ?? '';
      const document = JSON.parse(String(row?.[column])) as { expiresAt: string };
      document.expiresAt = plus(document.expiresAt, ms);
      const { changes } = database
        .prepare(`update connectLinks set ${column} = ? where _id = ?`)
        .run(JSON.stringify(document), id);
      database.close();
      return Number(changes);
    }

    test(`200 at once over two servers: one gets through, ${count(1, 20)} times`, async () => {
      const other = await rig.second(rig.clock);
      const servers = [rig.url, other.url];
      for (let round = 0; round < count(1, 20); round += 1) {
        const { url: each } = await makeLink(company, rig.admin, 'test', rig.services);
        const statuses = await Promise.all(
          Array.from({ length: 200 }, async (_, n) => {
            const browser = openBrowser(servers[n % 2] ?? rig.url);
            return (await browser.open(new URL(each).pathname, { ...post, follow: false })).status;
          }),
        );
        expect(statuses.filter((status) => status === 303)).toHaveLength(1);
        expect(statuses.filter((status) => status === 404)).toHaveLength(199);
      }
    });

    test('planted: where a link is read and then marked, more than one gets through', async () => {
      const { store } = rig.clock;
      const other = await rig.second({
        ...rig.clock,
        store: {
          ...store,
          connectLinks: {
            ...store.connectLinks,
            use: async (token) => {
              const link = await store.connectLinks.look(token);
              setTimeout(() => void store.connectLinks.use(token), 200);
              return link;
            },
          },
        },
      });
      const statuses = await Promise.all(
        Array.from(
          { length: 20 },
          async () => (await openBrowser(other.url).open(path, { ...post, follow: false })).status,
        ),
      );
      expect(statuses.filter((status) => status === 303).length).toBeGreaterThan(1);
    });

    const foreign: { what: string; headers: Record<string, string> }[] = [
      { what: 'a form of another site', headers: { 'sec-fetch-site': 'cross-site' } },
      { what: 'a form of a neighbour', headers: { 'sec-fetch-site': 'same-site' } },
      { what: 'another origin', headers: { origin: 'https://evil.example' } },
    ];
    test.each(foreign)('$what does not use it up', async ({ headers }) => {
      expect((await openBrowser(rig.url).open(path, { ...post, headers, follow: false })).status).toBe(404);
      const own = { 'sec-fetch-site': 'same-origin', origin: 'null' };
      expect((await openBrowser(rig.url).open(path, { ...post, headers: own, follow: false })).status).toBe(
        303,
      );
    });

    test('a link of somebody who may no longer connect is worth nothing, and no less when the right is back', async () => {
      const { store } = rig.services;
      const [tid, oid] = rig.admin.split('/') as [typeof company.id, string];
      const person = await store.people.get(tid, oid);
      await store.people.removeGrants(tid, oid);
      const looked = await openBrowser(rig.url).open(path);
      const used = await openBrowser(rig.url).open(path, post);
      for (const grant of person?.grants ?? []) await store.people.addGrant(tid, oid, 'Ana Reyes', grant);
      expect([looked.status, used.status]).toEqual([404, 404]);
      expect((await openBrowser(rig.url).open(path)).status).toBe(200);
    });

    test('of a company that was removed nothing is told', async () => {
      await rig.services.store.purge.tenant(everything, company.id, { people: false });
      expect((await openBrowser(rig.url).open(path)).text).toMatch(neutral);
    });

    test('no token stands in the store’s files, its hash does', async () => {
      const token = path.slice(9);
      const hash = createHash('sha256').update(token).digest('base64url');
      const bytes = readdirSync(rig.folder)
        .filter((name) => name.startsWith('watchpost.sqlite'))
        .map((name) => readFileSync(join(rig.folder, name), 'latin1'))
        .join('');
      expect(bytes).toContain(hash);
      expect(bytes).not.toContain(token);
    });
  });
}
