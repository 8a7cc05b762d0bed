import cron from 'node-cron';
import { errorCode, hasCode } from '../errors.ts';
import type { Lease, Services } from '../services.ts';
import { syncScores } from './sync-scores.ts';

/** How many tenants are read at once, and how long a lease lasts before somebody else may take the work over. */
export type TimetableOptions = { atOnce?: number; leaseMs?: number };

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
  const atOnce = options.atOnce ?? 64;
  const leaseMs = options.leaseMs ?? 60_000;
  const running = new Set<Promise<void>>();
  let stopped = false;
  let claiming = false;
  let again = false;

  const tick = cron.schedule('*/5 * * * * *', () => pump(), { name: 'tick', noOverlap: true });
  const cleaning = cron.schedule('43 * * * *', () => clean(), { name: 'sweep', noOverlap: true });
  pump();

  /** Rows whose time has passed, 1,000 a call and 20 calls an hour: more waits for the next hour. */
  async function clean(): Promise<void> {
    try {
      for (let calls = 0; calls < 20 && !stopped; calls += 1) if ((await store.sweep()) === 0) return;
    } catch (error) {
      log.warn({ code: errorCode(error) }, 'old rows could not be removed');
    }
  }

  function pump(): void {
    if (stopped || signal.aborted) return;
    if (claiming) {
      again = true;
      return;
    }
    claiming = true;
    void claim().finally(() => {
      claiming = false;
      if (again) {
        again = false;
        pump();
      }
    });
  }

  async function claim(): Promise<void> {
    try {
      const free = atOnce - running.size;
      if (free <= 0) return;
      const leases = await store.work.claimDue('sync-scores', Math.min(free, 50), leaseMs);
      for (const lease of leases) start(lease);
      // A full hand means that there may be more; an empty slot later pumps again.
      if (leases.length === Math.min(free, 50)) again = true;
    } catch (error) {
      // The store is away: the next tick asks again, nothing was taken.
      log.warn({ code: errorCode(error) }, 'due work could not be read');
    }
  }

  function start(lease: Lease): void {
    const work = perform(lease).finally(() => {
      running.delete(work);
      pump();
    });
    running.add(work);
  }

  async function perform(lease: Lease): Promise<void> {
    const keep = setInterval(() => {
      store.work.renew(lease, leaseMs).catch((error: unknown) => {
        log.warn({ tenant: lease.tenantId, code: errorCode(error) }, 'lease could not be renewed');
      });
    }, leaseMs / 3);
    const started = performance.now();
    try {
      const outcome = await syncScores(lease, services);
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
    running: () => running.size,
    async stop(ms) {
      stopped = true;
      await Promise.all([tick.destroy(), cleaning.destroy()]);
      const deadline = new Promise<void>((resolve) => setTimeout(resolve, ms).unref());
      await Promise.race([Promise.allSettled([...running]), deadline]);
    },
  };
}
