import type { ControlProfile, ControlReach, EvaluatedSnapshot } from '../score/score.ts';
import type { TenantId } from '../tenants/tenant.ts';
import { type Day, daysBetween } from '../time.ts';

/** A control as it stood when the baseline took it in. */
export type BaselineControl = {
  name: string;
  score: number;
  /** What it could bring; null without a description. */
  max: number | null;
  reach?: ControlReach;
  /** Taken in on this day, later than the baseline's own: Microsoft scored it only then. */
  joined?: Day;
  /** Not scored since this day. */
  absent?: Day;
};

/** What the next evaluated day of a tenant is compared with; saved last of all, after findings and outbox rows. */
export type Baseline = {
  tenantId: TenantId;
  /** The day it stands for. */
  day: Day;
  current: number;
  max: number;
  licensedUsers: number | null;
  activeUsers: number | null;
  controls: BaselineControl[];
  /** The newest day compared with it. */
  evaluated: Day;
  /** Id of the transition whose finding and outbox rows are surely written; null before the first. */
  told: string | null;
};

/** A control that is not scored is remembered this long: a day with holes must not hide a fall behind it. */
export const rememberedDays = 7;

/** The evaluated day as a baseline. `profiles` are those of the same sync. */
export function baselineOf(snapshot: EvaluatedSnapshot, profiles: readonly ControlProfile[]): Baseline {
  const maxOf = maxima(profiles);
  return {
    tenantId: snapshot.tenantId,
    day: snapshot.day,
    current: snapshot.current,
    max: snapshot.max,
    licensedUsers: snapshot.licensedUsers,
    activeUsers: snapshot.activeUsers,
    controls: snapshot.controls.map(({ name, score, reach }) => ({
      name,
      score,
      max: maxOf.get(name) ?? null,
      ...(reach === undefined ? {} : { reach }),
    })),
    evaluated: snapshot.day,
    told: null,
  };
}

/**
 * The baseline moved to `now`, except the controls that are `owed`: while a finding stands, what is lost stays lost
 * until it is back, so those keep what they had, and with them the baseline keeps its day.
 */
export function moved(before: Baseline, now: Baseline, owed: ReadonlySet<string>): Baseline {
  const kept = before.controls.filter(({ name }) => owed.has(name));
  const gone = absentees(before, now).filter(({ name }) => !owed.has(name));
  if (kept.length === 0) return { ...now, controls: [...now.controls, ...gone], told: before.told };
  const known = new Map(before.controls.map((control) => [control.name, control]));
  const fresh = now.controls
    .filter(({ name }) => !owed.has(name))
    .map((control) => {
      const was = known.get(control.name);
      const joined = was === undefined ? now.day : was.joined;
      return joined === undefined ? control : { ...control, joined };
    });
  return { ...before, controls: [...kept, ...fresh, ...gone], evaluated: now.day };
}

/**
 * The baseline where it was, one day later: nothing that fell is forgotten. Only what Microsoft scores for the first
 * time is taken in, so that its next fall can be seen, and what is gone for long goes.
 */
export function unmoved(before: Baseline, now: Baseline): Baseline {
  const known = new Set(before.controls.map(({ name }) => name));
  const scored = new Set(now.controls.map(({ name }) => name));
  const gone = new Map(absentees(before, now).map((control) => [control.name, control]));
  const old = before.controls.flatMap((control) => {
    if (!scored.has(control.name)) return gone.get(control.name) ?? [];
    if (control.absent === undefined) return control;
    const { absent: _, ...back } = control;
    return back;
  });
  const joined = now.controls
    .filter(({ name }) => !known.has(name))
    .map((control) => ({ ...control, joined: now.day }));
  return { ...before, controls: [...old, ...joined], evaluated: now.day };
}

/** The controls of the baseline that are not scored now and were not gone for too long, with the day they went. */
export function absentees(before: Baseline, now: Baseline): BaselineControl[] {
  const scored = new Set(now.controls.map(({ name }) => name));
  return before.controls
    .filter(({ name }) => !scored.has(name))
    .map((control) => ({ ...control, absent: control.absent ?? now.day }))
    .filter(({ absent }) => daysBetween(absent, now.day) <= rememberedDays);
}

/** What each control could bring, by name. */
export function maxima(profiles: readonly ControlProfile[]): Map<string, number> {
  return new Map(profiles.map(({ name, max }) => [name, max]));
}
