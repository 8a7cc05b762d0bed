import type { Call } from './http.ts';
import { limiter } from './limits.ts';

/** Seconds to wait, null when Microsoft does not say how long, undefined when the call is let in. */
export type DirectoryLimits = (
  call: Call,
  path: string,
  withSignIns: boolean,
  tenant: string,
  app: string,
) => number | null | undefined;

/**
 * Reports: five in ten seconds for an app and tenant. Conditional Access: one a second for a tenant, all apps together,
 * and no `Retry-After`. Sign-in activity: ten a minute for an app over all its tenants.
 */
export function openDirectoryLimits(): DirectoryLimits {
  const limits = limiter();
  return (call, path, withSignIns, tenant, app) => {
    const at = call.at.getTime();
    if (path.startsWith('/identity/conditionalAccess/')) {
      return limits.take(`policies ${tenant}`, [[1, 1_000]], at) > 0 ? null : undefined;
    }
    const wait = path.startsWith('/reports/')
      ? limits.take(`reports ${tenant} ${app}`, [[5, 10_000]], at)
      : withSignIns
        ? limits.take(`sign-ins ${app}`, [[10, 60_000]], at)
        : 0;
    return wait > 0 ? Math.ceil(wait / 1_000) : undefined;
  };
}
