import { useEffect, useState } from 'react';
import { type Instant, plus } from '../shared/time.ts';

const tickMs = 30_000;

/** The server's `now` going on by this machine's stopwatch, so that a wrong clock here shows no wrong ages. */
export function useNow(now: Instant): Instant {
  const [passed, setPassed] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new `now` starts the stopwatch again
  useEffect(() => {
    const began = performance.now();
    setPassed(0);
    const timer = setInterval(() => {
      // Nobody sees a hidden page age; the next tick after it comes back is right again.
      if (document.visibilityState === 'visible') setPassed(performance.now() - began);
    }, tickMs);
    return () => clearInterval(timer);
  }, [now]);
  return plus(now, passed);
}
