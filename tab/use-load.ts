import { useCallback, useEffect, useState } from 'react';
import type { ApiError } from './api.ts';
import { asApiError } from './use-me.ts';

export type Load<T> = {
  /** The newest that came; stays while it is asked for again. */
  value: T | null;
  error: ApiError | null;
  loading: boolean;
  reload: () => void;
};

const kept = new Map<string, unknown>();
const mostKept = 20;
const refreshMs = 60_000;

/**
 * Loads and keeps by `key`: a page one comes back to stands at once and is refreshed behind it, also when somebody
 * looks at it again after a minute.
 */
export function useLoad<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Load<T> {
  const [state, setState] = useState<Omit<Load<T>, 'reload'> & { key: string }>(() => begin(key));
  const [attempt, setAttempt] = useState(0);
  const reload = useCallback(() => setAttempt((count) => count + 1), []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` says all that `load` depends on
  useEffect(() => {
    const leaving = new AbortController();
    setState((current) => ({
      key,
      value: (kept.get(key) as T | undefined) ?? current.value,
      error: null,
      loading: true,
    }));
    load(leaving.signal).then(
      (value) => {
        keep(key, value);
        setState({ key, value, error: null, loading: false });
      },
      (error: unknown) => {
        if (!leaving.signal.aborted)
          setState((current) => ({ ...current, error: asApiError(error), loading: false }));
      },
    );
    return () => leaving.abort();
  }, [key, attempt]);

  useEffect(() => {
    let loadedAt = Date.now();
    const look = (): void => {
      if (document.visibilityState !== 'visible' || Date.now() - loadedAt < refreshMs) return;
      loadedAt = Date.now();
      reload();
    };
    document.addEventListener('visibilitychange', look);
    window.addEventListener('focus', look);
    return () => {
      document.removeEventListener('visibilitychange', look);
      window.removeEventListener('focus', look);
    };
  }, [reload]);

  return { ...state, reload };
}

function begin<T>(key: string): Omit<Load<T>, 'reload'> & { key: string } {
  // What is kept under a key was put there by a load of the same key.
  return { key, value: (kept.get(key) as T | undefined) ?? null, error: null, loading: true };
}

/** Something was changed: what was read before is not shown again. */
export function forgetLoads(): void {
  kept.clear();
}

function keep(key: string, value: unknown): void {
  kept.delete(key);
  kept.set(key, value);
  const [oldest] = kept.keys();
  if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest);
}
