import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setGlobalDispatcher } from 'undici';
import { type Config, readConfig } from '../../bot/config.ts';
import { type Opened, openServices } from '../../bot/open-services.ts';
import { toSandbox } from '../../bot/sandbox-dispatcher.ts';
import { productionSettings } from '../support/program.ts';

/** The product's services as its clock thread has them, in this process, over an embedded store of their own. */
export type Product = { opened: Opened; config: Config; folder: string; close(): Promise<void> };

/** Microsoft's addresses are answered by `url`. */
export async function openProduct(options: {
  url: string;
  encryptionKeys: string;
  bot?: { id: string; homeTenantId: string };
}): Promise<Product> {
  const folder = mkdtempSync(join(tmpdir(), 'wp-bench-'));
  // However this process ends.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const dispatcher = toSandbox(options.url);
  setGlobalDispatcher(dispatcher);
  const home = options.bot?.homeTenantId ?? randomUUID();
  const app = { appId: options.bot?.id ?? randomUUID(), secret: 'not used', tenantId: home };
  const info = { apps: { bot: app, tab: { appId: app.appId, tenantId: home } } };
  const config = readConfig({
    ...productionSettings({ url: options.url, info }),
    WATCHPOST_DATA: folder,
    ENCRYPTION_KEYS: options.encryptionKeys,
    LOG_LEVEL: 'warn',
  });
  const stopping = new AbortController();
  const opened = await openServices({
    config,
    thread: 'clock',
    instanceId: 'bench',
    sandboxUrl: undefined,
    logFile: undefined,
    signal: stopping.signal,
    nudge: () => undefined,
  });
  return {
    opened,
    config,
    folder,
    async close() {
      stopping.abort();
      await opened.close();
    },
  };
}
