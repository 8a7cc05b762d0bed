import { expect, test } from '@jest/globals';
import { hrefOf, routeOf, routeOfSubPage } from '../../tab/route.ts';

const id = 'a1b2c3d4-0000-4000-8000-000000000002';

test.each([
  { address: '/tab', search: '', route: { page: 'overview', show: 'all', q: '' } },
  { address: '/tab/', search: '?show=fell&q=con', route: { page: 'overview', show: 'fell', q: 'con' } },
  { address: '/tab/', search: '?show=else', route: { page: 'overview', show: 'all', q: '' } },
  { address: `/tab/tenants/${id}`, search: '', route: { page: 'tenant', id } },
  { address: `/tab/tenants/${id.toUpperCase()}/`, search: '', route: { page: 'tenant', id } },
  { address: '/tab/tenants/contoso', search: '', route: { page: 'unknown' } },
  { address: `/tab/tenants/${id}/more`, search: '', route: { page: 'unknown' } },
  {
    address: '/tab/',
    search: '?state=connected&tag=gold',
    route: { page: 'overview', show: 'all', q: '', state: 'connected', tag: 'gold' },
  },
  { address: '/tab/companies', search: '?tag=gold', route: { page: 'companies' } },
  { address: '/tab/add/', search: '', route: { page: 'add' } },
  { address: '/tab/people', search: '', route: { page: 'people' } },
  { address: '/tab/me/', search: '', route: { page: 'me' } },
  { address: '/tab/jobs', search: '', route: { page: 'jobs' } },
  { address: '/tab/configure', search: '', route: { page: 'configure' } },
  { address: '/tab/else', search: '', route: { page: 'unknown' } },
])('$address$search is $route.page', ({ address, search, route }) => {
  expect(routeOf(address, search)).toEqual(route);
});

test.each([
  { subPage: `tenant:${id}`, href: `/tab/tenants/${id}` },
  { subPage: `tenant:${id.toUpperCase()}`, href: `/tab/tenants/${id}` },
  { subPage: 'tenant:contoso', href: '/tab/' },
  { subPage: `tenant:${id}/../../else`, href: '/tab/' },
  { subPage: 'javascript:alert(1)', href: '/tab/' },
  { subPage: '', href: '/tab/' },
])('deep link "$subPage" leads to $href', ({ subPage, href }) => {
  expect(hrefOf(routeOfSubPage(subPage))).toBe(href);
});

test('an address made from a route leads back to it', () => {
  const route = { page: 'overview', show: 'blind', q: 'a&b=c d' } as const;
  const [pathname = '', query = ''] = hrefOf(route).split('?');
  expect(routeOf(pathname, `?${query}`)).toEqual(route);
});
