import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildTab } from '../../bot/build-tab.ts';
import { jestBin } from './jest-bin.ts';

/** `npm run prove`: the same tests with the full counts, a seed that is printed, and a report file. */

const root = fileURLToPath(new URL('../..', import.meta.url));
const seed = process.env.WATCHPOST_SEED ?? String(Math.floor(Math.random() * 2 ** 31));
const folder = join(root, 'reports');
mkdirSync(folder, { recursive: true });
const report = join(folder, 'prove.json');
const results = join(folder, 'prove-jest.json');
console.log(`seed ${seed} (WATCHPOST_SEED=${seed} replays it)`);

await buildTab();
const began = Date.now();
const run = spawnSync(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    jestBin,
    '--json',
    `--outputFile=${results}`,
    '--testTimeout=1800000',
    ...process.argv.slice(2),
  ],
  {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, NODE_ENV: 'test', WATCHPOST_PROVE: '1', WATCHPOST_SEED: seed },
  },
);
const commit = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).stdout.trim();
const counted = JSON.parse(readFileSync(results, 'utf8')) as {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
};
const minutes = Math.round((Date.now() - began) / 6_000) / 10;
writeFileSync(
  report,
  JSON.stringify(
    {
      at: new Date(began).toISOString(),
      commit,
      seed,
      minutes,
      machine: {
        cores: cpus().length,
        model: cpus()[0]?.model,
        node: process.version,
        platform: process.platform,
      },
      passed: counted.numPassedTests,
      failed: counted.numFailedTests,
      skipped: counted.numPendingTests,
    },
    null,
    2,
  ),
);
console.log(`${minutes} minutes; report in ${report}`);
console.log(
  `${counted.numPassedTests} passed, ${counted.numFailedTests} failed, ${counted.numPendingTests} skipped`,
);
process.exit(run.status ?? 1);
