import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cloudNamed, entraMetadata } from './clouds.ts';
import type { Config } from './config.ts';
import { openDns } from './dns.ts';
import { openLog } from './log.ts';
import { callLabel, openMetrics } from './metrics.ts';
import { openConsentApp } from './microsoft/consent-app.ts';
import { openSigningKeys } from './microsoft/keys.ts';
import { openMicrosoft } from './microsoft/open.ts';
import { configureDispatcher, type Outbound, openOutbound } from './outbound.ts';
import { ownCredentials } from './own-credentials.ts';
import { toSandbox } from './sandbox-dispatcher.ts';
import { derivedKeys, type Keyring, newKeyringText, parseKeyring } from './secrets.ts';
import type { Deliver, Services, SigningKeys, Store } from './services.ts';
import { openStore } from './store/open.ts';

export type OpenOptions = {
  config: Config;
  thread: 'main' | 'clock';
  instanceId: string;
  /** Demo only: Microsoft's hosts are answered there. */
  sandboxUrl: string | undefined;
  logFile: string | undefined;
  signal: AbortSignal;
  nudge(): void;
};

/** Services of one thread and the parts that only the program's edges use. */
export type Opened = {
  services: Services;
  outbound: Outbound;
  botKeys: SigningKeys;
  keyring: Keyring;
  /** Puts the way into Teams in: all of it for the thread that answers people, only `post` for the clock's. */
  setDeliver(deliver: Partial<Deliver>, roster?: Services['roster']): void;
  close(): Promise<void>;
};

/** Builds everything a handler may use, once for each thread. Throws `start`, `config` or `store`. */
export async function openServices(options: OpenOptions): Promise<Opened> {
  const { config, thread } = options;
  const log = openLog(config.logLevel, thread, options.logFile);
  configureDispatcher(options.sandboxUrl === undefined ? undefined : toSandbox(options.sandboxUrl));
  const cloud = cloudNamed(config.cloud);
  const keyring = parseKeyring(keyringText(config));
  const holder: { store?: Store } = {};
  const metrics = openMetrics(
    thread,
    thread === 'main'
      ? undefined
      : {
          work: async () => (await holder.store?.work.backlog()) ?? 0,
          unreachable: async () => (await holder.store?.subscriptions.countUnreachable()) ?? 0,
          outbox: async () => (await holder.store?.outbox.backlog()) ?? { waiting: 0, oldestSeconds: 0 },
        },
  );
  const store = await openStore({
    mongodbUri: config.mongodbUri?.use((uri) => uri),
    folder: config.dataFolder,
    instanceId: options.instanceId,
    keyring,
    checkpoints: config.audit,
    onCall: metrics.storeCall,
    // Nobody waits for the clock: what many syncs write at the same time is committed together.
    ...(thread === 'clock' ? { gatherMs: 4 } : {}),
  });
  holder.store = store;
  const now = (): string => store.now();
  const outbound = openOutbound({
    cloud,
    onCall: (host, path, status, ms) => metrics.graphCall(callLabel(host, path), status, ms),
  });
  const nowMs = (): number => Date.now();
  const notHere = async (): Promise<never> => {
    throw new Error('this thread answers nobody');
  };
  const entraKeys = openSigningKeys({
    outbound,
    metadataUrl: entraMetadata(cloud, 'common'),
    now: nowMs,
  });
  const services: Services = {
    store,
    microsoft: openMicrosoft({
      outbound,
      cloud,
      now: nowMs,
      log,
      signal: options.signal,
      consentApp: config.graph,
    }),
    // In the demo the sandbox answers for the DNS too, on the port of its address; nothing leaves the machine.
    dns: openDns({
      signal: options.signal,
      ...(options.sandboxUrl === undefined ? {} : { servers: [new URL(options.sandboxUrl).host] }),
    }),
    deliver: { send: notHere, typing: notHere, post: notHere },
    roster: notHere,
    entraKeys,
    ...(config.graph === undefined
      ? {}
      : {
          consent: openConsentApp({
            app: config.graph,
            cloud,
            outbound,
            keys: entraKeys,
            redirectUri: `${config.publicUrl}/connect/callback`,
            pages: options.sandboxUrl ?? cloud.authority,
            now: nowMs,
            signal: options.signal,
          }),
        }),
    log,
    metrics,
    now,
    random: openRandom(),
    nudge: options.nudge,
    signal: options.signal,
    settings: {
      demo: config.demo,
      homeTenantId: config.homeTenantId,
      publicUrl: config.publicUrl,
      teamsAppId: config.teamsAppId,
      botId: config.bot.id,
      entraPortal: cloud.entraPortal,
      ownCredentials: ownCredentials(config),
      syncScores: config.syncScores,
      syncDirectory: config.syncDirectory,
    },
  };
  return {
    services,
    outbound,
    keyring,
    botKeys: openSigningKeys({ outbound, metadataUrl: cloud.botOpenIdMetadata, now: nowMs }),
    setDeliver(deliver, roster) {
      services.deliver = { ...services.deliver, ...deliver };
      if (roster !== undefined) services.roster = roster;
    },
    close: () => store.close(),
  };
}

/** 128 random bits a call, drawn from the system for 256 calls together: a draw for each costs twenty times as much. */
function openRandom(): () => string {
  const bytes = 16;
  let drawn = Buffer.alloc(0);
  let at = 0;
  return () => {
    if (at + bytes > drawn.length) {
      drawn = randomBytes(256 * bytes);
      at = 0;
    }
    at += bytes;
    return drawn.toString('base64url', at - bytes, at);
  };
}

/** Keys of card data: derived, so that losing one says nothing of the keys of secrets. */
export function cardKeys(keyring: Keyring): { kid: string; key: Buffer }[] {
  return derivedKeys(keyring, 'card-data-v1');
}

/** `ENCRYPTION_KEYS`, or in the demo a key made once and kept beside the data, readable by its owner only. */
function keyringText(config: Config): string {
  if (config.encryptionKeys !== undefined) return config.encryptionKeys.use((text) => text);
  const file = join(config.dataFolder, 'demo-encryption-keys');
  if (!existsSync(file)) writeFileSync(file, newKeyringText(), { mode: 0o600, flag: 'wx' });
  return readFileSync(file, 'utf8').trim();
}
