import * as v from 'valibot';
import type { Aim, Cell, Measure } from '../figures.ts';
import { type HelperProcess, startHelper } from '../helper-process.ts';
import type { Comparison, Part, PartOptions, PartResult } from '../part.ts';
import type { Contestant } from '../rounds.ts';

const tenants = 1_000;
const measures: readonly Measure[] = [
  { key: 'upsertMs', name: `a day of ${tenants} tenants written, ms`, digits: 0 },
  { key: 'upsertCpuMs', name: '  CPU ms', digits: 0 },
  { key: 'latestMs', name: `latest score of ${tenants} tenants, ms`, digits: 1 },
  { key: 'latestCpuMs', name: '  CPU ms', digits: 1 },
  { key: 'trendMs', name: '90 days of one tenant, ms', digits: 3 },
  { key: 'trendCpuMs', name: '  CPU ms', digits: 3 },
];
const shown: readonly Aim[] = measures.map(({ key }) => ({ measure: key, better: 'less' }));
const aims: readonly Aim[] = shown.map((aim) =>
  aim.measure.endsWith('CpuMs') ? aim : { ...aim, aim: 2, acceptable: 2 },
);
const figures = v.record(v.string(), v.number());

/** (e) The store beside bare SQL, and how long the bot's thread waits for it. */
export const store: Part = {
  name: 'the store',
  async run(options) {
    const besides = await besideBare(options, process.env.MONGODB_URI || undefined);
    return {
      comparisons: [...besides.comparisons, ...(await waits(options))],
      notes: [
        ...besides.notes,
        'Both hold 90 days; a day is a snapshot, three changes, the posture and the evaluated controls of each tenant, on disk.',
        'Bare: prepared statements, JSON, WAL, synchronous FULL, 50 tenants in a transaction; no leases, no checks.',
      ],
    };
  },
};

async function besideBare(options: PartOptions, mongodbUri: string | undefined): Promise<PartResult> {
  const { seed, inTurns } = options;
  const helpers: HelperProcess[] = [];
  const start = async (name: string, settings: object): Promise<Contestant> => {
    const helper = await startHelper('store-side.ts', { tenants, seed, ...settings });
    helpers.push(helper);
    const round = async (): Promise<Cell> => v.parse(figures, await helper.ask('run'));
    for (let warm = 0; warm < 2; warm += 1) await round();
    return { name, round };
  };
  try {
    const sides = [await start('embedded', { kind: 'embedded' }), await start('bare', { kind: 'bare' })];
    const notes: string[] = [];
    if (mongodbUri === undefined) notes.push('MongoDB: not measured, MONGODB_URI is not set.');
    else {
      await start('MongoDB', { kind: 'mongo', mongodbUri }).then(
        (side) => sides.push(side),
        // What stands there is not under test here: the other figures count without it.
        (error: unknown) => notes.push(`MongoDB: not measured. ${reasonOf(error)}`),
      );
    }
    const [embedded, bare, mongo] = await inTurns(sides);
    const theirs = { name: 'bare node:sqlite', cells: bare ?? [] };
    const all: Comparison[] = [
      {
        title: 'the embedded store',
        measures,
        aims,
        ours: { name: 'embedded', cells: embedded ?? [] },
        theirs,
      },
    ];
    if (mongo !== undefined) {
      const ours = { name: 'MongoDB', cells: mongo };
      all.push({ title: 'MongoDB (not judged)', measures, aims: shown, ours, theirs });
    }
    return { comparisons: all, notes };
  } finally {
    for (const helper of helpers) await helper.stop();
  }
}

/** The line that names what went wrong, of all that a process said when it ended. */
function reasonOf(error: unknown): string {
  const said = error instanceof Error ? error.message : String(error);
  return /\w*Error: .*/.exec(said)?.[0] ?? said.split('\n', 1)[0] ?? '';
}

const waited: Pick<Comparison, 'measures' | 'aims'> = {
  measures: [
    { key: 'longestMs', name: 'longest call, ms', digits: 2 },
    { key: 'longestReadMs', name: 'longest read, ms', digits: 2 },
    { key: 'longestWriteMs', name: 'longest write, ms', digits: 2 },
    { key: 'readP99Ms', name: 'p99 of reads, ms', digits: 2 },
    { key: 'writeP99Ms', name: 'p99 of writes, ms', digits: 2 },
    { key: 'tenantsPerSecond', name: 'tenants written/s', digits: 0 },
  ],
  aims: [{ measure: 'longestMs', better: 'less', as: 'figure', aim: 10, acceptable: 10 }],
};

async function waits({ seconds, seed, inTurns }: PartOptions): Promise<Comparison[]> {
  const helper = await startHelper('store-wait.ts', { seed });
  const side = (name: string, writing: string, ms = seconds * 1000): Contestant => ({
    name,
    round: async () => v.parse(figures, await helper.ask({ ms, writing })),
  });
  try {
    await side('warm-up', 'flat-out', 2_000).round(0);
    const sides = [
      side('while a sync writes', 'as-a-sync'),
      side('while it writes without a pause', 'flat-out'),
      side('alone', 'nothing'),
    ];
    const [synced, flatOut, alone] = await inTurns(sides);
    const theirs = { name: 'alone', cells: alone ?? [] };
    return [
      { name: 'while a sync writes', cells: synced ?? [] },
      { name: 'while it writes without a pause', cells: flatOut ?? [] },
    ].map((ours) => ({ title: "what the bot's thread waits for the store", ...waited, ours, theirs }));
  } finally {
    await helper.stop();
  }
}
