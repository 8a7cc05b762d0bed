import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import type { Aim, Cell, Measure } from '../figures.ts';
import { type HelperProcess, startHelper } from '../helper-process.ts';
import type { Comparison, Part, PartOptions } from '../part.ts';
import type { Contestant } from '../rounds.ts';

const measures: readonly Measure[] = [
  { key: 'requestsPerSecond', name: 'requests/s', digits: 0 },
  { key: 'cpuMsPerRequest', name: 'CPU ms per request', digits: 3 },
  { key: 'busy', name: 'cores busy', digits: 2 },
  { key: 'kbPerRequest', name: 'KiB per answer', digits: 1 },
  { key: 'rssMb', name: 'RSS MiB', digits: 0 },
];
const walls: readonly Measure[] = [{ key: 'seconds', name: 'seconds', digits: 1 }, ...measures];
const took = v.object({
  ...{ requests: v.number(), bytes: v.number(), changed: v.number(), seconds: v.number() },
  ...{ cpuMs: v.number(), rssMb: v.number() },
});
const seen = v.object({ asked: v.number(), refused: v.number(), addresses: v.array(v.string()) });

/** (c) A day of many tenants read by the product, beside the loops that do nothing with what they read. */
export const sync: Part = {
  name: 'a sync of many tenants',
  async run(options) {
    const { quick } = options;
    const day = await rig(options, 300);
    let comparisons: Comparison[];
    try {
      comparisons = await dayBeside(day, options);
    } finally {
      await day.stop();
    }
    if (!quick) comparisons.push(await throttled(options));
    return {
      comparisons,
      notes: [
        'Watchpost: tokens, schemas, mapping, rules and an embedded store, 64 tenants at once as its clock thread does; 5 requests a tenant, of which the scores are new.',
        'The loops ask the same addresses and read the same bytes, 16 requests in flight, and do nothing with them.',
      ],
    };
  },
};

async function dayBeside(day: Rig, options: PartOptions): Promise<Comparison[]> {
  const { quick, inTurns } = options;
  const product = await day.start('watchpost');
  // First everything there is, then what a later day asks: the loops ask that.
  await day.phase();
  await product.ask(day.order());
  await day.phase();
  await product.ask(day.order());
  await day.learn();
  const sides = [
    await loop(day, await day.start('raw'), 'raw undici', options),
    await reading(day, product, 'Watchpost', 'changed'),
    await reading(day, product, 'Watchpost, nothing new', 'unchanged'),
    ...(quick ? [] : [await loop(day, await day.start('graph-client'), 'graph-client', options)]),
  ];
  const [raw, changed, unchanged, client] = await inTurns(sides);
  const ours = { name: 'Watchpost', cells: changed ?? [] };
  const theirs = { name: 'undici + JSON.parse', cells: raw ?? [] };
  return [
    {
      title: 'a new score of every tenant, beside the bare loop',
      ...{ measures, aims: aims(0.9, 0.75), ours, theirs },
    },
    {
      title: 'a day on which nothing changed, beside the bare loop',
      ...{ measures, aims: aims(1.8, 1.4), theirs },
      ours: { name: 'Watchpost', cells: unchanged ?? [] },
    },
    ...(client === undefined
      ? []
      : [
          {
            title: "a new score of every tenant, beside Microsoft's client without a store",
            ...{ measures, aims: aims(1.3, 1.1), ours },
            theirs: { name: 'graph-client', cells: client },
          },
        ]),
  ];
}

function aims(aim: number, acceptable: number): Aim[] {
  return [
    { measure: 'requestsPerSecond', better: 'more', aim, acceptable },
    { measure: 'cpuMsPerRequest', better: 'less' },
    { measure: 'rssMb', better: 'less' },
  ];
}

/** 6,000 requests at 20 ms, with and without one in twenty refused for a second. */
async function throttled(options: PartOptions): Promise<Comparison> {
  const many = await rig(options, 1_200);
  try {
    const product = await many.start('watchpost');
    await many.phase();
    await product.ask(many.order());
    const side = (name: string, share: number): Contestant => ({
      name,
      async round() {
        await many.phase({ delayMs: 20, throttled: share });
        const cell = cellOf(v.parse(took, await product.ask(many.order())));
        const { refused } = await many.seen();
        if (refused === 0 && share > 0) throw new Error('nothing was refused');
        return { ...cell, refused };
      },
    });
    const sides = [side('one in twenty refused', 0.05), side('none refused', 0)];
    const [with429, without] = await options.inTurns(sides);
    return {
      title: '6,000 requests at 20 ms; one in twenty answered 429 with Retry-After 1 s',
      measures: walls,
      aims: [{ measure: 'seconds', better: 'less', as: 'difference', aim: 4, acceptable: 6 }],
      ours: { name: 'with 429', cells: with429 ?? [] },
      theirs: { name: 'without', cells: without ?? [] },
    };
  } finally {
    await many.stop();
  }
}

type Rig = {
  tenants: number;
  start(kind: 'watchpost' | 'raw' | 'graph-client'): Promise<HelperProcess>;
  /** A new score of every tenant. */
  phase(how?: { throttled?: number; delayMs?: number }): Promise<void>;
  seen(): Promise<v.InferOutput<typeof seen>>;
  /** What the product has asked of one tenant in this phase is what the loops ask. */
  learn(): Promise<void>;
  order(laps?: number): { addresses: string[]; laps: number };
  stop(): Promise<void>;
};

async function rig({ seed }: PartOptions, tenants: number): Promise<Rig> {
  const graph = await startHelper('fake-graph.ts', { tenants, seed, now: new Date().toISOString() });
  const common = { url: graph.url, encryptionKeys: `k1:${randomBytes(32).toString('base64')}` };
  const sides: HelperProcess[] = [];
  let addresses: string[] = [];
  let number = 0;
  const look = async () => v.parse(seen, await (await fetch(`${graph.url}/_bench/asked`)).json());
  return {
    tenants,
    async start(kind) {
      const side = await startHelper('graph-side.ts', { kind, ...common });
      sides.push(side);
      return side;
    },
    async phase(how = {}) {
      number += 1;
      const answer = await fetch(`${graph.url}/_bench/phase`, {
        method: 'POST',
        body: JSON.stringify({ number, ...how }),
      });
      if (!answer.ok) throw new Error('the Graph of the bench has no new day');
    },
    seen: look,
    async learn() {
      ({ addresses } = await look());
    },
    order: (laps = 1) => ({ addresses, laps }),
    async stop() {
      for (const side of sides) await side.stop();
      await graph.stop();
    },
  };
}

/** The product reads all tenants once. Throws unless it asked what the loops ask, and found what is there. */
async function reading(
  day: Rig,
  product: HelperProcess,
  name: string,
  kind: 'changed' | 'unchanged',
): Promise<Contestant> {
  const { addresses } = day.order();
  return {
    name,
    async round() {
      if (kind === 'changed') await day.phase();
      const answer = v.parse(took, await product.ask(day.order()));
      const wanted = day.tenants * addresses.length;
      if (answer.requests !== wanted)
        throw new Error(`${name} asked ${answer.requests} times, the loops ask ${wanted} times`);
      const found = kind === 'changed' ? answer.changed : day.tenants - answer.changed;
      if (found !== day.tenants) throw new Error(`${name}: ${day.tenants - found} tenants were not ${kind}`);
      return cellOf(answer);
    },
  };
}

/** As many laps over all tenants as fill a round. */
async function loop(
  day: Rig,
  helper: HelperProcess,
  name: string,
  { seconds }: PartOptions,
): Promise<Contestant> {
  const first = v.parse(took, await helper.ask(day.order()));
  let lapSeconds = v.parse(took, await helper.ask(day.order())).seconds;
  return {
    name,
    async round() {
      const laps = Math.max(1, Math.round(seconds / lapSeconds));
      const answer = v.parse(took, await helper.ask(day.order(laps)));
      lapSeconds = answer.seconds / laps;
      if (answer.requests !== first.requests * laps) throw new Error(`${name} lost requests`);
      return cellOf(answer);
    },
  };
}

function cellOf({ requests, bytes, seconds, cpuMs, rssMb }: v.InferOutput<typeof took>): Cell {
  return {
    ...{ requests, seconds, rssMb, kbPerRequest: bytes / requests / 1024 },
    requestsPerSecond: requests / seconds,
    cpuMsPerRequest: cpuMs / requests,
    busy: cpuMs / 1000 / seconds,
  };
}
