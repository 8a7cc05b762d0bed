import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { OutboxEntry, OutboxLease, Store, SubscriptionRow } from '../../bot/services.ts';
import { collections } from '../../bot/store/collections.ts';
import type { Engine } from '../../bot/store/engine/collection.ts';
import { storeOver } from '../../bot/store/open.ts';
import { conversationLimits, paceDeclaration, tenantLimits } from '../../bot/store/pace.ts';
import { scopeOfJob, scopeOfSystem } from '../../shared/access.ts';
import { baselineOf } from '../../shared/alerts/baseline.ts';
import { lastTransition } from '../../shared/alerts/finding.ts';
import type { DropFinding } from '../../shared/alerts/score-drop.ts';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { millis, never, plus } from '../../shared/time.ts';
import { fallOf, falls } from '../cards/fallen.ts';
import { count, seeded } from '../support/counts.ts';
import { type Backend, type Database, embedded, testKeyring } from './backends.ts';
import { Crash, changed, crashing, dump, ignoringGuards } from './faulty.ts';
import { aTenant, contoso, evaluatedOf, fabrikam, home } from './samples.ts';

const everything = scopeOfSystem();
const dayMs = 86_400_000;
const leaseMs = 60_000;

/** What the store promises of findings, of what conversations ask for, and of what waits to be told. */
export function hearContract(backend: Backend): void {
  describe(`what channels hear, in the ${backend.kind} store`, () => {
    let database: Database;
    let engine: Engine;
    let second: Engine;
    let store: Store;
    let other: Store;
    /** Milliseconds the database's clock is ahead, for all clients of the test. */
    let ahead: number;
    beforeAll(async () => {
      database = await backend.fresh();
      engine = await database.engine(collections);
      second = await database.engine(collections);
    });
    beforeEach(async () => {
      for (const declaration of collections) await engine.collection(declaration).deleteMany({});
      ahead = 0;
      store = over(engine);
      other = over(second, 'instance-two');
    });
    afterAll(async () => {
      await database.end();
    });

    function over(base: Engine, instanceId = 'instance-one'): Store {
      const now = (): number => base.now() + ahead;
      return storeOver({ ...base, now }, { instanceId, keyring: testKeyring });
    }

    async function leased(by = store) {
      await store.tenants.save(everything, aTenant(contoso, 'Contoso'));
      await store.work.schedule(everything, contoso, 'sync-scores', store.now());
      const [lease] = await by.work.claimDue('sync-scores', 1, leaseMs);
      if (lease === undefined) throw new Error('nothing was due');
      return lease;
    }

    async function tell(...entries: OutboxEntry[]): Promise<void> {
      const id = entries[0]?.tenantId ?? contoso;
      const kept = await store.findings.get(everything, id, fallen(id).id);
      const saved = await store.findings.save(everything, fallen(id), kept?.revision ?? null, entries);
      expect(saved).toBe(true);
    }

    async function claimed(by = store): Promise<OutboxLease> {
      const [lease] = await by.outbox.claimDue(1, leaseMs);
      if (lease === undefined) throw new Error('nothing waits');
      return lease;
    }

    const stateOf = async (id: string) => {
      const { outbox = [] } = await dump(engine, ['outbox']);
      return (outbox as { _id: string; state: string }[]).find(({ _id }) => _id === id)?.state;
    };

    describe('findings', () => {
      test('are written over the one that was read, or not at all', async () => {
        const finding = fallen(contoso);
        expect(await store.findings.get(everything, contoso, finding.id)).toBeNull();
        expect(await store.findings.save(everything, finding, null, [])).toBe(true);
        expect(await other.findings.save(everything, finding, null, [an('a')])).toBe(false);
        const kept = await other.findings.get(everything, contoso, finding.id);
        expect(kept).toEqual({ value: finding, revision: 1 });
        const acknowledged: DropFinding = { ...finding, state: 'acknowledged' };
        const said = await Promise.all([
          store.findings.save(everything, acknowledged, 1, []),
          other.findings.save(everything, { ...finding, worsenings: 1 }, 1, [an('b')]),
        ]);
        expect(said.filter(Boolean)).toHaveLength(1);
        expect(await store.findings.save(everything, finding, 1, [an('c')])).toBe(false);
        expect((await store.findings.get(everything, contoso, finding.id))?.revision).toBe(2);
        expect(await stateOf('a')).toBeUndefined();
        expect(await stateOf('c')).toBeUndefined();
        expect(await store.findings.ofTenant(everything, contoso)).toHaveLength(1);
      });

      test('that stand are told of all tenants in scope, whether somebody has taken note or not', async () => {
        expect(await store.findings.standing(everything)).toEqual([]);
        const finding = fallen(contoso);
        const { points } = finding.facts;
        await store.findings.save(everything, finding, null, []);
        await store.findings.save(everything, fallen(fabrikam), null, []);
        await store.findings.save(everything, { ...fallen(fabrikam), state: 'acknowledged' }, 1, []);
        const open = { tenantId: contoso, state: 'open', points };
        const known = { tenantId: fabrikam, state: 'acknowledged', points };
        expect(await other.findings.standing(everything)).toEqual([open, known]);
        expect(await store.findings.standing(scopeOfJob(fabrikam))).toEqual([known]);
        await store.findings.save(everything, { ...finding, state: 'resolved' }, 1, []);
        expect(await store.findings.standing(everything)).toEqual([known]);
      });

      test('that stand are all told, however many there are', async () => {
        const ids = Array.from({ length: 450 }, (_, n) => manyth(n));
        for (const id of ids) await store.findings.save(everything, fallen(id), null, []);
        const told = await store.findings.standing(everything);
        expect(told.map(({ tenantId: id }) => id)).toEqual(ids);
      });

      test('are nobody else’s business', async () => {
        const own = scopeOfJob(fabrikam);
        const lease = await leased();
        const baseline = baselineOf(evaluatedOf(contoso, '2026-11-20', 50), []);
        const forbidden = [
          () => store.findings.get(own, contoso, 'x'),
          () => store.findings.ofTenant(own, contoso),
          () => store.findings.save(own, fallen(contoso), null, []),
          () => store.findings.baseline(own, contoso),
          () => store.findings.saveBaseline(own, lease, baseline),
          () => store.outbox.heard(own, contoso, 'x', 1),
        ];
        for (const work of forbidden) await expect(work()).rejects.toMatchObject({ code: 'scope' });
        const mixed = store.findings.save(everything, fallen(fabrikam), null, [an('a')]);
        await expect(mixed).rejects.toThrow('another tenant');
      });

      test('a lost lease writes nothing; with the fence ignored it would', async () => {
        const old = await leased();
        ahead = leaseMs + 1;
        const [taken] = await other.work.claimDue('sync-scores', 1, leaseMs);
        expect(taken?.fence).toBe(old.fence + 1);
        const baseline = baselineOf(evaluatedOf(contoso, '2026-11-20', 50), []);
        for (const late of [
          () => store.findings.save(everything, fallen(contoso), null, [an('a')], old),
          () => store.findings.saveBaseline(everything, old, baseline),
        ]) {
          await expect(late()).rejects.toMatchObject({ code: 'conflict' });
        }
        expect(await dump(engine, ['findings', 'baselines', 'outbox', 'outboxQueues'])).toEqual({
          findings: [],
          baselines: [],
          outbox: [],
          outboxQueues: [],
        });
        const planted = over(ignoringGuards(engine));
        await planted.findings.saveBaseline(everything, old, baseline);
        expect(await store.findings.baseline(everything, contoso)).toEqual(baseline);
      });

      test('killed before any of its writes and done again, the rows are the same, each once', async () => {
        const lease = await leased();
        // More than one group of writes.
        const entries = Array.from({ length: 450 }, (_, n) => an(`row ${n}`, { conversationId: `19:${n}` }));
        const [finding, revision] = [fallen(contoso), null];
        let after = 0;
        for (; ; after += 1) {
          for (const name of ['findings', 'outbox', 'outboxQueues']) await empty(name);
          const dying = over(crashing(engine, after));
          const whole = await dying.findings
            .save(everything, finding, revision, entries, lease)
            .then(() => true)
            .catch((error: unknown) => {
              if (error instanceof Crash) return false;
              throw error;
            });
          // The rule finds its own finding there and tells the same again.
          const kept = await store.findings.get(everything, contoso, finding.id);
          expect(await store.findings.save(everything, finding, kept?.revision ?? null, entries, lease)).toBe(
            true,
          );
          expect(await engineCount('outbox')).toBe(450);
          expect(await engineCount('outboxQueues')).toBe(450);
          if (whole) break;
        }
        expect(after).toBe(7);
      }, 120_000);

      async function empty(name: string): Promise<void> {
        const declaration = collections.find((one) => one.name === name);
        if (declaration !== undefined) await engine.collection(declaration).deleteMany({});
      }
      async function engineCount(name: string): Promise<number> {
        const declaration = collections.find((one) => one.name === name);
        return declaration === undefined ? -1 : await engine.collection(declaration).countDocuments({});
      }
    });

    describe('subscriptions', () => {
      test('changed by two at once, nothing of either is lost', async () => {
        const add = (by: Store, n: number) =>
          by.subscriptions.change('19:a', (row) => ({
            ...(row ?? watching('19:a')),
            thresholds: [
              ...(row?.thresholds ?? []),
              { tenantId: contoso, threshold: { percent: null, points: n } },
            ],
          }));
        await Promise.all(Array.from({ length: 20 }, (_, n) => add(n % 2 === 0 ? store : other, n + 1)));
        const row = await store.subscriptions.get('19:a');
        const points = row?.thresholds.map(({ threshold }) => threshold.points ?? 0) ?? [];
        expect(points.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
        expect(await store.subscriptions.change('19:a', () => null)).toEqual(row);
        expect(await store.subscriptions.change('19:none', () => null)).toBeNull();
        expect(await store.subscriptions.all()).toEqual([row]);
      });

      test('end with the team in all its channels, and go on when the bot is back within 7 days', async () => {
        const row = {
          kind: 'channel' as const,
          serviceUrl: 'https://smba.trafficmanager.net/emea/',
          hostTenantId: home,
          seenAt: store.now(),
        };
        for (const conversationId of ['19:team', '19:ops', '19:news'])
          await store.places.save({ ...row, conversationId, teamId: '19:team' });
        await store.places.save({ ...row, conversationId: '19:elsewhere', teamId: '19:other' });
        for (const id of ['19:team', '19:ops', '19:news', '19:elsewhere'])
          await store.subscriptions.change(id, () => watching(id));
        const live = async () => (await store.subscriptions.all()).map((one) => one.conversationId).sort();
        await store.subscriptions.end('19:news', 'deleted');
        await store.places.markRemoved('19:team');
        await store.subscriptions.end('19:team');
        expect(await live()).toEqual(['19:elsewhere']);
        expect((await store.places.get('19:ops'))?.removed).toBe(true);

        ahead = 6 * dayMs;
        await store.places.markBack('19:team');
        await store.subscriptions.reinstalled('19:team');
        expect(await live()).toEqual(['19:elsewhere', '19:ops', '19:team']);
        expect((await store.places.get('19:ops'))?.removed).toBe(false);

        await store.subscriptions.end('19:ops');
        ahead += 8 * dayMs;
        await store.subscriptions.reinstalled('19:ops');
        expect(await live()).toEqual(['19:elsewhere', '19:team']);
      });

      test('those that cannot be told are found, longest first, until they are whole or ended', async () => {
        const found = async () =>
          (await store.subscriptions.unreachable()).map(({ conversationId }) => conversationId);
        for (const id of ['19:x', '19:y', '19:z']) await store.subscriptions.change(id, () => watching(id));
        expect(await found()).toEqual([]);
        await store.subscriptions.broken('19:y', 'Teams said 403 Forbidden.');
        ahead += 1_000;
        await store.subscriptions.broken('19:x', 'Teams said 404 NotFound.');
        expect(await found()).toEqual(['19:y', '19:x']);
        expect(await other.subscriptions.countUnreachable()).toBe(2);
        await store.subscriptions.heal('19:y');
        expect(await found()).toEqual(['19:x']);
        await store.subscriptions.end('19:x');
        expect(await found()).toEqual([]);
        // Who watches nothing any more misses nothing.
        await store.subscriptions.broken('19:z', 'Teams said 403 Forbidden.');
        await store.subscriptions.change('19:z', (row) => row && { ...row, tenants: [] });
        expect(await store.subscriptions.countUnreachable()).toBe(0);
      });

      test('all that live are told, however many, and those that name a tenant also when they ended', async () => {
        // More than a page of them, and near by more than there once was room for.
        const many = backend.kind === 'embedded' ? count(5_200, 12_000) : 1_200;
        const declaration = collections.find(({ name }) => name === 'subscriptions');
        if (declaration === undefined) throw new Error('no such collection');
        const rows = engine.collection<{
          _id: string;
          live: boolean;
          revision: number;
          value: SubscriptionRow;
        }>(declaration);
        const ids = Array.from({ length: many }, (_, n) => `19:${String(n).padStart(6, '0')}`);
        for (let at = 0; at < many; at += 200) {
          await rows.bulkWrite(
            ids.slice(at, at + 200).map((_id) => ({
              updateOne: {
                filter: { _id },
                update: { $setOnInsert: { live: true, revision: 1, value: watching(_id) } },
                upsert: true,
              },
            })),
          );
        }
        expect((await store.subscriptions.all()).map(({ conversationId }) => conversationId)).toEqual(ids);
        expect(await store.subscriptions.count()).toBe(many);
        const threshold = { percent: null, points: 3 };
        await store.subscriptions.change('19:000007', (row) => row && { ...row, tenants: [contoso] });
        await store.subscriptions.change(
          '19:000009',
          (row) => row && { ...row, thresholds: [{ tenantId: contoso, threshold }] },
        );
        await store.subscriptions.end('19:000007');
        const naming = await other.subscriptions.naming(contoso);
        expect(naming.map(({ conversationId }) => conversationId)).toEqual(['19:000007', '19:000009']);
        expect(await store.subscriptions.naming(fabrikam)).toEqual([]);
      }, 60_000);

      test('broken is said with its first time, gone with a good post', async () => {
        await store.subscriptions.change('19:a', () => watching('19:a'));
        await store.subscriptions.broken('19:a', 'Teams said 403.');
        const since = (await store.subscriptions.get('19:a'))?.broken?.since;
        ahead = 5_000;
        await store.subscriptions.broken('19:a', 'Teams said 404.');
        expect((await store.subscriptions.get('19:a'))?.broken).toEqual({ why: 'Teams said 404.', since });
        await store.subscriptions.heal('19:a');
        expect((await store.subscriptions.get('19:a'))?.broken).toBeUndefined();
        await store.subscriptions.broken('19:nobody', 'x');
        expect(await store.subscriptions.get('19:nobody')).toBeNull();
      });
    });

    describe('the outbox', () => {
      test('a row is written once and never over', async () => {
        await tell(an('a'), an('b'));
        await tell({ ...an('a'), conversationId: '19:elsewhere' });
        const lease = await claimed();
        expect(lease.conversationId).toBe('19:ops');
        expect((await store.outbox.waiting(lease, 10)).map(({ id }) => id)).toEqual(['a', 'b']);
      });

      test('one conversation is sent to by one of two, in the order it was decided', async () => {
        await tell(an('z'), an('y'), an('x', { conversationId: '19:news' }));
        ahead = 10;
        await tell(an('b'), an('a'));
        const said = await Promise.all([
          store.outbox.claimDue(5, leaseMs),
          other.outbox.claimDue(5, leaseMs),
        ]);
        const all = said.flat();
        expect(all.map(({ conversationId }) => conversationId).sort()).toEqual(['19:news', '19:ops']);
        const ops = all.find(({ conversationId }) => conversationId === '19:ops') as OutboxLease;
        expect((await store.outbox.waiting(ops, 10)).map(({ id }) => id)).toEqual(['z', 'y', 'b', 'a']);
        expect(await store.outbox.claimDue(5, leaseMs)).toEqual([]);
      });

      test('one claim of many that fails does not take the others away', async () => {
        const ids = Array.from({ length: 12 }, (_, n) => `19:${n}`);
        await tell(...ids.map((id) => an(id, { conversationId: id })));
        const failing = (wrong: (calls: number) => boolean): Store => {
          let calls = 0;
          return over(
            changed(engine, (inner, name) => ({
              async findOneAndUpdate(...given) {
                if (name === 'outboxQueues') calls += 1;
                if (name === 'outboxQueues' && wrong(calls)) throw new Error('away');
                return await inner.findOneAndUpdate(...given);
              },
            })),
          );
        };
        const held = await failing((calls) => calls === 7).outbox.claimDue(8, leaseMs);
        expect(held).toHaveLength(7);
        const rest = await store.outbox.claimDue(16, leaseMs);
        expect([...held, ...rest].map(({ conversationId }) => conversationId).sort()).toEqual(ids.sort());
        await expect(failing(() => true).outbox.claimDue(8, leaseMs)).rejects.toThrow('away');
      });

      test('who lost the lease writes nothing; with the fence ignored it would', async () => {
        await tell(an('a'));
        const old = await claimed();
        ahead = leaseMs + 1;
        const taken = await claimed(other);
        expect(taken.fence).toBe(old.fence + 1);
        expect(await store.outbox.renew(old, leaseMs)).toBe(false);
        expect(await store.outbox.attempting(old, ['a'])).toBe(false);
        expect(await store.outbox.settle(old, ['a'], { state: 'sent', activityId: '1' })).toBe(false);
        await store.outbox.release(old);
        expect(await stateOf('a')).toBe('waiting');
        expect(await other.outbox.renew(taken, leaseMs)).toBe(true);
        const planted = over(ignoringGuards(engine));
        await planted.outbox.settle(old, ['a'], { state: 'sent', activityId: '1' });
        expect(await stateOf('a')).toBe('sent');
      });

      test('a lease that ran out begins nothing, even when nobody took it', async () => {
        await tell(an('a'));
        const lease = await claimed();
        ahead = leaseMs + 1;
        expect(await store.outbox.attempting(lease, ['a'])).toBe(false);
        expect(await store.outbox.renew(lease, leaseMs)).toBe(true);
        expect(await store.outbox.attempting(lease, ['a'])).toBe(true);
      });

      test('an attempt that was never settled may have arrived; one that surely did not counts for nothing', async () => {
        await tell(an('a'));
        const first = await claimed();
        await store.outbox.attempting(first, ['a']);
        await store.outbox.settle(first, ['a'], {
          state: 'waiting',
          dueAt: store.now(),
          maybeSent: false,
          why: 'Teams asked to wait.',
          surelyNot: true,
        });
        expect(await store.outbox.waiting(first, 1)).toMatchObject([
          { attempts: 1, unclear: 0, maybeSent: false },
        ]);
        await store.outbox.attempting(first, ['a']);
        expect(await store.outbox.voidOwn()).toBe(1);
        const again = await claimed();
        expect(await store.outbox.waiting(again, 1)).toMatchObject([
          { attempts: 2, unclear: 1, maybeSent: true },
        ]);
        // Of another instance nothing is freed.
        expect(await other.outbox.voidOwn()).toBe(0);
      });

      test('what comes to wait while the conversation is given back is not forgotten', async () => {
        await tell(an('a'));
        const lease = await claimed();
        await store.outbox.settle(lease, ['a'], { state: 'sent', activityId: '1' });
        let late = true;
        // Between the look at what waits and the giving back.
        const slow = over(
          changed(engine, (inner, name) => ({
            async find(...given) {
              const page = await inner.find(...given);
              if (name === 'outbox' && late) {
                late = false;
                await tell(an('b'));
              }
              return page;
            },
          })),
        );
        await slow.outbox.release(lease);
        const next = await claimed(other);
        expect((await other.outbox.waiting(next, 5)).map(({ id }) => id)).toEqual(['b']);
      });

      test('given back until later, it is nobody’s until then', async () => {
        await tell(an('a'));
        await store.outbox.release(await claimed(), plus(store.now(), 5_000));
        expect(await other.outbox.claimDue(5, leaseMs)).toEqual([]);
        ahead = 5_001;
        expect(await other.outbox.claimDue(5, leaseMs)).toHaveLength(1);
      });

      test('knows which card a conversation has, and who has heard or will hear', async () => {
        const finding = fallen(contoso).id;
        const heard = async () => (await store.outbox.heard(everything, contoso, finding, 1)).sort();
        const states = ['waiting', 'sent', 'withheld', 'dead', 'unreached', 'collapsed'];
        await tell(...states.map((state) => an(state, { conversationId: state })));
        await tell(an('refresh', { conversationId: 'redrawn', kind: 'refresh' }));
        expect(await heard()).toEqual([...states].sort());
        for (const lease of await store.outbox.claimDue(10, leaseMs)) {
          const id = lease.conversationId;
          if (id === 'sent' || id === 'collapsed') {
            const collapsed = id === 'collapsed';
            await store.outbox.settle(lease, [id], { state: 'sent', activityId: `of ${id}`, collapsed });
          } else if (id === 'withheld' || id === 'dead') {
            await store.outbox.settle(lease, [id], { state: id, why: 'x', maybeSent: false });
          } else if (id === 'unreached') {
            await store.outbox.settle(lease, [id], {
              state: 'dead',
              why: 'x',
              maybeSent: false,
              revivable: true,
            });
          }
        }
        expect(await heard()).toEqual(['collapsed', 'sent', 'unreached', 'waiting']);
        expect(await store.outbox.card('sent', finding, 1)).toEqual({ activityId: 'of sent' });
        expect(await store.outbox.card('sent', finding, 2)).toBeNull();
        for (const id of ['waiting', 'withheld', 'dead', 'collapsed']) {
          expect(await store.outbox.card(id, finding, 1)).toBeNull();
        }
      });

      test('what was refused while the bot was away waits again for 7 days', async () => {
        await store.subscriptions.change('19:ops', () => watching('19:ops'));
        await tell(an('a'), an('b'));
        const lease = await claimed();
        await store.outbox.settle(lease, ['a'], {
          state: 'dead',
          why: '403',
          maybeSent: false,
          revivable: true,
        });
        await store.outbox.settle(lease, ['b'], { state: 'dead', why: '400', maybeSent: false });
        await store.outbox.release(lease);
        await store.subscriptions.broken('19:ops', '403');
        await store.subscriptions.reinstalled('19:ops');
        const again = await claimed();
        expect((await store.outbox.waiting(again, 5)).map(({ id }) => id)).toEqual(['a']);
        await store.outbox.settle(again, ['a'], {
          state: 'dead',
          why: '403',
          maybeSent: false,
          revivable: true,
        });
        ahead = 8 * dayMs;
        expect(await store.outbox.revive('19:ops')).toBe(0);
      });

      const held = { state: 'held' as const, why: 'a guest is here', maybeSent: false };
      const place = {
        kind: 'channel' as const,
        serviceUrl: 'https://smba.trafficmanager.net/emea/',
        hostTenantId: home,
        teamId: '19:team',
      };
      /** Something that the gate held in this conversation, whose mark says so. */
      async function hold(conversationId = '19:ops'): Promise<void> {
        await store.places.save({ ...place, conversationId, seenAt: store.now() });
        await store.subscriptions.change(conversationId, () => watching(conversationId));
        await tell(an(`of ${conversationId}`, { conversationId }));
        const lease = await claimed();
        await store.subscriptions.broken(conversationId, held.why);
        expect(await store.outbox.settle(lease, [`of ${conversationId}`], held)).toBe(true);
        await store.outbox.release(lease);
        expect(await store.outbox.claimDue(5, leaseMs)).toEqual([]);
      }

      test.each([
        { what: 'its members change', change: () => store.places.dropRoster('19:ops') },
        { what: 'its team’s members change', change: () => other.places.dropRoster('19:team') },
        {
          what: 'its members are read and all are ours',
          change: async () => {
            const changes = (await store.places.get('19:ops'))?.membersChanged ?? 0;
            await store.places.saveRoster('19:ops', { outsiders: 0, readAt: store.now() }, changes);
          },
        },
        { what: 'it is bound', change: () => store.places.bind('19:ops', { kind: 'internal' }) },
        {
          what: 'an Admin confirms to whom it belongs',
          change: async () => {
            const until = plus(store.now(), 60_000);
            await store.places.askToBind('19:ops', { hash: 'h', tenant: contoso, by: 'x', until });
            const row = await store.places.get('19:ops');
            expect(row !== null && (await store.places.bindAsAsked(row))).toBe(true);
          },
        },
        { what: 'its binding goes', change: () => store.places.bind('19:ops', undefined) },
        { what: 'the bot is installed again', change: () => store.subscriptions.reinstalled('19:ops') },
        { what: 'six hours have passed', change: () => store.outbox.lookAgain() },
        { what: 'somebody asks for it', change: () => store.outbox.revive('19:ops') },
      ])('what the gate held waits again when $what, for 7 days', async ({ change }) => {
        await hold();

        ahead = 6 * dayMs;
        await change();
        const leases = await store.outbox.claimDue(5, leaseMs);
        const ops = leases.find(({ conversationId }) => conversationId === '19:ops') as OutboxLease;
        expect((await store.outbox.waiting(ops, 5)).map(({ id }) => id)).toEqual(['of 19:ops']);
        await store.outbox.settle(ops, ['of 19:ops'], held);
        await store.outbox.release(ops);
        ahead = 8 * dayMs;
        await change();
        expect(await stateOf('of 19:ops')).toBe('held');
      });

      test('a good post heals nothing while something is held there that can still be told', async () => {
        await hold();
        await store.subscriptions.heal('19:ops');
        expect((await store.subscriptions.get('19:ops'))?.broken?.why).toBe(held.why);
        const finding = fallen(contoso).id;
        expect(await store.outbox.heard(everything, contoso, finding, 1)).toEqual(['19:ops']);
        ahead = 8 * dayMs;
        // Nobody needs the end of what is never told.
        expect(await store.outbox.heard(everything, contoso, finding, 1)).toEqual([]);
        await store.subscriptions.heal('19:ops');
        expect((await store.subscriptions.get('19:ops'))?.broken).toBeUndefined();
      });

      test.each([
        { what: 'what waits again', change: (by: Store) => by.outbox.revive('19:ops') },
        { what: 'what members held', change: (by: Store) => by.places.dropRoster('19:ops') },
      ])('killed at any write, $what wakes its conversation all the same', async ({ change }) => {
        for (let after = 0, whole = false; !whole; after += 1) {
          for (const declaration of collections) await engine.collection(declaration).deleteMany({});
          await hold();
          whole = await change(over(crashing(engine, after)))
            .then(() => true)
            .catch((error: unknown) => {
              if (error instanceof Crash) return false;
              throw error;
            });
          const waits = (await stateOf('of 19:ops')) === 'waiting';
          const due = await store.outbox.claimDue(5, leaseMs);
          if (waits) expect({ after, due: due.length }).toEqual({ after, due: 1 });
          await store.outbox.voidOwn();
          // Whoever asks once more, with nothing left to do, wakes it too.
          await change(store);
          expect(await store.outbox.claimDue(5, leaseMs)).toHaveLength(1);
        }
      });

      test('with nobody woken, what waits again would sleep', async () => {
        await hold();
        const silent = over(
          changed(engine, (inner, name) => ({
            async bulkWrite(...given) {
              const nothing = { matched: 0, modified: 0, upserted: 0, inserted: 0, deleted: 0, conflicts: 0 };
              return name === 'outboxQueues' ? nothing : await inner.bulkWrite(...given);
            },
          })),
        );
        expect(await silent.outbox.revive('19:ops')).toBe(1);
        expect(await stateOf('of 19:ops')).toBe('waiting');
        expect(await store.outbox.claimDue(5, leaseMs)).toEqual([]);
      });

      test.each([
        { what: 'a start', wakes: () => store.outbox.voidOwn() },
        { what: 'the look of every six hours', wakes: () => store.outbox.lookAgain() },
      ])('$what wakes what waits and sleeps, and leaves what rests in peace', async ({ wakes }) => {
        await tell(an('a'), an('b', { conversationId: '19:b' }), an('c', { conversationId: '19:c' }));
        for (const lease of await store.outbox.claimDue(5, leaseMs)) {
          if (lease.conversationId === '19:b') await store.outbox.release(lease, plus(store.now(), 60_000));
          else await store.outbox.release(lease);
        }
        const declaration = collections.find(({ name }) => name === 'outboxQueues');
        if (declaration === undefined) throw new Error('no such collection');
        const queues = engine.collection<{ _id: string; dueAt: string }>(declaration);
        // Killed after the rows and before the word that they wait: once asleep, once never heard of.
        await queues.updateOne({ _id: '19:ops' }, { $set: { dueAt: never } });
        await queues.deleteMany({ _id: '19:c' });
        expect(await store.outbox.claimDue(5, leaseMs)).toEqual([]);
        expect(await wakes()).toBe(0);
        const due = (await store.outbox.claimDue(5, leaseMs)).map(({ conversationId }) => conversationId);
        expect(due.sort()).toEqual(['19:c', '19:ops']);
      });

      test('the backlog says how much waits and how old the oldest is that is due', async () => {
        expect(await store.outbox.backlog()).toEqual({ waiting: 0, oldestSeconds: 0 });
        await tell(an('a'), an('b', { conversationId: '19:b' }));
        ahead = 60_000;
        const { waiting, oldestSeconds } = await store.outbox.backlog();
        expect(waiting).toBe(2);
        expect(Math.round(oldestSeconds)).toBe(60);
      });

      test('rows that ended are kept 90 days, and longer while their finding stands', async () => {
        await tell(an('a'));
        await tell({
          ...an('f'),
          ...{ tenantId: fabrikam, conversationId: '19:f' },
          transition: news(fabrikam),
        });
        for (const lease of await store.outbox.claimDue(5, leaseMs)) {
          await store.outbox.settle(lease, ['a', 'f'], { state: 'sent', activityId: '1' });
        }
        const over_: DropFinding = { ...fallen(fabrikam), state: 'resolved' };
        expect(await store.findings.save(everything, over_, 1, [])).toBe(true);
        ahead = 89 * dayMs;
        expect(await store.sweep()).toBe(0);
        ahead = 91 * dayMs;
        expect(await store.sweep()).toBe(1);
        expect([await stateOf('a'), await stateOf('f')]).toEqual(['sent', undefined]);
      });
    });

    describe('the pace', () => {
      /** Two instances that send whenever they may, at a clock of the test's; the moments that were let go. */
      async function run(
        stores: Store[],
        conversations: number,
        steps: number,
      ): Promise<Map<string, number[]>> {
        const random = seeded();
        const gone = new Map<string, number[]>();
        for (let step = 0; step < steps; step += 1) {
          ahead += Math.floor(random() * 120);
          const asked = stores.map((one) => {
            const id = `19:${Math.floor(random() * conversations)}`;
            return one.outbox.pace(id, home).then((said) => ({ id, said }));
          });
          const at = millis(store.now());
          for (const { id, said } of await Promise.all(asked)) {
            if (said.kind === 'go')
              for (const key of [id, 'tenant']) gone.set(key, [...(gone.get(key) ?? []), at]);
          }
        }
        return gone;
      }

      /** The most there are in any span of `ms`. */
      function most(times: number[], ms: number): number {
        return Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + ms).length));
      }

      test('is kept in every window, over two instances at once', async () => {
        const steps = count(400, 4_000);
        const from = engine.now();
        const stopped = (base: Engine, id: string): Store => {
          return storeOver({ ...base, now: () => from + ahead }, { instanceId: id, keyring: testKeyring });
        };
        store = stopped(engine, 'one');
        const gone = await run([store, stopped(second, 'two'), store], 2, steps);
        for (const [limit, ms] of conversationLimits.windows) {
          for (const id of ['19:0', '19:1']) expect(most(gone.get(id) ?? [], ms)).toBeLessThanOrEqual(limit);
        }
        for (const [limit, ms] of tenantLimits.windows) {
          expect(most(gone.get('tenant') ?? [], ms)).toBeLessThanOrEqual(limit);
        }
        expect(gone.get('19:0')?.length).toBeGreaterThan(20);
      }, 120_000);

      test('an hour holds 1,800 at most', async () => {
        const from = engine.now();
        const at = (base: Engine): Store =>
          storeOver({ ...base, now: () => from + ahead }, { instanceId: 'one', keyring: testKeyring });
        const times: number[] = [];
        /** As fast as the 30 seconds allow, until so many went or for more than an hour. */
        async function send(by: Store, most_: number): Promise<void> {
          while (ahead < 4_000_000 && times.length < most_) {
            const said = await by.outbox.pace('19:a', home);
            if (said.kind === 'go') times.push(ahead);
            else ahead += said.ms;
          }
        }
        // Thousands of calls over a network take minutes: the first of them are the embedded store's, and its rows
        // are carried over.
        const near = await embedded.fresh();
        try {
          const first = await near.engine(collections);
          await send(at(first), 1_760);
          const { pace = [] } = await dump(first, ['pace']);
          const rows = engine.collection<{ _id: string }>(paceDeclaration);
          for (const row of pace as { _id: string }[]) await rows.insertOne(row);
        } finally {
          await near.end();
        }
        store = at(engine);
        await send(store, 1_900);
        expect(most(times, 3_600_000)).toBeLessThan(1_800);
        expect(times.length).toBeGreaterThan(1_790);
      }, 60_000);

      test('counting without looking who else counted would go over it', async () => {
        const from = engine.now();
        const careless = (base: Engine): Engine => ({
          ...changed(base, (inner, name) => ({
            updateOne: (filter, update, options) =>
              name === 'pace' && '_id' in filter
                ? inner.updateOne({ _id: filter._id as string }, update, options)
                : inner.updateOne(filter, update, options),
          })),
          now: () => from + ahead,
        });
        const stores = [careless(engine), careless(second), careless(engine), careless(second)].map((one) =>
          storeOver(one, { instanceId: 'one', keyring: testKeyring }),
        );
        store = stores[0] as Store;
        const gone = await run([...stores, ...stores], 1, 100);
        expect(most(gone.get('19:0') ?? [], 1_000)).toBeGreaterThan(7);
      });
    });
  });

  function fallen(tenant: typeof contoso): DropFinding {
    return fallOf(falls().opened, tenant).finding;
  }

  function news(tenant: typeof contoso) {
    return lastTransition(fallen(tenant));
  }

  function an(id: string, change: Partial<OutboxEntry> = {}): OutboxEntry {
    const transition = news(contoso);
    return {
      id,
      tenantId: contoso,
      conversationId: '19:ops',
      finding: { id: transition.findingId, generation: 1, transition: transition.name },
      kind: 'opened',
      transition,
      ...change,
    };
  }

  function watching(conversationId: string): SubscriptionRow {
    return {
      conversationId,
      tenants: 'all',
      thresholds: [],
      serviceUrl: 'https://smba.trafficmanager.net/emea/',
      hostTenantId: home,
      kind: 'channel',
      by: 'Ana Reyes',
      since: '2026-11-20T06:00:00.000Z',
    };
  }
}

/** In the order of their ids. */
function manyth(n: number): TenantId {
  const id = tenantId(`dddddddd-0000-4000-8000-${String(n).padStart(12, '0')}`);
  if (id === undefined) throw new Error('not an id');
  return id;
}
