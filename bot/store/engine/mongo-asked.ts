import { MongoError } from 'mongodb';
import { WatchpostError } from '../../errors.ts';

/** How MongoDB is asked: with an end to every wait, again where that is safe, and failures in our words. */

const operationMs = 5_000;
export const tries = 5;

/**
 * Is it sure that nothing of the transaction was written, so that it may be done anew? Not so after a commit without an
 * answer: what counts (`$inc`) would count twice.
 */
export function mayRepeat(error: unknown): boolean {
  if (!(error instanceof MongoError)) return false;
  return error.hasErrorLabel('TransientTransactionError') || isDuplicate(error);
}

/** Nobody said whether the commit was done: only that very commit may be asked for again, which changes nothing. */
export function isUnclearCommit(error: unknown): boolean {
  return error instanceof MongoError && error.hasErrorLabel('UnknownTransactionCommitResult');
}

/** Two upserts of one key may both try to insert; the second finds the row when it looks again (R35). */
export async function again<R>(work: () => Promise<R>, upsert: boolean): Promise<R> {
  return await asked(async () => {
    for (let i = 1; ; i += 1) {
      try {
        return await work();
      } catch (error) {
        if (!upsert || i === tries || !isDuplicate(error)) throw error;
      }
    }
  });
}

/** Does it; what MongoDB or its driver throws becomes ours, in words. */
export async function asked<R>(work: () => Promise<R>): Promise<R> {
  try {
    return await work();
  } catch (error) {
    throw inWords(error);
  }
}

export function inWords(error: unknown): unknown {
  if (error instanceof WatchpostError) return error;
  if (isDuplicate(error)) {
    return new WatchpostError('conflict', 'Something with this identity is already in the store.', {
      cause: error,
    });
  }
  return new WatchpostError('store', 'The MongoDB did not answer, or answered with an error.', {
    hint: 'Look whether it runs and MONGODB_URI is right.',
    cause: error,
  });
}

export function isDuplicate(error: unknown): boolean {
  return error instanceof MongoError && error.code === 11000;
}

/** The guard of a write no longer matches. */
export function lost(): WatchpostError {
  return new WatchpostError('conflict', 'Somebody else does this work by now; nothing was written.');
}

/** Every operation ends: the server stops, or we stop waiting. */
export function soon(): { signal: AbortSignal } {
  return { signal: AbortSignal.timeout(operationMs) };
}

export function limits(): { signal: AbortSignal; maxTimeMS: number } {
  return { ...soon(), maxTimeMS: operationMs };
}
