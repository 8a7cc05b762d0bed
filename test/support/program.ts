import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The running program of a test: a real process on a free port with a folder of its own. */
export type Program = {
  url: string;
  port: number;
  folder: string;
  child: ChildProcess;
  /** All lines printed so far. */
  out(): string;
  err(): string;
  /** Resolves with the match when the output says so, within `ms`. */
  said(pattern: RegExp, ms?: number): Promise<RegExpExecArray>;
  /** SIGTERM; answers the exit code and how long it took. */
  stop(): Promise<{ code: number | null; ms: number }>;
  /** SIGKILL, nothing is tidied; the folder stays for the next start. */
  kill(): Promise<void>;
  /** Stops and removes the folder. */
  end(): Promise<void>;
};

export type ProgramOptions = {
  env?: Record<string, string>;
  folder?: string;
  /** Production settings against this sandbox: every check on, real hosts answered by it. */
  sandbox?: {
    url: string;
    info: {
      apps: {
        bot: { appId: string; secret: string; tenantId: string };
        tab: { appId: string; tenantId: string };
      };
    };
  };
  /** Modules to preload, as paths from the project's root. */
  preload?: string[];
  /** Wait for this before answering; default: /readyz says 200. */
  until?: RegExp;
  port?: number;
};

/** A port nobody listens on now. */
export async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** The settings of a production start against a sandbox. */
export function productionSettings(sandbox: NonNullable<ProgramOptions['sandbox']>): Record<string, string> {
  const { bot, tab } = sandbox.info.apps;
  return {
    PUBLIC_URL: 'https://watchpost.example.com',
    BOT_ID: bot.appId,
    BOT_PASSWORD: bot.secret,
    BOT_TENANT_ID: bot.tenantId,
    AAD_APP_CLIENT_ID: tab.appId,
    AAD_APP_TENANT_ID: tab.tenantId,
    ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    WATCHPOST_TEST_SANDBOX: sandbox.url,
  };
}

/** Starts `bot/main.ts` as its own process, as `npm start` does, and waits until it is ready. */
export async function startProgram(options: ProgramOptions = {}): Promise<Program> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'wp-'));
  const port = options.port ?? (await freePort());
  const preload = [
    ...(options.sandbox === undefined ? [] : ['test/support/to-sandbox.ts']),
    ...(options.preload ?? []),
  ];
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      ...preload.flatMap((file) => ['--import', pathToFileURL(join(root, file)).href]),
      join(root, 'bot/main.ts'),
    ],
    {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH ?? '',
        HOME: process.env.HOME ?? folder,
        ...(process.platform === 'win32' ? { SYSTEMROOT: process.env.SYSTEMROOT ?? '' } : {}),
        HOST: '127.0.0.1',
        PORT: String(port),
        WATCHPOST_DATA: folder,
        ...(options.sandbox === undefined ? {} : productionSettings(options.sandbox)),
        ...options.env,
      },
    },
  );
  let out = '';
  let err = '';
  child.stdout?.on('data', (piece: Buffer) => {
    out += piece.toString('utf8');
  });
  child.stderr?.on('data', (piece: Buffer) => {
    err += piece.toString('utf8');
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const url = `http://127.0.0.1:${port}`;
  const program: Program = {
    url,
    port,
    folder,
    child,
    out: () => out,
    err: () => err,
    said: (pattern, ms = 20_000) =>
      poll(
        () => pattern.exec(out),
        ms,
        () => `"${pattern}" was not said; it said:\n${out}\n${err.slice(-3_000)}`,
      ),
    async stop() {
      const began = performance.now();
      child.kill('SIGTERM');
      const code = await exited;
      return { code, ms: performance.now() - began };
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    async end() {
      if (child.exitCode === null && child.signalCode === null) await program.stop();
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
  if (options.until !== undefined) {
    await program.said(options.until, 60_000);
    return program;
  }
  await poll(
    async () => {
      if (child.exitCode !== null)
        throw new Error(`the program ended with ${child.exitCode}:\n${out}\n${err}`);
      try {
        return (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(1_000) })).ok ? true : null;
      } catch {
        return null; // not listening yet
      }
    },
    60_000,
    () => `not ready after 60 s:\n${out}\n${err.slice(-3_000)}`,
  );
  return program;
}

/** Looks every 50 ms until `look` answers something; fails with what `otherwise` says. */
export async function poll<T>(
  look: () => T | null | undefined | Promise<T | null | undefined>,
  ms: number,
  otherwise: () => string,
): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const seen = await look();
    if (seen !== null && seen !== undefined && seen !== false) return seen;
    if (performance.now() > end) throw new Error(otherwise());
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
