import { openDns } from '../../bot/dns.ts';
import { syncDirectory } from '../../bot/jobs/sync-directory.ts';
import { silentLog } from '../../bot/log.ts';
import { Secret } from '../../bot/secrets.ts';
import type { Lease, Microsoft, Services, Store } from '../../bot/services.ts';
import { collections } from '../../bot/store/collections.ts';
import type { Engine } from '../../bot/store/engine/collection.ts';
import { storeOver } from '../../bot/store/open.ts';
import { scopeOfJob, scopeOfSystem } from '../../shared/access.ts';
import type { Directory } from '../../shared/directory/directory.ts';
import {
  type DirectoryDatasetName,
  type Tenant,
  type TenantId,
  tenantId,
} from '../../shared/tenants/tenant.ts';
import type { LoggedRequest } from '../sandbox/request-log.ts';
import { type Database, embedded, testKeyring } from '../store/backends.ts';
import { openMicrosoftOf, type Sandboxed } from './sandboxed.ts';

/** The directory's sync against the sandbox over real sockets, with a store whose engine a test may break. */
export type DirectoryRig = {
  world: Sandboxed;
  store: Store;
  engine: Engine;
  services: Services;
  /** Another gateway, which knows of no throttling. */
  freshMicrosoft(): Microsoft;
  /** Another store over the same data: with a fault in its engine. */
  over(engine: Engine): Store;
  /** A tenant of the sandbox, connected here. */
  connect(domain: string): Promise<TenantId>;
  /** A new tenant in the sandbox, connected here. */
  make(body: Record<string, unknown>): Promise<TenantId>;
  lease(id: TenantId): Promise<Lease>;
  sync(id: TenantId, services?: Services): Promise<string>;
  tenant(id: TenantId): Promise<Tenant>;
  facts(id: TenantId): Promise<Directory>;
  /** The state of each dataset, in one word. */
  states(id: TenantId): Promise<Partial<Record<DirectoryDatasetName, string>>>;
  /** What Graph was asked for this tenant since `before` requests were logged. */
  asked(id: TenantId, before?: number): Promise<LoggedRequest[]>;
  close(): Promise<void>;
};

export async function openDirectoryRig(): Promise<DirectoryRig> {
  const world = await openMicrosoftOf(50);
  const database: Database = await embedded.fresh();
  const engine = await database.engine(collections);
  const over = (base: Engine): Store => storeOver(base, { instanceId: 'instance-one', keyring: testKeyring });
  const store = over(engine);
  await world.sandbox.control('POST', '/_sandbox/limits', { off: true });
  // The job asks for no more than this.
  const services = {
    store,
    microsoft: world.microsoft,
    dns: openDns({ servers: [new URL(world.sandbox.url).host] }),
    log: silentLog(),
    signal: new AbortController().signal,
    now: () => store.now(),
    settings: { syncDirectory: '41 2 * * *' },
  } as unknown as Services;
  type Made = { id: string; name: string; domain: string; appId: string; secret: string };

  async function known(made: Made): Promise<TenantId> {
    const id = tenantId(made.id);
    if (id === undefined) throw new Error(`${made.id} is no id`);
    const at = store.now();
    const unread = { known: false, why: 'licences not read yet' } as const;
    await store.tenants.save(scopeOfSystem(), {
      ...{ id, name: made.name, domain: made.domain, opaque: 1, connectedAt: at, datasets: {} },
      domains: [made.domain, `${made.domain.split('.')[0]}.onmicrosoft.com`],
      health: { state: 'connected', since: at, cause: '', remedy: '' },
      licences: { entraP1: unread, entraP2: unread, skus: [] },
    } as Tenant);
    await store.credentials.save(scopeOfJob(id), {
      tenantId: id,
      appId: made.appId,
      credential: { kind: 'secret', secret: new Secret(made.secret) },
    });
    return id;
  }

  const directory: DirectoryRig = {
    world,
    store,
    engine,
    services,
    freshMicrosoft: world.fresh,
    over,
    async connect(domain) {
      const made = world.sandbox.info.tenants.find((one) => one.domain === domain);
      if (made === undefined) throw new Error(`the sandbox has no ${domain}`);
      return await known(made);
    },
    make: async (body) => await known(await world.sandbox.control<Made>('POST', '/_sandbox/tenants', body)),
    async lease(id) {
      await store.work.schedule(scopeOfJob(id), id, 'sync-directory', store.now());
      const leases = await store.work.claimDue('sync-directory', 50, 60_000);
      const lease = leases.find((one) => one.tenantId === id);
      if (lease === undefined) throw new Error('the tenant is not due');
      return lease;
    },
    sync: async (id, by = services) => await syncDirectory(await directory.lease(id), by),
    async tenant(id) {
      const found = await store.tenants.get(scopeOfJob(id), id);
      if (found === null) throw new Error('the tenant is gone');
      return found;
    },
    facts: async (id) => (await store.directories.get(scopeOfJob(id), id)) ?? {},
    async states(id) {
      const { datasets } = await directory.tenant(id);
      return Object.fromEntries(Object.entries(datasets).map(([name, state]) => [name, state.state]));
    },
    asked: async (id, before = 0) =>
      (await world.sandbox.requests(`?after=${before}&limit=1000`)).filter(
        (one) => one.tenant === id && one.host === 'graph.microsoft.com',
      ),
    async close() {
      await world.stop();
      await database.end();
    },
  };
  return directory;
}
