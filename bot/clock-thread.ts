import { Worker } from 'node:worker_threads';
import type { Log } from './log.ts';
import type { Metrics } from './services.ts';

export type ClockThread = { nudge(): void; stop(ms: number): Promise<void> };

/**
 * Starts the clock's worker thread. When it ends without having been asked to, `onEnd` is called: a server that
 * answers but no longer syncs would look healthy and not be.
 */
export function startClockThread(
  data: {
    instanceId: string;
    sandboxUrl: string | undefined;
    logFile: string | undefined;
    demo: { botSecret: string; graph: { appId: string; secret: string }; publicUrl: string } | undefined;
  },
  metrics: Metrics,
  log: Log,
  onEnd: () => void,
): ClockThread {
  const worker = new Worker(new URL('./clock.ts', import.meta.url), { workerData: data });
  let stopping = false;
  let ended = false;
  const gone = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      ended = true;
      resolve();
      if (stopping) return;
      log.error({}, 'the clock thread ended unexpectedly');
      onEnd();
    });
  });
  worker.on('error', (error) =>
    log.error({ code: error instanceof Error ? error.name : 'unknown' }, 'the clock thread failed'),
  );
  worker.on('message', (message: { kind?: unknown; snapshot?: unknown }) => {
    if (message.kind === 'metrics') metrics.merge(message.snapshot);
  });
  return {
    nudge: () => {
      if (!ended) worker.postMessage('nudge');
    },
    async stop(ms) {
      stopping = true;
      if (ended) return;
      worker.postMessage('stop');
      const late = setTimeout(() => void worker.terminate(), ms);
      await gone;
      clearTimeout(late);
    },
  };
}
