/** "… is typing", of one turn. */
export type Typing = {
  /** No more from now on; resolves when one on its way has arrived, so that none follows the answer. */
  stop(): Promise<void>;
};

export type TypingTimes = { firstMs: number; everyMs: number; atMostMs: number };
const usual: TypingTimes = { firstMs: 500, everyMs: 2000, atMostMs: 60_000 };

/**
 * Shows typing after half a second and every two seconds, each turn with a timer of its own (the library has one for
 * all conversations, so that only the first of several would see it). `show` must not throw.
 */
export function startTyping(show: () => Promise<void>, times = usual): Typing {
  const ends = performance.now() + times.atMostMs;
  let shown: Promise<void> = Promise.resolve();
  let stopped = false;
  let timer = setTimeout(tick, times.firstMs);

  function tick(): void {
    if (stopped || performance.now() > ends) return;
    shown = show().finally(() => {
      if (!stopped) timer = setTimeout(tick, times.everyMs);
    });
  }

  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await shown;
    },
  };
}
