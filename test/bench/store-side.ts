import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import * as v from 'valibot';
import { newKeyringText, parseKeyring } from '../../bot/secrets.ts';
import { openStore } from '../../bot/store/open.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { openBare } from './bare-sqlite.ts';
import { customers } from './customers.ts';
import { inHands } from './hands.ts';
import { leasesOf, saveCustomers } from './seed-store.ts';
import { everything, laterDay, saveDay, trendSince } from './store-data.ts';

/**
 * One of the stores that hold 90 days of 1,000 tenants, in a process of its own: `embedded` and `mongo` through the
 * product's functions, as its clock thread has them; `bare` node:sqlite and JSON. Told `run` it writes another day of
 * all tenants, reads the latest score of all five times and the trend of each tenant once, and answers with what each
 * took; throws when a row is missing.
 */
const settings = v.parse(
  v.object({
    kind: v.picklist(['embedded', 'mongo', 'bare']),
    tenants: v.number(),
    seed: v.string(),
    mongodbUri: v.optional(v.string()),
  }),
  JSON.parse(process.argv[2] ?? '{}'),
);
/** As the clock thread: so many syncs are under way. */
const atOnce = 64;
const readings = 5;
const now = new Date().toISOString();
const since = trendSince(now);
const known = customers(settings.tenants, settings.seed, now);
const ids = known.map(({ tenant }) => tenant.id);

type Held = {
  /** Makes ready the write of that day, and answers it. */
  day(later: number): Promise<() => Promise<void>>;
  latest(): Promise<number>;
  trend(id: TenantId): Promise<number>;
  close(): Promise<void>;
};
const folder = mkdtempSync(join(tmpdir(), 'wp-bench-store-'));
// However this process ends.
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const held = settings.kind === 'bare' ? bare() : await product();
let day = 0;

process.on('message', () => void run());
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => {
  void held.close().then(() => process.exit(0));
});
console.log(JSON.stringify({ url: 'none' }));

async function run(): Promise<void> {
  day += 1;
  const write = await held.day(day);
  const upsert = await timed(write);
  let missing = 0;
  const latest = await timed(async () => {
    for (let times = 0; times < readings; times += 1) {
      const found = await held.latest();
      missing += ids.length - found;
    }
  });
  let days = 0;
  const trend = await timed(async () => {
    for (const id of ids) {
      const found = await held.trend(id);
      days += found;
    }
  });
  // 90 days, and one more for each day that was written.
  const wanted = ids.length * (90 + day);
  if (missing > 0 || days !== wanted)
    throw new Error(`${missing} latest scores and ${wanted - days} of ${wanted} days are missing`);
  process.send?.({
    ...{ upsertMs: upsert.ms, upsertCpuMs: upsert.cpuMs },
    ...{ latestMs: latest.ms / readings, latestCpuMs: latest.cpuMs / readings },
    ...{ trendMs: trend.ms / ids.length, trendCpuMs: trend.cpuMs / ids.length },
  });
}

async function timed(work: () => Promise<void>): Promise<{ ms: number; cpuMs: number }> {
  const cpu = process.cpuUsage();
  const began = performance.now();
  await work();
  const ms = performance.now() - began;
  const used = process.cpuUsage(cpu);
  return { ms, cpuMs: (used.user + used.system) / 1000 };
}

async function product(): Promise<Held> {
  const mongodbUri = settings.kind === 'mongo' ? ownDatabase(settings.mongodbUri) : undefined;
  const keyring = parseKeyring(newKeyringText());
  const store = await openStore({ folder, instanceId: 'bench', keyring, mongodbUri, gatherMs: 4 });
  const close = async (): Promise<void> => {
    await store.close();
    if (mongodbUri !== undefined) await drop(mongodbUri);
  };
  await saveCustomers(store, known).catch(async (error: unknown) => {
    // What was begun in somebody's MongoDB does not stay there.
    await close();
    throw error;
  });
  const byId = new Map(known.map((one) => [one.tenant.id, one]));
  // Held for as long as this process runs: the writes are those of syncs.
  const leases = await leasesOf(store, ids);
  return {
    async day(later) {
      const writes = leases.map((lease) => {
        const customer = byId.get(lease.tenantId);
        if (customer === undefined) throw new Error('a lease of somebody else');
        return { lease, found: laterDay(customer, later) };
      });
      return () => inHands(writes, atOnce, ({ lease, found }) => saveDay(store, lease, found));
    },
    latest: async () => (await store.scores.postures(everything, ids)).length,
    trend: async (id) => (await store.scores.snapshots(everything, id, since)).length,
    close,
  };
}

async function drop(mongodbUri: string): Promise<void> {
  const client = await MongoClient.connect(mongodbUri, { serverSelectionTimeoutMS: 5_000 });
  await client
    .db()
    .dropDatabase()
    .finally(() => client.close());
}

/** The same server, another database: nothing that is there is touched. */
function ownDatabase(uri: string | undefined): string {
  if (uri === undefined) throw new Error('no MongoDB was named');
  const own = new URL(uri);
  own.pathname = `/watchpost-bench-${randomBytes(6).toString('hex')}`;
  return own.href;
}

function bare(): Held {
  const database = openBare(folder);
  database.save(known.map(({ tenant, found }) => ({ id: tenant.id, found })));
  return {
    async day(later) {
      const writes = known.map((one) => ({ id: one.tenant.id, found: laterDay(one, later) }));
      return async () => database.save(writes);
    },
    latest: async () => database.postures(ids).length,
    trend: async (id) => database.snapshots(id, since).length,
    close: async () => database.close(),
  };
}
