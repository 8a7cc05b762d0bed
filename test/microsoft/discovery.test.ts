import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { aWorld, tenantNumber, type World } from './fake-microsoft.ts';

const contoso = tenantNumber(1);
let world: World;
beforeEach(async () => {
  world = await aWorld();
});
afterEach(() => world.fake.stop());

const metadata = (origin: string) => ({
  body: { issuer: `${origin}/${contoso}/v2.0`, token_endpoint: `${origin}/${contoso}/oauth2/v2.0/token` },
});

test.each(['contoso.com', ' Contoso.COM ', 'contoso.onmicrosoft.com', 'xn--mnchen-3ya.example', contoso])(
  'the tenant of %s is found in the discovery document',
  async (domain) => {
    world.fake.on('login.microsoftonline.com/', metadata('https://login.microsoftonline.com'));
    expect(await world.microsoft.tenantOfDomain(domain)).toBe(contoso);
    expect(world.fake.asked.map(({ path }) => path)).toEqual([
      `/${domain.trim().toLowerCase()}/v2.0/.well-known/openid-configuration`,
    ]);
  },
);

test.each([
  '',
  'contoso',
  'contoso .com',
  'contoso.com/..',
  '../common',
  'common',
  'organizations',
  'contoso.com?x=1',
  'contoso.com#x',
  'contoso.com%2f',
  'user@contoso.com',
  '-contoso.com',
  '127.0.0.1',
  '[::1]',
  'contoso.com:443',
  `${'a'.repeat(64)}.com`,
  'münchen.example',
])('"%s" is no domain and is never asked about', async (domain) => {
  expect(await world.microsoft.tenantOfDomain(domain)).toBeNull();
  expect(world.fake.asked).toEqual([]);
});

test.each([90002, 900023])('Entra knows no such tenant: AADSTS%d', async (number) => {
  world.fake.on('login.microsoftonline.com/', {
    status: 400,
    body: { error: 'invalid_tenant', error_codes: [number] },
  });
  expect(await world.microsoft.tenantOfDomain('nobody.example')).toBeNull();
});

test('a domain of another national cloud says so', async () => {
  world.fake.on('login.microsoftonline.com/', metadata('https://login.microsoftonline.us'));
  await expect(world.microsoft.tenantOfDomain('agency.example')).rejects.toMatchObject({
    code: 'bad-input',
    message: expect.stringContaining('national cloud'),
  });
});

test.each([
  { name: 'HTML', answer: { body: '<html>' } },
  { name: '503', answer: { status: 503 } },
  {
    name: 'a document without a tenant',
    answer: { body: { issuer: 'x', token_endpoint: 'https://login.microsoftonline.com/common/x' } },
  },
  {
    name: 'two tenants at once',
    answer: {
      body: {
        issuer: `https://x/${tenantNumber(2)}/`,
        token_endpoint: `https://login.microsoftonline.com/${contoso}/x`,
      },
    },
  },
  { name: 'a redirect', answer: { status: 302, headers: { location: 'https://evil.example/' } } },
])('$name is not taken for "no such tenant"', async ({ answer }) => {
  world.fake.on('login.microsoftonline.com/', answer);
  await expect(world.microsoft.tenantOfDomain('contoso.com')).rejects.toMatchObject({
    code: 'service-error',
  });
});
