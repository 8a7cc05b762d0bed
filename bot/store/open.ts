import { join } from 'node:path';
import { scopeOfSystem } from '../../shared/access.ts';
import type { Instant } from '../../shared/time.ts';
import type { Keyring } from '../secrets.ts';
import type { Store } from '../services.ts';
import { openAudit } from './audit.ts';
import type { CheckpointFiles } from './audit-checkpoints.ts';
import { openClaims } from './claims.ts';
import { collections } from './collections.ts';
import { openConnectLinks } from './connect-links.ts';
import { openConnectPasses } from './connect-passes.ts';
import { openCredentials } from './credentials.ts';
import { openDirectories } from './directories.ts';
import type { Engine } from './engine/collection.ts';
import { openEmbedded } from './engine/embedded.ts';
import { measured } from './engine/measured.ts';
import { openFindings } from './findings.ts';
import { lettingGo } from './held.ts';
import { openInbound } from './inbound.ts';
import type { Kit } from './kit.ts';
import { openNextCredentials } from './next-credentials.ts';
import { openOutbox } from './outbox.ts';
import { openPeople } from './people.ts';
import { openPlaces } from './places.ts';
import { openPurge } from './purge.ts';
import { openScores } from './scores.ts';
import { openSubscriptions } from './subscriptions.ts';
import { sweep } from './sweep.ts';
import { openSyncRequests } from './sync-requests.ts';
import { openTenants } from './tenants.ts';
import { openWork } from './work.ts';

export type StoreOptions = {
  /** Set: MongoDB. Absent or empty: the embedded file in `folder`. */
  mongodbUri?: string;
  folder: string;
  instanceId: string;
  keyring: Keyring;
  onCall?(operation: string, ms: number): void;
  /** Where the audit's checkpoints go and the key that signs them; absent: none are written or compared. */
  checkpoints?: CheckpointFiles;
  /** Embedded: how long a write waits for others to be committed with it. Default 0: nobody waits. */
  gatherMs?: number;
};

/** Opens the store for one thread. Throws `store` with a sentence when it cannot be reached or is damaged. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { mongodbUri, folder, onCall } = options;
  const engine =
    mongodbUri === undefined || mongodbUri === ''
      ? openEmbedded(join(folder, 'watchpost.sqlite'), collections, { gatherMs: options.gatherMs ?? 0 })
      : await overMongo(mongodbUri);
  return storeOver(onCall === undefined ? engine : measured(engine, onCall), options);
}

/** The driver takes 20 MB in each thread: it is loaded where it is used. */
async function overMongo(uri: string): Promise<Engine> {
  const { openMongo } = await import('./engine/mongo.ts');
  return await openMongo(uri, collections);
}

/** All subjects over an engine that is open. */
export function storeOver(
  engine: Engine,
  options: Pick<StoreOptions, 'instanceId' | 'keyring' | 'checkpoints'> & { monotonic?(): number },
): Store {
  const kit: Kit = {
    engine,
    instanceId: options.instanceId,
    monotonic: options.monotonic ?? (() => performance.now()),
    now: openNow(() => engine.now()),
  };
  const { tenants, forget } = openTenants(kit);
  const audit = openAudit(kit, options.checkpoints);
  const everything = scopeOfSystem();
  const credentials = openCredentials(kit, options.keyring, audit);
  return {
    kind: engine.kind,
    now: kit.now,
    ping: () => engine.ping(),
    async close() {
      await audit.settle();
      // Whatever is wrong with the second place, the store is closed; the next start finds what has no checkpoint.
      await audit.checkpoint({ atOnce: true }).catch(() => undefined);
      await engine.close();
    },
    sweep: () => sweep(kit),
    tenants,
    scores: openScores(kit),
    directories: openDirectories(kit),
    credentials,
    nextCredentials: openNextCredentials(kit, options.keyring, audit, credentials),
    connectLinks: openConnectLinks(kit),
    connectPasses: openConnectPasses(kit, options.keyring),
    work: openWork(kit, forget),
    syncRequests: openSyncRequests(kit),
    people: openPeople(kit, () => tenants.list(everything)),
    places: lettingGo(kit, openPlaces(kit)),
    claims: openClaims(kit),
    inbound: openInbound(kit),
    audit,
    purge: openPurge(kit, collections, forget),
    findings: openFindings(kit),
    subscriptions: openSubscriptions(kit),
    outbox: openOutbox(kit),
  };
}

/** Database time as text; a turn asks for it many times within one millisecond. */
function openNow(millis: () => number): () => Instant {
  let at = Number.NaN;
  let text = '';
  return () => {
    const now = millis();
    if (now !== at) text = new Date(now).toISOString();
    at = now;
    return text;
  };
}
