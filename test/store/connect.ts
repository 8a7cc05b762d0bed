import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { ConnectPass, Store } from '../../bot/services.ts';
import { collections } from '../../bot/store/collections.ts';
import { connectLinksDeclaration, linkLifeMs } from '../../bot/store/connect-links.ts';
import { connectPassesDeclaration, passLifeMs } from '../../bot/store/connect-passes.ts';
import type { Collection, Engine } from '../../bot/store/engine/collection.ts';
import { storeOver } from '../../bot/store/open.ts';
import { scopeOfJob, scopeOfSystem } from '../../shared/access.ts';
import { millis } from '../../shared/time.ts';
import { type Backend, type Database, testKeyring } from './backends.ts';
import { changed, dump } from './faulty.ts';
import { aTenant, contoso, fabrikam } from './samples.ts';

const everything = scopeOfSystem();
const by = 'tid/oid';
type Row = { _id: string; [field: string]: unknown };

/** Links and the steps of a consent, on either engine. */
export function connectContract(backend: Backend): void {
  describe(`links and consents on the ${backend.kind} store`, () => {
    let database: Database;
    let engine: Engine;
    let second: Engine;
    let store: Store;
    let made = 0;
    beforeAll(async () => {
      database = await backend.fresh();
      engine = await database.engine(collections);
      second = await database.engine(collections);
    });
    beforeEach(async () => {
      for (const declaration of collections) await engine.collection(declaration).deleteMany({});
      store = over(engine);
    });
    afterAll(() => database.end());

    const over = (base: Engine): Store => storeOver(base, { instanceId: 'one', keyring: testKeyring });
    /** The store at another time of the database. */
    const at = (ms: number): Store => over({ ...engine, now: () => ms, collection: engine.collection });
    const token = (): string => {
      made += 1;
      return `token-${made}-`.padEnd(43, 'x');
    };
    const ticket = { tenantId: contoso, kind: 'ticket', via: 'tab', by } as const;

    test('a link can be looked at any number of times, used once, and its token stands nowhere', async () => {
      const one = token();
      const link = await store.connectLinks.add(everything, contoso, by, one);
      expect(millis(link.expiresAt) - millis(link.at)).toBe(7 * 24 * 3_600_000);
      for (let n = 0; n < 50; n += 1) expect(await store.connectLinks.look(one)).toEqual(link);
      expect(await store.connectLinks.current(everything, contoso)).toEqual(link);
      expect(await store.connectLinks.look(`${one}y`)).toBeNull();
      const rows = await dump(engine, [connectLinksDeclaration.name]);
      expect(JSON.stringify(rows)).toContain(contoso);
      expect(JSON.stringify(rows)).not.toContain(one);
      expect(await store.connectLinks.use(one)).toEqual(link);
      expect(await store.connectLinks.use(one)).toBeNull();
      expect(await store.connectLinks.look(one)).toBeNull();
      expect(await store.connectLinks.current(everything, contoso)).toBeNull();
    });

    test('a link ends after seven days to the second, by the time of the store', async () => {
      const one = token();
      const link = await store.connectLinks.add(everything, contoso, by, one);
      const end = millis(link.at) + linkLifeMs;
      expect(await at(end + 1_000).connectLinks.look(one)).toBeNull();
      expect(await at(end).connectLinks.use(one)).toBeNull();
      expect(await at(end - 1_000).connectLinks.look(one)).toEqual(link);
      expect(await at(end - 1_000).connectLinks.use(one)).toEqual(link);
    });

    test('a new link takes the old ones away, those of one tenant only; made at once, one stays', async () => {
      const [first, other, next] = [token(), token(), token()];
      await store.connectLinks.add(everything, contoso, by, first);
      await store.connectLinks.add(everything, fabrikam, by, other);
      await store.connectLinks.add(everything, contoso, by, next);
      expect(await store.connectLinks.use(first)).toBeNull();
      expect(await store.connectLinks.look(other)).not.toBeNull();
      expect(await store.connectLinks.look(next)).not.toBeNull();
      const many = Array.from({ length: 12 }, token);
      const stores = [store, over(second)];
      await Promise.all(many.map((one, n) => stores[n % 2]?.connectLinks.add(everything, contoso, by, one)));
      const left = await Promise.all([next, ...many].map((one) => store.connectLinks.look(one)));
      expect(left.filter((one) => one !== null)).toHaveLength(1);
    });

    /** How many of `n` uses at the same moment, over two clients, get the link. */
    async function winners(n: number, stores: readonly Store[]): Promise<number> {
      const one = token();
      await store.connectLinks.add(everything, contoso, by, one);
      const used = await Promise.all(
        Array.from({ length: n }, (_, at) => stores[at % stores.length]?.connectLinks.use(one)),
      );
      return used.filter((link) => link !== null).length;
    }

    test('of 60 uses at once one gets it; with reading and writing apart it would be more', async () => {
      expect(await winners(60, [store, over(second)])).toBe(1);
      const apart = changed(engine, (inner) => ({
        async findOneAndUpdate(filter, update) {
          const found = await inner.findOne(filter);
          if (found !== null) await inner.updateOne({ _id: found._id }, update);
          return found;
        },
      }));
      expect(await winners(60, [over(apart)])).toBeGreaterThan(1);
    });

    test.each([
      { kind: 'ticket', session: undefined },
      { kind: 'consent', session: 'a-session' },
      { kind: 'sign-in', session: 'a-session' },
    ] as const)('a pass ($kind) is good once, for its own kind and session', async ({ kind, session }) => {
      const { token: one } = await store.connectPasses.add(everything, { ...ticket, kind }, session);
      expect(Buffer.from(one, 'base64url')).toHaveLength(32);
      const others = (['ticket', 'consent', 'sign-in', 'check'] as const).filter((other) => other !== kind);
      for (const other of others)
        expect(await store.connectPasses.use(one, other, session)).toEqual({ kind: 'unknown' });
      if (session !== undefined) {
        expect(await store.connectPasses.use(one, kind, 'another')).toMatchObject({ kind: 'other-session' });
        expect(await store.connectPasses.use(one, kind, undefined)).toMatchObject({ kind: 'other-session' });
      }
      const all = await Promise.all(
        [store, over(second), store, over(second)].map((each) => each.connectPasses.use(one, kind, session)),
      );
      expect(all.map((each) => each.kind).sort()).toEqual(['right', 'used', 'used', 'used']);
    });

    test('a pass ends after ten minutes', async () => {
      const { token: one, pass } = await store.connectPasses.add(everything, ticket);
      const end = millis(pass.at) + passLifeMs;
      expect(await at(end).connectPasses.use(one, 'ticket', undefined)).toMatchObject({ kind: 'late' });
      expect(await at(end - 1_000).connectPasses.use(one, 'ticket', undefined)).toMatchObject({
        kind: 'right',
      });
    });

    test('verifier and nonce come back to the same browser only, and stand nowhere', async () => {
      const wish = { ...ticket, kind: 'sign-in' } as const;
      const { token: one, pass } = await store.connectPasses.add(everything, wish, 'a-session');
      const { token: two, pass: next } = await store.connectPasses.add(everything, wish, 'a-session');
      const { proof } = pass as ConnectPass & { proof: { verifier: string; nonce: string } };
      expect(proof.verifier).toMatch(/^[\w-]{43}$/);
      expect(new Set([proof.verifier, proof.nonce, next.proof?.verifier, next.proof?.nonce]).size).toBe(4);
      const rows = JSON.stringify(await dump(engine, [connectPassesDeclaration.name]));
      for (const secret of [one, two, proof.verifier, proof.nonce, 'a-session'])
        expect(rows).not.toContain(secret);
      expect(await store.connectPasses.use(one, 'sign-in', 'a-session')).toMatchObject({ pass: { proof } });
    });

    test('a check is tried by one at a time, again later, and its end is read by its browser', async () => {
      const wish = { ...ticket, kind: 'check' } as const;
      const { token: one } = await store.connectPasses.add(everything, wish, 'mine');
      expect(await store.connectPasses.look(one, 'another')).toBeNull();
      expect(await store.connectPasses.claim(one, 'another', 5_000)).toBe(false);
      const claims = await Promise.all(
        [store, over(second), store].map((each) => each.connectPasses.claim(one, 'mine', 60_000)),
      );
      expect(claims.filter(Boolean)).toHaveLength(1);
      await store.connectPasses.again(one, 0);
      expect(await store.connectPasses.claim(one, 'mine', 0)).toBe(true);
      const outcome = { kind: 'connected', title: 'Connected', says: 'It works.' } as const;
      await store.connectPasses.end(one, outcome);
      await store.connectPasses.end(one, { ...outcome, kind: 'failed' });
      expect(await store.connectPasses.look(one, 'mine')).toMatchObject({ outcome });
      expect(await store.connectPasses.claim(one, 'mine', 0)).toBe(false);
    });

    test('all of it asks for the right to the tenant', async () => {
      const wrong = scopeOfJob(fabrikam);
      for (const call of [
        store.connectLinks.add(wrong, contoso, by, token()),
        store.connectLinks.current(wrong, contoso),
        store.connectPasses.add(wrong, ticket),
        store.tenants.setHealth(wrong, contoso, aTenant(contoso, 'x').health),
      ])
        await expect(call).rejects.toMatchObject({ code: 'scope' });
    });

    test('health is set by itself, tags only when given', async () => {
      const tenant = aTenant(contoso, 'Contoso');
      await store.tenants.save(everything, { ...tenant, tags: ['gold', 'emea'] });
      await store.tenants.save(everything, tenant);
      const health = {
        state: 'permission-error',
        since: store.now(),
        cause: 'One.',
        remedy: 'Two.',
      } as const;
      await store.tenants.setHealth(everything, contoso, health);
      const [found] = await store.tenants.list(everything);
      expect(found).toMatchObject({ tags: ['gold', 'emea'], health, name: tenant.name });
      await store.tenants.setHealth(everything, fabrikam, health);
      expect(await store.tenants.get(everything, fabrikam)).toBeNull();
    });

    test('old links go after 90 days, old passes after one', async () => {
      const links: Collection<Row> = engine.collection<Row>(connectLinksDeclaration);
      await store.connectLinks.add(everything, contoso, by, token());
      await store.connectPasses.add(everything, ticket);
      const now = engine.now();
      const left = async (): Promise<number> => await links.countDocuments({});
      expect(await at(now + 89 * 86_400_000).sweep()).toBe(1);
      expect(await left()).toBe(1);
      expect(await at(now + 91 * 86_400_000).sweep()).toBe(1);
      expect(await left()).toBe(0);
    });
  });
}
