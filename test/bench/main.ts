import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildTab } from '../../bot/demo.ts';
import { ratios, scoreAims, sideFigures } from './figures.ts';
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

await buildTab();
const profiles = join(results, `${name}-profile`);
const ground = await prepareGround();
const sides: Side[] = [];
try {
  const watchpost = await startWatchpost(
    ground,
    seed,
    options.profile ? profileOptions(profiles, 'watchpost') : [],
  );
  sides.push(watchpost);
  // One turn to hear what it says.
  await measured(watchpost, inFlight);
  // The other side says what Watchpost really said.
  const bareBot = await startBareBot(
    ground,
    await ground.reply(),
    options.profile ? profileOptions(profiles, 'bare-bot') : [],
  );
  sides.push(bareBot);
  const cells = await inTurns(watchpost, bareBot, rounds, seconds, console.log);

  const figures = { ours: sideFigures(cells.ours), theirs: sideFigures(cells.theirs) };
  const judged = ratios(figures.ours, figures.theirs, scoreAims);
  console.log(
    [
      '',
      ...table(
        '/score <tenant> with token check, store and card; median (least to most) of the rounds',
        [
          { name: watchpost.name, figures: figures.ours },
          { name: bareBot.name, figures: figures.theirs },
        ],
        judged,
      ),
      '',
    ].join('\n'),
  );
  mkdirSync(results, { recursive: true });
  const file = join(results, `${name}.json`);
  const report = {
    startedAt,
    seed,
    commit,
    node: process.versions.node,
    machine,
    quick: options.quick,
    rounds,
    seconds,
  };
  writeFileSync(
    file,
    `${JSON.stringify({ ...report, score: { figures, ratios: judged, cells } }, null, 2)}\n`,
  );
  console.log(`Written to ${file}`);
  if (judged.some(({ verdict }) => verdict === 'worse')) process.exitCode = 1;
} finally {
  for (const side of sides) await side.stop();
  await ground.microsoft.stop();
}
if (options.profile) for (const line of profileSummary(profiles)) console.log(line);
