import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const buildMs = 60_000;

/**
 * The tab built from the sources as they stand, in a temporary folder named by their hash: built once for all tests
 * and runs, never over the folder that a running program reads.
 */
export async function builtTab(): Promise<string> {
  const folder = join(tmpdir(), `watchpost-tab-${hashOfSources()}`);
  if (existsSync(join(folder, 'index.html'))) return folder;
  const beside = await mkdtemp(join(tmpdir(), 'watchpost-tab-build-'));
  await build(beside);
  try {
    await rename(beside, folder);
  } catch (error) {
    // Another worker was first with the same sources.
    await rm(beside, { recursive: true, force: true });
    if (!existsSync(join(folder, 'index.html'))) throw error;
  }
  return folder;
}

/** All files the build depends on, without what it makes. */
export function tabSources(): string[] {
  return ['tab', 'shared'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => !file.startsWith(join(root, 'tab/dist'))),
  );
}

function hashOfSources(): string {
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  for (const file of tabSources().sort()) hash.update(file).update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}

async function build(folder: string): Promise<void> {
  const vite = join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin/vite.js');
  const child = spawn(process.execPath, [vite, 'build', 'tab', '--outDir', folder, '--emptyOutDir'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'production' },
    timeout: buildMs,
  });
  let said = '';
  child.stderr.on('data', (piece: Buffer) => {
    said += piece.toString('utf8');
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`The tab could not be built: ${said.slice(-1_000)}`);
}
