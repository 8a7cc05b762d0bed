import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { createServer as createSocket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { apiRoutes } from './api/index.ts';
import { openRequireUser } from './api/require-user.ts';
import { buildTab } from './build-tab.ts';
import { runCli } from './cli/run.ts';
import { listenForCli } from './cli/socket.ts';
import { type ClockThread, startClockThread } from './clock-thread.ts';
import { cloudNamed } from './clouds.ts';
import { type Config, readConfig } from './config.ts';
import { connectPages } from './connect/page-routes.ts';
import { seedDemo } from './demo.ts';
import { type Demo, startDemo } from './demo-sandbox.ts';
import { WatchpostError } from './errors.ts';
import { announceClaim } from './first-admin.ts';
import { isLoopback } from './loopback.ts';
import { openServices } from './open-services.ts';
import { openTeams } from './open-teams.ts';
import { Secret } from './secrets.ts';
import { createServer } from './server.ts';
import { noteSettings } from './settings-seen.ts';
import { holdFolder } from './store/engine/instance.ts';

/** The program, told in order: settings → folder → demo's helpers → services → server → clock → until it is stopped. */
type Close = () => Promise<void>;
const tabFolder = fileURLToPath(new URL('../tab/dist', import.meta.url));

const ending = openEnding();
try {
  await run();
} catch (error) {
  await ending.closeAll();
  if (!(error instanceof WatchpostError)) throw error;
  console.error([error.message, error.hint].filter(Boolean).join('\n'));
  process.exit(1);
}

async function run(): Promise<void> {
  const began = performance.now();
  const config = readConfig(process.env);
  for (const warning of config.warnings) console.error(warning);
  const port = await freePort(config);
  const folder = holdFolder(config.dataFolder);
  ending.last(async () => folder.release());
  process.on('SIGINT', () => void ending.stop());
  process.on('SIGTERM', () => void ending.stop());

  const logFile = config.demo ? demoLog(config.dataFolder) : undefined;
  const demo = config.demo ? await helpers(config, port) : undefined;
  if (demo === undefined && !existsSync(join(tabFolder, 'index.html'))) {
    throw new WatchpostError('start', 'The tab has not been built.', {
      hint: 'Run `npm run build`, then start again.',
    });
  }

  const stopping = new AbortController();
  const threads: { clock?: ClockThread } = {};
  const opened = await openServices({
    config,
    thread: 'main',
    instanceId: folder.instanceId,
    sandboxUrl: demo?.sandboxUrl,
    logFile,
    signal: stopping.signal,
    nudge: () => threads.clock?.nudge(),
  });
  ending.next(async () => {
    stopping.abort();
    await opened.close();
  });
  const { services } = opened;
  await noteSettings(process.env, config.dataFolder, opened.keyring, services);
  const answers = config.role !== 'clock';
  const { door } = openTeams(config, opened);
  const server = createServer({
    config: {
      publicUrl: config.publicUrl,
      metricsToken: metricsToken(config),
      demo: config.demo,
      sandboxOrigin: demo?.sandboxUrl,
      tabFolder,
    },
    door: answers ? door : undefined,
    apiRoutes: answers ? apiRoutes({ signIn: signIn(config, demo) }) : [],
    pages: answers ? connectPages() : [],
    requireUser: openRequireUser({
      services,
      audience: config.tab.clientId,
      homeTenantId: config.homeTenantId,
      issuer: cloudNamed(config.cloud).tabIssuer,
      ...config.people,
    }),
    services,
    ready: async () => {
      await services.store.ping();
      return !stopping.signal.aborted;
    },
  });
  await server.listen(port, config.host);
  const cli = await listenForCli(
    config.dataFolder,
    (request, say) => runCli(request, services, say),
    services.log,
  );
  if (config.role !== 'web') {
    const data = {
      instanceId: folder.instanceId,
      sandboxUrl: demo?.sandboxUrl,
      logFile,
      demo: demo?.botSecret.use((botSecret) =>
        demo.graph.secret.use((secret) => ({
          botSecret,
          graph: { appId: demo.graph.appId, secret },
          publicUrl: config.publicUrl,
        })),
      ),
    };
    threads.clock = startClockThread(data, services.metrics, services.log, () => {
      process.exitCode = 1;
      void ending.stop();
    });
  }
  // First nobody new, while who is being answered is answered and what is being synced gets a moment.
  ending.first(async () => {
    services.log.info({}, 'stopping');
    await Promise.allSettled([server.close(), threads.clock?.stop(3_000), cli.close()]);
  });
  services.log.info({ port }, 'listening');

  if (demo !== undefined) {
    await seedDemo(demo, services);
    const seconds = Math.round((performance.now() - began) / 1000);
    console.log(demoLines(config, demo, seconds).join('\n'));
    return;
  }
  console.log(`Watchpost listens on ${config.host}:${port} for ${config.publicUrl}.`);
  if (answers) await announceClaim(services);
}

/** Builds the tab when it is old, starts sandbox and Playground, and takes their settings over. */
async function helpers(config: Config, port: number): Promise<Demo> {
  console.log('Watchpost is starting …');
  if ((await buildTab()) === 'built') console.log('The tab is built.');
  const demo = await startDemo({
    dataFolder: config.dataFolder,
    botUrl: `http://127.0.0.1:${port}/api/messages`,
    sandboxUrl: config.sandboxUrl,
  });
  ending.next(() => demo.stop());
  config.bot.credential = { kind: 'secret', secret: demo.botSecret };
  const { appId, secret } = demo.graph;
  config.graph = { appId, credential: { kind: 'secret', secret } };
  config.publicUrl = `http://localhost:${port}`;
  return demo;
}

/** Ends everything within 5 s, whatever had come up by then: first nobody new, then helpers and store, the folder last. */
function openEnding() {
  const steps: { first: Close[]; next: Close[]; last: Close[] } = { first: [], next: [], last: [] };
  let ended: Promise<void> | undefined;
  async function closeAll(): Promise<void> {
    for (const group of [steps.first, steps.next, steps.last]) {
      await Promise.allSettled(group.map((close) => close()));
    }
  }
  return {
    first: (close: Close) => void steps.first.push(close),
    next: (close: Close) => void steps.next.push(close),
    last: (close: Close) => void steps.last.push(close),
    closeAll,
    stop(): Promise<void> {
      ended ??= (async () => {
        console.log('Stopping …');
        setTimeout(() => process.exit(process.exitCode ?? 0), 4_800).unref();
        await closeAll();
        process.exit(process.exitCode ?? 0);
      })();
      return ended;
    },
  };
}

/** Without a token `/metrics` is for this machine: who listens for others gets one that nobody knows. */
function metricsToken(config: Config): Secret | undefined {
  if (config.metricsToken !== undefined || isLoopback(config.host)) return config.metricsToken;
  return new Secret(randomBytes(32).toString('base64url'));
}

/** The port that will be listened on: said to be taken before anything else is started. */
async function freePort(config: Config): Promise<number> {
  return await new Promise((resolve, reject) => {
    const probe = createSocket();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE'
          ? `Port ${config.port} is taken by another program.`
          : `Watchpost cannot listen on ${config.host}:${config.port} (${error.code}).`;
      reject(new WatchpostError('start', why, { hint: 'Stop that program, or set PORT to another number.' }));
    });
    probe.listen(config.port, config.host, () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : config.port;
      probe.close(() => resolve(port));
    });
  });
}

function signIn(config: Config, demo: Demo | undefined) {
  if (demo === undefined) {
    const { authority } = cloudNamed(config.cloud);
    const consentUrl = `${authority}/organizations/adminconsent?client_id=${config.tab.clientId}`;
    return { signIn: 'teams-only' as const, consentUrl };
  }
  const base = `${demo.sandboxUrl}/${config.tab.tenantId}/oauth2/v2.0`;
  return {
    signIn: 'sandbox' as const,
    authorizeUrl: `${base}/authorize`,
    tokenUrl: `${base}/token`,
    clientId: config.tab.clientId,
    scope: `api://${config.tab.clientId}/access_as_user`,
  };
}

function demoLines(config: Config, demo: Demo, seconds: number): string[] {
  return [
    '',
    `Watchpost demo, ready after ${seconds} s. Nothing here leaves this machine.`,
    ...(demo.chat === undefined
      ? []
      : [`  Chat  ${demo.chat}   Microsoft's Agents Playground; you are Ana Reyes, an Admin`]),
    `  Tab   ${config.publicUrl}/tab   sign in as any of the five people`,
    `  Desk  ${demo.sandboxUrl}   play Microsoft: let a score fall, withdraw consent`,
    '  Type first:  /score contoso',
    `  Logs are in ${join(config.dataFolder, 'watchpost.log')}. Ctrl-C stops everything.`,
    '',
  ];
}

/** The demo's log goes to a file, kept for two starts, so that the screen shows what a person needs. */
function demoLog(dataFolder: string): string {
  mkdirSync(dataFolder, { recursive: true });
  const file = join(dataFolder, 'watchpost.log');
  if (existsSync(file) && statSync(file).size > 5_000_000) renameSync(file, `${file}.1`);
  return file;
}
