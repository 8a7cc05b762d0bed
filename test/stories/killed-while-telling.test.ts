import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Backend, embedded, mongoAt } from '../store/backends.ts';
import type { Spot } from '../support/actors.ts';
import { count } from '../support/counts.ts';
import type { Planted } from '../support/planted.ts';
import type { SandboxCustomer } from '../support/production.ts';
import { type Death, type Deaths, type Fate, openDeaths, whileAway } from './hear/deaths.ts';
import { openSoc, type Soc } from './hear/soc.ts';

/**
 * `kill -9` anywhere between the sync that sees a fall and the card that tells of it: after the next start nothing is
 * lost, and nothing comes twice but where nobody can know whether it arrived; that one says so.
 */

const mongoUri = process.env.MONGODB_URI ?? '';
const engines: { engine: string; backend: Backend | undefined }[] = [
  { engine: 'the embedded engine', backend: embedded },
  { engine: 'MongoDB', backend: mongoUri === '' ? undefined : mongoAt(mongoUri) },
];

/** A second POST of what was begun before the death would not say that it is one. */
const silent: Planted = {
  file: 'bot/store/outbox.ts',
  from: '{ $set: { attempting: true }, $inc: { attempts: 1 } }',
  to: '{ $inc: { attempts: 1 } }',
};

describe.each(engines)('killed while telling, on $engine', ({ engine, backend }) => {
  // MongoDB writes out of our sight, and a wire server does not survive a client that dies while it writes: there the
  // process dies while the message is under way.
  const byCommits = backend === embedded;
  const it = backend === undefined ? test.skip : test;
  let soc: Soc;
  let where: Spot;
  let folder: string;
  let order: string;
  let made = 0;

  beforeAll(async () => {
    if (backend === undefined) return;
    folder = await mkdtemp(join(tmpdir(), 'wp-deaths-'));
    order = join(folder, 'kill');
    soc = await openSoc({
      backend,
      preload: ['test/support/kill-at.ts', 'test/support/planted.ts'],
      env: { TEST_KILL_FILE: order, SYNC_CRON_SCORES: '0 0 1 1 *' },
    });
    where = await soc.channel('watchers');
    await soc.ask(soc.bo, where, 'watch all', /now watches all/);
  }, 60_000);

  afterAll(async () => {
    await soc?.end();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  async function customers(many: number): Promise<SandboxCustomer[]> {
    const found: SandboxCustomer[] = [];
    for (let n = 0; n < many; n += 1) {
      made += 1;
      found.push(await soc.connect(`Customer ${made}`));
    }
    return found;
  }

  async function all(deaths: Deaths, plan: readonly Death[]): Promise<Fate[]> {
    const fates: Fate[] = [];
    const dying = await customers(plan.length);
    for (const [at, death] of plan.entries())
      fates.push(await deaths.die(dying[at] as SandboxCustomer, death));
    return fates;
  }

  it('nothing is lost, and what comes twice says so', async () => {
    const began = performance.now();
    const deaths = openDeaths(soc, where, order);
    const [first] = await customers(1);
    const commits = byCommits ? spread(await deaths.commits(first as SandboxCustomer)) : [];
    expect(commits.length).toBeGreaterThanOrEqual(byCommits ? count(2, 20) : 0);
    const plan = [...commits, ...whileAway];
    const fates = await all(deaths, plan);
    const seconds = Math.round((performance.now() - began) / 100) / 10;
    const twice = fates.filter(({ creates }) => creates > 1).length;
    console.log(`${fates.length} deaths on ${engine}, ${twice} times told again with a word, ${seconds} s`);
    expect(fates.filter(({ wrong }) => wrong.length > 0)).toEqual([]);
    // The last commits come in any order: at most the last two may not be reached.
    expect(fates.filter(({ killed }) => !killed).length).toBeLessThanOrEqual(2);
    // Teams had it, twice, and nobody could know.
    expect(twice).toBeGreaterThanOrEqual(2);
  }, 600_000);

  it('a sender that does not write down what it begins is found out', async () => {
    const env = { TEST_PLANT: JSON.stringify([silent]) };
    const deaths = openDeaths(soc, where, order, env);
    await soc.kill();
    await soc.start(0, env);
    const [fate] = await all(deaths, whileAway.slice(0, 1));
    expect(fate?.wrong).toContain('it came again and does not say so');
  }, 120_000);
});

/** Before and after every commit of them, or as many of these as fit, spread over all. */
function spread(commits: number): Death[] {
  const points = Array.from({ length: commits }, (_, n) =>
    (['before', 'after'] as const).map((when) => ({ commit: n + 1, when })),
  ).flat();
  const many = count(2, points.length);
  return Array.from(
    { length: many },
    (_, n) => points[Math.floor(((n + 0.5) * points.length) / many)],
  ).flatMap((point) => point ?? []);
}
