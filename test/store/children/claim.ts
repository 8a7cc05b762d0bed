import { newKeyringText, parseKeyring } from '../../../bot/secrets.ts';
import { collections } from '../../../bot/store/collections.ts';
import { storeOver } from '../../../bot/store/open.ts';
import { openAt, type Where } from '../backends.ts';

/**
 * An instance whose clock may be wrong: tells its `Date`, the store's time and what it can claim, as one line of JSON.
 * `trusts-its-clock` plants the defect: leases by `Date`.
 */
const { where, plant, leaseMs } = JSON.parse(process.argv[2] ?? '') as {
  where: Where;
  plant: 'none' | 'trusts-its-clock';
  leaseMs: number;
};
const engine = await openAt(where, collections);
const store = storeOver(plant === 'none' ? engine : { ...engine, now: () => Date.now() }, {
  instanceId: 'the-other',
  keyring: parseKeyring(newKeyringText()),
});
const leases = await store.work.claimDue('sync-scores', 10, leaseMs);
process.stdout.write(`${JSON.stringify({ date: Date.now(), now: store.now(), leases })}\n`);
await store.close();
