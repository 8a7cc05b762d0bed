import { rename, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { openConnector } from './connector.ts';
import { openControl } from './control.ts';
import { openDesk } from './desk.ts';
import { dnsAnswers } from './dns-answers.ts';
import { openDnsServer } from './dns-wire.ts';
import { openEntra } from './entra.ts';
import { openAuthorize } from './entra-authorize.ts';
import { openConsent } from './entra-consent.ts';
import { openGraph } from './graph.ts';
import { openLedger } from './ledger.ts';
import { type Playground, playgroundConversations, startPlayground } from './playground.ts';
import { openRelay } from './relay.ts';
import { requestLog } from './request-log.ts';
import { openServer } from './server.ts';
import { openState } from './state.ts';

/**
 * A Microsoft cloud on loopback: Entra, Graph, Bot Framework's keys and connector by `host`, the relay, the control
 * calls and the desk. One JSON line on standard output says that it is ready and where.
 */
const { values } = parseArgs({
  options: {
    folder: { type: 'string' },
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    bot: { type: 'string' },
    playground: { type: 'string' },
    token: { type: 'string', default: '' },
    empty: { type: 'boolean', default: false },
    keys: { type: 'string' },
    info: { type: 'string' },
    // Whoever started us holds the other end of standard input, and we end with them, also when they were killed.
    'with-parent': { type: 'boolean', default: false },
  },
});
if (values.folder === undefined) refuse('--folder is missing: where the sandbox keeps its keys and tenants.');
if (!/^(127(\.\d{1,3}){3}|::1|localhost)$/.test(values.host))
  refuse(`The sandbox can mint tokens and listens on loopback only, not on ${values.host}.`);

const keeper = await openState(values.folder ?? '', {
  empty: values.empty,
  sharedKeys: values.keys,
  now: new Date(),
});
const ledger = await openLedger(values.folder ?? '');
const requests = requestLog();
const tabUrl = values.bot === undefined ? null : tabOf(values.bot);
let playground: Playground | undefined;
let starting: Promise<Playground> | undefined;
const ending = new AbortController();
const connector = openConnector(keeper, ledger, () => playground?.passOn);
const server = openServer({
  keeper,
  entra: openEntra(keeper.state),
  authorize: openAuthorize(keeper.state),
  consent: openConsent(keeper.state, keeper.touch),
  graph: openGraph(keeper),
  connector,
  control: openControl({ keeper, ledger, requests, token: values.token, stop: () => void stop() }),
  relay: openRelay(keeper, values.bot),
  desk: openDesk(keeper.state, () => ({ chat: playground?.url ?? null, tab: tabUrl })),
  requests,
});
// Before anything that outlives a kill is started.
let stopping: Promise<void> | undefined;
function stop(): Promise<void> {
  stopping ??= stopped().then(
    () => process.exit(0),
    (error: unknown) => {
      console.error('sandbox:', error);
      process.exit(1);
    },
  );
  return stopping;
}
async function stopped(): Promise<void> {
  // Answers under way, the one to `stop` among them, get a moment to be written.
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 300))]);
  server.closeAllConnections();
  await dns?.close();
  ending.abort();
  // When it was still starting, the abort has ended it.
  await starting?.then(
    (one) => one.stop(),
    () => undefined,
  );
  await keeper.flush();
  await ledger.close();
}
process.on('SIGTERM', () => void stop());
process.on('SIGINT', () => void stop());
if (values['with-parent'])
  process.stdin
    .on('end', () => void stop())
    .on('error', () => void stop())
    .resume();

await listen(Number(values.port))
  // The wished port is somebody else's: any other will do, what is printed is true.
  .catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    return listen(0);
  })
  .catch((error: NodeJS.ErrnoException) =>
    refuse(`The sandbox cannot listen: ${error.code ?? error.message}.`),
  );

function listen(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, values.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

const { port } = server.address() as AddressInfo;
// The DNS of the tenants' domains, on the same number: UDP beside TCP. Somebody else's port there is no reason to end.
const dns = await openDnsServer({ find: dnsAnswers(keeper.state), host: values.host, port }).catch(
  (error: NodeJS.ErrnoException) => {
    console.error(`sandbox: the DNS is not answered (${error.code ?? error.message})`);
    return undefined;
  },
);
const url = `http://${values.host.includes(':') ? `[${values.host}]` : values.host}:${port}`;
if (values.playground !== undefined) {
  for (const one of playgroundConversations())
    if (!keeper.state.conversations.some((known) => known.id === one.id))
      keeper.state.conversations.push(one);
  starting = startPlayground(keeper.state, {
    folder: values.folder ?? '',
    port: Number(values.playground),
    relay: `${url}/relay/api/messages`,
    signal: ending.signal,
  });
  playground = await starting.catch((error: Error) => refuse(error.message));
}
const info = {
  url,
  chat: playground?.url ?? null,
  bot: values.bot ?? null,
  tab: tabUrl,
};
if (values.info !== undefined) {
  const draft = `${values.info}.new`;
  await writeFile(draft, JSON.stringify(info), { mode: 0o600 });
  await rename(draft, values.info);
}
process.stdout.write(`${JSON.stringify(info)}\n`);

/** Where the tab stands beside the bot: under the name that the demo prints, so that the sign-in comes back there. */
function tabOf(bot: string): string {
  const tab = new URL('/tab/', bot);
  if (tab.hostname === '127.0.0.1') tab.hostname = 'localhost';
  return tab.href;
}

function refuse(sentence: string): never {
  console.error(sentence);
  process.exit(1);
}
