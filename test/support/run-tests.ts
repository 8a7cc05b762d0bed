import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildTab } from '../../bot/build-tab.ts';
import { jestBin } from './jest-bin.ts';

/** `npm test`: jest as it is, then what was skipped by name and, last, the one line that counts. */

type Assertion = { status: string; fullName: string };
type Report = {
  numPassedTests: number;
  numFailedTests: number;
  numRuntimeErrorTestSuites: number;
  testResults: { name: string; assertionResults: Assertion[] }[];
};

// The stories start the real program, which serves the built tab.
await buildTab();
const folder = await mkdtemp(join(tmpdir(), 'watchpost-tests-'));
const file = join(folder, 'jest.json');

const code = await new Promise<number>((resolve) => {
  const child = spawn(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      jestBin,
      '--json',
      `--outputFile=${file}`,
      ...process.argv.slice(2),
    ],
    // The report goes to the file; what jest shows people goes to standard error, its JSON copy nowhere.
    { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, NODE_ENV: 'test' } },
  );
  child.on('close', (status) => resolve(status ?? 1));
});

const report = await readReport();
await rm(folder, { recursive: true, force: true });
if (report === undefined) {
  console.log('jest ended without a report');
  console.log('0 passed, 1 failed, 0 skipped');
  process.exit(1);
}

const skipped = report.testResults.flatMap((suite) =>
  suite.assertionResults.filter(
    (one) => one.status === 'pending' || one.status === 'skipped' || one.status === 'todo',
  ),
);
for (const one of skipped) console.log(`skipped: ${one.fullName}`);
// A suite that could not even be loaded counts as a failure: jest itself counts no test for it.
const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
console.log(`${report.numPassedTests} passed, ${failed} failed, ${skipped.length} skipped`);
process.exit(code === 0 && failed > 0 ? 1 : code);

async function readReport(): Promise<Report | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Report;
  } catch (error) {
    console.log(`no report: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}
