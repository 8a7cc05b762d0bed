import { scopeOfJob, scopeOfSystem } from '../../shared/access.ts';
import { cronFor } from '../../shared/tenants/cadence.ts';
import { errorCode } from '../errors.ts';
import type { Services, WorkKind } from '../services.ts';
import { nextDue } from './cadence.ts';

const atOnce = 8;

/**
 * Gives every tenant its row of a kind of work that is newer than the tenant, due at its own time of the next turn;
 * what has a row is left alone. Never rejects: what is missing now is made at the next start.
 */
export async function dueForAll(kind: 'sync-directory', services: Services): Promise<void> {
  const { store, settings, signal, log } = services;
  try {
    const waiting = [...(await store.tenants.list(scopeOfSystem()))];
    const hand = async (): Promise<void> => {
      for (let tenant = waiting.pop(); tenant !== undefined && !signal.aborted; tenant = waiting.pop()) {
        const scope = scopeOfJob(tenant.id);
        if ((await store.work.get(scope, tenant.id, kind)) !== null) continue;
        await store.work.schedule(
          scope,
          tenant.id,
          kind,
          nextDue(cronFor(tenant, 'directory', settings), tenant.id, services.now()),
        );
      }
    };
    await Promise.all(Array.from({ length: atOnce }, hand));
  } catch (error) {
    log.warn(
      { kind: kind satisfies WorkKind, code: errorCode(error) },
      'work of tenants could not be scheduled',
    );
  }
}
