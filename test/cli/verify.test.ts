import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { runCli } from '../../bot/cli/run.ts';
import { askServer, listenForCli } from '../../bot/cli/socket.ts';
import { verdictInWords } from '../../bot/cli/verify.ts';
import { startCheckpoints } from '../../bot/jobs/checkpoints.ts';
import { parseKeyring } from '../../bot/secrets.ts';
import { auditDeclaration } from '../../bot/store/audit-chain.ts';
import { collections } from '../../bot/store/collections.ts';
import { openEmbedded } from '../../bot/store/engine/embedded.ts';
import { openStore } from '../../bot/store/open.ts';
import { openRig, type Rig } from '../commands/rig.ts';

/** `watchpost verify`, asked of a running server over its socket, and the checkpoints of its clock. */

let rig: Rig;
let folder: string;
let services: Rig['services'];
const keyring = parseKeyring(`k1:${Buffer.alloc(32, 7).toString('base64')}`);
beforeEach(async () => {
  rig = await openRig();
  folder = mkdtempSync(join(tmpdir(), 'wp-verify-'));
  services = { ...rig.services, store: await open() };
});
afterEach(async () => {
  await services.store.close();
  await rig.close();
});

async function open() {
  const checkpoints = { checkpointFile: join(folder, 'points.jsonl'), keyFile: join(folder, 'key.pem') };
  return await openStore({ folder, instanceId: 'one', keyring, checkpoints });
}

async function verify(): Promise<{ code: number | null; said: string }> {
  const lines: string[] = [];
  const cli = await listenForCli(folder, (request, say) => runCli(request, services, say), services.log);
  try {
    const code = await askServer(folder, { command: 'verify', user: 'ana' }, (line) => lines.push(line));
    return { code, said: lines.join('\n') };
  } finally {
    await cli.close();
  }
}

async function fill(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1)
    await services.store.audit.write({ who: 'cli:ana', what: `deed ${n}`, result: 'done' });
}

test('a whole log is told in figures, and what no checkpoint covers with it', async () => {
  await fill(3);
  const before = await verify();
  expect(before.code).toBe(0);
  expect(before.said).toMatch(/^Whole: \d+ entries in the chain over all/);
  expect(before.said).toMatch(/No checkpoint yet: .* would not be noticed/);
  await services.store.audit.checkpoint({ atOnce: true });
  await fill(1);
  expect((await verify()).said).toMatch(/1 signed checkpoint agree/);
});

test('a broken log names chain, number and time of the first entry, and ends with 1', async () => {
  await fill(9);
  const engine = openEmbedded(join(folder, 'watchpost.sqlite'), collections);
  const rows = engine.collection<{ _id: string; at: string }>(auditDeclaration);
  const {
    rows: [fourth],
  } = await rows.find({ seq: 4 }, { limit: 1 });
  await rows.updateOne({ _id: fourth?._id ?? '' }, { $set: { result: 'refused' } });
  await engine.close();
  const { code, said } = await verify();
  expect(code).toBe(1);
  expect(said).toMatch(/^BROKEN/);
  expect(said).toContain(`first broken entry: number 4 of the chain over all, of ${fourth?.at}`);
});

test('the clock writes a checkpoint when one is due, and the store its last one when it is closed', async () => {
  const file = join(folder, 'points.jsonl');
  const lines = (): string[] => {
    try {
      return readFileSync(file, 'utf8').split('\n').filter(Boolean);
    } catch {
      return [];
    }
  };
  const clock = startCheckpoints(services, 5);
  await fill(100);
  const end = performance.now() + 10_000;
  while (lines().length === 0 && performance.now() < end) await new Promise((done) => setTimeout(done, 5));
  clock.stop();
  expect(lines()).toHaveLength(1);
  await fill(1);
  await services.store.close();
  expect(lines()).toHaveLength(2);
  services = { ...services, store: await open() };
  expect((await verify()).said).toMatch(/2 signed checkpoints agree, up to entry 101/);
  writeFileSync(file, readFileSync(file, 'utf8').replace(/"head":"./, '"head":"'));
  expect((await verify()).code).toBe(0); // a line that says nothing is none
});

test('a tenant’s chain is called by the tenant’s name', () => {
  const broken = { kind: 'broken', chain: 'x', seq: 2, at: null, why: 'it is gone' } as const;
  expect(verdictInWords(broken, () => 'Contoso').join('\n')).toContain(
    'number 2 of the chain of Contoso (x)',
  );
});
