import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildTab } from '../../bot/build-tab.ts';
import { spread } from './figures.ts';
import { type PartOptions, type PartResult, told } from './part.ts';
import { chosen, parts } from './parts/index.ts';
import { profileOptions, profileSummary } from './profile.ts';
import { inRounds } from './rounds.ts';

/**
 * `npm run bench`: Watchpost beside what else there is, in turns within one run, as ratios. Ends with 1 when one is
 * worse than what is acceptable or when a part is no measurement: a reply or a row was lost. `docs/bench.md` says how
 * to read it.
 */
const { values: options } = parseArgs({
  options: {
    /** Few short rounds of the parts that fit into three minutes. */
    quick: { type: 'boolean', default: false },
    /** Letters of parts: `--only a,c`. */
    only: { type: 'string' },
    rounds: { type: 'string' },
    /** Length of one round over one side. */
    seconds: { type: 'string' },
    /** Tenants of the long round in part f. */
    tenants: { type: 'string', default: '10000' },
    seed: { type: 'string' },
    /** Name of the result file. */
    name: { type: 'string' },
    /** Writes V8 profiles of the sides of part a beside the result and prints what they spent their time on. */
    profile: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds ?? (options.quick ? 3 : 5));
const seconds = Number(options.seconds ?? (options.quick ? 3 : 10));
const startedAt = new Date().toISOString();
const name = options.name ?? startedAt.replaceAll(':', '-');
const seed = options.seed ?? startedAt;
const root = fileURLToPath(new URL('../..', import.meta.url));
const results = join(root, 'bench/results');
const profiles = join(results, `${name}-profile`);

const machine = { cores: cpus().length, model: cpus()[0]?.model ?? 'unknown', platform: process.platform };
const commit =
  spawnSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).stdout?.trim() || 'unknown';

try {
  process.exitCode = (await run(chosen(options.only, options.quick))) ? 1 : 0;
} catch (error) {
  console.error(sentence(error));
  process.exitCode = 1;
}

/** Runs the parts, prints, writes; true when something is worse than acceptable or no measurement. */
async function run(letters: readonly string[]): Promise<boolean> {
  console.log(
    `${machine.cores} cores, ${machine.model}; Node ${process.versions.node}; commit ${commit.slice(0, 10)}`,
  );
  console.log(
    `seed ${seed}; parts ${letters.join(', ')}; ${rounds} rounds of about ${seconds} s on each side`,
  );
  await buildTab();
  const tables: string[] = [];
  const report: Record<string, unknown> = {};
  const canaries: (number | null)[] = [];
  let worse = 0;
  let failed = 0;
  for (const letter of letters) {
    const part = parts[letter];
    if (part === undefined) continue;
    const began = performance.now();
    console.log(`\n(${letter}) ${part.name}`);
    let result: PartResult;
    try {
      result = await part.run(partOptions());
    } catch (error) {
      // The other parts say what they have to say.
      failed += 1;
      report[letter] = { failed: sentence(error) };
      tables.push('', `(${letter}) ${part.name}: NOT MEASURED. ${sentence(error)}`);
      continue;
    }
    const comparisons = result.comparisons.map(told);
    for (const { ours, theirs } of result.comparisons) {
      canaries.push(...[...ours.cells, ...(theirs?.cells ?? [])].map((cell) => cell.canaryMs ?? null));
    }
    worse += comparisons.flatMap(({ judged }) => judged).filter(({ verdict }) => verdict === 'worse').length;
    for (const { lines } of comparisons) tables.push('', `(${letter}) ${lines.join('\n')}`);
    tables.push(...result.notes.map((note) => `    ${note}`));
    report[letter] = {
      seconds: Math.round((performance.now() - began) / 1000),
      comparisons: comparisons.map((one) => one.report),
      notes: result.notes,
    };
  }
  console.log(tables.join('\n'));
  const canary = spread(canaries.filter((ms) => ms !== null));
  if (canary !== null && canary.max > 1.3 * canary.min) {
    const slow = (canary.max / canary.min).toFixed(1);
    console.log(
      `\nThe machine was disturbed: the same arithmetic took up to ${slow} times as long. Judge by ratios.`,
    );
  }
  const about = { startedAt, seed, commit, node: process.versions.node, machine, rounds, seconds };
  mkdirSync(results, { recursive: true });
  const whole = { ...about, quick: options.quick, worse, failed, canary, parts: report };
  writeFileSync(join(results, `${name}.json`), `${JSON.stringify(whole, null, 2)}\n`);
  if (options.profile) for (const line of profileSummary(profiles)) console.log(line);
  console.log(`\nWritten to ${join('bench/results', `${name}.json`)}`);
  console.log(`bench: ${worse} worse than acceptable${failed === 0 ? '' : `, ${failed} not measured`}`);
  return worse + failed > 0;
}

function partOptions(): PartOptions {
  return {
    quick: options.quick,
    inTurns: (sides) => inRounds(sides, { rounds, repeats: options.quick ? 0 : 2, say: console.log }),
    seconds,
    seed,
    tenants: Number(options.tenants),
    profiled: (who) => (options.profile ? profileOptions(profiles, who) : []),
    say: console.log,
  };
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
