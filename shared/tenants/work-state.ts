import { isNotConnected } from './not-connected.ts';
import type { Health, HealthState } from './tenant.ts';
import { healthLabel, healthStates } from './tenant-health.ts';

/** How far a company is: the states of health, and before them "not connected yet". */
export type WorkState = HealthState | 'not-connected';
export const workStates: readonly WorkState[] = ['not-connected', ...healthStates];

export function workStateOf(health: Pick<Health, 'state' | 'cause'>): WorkState {
  return isNotConnected(health) ? 'not-connected' : health.state;
}

export function workStateText(state: WorkState): string {
  return state === 'not-connected' ? 'Not connected yet' : healthLabel(state);
}
