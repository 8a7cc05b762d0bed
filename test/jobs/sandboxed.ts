import { setTimeout as pause } from 'node:timers/promises';
import { setGlobalDispatcher } from 'undici';
import { clouds } from '../../bot/clouds.ts';
import { silentLog } from '../../bot/log.ts';
import { openMicrosoft } from '../../bot/microsoft/open.ts';
import { openOutbound } from '../../bot/outbound.ts';
import type { Microsoft } from '../../bot/services.ts';
import { type Sandbox, startSandbox } from '../support/sandbox.ts';

/** The gateway of a test, with Microsoft's hosts answered by a sandbox of its own. */
export type Sandboxed = {
  sandbox: Sandbox;
  microsoft: Microsoft;
  /** Another gateway, as another instance has one. */
  fresh(): Microsoft;
  stop(): Promise<void>;
};

/** `speed`: so many times faster the gateway waits, between two tries and in the lane of one a second. */
export async function openMicrosoftOf(speed = 1): Promise<Sandboxed> {
  const sandbox = await startSandbox();
  setGlobalDispatcher(sandbox.dispatcher);
  const ending = new AbortController();
  const began = Date.now();
  const cloud = clouds.global;
  const fresh = (): Microsoft =>
    openMicrosoft({
      outbound: openOutbound({ cloud }),
      cloud,
      now: () => began + (Date.now() - began) * speed,
      ...(speed === 1 ? {} : { sleep: (ms: number) => pause(ms / speed) }),
      log: silentLog(),
      signal: ending.signal,
    });
  return {
    sandbox,
    microsoft: fresh(),
    fresh,
    async stop() {
      ending.abort();
      await sandbox.stop();
    },
  };
}
