import { LRUCache } from 'lru-cache';
import cron from 'node-cron';
import { errorCode, hasCode } from '../errors.ts';
import type { Lease, OutboxLease, Services } from '../services.ts';
import { dueForAll } from './due-for-all.ts';
import { openLane } from './lane.ts';
import { sendDue } from './send-due.ts';
import { syncDirectory } from './sync-directory.ts';
import { syncScores } from './sync-scores.ts';

/**
 * How many tenants are read at once, and how long a lease lasts before somebody else may take the work over; to how
 * many conversations something is sent at once, none when this thread has no way into Teams.
 */
export type TimetableOptions = { atOnce?: number; leaseMs?: number; sendAtOnce?: number };

const mostDirectories = 6;

export type Timetable = {
  /** Looks for due work now instead of at the next tick. */
  nudge(): void;
  /** Takes no more work and waits for what is running, at most `ms`. */
  stop(ms: number): Promise<void>;
  /** Pieces of work running in this thread. */
  running(): number;
};

/**
 * Everything that waits for the clock. node-cron only ticks; what is due stands in the store and is claimed there
 * under a lease, so that several instances share the work and a killed one loses none of it.
 */
export function startTimetable(services: Services, options: TimetableOptions = {}): Timetable {
  const { store, log, signal } = services;
  const leaseMs = options.leaseMs ?? 60_000;
  const judged = new LRUCache<string, string>({ max: 20_000 });
  const syncs = openLane({
    atOnce: options.atOnce ?? 64,
    claim: (limit) => store.work.claimDue('sync-scores', limit, leaseMs),
    perform,
    signal,
    log,
  });
  // Large and in no hurry: few at once, so that scores do not wait behind lists of users.
  const directories = openLane({
    atOnce: Math.min(options.atOnce ?? 64, mostDirectories),
    claim: (limit) => store.work.claimDue('sync-directory', limit, leaseMs),
    perform,
    signal,
    log,
  });
  const sending = openLane({
    atOnce: options.sendAtOnce ?? 16,
    claim: async (limit) => (options.sendAtOnce === 0 ? [] : await store.outbox.claimDue(limit, leaseMs)),
    perform: send,
    giveBack: (lease) => store.outbox.release(lease),
    signal,
    log,
  });
  const lanes = [syncs, directories, sending];
  let stopped = false;

  const tick = cron.schedule('*/5 * * * * *', () => pump(), { name: 'tick', noOverlap: true });
  const cleaning = cron.schedule('43 * * * *', () => clean(), { name: 'sweep', noOverlap: true });
  const looking = cron.schedule('13 */6 * * *', () => lookAgain(), { name: 'look-again', noOverlap: true });
  pump();
  void dueForAll('sync-directory', services);

  function pump(): void {
    for (const lane of lanes) lane.pump();
  }

  /** Rows whose time has passed, 1,000 a call and 20 calls an hour: more waits for the next hour. */
  async function clean(): Promise<void> {
    try {
      for (let calls = 0; calls < 20 && !stopped; calls += 1) if ((await store.sweep()) === 0) return;
    } catch (error) {
      log.warn({ code: errorCode(error) }, 'old rows could not be removed');
    }
  }

  /** Members change while we are away, or without a word from Teams: what the gate held is looked at every 6 hours too. */
  async function lookAgain(): Promise<void> {
    try {
      if ((await store.outbox.lookAgain()) > 0) sending.pump();
    } catch (error) {
      log.warn({ code: errorCode(error) }, 'what the gate held could not be looked at again');
    }
  }

  async function send(lease: OutboxLease): Promise<void> {
    try {
      const count = await sendDue(lease, services, leaseMs);
      if (count > 0) log.info({ kind: 'send', count, fence: lease.fence }, 'news sent');
    } catch (error) {
      // What was begun stays leased and is found unsettled when the lease has run out.
      log.error({ kind: 'send', code: errorCode(error), fence: lease.fence }, 'sending ended early');
    }
  }

  async function perform(lease: Lease): Promise<void> {
    const keep = setInterval(() => {
      store.work.renew(lease, leaseMs).catch((error: unknown) => {
        log.warn({ tenant: lease.tenantId, code: errorCode(error) }, 'lease could not be renewed');
      });
    }, leaseMs / 3);
    const started = performance.now();
    try {
      const outcome =
        lease.kind === 'sync-directory'
          ? await syncDirectory(lease, services)
          : await syncScores(lease, services, judged);
      const ms = Math.round(performance.now() - started);
      services.metrics.sync(lease.kind, outcome, ms);
      log.info({ tenant: lease.tenantId, kind: lease.kind, outcome, ms, fence: lease.fence }, 'sync done');
    } catch (error) {
      // One tenant's failure is news, not the end: the lease runs out and the work is due again.
      const ms = Math.round(performance.now() - started);
      if (hasCode(error, 'stopped')) {
        log.info(
          { tenant: lease.tenantId, kind: lease.kind, ms, fence: lease.fence },
          'sync cut off by the stop',
        );
        return;
      }
      services.metrics.sync(lease.kind, 'failed', ms);
      log.error(
        { tenant: lease.tenantId, kind: lease.kind, code: errorCode(error), ms, fence: lease.fence },
        'sync failed',
      );
    } finally {
      clearInterval(keep);
    }
  }

  return {
    nudge: pump,
    running: () => lanes.reduce((all, lane) => all + lane.running(), 0),
    async stop(ms) {
      stopped = true;
      for (const lane of lanes) lane.close();
      await Promise.all([tick.destroy(), cleaning.destroy(), looking.destroy()]);
      const deadline = new Promise<void>((resolve) => setTimeout(resolve, ms).unref());
      await Promise.race([Promise.all(lanes.map((lane) => lane.idle())), deadline]);
    },
  };
}
