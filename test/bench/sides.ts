import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { demoBotId, demoHome, demoTabAppId } from '../../bot/cast.ts';
import { startProgram } from '../support/program.ts';
import { activities } from './activities.ts';
import { customers } from './customers.ts';
import { type HelperProcess, startHelper } from './helper-process.ts';
import type { Target } from './load.ts';
import { askers, seedStore } from './seed-store.ts';

/** One of the two programs that are compared, running, with activities made for it. */
export type Side = Target & {
  name: string;
  /** From the start of its process until it listened. */
  startMs: number;
  /** Signs the tokens of the next `turns` before the clock runs. */
  prepare(turns: number): void;
  /** The end of its standard error, for when a round fails. */
  complaints(): string;
  stop(): Promise<void>;
};

/** What both sides share: the keys that inbound tokens are signed with, and a Microsoft that costs little. */
export type Ground = {
  microsoft: HelperProcess;
  key: KeyObject;
  kid: string;
  /** The public half, as JWK. */
  jwk: object;
  /** The first reply that was accepted, as JSON. */
  reply(): Promise<Record<string, unknown>>;
  replies(): Promise<number>;
};

const tenantCount = 200;
const askerCount = 50;
const botId = demoBotId;
const homeTenantId = demoHome.id;
/** Stands on every score card and on nothing else. */
const scoreMark = 'Secure Score ·';

/**
 * `lose`: that reply is swallowed by Teams' connector; for the test of the count. `mark`: the text by which a message
 * is known to be one that is counted.
 */
export async function prepareGround(lose?: number, mark = scoreMark): Promise<Ground> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const kid = 'bench';
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid };
  const microsoft = await startHelper('fake-microsoft.ts', { jwk, homeTenantId, mark, lose });
  const read = async (path: string): Promise<unknown> => {
    const answer = await fetch(`${microsoft.url}/_bench/${path}`, { signal: AbortSignal.timeout(5_000) });
    if (!answer.ok) throw new Error(`no ${path}: nothing has been accepted yet`);
    return answer.json();
  };
  return {
    microsoft,
    key: privateKey,
    kid,
    jwk,
    reply: async () => v.parse(v.record(v.string(), v.unknown()), await read('last')),
    replies: async () => v.parse(v.object({ replies: v.number() }), await read('counts')).replies,
  };
}

export type WatchpostOptions = {
  /** Puts more into the store before the program starts. */
  seed?(store: { folder: string; encryptionKeys: string }): Promise<void>;
  preload?: string[];
  env?: Record<string, string>;
  /** Resolves when it says so instead of when it is ready. */
  until?: RegExp;
};

/**
 * Watchpost as it runs in production, every check on, over an embedded store with 200 customers in it; Microsoft's
 * addresses are answered by the ground's Microsoft.
 */
export async function startWatchpost(
  ground: Ground,
  seed: string,
  nodeOptions: string[] = [],
  options: WatchpostOptions = {},
): Promise<Side> {
  const folder = mkdtempSync(join(tmpdir(), 'wp-bench-'));
  const encryptionKeys = `k1:${randomBytes(32).toString('base64')}`;
  const now = new Date();
  const known = customers(tenantCount, seed, now.toISOString());
  const people = askers(askerCount);
  const tidy = (): void => rmSync(folder, { recursive: true, force: true });
  await seedStore({ folder, encryptionKeys, homeTenantId, customers: known, askers: people });
  await options.seed?.({ folder, encryptionKeys });
  const began = performance.now();
  const program = await startProgram({
    folder,
    sandbox: {
      url: ground.microsoft.url,
      info: {
        apps: {
          bot: { appId: botId, secret: 'a-secret-of-the-bench', tenantId: homeTenantId },
          tab: { appId: demoTabAppId, tenantId: homeTenantId },
        },
      },
    },
    env: {
      ENCRYPTION_KEYS: encryptionKeys,
      NODE_ENV: 'production',
      NODE_OPTIONS: nodeOptions.join(' '),
      ...options.env,
    },
    preload: options.preload,
    until: options.until,
  }).catch((error: unknown) => {
    tidy();
    throw error;
  });
  const startMs = performance.now() - began;
  const script = activities(
    {
      ...identity(ground),
      serviceUrl: `https://smba.trafficmanager.net/emea/${homeTenantId}/`,
      askers: people,
      tenantNames: known.map(({ tenant }) => tenant.name),
    },
    now.getTime(),
  );
  return {
    name: 'Watchpost',
    startMs,
    url: `${program.url}/api/messages`,
    pid: program.child.pid ?? 0,
    ...script,
    replies: ground.replies,
    complaints: () => program.err().slice(-2_000),
    async stop() {
      await program.stop();
      tidy();
    },
  };
}

/** What a bot says, without what belongs to one conversation. */
const said = ['type', 'attachments', 'text', 'textFormat', 'summary', 'inputHint', 'channelData', 'entities'];

/** A bare botbuilder bot that says to everything what `reply` says. */
export async function startBareBot(
  ground: Ground,
  reply: Record<string, unknown>,
  nodeOptions: string[] = [],
): Promise<Side> {
  return await otherBot(
    ground,
    'bare botbuilder',
    await startHelper('bare-bot.ts', { ...withKeys(ground), activity: saidIn(reply) }, nodeOptions),
  );
}

/** The ceiling: the least that answers `reply` to a verified token. */
export async function startPlainServer(ground: Ground, reply: Record<string, unknown>): Promise<Side> {
  const { jwk, microsoft } = ground;
  const settings = { jwk, microsoft: microsoft.url, activity: saidIn(reply) };
  return await otherBot(ground, 'node:http + undici', await startHelper('plain-server.ts', settings));
}

/** teams-ai's echo bot. */
export async function startEchoBot(ground: Ground, env: Record<string, string> = {}): Promise<Side> {
  const settings = { ...withKeys(ground), prefix: scoreMark };
  return await otherBot(ground, 'teams-ai echo', await startHelper('echo-bot.ts', settings, [], env));
}

/** What a message says, without what belongs to one conversation. */
export function saidIn(activity: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(activity).filter(([name]) => said.includes(name)));
}

function withKeys(ground: Ground): { botId: string; openIdMetadata: string } {
  return { botId, openIdMetadata: `${ground.microsoft.url}/bot/openid` };
}

async function otherBot(ground: Ground, name: string, bot: HelperProcess): Promise<Side> {
  const script = activities(
    {
      ...identity(ground),
      serviceUrl: `${ground.microsoft.url}/emea/`,
      askers: askers(askerCount),
      tenantNames: ['Contoso'],
    },
    Date.now(),
  );
  return {
    name,
    startMs: bot.startMs,
    url: `${bot.url}/api/messages`,
    pid: bot.pid,
    ...script,
    replies: ground.replies,
    complaints: bot.complaints,
    stop: bot.stop,
  };
}

function identity(ground: Ground) {
  return { key: ground.key, kid: ground.kid, botId, homeTenantId };
}
