import { useCallback, useEffect, useState } from 'react';
import type { BulkSync, BulkSyncProgress, Selection } from '../shared/api.ts';
import { counted } from '../shared/words.ts';
import type { Api, ApiError } from './api.ts';
import { asApiError } from './use-me.ts';

type State =
  | { kind: 'none' }
  | { kind: 'running'; begun: BulkSync; progress: BulkSyncProgress }
  | { kind: 'done'; progress: BulkSyncProgress; slow: boolean; left: number }
  | { kind: 'lost'; error: ApiError };

const everyMs = 2_000;
/** Longer than 2,000 tenants take; what is not read by then goes on without us. */
const mostMs = 15 * 60_000;

/** *Sync now* for many: asks for it once and looks every two seconds how far it is. */
export function useBulkSync(
  api: Api,
  changed: () => void,
): { state: State; says: string; begin: (of: Selection) => Promise<void> } {
  const [state, setState] = useState<State>({ kind: 'none' });

  const begin = useCallback(
    async (of: Selection): Promise<void> => {
      try {
        const begun = await api.post<BulkSync>('tenants/sync', { of });
        const progress = { total: begun.ids.length, done: 0, failed: 0, running: 0 };
        setState(
          begun.ids.length === 0
            ? { kind: 'done', progress, slow: false, left: begun.left }
            : { kind: 'running', begun, progress },
        );
      } catch (error) {
        setState({ kind: 'lost', error: asApiError(error) });
      }
    },
    [api],
  );

  const begun = state.kind === 'running' ? state.begun : null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: who is told at the end may be another by then
  useEffect(() => {
    if (begun === null) return;
    let gone = false;
    const end = performance.now() + mostMs;
    const look = async (): Promise<void> => {
      while (!gone) {
        await new Promise((resolve) => setTimeout(resolve, everyMs));
        if (gone) return;
        const { ids, since } = begun;
        const progress = await api.post<BulkSyncProgress>('tenants/sync/progress', { ids, since });
        if (gone) return;
        const whole = progress.done + progress.failed >= progress.total;
        if (whole || performance.now() > end) {
          setState({ kind: 'done', progress, slow: !whole, left: begun.left });
          return changed();
        }
        setState({ kind: 'running', begun, progress });
      }
    };
    look().catch((error: unknown) => {
      if (!gone) setState({ kind: 'lost', error: asApiError(error) });
    });
    return () => {
      gone = true;
    };
  }, [api, begun]);

  return { state, says: inWords(state), begin };
}

function inWords(state: State): string {
  switch (state.kind) {
    case 'running': {
      const { done, failed, total } = state.progress;
      return `${done + failed} of ${counted(total, 'company', 'companies')} read${failed > 0 ? `, ${failed} could not be` : ''} …`;
    }
    case 'done': {
      const { done, failed, total } = state.progress;
      const left =
        state.left > 0
          ? ` ${counted(state.left, 'company', 'companies')} left out: not connected, or not yours to sync.`
          : '';
      if (total === 0) return `There was nothing to read.${left}`;
      if (state.slow) return `${done + failed} of ${total} read; the rest goes on by itself.${left}`;
      return `${counted(done, 'company', 'companies')} read.${failed > 0 ? ` ${failed} could not be: see Jobs.` : ''}${left}`;
    }
    case 'lost':
      return `The sync cannot be followed. ${state.error.message}`;
    default:
      return '';
  }
}
