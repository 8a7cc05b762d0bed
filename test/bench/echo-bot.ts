import { Application } from '@microsoft/teams-ai';
import { MemoryStorage } from 'botbuilder';
import restify from 'restify';
import * as v from 'valibot';
import { stockAdapter } from './stock-adapter.ts';

/**
 * teams-ai's echo bot as its samples write it: restify, CloudAdapter, Application, MemoryStorage, authentication on.
 * `prefix` stands before what it echoes. Settings are JSON in the first argument; prints `{"url"}`.
 */
const settings = v.parse(
  v.object({ botId: v.string(), openIdMetadata: v.string(), prefix: v.string() }),
  JSON.parse(process.argv[2] ?? '{}'),
);
const adapter = stockAdapter(settings.botId, settings.openIdMetadata);
const app = new Application({ storage: new MemoryStorage() });
app.activity('message', async (context) => {
  await context.sendActivity(`${settings.prefix} ${context.activity.text}`);
});

const server = restify.createServer();
server.use(restify.plugins.bodyParser());
server.post('/api/messages', async (request, response) => {
  await adapter.process(request, response, async (context) => {
    await app.run(context);
  });
});
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ url: server.url })));
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
