import { scopeOfSystem } from '../shared/access.ts';
import { parseCommand } from '../shared/command.ts';
import type { TenantId } from '../shared/tenants/tenant.ts';
import { cloudNamed } from './clouds.ts';
import { cardActions, changesSomething, runCommand } from './commands/index.ts';
import type { Config } from './config.ts';
import { WatchpostError } from './errors.ts';
import { openBotTokens } from './microsoft/bot-tokens.ts';
import { cardKeys, type Opened } from './open-services.ts';
import { type Door, openDoor } from './teams/application.ts';
import { openAudiences } from './teams/audience.ts';
import { openCardSigner } from './teams/card-data.ts';
import { openConnector } from './teams/connector.ts';
import { type Gate, openSender } from './teams/sender.ts';

/**
 * The way into and out of Teams, put together: connector with the bot's own token, audiences, the sender behind the
 * gate, the door. Gives `services` their `deliver` and `roster`. `gate` is there for the test that takes it out.
 */
export function openTeams(config: Config, opened: Opened, gate?: Gate): { door: Door } {
  const { services, outbound } = opened;
  const cloud = cloudNamed(config.cloud);
  if (config.bot.credential === undefined) throw new WatchpostError('config', 'The bot has no credential.');
  const nowMs = (): number => Date.now();
  const tokens = openBotTokens({
    outbound,
    cloud,
    now: nowMs,
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
  opened.setDeliver(sender, (place) => audiences.members(place, 500));
  const door = openDoor({
    services,
    bot: {
      id: config.bot.id,
      isAllowed: async (tenant: TenantId) =>
        tenant === config.homeTenantId ||
        (await services.store.tenants.get(scopeOfSystem(), tenant)) !== null,
    },
    keys: opened.botKeys,
    issuer: cloud.botIssuer,
    allowedHosts: cloud.connectorHosts,
    connector,
    audiences,
    sender,
    cards,
    commands: { parseCommand, runCommand, changesSomething, cardActions },
  });
  return { door };
}
