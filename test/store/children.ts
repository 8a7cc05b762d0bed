import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const folder = new URL('./children/', import.meta.url);
const skewFile = fileURLToPath(new URL('../support/skew.ts', import.meta.url));

export type Child = {
  process: ChildProcess;
  /** Complete lines printed so far. */
  lines(): string[];
  /** Resolves when there are that many lines; throws with what it said when it ends before. */
  says(lines: number): Promise<string[]>;
  kill(): Promise<void>;
};

/** Starts one of the small programs beside this file as a process of its own, `skewMs` off the right time. */
export function startChild(name: string, argument: string, skewMs = 0): Child {
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      ...['--import', pathToFileURL(skewFile).href],
      fileURLToPath(new URL(name, folder)),
      argument,
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '', WATCHPOST_TEST_SKEW_MS: String(skewMs) },
    },
  );
  let out = '';
  let err = '';
  let wake: () => void = () => undefined;
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
    wake();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  let over = false;
  void ended.then(() => {
    over = true;
    wake();
  });
  // What follows the last line break was cut off by the kill.
  const lines = (): string[] => out.split('\n').slice(0, -1);
  return {
    process: child,
    lines,
    async says(wanted) {
      while (lines().length < wanted) {
        if (over) throw new Error(`${name} ended: ${out}${err}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return lines();
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Starts one, waits for its first line, and ends it. */
export async function oneLineOf(name: string, argument: string, skewMs = 0): Promise<string> {
  const child = startChild(name, argument, skewMs);
  const [line] = await child.says(1);
  await child.kill();
  return line ?? '';
}
