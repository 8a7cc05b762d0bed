import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import * as v from 'valibot';
import { newKeyringText, parseKeyring } from '../../bot/secrets.ts';
import type { Store } from '../../bot/services.ts';
import { openStore } from '../../bot/store/open.ts';
import { seeded } from '../sandbox/seeded.ts';
import { customers } from './customers.ts';
import { inHands } from './hands.ts';
import { percentile } from './load.ts';
import { leasesOf, saveCustomers } from './seed-store.ts';
import { everything, laterDay, saveDay, trendSince } from './store-data.ts';

/**
 * How long the thread that answers people waits for the embedded store: it reads and writes as turns do, about once a
 * millisecond, while a second thread writes days of 500 tenants as the clock does: without a pause (`flat-out`), at the
 * pace at which a sync finds something to write (`as-a-sync`), or not at all. Told `{ms, writing}` it answers how long
 * the calls took.
 */
const tenants = 500;
const atOnce = 64;
/** Between two writes of one of the 64: about 120 tenants a second, as fast as one core reads and judges them. */
const betweenMs = 530;
const paces = v.picklist(['flat-out', 'as-a-sync', 'nothing']);
type Pace = v.InferOutput<typeof paces>;
const started = v.object({ folder: v.string(), keys: v.string(), seed: v.string() });

if (isMainThread) await answering();
else await writing();

async function answering(): Promise<void> {
  const { seed } = v.parse(v.object({ seed: v.string() }), JSON.parse(process.argv[2] ?? '{}'));
  const folder = mkdtempSync(join(tmpdir(), 'wp-bench-wait-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const keys = newKeyringText();
  const now = new Date().toISOString();
  const store = await openStore({ folder, instanceId: 'bench', keyring: parseKeyring(keys) });
  const known = customers(tenants, seed, now);
  await saveCustomers(store, known);
  const ids = known.map(({ tenant }) => tenant.id);
  const worker = new Worker(new URL(import.meta.url), { workerData: { folder, keys, seed } });
  await said(worker);

  process.on('message', (message: unknown) => {
    const order = v.parse(v.object({ ms: v.number(), writing: paces }), message);
    void measure(order.ms, order.writing).then((answer) => process.send?.(answer));
  });
  process.on('disconnect', () => process.exit(0));
  process.on('SIGTERM', () => {
    void worker.terminate().then(async () => {
      await store.close();
      process.exit(0);
    });
  });
  console.log(JSON.stringify({ url: 'none' }));

  async function measure(ms: number, writes: Pace): Promise<object> {
    if (writes !== 'nothing') worker.postMessage(writes);
    const calls = { read: [] as number[], write: [] as number[] };
    const until = performance.now() + ms;
    for (let call = 0; performance.now() < until; call += 1) {
      const id = ids[call % ids.length];
      if (id === undefined) break;
      await time(calls.read, () => store.scores.posture(everything, id));
      await time(calls.read, () => store.scores.snapshots(everything, id, trendSince(now)));
      if (call % 10 === 0) await time(calls.write, () => store.inbound.firstTime(`${until} ${call}`));
      await pause(1);
    }
    let rows = 0;
    if (writes !== 'nothing') {
      worker.postMessage('nothing');
      ({ rows } = v.parse(v.object({ rows: v.number() }), await said(worker)));
      if (rows === 0) throw new Error('the other thread wrote nothing');
    }
    for (const times of Object.values(calls)) times.sort((a, b) => a - b);
    const all = [...calls.read, ...calls.write].sort((a, b) => a - b);
    return {
      ...{ calls: all.length, tenantsPerSecond: rows / (ms / 1000) },
      longestMs: all.at(-1),
      readP99Ms: percentile(calls.read, 0.99),
      writeP99Ms: percentile(calls.write, 0.99),
      ...{ longestReadMs: calls.read.at(-1), longestWriteMs: calls.write.at(-1) },
    };
  }
}

async function time(into: number[], work: () => Promise<unknown>): Promise<void> {
  const began = performance.now();
  await work();
  into.push(performance.now() - began);
}

/** The second thread: its own connection, as the clock's, writing until it is told to stop. */
async function writing(): Promise<void> {
  const { folder, keys, seed } = v.parse(started, workerData);
  const store: Store = await openStore({
    ...{ folder, instanceId: 'bench', gatherMs: 4 },
    keyring: parseKeyring(keys),
  });
  const known = customers(tenants, seed, store.now());
  const byId = new Map(known.map((one) => [one.tenant.id, one]));
  const leases = await leasesOf(
    store,
    known.map(({ tenant }) => tenant.id),
  );
  const state: { pace: Pace } = { pace: 'nothing' };
  const random = seeded(`${seed} pauses`);
  let day = 0;
  parentPort?.on('message', (message: unknown) => {
    state.pace = v.parse(paces, message);
    if (state.pace !== 'nothing') void write();
  });
  parentPort?.postMessage({ rows: 0 });

  async function write(): Promise<void> {
    let rows = 0;
    while (state.pace !== 'nothing') {
      day += 1;
      await inHands(leases, atOnce, async (lease) => {
        const customer = byId.get(lease.tenantId);
        if (state.pace === 'as-a-sync') await pause(betweenMs * (0.5 + random()));
        if (state.pace === 'nothing' || customer === undefined) return;
        await saveDay(store, lease, laterDay(customer, day));
        rows += 1;
      });
    }
    parentPort?.postMessage({ rows });
  }
}

function said(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (message) => {
      worker.off('error', reject);
      resolve(message);
    });
  });
}
