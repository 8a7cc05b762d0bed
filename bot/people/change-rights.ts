import { randomUUID } from 'node:crypto';
import {
  type Caller,
  type Covered,
  type Deny,
  type Grant,
  mayDeny,
  mayGrant,
  mayLift,
  maySwitch,
  mayTake,
  type Role,
  type Target,
} from '../../shared/access.ts';
import { clean } from '../../shared/foreign-text.ts';
import type { Tenant, TenantId } from '../../shared/tenants/tenant.ts';
import type { Instant } from '../../shared/time.ts';
import type { Rights, Services } from '../services.ts';
import type { FoundPerson } from './known-person.ts';

/** Who changes what a person may do, and from where: `tab`, or a conversation. */
export type Giver = { who: Caller; from: 'chat' | 'tab'; where: string; services: Services };
/** `say` is a sentence in which `shown` stands for the person, as the medium shows names. */
export type Changed = { kind: 'done'; before: Rights } | { kind: 'refused'; say: string };
export type Given = { kind: 'given'; grant: Grant; had: boolean } | { kind: 'refused'; say: string };

const himself = {
  give: 'Nobody gives a role to himself. Ask another Admin.',
  take: 'Nobody takes his own roles. Ask another Admin.',
  deny: 'Nobody denies himself anything. Ask another Admin.',
  lift: 'Nobody lifts what was denied to himself. Ask another Admin.',
  switch: 'Nobody switches himself off or on. Ask another Admin.',
};

/**
 * Gives a role over tenants by name and tag. Nobody gives more than he has, nobody to himself, and a person of another
 * tenant can only become Customer of that tenant. `tenants` are those the giver may give.
 */
export async function giveRole(
  person: FoundPerson,
  wanted: Covered & { role: Role; until?: Instant },
  shown: string,
  tenants: readonly Tenant[],
  giver: Giver,
): Promise<Given> {
  const { who, services } = giver;
  const { role, until } = wanted;
  const tags = [...(wanted.tags ?? [])];
  const refused = async (say: string, why: string): Promise<Given> => {
    await note(giver, 'grant', 'refused', `${role} to ${keyOf(person)}: ${why}`);
    return { kind: 'refused', say };
  };
  if (isSelf(who, person)) return await refused(himself.give, 'to himself');
  const own = tenants.find(({ id }) => id === person.tid);
  if (person.tid !== who.tid && role !== 'Customer') {
    return await refused(
      `${shown} is not of this organisation and can only be Customer of the own tenant.`,
      'not of the home tenant',
    );
  }
  let scope = wanted.scope;
  if (role === 'Customer') {
    if (own === undefined) {
      return await refused(
        `${shown} is not of a connected tenant. Customer is for people of one.`,
        'not of a connected tenant',
      );
    }
    if (tags.length > 0 || (scope !== 'all' && scope.some((id) => id !== own.id))) {
      return await refused(`${shown} can only be Customer of the own tenant.`, 'another tenant than the own');
    }
    scope = [own.id];
  }
  const now = services.now();
  if (!mayGrant(who, role, scope, now, tags)) {
    return await refused(beyond(role, { scope, tags }, who), 'beyond the own role or scope');
  }
  const grant: Grant = {
    ...{ id: randomUUID(), role, scope },
    ...(tags.length === 0 ? {} : { tags }),
    ...{ source: giver.from, by: clean(who.name, 80), at: now },
    ...(until === undefined ? {} : { until }),
  };
  const covered = coveredInIds(grant);
  const known = await services.store.people.get(person.tid, person.oid);
  if (known?.grants.some((one) => isSame(one, grant))) {
    await note(giver, 'grant', 'done', `${role} to ${keyOf(person)}: was given before`);
    return { kind: 'given', grant, had: true };
  }
  // Noted first: what cannot be noted is not done (R64).
  await note(giver, 'grant', 'done', `${role} of ${covered} to ${keyOf(person)}`);
  await services.store.people.addGrant(person.tid, person.oid, clean(person.name, 200), grant);
  return { kind: 'given', grant, had: false };
}

/** Takes tenants away from a person, whatever roles there are and will be. */
export async function denyPerson(
  person: FoundPerson,
  wanted: Covered & { until?: Instant },
  shown: string,
  giver: Giver,
): Promise<Changed> {
  const { who, services } = giver;
  if (isSelf(who, person)) return await refusal(giver, 'deny', person, himself.deny, 'to himself');
  const now = services.now();
  const deny: Deny = {
    ...{ id: randomUUID(), scope: wanted.scope },
    ...(wanted.tags === undefined || wanted.tags.length === 0 ? {} : { tags: [...wanted.tags] }),
    ...{ by: clean(who.name, 80), at: now },
    ...(wanted.until === undefined ? {} : { until: wanted.until }),
  };
  return await change(
    giver,
    person,
    {
      ...{ what: 'deny', detail: `${coveredInIds(deny)} to ${keyOf(person)}`, make: true },
      allowed: (target) => mayDeny(who, target, deny, now),
      decide: ({ denies }) => ({ denies: [...denies.filter((one) => !isSame(one, deny)), deny] }),
    },
    `You cannot deny that to ${shown}: your own role does not cover it, or not all that ${shown} has.`,
  );
}

/** Takes all roles of a person. */
export async function takeRoles(person: FoundPerson, shown: string, giver: Giver): Promise<Changed> {
  const { who, services } = giver;
  // So at least one Admin is always left.
  if (isSelf(who, person)) return await refusal(giver, 'revoke', person, himself.take, 'his own');
  return await change(
    giver,
    person,
    {
      ...{ what: 'revoke', detail: `roles of ${keyOf(person)}` },
      allowed: (target) => mayTake(who, target, services.now()),
      decide: ({ grants }) => (grants.length === 0 ? null : { grants: [] }),
    },
    `You cannot take the roles of ${shown}: your own role does not cover them.`,
  );
}

/** Lifts all that was denied to a person. */
export async function liftDenies(person: FoundPerson, shown: string, giver: Giver): Promise<Changed> {
  const { who, services } = giver;
  if (isSelf(who, person)) return await refusal(giver, 'lift deny', person, himself.lift, 'his own');
  return await change(
    giver,
    person,
    {
      ...{ what: 'lift deny', detail: `of ${keyOf(person)}` },
      allowed: (target) => mayLift(who, target, services.now()),
      decide: ({ denies }) => (denies.length === 0 ? null : { denies: [] }),
    },
    `You cannot lift what was denied to ${shown}: your own role does not cover it.`,
  );
}

/** Switches a person off, in chat and tab, whatever roles there are and will be; or on again. */
export async function switchPerson(
  person: FoundPerson,
  off: boolean,
  shown: string,
  giver: Giver,
): Promise<Changed> {
  const { who, services } = giver;
  const what = off ? 'switch off' : 'switch on';
  if (isSelf(who, person)) return await refusal(giver, what, person, himself.switch, 'himself');
  return await change(
    giver,
    person,
    {
      ...{ what, detail: keyOf(person), make: off },
      allowed: (target) => maySwitch(who, target, services.now()),
      decide: ({ disabled }) => (disabled === off ? null : { disabled: off }),
    },
    `You cannot switch ${shown} ${off ? 'off' : 'on'}: that takes an Admin of all tenants who could give all that ${shown} has.`,
  );
}

type Change = {
  what: string;
  detail: string;
  /** The person need not be known yet. */
  make?: boolean;
  allowed(target: Target): boolean;
  decide(held: Rights): Partial<Rights> | null;
};

/**
 * Decides by what is held in the store at that moment. What is about to be done is noted first, for what cannot be
 * noted is not done (R64), and decided once more when it is written.
 */
async function change(
  giver: Giver,
  person: FoundPerson,
  { what, detail, make, allowed, decide }: Change,
  no: string,
): Promise<Changed> {
  const { people } = giver.services.store;
  const { tid, oid } = person;
  const mayNow = ({ grants, denies }: Rights): boolean => allowed({ tid, oid, grants, denies });
  const { before } = await people.change(tid, oid, undefined, () => null);
  if (!mayNow(before)) return await refusal(giver, what, person, no, 'beyond the own role or scope');
  if (decide(before) === null) return { kind: 'done', before };
  await note(giver, what, 'done', detail);
  let still = true;
  const done = await people.change(tid, oid, make === true ? clean(person.name, 200) : undefined, (held) => {
    still = mayNow(held);
    return still ? decide(held) : null;
  });
  if (!still)
    return await refusal(giver, what, person, no, 'changed meanwhile: beyond the own role or scope');
  return { kind: 'done', before: done.before };
}

async function refusal(
  giver: Giver,
  what: string,
  person: FoundPerson,
  say: string,
  why: string,
): Promise<{ kind: 'refused'; say: string }> {
  await note(giver, what, 'refused', `${keyOf(person)}: ${why}`);
  return { kind: 'refused', say };
}

async function note(
  { who, where, services }: Giver,
  what: string,
  result: 'done' | 'refused',
  detail: string,
): Promise<void> {
  const { audit } = services.store;
  const entry = { ...{ who: keyOf(who), what, where, result }, detail: detail.slice(0, 400) };
  await (result === 'done' ? audit.writeFirst(entry) : audit.write(entry));
}

function keyOf({ tid, oid }: { tid: TenantId; oid: string }): string {
  return `${tid}/${oid}`;
}

function isSelf(who: Caller, person: FoundPerson): boolean {
  return who.tid === person.tid && who.oid === person.oid;
}

/** For the audit: ids and tags, no names. */
function coveredInIds({ scope, tags }: Covered): string {
  const ids = scope === 'all' ? ['all tenants'] : scope;
  return [...ids, ...(tags ?? []).map((tag) => `tag:${tag}`)].join(' ');
}

/** The same of the same tenants until the same moment, given by hand; what Entra gives lapses by itself. */
function isSame(a: Partial<Grant> & Covered, b: Partial<Grant> & Covered): boolean {
  const named = (one: Covered): string =>
    `${one.scope === 'all' ? one.scope : [...one.scope].sort()} ${JSON.stringify([...(one.tags ?? [])].sort())}`;
  return (
    a.role === b.role &&
    a.until === b.until &&
    a.source !== 'app-role' &&
    a.source !== 'group' &&
    named(a) === named(b)
  );
}

function beyond(role: Role, { scope, tags = [] }: Covered, who: Caller): string {
  const narrower =
    (who.denies?.length ?? 0) > 0 && (scope === 'all' || tags.length > 0)
      ? ' Something is denied to you, so you give named tenants only.'
      : '';
  if (scope === 'all') {
    return `You cannot give ${role} of all tenants: your own role does not cover them all. Name tenants.${narrower}`;
  }
  return tags.length > 0
    ? `You cannot give ${role} by tag: that takes a role of all tenants, or of that tag.${narrower}`
    : `You cannot give ${role} of these tenants: your own role does not cover them.`;
}
