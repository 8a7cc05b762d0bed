import { useCallback, useEffect, useState } from 'react';
import type { Me } from '../shared/api.ts';
import { ApiError } from './api.ts';
import type { Session } from './session.ts';

export type MeState =
  | { state: 'loading' }
  | { state: 'known'; value: Me; reload: () => void }
  | { state: 'failed'; error: ApiError; reload: () => void };

/** Who the page speaks for, once there is a session. */
export function useMe(session: Session): MeState {
  const [state, setState] = useState<MeState>({ state: 'loading' });
  const [attempt, setAttempt] = useState(0);
  const reload = useCallback(() => setAttempt((count) => count + 1), []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `attempt` counts the tries of the person
  useEffect(() => {
    if (session.kind !== 'ready') return;
    const leaving = new AbortController();
    setState({ state: 'loading' });
    session.api.me(leaving.signal).then(
      (value) => setState({ state: 'known', value, reload }),
      (error: unknown) => {
        if (!leaving.signal.aborted) setState({ state: 'failed', error: asApiError(error), reload });
      },
    );
    return () => leaving.abort();
  }, [session, attempt, reload]);

  return state;
}

/** Whatever went wrong as something the page has words for. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError('broken', 'Something went wrong in this page. Load it again.');
}
