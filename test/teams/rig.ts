import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setGlobalDispatcher } from 'undici';
import { demoPeople } from '../../bot/cast.ts';
import { clouds } from '../../bot/clouds.ts';
import type { Log, LogFields } from '../../bot/log.ts';
import { openBotTokens } from '../../bot/microsoft/bot-tokens.ts';
import { openSigningKeys } from '../../bot/microsoft/keys.ts';
import { openOutbound } from '../../bot/outbound.ts';
import { Secret } from '../../bot/secrets.ts';
import { createServer, type Server } from '../../bot/server.ts';
import type { Metrics, Services, Store } from '../../bot/services.ts';
import { type Door, openDoor } from '../../bot/teams/application.ts';
import { type Audiences, openAudiences } from '../../bot/teams/audience.ts';
import { type CardSigner, openCardSigner } from '../../bot/teams/card-data.ts';
import { type Connector, openConnector } from '../../bot/teams/connector.ts';
import { type Gate, openSender, type Sender } from '../../bot/teams/sender.ts';
import type { Commands } from '../../bot/teams/turn-kit.ts';
import { scopeOfSystem } from '../../shared/access.ts';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import type { Post } from '../sandbox/ledger.ts';
import { type Sandbox, startSandbox } from '../support/sandbox.ts';
import { openTestStore } from '../support/store.ts';

export const serviceUrl = 'https://smba.trafficmanager.net/emea/';
export const [ana, bo, chidi, dana, eli] = demoPeople as unknown as [
  (typeof demoPeople)[number],
  (typeof demoPeople)[number],
  (typeof demoPeople)[number],
  (typeof demoPeople)[number],
  (typeof demoPeople)[number],
];

export type Rig = {
  sandbox: Sandbox;
  store: Store;
  services: Services;
  home: TenantId;
  botId: string;
  sender: Sender;
  connector: Connector;
  audiences: Audiences;
  cards: CardSigner;
  door: Door;
  server: Server;
  url: string;
  lines: { level: string; fields: LogFields; message: string }[];
  turns: { kind: string; outcome: string }[];
  /** Posts an activity with a good token, or with the header lines given. */
  post(
    activity: unknown,
    options?: { authorization?: string | string[] | null },
  ): Promise<{ status: number; body: unknown; text: string }>;
  activity(changes?: Record<string, unknown>): Record<string, unknown>;
  posts(conversation?: string): Promise<Post[]>;
  close(): Promise<void>;
};

/** The real door behind the real server, over real HTTP, with a sandbox as Microsoft and a store of its own. */
export async function openRig(options: {
  commands: Commands;
  gate?: Gate;
  sandbox?: Sandbox;
  answerWithinMs?: number;
}): Promise<Rig> {
  const sandbox = options.sandbox ?? (await startSandbox({ empty: true }));
  setGlobalDispatcher(sandbox.dispatcher);
  const { store, close: closeStore } = await openTestStore();
  const { bot } = sandbox.info.apps;
  const home = tenantId(bot.tenantId) as TenantId;
  const cloud = clouds.global;
  const lines: Rig['lines'] = [];
  const turns: Rig['turns'] = [];
  const say =
    (level: string) =>
    (fields: LogFields, message: string): void => {
      lines.push({ level, fields, message });
    };
  const log: Log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
  const stopping = new AbortController();
  const outbound = openOutbound({ cloud });
  const metrics = {
    turn: (kind, outcome) => turns.push({ kind, outcome }),
    sync: () => undefined,
    graphCall: () => undefined,
    storeCall: () => undefined,
    text: async () => '# figures\n',
    snapshot: async () => [],
    merge: () => undefined,
  } satisfies Metrics;
  const services = {
    store,
    log,
    metrics,
    now: () => store.now(),
    random: () => randomBytes(16).toString('base64url'),
    nudge: () => undefined,
    signal: stopping.signal,
    settings: {
      demo: false,
      homeTenantId: home,
      publicUrl: 'https://watchpost.example',
      teamsAppId: undefined,
      botId: bot.appId,
      entraPortal: 'https://entra.microsoft.com',
      syncScores: '0 5 * * *',
      syncDirectory: '0 2 * * *',
    },
  } as unknown as Services;
  const tokens = openBotTokens({
    outbound,
    cloud,
    now: Date.now,
    bot: { tenantId: home, appId: bot.appId, credential: { kind: 'secret', secret: new Secret(bot.secret) } },
  });
  const connector = openConnector({
    outbound,
    token: async () => (await tokens.get()).use((value) => value),
    allowedHosts: cloud.connectorHosts,
    botId: bot.appId,
  });
  const audiences = openAudiences({
    connector,
    places: store.places,
    homeTenantId: home,
    now: services.now,
    log,
  });
  const cards = openCardSigner([{ kid: 'k1', key: randomBytes(32) }]);
  const sender = openSender({
    connector,
    audiences,
    store,
    homeTenantId: home,
    cards,
    ...(options.gate === undefined ? {} : { gate: options.gate }),
    openUrl: 'https://watchpost.example/tab',
    now: services.now,
    log,
  });
  services.deliver = sender;
  services.roster = (place) => audiences.members(place, 500);
  const door = openDoor({
    services,
    bot: {
      id: bot.appId,
      isAllowed: async (id) => id === home || (await store.tenants.get(scopeOfSystem(), id)) !== null,
    },
    keys: openSigningKeys({ outbound, metadataUrl: cloud.botOpenIdMetadata, now: Date.now }),
    issuer: cloud.botIssuer,
    allowedHosts: cloud.connectorHosts,
    connector,
    audiences,
    sender,
    cards,
    commands: options.commands,
    ...(options.answerWithinMs === undefined ? {} : { answerWithinMs: options.answerWithinMs }),
  });
  const server = createServer({
    config: {
      publicUrl: 'https://watchpost.example',
      metricsToken: undefined,
      demo: false,
      tabFolder: mkdtempSync(join(tmpdir(), 'watchpost-no-tab-')),
    },
    door,
    apiRoutes: [],
    requireUser: async () => ({ kind: 'refused', status: 401, detail: 'Sign in.' }),
    services,
    ready: async () => true,
  });
  const port = await server.listen(0, '127.0.0.1');
  const url = `http://127.0.0.1:${port}`;
  const good = `Bearer ${await sandbox.token({ for: 'bot' })}`;

  function activity(changes: Record<string, unknown> = {}): Record<string, unknown> {
    return {
      type: 'message',
      id: randomUUID(),
      channelId: 'msteams',
      serviceUrl,
      from: { id: ana.teamsId, name: ana.name, aadObjectId: ana.oid },
      recipient: { id: `28:${bot.appId}`, name: 'Watchpost' },
      conversation: { id: 'a:personal-of-ana', conversationType: 'personal', tenantId: home },
      channelData: { tenant: { id: home } },
      text: 'hello',
      ...changes,
    };
  }

  return {
    ...{
      sandbox,
      store,
      services,
      home,
      botId: bot.appId,
      sender,
      connector,
      audiences,
      cards,
      door,
      server,
    },
    ...{ url, lines, turns, activity },
    async post(body, { authorization = good } = {}) {
      const lines = authorization === null ? [] : [authorization].flat();
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      return await postRaw(
        `${url}/api/messages`,
        ['content-type', 'application/json', ...lines.flatMap((one) => ['authorization', one])],
        text,
      );
    },
    posts: async (conversation) =>
      (await sandbox.posts()).filter(
        (one) => conversation === undefined || one.conversation === conversation,
      ),
    async close() {
      await server.close();
      stopping.abort();
      await closeStore();
      if (options.sandbox === undefined) await sandbox.stop();
    },
  };
}

/** A POST whose header lines go out as they stand, several of one name included. */
export async function postRaw(
  url: string,
  headers: string[],
  body: string | Buffer,
): Promise<{ status: number; body: unknown; text: string }> {
  return await new Promise((resolve, reject) => {
    const length = ['content-length', String(Buffer.byteLength(body)), 'host', new URL(url).host];
    const outgoing = request(url, { method: 'POST', headers: [...headers, ...length], timeout: 20_000 });
    outgoing.once('error', reject);
    outgoing.once('timeout', () => outgoing.destroy(new Error('no answer within 20 s')));
    outgoing.once('response', (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.once('error', reject);
      incoming.once('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const isJson = incoming.headers['content-type']?.includes('json') === true;
        resolve({ status: incoming.statusCode ?? 0, body: isJson ? JSON.parse(text) : undefined, text });
      });
    });
    outgoing.end(body);
  });
}

/** Waits until `ready` answers something, at most `ms`. */
export async function until<T>(ready: () => Promise<T | undefined> | T | undefined, ms = 10_000): Promise<T> {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    const found = await ready();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('waited in vain');
}
