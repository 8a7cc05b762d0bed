import type { Secret } from '../secrets.ts';
import type { TenantAccess } from '../services.ts';
import type { TokenOptions } from './token-request.ts';
import { openTokens } from './tokens.ts';

export type BotTokens = {
  /** The bot's own token for the connector, from memory or fetched once for all who ask. @throws MicrosoftError. */
  get(): Promise<Secret>;
  /** After the connector refused the token: the next `get` fetches a new one. */
  forget(): void;
};

/** Tokens the bot speaks to Teams with: single tenant, the scope of the cloud's Bot Framework. */
export function openBotTokens(options: TokenOptions & { bot: TenantAccess }): BotTokens {
  const { bot, cloud } = options;
  const tokens = openTokens({ ...options, scope: cloud.botScope, most: 1 });
  return {
    get: async () => (await tokens.get(bot)).value,
    forget: () => tokens.forget(bot.tenantId),
  };
}
