import { setGlobalDispatcher } from 'undici';
import { clouds } from '../../bot/clouds.ts';
import { silentLog } from '../../bot/log.ts';
import { openMicrosoft } from '../../bot/microsoft/open.ts';
import { openOutbound } from '../../bot/outbound.ts';
import type { Microsoft } from '../../bot/services.ts';
import { type Sandbox, startSandbox } from '../support/sandbox.ts';

/** The gateway of a test, with Microsoft's hosts answered by a sandbox of its own. */
export type Sandboxed = { sandbox: Sandbox; microsoft: Microsoft; stop(): Promise<void> };

export async function openMicrosoftOf(): Promise<Sandboxed> {
  const sandbox = await startSandbox();
  setGlobalDispatcher(sandbox.dispatcher);
  const ending = new AbortController();
  const cloud = clouds.global;
  const microsoft = openMicrosoft({
    outbound: openOutbound({ cloud }),
    cloud,
    now: Date.now,
    log: silentLog(),
    signal: ending.signal,
  });
  return {
    sandbox,
    microsoft,
    async stop() {
      ending.abort();
      await sandbox.stop();
    },
  };
}
