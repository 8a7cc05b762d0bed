import { setTimeout as pause } from 'node:timers/promises';
import * as v from 'valibot';
import { parseKeyring } from '../../bot/secrets.ts';
import type { Store } from '../../bot/services.ts';
import { openStore } from '../../bot/store/open.ts';
import { scopeOfJob, scopeOfSystem } from '../../shared/access.ts';
import type { Instant } from '../../shared/time.ts';
import { connectAll, type Listed, sure } from './connect-all.ts';
import { inHands } from './hands.ts';
import { startHelper } from './helper-process.ts';
import { type Ground, type Side, startWatchpost } from './sides.ts';

/** The whole program with tenants to sync, and the means to make them all due at once. */
export type Synced = {
  side: Side;
  tenants: number;
  /** A new score of every tenant, all of them due; resolves when the first was asked for. */
  begin(delayMs?: number): Promise<void>;
  /** Requests that Graph has answered since `begin`. */
  asked(): Promise<number>;
  /** Resolves when all are read and written; answers the seconds since `begin` made the first one due. */
  finished(withinMs: number): Promise<number>;
  /** How many tenants the store holds a score of. */
  scored(): Promise<number>;
  stop(): Promise<void>;
};

/** What a sync of one tenant asks. */
export const callsEach = 5;
const listed = v.array(v.object({ id: v.string(), domain: v.string(), name: v.string() }));

export async function startSynced(ground: Ground, seed: string, tenants: number): Promise<Synced> {
  const now = new Date().toISOString();
  const graph = await startHelper('fake-graph.ts', { tenants, seed, now, alike: true });
  const look = async (path: string): Promise<unknown> => (await fetch(`${graph.url}/_bench/${path}`)).json();
  const known = v.parse(listed, await look('tenants'));
  // The bench's own connection to the program's store: it only makes tenants due, and looks.
  const held: { store?: Store } = {};
  const begun = await startWatchpost(ground, seed, [], {
    env: { BENCH_GRAPH: graph.url, LOG_LEVEL: 'warn' },
    preload: ['test/bench/to-fakes.ts'],
    async seed({ folder, encryptionKeys }) {
      const keyring = parseKeyring(encryptionKeys);
      held.store = await openStore({ folder, instanceId: 'bench', keyring, gatherMs: 4 });
      await connectAll({ store: held.store }, known);
    },
  }).catch(async (error: unknown) => {
    await graph.stop();
    throw error;
  });
  const { store } = held;
  if (store === undefined) throw new Error('the store was not opened');
  const asked = async (): Promise<number> =>
    v.parse(v.object({ asked: v.number() }), await look('asked')).asked;
  let number = 0;
  let began = 0;
  let dueAt = '';
  return {
    side: begun,
    tenants,
    asked,
    async begin(delayMs = 0) {
      number += 1;
      await fetch(`${graph.url}/_bench/phase`, { method: 'POST', body: JSON.stringify({ number, delayMs }) });
      began = performance.now();
      dueAt = store.now();
      await makeDue(store, known, dueAt);
      while ((await asked()) === 0) {
        if (performance.now() - began > 60_000) throw new Error('no sync began within a minute');
        await pause(50);
      }
    },
    async finished(withinMs) {
      const late = (): boolean => performance.now() - began > withinMs;
      while ((await asked()) < tenants * callsEach) {
        if (late()) throw new Error(`${await asked()} of ${tenants * callsEach} requests were made in time`);
        await pause(250);
      }
      for (const { id } of known) {
        for (;;) {
          const row = await store.work.get(scopeOfJob(sure(id)), sure(id), 'sync-scores');
          if (row?.lastDoneAt !== undefined && row.lastDoneAt >= dueAt && row.lease === undefined) break;
          if (late()) throw new Error('a tenant was read and never finished');
          await pause(50);
        }
      }
      return (performance.now() - began) / 1000;
    },
    async scored() {
      const postures = await store.scores.postures(
        scopeOfSystem(),
        known.map(({ id }) => sure(id)),
      );
      return postures.length;
    },
    async stop() {
      await store.close();
      await begun.stop();
      await graph.stop();
    },
  };
}

async function makeDue(store: Store, tenants: readonly Listed[], at: Instant): Promise<void> {
  await inHands(tenants, 200, async ({ id }) => {
    const known = sure(id);
    await store.work.schedule(scopeOfJob(known), known, 'sync-scores', at);
  });
}
