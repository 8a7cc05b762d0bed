import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildTab } from '../../bot/build-tab.ts';
import { type Cell, ratios, scoreAims, sideFigures, spread } from './figures.ts';
import { inTurns, measured } from './in-turns.ts';
import { inFlight } from './load.ts';
import { profileOptions, profileSummary } from './profile.ts';
import { prepareGround, type Side, startBareBot, startWatchpost } from './sides.ts';
import { table } from './table.ts';

/**
 * `npm run bench`: Watchpost beside a bare botbuilder bot, in turns within one run, as ratios. Ends with 1 when a
 * ratio is worse than what is acceptable or when a turn stayed without its reply.
 */
const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    /** Length of one round over one side. */
    seconds: { type: 'string' },
    seed: { type: 'string' },
    /** Name of the result file. */
    name: { type: 'string' },
    /** Writes V8 profiles of both sides beside the result and prints what they spent their time on. */
    profile: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds ?? (options.quick ? 3 : 5));
const seconds = Number(options.seconds ?? (options.quick ? 5 : 10));
const startedAt = new Date().toISOString();
const name = options.name ?? startedAt.replaceAll(':', '-');
const seed = options.seed ?? startedAt;
const root = fileURLToPath(new URL('../..', import.meta.url));
const results = join(root, 'bench/results');

const machine = { cores: cpus().length, model: cpus()[0]?.model ?? 'unknown', platform: process.platform };
const commit =
  spawnSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).stdout?.trim() || 'unknown';
console.log(
  `${machine.cores} cores, ${machine.model}; Node ${process.versions.node}; commit ${commit.slice(0, 10)}`,
);
console.log(`seed ${seed}; ${rounds} rounds of ${seconds} s on each side, 16 in flight`);

try {
  const worse = await run();
  process.exitCode = worse ? 1 : 0;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** Runs, prints, writes; true when something is worse than acceptable. */
async function run(): Promise<boolean> {
  await buildTab();
  const profiles = join(results, `${name}-profile`);
  const profiled = (who: string): string[] => (options.profile ? profileOptions(profiles, who) : []);
  const ground = await prepareGround();
  const sides: Side[] = [];
  try {
    const watchpost = await startWatchpost(ground, seed, profiled('watchpost'));
    sides.push(watchpost);
    // The other side says what Watchpost really said.
    await measured(watchpost, inFlight);
    const bareBot = await startBareBot(ground, await ground.reply(), profiled('bare-bot'));
    sides.push(bareBot);
    const cells = await inTurns(watchpost, bareBot, rounds, seconds, console.log);
    return told(watchpost.name, cells.ours, bareBot.name, cells.theirs);
  } finally {
    for (const side of sides) await side.stop();
    await ground.microsoft.stop();
    if (options.profile) for (const line of profileSummary(profiles)) console.log(line);
  }
}

function told(ourName: string, ours: Cell[], theirName: string, theirs: Cell[]): boolean {
  const figures = { ours: sideFigures(ours), theirs: sideFigures(theirs) };
  const judged = ratios(figures.ours, figures.theirs, scoreAims);
  const title = '/score <tenant> with token check, store and card; median (least to most) of the rounds';
  const sides = [
    { name: ourName, figures: figures.ours },
    { name: theirName, figures: figures.theirs },
  ];
  console.log(['', ...table(title, sides, judged), ''].join('\n'));
  const canary = spread([...ours, ...theirs].map((cell) => cell.canaryMs));
  if (canary !== null && canary.max > 1.3 * canary.min) {
    const slow = (canary.max / canary.min).toFixed(1);
    console.log(
      `The machine was disturbed: the same arithmetic took up to ${slow} times as long. Judge by ratios.`,
    );
  }
  const about = { startedAt, seed, commit, node: process.versions.node, machine, rounds, seconds };
  const report = {
    ...about,
    quick: options.quick,
    score: { figures, ratios: judged, canary, cells: { ours, theirs } },
  };
  mkdirSync(results, { recursive: true });
  writeFileSync(join(results, `${name}.json`), `${JSON.stringify(report, null, 2)}\n`);
  console.log(`Written to ${join('bench/results', `${name}.json`)}`);
  return judged.some(({ verdict }) => verdict === 'worse');
}
