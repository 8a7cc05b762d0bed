import * as v from 'valibot';
import { digest } from '../../bot/digest.ts';
import { openLane } from '../../bot/jobs/lane.ts';
import { cardNews } from '../../bot/jobs/news-for.ts';
import { sendDue } from '../../bot/jobs/send-due.ts';
import { openWayOut } from '../../bot/open-way-out.ts';
import type { OutboxEntry, Place } from '../../bot/services.ts';
import { scopeOfSystem } from '../../shared/access.ts';
import { findingId } from '../../shared/alerts/finding.ts';
import { outboxId } from '../../shared/alerts/outbox-id.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { falls } from '../cards/fallen.ts';
import { aTenant } from '../cards/samples.ts';
import { inHands } from './hands.ts';
import { openProduct } from './open-product.ts';
import { stockAdapter } from './stock-adapter.ts';

/**
 * One of the sides that send cards nobody asked for, in a process of its own, 64 of them under way, each to another
 * conversation: `post` the product's way onto the wire (audience, card, signature, gate, connector); `send-due` all
 * that the product does, from the outbox's row to the row that says "sent"; `stock` botbuilder's
 * `continueConversationAsync`. Told `{cards}` it sends so many and answers with what that took; throws unless each
 * was taken.
 */
const settings = v.parse(
  v.object({
    kind: v.picklist(['post', 'send-due', 'stock']),
    url: v.string(),
    encryptionKeys: v.string(),
    botId: v.string(),
    homeTenantId: v.string(),
    conversations: v.number(),
    /** What the stock one says. */
    activity: v.optional(v.looseObject({ type: v.literal('message') })),
  }),
  JSON.parse(process.argv[2] ?? '{}'),
);
const inFlight = 64;
const everything = scopeOfSystem();
const sample = falls().opened;

type Sending = {
  /** What has to be there before the clock runs. */
  prepare(cards: number): Promise<void>;
  send(cards: number): Promise<void>;
  close(): Promise<void>;
};
const side = settings.kind === 'stock' ? stock() : await product();

process.on('message', (message: unknown) => {
  const { cards } = v.parse(v.object({ cards: v.number() }), message);
  void run(cards);
});
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => void side.close().then(() => process.exit(0)));
console.log(JSON.stringify({ url: settings.url }));

async function run(cards: number): Promise<void> {
  await side.prepare(cards);
  const cpu = process.cpuUsage();
  const started = performance.now();
  await side.send(cards);
  const seconds = (performance.now() - started) / 1000;
  const used = process.cpuUsage(cpu);
  const cpuMs = (used.user + used.system) / 1000;
  process.send?.({ seconds, cpuMs, rssMb: process.memoryUsage.rss() / 2 ** 20 });
}

function conversationOf(number: number): string {
  return `19:bench${number % settings.conversations}@thread.tacv2`;
}

/** `work` for each number below `cards`, 64 at a time. */
async function each(cards: number, work: (number: number) => Promise<void>): Promise<void> {
  await inHands([...Array(cards).keys()], inFlight, work);
}

/** The stock bot writes to the same conversations through botbuilder alone. */
function stock(): Sending {
  const { botId, url, activity } = settings;
  if (activity === undefined) throw new Error('the stock side needs something to say');
  const adapter = stockAdapter(botId, `${url}/bot/openid`);
  const bot = { id: `28:${botId}`, name: 'Watchpost' };
  const rest = { channelId: 'msteams', serviceUrl: `${url}/emea/`, bot };
  return {
    prepare: async () => undefined,
    async send(cards) {
      let taken = 0;
      await each(cards, async (number) => {
        const conversation = {
          ...{ id: conversationOf(number), name: '', isGroup: true, conversationType: 'channel' },
          tenantId: tenantOf(number),
        };
        await adapter.continueConversationAsync(botId, { ...rest, conversation }, async (context) => {
          const said = await context.sendActivity({ ...activity });
          if (said?.id !== undefined) taken += 1;
        });
      });
      if (taken !== cards) throw new Error(`${cards - taken} of ${cards} cards were not taken`);
    },
    close: async () => undefined,
  };
}

function tenantOf(number: number): TenantId {
  return aTenant(number % settings.conversations, 'Tenant').id;
}

/**
 * Every conversation is a channel of a customer of its own: all of one organisation together may get no more than 14
 * messages a second, by Teams' limits.
 */
async function product(): Promise<Sending> {
  const { url, encryptionKeys, botId, homeTenantId, conversations } = settings;
  const { opened, config, close } = await openProduct({
    url,
    encryptionKeys,
    bot: { id: botId, homeTenantId },
  });
  const { services } = opened;
  const { store } = services;
  opened.setDeliver({ post: openWayOut(config, opened).sender.post });
  await each(conversations, async (number) => {
    const place = placeOf(number);
    const { conversationId, serviceUrl, hostTenantId } = place;
    const tenant = aTenant(number, `Tenant ${number}`);
    await store.tenants.save(everything, tenant);
    const row = {
      conversationId,
      kind: 'channel',
      serviceUrl,
      hostTenantId,
      seenAt: services.now(),
    } as const;
    await store.places.save(row);
    await store.places.bind(conversationId, { kind: 'customer', tenant: tenant.id });
    await store.subscriptions.change(conversationId, () => ({
      ...{ conversationId, kind: 'channel', serviceUrl, hostTenantId, by: 'Bench', since: services.now() },
      ...{ tenants: [tenant.id], thresholds: [] },
    }));
  });
  const rest = { prepare: async () => undefined, close };
  return settings.kind === 'post' ? { ...rest, send: post } : { ...rest, prepare: fill, send: empty };

  /** A card drawn anew for every conversation, through the gate and onto the wire. */
  async function post(cards: number): Promise<void> {
    await each(cards, async (number) => {
      const tenant = aTenant(number % conversations, `Tenant ${number % conversations}`);
      const entry = entryOf(number, 1);
      const at = services.now();
      const row = {
        ...entry,
        state: 'waiting',
        createdAt: at,
        dueAt: at,
        attempts: 0,
        maybeSent: false,
        unclear: 0,
      };
      const told = { row: { ...row, state: 'waiting' as const }, tenant, finding: sample.finding };
      const news = cardNews(told, { now: at, settings: services.settings, mayAcknowledge: false });
      const delivery = await services.deliver.post(placeOf(number), news);
      if (delivery.kind !== 'sent')
        throw new Error(`a card was ${delivery.kind}: ${JSON.stringify(delivery)}`);
    });
  }

  /** A fall of each tenant, to be told to its channel: a new generation of the same finding each time. */
  async function fill(cards: number): Promise<void> {
    if (cards > conversations) throw new Error('more cards than conversations: their pace would be measured');
    await each(cards, async (number) => {
      const { id } = aTenant(number, '');
      const finding = findingId(id, 'scoreDrop', 'secureScore', digest);
      const kept = await store.findings.get(everything, id, finding);
      const generation = (kept?.value.generation ?? 0) + 1;
      const value = { ...sample.finding, id: finding, tenantId: id, generation };
      const entry = entryOf(number, generation);
      const saved = await store.findings.save(everything, value, kept?.revision ?? null, [entry]);
      if (!saved) throw new Error('a finding was changed by somebody else');
    });
  }

  /** The outbox is emptied by the product's own lane. */
  async function empty(cards: number): Promise<void> {
    let sent = 0;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const lane = openLane({
      atOnce: inFlight,
      claim: (limit) => store.outbox.claimDue(limit, 60_000),
      async perform(lease) {
        try {
          const count = await sendDue(lease, services);
          sent += count;
          if (sent === cards) resolve();
        } catch (error) {
          reject(error);
        }
      },
      signal: services.signal,
      log: services.log,
    });
    const late = setTimeout(() => reject(new Error(`${sent} of ${cards} were sent in 2 minutes`)), 120_000);
    lane.pump();
    await promise.finally(() => clearTimeout(late));
    lane.close();
    await lane.idle();
    const { waiting } = await store.outbox.backlog();
    if (waiting > 0) throw new Error(`${waiting} rows still wait`);
  }
}

function placeOf(number: number): Omit<Place, 'audience'> {
  const tenant = tenantOf(number);
  return {
    ...{ kind: 'channel', conversationId: conversationOf(number), targeted: false, personTeamsId: '' },
    ...{ serviceUrl: `https://smba.trafficmanager.net/emea/${tenant}/`, hostTenantId: tenant },
  };
}

function entryOf(number: number, generation: number): OutboxEntry {
  const tenantId = tenantOf(number);
  const conversationId = conversationOf(number);
  const id = findingId(tenantId, 'scoreDrop', 'secureScore', digest);
  const { rule, kind, name } = sample.transition;
  return {
    id: outboxId({ tenantId, conversationId, rule, finding: id, name, generation }, digest),
    ...{ tenantId, conversationId, kind, finding: { id, generation, transition: name } },
    transition: { ...sample.transition, findingId: id, tenantId, generation },
  };
}
