import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Secret } from '../../bot/secrets.ts';
import type { Store, TenantAccess } from '../../bot/services.ts';
import { collections } from '../../bot/store/collections.ts';
import { credentialsDeclaration, tenantKeysDeclaration } from '../../bot/store/credentials.ts';
import type { Collection, Engine } from '../../bot/store/engine/collection.ts';
import { storeOver } from '../../bot/store/open.ts';
import { scopeOfJob, scopeOfSystem } from '../../shared/access.ts';
import { type Backend, type Database, testKeyring } from './backends.ts';
import { Crash, changed, dump } from './faulty.ts';
import { contoso, fabrikam } from './samples.ts';

type Row = { _id: string; [field: string]: unknown };
const everything = scopeOfSystem();
const appId = '77777777-7777-4777-8777-777777777777';

function withSecret(tenantId: TenantAccess['tenantId'], value: string): TenantAccess {
  return { tenantId, appId, credential: { kind: 'secret', secret: new Secret(value) } };
}

function plain(access: TenantAccess | null): string | undefined {
  if (access === null) return undefined;
  const { credential } = access;
  if (credential.kind === 'consent') return '';
  return (credential.kind === 'secret' ? credential.secret : credential.key).use((value) => value);
}

/** How credentials are kept, on either engine. */
export function credentialContract(backend: Backend): void {
  describe(`credentials on the ${backend.kind} store`, () => {
    let database: Database;
    let engine: Engine;
    let store: Store;
    let rows: Collection<Row>;
    let keys: Collection<Row>;
    beforeEach(async () => {
      database = await backend.fresh();
      engine = await database.engine(collections);
      store = over(engine);
      rows = engine.collection<Row>(credentialsDeclaration);
      keys = engine.collection<Row>(tenantKeysDeclaration);
    });
    afterEach(async () => {
      await database.end();
    });
    const over = (base: Engine): Store => storeOver(base, { instanceId: 'one', keyring: testKeyring });

    test('a secret comes back to who has the scope, as a Secret; facts tell nothing of it', async () => {
      expect(await store.credentials.open(everything, contoso)).toBeNull();
      expect(await store.credentials.facts(everything, contoso)).toBeNull();
      const facts = await store.credentials.save(
        scopeOfJob(contoso),
        withSecret(contoso, 'hunter2-of-contoso'),
      );
      expect(facts).toMatchObject({ kind: 'secret', appId, version: 1 });
      expect(facts.last4).toMatch(/^[0-9a-f]{4}$/);
      expect(await store.credentials.facts(everything, contoso)).toEqual(facts);
      const access = await store.credentials.open(everything, contoso);
      expect(plain(access)).toBe('hunter2-of-contoso');
      expect(access).toMatchObject({ tenantId: contoso, appId });
      expect(JSON.stringify(access)).not.toContain('hunter2');
      for (const call of ['open', 'facts'] as const) {
        await expect(store.credentials[call](scopeOfJob(fabrikam), contoso)).rejects.toMatchObject({
          code: 'scope',
        });
      }
      await expect(
        store.credentials.save(scopeOfJob(fabrikam), withSecret(contoso, 'x')),
      ).rejects.toMatchObject({ code: 'scope' });
    });

    test('a certificate and its key come back; its thumbprint and end are told', async () => {
      const access: TenantAccess = {
        tenantId: contoso,
        appId,
        credential: { kind: 'certificate', certificatePem, key: new Secret('PRIVATE KEY') },
      };
      expect(await store.credentials.save(everything, access)).toMatchObject({
        kind: 'certificate',
        last4: '47ce',
        expiresAt: '2126-10-28T14:17:18.000Z',
      });
      const opened = await store.credentials.open(everything, contoso);
      expect(plain(opened)).toBe('PRIVATE KEY');
      expect(opened?.credential).toMatchObject({ certificatePem });
      await store.credentials.save(everything, withSecret(contoso, 'instead'));
      expect((await store.credentials.facts(everything, contoso))?.expiresAt).toBeUndefined();
      const broken = {
        ...access,
        credential: { ...access.credential, certificatePem: 'no certificate' },
      } as TenantAccess;
      await expect(store.credentials.save(everything, broken)).rejects.toMatchObject({ code: 'bad-input' });
      expect(plain(await store.credentials.open(everything, contoso))).toBe('instead');
    });

    test('a consent keeps no secret at all, takes the place of one, and cannot be pointed elsewhere', async () => {
      await store.credentials.save(everything, withSecret(contoso, 'the-old-secret'));
      const access: TenantAccess = { tenantId: contoso, appId, credential: { kind: 'consent' } };
      const facts = await store.credentials.save(everything, access);
      expect(facts).toMatchObject({ kind: 'consent', appId, last4: '', version: 2 });
      expect(await store.credentials.open(everything, contoso)).toEqual(access);
      expect(await store.credentials.facts(everything, contoso)).toEqual(facts);
      // What stands beside the seal is only told; what is sealed decides.
      await rows.updateOne({ _id: contoso }, { $set: { appId: 'another' } });
      expect((await store.credentials.open(everything, contoso))?.appId).toBe(appId);
    });

    test('a row put back from an earlier version is refused, told apart from nothing, and audited', async () => {
      await store.credentials.save(everything, withSecret(contoso, 'first'));
      const old = await rows.findOne({ _id: contoso });
      await store.credentials.save(everything, withSecret(contoso, 'second'));
      await rows.deleteMany({ _id: contoso });
      await rows.insertOne(old as Row);
      await expect(store.credentials.open(everything, contoso)).rejects.toMatchObject({ code: 'secret' });
      const { rows: audit } = await store.audit.list({ limit: 5 });
      expect(audit).toMatchObject([{ what: 'open credential', tenant: contoso, result: 'refused' }]);
      // The way out that the error names: connect again.
      await store.credentials.save(everything, withSecret(contoso, 'third'));
      expect(plain(await store.credentials.open(everything, contoso))).toBe('third');
    });

    test.each<{ what: string; change: (row: Row, key: Row, other: Row) => [Partial<Row>, Partial<Row>] }>([
      {
        what: 'the sealed text of another tenant',
        change: (_row, _key, other) => [{ sealed: other.sealed }, {}],
      },
      { what: 'another version written on it', change: (row) => [{ version: Number(row.version) + 1 }, {}] },
      { what: 'the counter turned back', change: (row) => [{}, { version: Number(row.version) - 1 }] },
      { what: 'another data key', change: () => [{}, { dekId: 'AAAAAAAAAAAA' }] },
      { what: 'no wrapped key', change: () => [{}, { wraps: [] }] },
      { what: 'an empty text', change: () => [{ sealed: '' }, {}] },
    ])('a store with $what is refused', async ({ change }) => {
      await store.credentials.save(everything, withSecret(contoso, 'mine'));
      await store.credentials.save(everything, withSecret(fabrikam, 'yours'));
      const [row, key, other] = await Promise.all([
        rows.findOne({ _id: contoso }),
        keys.findOne({ _id: contoso }),
        rows.findOne({ _id: fabrikam }),
      ]);
      const [inRow, inKey] = change(row as Row, key as Row, other as Row);
      await rows.updateOne({ _id: contoso }, { $set: inRow });
      await keys.updateOne({ _id: contoso }, { $set: inKey });
      await expect(store.credentials.open(everything, contoso)).rejects.toMatchObject({ code: 'secret' });
      expect(plain(await store.credentials.open(everything, fabrikam))).toBe('yours');
    });

    test('an app id changed beside the secret changes nothing of what is opened', async () => {
      await store.credentials.save(everything, withSecret(contoso, 'mine'));
      await rows.updateOne({ _id: contoso }, { $set: { appId: 'an attacker' } });
      expect((await store.credentials.open(everything, contoso))?.appId).toBe(appId);
    });

    test('killed between the row and the counter, the new secret opens, and so does the next', async () => {
      await store.credentials.save(everything, withSecret(contoso, 'first'));
      const dying = over(
        changed(engine, (inner, name) => ({
          updateOne: (...given) => {
            if (name === 'tenantKeys') throw new Crash();
            return inner.updateOne(...given);
          },
        })),
      );
      await expect(dying.credentials.save(everything, withSecret(contoso, 'second'))).rejects.toBeInstanceOf(
        Crash,
      );
      expect(plain(await store.credentials.open(everything, contoso))).toBe('second');
      expect((await store.credentials.save(everything, withSecret(contoso, 'third'))).version).toBe(3);
      expect(plain(await store.credentials.open(everything, contoso))).toBe('third');
    });

    test('six at once by two instances: one after the other, the last one opens', async () => {
      const other = over(await database.engine(collections));
      const saved = await Promise.all(
        Array.from({ length: 6 }, (_, i) =>
          (i % 2 === 0 ? store : other).credentials.save(everything, withSecret(contoso, `secret ${i}`)),
        ),
      );
      expect(saved.map((facts) => facts.version).sort()).toEqual([1, 2, 3, 4, 5, 6]);
      const last = saved.findIndex((facts) => facts.version === 6);
      expect(plain(await store.credentials.open(everything, contoso))).toBe(`secret ${last}`);
    });

    test('nothing of a secret stands in what is stored', async () => {
      await store.credentials.save(everything, withSecret(contoso, 'canary-in-store'));
      await expect(store.credentials.open(scopeOfJob(contoso), contoso)).resolves.not.toBeNull();
      expect(JSON.stringify(await dump(engine))).not.toContain('canary-in-store');
    });
  });
}

/** Made once for these tests; its key was thrown away. */
const certificatePem = `-----BEGIN CERTIFICATE-----
MIIBiTCCAS+gAwIBAgIUSM/U+hakWDfQOgLRahjKJOCcvOYwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOd2F0Y2hwb3N0IHRlc3QwIBcNMjYxMTIxMTQxNzE4WhgPMjEy
NjEwMjgxNDE3MThaMBkxFzAVBgNVBAMMDndhdGNocG9zdCB0ZXN0MFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEw2Rd/kHnNPWojeHLPFm49XdcqGwVOX93ceWA2doC
xqSX9M9AWkl2fYlqOmeZAwWteV2U0edSDe45fGlw8zRG2qNTMFEwHQYDVR0OBBYE
FMNLwEMVQITxBxypupXCA8+VVnQqMB8GA1UdIwQYMBaAFMNLwEMVQITxBxypupXC
A8+VVnQqMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAOB5tmDI
pNwf45rUh3ZlxYYoi18rwRY5m0PaRpvsB4LJAiAzLBFlSBFm4lsN1iPxeMZMbPM9
Oqnx8nh5ZWa5AobkxQ==
-----END CERTIFICATE-----
`;
