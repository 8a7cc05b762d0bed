import { parentPort, workerData } from 'node:worker_threads';
import * as v from 'valibot';
import { readConfig } from './config.ts';
import { errorCode } from './errors.ts';
import { startCheckpoints } from './jobs/checkpoints.ts';
import { startTimetable } from './jobs/index.ts';
import { openServices } from './open-services.ts';
import { openWayOut } from './open-way-out.ts';
import { Secret } from './secrets.ts';

/**
 * The worker thread: everything that waits for the clock and not for a person. It has its own connection to the
 * store, so that a sync never stands in the way of an answer. Four messages cross, and nothing else:
 * `nudge`, `stop` in; `stopped`, `metrics` out.
 */
const started = v.parse(
  v.object({
    instanceId: v.string(),
    sandboxUrl: v.optional(v.string()),
    logFile: v.optional(v.string()),
    /** What the demo's main thread found out after the settings were read. */
    demo: v.optional(
      v.object({
        botSecret: v.string(),
        graph: v.object({ appId: v.string(), secret: v.string() }),
        publicUrl: v.string(),
      }),
    ),
  }),
  workerData,
);
const port = parentPort;
if (port === null) throw new Error('clock.ts runs as a worker thread');

const config = readConfig(process.env);
if (started.demo !== undefined) {
  config.bot.credential = { kind: 'secret', secret: new Secret(started.demo.botSecret) };
  const { appId, secret } = started.demo.graph;
  config.graph = { appId, credential: { kind: 'secret', secret: new Secret(secret) } };
  config.publicUrl = started.demo.publicUrl;
}
const stopping = new AbortController();
const opened = await openServices({
  config,
  thread: 'clock',
  instanceId: started.instanceId,
  sandboxUrl: started.sandboxUrl,
  logFile: started.logFile,
  signal: stopping.signal,
  nudge: () => timetable.nudge(),
});
const { services } = opened;
// News goes out from here; nobody is answered.
opened.setDeliver({ post: openWayOut(config, opened).sender.post });
await services.store.work.voidOwn();
await services.store.outbox.voidOwn();
const timetable = startTimetable(services);
const checkpoints = startCheckpoints(services);

const figures = setInterval(() => {
  services.metrics
    .snapshot()
    .then((snapshot) => port.postMessage({ kind: 'metrics', snapshot }))
    .catch((error: unknown) => services.log.warn({ code: errorCode(error) }, 'metrics could not be read'));
}, 5_000);

port.on('message', (message: unknown) => {
  if (message === 'nudge') timetable.nudge();
  if (message === 'stop') void stop();
});

async function stop(): Promise<void> {
  clearInterval(figures);
  checkpoints.stop();
  // First no new work, then what runs gets a moment; what is cut off stays leased and is done again after the start.
  const idle = timetable.stop(1_500);
  setTimeout(() => stopping.abort(), 1_000).unref();
  await idle;
  stopping.abort();
  await opened.close();
  port?.postMessage({ kind: 'stopped' });
  port?.close();
}
