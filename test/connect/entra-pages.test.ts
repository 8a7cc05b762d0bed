import { describe, expect, test } from '@jest/globals';
import { type CloudName, cloudNamed, cloudNames, isOfCloud } from '../../bot/clouds.ts';
import { entraPage } from '../../bot/connect/entra-pages.ts';
import { aadstsRows } from '../../bot/microsoft/aadsts.ts';
import { tenantId } from '../../shared/tenants/tenant.ts';

const tenant = tenantId('11111111-1111-4111-8111-111111111111');
const app = 'ffffffff-0000-4000-8000-000000000001';
if (tenant === undefined) throw new Error('no GUID');
const portal = cloudNamed('global').entraPortal;

const hosts: Record<CloudName, string> = {
  global: 'entra.microsoft.com',
  usgov: 'entra.microsoft.us',
  usgovdod: 'entra.microsoft.us',
  china: 'entra.microsoftonline.cn',
};
const cases = aadstsRows.flatMap(({ codes, kind }) => codes.map((code) => ({ code: `AADSTS${code}`, kind })));

describe.each(cloudNames.map((cloud) => ({ cloud, host: hosts[cloud] })))('in $cloud', ({ cloud, host }) => {
  const { entraPortal } = cloudNamed(cloud);

  test.each(cases)(`$code leads to a page of ${host} or to none, never anywhere else`, ({ code, kind }) => {
    const page = entraPage({ kind, code }, tenant, app, entraPortal);
    if (page === null) return;
    const url = new URL(page.href);
    expect([url.protocol, url.host, url.search, url.username]).toEqual(['https:', host, '', '']);
    expect(url.pathname).toBe(`/${tenant}/`);
    expect(url.hash).toMatch(/^#view\/Microsoft_[\w/~.-]+$/);
    expect(page.href).not.toContain('{');
    expect(page.text).toMatch(/in Entra$/);
  });

  test('there is a page for a secret that expired', () => {
    const page = entraPage({ kind: 'authentication', code: 'AADSTS7000222' }, tenant, app, entraPortal);
    expect(page?.href).toMatch(
      new RegExp(`^https://${host.replaceAll('.', '\\.')}/${tenant}/#view/.*/${app}$`),
    );
  });

  test('the portal is for people: the program itself never calls it', () => {
    expect(isOfCloud(cloudNamed(cloud), new URL(entraPortal))).toBe(false);
  });
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
  const found = entraPage({ kind, code }, tenant, app, portal);
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
  expect(entraPage({ kind: 'authentication', code: 'AADSTS7000222' }, tenant, appId, portal)).toBeNull();
});
