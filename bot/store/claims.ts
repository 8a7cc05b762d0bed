import { plus } from '../../shared/time.ts';
import { hasCode } from '../errors.ts';
import type { ClaimStore } from '../services.ts';
import type { CollectionDeclaration } from './engine/collection.ts';
import type { Kit } from './kit.ts';

type ClaimDocument = { _id: string; hash: string; at: string };
/** The last tries of one person, newest last; `at` is the newest, for the sweep. */
type TriesDocument = { _id: string; tenantId: string; tries: string[]; at: string; revision: number };

export const claimsDeclaration: CollectionDeclaration = { name: 'claims', tenantScoped: false, indexes: [] };
export const claimTriesDeclaration: CollectionDeclaration = {
  name: 'claimTries',
  tenantScoped: true,
  indexes: [{ keys: { at: 1 } }],
};

const theOne = 'first-admin';
const mostTries = 5;
const hourMs = 3_600_000;

export function openClaims({ engine, now }: Kit): ClaimStore {
  const claims = engine.collection<ClaimDocument>(claimsDeclaration);
  const allTries = engine.collection<TriesDocument>(claimTriesDeclaration);

  /** Takes one of the five tries of the last hour before the code is looked at, so that no two share one. */
  async function mayTry(tid: string, oid: string): Promise<boolean> {
    const id = `${tid}:${oid}`;
    for (;;) {
      const at = now();
      const row = await allTries.findOne({ _id: id });
      if (row === null) {
        try {
          await allTries.insertOne({ _id: id, tenantId: tid, tries: [at], at, revision: 1 });
          return true;
        } catch (error) {
          if (!hasCode(error, 'conflict')) throw error;
          continue;
        }
      }
      const recent = row.tries.filter((tried) => plus(tried, hourMs) > at);
      if (recent.length >= mostTries) return false;
      const done = await allTries.updateOne(
        { _id: id, revision: row.revision },
        { $set: { tries: [...recent, at], at }, $inc: { revision: 1 } },
      );
      if (done.matched === 1) return true;
    }
  }

  return {
    async put(hash) {
      await claims.updateOne({ _id: theOne }, { $set: { hash, at: now() } }, { upsert: true });
    },
    async redeem(hash, tid, oid) {
      // Without a code there is nothing to guess, and no try to count.
      if ((await claims.countDocuments({ _id: theOne })) === 0) return 'none';
      if (!(await mayTry(tid, oid))) return 'too-many';
      // Deleting is using up: of two with the right code one finds it.
      if ((await claims.deleteMany({ _id: theOne, hash })) === 1) return 'right';
      return 'wrong';
    },
  };
}
