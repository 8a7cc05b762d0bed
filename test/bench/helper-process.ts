import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';

/** A process of the bench's own, with the address it said it listens on. */
export type HelperProcess = {
  url: string;
  pid: number;
  /** From the start of the process until it said that it listens. */
  startMs: number;
  /** The end of what it wrote to standard error. */
  complaints(): string;
  /** Says `message` to it and waits for its answer, at most 3 minutes. */
  ask(message: string | object): Promise<unknown>;
  stop(): Promise<void>;
};

const said = v.object({ url: v.string() });

export type HelperFile =
  | 'fake-microsoft.ts'
  | 'bare-bot.ts'
  | 'echo-bot.ts'
  | 'plain-server.ts'
  | 'fake-graph.ts'
  | 'graph-side.ts'
  | 'deliver-side.ts'
  | 'store-side.ts'
  | 'store-wait.ts';

/** Starts a file of this folder with `settings` as its argument; it ends with us, whatever happens. */
export async function startHelper(
  file: HelperFile,
  settings: object,
  nodeOptions: string[] = [],
  env: Record<string, string> = {},
): Promise<HelperProcess> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const began = performance.now();
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', ...nodeOptions, path, JSON.stringify(settings)],
    {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { PATH: process.env.PATH ?? '', NODE_ENV: 'production', ...env },
    },
  );
  let complaints = '';
  child.stderr?.on('data', (piece: Buffer) => {
    complaints = `${complaints}${piece.toString('utf8')}`.slice(-2_000);
  });
  const { url } = v.parse(said, JSON.parse(await firstLine(child, file, () => complaints)));
  return {
    url,
    pid: child.pid ?? 0,
    startMs: performance.now() - began,
    complaints: () => complaints,
    async ask(message) {
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      const failed = (why: string) => (): void => reject(new Error(`${file} ${why}:\n${complaints}`));
      const late = setTimeout(failed('did not answer within 3 minutes'), 180_000);
      const ended = failed('ended before it answered');
      child.once('message', resolve).once('exit', ended);
      child.send(message);
      return await promise.finally(() => {
        clearTimeout(late);
        child.off('message', resolve).off('exit', ended);
      });
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
    },
  };
}

function firstLine(child: ChildProcess, file: string, complaints: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const late = setTimeout(() => reject(new Error(`${file} did not start within 120 s`)), 120_000);
    child.stdout?.on('data', (piece: Buffer) => {
      text += piece.toString('utf8');
      const end = text.indexOf('\n');
      if (end < 0) return;
      clearTimeout(late);
      resolve(text.slice(0, end));
    });
    child.once('exit', (code) => {
      clearTimeout(late);
      reject(new Error(`${file} ended with ${code} before it listened:\n${complaints()}`));
    });
  });
}
