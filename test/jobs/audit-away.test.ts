import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { WatchpostError } from '../../bot/errors.ts';
import { changed } from '../store/faulty.ts';
import { type Sandbox, startSandbox } from '../support/sandbox.ts';
import { fall, type HearRig, judge, openHearRig } from './hear-rig.ts';

/** R64: what cannot be audited stops Admins, not alerts. */

let sandbox: Sandbox;
let rig: HearRig;
beforeAll(async () => {
  sandbox = await startSandbox({ empty: true });
  rig = await openHearRig(sandbox);
});
afterAll(async () => {
  await rig.close();
  await sandbox.stop();
});

test('news is found, kept and delivered while the audit log cannot be written', async () => {
  const failed = async (): Promise<never> => {
    throw new WatchpostError('store', 'The disk is full.');
  };
  const own = rig.instance('audit-away', (engine) =>
    changed(engine, (_, name) => (name === 'audit' ? { insertOne: failed, bulkWrite: failed } : {})),
  );
  await expect(own.store.audit.write({ who: 'x', what: 'x', result: 'done' })).rejects.toThrow();
  const to = [await rig.conversation('one'), await rig.conversation('two')];
  const wanted = await rig.tell(own.store, await rig.tenant(1), fall.opened, to);
  for (let rounds = 0; rounds < 50 && (await own.send()) > 0; rounds += 1);
  expect(judge(await rig.posts(), wanted)).toMatchObject({ wanted: 2, lost: [], repeated: 0 });
});
