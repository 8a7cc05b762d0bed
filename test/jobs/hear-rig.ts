import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setGlobalDispatcher } from 'undici';
import { clouds } from '../../bot/clouds.ts';
import { digest } from '../../bot/digest.ts';
import { sendDue } from '../../bot/jobs/send-due.ts';
import { silentLog } from '../../bot/log.ts';
import { openBotTokens } from '../../bot/microsoft/bot-tokens.ts';
import { openOutbound } from '../../bot/outbound.ts';
import { newKeyringText, parseKeyring, Secret } from '../../bot/secrets.ts';
import type { OutboxEntry, OutboxLease, Services, Store } from '../../bot/services.ts';
import { collections } from '../../bot/store/collections.ts';
import type { Engine } from '../../bot/store/engine/collection.ts';
import { openEmbedded } from '../../bot/store/engine/embedded.ts';
import { storeOver } from '../../bot/store/open.ts';
import { openAudiences } from '../../bot/teams/audience.ts';
import { openCardSigner } from '../../bot/teams/card-data.ts';
import { openConnector } from '../../bot/teams/connector.ts';
import { openSender } from '../../bot/teams/sender.ts';
import { scopeOfSystem } from '../../shared/access.ts';
import { findingId, type Transition } from '../../shared/alerts/finding.ts';
import { outboxId } from '../../shared/alerts/outbox-id.ts';
import type { DropFinding } from '../../shared/alerts/score-drop.ts';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { millis } from '../../shared/time.ts';
import { type Fall, falls } from '../cards/fallen.ts';
import { aTenant } from '../cards/samples.ts';
import type { Post } from '../sandbox/ledger.ts';
import { type Sandbox, startSandbox } from '../support/sandbox.ts';
import { ana, bo, serviceUrl, until } from '../teams/rig.ts';

const everything = scopeOfSystem();

/** One instance: a connection to the store and a way into Teams of its own. */
export type Instance = {
  id: string;
  store: Store;
  services: Services;
  /** Claims what is due and sends it; answers how many conversations were due. */
  send(leaseMs?: number): Promise<number>;
  /** Statuses that Teams answered with, in order. */
  statuses: number[];
};

export type HearRig = {
  sandbox: Sandbox;
  home: TenantId;
  /** Milliseconds that the database's clock is ahead of the world's, and how much faster it goes. */
  clock: { ahead: number; speed: number };
  /** `change` plants a fault in the store, or a defect. */
  instance(id: string, change?: (engine: Engine) => Engine): Instance;
  conversation(name: string, change?: { kind?: 'channel' | 'groupChat'; guest?: boolean }): Promise<string>;
  tenant(n: number): Promise<TenantId>;
  /** Writes a fall of the tenant and what tells of it to these conversations. */
  tell(store: Store, tenant: TenantId, fall: Fall, conversations: readonly string[]): Promise<OutboxEntry[]>;
  /** What the connector took since the rig was opened, or since `forget`. */
  posts(conversation?: string): Promise<Post[]>;
  forget(): Promise<void>;
  /** Lets time pass until something is due again; false when nothing waits. */
  wait(store: Store): Promise<boolean>;
  /** Whether Teams keeps its limits; while it does not, nobody waits for their windows to run out. */
  limits(kept: boolean): Promise<void>;
  close(): Promise<void>;
};

export async function openHearRig(given?: Sandbox): Promise<HearRig> {
  const sandbox = given ?? (await startSandbox({ empty: true }));
  setGlobalDispatcher(sandbox.dispatcher);
  const folder = await mkdtemp(join(tmpdir(), 'watchpost-hear-'));
  const keyring = parseKeyring(newKeyringText());
  const { bot } = sandbox.info.apps;
  const home = tenantId(bot.tenantId) as TenantId;
  const clock = { ahead: 0, speed: 1 };
  const began = Date.now();
  const cardKey = randomBytes(32);
  const engines: Engine[] = [];
  const stopping = new AbortController();
  const looking = openEmbedded(join(folder, 'watchpost.sqlite'), collections);
  engines.push(looking);

  function instance(id: string, change: (engine: Engine) => Engine = (engine) => engine): Instance {
    const engine = openEmbedded(join(folder, 'watchpost.sqlite'), collections);
    engines.push(engine);
    const now = (): number => began + Math.floor((engine.now() - began) * clock.speed) + clock.ahead;
    const store = storeOver(change({ ...engine, now }), { instanceId: id, keyring });
    const cloud = clouds.global;
    const statuses: number[] = [];
    const outbound = openOutbound({
      cloud,
      onCall: (_host, path, status) => {
        if (path.includes('/v3/conversations/')) statuses.push(Number(status));
      },
    });
    const tokens = openBotTokens({
      outbound,
      cloud,
      now: Date.now,
      bot: {
        tenantId: home,
        appId: bot.appId,
        credential: { kind: 'secret', secret: new Secret(bot.secret) },
      },
    });
    const connector = openConnector({
      outbound,
      token: async () => (await tokens.get()).use((value) => value),
      tokenRefused: () => tokens.forget(),
      allowedHosts: cloud.connectorHosts,
      botId: bot.appId,
    });
    const log = silentLog();
    const audiences = openAudiences({
      connector,
      places: store.places,
      homeTenantId: home,
      now: () => store.now(),
      log,
    });
    const sender = openSender({
      connector,
      audiences,
      store,
      homeTenantId: home,
      cards: openCardSigner([{ kid: 'k1', key: cardKey }]),
      openUrl: 'https://watchpost.example/tab',
      now: () => store.now(),
      log,
    });
    const services = {
      store,
      deliver: sender,
      log,
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
    return {
      id,
      store,
      services,
      statuses,
      async send(leaseMs = 60_000) {
        const leases: OutboxLease[] = await store.outbox.claimDue(16, leaseMs);
        await Promise.all(leases.map((lease) => sendDue(lease, services, leaseMs)));
        return leases.length;
      },
    };
  }

  const own = instance('rig');
  let since = 0;
  let limited = true;
  const ledger = async (): Promise<Post[]> => await sandbox.posts(`?after=${since}`);
  const forget = async (): Promise<void> => {
    since = (await ledger()).at(-1)?.seq ?? since;
  };
  await forget();
  return {
    sandbox,
    home,
    clock,
    instance,
    async conversation(name, { kind = 'channel', guest = false } = {}) {
      const conversationId = `19:${name}@thread.tacv2`;
      const members = [
        { aadObjectId: ana.oid, id: ana.teamsId },
        { aadObjectId: bo.oid, id: bo.teamsId },
        ...(guest ? [{ aadObjectId: 'bbbbbbbb-0000-4000-8000-000000000001', userRole: 'guest' }] : []),
      ];
      await sandbox.control('POST', '/_sandbox/conversations', { id: conversationId, kind, members });
      const place = { kind, serviceUrl, hostTenantId: home };
      await own.store.places.save({ conversationId, ...place, seenAt: own.store.now() });
      await own.store.subscriptions.change(conversationId, () => ({
        conversationId,
        ...place,
        tenants: 'all',
        thresholds: [],
        by: 'Ana Reyes',
        since: own.store.now(),
      }));
      return conversationId;
    },
    async tenant(n) {
      const tenant = aTenant(n, `Tenant ${n}`);
      await own.store.tenants.save(everything, tenant);
      return tenant.id;
    },
    async tell(store, tenant, fall, conversations) {
      const { finding, transition } = renamed(fall, tenant);
      const { rule, findingId: id, generation, name, kind } = transition;
      const entries = conversations.map((conversationId) => ({
        id: outboxId({ tenantId: tenant, conversationId, rule, finding: id, name, generation }, digest),
        tenantId: tenant,
        conversationId,
        finding: { id, generation, transition: name },
        kind,
        transition,
      }));
      const kept = await store.findings.get(everything, tenant, id);
      if (!(await store.findings.save(everything, finding, kept?.revision ?? null, entries))) {
        throw new Error('somebody else told it');
      }
      return entries;
    },
    posts: async (conversation) =>
      (await ledger()).filter(
        (post) => conversation === undefined || post.conversation.startsWith(conversation),
      ),
    forget,
    async wait(store) {
      const declaration = collections.find(({ name }) => name === 'outboxQueues');
      if (declaration === undefined) throw new Error('no such collection');
      const page = await looking
        .collection<{ _id: string; dueAt: string }>(declaration)
        .find({}, { sort: { dueAt: 1 }, limit: 1 });
      const dueAt = page.rows[0]?.dueAt ?? '9';
      if (dueAt.startsWith('9')) return false;
      // Teams counts by the world's clock: its windows are let run out before ours jumps.
      if (clock.speed === 1 && limited) {
        const last = Date.parse((await ledger()).at(-1)?.at ?? '2000-01-01');
        await until(() => (Date.now() - last > 2_100 ? true : undefined));
      }
      clock.ahead += Math.max(0, millis(dueAt) - millis(store.now())) + 1;
      return true;
    },
    async limits(kept) {
      limited = kept;
      await sandbox.control('POST', '/_sandbox/limits', { off: !kept });
    },
    async close() {
      stopping.abort();
      for (const engine of engines) await engine.close();
      if (given === undefined) await sandbox.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The samples' fall with the ids that it has in life. */
function renamed(fall: Fall, tenant: TenantId): Fall {
  const id = findingId(tenant, 'scoreDrop', 'secureScore', digest);
  const finding: DropFinding = { ...fall.finding, id, tenantId: tenant };
  const transition: Transition<'scoreDrop'> = { ...fall.transition, findingId: id, tenantId: tenant };
  return { finding, transition };
}

export const fall = falls();

/** What the ledger says of what should have been told: nothing of ours is believed. */
export type Judged = {
  wanted: number;
  /** Not in any accepted post of that conversation. */
  lost: string[];
  /** A second accepted create of the same. */
  repeated: number;
  /** Repeats that do not say that they may be one. */
  unlabelled: string[];
};

export function judge(posts: readonly Post[], wanted: readonly OutboxEntry[]): Judged {
  const seen = new Map<string, number>();
  const unlabelled: string[] = [];
  let repeated = 0;
  for (const { kind, conversation, activity } of posts) {
    if (kind !== 'create') continue;
    const data = activity?.channelData as
      | { watchpost?: { findings?: OutboxEntry['finding'][]; repeated?: boolean } }
      | undefined;
    for (const finding of data?.watchpost?.findings ?? []) {
      const key = keyOf(conversation, finding);
      const before = seen.get(key) ?? 0;
      seen.set(key, before + 1);
      if (before === 0) continue;
      repeated += 1;
      const says = JSON.stringify(activity).includes('This may have reached you before.');
      if (data?.watchpost?.repeated !== true || !says) unlabelled.push(key);
    }
  }
  const lost = wanted.map((one) => keyOf(one.conversationId, one.finding)).filter((key) => !seen.has(key));
  return { wanted: wanted.length, lost, repeated, unlabelled };
}

function keyOf(conversation: string, { id, generation, transition }: OutboxEntry['finding']): string {
  return `${conversation.replace(/;messageid=.*$/, '')} ${id} ${generation} ${transition}`;
}
