import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { tryCertificate } from '../../bot/connect/certificate.ts';
import { type MadeCertificate, makeCertificate } from '../../bot/connect/make-certificate.ts';
import type { Microsoft, Reading, Services, Store } from '../../bot/services.ts';
import { collections } from '../../bot/store/collections.ts';
import type { Engine } from '../../bot/store/engine/collection.ts';
import { storeOver } from '../../bot/store/open.ts';
import { workDeclaration } from '../../bot/store/work.ts';
import { scopeOfSystem } from '../../shared/access.ts';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { type Database, embedded, testKeyring } from '../store/backends.ts';
import { Crash, crashing } from '../store/faulty.ts';
import { openTabServer } from '../tab/tab-server.ts';

/** Killed at any write between "Entra accepts it" and "it is read with it": nothing is lost, asked again it is done. */

const everything = scopeOfSystem();
const contoso = tenantId('11111111-1111-4111-8111-111111111111') as TenantId;
const appId = 'ffffffff-0000-4000-8000-000000000001';
const ok = <T>(value: T): Reading<T> => ({ kind: 'ok', value, hash: 'h' });

let made: MadeCertificate;
let base: Services;
let database: Database;
let engine: Engine;
beforeAll(async () => {
  const server = await openTabServer({ seeds: [] });
  base = server.services;
  await server.close();
  made = await makeCertificate(contoso, '2026-11-21T20:00:00.000Z');
});
beforeEach(async () => {
  database = await embedded.fresh();
  engine = await database.engine(collections);
});
afterEach(() => database.end());

const over = (one: Engine): Store => storeOver(one, { instanceId: 'one', keyring: testKeyring });

/** Entra accepts whatever comes: what it says is not what is looked at here. */
function servicesOver(store: Store): Services {
  const microsoft: Microsoft = {
    ...base.microsoft,
    token: async () => ok({ roles: ['SecurityEvents.Read.All'] }),
    organization: async () => ok({ id: contoso, name: 'Contoso', domains: ['contoso.com'] }),
    domains: async () => ok([]),
    subscribedSkus: async () =>
      ok({ entraP1: { known: true, value: true }, entraP2: { known: true, value: true }, skus: [] }),
    secureScores: async () => ok([]),
    secureScoreControlProfiles: async () => ok([]),
  };
  return { ...base, store, microsoft, now: () => store.now() };
}

const wanted = { domain: 'contoso.com', by: 'test', what: 'connect tenant' as const };
const attempt = (store: Store) => tryCertificate(contoso, wanted, 5_000, servicesOver(store));

test('killed at each write in turn, the next try finds what is there and ends with a tenant that is read', async () => {
  const store = over(engine);
  const killedAt: number[] = [];
  for (let after = 0; ; after += 1) {
    await store.purge.tenant(everything, contoso, { people: false });
    // A removed tenant's row of work stays, with its fence; here each round begins with a tenant nobody ever knew.
    await engine.collection<{ _id: string }>(workDeclaration).deleteMany({});
    await store.nextCredentials.put(everything, {
      ...{ tenantId: contoso, appId, credential: { kind: 'certificate', ...made } },
    });
    const died = await attempt(over(crashing(engine, after))).then(
      () => false,
      (error: unknown) => {
        if (error instanceof Crash || (error as { cause?: unknown }).cause instanceof Crash) return true;
        throw error;
      },
    );
    if (!died) break;
    killedAt.push(after);
    const again = await attempt(store);
    if (again.kind !== 'tried') {
      // Only when the first try was through: in use, and due to be read.
      expect(await store.work.get(everything, contoso, 'sync-scores')).not.toBeNull();
    } else expect(again.report.saved).toMatchObject({ tenantId: contoso });
    expect(await store.tenants.get(everything, contoso)).not.toBeNull();
    expect((await store.credentials.open(everything, contoso))?.credential.kind).toBe('certificate');
    expect(await store.nextCredentials.facts(everything, contoso)).toBeNull();
    expect(await store.work.get(everything, contoso, 'sync-scores')).not.toBeNull();
  }
  expect(killedAt.length).toBeGreaterThan(5);
});
