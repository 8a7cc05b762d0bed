import * as v from 'valibot';
import {
  type Caller,
  liveDenies,
  liveGrants,
  may,
  mayGrant,
  mayLift,
  maySwitch,
  mayTake,
  roleOf,
  scopeFor,
} from '../../shared/access.ts';
import type { PeopleAnswer, PeopleList, PersonRow } from '../../shared/api.ts';
import { clean } from '../../shared/foreign-text.ts';
import { type Tenant, type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import type { Instant } from '../../shared/time.ts';
import { confirmBinding } from '../people/bind-place.ts';
import {
  type Changed,
  denyPerson,
  type Giver,
  giveRole,
  liftDenies,
  switchPerson,
  takeRoles,
} from '../people/change-rights.ts';
import { type FoundPerson, knownPeople } from '../people/known-person.ts';
import type { Person, Services } from '../services.ts';
import { wrongWith } from './connect-body.ts';
import { bindSchema, denySchema, grantSchema, personSchema, scopeIn, switchSchema } from './people-body.ts';
import { problem } from './problem.ts';
import { openRate } from './rate.ts';
import { coveredLine, coveredWords, sourceWords } from './rights-in-words.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from './route.ts';
import { tabOf } from './tenants.ts';

const mostRows = 200;
/** People with a role, a deny or switched off that are looked through; an installation has a few hundred. */
const mostRead = 5_000;
const longestSearch = 80;

/** The People page: who has which role, and the changes an Admin makes there. For Admins only. */
export function peopleRoutes(): ApiRoute[] {
  const rate = openRate(60, 60_000);
  return [
    {
      method: 'GET',
      path: '/api/tab/people',
      auth: 'tab',
      handle: async (request, who, services) =>
        isAdmin(who, services) ? await list(request, who, services) : notForYou(request),
    },
    change('grant', grantSchema, async (form, person, giver, tenants, request) => {
      const scope = scopeIn(form);
      const wrong = whyNot(scope, form, tenants, giver.services.now());
      if (scope === null || wrong !== null) return problem(400, wrong ?? nothingNamed, request.id);
      const shown = nameOf(person);
      const wanted = { scope, tags: form.tags, role: form.role, until: form.until };
      const given = await giveRole(person, wanted, shown, tenants, giver);
      if (given.kind === 'refused') return problem(403, given.say, request.id);
      const line = coveredLine(given.grant, byId(tenants));
      const of = `${given.grant.role} of ${line === null ? 'no tenant' : coveredWords(line)}`;
      return says(`${shown} ${given.had ? 'has that already:' : 'is now'} ${of}.`);
    }),
    change('deny', denySchema, async (form, person, giver, tenants, request) => {
      const scope = scopeIn(form);
      const wrong = whyNot(scope, form, tenants, giver.services.now());
      if (scope === null || wrong !== null) return problem(400, wrong ?? nothingNamed, request.id);
      const denied = await denyPerson(
        person,
        { scope, tags: form.tags, until: form.until },
        nameOf(person),
        giver,
      );
      const line = coveredLine({ scope, tags: form.tags }, byId(tenants));
      return told(
        denied,
        `${nameOf(person)} is denied ${line === null ? 'nothing' : coveredWords(line)}, everywhere within a minute.`,
        request,
      );
    }),
    change('revoke', personSchema, async (_, person, giver, _tenants, request) => {
      const taken = await takeRoles(person, nameOf(person), giver);
      const entra =
        taken.kind === 'done' &&
        taken.before.grants.some(({ source }) => source === 'app-role' || source === 'group');
      const back = entra
        ? ' A role given in Entra comes back when the tab is opened: take it there too.'
        : '';
      return told(
        taken,
        `All roles of ${nameOf(person)} are taken, everywhere within a minute.${back}`,
        request,
      );
    }),
    change('lift', personSchema, async (_, person, giver, _tenants, request) => {
      const lifted = await liftDenies(person, nameOf(person), giver);
      return told(lifted, `What was denied to ${nameOf(person)} is lifted.`, request);
    }),
    change('switch', switchSchema, async ({ off }, person, giver, _tenants, request) => {
      const done = await switchPerson(person, off, nameOf(person), giver);
      const how = off ? 'off: nothing is answered any more, in chat or here, within a minute' : 'on again';
      return told(done, `${nameOf(person)} is switched ${how}.`, request);
    }),
    {
      method: 'POST',
      path: '/api/tab/people/bind',
      auth: 'tab',
      handle: async (request, who, services) => {
        if (!isAdmin(who, services)) return notForYou(request);
        if (rate(who).kind === 'wait') return tooMany(request);
        const form = v.safeParse(bindSchema, request.body, { abortEarly: true });
        if (!form.success) return problem(400, wrongWith(form.issues), request.id);
        return await bound(form.output.code, who, services, request);
      },
    },
  ];

  /** One change to one person: who may, how often, the form, the person; then the change itself. */
  function change<S extends v.GenericSchema<unknown, { person: string }>>(
    name: string,
    schema: S,
    run: (
      form: v.InferOutput<S>,
      person: FoundPerson,
      giver: Giver,
      tenants: readonly Tenant[],
      request: ApiRequest,
    ) => Promise<ApiAnswer>,
  ): ApiRoute {
    return {
      method: 'POST',
      path: `/api/tab/people/${name}`,
      auth: 'tab',
      handle: async (request, who, services) => {
        if (!isAdmin(who, services)) return notForYou(request);
        if (rate(who).kind === 'wait') return tooMany(request);
        const form = v.safeParse(schema, request.body, { abortEarly: true });
        if (!form.success) return problem(400, wrongWith(form.issues), request.id);
        const tenants = await services.store.tenants.list(scopeFor(who, tabOf(who), 'grant', services.now()));
        const found = await personMeant(form.output.person, who, tenants, services);
        const [person] = found;
        if (person === undefined) {
          return problem(
            404,
            'Nobody is known by that. The person must have written to Watchpost or opened it once.',
            request.id,
          );
        }
        if (found.length > 1)
          return problem(409, 'Several people have this address. Use the object id.', request.id);
        return await run(form.output, person, { who, from: 'tab', where: 'tab', services }, tenants, request);
      },
    };
  }
}

const nothingNamed = 'Name tenants or tags, or choose all; not both.';

/** Tenants the giver does not have are answered like those that are not there. */
function whyNot(
  scope: ReturnType<typeof scopeIn>,
  { until }: { until?: Instant },
  tenants: readonly Tenant[],
  now: Instant,
): string | null {
  if (scope === null) return nothingNamed;
  if (until !== undefined && until <= now) return 'That day is over. Choose a later one.';
  const known = new Set(tenants.map(({ id }) => id));
  return scope === 'all' || scope.every((id) => known.has(id)) ? null : 'No such tenant is available here.';
}

function isAdmin(who: Caller, services: Services): boolean {
  return may(who, 'grant', undefined, services.now());
}

function notForYou(request: ApiRequest): ApiAnswer {
  return problem(403, 'People and their roles are for Admins.', request.id);
}

function tooMany(request: ApiRequest): ApiAnswer {
  return problem(429, 'That is a lot at once. Try again in a minute.', request.id);
}

function says(text: string): ApiAnswer {
  const answer: PeopleAnswer = { says: text };
  return { status: 200, body: answer };
}

function told(changed: Changed, done: string, request: ApiRequest): ApiAnswer {
  return changed.kind === 'refused' ? problem(403, changed.say, request.id) : says(done);
}

async function bound(code: string, who: Caller, services: Services, request: ApiRequest): Promise<ApiAnswer> {
  const outcome = await confirmBinding(code, who, 'tab', services);
  switch (outcome.kind) {
    case 'bound':
      return says('The channel is bound. Watching, typed there, says to whom it belongs.');
    case 'second':
      return says(
        'It belonged to another customer: a second Admin has to enter the same code within 10 minutes.',
      );
    case 'refused':
      return problem(403, outcome.say, request.id);
    default:
      return problem(
        404,
        'This code is not valid, or its ten minutes are over. Ask again in the channel.',
        request.id,
      );
  }
}

/** By key of a row, by address or by object id; of tenants the caller does not see nobody is found. */
async function personMeant(
  said: string,
  who: Caller,
  tenants: readonly Tenant[],
  services: Services,
): Promise<FoundPerson[]> {
  const [first = '', oid] = said.split('/');
  if (oid !== undefined) {
    const tid = tenantId(first);
    if (tid === undefined || (tid !== who.tid && !tenants.some(({ id }) => id === tid))) return [];
    const known = await services.store.people.get(tid, oid);
    return known === null ? [] : [{ tid, oid, name: known.name }];
  }
  const ref = said.includes('@')
    ? ({ by: 'address', address: said } as const)
    : ({ by: 'oid', oid: said } as const);
  return await knownPeople(ref, who, tenants, services);
}

async function list(request: ApiRequest, who: Caller, services: Services): Promise<ApiAnswer> {
  const q = (request.query.get('q') ?? '').slice(0, longestSearch).trim().toLowerCase();
  const now = services.now();
  const tenants = await services.store.tenants.list(scopeFor(who, tabOf(who), 'grant', now));
  const seen = byId(tenants);
  const found = (await everybody(services)).flatMap((person) => rowOf(person, seen, who, now));
  const matching = found.filter((row) => wordsOf(row).includes(q));
  const answer: PeopleList = {
    now,
    rows: matching.slice(0, mostRows),
    total: matching.length,
    tags: [...new Set(tenants.flatMap(({ tags }) => tags ?? []))].sort(),
    may: { all: mayGrant(who, 'Reader', 'all', now) },
  };
  return { status: 200, body: answer };
}

async function everybody({ store }: Services): Promise<Person[]> {
  const all: Person[] = [];
  let after: string | undefined;
  do {
    const page = await store.people.withGrants({ limit: mostRows, after });
    all.push(...page.rows);
    after = page.next ?? undefined;
  } while (after !== undefined && all.length < mostRead);
  return all;
}

/** Nothing of somebody whose tenants the reader may not see, not even that there is such a person. */
function rowOf(person: Person, seen: ReadonlyMap<TenantId, Tenant>, who: Caller, now: Instant): PersonRow[] {
  const { tid, oid } = person;
  const home = tid === who.tid;
  if (!home && !seen.has(tid)) return [];
  // What is denied or switched off counts for nothing, and is shown all the same: it comes back when that is lifted.
  const held = liveGrants({ ...person, disabled: false, denies: [], home }, now);
  const denied = liveDenies(person, now);
  const grants = held.flatMap((grant) => {
    const covered = coveredLine(grant, seen);
    const { role, by, at } = grant;
    const why = { source: sourceWords(grant), by: clean(by, 80), at, until: grant.until ?? null };
    return covered === null ? [] : [{ role, covered, ...why }];
  });
  const denies = denied.flatMap(({ by, at, until, ...deny }) => {
    const covered = coveredLine(deny, seen);
    return covered === null ? [] : [{ covered, by: clean(by, 80), at, until: until ?? null }];
  });
  if (grants.length + denies.length === 0 && !person.disabled) return [];
  if (grants.length === 0 && held.length > 0) return [];
  const target = { tid, oid, grants: person.grants, denies: person.denies ?? [] };
  return [
    {
      key: `${tid}/${oid}`,
      name: clean(person.name, 200),
      address: person.address ?? person.mail ?? null,
      organisation: home ? null : (seen.get(tid)?.name ?? null),
      you: home && oid === who.oid,
      disabled: person.disabled,
      role: roleOf({ ...person, home }, now),
      grants,
      denies,
      seenAt: person.seenAt ?? null,
      may: {
        take: grants.length > 0 && mayTake(who, target, now),
        lift: denies.length > 0 && mayLift(who, target, now),
        switch: maySwitch(who, target, now),
      },
    },
  ];
}

function wordsOf(row: PersonRow): string {
  const roles = row.grants.map(({ role }) => role);
  return [row.name, row.address ?? '', row.key, row.organisation ?? '', ...roles].join('\n').toLowerCase();
}

function nameOf({ name, oid }: FoundPerson): string {
  const shown = clean(name, 80);
  return shown === '' ? oid : shown;
}

function byId(tenants: readonly Tenant[]): Map<TenantId, Tenant> {
  return new Map(tenants.map((tenant) => [tenant.id, tenant]));
}
