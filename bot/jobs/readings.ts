import type { DatasetName, DatasetState, Tenant } from '../../shared/tenants/tenant.ts';
import type { Instant } from '../../shared/time.ts';
import type { Failure, Reading, Services, TenantAccess } from '../services.ts';

/**
 * Without permission for the one thing that every tenant grants, consent itself may be gone: only a new token tells,
 * because one in memory outlives a withdrawn consent by up to an hour.
 */
export async function explained(
  failure: Failure,
  access: TenantAccess,
  { microsoft }: Services,
): Promise<Failure> {
  if (failure.kind !== 'permission') return failure;
  microsoft.forget(access.tenantId);
  const token = await microsoft.token(access);
  if (token.kind === 'failed') return token.failure.transient ? failure : token.failure;
  if (token.kind !== 'ok' || token.value.roles.length > 0) return failure;
  return {
    kind: 'permission',
    cause: 'Consent was withdrawn or never given: the tenant grants Watchpost no permission.',
    remedy: 'Ask an administrator of the tenant to consent again, then sync once more.',
    transient: false,
    ...(failure.code === undefined ? {} : { code: failure.code }),
  };
}

/** The hash of the last good answer, so that an unchanged one is skipped. */
export function knownHash(tenant: Tenant, name: DatasetName): string | undefined {
  const state = tenant.datasets[name];
  return state?.state === 'ok' ? state.hash : undefined;
}

/** What is known of a dataset after a try. A failed try keeps the time and hash of the last good one; the
 * evaluated day stays until another one is. */
export function stateOf<T>(
  tenant: Tenant,
  name: DatasetName,
  reading: Reading<T>,
  now: Instant,
): DatasetState {
  const before = tenant.datasets[name];
  const day = before?.day === undefined ? {} : { day: before.day };
  if (reading.kind !== 'failed')
    return { state: 'ok', readAt: now, triedAt: now, hash: reading.hash, ...day };
  const { failure } = reading;
  const state: DatasetState = { state: stateWord[failure.kind], triedAt: now, why: failure.cause, ...day };
  if (before?.readAt !== undefined) state.readAt = before.readAt;
  if (before?.hash !== undefined) state.hash = before.hash;
  if (failure.permission !== undefined) state.permission = failure.permission;
  return state;
}

const stateWord: Record<Failure['kind'], DatasetState['state']> = {
  authentication: 'error',
  permission: 'permission-missing',
  licence: 'not-licensed',
  throttled: 'throttled',
  service: 'error',
  'not-found': 'error',
  bug: 'error',
};

const weight: Record<Failure['kind'], number> = {
  authentication: 6,
  permission: 5,
  bug: 4,
  service: 3,
  throttled: 2,
  // Not a fault of the tenant's connection: it must not hide one that passes, nor when to come back.
  'not-found': 1,
  licence: 0,
};

/**
 * The failure that decides health; a licence gap never does. Permissions that are missing are all named in one
 * sentence: an administrator grants them once.
 */
export function worst(readings: readonly Reading<unknown>[]): Failure | undefined {
  const failures = readings.flatMap((reading) =>
    reading.kind === 'failed' && reading.failure.kind !== 'licence' ? [reading.failure] : [],
  );
  const [first] = failures.sort((a, b) => weight[b.kind] - weight[a.kind]);
  const missing = [
    ...new Set(
      failures.flatMap(({ kind, permission }) =>
        kind === 'permission' && permission !== undefined ? [permission] : [],
      ),
    ),
  ];
  if (first?.kind !== 'permission' || missing.length < 2) return first;
  const names = `${missing.slice(0, -1).join(', ')} and ${missing.at(-1)}`;
  return { ...first, cause: `The application permissions ${names} are missing or have been withdrawn.` };
}
