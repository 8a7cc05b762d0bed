import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/**
 * `npm run mongo`: a MongoDB for development and tests until Ctrl-C. The first that works of: `MONGODB_URI`, a real
 * mongod by mongodb-memory-server, the wire server SecantusDB in a Python environment of its own. Prints one line with
 * the URI and which kind it is; `MONGO_PORT` chooses the port.
 */

type Running = { uri: string; kind: string; stop(): Promise<void>; ended: Promise<string> };

const run = promisify(execFile);
const home = fileURLToPath(new URL('../../.mongo/', import.meta.url));
const wireServer = 'SecantusDB==0.7.0b3';
const mongodWaitMs = 30_000;
const installWaitMs = 150_000;
const startWaitMs = 30_000;

const given = process.env.MONGODB_URI ?? '';
if (given !== '') {
  console.log('MONGODB_URI is set: that MongoDB is used, nothing was started.');
} else {
  const port = Number(process.env.MONGO_PORT ?? '') || (await freePort());
  const running = await start(port);
  if (running === undefined) {
    console.log('no MongoDB could be started; its tests will be skipped by name');
    process.exit(1);
  }
  console.log(`${running.uri} (${running.kind}); Ctrl-C ends it`);
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    running.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.log(`could not be ended cleanly: ${why(error)}`);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  const reason = await running.ended;
  if (!stopping) {
    console.log(`the MongoDB ended by itself: ${reason}`);
    process.exit(1);
  }
}

async function start(port: number): Promise<Running | undefined> {
  for (const attempt of [startMongod, startWireServer]) {
    try {
      return await attempt(port);
    } catch (error) {
      console.error(`${attempt.name}: ${why(error)}`);
    }
  }
  return undefined;
}

/** A real mongod as a one-node replica set; fetched on first use, which fails where that download is blocked. */
async function startMongod(port: number): Promise<Running> {
  process.env.MONGOMS_DOWNLOAD_DIR ??= join(home, 'mongod');
  const { MongoMemoryReplSet } = await import('mongodb-memory-server');
  const starting = MongoMemoryReplSet.create({
    replSet: { count: 1, storageEngine: 'wiredTiger' },
    instanceOpts: [{ port }],
  });
  // The package tells a failed download twice with its stack; one line of ours is enough.
  const { warn, error: tell } = console;
  console.warn = () => undefined;
  console.error = () => undefined;
  const set = await within(mongodWaitMs, starting)
    .catch((error: unknown) => {
      // Comes up after all, too late: nobody waits for it any more.
      starting.then((late) => late.stop()).catch(() => undefined);
      throw error;
    })
    .finally(() => Object.assign(console, { warn, error: tell }));
  return {
    uri: set.getUri('watchpost'),
    kind: 'mongod, one-node replica set',
    stop: async () => {
      await set.stop();
    },
    ended: new Promise<string>(() => undefined),
  };
}

/** A server that speaks MongoDB's wire protocol: good enough to test against, no proof about MongoDB itself. */
async function startWireServer(port: number): Promise<Running> {
  const bin = join(home, 'venv', process.platform === 'win32' ? 'Scripts' : 'bin');
  const server = join(bin, process.platform === 'win32' ? 'secantusd-py.exe' : 'secantusd-py');
  if (!existsSync(server)) {
    await run(process.platform === 'win32' ? 'python' : 'python3', ['-m', 'venv', join(home, 'venv')], {
      timeout: installWaitMs,
    });
    await run(join(bin, 'pip'), ['install', '--quiet', '--disable-pip-version-check', wireServer], {
      timeout: installWaitMs,
    });
  }
  const storage = await mkdtemp(join(tmpdir(), 'watchpost-mongo-'));
  // A process group of its own: Ctrl-C reaches us alone, and we end it in order.
  const child = spawn(
    server,
    [
      ...['--host', '127.0.0.1', '--port', String(port), '--storage-path', join(storage, 'db')],
      ...['--sync-on-commit', '--log-level', 'ERROR'],
    ],
    { cwd: storage, stdio: ['ignore', 'ignore', 'inherit'], detached: process.platform !== 'win32' },
  );
  const ended = new Promise<string>((resolve) => {
    child.on('exit', (code, signal) => resolve(`${code ?? signal}`));
    child.on('error', (error) => resolve(error.message));
  });
  const stop = async (): Promise<void> => {
    end(child, 'SIGTERM');
    const timer = setTimeout(() => end(child, 'SIGKILL'), 2_000);
    await ended;
    clearTimeout(timer);
    await rm(storage, { recursive: true, force: true });
  };
  try {
    await Promise.race([
      answers(port),
      ended.then((reason) => Promise.reject(new Error(`ended with ${reason}`))),
    ]);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    uri: `mongodb://127.0.0.1:${port}/watchpost?directConnection=true`,
    kind: `wire server ${wireServer.replace('==', ' ')}, no proof about MongoDB itself`,
    stop,
    ended,
  };
}

function end(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
}

/** Resolves when somebody listens on the port. */
async function answers(port: number): Promise<void> {
  const until = performance.now() + startWaitMs;
  while (performance.now() < until) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => setTimeout(() => resolve(false), 100));
    });
    if (open) return;
  }
  throw new Error(`nothing listens after ${startWaitMs / 1000} s`);
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not there after ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

function why(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
