import { errorCode } from '../errors.ts';
import type { Services } from '../services.ts';

const lookEveryMs = 5_000;

/**
 * Looks every 5 s whether the audit log is due for a signed checkpoint: after 100 entries or a minute with something
 * new. The last one is written when the store is closed. What cannot be written is due again at the next look.
 */
export function startCheckpoints({ store, log }: Services, everyMs = lookEveryMs): { stop(): void } {
  let looking = false;
  let failing = false;
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    store.audit
      .checkpoint()
      .then(
        () => {
          failing = false;
        },
        (error: unknown) => {
          // Once for as long as it lasts: the same line every 5 s would hide others.
          if (!failing) log.error({ code: errorCode(error) }, 'audit checkpoint could not be written');
          failing = true;
        },
      )
      .finally(() => {
        looking = false;
      });
  }, everyMs);
  return { stop: () => clearInterval(timer) };
}
