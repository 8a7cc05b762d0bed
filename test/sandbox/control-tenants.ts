import * as v from 'valibot';
import { type Day, dayOf, plusDays } from '../../shared/time.ts';
import { pointsOn, round2, scored, sum } from './history.ts';
import { type Answer, type Call, json } from './http.ts';
import { usersOn } from './score-answers.ts';
import { findTenant, type Keeper } from './state.ts';
import {
  inventedTenant,
  inventedTenants,
  lastDayOf,
  newSecret,
  type SandboxTenant,
  type ScoreCall,
  usualConsent,
} from './tenants.ts';

const text = (longest: number) => v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(longest));
const domain = v.pipe(v.string(), v.toLowerCase(), v.regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/), v.maxLength(253));
const seed = v.optional(
  v.pipe(v.union([v.string(), v.number()]), v.transform(String), v.maxLength(100)),
  '1',
);

const newTenantBody = v.union([
  v.strictObject({
    name: text(256),
    domain,
    seed,
    licence: v.optional(v.picklist(['E5', 'BusinessPremium', 'BusinessPremiumP2', 'BusinessBasic'])),
    users: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(50_000))),
    empty: v.optional(v.boolean()),
  }),
  v.strictObject({ count: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000)), seed }),
]);
const scoreBody = v.strictObject({
  drop: v.optional(
    v.union([
      v.pipe(v.array(text(200)), v.maxLength(500)),
      v.pipe(v.number(), v.minValue(0.01), v.maxValue(10_000)),
    ]),
  ),
  recover: v.optional(v.boolean()),
  max: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(1_000))),
  licences: v.optional(v.pipe(v.number(), v.integer(), v.minValue(-100_000), v.maxValue(100_000))),
  later: v.optional(v.boolean()),
});
const consentBody = v.strictObject({
  revoke: v.optional(v.boolean()),
  grant: v.optional(v.pipe(v.array(text(200)), v.maxLength(100))),
});
const appBody = v.strictObject({
  state: v.optional(v.picklist(['enabled', 'disabled', 'blocked', 'removed'])),
  newSecret: v.optional(v.boolean()),
  expireSecret: v.optional(v.boolean()),
  certificate: v.optional(text(20_000)),
});
const clockBody = v.strictObject({
  advance: v.pipe(v.string(), v.regex(/^([1-9]|[12]\d|30)d$/), v.transform(Number.parseInt)),
});

/** A tenant as the control calls tell of it, secret and all. */
export function tenantFacts(tenant: SandboxTenant): Record<string, unknown> {
  return {
    name: tenant.name,
    domain: tenant.domain,
    id: tenant.id,
    appId: tenant.app.appId,
    secret: tenant.app.secret,
  };
}

/** Control calls about tenants; undefined for other paths. Throws valibot's error for a wrong body. */
export function tenantCalls(keeper: Keeper, call: Call, body: unknown): Answer | undefined {
  const today = dayOf(call.at.toISOString());
  if (call.path === '/_sandbox/tenants' && call.method === 'POST')
    return addTenants(keeper, v.parse(newTenantBody, body), today);
  if (call.path === '/_sandbox/clock' && call.method === 'POST') {
    const { advance } = v.parse(clockBody, body);
    for (const tenant of keeper.state.tenants)
      for (let day = 0; day < advance; day++) nextDay(tenant, today, tenant.later.splice(0));
    keeper.touch();
    return json(200, { days: keeper.state.tenants.map((one) => ({ tenant: one.domain, day: one.lastDay })) });
  }
  const [, name, what] = /^\/_sandbox\/tenants\/([^/]+)\/([a-z]+)$/.exec(call.path) ?? [];
  if (name === undefined || call.method !== 'POST') return undefined;
  const tenant = findTenant(keeper.state, decodeURIComponent(name));
  if (tenant === undefined) return json(404, { error: `No tenant is called ${decodeURIComponent(name)}.` });
  const answer = what === 'score' ? score : what === 'consent' ? consent : what === 'app' ? app : undefined;
  if (answer === undefined) return undefined;
  const found = answer(tenant, body, today);
  keeper.touch();
  return found;
}

function addTenants(keeper: Keeper, wanted: v.InferOutput<typeof newTenantBody>, today: Day): Answer {
  const made =
    'count' in wanted
      ? inventedTenants(wanted.count, wanted.seed, today)
      : [{ ...inventedTenant(wanted.name, wanted.domain, wanted.seed, today), ...given(wanted) }];
  const known = made.filter((tenant) => findTenant(keeper.state, tenant.domain) !== undefined);
  if (!('count' in wanted) && known.length > 0)
    return json(409, { error: `There is a tenant ${known[0]?.domain} already.` });
  const fresh = made.filter((tenant) => !known.includes(tenant));
  keeper.state.tenants.push(...fresh);
  keeper.touch();
  const all = made.map((tenant) => findTenant(keeper.state, tenant.domain) ?? tenant).map(tenantFacts);
  return json(201, 'count' in wanted ? { tenants: all } : (all[0] ?? {}));
}

/** What the caller decides instead of the seed. */
function given({
  licence,
  users,
  empty,
}: Pick<Partial<SandboxTenant>, 'licence' | 'users' | 'empty'>): Partial<SandboxTenant> {
  return {
    ...(licence === undefined ? {} : { licence }),
    ...(users === undefined ? {} : { users }),
    ...(empty === undefined ? {} : { empty }),
  };
}

function score(tenant: SandboxTenant, body: unknown, today: Day): Answer {
  const { later, ...wanted } = v.parse(scoreBody, body);
  if (later) {
    tenant.later.push(wanted);
    return json(202, { later: tenant.later.length, day: lastDayOf(tenant, today) });
  }
  const unknown = Array.isArray(wanted.drop)
    ? wanted.drop.filter((id) => !pointsOn(tenant, lastDayOf(tenant, today)).has(id))
    : [];
  if (unknown.length > 0) return json(400, { error: `${tenant.name} has no control ${unknown.join(', ')}.` });
  nextDay(tenant, today, [wanted]);
  return json(200, scoreFacts(tenant));
}

/** The newest day's score in short. */
export function scoreFacts(tenant: SandboxTenant, day: Day = tenant.lastDay): Record<string, unknown> {
  const current = sum(pointsOn(tenant, day));
  const max = scored(tenant, day).reduce((all, control) => all + control.max, 0);
  return {
    tenant: tenant.domain,
    name: tenant.name,
    day,
    current,
    max,
    percent: max === 0 ? null : round2((current / max) * 100),
    licensedUsers: usersOn(tenant, day),
    consent: tenant.consent !== null,
    usual: usualConsent,
    changed: tenant.changes.filter((change) => change.day === day),
  };
}

/** Makes the snapshot of the day after the last one, with what the calls say. */
function nextDay(tenant: SandboxTenant, today: Day, calls: ScoreCall[]): void {
  const before = lastDayOf(tenant, today);
  const day = plusDays(before, 1);
  const points = pointsOn(tenant, before);
  function move(control: string, to: number): void {
    if ((points.get(control) ?? 0) === to) return;
    points.set(control, to);
    tenant.changes.push({ day, control, to });
  }
  function lower(control: string, to: number): void {
    tenant.dropped[control] ??= points.get(control) ?? 0;
    move(control, to);
  }
  for (const call of calls) {
    if (Array.isArray(call.drop)) for (const control of call.drop) if (points.has(control)) lower(control, 0);
    if (typeof call.drop === 'number') dropPoints(points, call.drop, lower);
    if (call.recover) {
      for (const [control, to] of Object.entries(tenant.dropped)) move(control, to);
      tenant.dropped = {};
    }
    if (call.max !== undefined && call.max !== 0) changeMax(tenant, day, call.max, points);
    if (call.licences !== undefined) {
      const users = usersOn(tenant, before);
      const now = Math.max(1, users + call.licences);
      tenant.counted.push({ day, users: now });
      // Counted per user: as many are registered as before, of fewer or more.
      const max = scored(tenant, day).find((control) => control.id === 'MFARegistrationV2')?.max ?? 0;
      const registered = points.get('MFARegistrationV2') ?? 0;
      move('MFARegistrationV2', round2(Math.min(max, (registered * users) / now)));
    }
  }
  tenant.lastDay = day;
  tenant.version += 1;
}

/** Takes `wanted` points, from the controls that have most. */
function dropPoints(
  points: Map<string, number>,
  wanted: number,
  lower: (id: string, to: number) => void,
): void {
  let missing = wanted;
  for (const [id, has] of [...points].sort((a, b) => b[1] - a[1])) {
    if (missing <= 0) return;
    const taken = Math.min(has, missing);
    if (taken <= 0) continue;
    lower(id, round2(has - taken));
    missing = round2(missing - taken);
  }
}

/** Microsoft adds a control that nobody has turned on yet. */
function changeMax(tenant: SandboxTenant, day: Day, by: number, points: Map<string, number>): void {
  const id = `scid_9${String(100 + tenant.added.length)}`;
  tenant.added.push({ day, id, max: by });
  points.set(id, 0);
}

function consent(tenant: SandboxTenant, body: unknown): Answer {
  const wanted = v.parse(consentBody, body);
  if (wanted.revoke) {
    tenant.consent = null;
    delete tenant.ours;
  }
  if (wanted.grant !== undefined) {
    tenant.consent = [...new Set(wanted.grant)];
    // Granted here it is known everywhere at once.
    if (tenant.ours !== undefined) tenant.ours = { roles: tenant.consent, from: new Date(0).toISOString() };
  }
  return json(200, { tenant: tenant.domain, consent: tenant.consent, usual: usualConsent });
}

function app(tenant: SandboxTenant, body: unknown): Answer {
  const wanted = v.parse(appBody, body);
  if (wanted.state !== undefined) tenant.appState = wanted.state;
  if (wanted.certificate !== undefined) tenant.app.certificates.push(wanted.certificate);
  if (wanted.expireSecret) tenant.app.secretExpiresAt = new Date(Date.now() - 60_000).toISOString();
  if (wanted.newSecret) {
    tenant.app.secret = newSecret();
    tenant.app.secretExpiresAt = null;
  }
  return json(200, {
    ...tenantFacts(tenant),
    state: tenant.appState,
    secretExpiresAt: tenant.app.secretExpiresAt,
  });
}
