import { X509Certificate } from 'node:crypto';
import { AxeBuilder } from '@axe-core/playwright';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { certificatePem } from '../microsoft/certificate.ts';
import { browserExpected, openBrowser } from '../support/browser.ts';
import { type Sandbox, startSandbox } from '../support/sandbox.ts';

/** The sandbox's two pages in a real browser. */

const inBrowser = browserExpected ? describe : describe.skip;

inBrowser('the desk and the sign-in page (need a browser)', () => {
  let sandbox: Sandbox;
  let browser: Browser | null;
  beforeAll(async () => {
    [sandbox, browser] = await Promise.all([startSandbox(), openBrowser()]);
  }, 90_000);
  afterAll(async () => {
    await browser?.close();
    await sandbox.stop();
  });

  function signIn(): string {
    const { appId } = sandbox.info.apps.tab;
    const query = new URLSearchParams({
      client_id: appId,
      response_type: 'code',
      redirect_uri: `${sandbox.url}/`,
      scope: `api://localhost/${appId}/access_as_user`,
      code_challenge: 'c'.repeat(43),
      code_challenge_method: 'S256',
    });
    return `/common/oauth2/v2.0/authorize?${query}`;
  }

  test.each([
    { scheme: 'light' as const, width: 1180 },
    { scheme: 'dark' as const, width: 320 },
  ])('both are without a fault of accessibility, $scheme, $width px', async ({ scheme, width }) => {
    if (browser === null) throw new Error('no browser');
    const context = await browser.newContext({ colorScheme: scheme, viewport: { width, height: 900 } });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    for (const path of ['/', signIn()]) {
      await page.goto(`${sandbox.url}${path}`);
      if (path === '/') await page.locator('#rows tr').first().waitFor();
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map((one) => `${one.id}: ${one.nodes[0]?.html}`)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    }
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('a button of the desk makes the next day, and a form starts a fault', async () => {
    if (browser === null) throw new Error('no browser');
    const page = await browser.newPage();
    await page.goto(sandbox.url);
    await page.getByRole('button', { name: 'Drop 15, Contoso Ltd' }).click();
    await page.getByText('Contoso Ltd fell by 15 points. Type: sync contoso').waitFor();
    const [contoso] = await sandbox.control<{ percent: number }[]>('GET', '/_sandbox/scores');
    expect(contoso?.percent).toBeCloseTo(((302.64 - 15) / 485) * 100, 1);
    await page.getByLabel('Times').fill('2');
    await page.getByRole('button', { name: 'Start fault' }).click();
    await page.getByText('The fault is on: whoever asks there meets it.').waitFor();
    expect(await sandbox.control('GET', '/_sandbox/faults')).toEqual([
      expect.objectContaining({ path: '/security/secureScores', status: 429, times: 2 }),
    ]);
    await page.getByRole('button', { name: 'End all faults' }).click();
    await page.getByText('All faults have ended.').waitFor();
    await page.getByLabel('Application of').selectOption('Contoso Ltd');
    await page.getByLabel('Certificate (PEM)').fill(certificatePem);
    await page.getByRole('button', { name: 'Upload certificate' }).click();
    await page.getByText('Entra takes the certificate. In the tab: Test.').waitFor();
    const sha256 = new X509Certificate(certificatePem).fingerprint256.replaceAll(':', '');
    const { appId } = sandbox.info.tenants.find(({ domain }) => domain === 'contoso.com') ?? {};
    const apps = `/_sandbox/apps/${appId}/certificates`;
    await page.locator('#body', { hasText: sha256 }).waitFor();
    expect(await sandbox.control('POST', apps, { remove: sha256 })).toEqual({ certificates: [] });
    await page.locator('select[name=body]').selectOption('truncated');
    await page.locator('select[name=status]').selectOption('as usual');
    await page.getByRole('button', { name: 'Start fault' }).click();
    await page.locator('#faults', { hasText: 'truncate' }).waitFor();
    const [fault] = await sandbox.control<object[]>('GET', '/_sandbox/faults');
    expect(fault).toMatchObject({ path: '/security/secureScores', truncate: true });
    expect(fault).not.toHaveProperty('status');
    await page.close();
  });
});
