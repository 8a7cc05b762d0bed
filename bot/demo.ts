import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { scopeOfSystem } from '../shared/access.ts';
import { demoHome, demoPeople } from './cast.ts';
import { connectTenant } from './connect/connect-tenant.ts';
import { errorCode, WatchpostError } from './errors.ts';
import { Secret } from './secrets.ts';
import type { Services } from './services.ts';

const project = fileURLToPath(new URL('..', import.meta.url));

const sandboxInfo = v.object({
  tenants: v.array(
    v.object({ name: v.string(), domain: v.string(), id: v.string(), appId: v.string(), secret: v.string() }),
  ),
  apps: v.object({ bot: v.object({ appId: v.string(), secret: v.string() }) }),
});
const sandboxReady = v.object({ url: v.string(), chat: v.nullish(v.string()) });
const leftOver = v.object({ pid: v.number(), url: v.string(), token: v.string() });

/** The demo's helpers while they run. */
export type Demo = {
  sandboxUrl: string;
  /** Address of the Agents Playground; absent when another process's sandbox is used. */
  chat: string | undefined;
  botSecret: Secret;
  tenants: { name: string; domain: string; appId: string; secret: Secret }[];
  /** Ends sandbox and Playground; at once when they are not ours. */
  stop(): Promise<void>;
};

/**
 * Starts the sandbox (which starts the Playground) in a process group of its own, or uses the one at `sandboxUrl`.
 * A left-over sandbox of an earlier start is ended first, and only when it proves to be that one. Throws `start`
 * when it does not come up within 30 s.
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
  const folder = join(options.dataFolder, 'sandbox');
  mkdirSync(folder, { recursive: true });
  const token = randomBytes(24).toString('base64url');
  const errors = openSync(join(options.dataFolder, 'sandbox.log'), 'a', 0o600);
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      join(project, 'test/sandbox/main.ts'),
      '--folder',
      folder,
      '--bot',
      options.botUrl,
      '--playground',
      '56150',
      '--token',
      token,
      '--info',
      join(options.dataFolder, 'sandbox.json'),
    ],
    { detached: true, stdio: ['ignore', 'pipe', errors], cwd: options.dataFolder },
  );
  closeSync(errors);
  const ready = await readyLine(child, join(options.dataFolder, 'sandbox.log'));
  writeFileSync(processFile, JSON.stringify({ pid: child.pid, url: ready.url, token }), { mode: 0o600 });
  // The sandbox lives on its own; this process must not be kept alive by it.
  child.stdout?.resume();
  child.unref();
  const info = await readInfo(ready.url);
  return { ...info, sandboxUrl: ready.url, chat: ready.chat ?? undefined, stop: () => endProcess(child) };
}

/** On an empty store: the five people as grants by `demo`, and the five tenants by the function that `connect` uses. */
export async function seedDemo(demo: Demo, services: Services): Promise<void> {
  const { store } = services;
  const everything = scopeOfSystem();
  const people = await store.people.withGrants({ limit: 1 });
  if (people.rows.length === 0) {
    for (const person of demoPeople) {
      await store.people.seen({
        tid: demoHome.id,
        oid: person.oid,
        name: person.name,
        address: person.address,
        teamsId: person.teamsId,
      });
      if (person.role === null) continue;
      await store.people.addGrant(demoHome.id, person.oid, person.name, {
        id: `demo-${person.oid}`,
        role: person.role,
        scope: 'all',
        source: 'demo',
        by: 'the demo',
        at: services.now(),
      });
    }
  }
  if ((await store.tenants.list(everything)).length > 0) return;
  for (const tenant of demo.tenants) {
    const report = await connectTenant(
      {
        domain: tenant.domain,
        appId: tenant.appId,
        credential: { kind: 'secret', secret: tenant.secret },
        by: 'the demo',
      },
      services,
    );
    if (report.saved === null) {
      const broken = report.steps.find((step) => !step.works);
      throw new WatchpostError(
        'start',
        `The demo could not connect ${tenant.domain}: ${broken?.says ?? 'no answer'}`,
      );
    }
  }
  await synced(services, demo.tenants.length);
  await withdrawWoodgrove(demo, services);
}

/** Woodgrove shows old data and a Permission Error: its consent goes after the first good sync. */
async function withdrawWoodgrove(demo: Demo, services: Services): Promise<void> {
  const everything = scopeOfSystem();
  const woodgrove = (await services.store.tenants.list(everything)).find((tenant) =>
    tenant.name.startsWith('Woodgrove'),
  );
  if (woodgrove === undefined) return;
  await control(demo.sandboxUrl, `/_sandbox/tenants/${woodgrove.id}/consent`, { revoke: true });
  services.microsoft.forget(woodgrove.id);
  const request = await services.store.syncRequests.add(everything, woodgrove.id, 'the demo');
  await services.store.work.schedule(everything, woodgrove.id, 'sync-scores', services.now());
  services.nudge();
  await until(services, async () => {
    const row = await services.store.syncRequests.get(everything, woodgrove.id, request.id);
    return row?.state === 'done' || row?.state === 'failed';
  });
}

/** Until each of them has been read once, with everything that belongs to it. */
async function synced(services: Services, count: number): Promise<void> {
  await until(services, async () => {
    const tenants = await services.store.tenants.list(scopeOfSystem());
    return tenants.filter((tenant) => tenant.datasets.secureScores?.readAt !== undefined).length >= count;
  });
}

/** Looks every 100 ms, for at most 20 s: a slow machine starts all the same, only with less to see at first. */
async function until(services: Services, done: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000;
  while (performance.now() < end && !services.signal.aborted) {
    if (await done()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

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

async function readInfo(url: string): Promise<Pick<Demo, 'botSecret' | 'tenants'>> {
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
    tenants: parsed.output.tenants.map(({ name, domain, appId, secret }) => ({
      name,
      domain,
      appId,
      secret: new Secret(secret),
    })),
  };
}

async function control(url: string, path: string, body: unknown): Promise<void> {
  const answer = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(5_000),
    redirect: 'error',
  });
  if (!answer.ok) throw new WatchpostError('start', `The sandbox refused ${path} with ${answer.status}.`);
  await answer.arrayBuffer();
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

/** Ends a sandbox that an earlier, killed start left behind, and only when its answer proves that it is that one. */
async function endLeftOver(file: string): Promise<void> {
  let known: v.InferOutput<typeof leftOver>;
  try {
    known = v.parse(leftOver, JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return; // no earlier start, or a half-written file: nothing that could be proved
  }
  try {
    const answer = await fetch(`${known.url}/_sandbox/alive`, {
      signal: AbortSignal.timeout(1_000),
      redirect: 'error',
    });
    const body = (await answer.json()) as { proof?: unknown };
    if (body.proof !== createHash('sha256').update(known.token).digest('hex')) return;
    process.kill(known.pid, 'SIGTERM');
    const end = performance.now() + 3_000;
    while (performance.now() < end) {
      process.kill(known.pid, 0); // throws when it is gone
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    process.kill(known.pid, 'SIGKILL');
  } catch {
    return; // nobody there: it ended with its parent
  }
}
