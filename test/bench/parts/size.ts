import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Aim, Cell, Measure } from '../figures.ts';
import { bot } from '../in-turns.ts';
import type { Comparison, Part, PartOptions } from '../part.ts';
import { peakRssMb } from '../process-figures.ts';
import type { Contestant } from '../rounds.ts';
import { type Ground, prepareGround, startEchoBot, startWatchpost } from '../sides.ts';
import { callsEach, startSynced } from '../synced-program.ts';

/** (f) Memory, start, the tab's size, and one round over many tenants. */
export const size: Part = {
  name: 'memory, start, size of the tab, many tenants',
  async run(options) {
    const ground = await prepareGround();
    try {
      const comparisons = [
        await memory(ground, options),
        ...(await starts(ground, options)),
        tabSizes(),
        await manyTenants(ground, options),
      ];
      return {
        comparisons,
        notes: [
          'Start: from the process to "listens"; Watchpost opens its store of 200 tenants and its clock thread too.',
          `The long round: ${options.tenants} tenants read for the first time by the whole program, Graph answers after 100 ms.`,
        ],
      };
    } finally {
      await ground.microsoft.stop();
    }
  },
};

/** What both hold after the same kind of load. */
async function memory(ground: Ground, { seconds, seed, inTurns }: PartOptions): Promise<Comparison> {
  const watchpost = await startWatchpost(ground, seed);
  const echo = await startEchoBot(ground);
  try {
    const sides = [await bot(watchpost, seconds), await bot(echo, seconds)];
    const [ours, theirs] = await inTurns(sides);
    return {
      title: 'memory after load, 16 in flight',
      measures: [
        { key: 'rssMb', name: 'RSS MiB', digits: 0 },
        { key: 'turnsPerSecond', name: 'turns/s', digits: 0 },
        { key: 'cpuMsPerTurn', name: 'CPU ms per turn', digits: 3 },
      ],
      aims: [
        { measure: 'rssMb', better: 'less', aim: 1, acceptable: 1 },
        { measure: 'turnsPerSecond', better: 'more' },
        { measure: 'cpuMsPerTurn', better: 'less' },
      ],
      ours: { name: 'Watchpost', cells: ours ?? [] },
      theirs: { name: 'teams-ai echo', cells: theirs ?? [] },
    };
  } finally {
    await watchpost.stop();
    await echo.stop();
  }
}

/**
 * From nothing to listening. Watchpost keeps Node's compile cache by itself, the echo bot as its samples start it does
 * not: so the first start, with an empty cache, and the later ones are told apart, and both sides are seen with one.
 */
async function starts(ground: Ground, { seed, inTurns }: PartOptions): Promise<Comparison[]> {
  const caches = mkdtempSync(join(tmpdir(), 'wp-bench-cache-'));
  const watchpost = (name: string, env: () => Record<string, string>): Contestant => ({
    name,
    async round(): Promise<Cell> {
      const side = await startWatchpost(ground, seed, [], { env: env(), until: /Watchpost listens on/ });
      await side.stop();
      return { startMs: side.startMs };
    },
  });
  const echo = (name: string, env: Record<string, string>): Contestant => ({
    name,
    async round(): Promise<Cell> {
      const side = await startEchoBot(ground, env);
      await side.stop();
      return { startMs: side.startMs };
    },
  });
  try {
    const sides = [
      watchpost('Watchpost, first', () => ({ NODE_COMPILE_CACHE: mkdtempSync(join(caches, 'first-')) })),
      watchpost('Watchpost, later', () => ({})),
      echo('teams-ai echo', {}),
      echo('teams-ai echo, cached', { NODE_COMPILE_CACHE: join(caches, 'echo') }),
    ];
    // Fills the caches that are kept, and the file system's.
    for (const side of sides) await side.round(0);
    const [first, later, stock, cached] = await inTurns(sides);
    const beside = (title: string, ours: Cell[] | undefined, name: string, theirs: Cell[] | undefined) => ({
      title,
      measures: [{ key: 'startMs', name: 'ms until it listens', digits: 0 }],
      aims: [{ measure: 'startMs', better: 'less' as const, aim: 1.15, acceptable: 1.15 }],
      ours: { name: 'Watchpost', cells: ours ?? [] },
      theirs: { name, cells: theirs ?? [] },
    });
    return [
      beside('first start, with an empty compile cache', first, 'teams-ai echo', stock),
      beside('later starts, as they are', later, 'teams-ai echo', stock),
      beside('later starts, both with a compile cache', later, 'teams-ai echo, cached', cached),
    ];
  } finally {
    rmSync(caches, { recursive: true, force: true });
  }
}

/** Gzip sizes of the built tab, in KiB. */
function tabSizes(): Comparison {
  const folder = fileURLToPath(new URL('../../../tab/dist', import.meta.url));
  const page = readFileSync(join(folder, 'index.html'), 'utf8');
  const zipped = (file: string): number =>
    gzipSync(readFileSync(join(folder, 'assets', file)), { level: 9 }).length / 1024;
  const sum = (files: string[]): number => files.reduce((all, file) => all + zipped(file), 0);
  const initial = [...page.matchAll(/(?:src|href)="\/tab\/assets\/([^"]+\.js)"/g)].map(
    ([, file]) => file ?? '',
  );
  const scripts = readdirSync(join(folder, 'assets')).filter((file) => file.endsWith('.js'));
  const measures: Measure[] = [
    { key: 'initialKb', name: 'initial scripts, KiB gzip', digits: 1 },
    { key: 'allKb', name: 'all scripts of the first page, KiB gzip', digits: 1 },
  ];
  const aims: Aim[] = [
    { measure: 'initialKb', better: 'less', as: 'figure', aim: 110, acceptable: 110 },
    { measure: 'allKb', better: 'less', as: 'figure', aim: 175, acceptable: 175 },
  ];
  const cell = { initialKb: sum(initial), allKb: sum(scripts) };
  return { title: 'the tab', measures, aims, ours: { name: 'Watchpost', cells: [cell] } };
}

async function manyTenants(ground: Ground, { seed, tenants, say }: PartOptions): Promise<Comparison> {
  const synced = await startSynced(ground, seed, tenants);
  try {
    say(`${tenants} tenants are connected`);
    await synced.begin(100);
    const seconds = await synced.finished(40 * 60_000);
    const scored = await synced.scored();
    if (scored !== tenants) throw new Error(`${tenants - scored} of ${tenants} tenants have no score`);
    const cell: Cell = {
      tenants,
      minutes: seconds / 60,
      requestsPerSecond: (tenants * callsEach) / seconds,
      peakMb: peakRssMb(synced.side.pid),
    };
    return {
      title: `one round over ${tenants} tenants`,
      measures: [
        { key: 'minutes', name: 'minutes', digits: 2 },
        { key: 'requestsPerSecond', name: 'requests/s', digits: 0 },
        { key: 'peakMb', name: 'most RSS MiB', digits: 0 },
      ],
      aims: [
        { measure: 'minutes', better: 'less', as: 'figure', aim: 20, acceptable: 20 },
        { measure: 'peakMb', better: 'less', as: 'figure', aim: 512, acceptable: 512 },
      ],
      ours: { name: 'Watchpost', cells: [cell] },
    };
  } finally {
    await synced.stop();
  }
}
