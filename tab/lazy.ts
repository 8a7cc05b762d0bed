import { type ComponentType, useEffect, useState } from 'react';

/**
 * A part of the page that is loaded when it is first wanted; null until it is here. No Suspense, which would hold it
 * back for 300 ms.
 */
export function useLazy<P>(load: () => Promise<ComponentType<P>>, wanted: boolean): ComponentType<P> | null {
  const [part, setPart] = useState<{ is: ComponentType<P> } | null>(null);
  const [failed, setFailed] = useState<unknown>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `load` is the same import each time
  useEffect(() => {
    if (!wanted || part !== null) return;
    load().then(
      (is) => setPart({ is }),
      (error: unknown) => setFailed(error ?? true),
    );
  }, [wanted, part]);
  // The page's own net catches it: words and a way on instead of a button that does nothing.
  if (failed !== null) throw failed;
  return part?.is ?? null;
}
