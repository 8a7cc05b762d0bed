import { cloudNamed } from './clouds.ts';
import type { Config } from './config.ts';
import { WatchpostError } from './errors.ts';
import { openBotTokens } from './microsoft/bot-tokens.ts';
import { cardKeys, type Opened } from './open-services.ts';
import { type Audiences, openAudiences } from './teams/audience.ts';
import { type CardSigner, openCardSigner } from './teams/card-data.ts';
import { type Connector, openConnector } from './teams/connector.ts';
import { type Gate, openSender, type Sender } from './teams/sender.ts';

export type WayOut = { connector: Connector; audiences: Audiences; cards: CardSigner; sender: Sender };

/**
 * The way into Teams, put together: connector with the bot's own token, audiences, the sender behind the gate. Without
 * the door: the clock's thread has one as well, and nobody talks to it. `gate` is there for the test that takes it out.
 */
export function openWayOut(config: Config, opened: Opened, gate?: Gate): WayOut {
  const { services, outbound } = opened;
  const cloud = cloudNamed(config.cloud);
  if (config.bot.credential === undefined) throw new WatchpostError('config', 'The bot has no credential.');
  const tokens = openBotTokens({
    outbound,
    cloud,
    now: () => Date.now(),
    signal: services.signal,
    bot: { tenantId: config.bot.tenantId, appId: config.bot.id, credential: config.bot.credential },
  });
  const connector = openConnector({
    outbound,
    token: async () => (await tokens.get()).use((value) => value),
    tokenRefused: () => tokens.forget(),
    allowedHosts: cloud.connectorHosts,
    botId: config.bot.id,
  });
  const audiences = openAudiences({
    connector,
    places: services.store.places,
    homeTenantId: config.homeTenantId,
    now: services.now,
    log: services.log,
  });
  const cards = openCardSigner(cardKeys(opened.keyring));
  const sender = openSender({
    connector,
    audiences,
    store: services.store,
    homeTenantId: config.homeTenantId,
    cards,
    ...(gate === undefined ? {} : { gate }),
    openUrl: `${config.publicUrl}/tab`,
    now: services.now,
    log: services.log,
  });
  return { connector, audiences, cards, sender };
}
