import {
  AggregatorRegistry,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  type MetricObject,
  Registry,
} from 'prom-client';
import type { Metrics } from './services.ts';

/** What waits, asked for whenever the figures are read. `oldestSeconds` is the age of the oldest that is due. */
export type Backlog = {
  work(): Promise<number>;
  outbox(): Promise<{ waiting: number; oldestSeconds: number }>;
  /** Conversations that are not told what they watch. */
  unreachable(): Promise<number>;
};

/**
 * The figures of one thread. Labels are bounded: kinds, outcomes, statuses and Graph paths without ids; never a
 * tenant's name or id (I-11).
 */
export function openMetrics(thread: 'main' | 'clock', backlog?: Backlog): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ thread });
  collectDefaultMetrics({ register: registry, prefix: 'watchpost_' });
  const seconds = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 60];
  const turns = new Histogram({
    name: 'watchpost_turn_seconds',
    help: 'Turns of the bot by command and outcome.',
    labelNames: ['kind', 'outcome'],
    buckets: seconds,
    registers: [registry],
  });
  const syncs = new Histogram({
    name: 'watchpost_sync_seconds',
    help: 'Syncs of one tenant by kind and outcome.',
    labelNames: ['kind', 'outcome'],
    buckets: seconds,
    registers: [registry],
  });
  const graph = new Histogram({
    name: 'watchpost_graph_seconds',
    help: 'Calls to Microsoft by path and status.',
    labelNames: ['path', 'status'],
    buckets: seconds,
    registers: [registry],
  });
  const store = new Histogram({
    name: 'watchpost_store_seconds',
    help: 'Store operations.',
    labelNames: ['operation'],
    buckets: [0.000_05, 0.000_25, 0.001, 0.005, 0.01, 0.05, 0.25, 1, 5],
    registers: [registry],
  });
  if (backlog !== undefined) {
    new Gauge({
      name: 'watchpost_work_due',
      help: 'Pieces of work that are due and nobody has taken.',
      registers: [registry],
      async collect() {
        this.set(await backlog.work());
      },
    });
    new Gauge({
      name: 'watchpost_outbox_oldest_seconds',
      help: 'Age of the oldest news that is due and not told yet.',
      registers: [registry],
      async collect() {
        this.set((await backlog.outbox()).oldestSeconds);
      },
    });
    new Gauge({
      name: 'watchpost_outbox_broken',
      help: 'Conversations that watch tenants and cannot be told.',
      registers: [registry],
      async collect() {
        this.set(await backlog.unreachable());
      },
    });
    new Gauge({
      name: 'watchpost_outbox_waiting',
      help: 'News that waits to be told to a conversation.',
      registers: [registry],
      async collect() {
        this.set((await backlog.outbox()).waiting);
      },
    });
  }
  const [countTurn, countSync] = [observer(turns), observer(syncs)];
  const [countCall, countOperation] = [observer(graph), observer(store)];
  let other: MetricObject[] | undefined;

  return {
    turn: (kind, outcome, ms) => countTurn(ms, kind, outcome),
    sync: (kind, outcome, ms) => countSync(ms, kind, outcome),
    graphCall: (path, status, ms) => countCall(ms, path, String(status)),
    storeCall: (operation, ms) => countOperation(ms, operation),
    async text() {
      const own = await registry.getMetricsAsJSON();
      const all = other === undefined ? [own] : [own, other];
      // The aggregate keeps the `thread` label, so that nothing of the two threads is added up unseen.
      return await AggregatorRegistry.aggregate(all as unknown as MetricObject[]).metrics();
    },
    snapshot: () => registry.getMetricsAsJSON(),
    merge(snapshot) {
      if (Array.isArray(snapshot)) other = snapshot as MetricObject[];
    },
  };
}

/** Looking labels up costs more than counting, and each turn counts a dozen times: values are kept with their counter. */
function observer(histogram: Histogram): (ms: number, ...values: string[]) => void {
  const counters = new Map<string, { observe(value: number): void }>();
  return (ms, ...values) => {
    const key = values.join('\n');
    let counter = counters.get(key);
    if (counter === undefined) {
      counter = histogram.labels(...values);
      counters.set(key, counter);
    }
    counter.observe(ms / 1000);
  };
}

/** A call's label: Graph's path without ids, else the service. Bounded, and without any tenant in it (I-11). */
export function callLabel(host: string, path: string): string {
  if (host.includes('graph')) {
    const plain = path.replace(/^\/(v1\.0|beta)/, '');
    return graphPaths.find((known) => plain === known || plain.startsWith(`${known}/`)) ?? '/other';
  }
  if (host.startsWith('login.') && host.includes('botframework')) return 'bot keys';
  if (host.startsWith('login.')) return path.includes('/oauth2/') ? 'entra token' : 'entra metadata';
  return 'connector';
}

const graphPaths = [
  '/organization',
  '/domains',
  '/subscribedSkus',
  '/security/secureScores',
  '/security/secureScoreControlProfiles',
];
