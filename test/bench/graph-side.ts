import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@microsoft/microsoft-graph-client';
import { request, setGlobalDispatcher } from 'undici';
import * as v from 'valibot';
import { readConfig } from '../../bot/config.ts';
import { syncScores } from '../../bot/jobs/sync-scores.ts';
import { openServices } from '../../bot/open-services.ts';
import { toSandbox } from '../../bot/sandbox-dispatcher.ts';
import { Secret } from '../../bot/secrets.ts';
import type { Services } from '../../bot/services.ts';
import { scopeOfJob } from '../../shared/access.ts';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { productionSettings } from '../support/program.ts';

/**
 * One of the sides that read a day of all tenants from the bench's Graph, in a process of its own:
 * `watchpost` the product's sync with tokens, schemas, rules and store; `raw` undici and JSON.parse; `graph-client`
 * Microsoft's client as it comes. None has more than 16 requests under way. Told `run` it reads all tenants once and
 * answers with what that took.
 */
const settings = v.parse(
  v.object({
    kind: v.picklist(['watchpost', 'raw', 'graph-client']),
    url: v.string(),
    /** Tenants that are read at once by the product; each has at most 4 requests under way. */
    atOnce: v.optional(v.number(), 4),
    encryptionKeys: v.string(),
  }),
  JSON.parse(process.argv[2] ?? '{}'),
);
const listed = v.array(v.object({ id: v.string(), domain: v.string(), name: v.string() }));
const inFlight = 16;

const tenants = v.parse(listed, await (await fetch(`${settings.url}/_bench/tenants`)).json());
const side = settings.kind === 'watchpost' ? await openProduct() : openLoop();

process.on('message', (message: unknown) => {
  if (message === 'run') void run();
});
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => void side.close().then(() => process.exit(0)));
console.log(JSON.stringify({ url: settings.url }));

async function run(): Promise<void> {
  await side.prepare();
  const cpu = process.cpuUsage();
  const started = performance.now();
  const requests = await side.read();
  const seconds = (performance.now() - started) / 1000;
  const used = process.cpuUsage(cpu);
  process.send?.({
    requests,
    seconds,
    cpuMs: (used.user + used.system) / 1000,
    rssMb: process.memoryUsage.rss() / 2 ** 20,
  });
}

type Read = { prepare(): Promise<void>; read(): Promise<number>; close(): Promise<void> };

async function openProduct(): Promise<Read> {
  const folder = mkdtempSync(join(tmpdir(), 'wp-bench-sync-'));
  setGlobalDispatcher(toSandbox(settings.url));
  const app = { appId: randomUUID(), secret: 'not used', tenantId: randomUUID() };
  const config = readConfig({
    ...productionSettings({
      url: settings.url,
      info: { apps: { bot: app, tab: { appId: app.appId, tenantId: app.tenantId } } },
    }),
    WATCHPOST_DATA: folder,
    ENCRYPTION_KEYS: settings.encryptionKeys,
    LOG_LEVEL: 'warn',
  });
  const stopping = new AbortController();
  const opened = await openServices({
    config,
    thread: 'clock',
    instanceId: 'bench',
    sandboxUrl: undefined,
    logFile: undefined,
    signal: stopping.signal,
    nudge: () => undefined,
  });
  const { services } = opened;
  for (const one of tenants) await connect(services, one);
  return {
    async prepare() {
      for (const { id } of tenants) {
        const known = sure(id);
        await services.store.work.schedule(scopeOfJob(known), known, 'sync-scores', services.now());
      }
    },
    async read() {
      const before = await asked();
      let free = settings.atOnce;
      const running = new Set<Promise<void>>();
      for (;;) {
        const leases = await services.store.work.claimDue('sync-scores', Math.max(1, free), 60_000);
        if (leases.length === 0 && running.size === 0) break;
        for (const lease of leases) {
          free -= 1;
          const work = syncScores(lease, services)
            .then((outcome) => {
              if (outcome === 'failed' || outcome === 'gone')
                throw new Error(`a sync of the bench ${outcome}`);
            })
            .finally(() => {
              free += 1;
              running.delete(work);
            });
          running.add(work);
        }
        if (running.size > 0 && (free === 0 || leases.length === 0)) await Promise.race(running);
      }
      return (await asked()) - before;
    },
    async close() {
      stopping.abort();
      await opened.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function connect(services: Services, one: { id: string; domain: string; name: string }): Promise<void> {
  const id = sure(one.id);
  const now = services.now();
  const scope = scopeOfJob(id);
  await services.store.tenants.save(scope, {
    ...{ id, name: one.name, domain: one.domain, domains: [one.domain], opaque: 1, connectedAt: now },
    health: { state: 'waiting', since: now, cause: '', remedy: '' },
    datasets: {},
    licences: {
      entraP1: { known: false, why: 'not read yet' },
      entraP2: { known: false, why: 'not read yet' },
      skus: [],
    },
  });
  await services.store.credentials.save(scope, {
    tenantId: id,
    appId: randomUUID(),
    credential: { kind: 'secret', secret: new Secret('a secret of the bench') },
  });
}

/** The other sides ask what the product asked of one tenant, of each tenant. */
function openLoop(): Read {
  const get = settings.kind === 'raw' ? raw : throughClient();
  return {
    prepare: async () => undefined,
    async read() {
      const { addresses } = v.parse(v.object({ addresses: v.array(v.string()) }), await state());
      if (addresses.length === 0) throw new Error('the product must have read this phase first');
      const queue = tenants.flatMap(({ id }) => addresses.map((path) => ({ id, path })));
      const count = queue.length;
      await Promise.all(
        Array.from({ length: inFlight }, async () => {
          for (let next = queue.pop(); next !== undefined; next = queue.pop()) await get(next.id, next.path);
        }),
      );
      return count;
    },
    close: async () => undefined,
  };
}

async function raw(id: string, path: string): Promise<unknown> {
  const answer = await request(`${settings.url}${path}`, { headers: { authorization: `Bearer ${id}` } });
  if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`);
  return JSON.parse(await answer.body.text());
}

function throughClient(): (id: string, path: string) => Promise<unknown> {
  const clients = new Map<string, Client>();
  return async (id, path) => {
    const client =
      clients.get(id) ??
      Client.init({
        baseUrl: `${settings.url}/`,
        defaultVersion: 'v1.0',
        // The client sends a token to hosts it knows only.
        customHosts: new Set([new URL(settings.url).hostname]),
        fetchOptions: { headers: { authorization: `Bearer ${id}` } },
        authProvider: (done) => done(null, id),
      });
    clients.set(id, client);
    return await client.api(path.slice('/v1.0'.length)).get();
  };
}

async function state(): Promise<unknown> {
  return await (await fetch(`${settings.url}/_bench/asked`)).json();
}

async function asked(): Promise<number> {
  return v.parse(v.object({ asked: v.number() }), await state()).asked;
}

function sure(text: string): TenantId {
  const id = tenantId(text);
  if (id === undefined) throw new Error('not a GUID');
  return id;
}
