import { useCallback, useEffect, useState } from 'react';
import type { SyncAnswer } from '../shared/api.ts';
import type { Api, ApiError } from './api.ts';
import { asApiError } from './use-me.ts';

export type Following =
  | { state: 'none' }
  | { state: 'running'; sync: string }
  | { state: 'done' | 'failed'; result: string }
  /** Still not ended; it goes on without us. */
  | { state: 'slow' }
  | { state: 'lost'; error: ApiError };

const followMs = 90_000;
/** Between two looks, each of which waits itself. */
const pauseMs = 300;

/**
 * Follows a sync of a tenant until it ends, for at most a minute and a half. `ended` is told once; `first` is one that
 * has begun already.
 */
export function useSync(
  api: Api,
  tenant: string,
  ended: () => void,
  first?: string,
): { following: Following; follow: (begun: SyncAnswer) => void; lost: (error: unknown) => void } {
  const [following, setFollowing] = useState<Following>(
    first === undefined ? { state: 'none' } : { state: 'running', sync: first },
  );
  const sync = following.state === 'running' ? following.sync : null;

  const settle = useCallback(
    (answer: SyncAnswer): boolean => {
      if (answer.state !== 'done' && answer.state !== 'failed') return false;
      setFollowing({ state: answer.state, result: answer.result });
      ended();
      return true;
    },
    [ended],
  );

  useEffect(() => {
    if (sync === null) return;
    const leaving = new AbortController();
    const look = async (): Promise<void> => {
      const end = performance.now() + followMs;
      while (!leaving.signal.aborted) {
        if (settle(await api.syncState(tenant, sync, leaving.signal))) return;
        if (performance.now() > end) return setFollowing({ state: 'slow' });
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    };
    look().catch((error: unknown) => {
      if (!leaving.signal.aborted) setFollowing({ state: 'lost', error: asApiError(error) });
    });
    return () => leaving.abort();
  }, [api, tenant, sync, settle]);

  return {
    following,
    follow: (begun) => {
      // One that ended already is the answer.
      if (!settle(begun)) setFollowing({ state: 'running', sync: begun.id });
    },
    lost: (error) => setFollowing({ state: 'lost', error: asApiError(error) }),
  };
}
