import { errorCode, hasCode } from './errors.ts';
import type { AuditEntryToWrite, AuditStore, Services } from './services.ts';

/**
 * Services for one request whose audit entries carry the request's id and are counted, refusals among them: whoever
 * serves the request sees whether anything was noted of it.
 */
export function noting(services: Services, request?: string): { services: Services; noted(): number } {
  const { audit } = services.store;
  let noted = 0;
  const counted =
    (put: (entry: AuditEntryToWrite) => Promise<void>): AuditStore['write'] =>
    async (entry) => {
      noted += 1;
      await put(request === undefined ? entry : { request, ...entry });
    };
  return {
    services: {
      ...services,
      store: {
        ...services.store,
        audit: {
          ...audit,
          write: counted(audit.write),
          writeFirst: counted(audit.writeFirst),
          denied: counted(audit.denied),
        },
      },
    },
    noted: () => noted,
  };
}

/** An entry about what has happened already: the caller has to hear of that, also when it cannot be written. */
export async function tolerant(entry: AuditEntryToWrite, { store, log }: Services): Promise<void> {
  try {
    await store.audit.write(entry);
  } catch (error) {
    log.error({ code: errorCode(error) }, 'audit line could not be written');
  }
}

/**
 * Runs something that may change something, and leaves at least one audit entry (R61): what the work has noted itself,
 * else `entry` as answered, or as failed when it threw. `refused` answers for a privileged action that was not done
 * because its entry could not be written (R64).
 */
export async function inAudit<T>(
  entry: Omit<AuditEntryToWrite, 'result'>,
  services: Services,
  work: (services: Services) => Promise<T>,
  refused: (say: string) => T,
): Promise<T> {
  const inner = noting(services, entry.request);
  let answer: T;
  try {
    answer = await work(inner.services);
  } catch (error) {
    if (hasCode(error, 'audit')) return refused([error.message, error.hint].filter(Boolean).join(' '));
    if (inner.noted() === 0 && !hasCode(error, 'stopped')) {
      await tolerant({ ...entry, result: 'failed' }, services);
    }
    throw error;
  }
  if (inner.noted() === 0) {
    // It asked back, say, or there was nothing to change.
    await tolerant({ detail: 'answered', ...entry, result: 'done' }, services);
  }
  return answer;
}
