import { expect, test } from '@jest/globals';
import { type Db, type MongoClient, MongoError } from 'mongodb';
import { openCollection } from '../../bot/store/engine/mongo-collection.ts';

/**
 * What is written under a guard is written once, whatever MongoDB says of the commit. No server can be made to lose
 * the answer to a commit when asked to: a driver stands here that keeps count of what was committed.
 */

/** A driver whose commits answer with these errors, one after the other, and then well. */
function driver(answers: { label: string; committed: boolean }[]) {
  const kept = { attempts: 0, begun: 0, commits: 0 };
  let pending = 0;
  const client = {
    startSession() {
      let open = false;
      let through = false;
      return {
        startTransaction() {
          kept.begun += 1;
          open = true;
          pending = 0;
        },
        inTransaction: () => open,
        async commitTransaction() {
          kept.commits += 1;
          const answer = answers.shift();
          // A commit that is asked for again is the same commit.
          if (!through && answer?.committed !== false) {
            kept.attempts += pending;
            through = true;
          }
          open = false;
          if (answer === undefined) return;
          const error = new MongoError('no answer');
          error.addErrorLabel(answer.label);
          throw error;
        },
        async abortTransaction() {
          open = false;
        },
        async endSession() {
          open = false;
        },
      };
    },
  } as unknown as MongoClient;
  const db = {
    collection: () => ({
      updateOne: async () => ({ matchedCount: 1 }),
      async bulkWrite() {
        pending += 1;
        return { matchedCount: 1, modifiedCount: 1, upsertedCount: 0, insertedCount: 0, deletedCount: 0 };
      },
    }),
  } as unknown as Db;
  const rows = openCollection<{ _id: string }>({ client, db, transactions: true }, 'outbox');
  const attempt = () =>
    rows.bulkWrite([{ updateOne: { filter: { _id: 'a' }, update: { $inc: { attempts: 1 } } } }], {
      onlyIf: { collection: 'outboxQueues', filter: { _id: '19:a' } },
    });
  return { kept, attempt };
}

const unknown = { label: 'UnknownTransactionCommitResult', committed: true };
const lost = { label: 'UnknownTransactionCommitResult', committed: false };
const undone = { label: 'TransientTransactionError', committed: false };

test.each([
  { says: 'well', answers: [], begun: 1, commits: 1 },
  { says: 'nothing, but did it', answers: [unknown], begun: 1, commits: 2 },
  { says: 'nothing twice, and did it at first', answers: [unknown, unknown], begun: 1, commits: 3 },
  { says: 'nothing, and did it only when asked again', answers: [lost], begun: 1, commits: 2 },
  { says: 'that all was undone', answers: [undone], begun: 2, commits: 2 },
  { says: 'nothing, and then that all was undone', answers: [lost, undone], begun: 2, commits: 3 },
])('a commit that answers $says counts the attempt once', async ({ answers, begun, commits }) => {
  const { kept, attempt } = driver([...answers]);
  expect((await attempt()).matched).toBe(1);
  expect(kept).toEqual({ attempts: 1, begun, commits });
});

test('a commit that never answers ends, and nothing is done anew', async () => {
  const { kept, attempt } = driver(Array.from({ length: 50 }, () => unknown));
  await expect(attempt()).rejects.toMatchObject({ code: 'store' });
  expect(kept.attempts).toBe(1);
  expect(kept.begun).toBe(1);
});
