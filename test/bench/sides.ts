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
  /** The first reply that was accepted, as JSON. */
  reply(): Promise<Record<string, unknown>>;
  replies(): Promise<number>;
};

const tenantCount = 200;
const askerCount = 50;
const botId = demoBotId;
const homeTenantId = demoHome.id;
/** Stands on every score card and on nothing else. */
const mark = 'Secure Score ·';

/** `lose`: that reply is swallowed by Teams' connector; for the test of the count. */
export async function prepareGround(lose?: number): Promise<Ground> {
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
    reply: async () => v.parse(v.record(v.string(), v.unknown()), await read('last')),
    replies: async () => v.parse(v.object({ replies: v.number() }), await read('counts')).replies,
  };
}

/**
 * Watchpost as it runs in production, every check on, over an embedded store with 200 customers in it; Microsoft's
 * addresses are answered by the ground's Microsoft.
 */
export async function startWatchpost(
  ground: Ground,
  seed: string,
  nodeOptions: string[] = [],
): Promise<Side> {
  const folder = mkdtempSync(join(tmpdir(), 'wp-bench-'));
  const encryptionKeys = `k1:${randomBytes(32).toString('base64')}`;
  const now = new Date();
  const known = customers(tenantCount, seed, now.toISOString());
  const people = askers(askerCount);
  const tidy = (): void => rmSync(folder, { recursive: true, force: true });
  await seedStore({ folder, encryptionKeys, homeTenantId, customers: known, askers: people });
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
    env: { ENCRYPTION_KEYS: encryptionKeys, NODE_ENV: 'production', NODE_OPTIONS: nodeOptions.join(' ') },
  }).catch((error: unknown) => {
    tidy();
    throw error;
  });
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
  const activity = Object.fromEntries(Object.entries(reply).filter(([name]) => said.includes(name)));
  const bot = await startHelper(
    'bare-bot.ts',
    { botId, openIdMetadata: `${ground.microsoft.url}/bot/openid`, activity },
    nodeOptions,
  );
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
    name: 'bare botbuilder',
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
