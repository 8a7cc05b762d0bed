import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Dispatcher } from 'undici';
import { toSandbox } from '../../bot/sandbox-dispatcher.ts';
import type { Post } from '../sandbox/ledger.ts';
import type { LoggedRequest } from '../sandbox/request-log.ts';

export type SandboxInfo = {
  what: string[];
  tenants: { name: string; domain: string; id: string; appId: string; secret: string }[];
  apps: {
    bot: { appId: string; secret: string; tenantId: string };
    tab: { appId: string; tenantId: string };
    /** The application that customers consent to. */
    graph: { appId: string; secret: string; permissions: string[] };
  };
  people: {
    oid: string;
    teamsId: string;
    name: string;
    address: string;
    role: string | null;
    tenantId: string;
  }[];
};

export type TokenWish = {
  for: 'bot' | 'tab' | 'app';
  person?: string;
  tenant?: string;
  header?: Record<string, unknown>;
  claims?: Record<string, unknown>;
  sign?: 'right' | 'wrong' | 'none';
};

export type Sandbox = {
  url: string;
  /** Address of the Playground; null without one. */
  chat: string | null;
  folder: string;
  pid: number;
  info: SandboxInfo;
  /** A way out that ends here: real Microsoft addresses work through it. */
  dispatcher: Dispatcher;
  /** A control call; the answer's body. Throws when it is not 2xx. */
  control<T = unknown>(method: string, path: string, body?: unknown): Promise<T>;
  token(wish: TokenWish): Promise<string>;
  posts(query?: string): Promise<Post[]>;
  requests(query?: string): Promise<LoggedRequest[]>;
  /** Ends it; the folder goes unless the test gave it. */
  stop(): Promise<void>;
};

export type SandboxOptions = {
  empty?: boolean;
  /** Address of the bot's `/api/messages`, for the relay. */
  bot?: string;
  playground?: boolean;
  /** Keep the state here, to start again from it. */
  folder?: string;
  port?: number;
};

const program = fileURLToPath(new URL('../sandbox/main.ts', import.meta.url));

/** Starts a sandbox of its own for a test: free port, temporary folder, keys shared with the other test sandboxes. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'watchpost-sandbox-')));
  const child = spawn(
    process.execPath,
    [
      program,
      ...['--folder', folder, '--keys', join(tmpdir(), `watchpost-test-keys-${process.getuid?.() ?? 0}`)],
      ...['--port', String(options.port ?? 0), '--token', 'a-test'],
      ...(options.empty ? ['--empty'] : []),
      ...(options.bot === undefined ? [] : ['--bot', options.bot]),
      ...(options.playground ? ['--playground', '0'] : []),
    ],
    // Not the runner's options: a module loader meant for the tests has no business here.
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_OPTIONS: '' } },
  );
  const { url, chat } = await ready(child);
  async function control<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${url}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }
  const dispatcher = toSandbox(url);
  return {
    url,
    chat,
    folder,
    pid: child.pid ?? 0,
    info: await control<SandboxInfo>('GET', '/_sandbox'),
    dispatcher,
    control,
    token: async (wish) => (await control<{ token: string }>('POST', '/_sandbox/tokens', wish)).token,
    posts: (query = '') => control<Post[]>('GET', `/_sandbox/posts${query}`),
    requests: (query = '') => control<LoggedRequest[]>('GET', `/_sandbox/requests${query}`),
    async stop() {
      await dispatcher.destroy();
      await ended(child);
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

function ready(child: ChildProcess): Promise<{ url: string; chat: string | null }> {
  return new Promise((resolve, reject) => {
    if (child.stdout === null) throw new Error('The sandbox has no output.');
    const lines = createInterface({ input: child.stdout });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error('The sandbox did not start within 30 s.'));
    }, 30_000);
    lines.once('line', (line) => {
      clearTimeout(timer);
      resolve(JSON.parse(line) as { url: string; chat: string | null });
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`The sandbox ended with ${code} before it was ready.`));
    });
  });
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      resolve();
      return;
    }
    const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill('SIGTERM');
  });
}
