import {
  ActivityHandler,
  CloudAdapter,
  ConfigurationBotFrameworkAuthentication,
  type TurnContext,
} from 'botbuilder';
import type { ServiceClientCredentialsFactory } from 'botframework-connector';
import restify from 'restify';
import * as v from 'valibot';

/**
 * The other side of the ratio: a botbuilder bot as Microsoft's samples write it (restify, CloudAdapter,
 * ActivityHandler), authentication on, which answers every message with the same card. It looks nothing up and
 * fetches no token of its own: whatever it costs, the libraries cost.
 *
 * Whoever starts it hands over `Settings` as JSON in the first argument and reads `{"url"}` from standard output.
 */
const settings = v.parse(
  v.object({
    botId: v.string(),
    /** Where the keys of inbound tokens are named. */
    openIdMetadata: v.string(),
    /** What it says, as Bot Framework's JSON. */
    activity: v.looseObject({ type: v.literal('message') }),
  }),
  JSON.parse(process.argv[2] ?? '{}'),
);

const credentials: ServiceClientCredentialsFactory = {
  isValidAppId: async (appId) => appId === settings.botId,
  isAuthenticationDisabled: async () => false,
  createCredentials: async () => ({
    async signRequest(request) {
      request.headers.set('authorization', 'Bearer fixed');
      return request;
    },
  }),
};
const adapter = new CloudAdapter(
  new ConfigurationBotFrameworkAuthentication(
    {
      ValidateAuthority: 'true',
      ToChannelFromBotLoginUrl: 'https://login.microsoftonline.com/botframework.com',
      ToChannelFromBotOAuthScope: 'https://api.botframework.com',
      ToBotFromChannelTokenIssuer: 'https://api.botframework.com',
      OAuthUrl: 'https://api.botframework.com',
      ToBotFromChannelOpenIdMetadataUrl: settings.openIdMetadata,
      ToBotFromEmulatorOpenIdMetadataUrl: settings.openIdMetadata,
      CallerId: 'urn:botframework:azure',
    },
    credentials,
  ),
);
adapter.onTurnError = async (_, error) => {
  console.error(error);
};

class SameCard extends ActivityHandler {
  constructor() {
    super();
    this.onMessage(async (context: TurnContext, next) => {
      await context.sendActivity({ ...settings.activity });
      await next();
    });
  }
}
const bot = new SameCard();

const server = restify.createServer();
server.use(restify.plugins.bodyParser());
server.post('/api/messages', async (request, response) => {
  await adapter.process(request, response, (context) => bot.run(context));
});
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ url: server.url })));
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
