import { setGlobalDispatcher } from 'undici';
import { toSandbox } from '../../bot/sandbox-dispatcher.ts';

/**
 * Preloaded after `test/support/to-sandbox.ts`: Graph and Entra are answered by the bench's Graph, everything else of
 * Microsoft's by its fake Microsoft. Worker threads inherit it.
 */
const { WATCHPOST_TEST_SANDBOX: microsoft, BENCH_GRAPH: graph } = process.env;
if (microsoft === undefined || graph === undefined) throw new Error('two addresses are needed');
const toGraph = toSandbox(graph);
const hosts = new Set(['https://graph.microsoft.com', 'https://login.microsoftonline.com']);
setGlobalDispatcher(
  toSandbox(microsoft).compose((dispatch) => (options, handler) => {
    if (hosts.has(String(options.origin))) return toGraph.dispatch(options, handler);
    return dispatch(options, handler);
  }),
);
