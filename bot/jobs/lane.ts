import { errorCode } from '../errors.ts';
import type { Log } from '../log.ts';

/** One kind of work: claimed in the store when it is due, so many pieces at once. */
export type Lane = {
  /** Looks for due work now. */
  pump(): void;
  /** Takes no more. */
  close(): void;
  running(): number;
  /** Resolves when what is running now has ended. */
  idle(): Promise<unknown>;
};

const mostClaims = 50;

/** `claim` takes up to so many pieces that are due; `perform` never rejects. */
export function openLane<Piece>(options: {
  atOnce: number;
  claim(limit: number): Promise<Piece[]>;
  perform(piece: Piece): Promise<void>;
  signal: AbortSignal;
  log: Log;
}): Lane {
  const { atOnce, claim, perform, signal, log } = options;
  const running = new Set<Promise<void>>();
  let closed = false;
  let claiming = false;
  let again = false;

  function pump(): void {
    if (closed || signal.aborted) return;
    if (claiming) {
      again = true;
      return;
    }
    claiming = true;
    void take().finally(() => {
      claiming = false;
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
      for (const piece of pieces) start(piece);
      // A full hand means that there may be more; an empty slot later pumps again.
      if (pieces.length === free) again = true;
    } catch (error) {
      // The store is away: the next tick asks again, nothing was taken.
      log.warn({ code: errorCode(error) }, 'due work could not be read');
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
    idle: () => Promise.allSettled([...running]),
  };
}
