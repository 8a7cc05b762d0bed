import { spawn } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WatchpostError } from './errors.ts';

const project = fileURLToPath(new URL('..', import.meta.url));

/** Builds the tab when `tab/dist` is missing or older than its sources; throws `start` when that fails. */
export async function buildTab(): Promise<'built' | 'fresh'> {
  const built = await newest([join(project, 'tab/dist/index.html')]);
  const sources = await newest([
    join(project, 'tab'),
    join(project, 'shared'),
    join(project, 'package-lock.json'),
  ]);
  if (built >= sources) return 'fresh';
  const vite = join(project, 'node_modules/vite/bin/vite.js');
  const output: string[] = [];
  const code = await new Promise<number>((resolve) => {
    const child = spawn(process.execPath, [vite, 'build', 'tab', '--logLevel', 'warn'], {
      cwd: project,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (piece: Buffer) => output.push(piece.toString('utf8')));
    child.on('error', () => resolve(1));
    child.on('close', (status) => resolve(status ?? 1));
  });
  if (code !== 0)
    throw new WatchpostError('start', `The tab could not be built:\n${output.join('').slice(-2_000)}`, {
      hint: 'Run `npm ci` again, then `npm run build`.',
    });
  return 'built';
}

async function newest(paths: string[]): Promise<number> {
  let latest = 0;
  for (const path of paths) {
    let kind: Awaited<ReturnType<typeof stat>>;
    try {
      kind = await stat(path);
    } catch {
      continue; // not there yet: older than everything
    }
    if (!kind.isDirectory()) latest = Math.max(latest, kind.mtimeMs);
    else
      for (const name of await readdir(path))
        if (name !== 'dist' && name !== 'node_modules')
          latest = Math.max(latest, await newest([join(path, name)]));
  }
  return latest;
}
