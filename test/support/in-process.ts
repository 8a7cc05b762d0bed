import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiRoutes } from '../../bot/api/index.ts';
import { openRequireUser } from '../../bot/api/require-user.ts';
import { cloudNamed } from '../../bot/clouds.ts';
import { readConfig } from '../../bot/config.ts';
import type { Patience } from '../../bot/connect/consent-check.ts';
import { connectPages } from '../../bot/connect/page-routes.ts';
import { startTimetable, type Timetable } from '../../bot/jobs/index.ts';
import { type Opened, openServices } from '../../bot/open-services.ts';
import { openTeams } from '../../bot/open-teams.ts';
import { openWayOut } from '../../bot/open-way-out.ts';
import { createServer } from '../../bot/server.ts';
import type { Services } from '../../bot/services.ts';
import type { Gate } from '../../bot/teams/sender.ts';
import type { TabConfig } from '../../shared/api.ts';
import { productionSettings } from './program.ts';
import type { Sandbox } from './sandbox.ts';

/** The whole program inside the test: the same parts as `bot/main.ts` puts together, with handles to them. */
export type InProcess = {
  url: string;
  /** Where the embedded store's file is. */
  folder: string;
  services: Services;
  /** Services of the clock, with a connection to the store of its own. */
  clock: Services;
  /** Lets due work be done, as the clock thread does; before it nothing is synced by itself. */
  startClock(): void;
  close(): Promise<void>;
};

export type InProcessOptions = {
  /** Taken out, or watched, by the test. */
  gate?: Gate;
  /** How long Microsoft may take to know of a consent. */
  patience?: Patience;
  signIn?: TabConfig;
  /** The built tab; none by default. */
  tabFolder?: string;
  /** Where to listen; any free port by default. */
  port?: number;
  /** As in the demo: the tab signs in at the sandbox. */
  demo?: boolean;
  env?: Record<string, string>;
};

/** Opens a real embedded store in a fresh folder, real HTTP on a free port, and the sandbox as Microsoft. */
export async function openInProcess(sandbox: Sandbox, options: InProcessOptions = {}): Promise<InProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'wp-inside-'));
  const config = {
    ...readConfig({
      ...productionSettings(sandbox),
      HOST: '127.0.0.1',
      WATCHPOST_DATA: folder,
      // Nothing is due by itself while a story runs.
      SYNC_CRON_SCORES: '0 0 1 1 *',
      ...options.env,
    }),
    logLevel: 'silent',
  };
  const stopping = new AbortController();
  let timetable: Timetable | undefined;
  const open = async (thread: 'main' | 'clock'): Promise<Opened> =>
    await openServices({
      config,
      thread,
      instanceId: 'in-process',
      sandboxUrl: sandbox.url,
      logFile: undefined,
      signal: stopping.signal,
      nudge: () => timetable?.nudge(),
    });
  const opened = await open('main');
  const clock = await open('clock');
  const { services } = opened;
  const { door } = openTeams(config, opened, options.gate);
  clock.setDeliver({ post: openWayOut(config, clock, options.gate).sender.post });
  const server = createServer({
    config: {
      publicUrl: config.publicUrl,
      metricsToken: undefined,
      demo: options.demo ?? false,
      ...(options.demo === true ? { sandboxOrigin: sandbox.url } : {}),
      tabFolder: options.tabFolder ?? folder,
    },
    door,
    apiRoutes: apiRoutes({ signIn: options.signIn ?? { signIn: 'teams-only' } }),
    pages: connectPages(options.patience === undefined ? {} : { patience: options.patience }),
    requireUser: openRequireUser({
      services,
      audience: config.tab.clientId,
      homeTenantId: config.homeTenantId,
      issuer: cloudNamed(config.cloud).tabIssuer,
    }),
    services,
    ready: async () => true,
  });
  const port = await server.listen(options.port ?? 0, '127.0.0.1');
  return {
    url: `http://127.0.0.1:${port}`,
    folder,
    services,
    clock: clock.services,
    startClock() {
      timetable ??= startTimetable(clock.services);
    },
    async close() {
      await timetable?.stop(5_000);
      await server.close();
      stopping.abort();
      await opened.close();
      await clock.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
