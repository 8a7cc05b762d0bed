import { expect, test } from '@jest/globals';
import { nextDue, retryDue } from '../../bot/jobs/cadence.ts';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';

const contoso = tenantId('3f1c9a52-6d0e-4b7a-9c55-0a1b2c3d4e5f') as TenantId;
const now = '2026-11-20T07:04:00.000Z';

test('a tenant is due at the next cron time plus its own share of at most an hour', () => {
  const due = nextDue('17 5,17 * * *', contoso, now);
  expect(due >= '2026-11-20T17:17:00.000Z' && due < '2026-11-20T18:17:00.000Z').toBe(true);
  expect(nextDue('17 5,17 * * *', contoso, now)).toBe(due);
});

test('ten thousand tenants are spread over the interval', () => {
  const minutes = new Map<string, number>();
  for (let i = 0; i < 10_000; i += 1) {
    const id = tenantId(`00000000-0000-4000-8000-${i.toString(16).padStart(12, '0')}`) as TenantId;
    const minute = nextDue('17 5,17 * * *', id, now).slice(0, 16);
    minutes.set(minute, (minutes.get(minute) ?? 0) + 1);
  }
  expect(minutes.size).toBe(60);
  expect(Math.max(...minutes.values())).toBeLessThan(240);
});

test.each([
  { failures: 1, retryAfterMs: undefined, gives: '2026-11-20T07:05:00.000Z' },
  { failures: 2, retryAfterMs: undefined, gives: '2026-11-20T07:09:00.000Z' },
  { failures: 9, retryAfterMs: undefined, gives: '2026-11-20T08:04:00.000Z' },
  { failures: 1, retryAfterMs: 600_000, gives: '2026-11-20T07:14:00.000Z' },
])(
  'after $failures failures with Retry-After $retryAfterMs it tries again at $gives',
  ({ failures, retryAfterMs, gives }) => {
    expect(retryDue('17 5,17 * * *', contoso, now, failures, retryAfterMs)).toBe(gives);
  },
);

test('a retry never waits longer than the regular time', () => {
  expect(retryDue('* * * * *', contoso, now, 4) <= '2026-11-20T07:05:30.000Z').toBe(true);
});
