import { scopeOfSystem } from '../shared/access.ts';
import { parseCommand } from '../shared/command.ts';
import type { TenantId } from '../shared/tenants/tenant.ts';
import { cloudNamed } from './clouds.ts';
import { cardActions, changesSomething, runCommand } from './commands/index.ts';
import type { Config } from './config.ts';
import type { Opened } from './open-services.ts';
import { openWayOut } from './open-way-out.ts';
import { type Door, openDoor } from './teams/application.ts';
import type { Gate } from './teams/sender.ts';

/**
 * The way into and out of Teams, put together: what `openWayOut` gives, and the door. Gives `services` their `deliver`
 * and `roster`. `gate` is there for the test that takes it out.
 */
export function openTeams(config: Config, opened: Opened, gate?: Gate): { door: Door } {
  const { services } = opened;
  const cloud = cloudNamed(config.cloud);
  const { connector, audiences, cards, sender } = openWayOut(config, opened, gate);
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
