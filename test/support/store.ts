import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newKeyringText, parseKeyring } from '../../bot/secrets.ts';
import type { Store } from '../../bot/services.ts';
import { openStore } from '../../bot/store/open.ts';

/** An empty embedded store with keys of its own in a fresh folder; `close` takes all of it away. */
export async function openTestStore(): Promise<{ store: Store; folder: string; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'watchpost-store-'));
  const keyring = parseKeyring(newKeyringText());
  const store = await openStore({ folder, instanceId: 'test-instance', keyring });
  return {
    store,
    folder,
    async close() {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
