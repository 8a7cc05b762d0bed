import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { createServer as createSocket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { apiRoutes } from './api/index.ts';
import { openRequireUser } from './api/require-user.ts';
import { runCli } from './cli/run.ts';
import { listenForCli } from './cli/socket.ts';
import { type ClockThread, startClockThread } from './clock-thread.ts';
import { cloudNamed } from './clouds.ts';
import { type Config, readConfig } from './config.ts';
import { buildTab, type Demo, seedDemo, startDemo } from './demo.ts';
import { WatchpostError } from './errors.ts';
import { announceClaim } from './first-admin.ts';
import { openServices } from './open-services.ts';
import { openTeams } from './open-teams.ts';
import { createServer } from './server.ts';
import { holdFolder } from './store/engine/instance.ts';

/** The program, told in order: settings → folder → demo's helpers → services → server → clock → until it is stopped. */
const tabFolder = fileURLToPath(new URL('../tab/dist', import.meta.url));

try {
  await run();
} catch (error) {
  if (!(error instanceof WatchpostError)) throw error;
  console.error([error.message, error.hint].filter(Boolean).join('\n'));
  process.exit(1);
}

async function run(): Promise<void> {
  const began = performance.now();
  const config = readConfig(process.env);
  for (const warning of config.warnings) console.error(warning);
  const folder = holdFolder(config.dataFolder);
  const stopping = new AbortController();
  let demo: Demo | undefined;
  let clock: ClockThread | undefined;

  const port = await freePort(config);
  const logFile = config.demo ? demoLog(config.dataFolder) : undefined;
  if (config.demo) {
    console.log('Watchpost is starting …');
    if ((await buildTab()) === 'built') console.log('The tab is built.');
    demo = await startDemo({
      dataFolder: config.dataFolder,
      botUrl: `http://127.0.0.1:${port}/api/messages`,
      sandboxUrl: config.sandboxUrl,
    });
    config.bot.credential = { kind: 'secret', secret: demo.botSecret };
    config.publicUrl = `http://localhost:${port}`;
  } else if (!existsSync(join(tabFolder, 'index.html'))) {
    throw new WatchpostError('start', 'The tab has not been built.', {
      hint: 'Run `npm run build`, then start again.',
    });
  }

  const answers = config.role !== 'clock';
  const opened = await openServices({
    config,
    thread: 'main',
    instanceId: folder.instanceId,
    sandboxUrl: demo?.sandboxUrl,
    logFile,
    signal: stopping.signal,
    nudge: () => clock?.nudge(),
  });
  const { services } = opened;
  const teams = openTeams(config, opened);
  const server = createServer({
    config: {
      publicUrl: config.publicUrl,
      metricsToken: config.metricsToken,
      demo: config.demo,
      sandboxOrigin: demo?.sandboxUrl,
      tabFolder,
    },
    door: answers ? teams.door : undefined,
    apiRoutes: answers ? apiRoutes({ signIn: signIn(config, demo) }) : [],
    requireUser: openRequireUser({
      services,
      audience: config.tab.clientId,
      homeTenantId: config.homeTenantId,
      issuer: cloudNamed(config.cloud).tabIssuer,
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
    clock = startClockThread(
      { instanceId: folder.instanceId, sandboxUrl: demo?.sandboxUrl, logFile },
      services.metrics,
      services.log,
      () => {
        process.exitCode = 1;
        void stop('clock thread');
      },
    );
  }
  services.log.info({ port }, 'listening');

  let stopped: Promise<void> | undefined;
  process.on('SIGINT', () => void stop('SIGINT'));
  process.on('SIGTERM', () => void stop('SIGTERM'));

  if (answers && demo === undefined) await announceClaim(services);
  if (demo !== undefined) {
    await seedDemo(demo, services);
    const seconds = Math.round((performance.now() - began) / 1000);
    console.log(demoLines(config, demo, seconds).join('\n'));
  } else console.log(`Watchpost listens on ${config.host}:${port} for ${config.publicUrl}.`);

  /** Ends everything within 5 s: first nobody new, then who is being answered, then the helpers, the folder last. */
  function stop(why: string): Promise<void> {
    stopped ??= (async () => {
      services.log.info({ signal: why }, 'stopping');
      const late = setTimeout(() => process.exit(process.exitCode ?? 0), 4_800);
      late.unref();
      await Promise.allSettled([server.close(), clock?.stop(3_000), cli.close()]);
      stopping.abort();
      await Promise.allSettled([demo?.stop(), opened.close()]);
      folder.release();
      process.exit(process.exitCode ?? 0);
    })();
    return stopped;
  }
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
  if (demo === undefined) return { signIn: 'teams-only' as const };
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
