import type { TenantRow } from '../../shared/api.ts';
import type { Posture } from '../../shared/score/score.ts';
import { isStale, readAtOf } from '../../shared/score/worst-first.ts';
import { choiceOfCron } from '../../shared/tenants/cadence.ts';
import { notRead } from '../../shared/tenants/not-read.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import type { Instant } from '../../shared/time.ts';

const sparkDays = 30;

/** One tenant as the tab's list shows it. What is not known is null, with the reason in `health` or `notRead`. */
export function tenantRow(
  tenant: Tenant,
  posture: Posture | null,
  now: Instant,
  staleAfterMs: number,
  listed: { namesake: boolean; fall: TenantRow['fall']; ending: TenantRow['ending'] } = {
    namesake: false,
    fall: undefined,
    ending: undefined,
  },
): TenantRow {
  const { state, cause, remedy, since, failing } = tenant.health;
  return {
    id: tenant.id,
    name: tenant.name,
    domain: tenant.domain,
    tags: tenant.tags ?? [],
    cadence: {
      scores: choiceOfCron(tenant.cadence?.scores),
      directory: choiceOfCron(tenant.cadence?.directory),
    },
    ...(listed.namesake ? { namesake: true } : {}),
    ...(listed.fall === undefined ? {} : { fall: listed.fall }),
    ...(listed.ending === undefined ? {} : { ending: listed.ending }),
    health: { state, cause, remedy, since, ...(failing === undefined ? {} : { failing }) },
    notRead: notRead(tenant),
    score: posture === null ? null : scoreOf(posture),
    readAt: posture === null ? null : readAtOf(tenant, posture),
    stale: posture !== null && isStale(readAtOf(tenant, posture), now, staleAfterMs),
  };
}

function scoreOf(posture: Posture): NonNullable<TenantRow['score']> {
  return {
    day: posture.day,
    percent: posture.percent,
    current: posture.current,
    max: posture.max,
    sinceYesterday: posture.sinceYesterday,
    over30Days: posture.over30Days,
    spark: posture.trend.slice(-sparkDays).map(({ day, percent }) => ({ day, percent })),
  };
}
