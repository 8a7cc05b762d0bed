import { ActivityHandler, type TurnContext } from 'botbuilder';
import restify from 'restify';
import * as v from 'valibot';
import { stockAdapter } from './stock-adapter.ts';

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

const adapter = stockAdapter(settings.botId, settings.openIdMetadata);

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
