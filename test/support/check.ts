import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jestBin } from './jest-bin.ts';

/** `npm run check`: types, lint and format, the arrows of the house, the lockfile. All run; any failure fails. */

const root = fileURLToPath(new URL('../..', import.meta.url));
const bin = (name: string): string =>
  join(root, 'node_modules', '.bin', process.platform === 'win32' ? `${name}.cmd` : name);

const steps: { name: string; command: string; args: string[] }[] = [
  { name: 'types', command: bin('tsc'), args: ['--noEmit'] },
  { name: 'lint', command: bin('biome'), args: ['check', '.'] },
  {
    name: 'architecture, lockfile',
    command: process.execPath,
    args: [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      jestBin,
      'test/architecture.test.ts',
      'test/lockfile.test.ts',
    ],
  },
];

let failed = 0;
for (const step of steps) {
  const started = performance.now();
  const shell = process.platform === 'win32' && step.command.endsWith('.cmd');
  const result = existsSync(step.command)
    ? spawnSync(step.command, step.args, { cwd: root, encoding: 'utf8', shell })
    : undefined;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const good = result?.status === 0;
  console.log(`${good ? 'ok    ' : 'failed'} ${step.name} (${seconds} s)`);
  if (good) continue;
  failed += 1;
  console.log(result === undefined ? `${step.command} is not installed` : `${result.stdout}${result.stderr}`);
}
process.exit(failed === 0 ? 0 : 1);
