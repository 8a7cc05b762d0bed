import { type Day, daysBetween } from '../../shared/time.ts';
import { type Control, controls } from './controls.ts';
import { seeded, shuffled } from './seeded.ts';
import { has, type SandboxTenant } from './tenants.ts';

/** Points of each scored control on one day. */
export type Points = Map<string, number>;

type Step = { back: number; control: string; before: number };
type History = { today: Points; steps: Step[] };
const histories = new WeakMap<SandboxTenant, History>();

/** The controls that count for a tenant on a day: what it has bought, and what Microsoft has added since. */
export function scored(tenant: SandboxTenant, day: Day): Control[] {
  return [
    ...controls.filter((control) => has(tenant, control.needs)),
    ...tenant.added.filter((one) => one.day <= day).map((one, at) => addedControl(one.id, one.max, at)),
  ];
}

/** A control that the sandbox's `max` call made Microsoft add. */
export function addedControl(id: string, max: number, at: number): Control {
  return {
    id,
    title: `Turn on the new protection ${id.replace('scid_', 'number ')}`,
    category: 'Device',
    service: 'MDATP',
    max,
    rank: controls.length + 1 + at,
    cost: 'Low',
    impact: 'Low',
    tier: 'Core',
    threats: ['Account Breach'],
    how: 'Turn it on by policy.',
    needs: 'nothing',
  };
}

/** The points of every scored control on `day`. */
export function pointsOn(tenant: SandboxTenant, day: Day): Points {
  const history = historyOf(tenant);
  const points = new Map(history.today);
  const back = daysBetween(day, tenant.createdOn);
  // Steps are walked from the newest to the oldest: each undoes what happened on the day after `day`.
  for (const step of history.steps) if (step.back < back) points.set(step.control, step.before);
  for (const one of tenant.added) if (one.day <= day) points.set(one.id, 0);
  for (const change of tenant.changes) if (change.day <= day) points.set(change.control, change.to);
  return points;
}

function historyOf(tenant: SandboxTenant): History {
  const known = histories.get(tenant);
  if (known !== undefined) return known;
  const made = makeHistory(tenant);
  histories.set(tenant, made);
  return made;
}

/** Today's points, then backwards along the shape: few controls move on few days, as in life. */
function makeHistory(tenant: SandboxTenant): History {
  const random = seeded(`history ${tenant.seed} ${tenant.domain}`);
  const counted = controls.filter((control) => has(tenant, control.needs));
  const max = counted.reduce((sum, control) => sum + control.max, 0);
  const today = pointsToday(tenant, counted, (tenant.shape.percent / 100) * max, random);
  const held = new Set([...tenant.shape.moved.map((one) => one.control), ...Object.keys(tenant.shape.fixed)]);

  const points = new Map(today);
  const steps: Step[] = [];
  function step(back: number, control: string, before: number): void {
    steps.push({ back, control, before });
    points.set(control, before);
  }
  for (const { control, from } of tenant.shape.moved) step(0, control, from);
  for (let back = 1; back < 89; back++) {
    const wanted = (percentBack(tenant, back + 1, random()) / 100) * max;
    let missing = wanted - sum(points);
    // Small differences wait until they make a step.
    if (Math.abs(missing) < 1) continue;
    for (const control of shuffled(counted, random)) {
      if (Math.abs(missing) < 0.5) break;
      if (held.has(control.id)) continue;
      const now = points.get(control.id) ?? 0;
      const before = round2(Math.min(control.max, Math.max(0, now + missing)));
      if (Math.abs(before - now) < 0.25) continue;
      step(back, control.id, before);
      missing = wanted - sum(points);
    }
  }
  return { today, steps };
}

/** The percent `back` days before the last one: the last day's jump, a line over 30 days, a slower one before. */
function percentBack(tenant: SandboxTenant, back: number, noise: number): number {
  const { percent, month, lastDay } = tenant.shape;
  const yesterday = percent - lastDay;
  const slope = (month - lastDay) / 29;
  const line = back <= 30 ? slope * (back - 1) : slope * 29 + slope * 0.4 * (back - 30);
  return Math.min(97, Math.max(5, yesterday - line + (noise - 0.5) * 0.5));
}

function pointsToday(
  tenant: SandboxTenant,
  counted: Control[],
  wanted: number,
  random: () => number,
): Points {
  const points: Points = new Map(counted.map((control) => [control.id, 0]));
  const given = { ...tenant.shape.fixed };
  for (const { control, to } of tenant.shape.moved) given[control] = to;
  for (const [control, to] of Object.entries(given)) if (points.has(control)) points.set(control, to);
  let missing = wanted - sum(points);
  for (const control of shuffled(counted, random)) {
    if (missing <= 0) break;
    if (control.id in given) continue;
    // Some controls are reached in part: so many of so many users or devices.
    const share = random() < 0.2 ? Math.round(random() * 8 + 1) / 10 : 1;
    const reached = round2(Math.min(control.max * share, missing));
    points.set(control.id, reached);
    missing -= reached;
  }
  return points;
}

export function sum(points: Points): number {
  let all = 0;
  for (const value of points.values()) all += value;
  return round2(all);
}

export function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
