import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { errorCode, WatchpostError } from './errors.ts';
import { Secret } from './secrets.ts';

const sandboxMain = fileURLToPath(new URL('../test/sandbox/main.ts', import.meta.url));

/** Where desk and chat are, unless somebody has these ports when a folder's first demo starts. */
const usualPorts = { desk: 56160, chat: 56150 };

const sandboxInfo = v.object({
  tenants: v.array(
    v.object({ name: v.string(), domain: v.string(), id: v.string(), appId: v.string(), secret: v.string() }),
  ),
  apps: v.object({
    bot: v.object({ appId: v.string(), secret: v.string() }),
    graph: v.object({ appId: v.string(), secret: v.string() }),
  }),
});
const sandboxReady = v.object({ url: v.string(), chat: v.nullish(v.string()) });
const leftOver = v.object({ pid: v.number(), url: v.string(), token: v.string() });

/** The demo's helpers while they run. */
export type Demo = {
  sandboxUrl: string;
  /** Address of the Agents Playground; absent when another process's sandbox is used. */
  chat: string | undefined;
  botSecret: Secret;
  /** The application that customers consent to. */
  graph: { appId: string; secret: Secret };
  tenants: { name: string; domain: string; appId: string; secret: Secret }[];
  /** Ends sandbox and Playground; at once when they are not ours. */
  stop(): Promise<void>;
};

/**
 * Starts the sandbox (which starts the Playground) in a process group of its own, or uses the one at `sandboxUrl`.
 * It ends with this process, also when this one is killed. One that has not ended yet is waited for, or ended when it
 * proves to be that one, so that desk and chat keep their addresses. Throws `start` when it does not come up within 30 s.
 */
export async function startDemo(options: {
  dataFolder: string;
  botUrl: string;
  sandboxUrl: string | undefined;
}): Promise<Demo> {
  if (options.sandboxUrl !== undefined) {
    return {
      ...(await readInfo(options.sandboxUrl)),
      sandboxUrl: options.sandboxUrl,
      chat: undefined,
      stop: async () => undefined,
    };
  }
  const processFile = join(options.dataFolder, 'sandbox-process.json');
  await endLeftOver(processFile);
  const infoFile = join(options.dataFolder, 'sandbox.json');
  const ports = portsIn(infoFile);
  const folder = join(options.dataFolder, 'sandbox');
  mkdirSync(folder, { recursive: true });
  // Hexadecimal: an argument that begins with a hyphen would be taken for an option.
  const token = randomBytes(24).toString('hex');
  const errors = openSync(join(options.dataFolder, 'sandbox.log'), 'a', 0o600);
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      sandboxMain,
      '--folder',
      folder,
      '--bot',
      options.botUrl,
      '--playground',
      String(ports.chat),
      '--port',
      String(ports.desk),
      '--with-parent',
      `--token=${token}`,
      '--info',
      infoFile,
    ],
    // Nothing is written to its input: that it closes tells the sandbox that we are gone.
    { detached: true, stdio: ['pipe', 'pipe', errors], cwd: options.dataFolder },
  );
  closeSync(errors);
  const ready = await readyLine(child, join(options.dataFolder, 'sandbox.log'));
  writeFileSync(processFile, JSON.stringify({ pid: child.pid, url: ready.url, token }), { mode: 0o600 });
  // The sandbox lives on its own; this process must not be kept alive by it.
  child.stdout?.resume();
  child.unref();
  const info = await readInfo(ready.url);
  const stop = async (): Promise<void> => {
    await endProcess(child);
    rmSync(processFile, { force: true });
  };
  return { ...info, sandboxUrl: ready.url, chat: ready.chat ?? undefined, stop };
}

/**
 * The addresses of this folder's last demo, so that a bookmark lives from start to start; another port is taken when
 * somebody has one of them by now.
 */
function portsIn(infoFile: string): { desk: number; chat: number } {
  let known: v.InferOutput<typeof sandboxReady>;
  try {
    known = v.parse(sandboxReady, JSON.parse(readFileSync(infoFile, 'utf8')));
  } catch {
    return usualPorts; // the first start in this folder, or a file that says nothing
  }
  const portOf = (url: string | null | undefined): number => Number(URL.parse(url ?? '')?.port ?? 0);
  return { desk: portOf(known.url) || usualPorts.desk, chat: portOf(known.chat) || usualPorts.chat };
}

async function readInfo(url: string): Promise<Pick<Demo, 'botSecret' | 'graph' | 'tenants'>> {
  const answer = await fetch(`${url}/_sandbox`, {
    headers: { accept: 'application/json' },
    signal: AbortSignal.timeout(5_000),
    redirect: 'error',
  });
  const parsed = v.safeParse(sandboxInfo, await answer.json());
  if (!answer.ok || !parsed.success)
    throw new WatchpostError('start', `The sandbox at ${url} does not answer as a sandbox.`);
  return {
    botSecret: new Secret(parsed.output.apps.bot.secret),
    graph: {
      appId: parsed.output.apps.graph.appId,
      secret: new Secret(parsed.output.apps.graph.secret),
    },
    tenants: parsed.output.tenants.map(({ name, domain, appId, secret }) => ({
      name,
      domain,
      appId,
      secret: new Secret(secret),
    })),
  };
}

async function readyLine(child: ChildProcess, logFile: string): Promise<v.InferOutput<typeof sandboxReady>> {
  const { stdout } = child;
  if (stdout === null) throw new WatchpostError('start', 'The sandbox has no output.');
  const lines = createInterface({ input: stdout });
  return await new Promise((resolve, reject) => {
    const fail = (why: string): void =>
      reject(new WatchpostError('start', `The sandbox did not start: ${why}`, { hint: `See ${logFile}.` }));
    const timer = setTimeout(() => fail('no answer within 30 seconds.'), 30_000);
    child.once('exit', (code) => {
      clearTimeout(timer);
      fail(`it ended with code ${code}.`);
    });
    child.once('error', (error) => fail(errorCode(error)));
    lines.on('line', (line) => {
      if (!line.startsWith('{')) return;
      const parsed = v.safeParse(sandboxReady, JSON.parse(line));
      if (!parsed.success) return;
      clearTimeout(timer);
      child.removeAllListeners('exit');
      lines.close();
      resolve(parsed.output);
    });
  });
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 2_500);
  await ended;
  clearTimeout(late);
}

/**
 * Waits for the sandbox of an earlier, killed start to end, as it does by itself; one that still answers and proves to
 * be that one is asked to. At most 3 s; then the proven one is ended for good.
 */
async function endLeftOver(file: string): Promise<void> {
  let known: v.InferOutput<typeof leftOver>;
  try {
    known = v.parse(leftOver, JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return; // no earlier start, or a half-written file: nothing that could be proved
  }
  const proven = await isThatOne(known);
  try {
    if (proven) process.kill(known.pid, 'SIGTERM');
    const end = performance.now() + 3_000;
    while (performance.now() < end) {
      process.kill(known.pid, 0); // throws when it is gone
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    // Without a proof the number may be another process by now.
    if (proven) process.kill(known.pid, 'SIGKILL');
  } catch {
    return; // nobody there: it ended with its parent
  }
}

async function isThatOne({ url, token }: v.InferOutput<typeof leftOver>): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/_sandbox/alive`, {
      signal: AbortSignal.timeout(1_000),
      redirect: 'error',
    });
    const body = (await answer.json()) as { proof?: unknown };
    return body.proof === createHash('sha256').update(token).digest('hex');
  } catch {
    return false; // nobody listens, or it is ending
  }
}
