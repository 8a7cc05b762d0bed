import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { syncScores } from '../../bot/jobs/sync-scores.ts';
import { parseKeyring } from '../../bot/secrets.ts';
import type { Services, Store } from '../../bot/services.ts';
import { collections } from '../../bot/store/collections.ts';
import { openEmbedded } from '../../bot/store/engine/embedded.ts';
import { storeOver } from '../../bot/store/open.ts';
import { workDeclaration } from '../../bot/store/work.ts';
import { scopeOfJob } from '../../shared/access.ts';
import { type Backend, type Database, embedded, mongoAt } from '../store/backends.ts';
import { openActors, personalWith, type Somebody } from '../support/actors.ts';
import { count } from '../support/counts.ts';
import { openInProcess } from '../support/in-process.ts';
import { addCustomer, newEncryptionKeys, type SandboxCustomer } from '../support/production.ts';
import { type Program, poll, startProgram } from '../support/program.ts';
import { type Sandbox, startSandbox } from '../support/sandbox.ts';
import { idOf, storeNewCustomers } from './restart/new-customers.ts';
import { differences, readWholeStore } from './restart/whole-store.ts';

/** Where in a sync the process is killed. `later`: not the first sync of this customer, but the one of the next day. */
type Point = { later?: boolean } & (
  | { request: number; ms?: number }
  | { commit: number; when: 'before' | 'after' }
);

/** The first five are the quick ones: they lie in all phases of a sync. */
const everywhere: Point[] = [
  { request: 4 },
  { commit: 3, when: 'after' },
  { commit: 7, when: 'before' },
  { commit: 7, when: 'before', later: true },
  { commit: 6, when: 'after', later: true },
  { commit: 8, when: 'after' },
  { request: 1 },
  { request: 2 },
  { request: 6 },
  { commit: 1, when: 'before' },
  { commit: 1, when: 'after' },
  { commit: 2, when: 'before' },
  { commit: 3, when: 'before' },
  { commit: 4, when: 'after' },
  { commit: 5, when: 'after' },
  { commit: 9, when: 'before' },
  { request: 3, later: true },
  { commit: 3, when: 'before', later: true },
  { commit: 4, when: 'after', later: true },
  { commit: 5, when: 'after', later: true },
];

/** MongoDB writes out of our sight: killed by requests, and a little after the last of them. */
const byRequests: Point[] = [
  { request: 6, ms: 15 },
  { request: 6, ms: 40, later: true },
  { request: 4 },
  { request: 6, ms: 5 },
  { request: 1 },
  { request: 2 },
  { request: 3 },
  { request: 5 },
  { request: 6 },
  ...[10, 20, 25, 30, 50, 60].map((ms) => ({ request: 6, ms })),
  { request: 2, later: true },
  ...[10, 20, 30, 60].map((ms) => ({ request: 6, ms, later: true })),
];

/** While Microsoft is read, nothing is written: for a MongoDB that does not survive a client that dies in a transaction. */
const whileReading: Point[] = [false, true].flatMap((later) => [
  { request: 4, later },
  ...[1, 2, 3].flatMap((request) => [0, 15, 30].map((ms): Point => ({ request, ms, later }))),
]);

const mongoUri = process.env.MONGODB_URI ?? '';

describe('killed in the middle of a sync, started again', () => {
  let sandbox: Sandbox;
  const env = {
    ENCRYPTION_KEYS: newEncryptionKeys(),
    SYNC_CRON_SCORES: '0 0 1 1 *',
    SYNC_CRON_DIRECTORY: '0 0 1 1 *',
  };

  beforeAll(async () => {
    sandbox = await startSandbox({ empty: true });
  }, 60_000);

  afterAll(async () => {
    await sandbox?.stop();
  });

  test('on the embedded engine the store equals that of an undisturbed run', async () => {
    const points = everywhere.slice(0, count(2, 20));
    const seconds = await tell(embedded, points, 'embedded');
    console.log(`${points.length} kills on the embedded engine, ${seconds} s`);
  }, 1_500_000);

  const onMongo = mongoUri === '' ? test.skip : test;
  onMongo(
    'on MongoDB the store equals that of an undisturbed run',
    async () => {
      // The wire server stands still for good when a client is killed inside a transaction; a real one rolls it back.
      const wire = await isWireServer(mongoUri);
      const all = wire ? [...whileReading.slice(9), ...whileReading] : byRequests;
      // Nor does it bear many transactions at once: fewer customers, one after the other.
      const points = all.slice(0, count(2, wire ? 8 : 20));
      const seconds = await tell(mongoAt(mongoUri), points, 'mongo', wire ? 1 : points.length);
      console.log(
        `${points.length} kills on ${wire ? 'the wire server, between writes only' : 'MongoDB'}, ${seconds} s`,
      );
    },
    1_500_000,
  );

  test('a sync that marks a customer as read before it has stored what it read is found out', async () => {
    const undisturbed = await inOneProcess((store) => store, false);
    const killed = await inOneProcess(dyingBeforeItStores, true);
    const wrong = await inOneProcess(markingFirst, true);
    expect(differences(undisturbed, killed)).toEqual([]);
    expect(differences(undisturbed, wrong)).not.toEqual([]);
  }, 60_000);

  // ------------------------------------------------------------------------------------------ the story

  async function tell(backend: Backend, points: Point[], series: string, atOnce = 20): Promise<number> {
    const began = performance.now();
    const customers: SandboxCustomer[] = [];
    for (const [at] of points.entries())
      customers.push(await addCustomer(sandbox, `Customer ${series} ${at}`, `${series}-${at}.example`));
    const calm = await openSide(backend, customers);
    const rough = await openSide(backend, customers);
    try {
      await calm.start();
      for (const later of [false, true]) {
        if (later)
          for (const { domain } of customers)
            await sandbox.control('POST', `/_sandbox/tenants/${domain}/score`, { drop: 6, max: 5 });
        await inGroups(customers, atOnce, calm.sync);
        await rough.start();
        const kills = points.flatMap((point, at) =>
          (point.later === true) === later ? [{ point, at }] : [],
        );
        const hit = new Set(kills.map(({ at }) => at));
        const spared = customers.filter((_, at) => !hit.has(at));
        await inGroups(spared, atOnce, rough.sync);
        for (const { point, at } of kills) await rough.killedAt(point, customers[at] as SandboxCustomer);
        const found = differences(await calm.whole(), await rough.whole());
        expect(found).toEqual([]);
      }
      await rough.stop();
    } finally {
      await calm.end();
      await rough.end();
    }
    return Math.round((performance.now() - began) / 100) / 10;
  }

  /** One installation: its database, its folder, its process of the moment. */
  async function openSide(backend: Backend, customers: readonly SandboxCustomer[]) {
    const database: Database = await backend.fresh();
    const { where } = database;
    const folder = where.kind === 'embedded' ? where.folder : await mkdtemp(join(tmpdir(), 'wp-restart-'));
    const order = join(folder, 'kill');
    const engine = await database.engine(collections);
    const keyring = parseKeyring(env.ENCRYPTION_KEYS);
    const found = sandbox.info.people[0];
    if (found === undefined) throw new Error('nobody is there');
    const ana: Somebody = { oid: found.oid, tid: found.tenantId, teamsId: found.teamsId, name: found.name };
    await storeNewCustomers(storeOver(engine, { instanceId: 'the-story', keyring }), customers, ana);
    let program: Program | undefined;
    let said = 0;

    async function start(): Promise<void> {
      program = await startProgram({
        sandbox,
        folder,
        preload: ['test/support/kill-at.ts'],
        env: { ...env, TEST_KILL_FILE: order, ...(where.kind === 'mongo' ? { MONGODB_URI: where.uri } : {}) },
      });
    }

    /** Asked in chat, as a person does; the answer is not waited for. */
    async function ask({ domain }: SandboxCustomer): Promise<void> {
      if (program === undefined) throw new Error('nothing runs');
      const actors = await openActors(sandbox, program.url, 4);
      said += 1;
      // The one who answers may be killed meanwhile.
      const asked = actors.say(ana, personalWith(ana), `sync ${domain}`, { id: `sync-${said}` });
      asked.then(() => actors.close()).catch(() => undefined);
    }

    async function synced(customer: SandboxCustomer): Promise<void> {
      const work = engine.collection<{ _id: string; tenantId: string; dueAt: string; leaseOwner: string }>(
        workDeclaration,
      );
      await poll(
        async () => {
          const { rows } = await work.find({ tenantId: customer.id }, { limit: 10 });
          // Scores, and beside them what is known of users and domains.
          const soon = new Date(Date.now() + 60_000).toISOString();
          return rows.length > 1 && rows.every((row) => row.leaseOwner === '' && row.dueAt > soon);
        },
        40_000,
        () => `${customer.domain} was not synced:\n${program?.err().slice(-3_000)}`,
      );
    }

    return {
      start: async () => {
        if (program === undefined) await start();
      },
      async sync(customer: SandboxCustomer) {
        const rows = await requestsOf(customer);
        await ask(customer);
        await poll(
          async () => (await requestsOf(customer)) > rows,
          10_000,
          () => 'nobody asked',
        );
        await synced(customer);
      },
      async killedAt(point: Point, customer: SandboxCustomer) {
        if (program === undefined) throw new Error('nothing runs');
        const { child } = program;
        const gone = new Promise<NodeJS.Signals | null>((resolve) =>
          child.once('exit', (_, signal) => resolve(signal)),
        );
        const log = (await sandbox.requests('?limit=1')).at(-1)?.seq ?? 0;
        if ('commit' in point) await writeFile(order, JSON.stringify(point));
        else
          await sandbox.control('POST', '/_sandbox/faults', { path: '/', tenant: customer.id, delayMs: 60 });
        await ask(customer);
        if ('request' in point) {
          await poll(
            async () => {
              const requests = await sandbox.requests(`?after=${log}`);
              return requests.filter((one) => one.tenant === customer.id).length >= point.request;
            },
            20_000,
            () => `there was no request ${point.request}`,
          );
          // A point in time is meant here, not a condition: the store is being written.
          if (point.ms !== undefined) await new Promise((resolve) => setTimeout(resolve, point.ms));
          child.kill('SIGKILL');
        }
        const timer = setTimeout(() => child.kill('SIGTERM'), 40_000);
        expect({ point, signal: await gone }).toEqual({ point, signal: 'SIGKILL' });
        clearTimeout(timer);
        await rm(order, { force: true });
        await sandbox.control('DELETE', '/_sandbox/faults');
        await start();
        await synced(customer);
      },
      async stop() {
        const ended = await program?.stop();
        expect(ended?.code).toBe(0);
        program = undefined;
      },
      whole: () => readWholeStore(engine),
      async end() {
        await program?.end();
        await database.end();
        await rm(folder, { recursive: true, force: true });
      },
    };

    async function requestsOf(customer: SandboxCustomer): Promise<number> {
      const declaration = collections.find(({ name }) => name === 'syncRequests');
      if (declaration === undefined) throw new Error('no sync requests');
      return await engine.collection<{ _id: string }>(declaration).countDocuments({ tenantId: customer.id });
    }
  }

  // ------------------------------------------------------------------------------------------ the planted defect

  let customer: SandboxCustomer | undefined;

  /** One sync that may die on the way, then one that does not; what the store says then. */
  async function inOneProcess(wrap: (store: Store, died: () => void) => Store, dies: boolean) {
    customer ??= await addCustomer(sandbox, 'Customer of one process', 'one-process.example');
    const inside = await openInProcess(sandbox, { env: { SYNC_CRON_SCORES: env.SYNC_CRON_SCORES } });
    try {
      const found = sandbox.info.people[0];
      if (found === undefined) throw new Error('nobody is there');
      const { store } = inside.clock;
      await storeNewCustomers(store, [customer], { ...found, tid: found.tenantId });
      const scope = scopeOfJob(idOf(customer));
      await store.work.schedule(scope, idOf(customer), 'sync-scores', store.now());
      if (dies) {
        const died = Promise.withResolvers<void>();
        const services: Services = { ...inside.clock, store: wrap(store, died.resolve) };
        await Promise.race([died.promise, syncScores(await claimed(store), services)]);
        await store.work.voidOwn();
      }
      expect(await syncScores(await claimed(store), inside.clock)).not.toBe('failed');
      const engine = openEmbedded(join(inside.folder, 'watchpost.sqlite'), collections);
      const whole = await readWholeStore(engine);
      await engine.close();
      return whole;
    } finally {
      await inside.close();
    }
  }

  async function claimed(store: Store) {
    const [lease] = await store.work.claimDue('sync-scores', 1, 60_000);
    if (lease === undefined) throw new Error('nothing is due');
    return lease;
  }
});

/** Ends where it would store, having written nothing of what it read: as a kill does. */
function dyingBeforeItStores(store: Store, died: () => void): Store {
  return { ...store, scores: { ...store.scores, saveSync: () => forever(died) } };
}

/** The wrong order: the mark "read" is written, then comes the end, and what was read is lost. */
function markingFirst(store: Store, died: () => void): Store {
  return {
    ...store,
    scores: { ...store.scores, saveSync: async () => undefined },
    work: {
      ...store.work,
      async saveTenant(scope, lease, change) {
        await store.work.saveTenant(scope, lease, change);
        await forever(died);
      },
    },
  };
}

/** Nothing more happens here: the process is gone. */
function forever(died: () => void): Promise<never> {
  died();
  return new Promise(() => undefined);
}

async function isWireServer(uri: string): Promise<boolean> {
  const client = await MongoClient.connect(uri, { serverSelectionTimeoutMS: 5_000 });
  const facts = await client.db('admin').command({ buildInfo: 1 });
  await client.close();
  return facts.secantusVersion !== undefined;
}

async function inGroups<T>(all: readonly T[], size: number, work: (one: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < all.length; at += size) await Promise.all(all.slice(at, at + size).map(work));
}
