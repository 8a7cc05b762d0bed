import { type TenantFilter, tenantFilters } from '../shared/api.ts';
import type { WorkState } from '../shared/tenants/work-state.ts';

/** Where in the page we are; the address says all of it, so that back, reload and links work. */
export type Route =
  | { page: 'overview'; show: TenantFilter; q: string; state?: WorkState; tag?: string }
  | { page: 'tenant'; id: string }
  /** Each keeps in the query what it shows. */
  | { page: Section }
  /** Teams opens it when somebody puts a tab into a channel. */
  | { page: 'configure' }
  | { page: 'unknown' };
/** Pages that are loaded when somebody goes there. */
export const sections = ['companies', 'add', 'jobs', 'people', 'audit', 'me'] as const;
export type Section = (typeof sections)[number];
/** What a person can be led to. */
export type Destination = Extract<Route, { page: 'overview' | 'tenant' }>;

const base = '/tab';

export function routeOf(pathname: string, search: string): Route {
  const path = pathname.replace(/\/+$/, '');
  if (path === base) {
    const query = new URLSearchParams(search);
    const show = tenantFilters.find((one) => one === query.get('show')) ?? 'all';
    // The server knows which states there are; what is none of them it refuses.
    const state = query.get('state') as WorkState | null;
    const tag = query.get('tag')?.slice(0, 80);
    return {
      ...{ page: 'overview', show, q: (query.get('q') ?? '').slice(0, 80) },
      ...(state === null ? {} : { state }),
      ...(tag === undefined ? {} : { tag }),
    };
  }
  const section = sections.find((one) => path === `${base}/${one}`);
  if (section !== undefined) return { page: section };
  if (path === `${base}/configure`) return { page: 'configure' };
  const id = /^\/tab\/tenants\/([0-9a-fA-F-]{36})$/.exec(path)?.[1];
  return id === undefined ? { page: 'unknown' } : { page: 'tenant', id: id.toLowerCase() };
}

export function hrefOf(route: Destination): string {
  if (route.page === 'tenant') return `${base}/tenants/${route.id}`;
  const query = new URLSearchParams();
  if (route.show !== 'all') query.set('show', route.show);
  if (route.q !== '') query.set('q', route.q);
  if (route.state !== undefined) query.set('state', route.state);
  if (route.tag !== undefined) query.set('tag', route.tag);
  return `${base}/${query.size === 0 ? '' : `?${query}`}`;
}

export const overview = { page: 'overview', show: 'all', q: '' } as const;

/** `tenant:{id}` of a Teams deep link as a route; anything else leads to the overview. */
export function routeOfSubPage(subPage: string): Destination {
  const id = /^tenant:([0-9a-f-]{36})$/i.exec(subPage)?.[1];
  return id === undefined ? overview : { page: 'tenant', id: id.toLowerCase() };
}
