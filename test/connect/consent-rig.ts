import { connectPages } from '../../bot/connect/page-routes.ts';
import { createServer } from '../../bot/server.ts';
import type { Services } from '../../bot/services.ts';
import { scopeOfSystem } from '../../shared/access.ts';
import { notConnected } from '../../shared/tenants/not-connected.ts';
import { type Tenant, type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { aTenant } from '../store/samples.ts';
import { type InProcess, type InProcessOptions, openInProcess } from '../support/in-process.ts';
import type { Sandbox } from '../support/sandbox.ts';

export const everything = scopeOfSystem();
export const publicUrl = 'https://watchpost.example.com';

/** What a browser shows in the end: where it came to, and the page. */
export type Shown = { address: URL; status: number; text: string; headers: Headers; way: string[] };
export type Browser = {
  /** Follows redirects like a browser, with the cookies of each host. */
  open(
    address: string,
    options?: { method?: string; headers?: Record<string, string>; follow?: boolean },
  ): Promise<Shown>;
  cookies: Map<string, string>;
};

/** A browser with cookies of its own; Watchpost's public address leads to `server`. */
export function openBrowser(server: string, cookies = new Map<string, string>()): Browser {
  async function open(
    address: string,
    {
      method = 'GET',
      headers = {},
      follow = true,
    }: { method?: string; headers?: Record<string, string>; follow?: boolean } = {},
  ): Promise<Shown> {
    let at = new URL(address, publicUrl);
    let how = method;
    const way: string[] = [];
    for (let hops = 0; hops < 10; hops += 1) {
      const real = at.origin === publicUrl ? new URL(at.pathname + at.search, server) : at;
      way.push(at.href);
      const answer = await fetch(real, {
        method: how,
        redirect: 'manual',
        headers: { cookie: cookies.get(at.origin) ?? '', ...headers },
        ...(how === 'POST' ? { body: new URLSearchParams() } : {}),
        signal: AbortSignal.timeout(30_000),
      });
      for (const set of answer.headers.getSetCookie()) cookies.set(at.origin, set.split(';')[0] ?? '');
      const location = answer.headers.get('location');
      const text = await answer.text();
      if (!follow || location === null)
        return { address: at, status: answer.status, text, headers: answer.headers, way };
      at = new URL(location, at);
      how = 'GET';
    }
    throw new Error('too many redirects');
  }
  return { open, cookies };
}

/** The same address with answers for Microsoft's page. */
export function answering(address: URL, answers: Record<string, string>): string {
  const url = new URL(address);
  for (const [name, value] of Object.entries(answers)) url.searchParams.set(name, value);
  return url.href;
}

export type Rig = InProcess & {
  admin: string;
  /** A company that is not connected. */
  company(domain?: string): Promise<Tenant>;
  /** A request of the tab with Ana's token. */
  api(method: 'GET' | 'POST', path: string): Promise<{ status: number; body: Record<string, string> }>;
  /** Another server on the same store, with changed services. */
  second(services: Services): Promise<{ url: string; close(): Promise<void> }>;
  audit(): Promise<string[]>;
};

export async function openRig(sandbox: Sandbox, options: InProcessOptions = {}): Promise<Rig> {
  const { appId, secret } = sandbox.info.apps.graph;
  const inside = await openInProcess(sandbox, {
    ...options,
    env: { GRAPH_APP_ID: appId, GRAPH_APP_SECRET: secret, ...options.env },
  });
  const { store } = inside.services;
  const [ana] = sandbox.info.people;
  if (ana === undefined) throw new Error('nobody');
  const home = tenantId(ana.tenantId) as TenantId;
  await store.people.seen({ tid: home, oid: ana.oid, name: ana.name });
  await store.people.addGrant(home, ana.oid, ana.name, {
    id: 'ana',
    role: 'Admin',
    scope: 'all',
    source: 'demo',
    by: 'demo',
    at: store.now(),
  });
  const token = await sandbox.token({ for: 'tab', person: ana.oid });
  const closers: (() => Promise<void>)[] = [];
  return {
    ...inside,
    admin: `${home}/${ana.oid}`,
    async company(domain = 'fabrikam.com') {
      const known = sandbox.info.tenants.find((one) => one.domain === domain);
      const id = tenantId(known?.id ?? '');
      if (id === undefined) throw new Error(`no ${domain}`);
      await store.purge.tenant(everything, id, { people: false });
      await sandbox.control('POST', `/_sandbox/tenants/${id}/consent`, { revoke: true });
      await store.tenants.save(everything, {
        ...aTenant(id, domain),
        domain,
        domains: [domain],
        health: notConnected(store.now()),
      });
      const tenant = await store.tenants.get(everything, id);
      if (tenant === null) throw new Error('not saved');
      return tenant;
    },
    async api(method, path) {
      const answer = await fetch(`${inside.url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
        },
        ...(method === 'POST' ? { body: '{}' } : {}),
      });
      return { status: answer.status, body: (await answer.json()) as Record<string, string> };
    },
    async second(services) {
      const server = createServer({
        config: { publicUrl, metricsToken: undefined, demo: false, tabFolder: inside.folder },
        door: undefined,
        apiRoutes: [],
        pages: connectPages(options.patience === undefined ? {} : { patience: options.patience }),
        requireUser: async () => ({ kind: 'refused', status: 401, detail: 'No.' }),
        services,
        ready: async () => true,
      });
      const port = await server.listen(0, '127.0.0.1');
      closers.push(() => server.close());
      return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
    },
    async audit() {
      const { rows } = await store.audit.list({ limit: 200 });
      return rows.map(({ what, result, detail }) => [what, result, detail].filter(Boolean).join(' | '));
    },
    async close() {
      for (const close of closers) await close();
      await inside.close();
    },
  };
}
