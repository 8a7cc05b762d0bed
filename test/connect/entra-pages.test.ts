import { expect, test } from '@jest/globals';
import { entraPage } from '../../bot/connect/entra-pages.ts';
import { aadstsRows } from '../../bot/microsoft/aadsts.ts';
import { tenantId } from '../../shared/tenants/tenant.ts';

const tenant = tenantId('11111111-1111-4111-8111-111111111111');
const app = 'ffffffff-0000-4000-8000-000000000001';
if (tenant === undefined) throw new Error('no GUID');

const cases = aadstsRows.flatMap(({ codes, kind }) => codes.map((code) => ({ code: `AADSTS${code}`, kind })));

test.each(cases)('$code leads to a page of Entra or to none, never anywhere else', ({ code, kind }) => {
  const page = entraPage({ kind, code }, tenant, app);
  if (page === null) return;
  const url = new URL(page.href);
  expect([url.protocol, url.host, url.search, url.username]).toEqual([
    'https:',
    'entra.microsoft.com',
    '',
    '',
  ]);
  expect(url.pathname).toBe(`/${tenant}/`);
  expect(url.hash).toMatch(/^#view\/Microsoft_[\w/~.-]+$/);
  expect(page.href).not.toContain('{');
  expect(page.text).toMatch(/in Entra$/);
});

test.each([
  { code: 'AADSTS7000222', kind: 'authentication', page: /Credentials\/appId\/ffffffff/ },
  { code: 'AADSTS700016', kind: 'authentication', page: /ApplicationsListBlade$/ },
  { code: 'AADSTS7000229', kind: 'permission', page: /CallAnAPI\/appId\/ffffffff/ },
  { code: 'AADSTS7000112', kind: 'permission', page: /AppAppsPreview$/ },
  { code: 'AADSTS53003', kind: 'permission', page: /Policies$/ },
  { code: 'Authorization_RequestDenied', kind: 'permission', page: /CallAnAPI/ },
  { code: undefined, kind: 'authentication', page: /Credentials/ },
  { code: 'AADSTS90002', kind: 'authentication', page: null },
  { code: 'HTTP 503', kind: 'service', page: null },
  { code: undefined, kind: 'throttled', page: null },
  { code: undefined, kind: 'licence', page: null },
] as const)('$kind $code', ({ code, kind, page }) => {
  const found = entraPage({ kind, code }, tenant, app);
  if (page === null) expect(found).toBeNull();
  else expect(found?.href).toMatch(page);
});

test.each([
  '',
  'app',
  '../../evil',
  `${app}/x`,
  `${app}#`,
  `https://evil.example/${app}`,
  'FFFFFFFF-0000-4000-8000-00000000000G',
])('an app id that is none makes no address: "%s"', (appId) => {
  expect(entraPage({ kind: 'authentication', code: 'AADSTS7000222' }, tenant, appId)).toBeNull();
});
