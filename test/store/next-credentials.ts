import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Secret } from '../../bot/secrets.ts';
import type { Store, TenantAccess } from '../../bot/services.ts';
import { collections } from '../../bot/store/collections.ts';
import { credentialsDeclaration, tenantKeysDeclaration } from '../../bot/store/credentials.ts';
import type { Collection, Engine } from '../../bot/store/engine/collection.ts';
import { nextCredentialKeptMs, nextCredentialsDeclaration } from '../../bot/store/next-credentials.ts';
import { storeOver } from '../../bot/store/open.ts';
import { scopeOfJob, scopeOfSystem } from '../../shared/access.ts';
import { plus } from '../../shared/time.ts';
import { type Backend, type Database, testKeyring } from './backends.ts';
import { Crash, crashing, dump } from './faulty.ts';
import { contoso, fabrikam } from './samples.ts';

type Row = { _id: string; [field: string]: unknown };
const everything = scopeOfSystem();
const appId = '77777777-7777-4777-8777-777777777777';

function withSecret(tenantId: TenantAccess['tenantId'], value: string): TenantAccess {
  return { tenantId, appId, credential: { kind: 'secret', secret: new Secret(value) } };
}

function plain(access: TenantAccess | null | undefined): string | undefined {
  if (access?.credential.kind !== 'secret') return undefined;
  return access.credential.secret.use((value) => value);
}

/** The credential that waits beside the one in use, on either engine. */
export function nextCredentialContract(backend: Backend): void {
  describe(`credentials that wait on the ${backend.kind} store`, () => {
    let database: Database;
    let engine: Engine;
    let store: Store;
    let waiting: Collection<Row>;
    beforeEach(async () => {
      database = await backend.fresh();
      engine = await database.engine(collections);
      store = over(engine);
      waiting = engine.collection<Row>(nextCredentialsDeclaration);
    });
    afterEach(() => database.end());
    const over = (base: Engine): Store => storeOver(base, { instanceId: 'one', keyring: testKeyring });
    const inUse = async (one: Store = store) => plain(await one.credentials.open(everything, contoso));
    const next = async (one: Store = store) =>
      plain((await one.nextCredentials.open(everything, contoso))?.access);

    test('it waits, without touching the one in use, until it is promoted; then none waits', async () => {
      await store.credentials.save(everything, withSecret(contoso, 'old'));
      const facts = await store.nextCredentials.put(scopeOfJob(contoso), withSecret(contoso, 'new'));
      expect(facts).toMatchObject({ kind: 'secret', appId, version: 1 });
      expect([await inUse(), await next()]).toEqual(['old', 'new']);
      expect(await store.nextCredentials.facts(everything, contoso)).toEqual(facts);
      expect(JSON.stringify(await dump(engine))).not.toMatch(/"(old|new)"/);
      const promoted = await store.nextCredentials.promote(everything, contoso, 1);
      expect(promoted).toMatchObject({ kind: 'secret', version: 2 });
      expect([await inUse(), await next()]).toEqual(['new', undefined]);
      expect(await store.nextCredentials.facts(everything, contoso)).toBeNull();
    });

    test('one of a tenant that is not connected yet waits as well; outside the scope there is nothing', async () => {
      await store.nextCredentials.put(everything, withSecret(contoso, 'new'));
      expect([await inUse(), await next()]).toEqual([undefined, 'new']);
      const other = scopeOfJob(fabrikam);
      for (const asked of [
        () => store.nextCredentials.open(other, contoso),
        () => store.nextCredentials.facts(other, contoso),
        () => store.nextCredentials.promote(other, contoso, 1),
        () => store.nextCredentials.drop(other, contoso),
        () => store.nextCredentials.put(other, withSecret(contoso, 'x')),
      ]) {
        await expect(asked()).rejects.toMatchObject({ code: 'scope' });
      }
      await store.purge.tenant(everything, contoso, { people: false });
      expect(await next()).toBeUndefined();
      expect((await waiting.find({}, { limit: 5 })).rows).toEqual([]);
    });

    test('another one made meanwhile is not promoted in the place of the one that was tested', async () => {
      await store.credentials.save(everything, withSecret(contoso, 'old'));
      await store.nextCredentials.put(everything, withSecret(contoso, 'tested'));
      await store.nextCredentials.put(everything, withSecret(contoso, 'another'));
      expect(await store.nextCredentials.promote(everything, contoso, 1)).toBeNull();
      expect([await inUse(), await next()]).toEqual(['old', 'another']);
      expect(await store.nextCredentials.drop(everything, contoso)).toBe(true);
      expect(await store.nextCredentials.drop(everything, contoso)).toBe(false);
      expect(await store.nextCredentials.promote(everything, contoso, 2)).toBeNull();
      expect(await inUse()).toBe('old');
    });

    test.each([
      { what: 'made anew', end: () => store.nextCredentials.put(everything, withSecret(contoso, 'second')) },
      { what: 'promoted', end: () => store.nextCredentials.promote(everything, contoso, 1) },
      { what: 'dropped', end: () => store.nextCredentials.drop(everything, contoso) },
    ])('put back after it was $what, it is refused and audited', async ({ end }) => {
      await store.nextCredentials.put(everything, withSecret(contoso, 'first'));
      const row = await waiting.findOne({ _id: contoso });
      await end();
      await waiting.deleteMany({ _id: contoso });
      await waiting.insertOne(row as Row);
      await expect(store.nextCredentials.open(everything, contoso)).rejects.toMatchObject({ code: 'secret' });
      await expect(store.nextCredentials.promote(everything, contoso, 1)).rejects.toMatchObject({
        code: 'secret',
      });
      const { rows: audit } = await store.audit.list({ limit: 5 });
      expect(audit[0]).toMatchObject({ what: 'open next credential', tenant: contoso, result: 'refused' });
      // The way out: make another one.
      await store.nextCredentials.put(everything, withSecret(contoso, 'third'));
      expect(await next()).toBe('third');
    });

    test('what waits cannot be put in the place of what is in use, nor the other way, nor of another tenant', async () => {
      const used = engine.collection<Row>(credentialsDeclaration);
      await store.credentials.save(everything, withSecret(contoso, 'old'));
      await store.nextCredentials.put(everything, withSecret(contoso, 'new'));
      await store.nextCredentials.put(everything, withSecret(fabrikam, 'theirs'));
      const [one, two, theirs] = [
        await used.findOne({ _id: contoso }),
        await waiting.findOne({ _id: contoso }),
        await waiting.findOne({ _id: fabrikam }),
      ];
      await used.updateOne({ _id: contoso }, { $set: { sealed: two?.sealed } });
      await expect(store.credentials.open(everything, contoso)).rejects.toMatchObject({ code: 'secret' });
      for (const sealed of [one?.sealed, theirs?.sealed]) {
        await waiting.updateOne({ _id: contoso }, { $set: { sealed } });
        await expect(store.nextCredentials.promote(everything, contoso, 1)).rejects.toMatchObject({
          code: 'secret',
        });
      }
      // Its counter is under the tenant's key, too.
      await waiting.updateOne({ _id: contoso }, { $set: { sealed: two?.sealed } });
      const keys = engine.collection<Row>(tenantKeysDeclaration);
      await keys.updateOne({ _id: contoso }, { $set: { next: 0 } });
      await expect(store.nextCredentials.open(everything, contoso)).rejects.toMatchObject({ code: 'secret' });
    });

    test('killed at any write of making, promoting or dropping, one of the two always opens and the rest is completed', async () => {
      for (const step of ['put', 'promote', 'drop'] as const) {
        for (let after = 0; ; after += 1) {
          await store.credentials.save(everything, withSecret(contoso, 'old'));
          await store.nextCredentials.drop(everything, contoso);
          const { version } = await store.nextCredentials.put(everything, withSecret(contoso, 'waits'));
          const dying = over(crashing(engine, after)).nextCredentials;
          const work = {
            put: () => dying.put(everything, withSecret(contoso, 'new')),
            promote: () => dying.promote(everything, contoso, version),
            drop: () => dying.drop(everything, contoso),
          }[step];
          const ended = await work().then(
            () => 'done',
            (error: unknown) => {
              if (!(error instanceof Crash)) throw error;
              return 'killed';
            },
          );
          const [used, waits] = [await inUse(), await next()];
          expect(['old', 'waits']).toContain(used);
          if (step !== 'promote') expect(used).toBe('old');
          else expect(used === 'old' ? waits : 'waits').toBe('waits');
          if (ended === 'done') break;
          // Asked again, it is completed.
          const facts = await store.nextCredentials.facts(everything, contoso);
          if (step === 'promote' && facts !== null) {
            await store.nextCredentials.promote(everything, contoso, facts.version);
            expect([await inUse(), await next()]).toEqual(['waits', undefined]);
          }
        }
      }
    });

    test('six made at once by two instances: one after the other, the last one waits', async () => {
      const other = over(await database.engine(collections));
      const made = await Promise.all(
        Array.from({ length: 6 }, (_, i) =>
          (i % 2 === 0 ? store : other).nextCredentials.put(everything, withSecret(contoso, `one ${i}`)),
        ),
      );
      expect(made.map(({ version }) => version).sort()).toEqual([1, 2, 3, 4, 5, 6]);
      expect(await next()).toBe(`one ${made.findIndex(({ version }) => version === 6)}`);
    });

    test('one that nobody used for a month is swept away, a younger one stays', async () => {
      await store.nextCredentials.put(everything, withSecret(contoso, 'old'));
      await store.nextCredentials.put(everything, withSecret(fabrikam, 'young'));
      const at = plus(store.now(), -nextCredentialKeptMs - 1_000);
      await waiting.updateOne({ _id: contoso }, { $set: { at } });
      expect(await store.sweep()).toBe(1);
      expect(await next()).toBeUndefined();
      expect(await store.nextCredentials.facts(everything, fabrikam)).not.toBeNull();
    });

    test('what ends soon is listed, the first to end first, within the scope', async () => {
      const endsAt = async (tenantId: TenantAccess['tenantId'], expiresAt?: string) => {
        const secret = new Secret('value');
        const end = expiresAt === undefined ? {} : { expiresAt };
        await store.credentials.save(everything, {
          ...{ tenantId, appId, credential: { kind: 'secret', secret, ...end } },
        });
      };
      await endsAt(contoso, '2027-01-20T00:00:00.000Z');
      await endsAt(fabrikam, '2027-01-10T00:00:00.000Z');
      const until = '2027-02-01T00:00:00.000Z';
      const ending = { kind: 'secret', version: 1 };
      expect(await store.credentials.ending(everything, until)).toEqual([
        { ...ending, tenantId: fabrikam, expiresAt: '2027-01-10T00:00:00.000Z' },
        { ...ending, tenantId: contoso, expiresAt: '2027-01-20T00:00:00.000Z' },
      ]);
      expect(await store.credentials.ending(scopeOfJob(contoso), until)).toHaveLength(1);
      expect(await store.credentials.ending(everything, '2027-01-10T00:00:00.000Z')).toEqual([]);
      // Without a date it is not known when it ends: that is no end.
      await endsAt(fabrikam);
      expect(await store.credentials.ending(everything, until)).toHaveLength(1);
    });
  });
}
