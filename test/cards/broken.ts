import { digest } from '../../bot/digest.ts';
import { type ConnectionFinding, decideConnection } from '../../shared/alerts/connection-health.ts';
import { lastTransition, type Transition } from '../../shared/alerts/finding.ts';
import type { Health, HealthState, TenantId } from '../../shared/tenants/tenant.ts';
import { idOf } from './samples.ts';

/** Connections that broke as the rule makes them, told along some syncs. */
export type Broken = { finding: ConnectionFinding; transition: Transition<'connectionHealth'> };

const words: Partial<Record<HealthState, [cause: string, remedy: string]>> = {
  'permission-error': [
    'Consent was withdrawn or never given: the tenant grants Watchpost no permission.',
    'Ask an administrator of the tenant to consent again, then sync once more.',
  ],
  'authentication-error': [
    'The client secret has expired.',
    'Make a new secret in Entra and enter it under Update credentials.',
  ],
  'service-error': ['Microsoft did not answer in time.', ''],
};

function healthOf(state: HealthState, since: string, text: (what: string) => string): Health {
  const [cause = '', remedy = ''] = words[state] ?? [];
  const code = state === 'authentication-error' ? { code: 'AADSTS7000222' } : {};
  return { state, since, cause: cause && text(cause), remedy: remedy && text(remedy), ...code };
}

/** What was told last along these states, one an hour. */
export function brokenAlong(
  states: readonly HealthState[],
  tenantId: TenantId = idOf(1),
  text: (what: string) => string = (what) => what,
): Broken {
  let before = healthOf('connected', '2026-11-19T05:00:00.000Z', text);
  let finding: ConnectionFinding | null = null;
  for (const [at, state] of states.entries()) {
    const now = `2026-11-20T0${at}:05:00.000Z`;
    const after = healthOf(state, now, text);
    finding = decideConnection({ tenantId, before, after, finding, now, digest }).finding;
    before = after;
  }
  if (finding === null) throw new Error('nothing was told');
  return { finding, transition: lastTransition(finding) };
}
