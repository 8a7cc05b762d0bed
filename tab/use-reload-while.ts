import { useEffect, useRef } from 'react';

const everyMs = 3_000;
/** A first sync takes seconds; what takes longer than this shows when somebody looks again. */
const mostTimes = 40;

/** Reads again and again while something is on its way, for two minutes at most. `value` is what was read last. */
export function useReloadWhile(waiting: boolean, value: unknown, reload: () => void): void {
  const times = useRef(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each new value begins the next wait
  useEffect(() => {
    if (!waiting) times.current = 0;
    if (!waiting || times.current >= mostTimes) return;
    const timer = setTimeout(() => {
      times.current += 1;
      if (document.visibilityState === 'visible') reload();
    }, everyMs);
    return () => clearTimeout(timer);
  }, [waiting, value, reload]);
}
