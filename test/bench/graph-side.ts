import { Client } from '@microsoft/microsoft-graph-client';
import { request } from 'undici';
import * as v from 'valibot';
import { openLane } from '../../bot/jobs/lane.ts';
import { syncScores } from '../../bot/jobs/sync-scores.ts';
import { scopeOfJob } from '../../shared/access.ts';
import { connectAll, sure } from './connect-all.ts';
import { inHands } from './hands.ts';
import { openProduct } from './open-product.ts';

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
    /** Tenants that are read at once by the product. */
    atOnce: v.optional(v.number(), 64),
    encryptionKeys: v.string(),
  }),
  JSON.parse(process.argv[2] ?? '{}'),
);
const ordered = v.object({ addresses: v.array(v.string()), laps: v.number() });
type Order = v.InferOutput<typeof ordered>;
const listed = v.array(v.object({ id: v.string(), domain: v.string(), name: v.string() }));
const seenSchema = v.object({ asked: v.number(), bytes: v.number(), addresses: v.array(v.string()) });
const inFlight = 16;

const tenants = v.parse(listed, await (await fetch(`${settings.url}/_bench/tenants`)).json());
const side = settings.kind === 'watchpost' ? await openSync() : openLoop();

process.on('message', (message: unknown) => {
  // Without an order a loop asks what the product has asked of this phase.
  if (message === 'run') void seen().then(({ addresses }) => run({ addresses, laps: 1 }));
  else void run(v.parse(ordered, message));
});
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => void side.close().then(() => process.exit(0)));
console.log(JSON.stringify({ url: settings.url }));

async function run(order: Order): Promise<void> {
  await side.prepare();
  const before = await seen();
  const cpu = process.cpuUsage();
  const started = performance.now();
  const changed = await side.read(order);
  const seconds = (performance.now() - started) / 1000;
  const used = process.cpuUsage(cpu);
  const after = await seen();
  process.send?.({
    requests: after.asked - before.asked,
    bytes: after.bytes - before.bytes,
    changed,
    seconds,
    cpuMs: (used.user + used.system) / 1000,
    rssMb: process.memoryUsage.rss() / 2 ** 20,
  });
}

type Read = {
  prepare(): Promise<void>;
  /** Reads all tenants; answers how many had something new, of those who look. */
  read(order: Order): Promise<number>;
  close(): Promise<void>;
};

async function openSync(): Promise<Read> {
  const { opened, close } = await openProduct(settings);
  const { services } = opened;
  await connectAll(services, tenants);
  const judged = new Map<string, string>();
  return {
    async prepare() {
      await inHands(tenants, 64, ({ id }) =>
        services.store.work.schedule(scopeOfJob(sure(id)), sure(id), 'sync-scores', services.now()),
      );
    },
    /** The product's own lane and job, until nothing is due. */
    async read() {
      let changed = 0;
      let done = 0;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const lane = openLane({
        atOnce: settings.atOnce,
        claim: (limit) => services.store.work.claimDue('sync-scores', limit, 60_000),
        async perform(lease) {
          try {
            const outcome = await syncScores(lease, services, judged);
            if (outcome === 'failed' || outcome === 'gone')
              reject(new Error(`a sync of the bench ${outcome}`));
            if (outcome === 'changed') changed += 1;
            done += 1;
            if (done === tenants.length) resolve();
          } catch (error) {
            reject(error);
          }
        },
        signal: services.signal,
        log: services.log,
      });
      lane.pump();
      await promise;
      lane.close();
      await lane.idle();
      return changed;
    },
    close,
  };
}

/** The other sides ask the same addresses of each tenant. */
function openLoop(): Read {
  const get = settings.kind === 'raw' ? raw : throughClient();
  return {
    prepare: async () => undefined,
    async read({ addresses, laps }) {
      if (addresses.length === 0) throw new Error('the product must have read this phase first');
      const lap = tenants.flatMap(({ id }) => addresses.map((path) => ({ id, path })));
      const queue = Array.from({ length: laps }, () => lap).flat();
      await inHands(queue, inFlight, async ({ id, path }) => {
        await get(id, path);
      });
      return 0;
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

async function seen(): Promise<v.InferOutput<typeof seenSchema>> {
  return v.parse(seenSchema, await (await fetch(`${settings.url}/_bench/asked`)).json());
}
