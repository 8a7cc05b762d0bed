import { setServers } from 'node:dns';
import { setGlobalDispatcher } from 'undici/lib/global.js';
import { toSandbox } from '../../bot/sandbox-dispatcher.ts';

/**
 * `node --import ./test/support/to-sandbox.ts bot/main.ts` runs the production program against a sandbox: real
 * Microsoft addresses, real checks, another machine at the end. Worker threads inherit it. No setting of the product
 * can do this; the name below is read here only.
 */
const url = process.env.WATCHPOST_TEST_SANDBOX;
if (url === undefined) throw new Error('WATCHPOST_TEST_SANDBOX must hold the address of a sandbox.');
setGlobalDispatcher(toSandbox(url));
// The DNS too: the sandbox answers for its tenants' domains on the port of its address.
setServers([new URL(url).host]);
