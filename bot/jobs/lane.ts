import { errorCode } from '../errors.ts';
import type { Log } from '../log.ts';

/** One kind of work: claimed in the store when it is due, so many pieces at once. */
export type Lane = {
  /** Looks for due work now. */
  pump(): void;
  /** Takes no more; what is being claimed in this moment is given back. */
  close(): void;
  running(): number;
  /** Resolves when what is running or being claimed now has ended. */
  idle(): Promise<unknown>;
};

const mostClaims = 50;

/**
 * `claim` takes up to so many pieces that are due; `perform` never rejects. `giveBack` is for what was claimed while the
 * lane closed; without it such a piece waits for the end of its lease, or for the next start.
 */
export function openLane<Piece>(options: {
  atOnce: number;
  claim(limit: number): Promise<Piece[]>;
  perform(piece: Piece): Promise<void>;
  giveBack?(piece: Piece): Promise<void>;
  signal: AbortSignal;
  log: Log;
}): Lane {
  const { atOnce, claim, perform, giveBack, signal, log } = options;
  const running = new Set<Promise<void>>();
  let closed = false;
  let claiming: Promise<void> | undefined;
  let again = false;

  function pump(): void {
    if (closed || signal.aborted) return;
    if (claiming !== undefined) {
      again = true;
      return;
    }
    claiming = take().finally(() => {
      claiming = undefined;
      if (again) {
        again = false;
        pump();
      }
    });
  }

  async function take(): Promise<void> {
    try {
      const free = Math.min(atOnce - running.size, mostClaims);
      if (free <= 0) return;
      const pieces = await claim(free);
      if (closed || signal.aborted) {
        await Promise.all(pieces.map(leave));
        return;
      }
      for (const piece of pieces) start(piece);
      // A full hand means that there may be more; an empty slot later pumps again.
      if (pieces.length === free) again = true;
    } catch (error) {
      // The store is away: the next tick asks again, nothing was taken.
      log.warn({ code: errorCode(error) }, 'due work could not be read');
    }
  }

  async function leave(piece: Piece): Promise<void> {
    try {
      await giveBack?.(piece);
    } catch (error) {
      // Its lease ends by itself.
      log.warn({ code: errorCode(error) }, 'claimed work could not be given back');
    }
  }

  function start(piece: Piece): void {
    const work = perform(piece).finally(() => {
      running.delete(work);
      pump();
    });
    running.add(work);
  }

  return {
    pump,
    close: () => {
      closed = true;
    },
    running: () => running.size,
    async idle() {
      await claiming;
      await Promise.allSettled([...running]);
    },
  };
}
