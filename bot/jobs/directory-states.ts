import type { DatasetState, DirectoryDatasetName, Tenant } from '../../shared/tenants/tenant.ts';
import { type Instant, millis } from '../../shared/time.ts';
import type { Failure, Reading } from '../services.ts';
import { stateOf } from './readings.ts';

/**
 * What is known of an optional dataset after a try. A permission that this tenant never gave is no fault of anybody:
 * the dataset is not granted, and says by which permission it would be.
 */
export function directoryStateOf(
  tenant: Tenant,
  name: DirectoryDatasetName,
  reading: Reading<unknown>,
  now: Instant,
): DatasetState {
  const state = stateOf(tenant, name, reading, now);
  if (state.state !== 'permission-missing' || state.readAt !== undefined) return state;
  const { permission } = state;
  const why = permission === undefined ? 'not granted' : `not granted (${permission})`;
  return { ...state, state: 'not-granted', why };
}

/** The failure after which the work is tried again soon: what passes by itself. Licences and permissions do not. */
export function passingFailure(readings: readonly Reading<unknown>[]): Failure | undefined {
  const failures = readings.flatMap((reading) => (reading.kind === 'failed' ? [reading.failure] : []));
  const passing = failures.filter(({ transient, kind }) => transient || kind === 'throttled');
  return passing.sort((a, b) => (b.retryAfterMs ?? 0) - (a.retryAfterMs ?? 0))[0];
}

/** So long a try that is repeated after a failure leaves alone what it has read. */
const freshMs = 30 * 60_000;
/** Sign-in activity may be asked ten times a minute for all tenants together: once a week for each. */
const weekMs = 6.5 * 24 * 3_600_000;

/** Need this dataset be read now? `again`: the last try failed in part. */
export function isWanted(
  tenant: Pick<Tenant, 'datasets'>,
  name: DirectoryDatasetName,
  again: boolean,
  now: Instant,
): boolean {
  const state = tenant.datasets[name];
  if (state?.state !== 'ok' || state.readAt === undefined) return true;
  const age = millis(now) - millis(state.readAt);
  // A clock that was set back must not keep old data for ever.
  if (age < 0) return true;
  if (name === 'signInActivity') return age >= weekMs;
  return !again || age >= freshMs;
}
