import { collections } from '../../../bot/store/collections.ts';
import { storeOver } from '../../../bot/store/open.ts';
import { openAt, testKeyring, type Where } from '../backends.ts';

/** Appends to the audit log for ever and says the name of each entry as soon as the store has acknowledged it. */
const where = JSON.parse(process.argv[2] ?? '') as Where;
const name = String(process.pid);
const engine = await openAt(where, collections);
const store = storeOver(engine, { instanceId: name, keyring: testKeyring });
for (let n = 0; ; n += 1) {
  const at = [0, 1, 2].map((one) => `${name}:${n}:${one}`);
  await Promise.all(at.map((what) => store.audit.write({ who: name, what, result: 'done' })));
  process.stdout.write(`${at.join('\n')}\n`);
}
