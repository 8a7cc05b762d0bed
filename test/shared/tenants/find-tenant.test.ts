import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { findTenant } from '../../../shared/tenants/find-tenant.ts';
import type { Tenant } from '../../../shared/tenants/tenant.ts';
import { aTenant } from '../../cards/samples.ts';
import { count, seed } from '../../support/counts.ts';

const tenants: Tenant[] = [
  aTenant(1, 'Contoso Ltd', {
    domain: 'contoso.com',
    domains: ['contoso.com', 'contoso.onmicrosoft.com', 'contoso.co.uk'],
  }),
  aTenant(2, 'Contoso Retail GmbH', { domain: 'shop.example', domains: ['shop.example'] }),
  aTenant(3, 'Fabrikam, Inc.', { domain: 'fabrikam.com', domains: ['fabrikam.com'] }),
  aTenant(4, 'Northwind Traders', { domain: 'nwtraders.example', domains: ['nwtraders.example'] }),
  aTenant(5, 'Northwind Toys s.r.o.', { domain: 'toys.example', domains: ['toys.example'] }),
  aTenant(6, 'Bäckerei Müller & Söhne KG', {
    domain: 'xn--mller-kva.example',
    domains: ['xn--mller-kva.example'],
  }),
  aTenant(7, "O'Brien Łódź S.A.", { domain: 'obrien.example', domains: ['obrien.example'] }),
  aTenant(8, '東京商事株式会社', { domain: 'tokyo.example', domains: ['tokyo.example'] }),
  aTenant(9, 'Twin', { domain: 'twin-one.example', domains: ['twin-one.example'] }),
  aTenant(10, 'Twin Ltd', { domain: 'twin-two.example', domains: ['twin-two.example'] }),
  aTenant(11, 'Ltd', { domain: 'l.example', domains: ['l.example'] }),
  aTenant(12, '—', { domain: 'dash.example', domains: ['dash.example'] }),
];

test.each([
  { said: 'contoso.com', finds: 1 },
  { said: 'CONTOSO.CO.UK', finds: 1 },
  { said: 'contoso.onmicrosoft.com', finds: 1 },
  { said: '00000000-0000-4000-8000-000000000003', finds: 3 },
  { said: 'Contoso Ltd', finds: 1 },
  { said: 'contoso ltd.', finds: 1 },
  { said: 'contoso', finds: 1 },
  { said: 'Contoso GmbH', finds: 1 },
  { said: 'contoso retail', finds: 2 },
  { said: 'retail', finds: 2 },
  { said: 'fabrikam', finds: 3 },
  { said: 'FABRIKAM INC', finds: 3 },
  { said: 'fabri', finds: 3 },
  { said: 'northwind traders', finds: 4 },
  { said: 'traders', finds: 4 },
  { said: 'north trad', finds: 4 },
  { said: 'nwtraders', finds: 4 },
  { said: 'northwind toys sro', finds: 5 },
  { said: 'Northwind Toys S. R. O.', finds: 5 },
  { said: 'backerei muller', finds: 6 },
  { said: 'Muller and Sohne', finds: 6 },
  { said: 'müller & söhne', finds: 6 },
  { said: 'o’brien', finds: 7 },
  { said: 'obrien lodz', finds: 7 },
  { said: '東京', finds: 8 },
  { said: 'ltd', finds: 11 },
])('“$said” is tenant $finds', ({ said, finds }) => {
  expect(findTenant(said, tenants)).toEqual({ kind: 'one', tenant: tenants[finds - 1] });
});

test.each([
  { said: 'northwind', finds: [4, 5] },
  { said: 'con', finds: [1, 2] },
  { said: 'north t', finds: [4, 5] },
  { said: 'twin gmbh', finds: [9, 10] },
])('“$said” fits $finds', ({ said, finds }) => {
  expect(findTenant(said, tenants)).toEqual({ kind: 'several', tenants: finds.map((n) => tenants[n - 1]) });
});

test.each([
  { said: 'contosso', near: [1] },
  { said: 'fabricam', near: [3] },
  { said: 'northwnd traders', near: [4, 5] },
  { said: 'zzzzzzzz', near: [] },
  { said: '', near: [] },
  { said: '   ', near: [] },
  { said: '!?', near: [] },
  { said: 'x'.repeat(10_000), near: [] },
])('“$said” is nobody; nearest are $near', ({ said, near }) => {
  const found = findTenant(said, tenants);
  expect(found.kind).toBe('none');
  const nearest = found.kind === 'none' ? found.nearest : [];
  for (const n of near) expect(nearest).toContain(tenants[n - 1]);
  if (near.length === 0) expect(nearest).toEqual([]);
});

test('whatever is said, only tenants that were passed in come back, and at most three suggestions', () => {
  fc.assert(
    fc.property(
      fc.subarray(tenants),
      fc.oneof(fc.string(), fc.constantFrom(...tenants.map(({ name }) => name))),
      (some, said) => {
        const found = findTenant(said, some);
        const back =
          found.kind === 'one' ? [found.tenant] : found.kind === 'several' ? found.tenants : found.nearest;
        expect(back.every((tenant) => some.includes(tenant))).toBe(true);
        if (found.kind === 'none') expect(found.nearest.length).toBeLessThanOrEqual(3);
        if (found.kind === 'several') expect(found.tenants.length).toBeGreaterThan(1);
      },
    ),
    { numRuns: count(500, 50_000), seed },
  );
});

test('a list that nobody can change is looked through by an index, with the same outcome', () => {
  const words = tenants.flatMap(({ id, name, domains }) => [
    id,
    name,
    name.toUpperCase(),
    ...domains,
    name.slice(0, 4),
  ]);
  fc.assert(
    fc.property(fc.subarray(tenants), fc.oneof(fc.constantFrom(...words), fc.string()), (some, said) => {
      expect(findTenant(said, Object.freeze([...some]))).toEqual(findTenant(said, some));
    }),
    { numRuns: count(500, 50_000), seed },
  );
});
