import { randomUUID } from 'node:crypto';
import {
  type Caller,
  type Grant,
  type GrantScope,
  mayGrant,
  type Role,
  scopeFor,
} from '../../shared/access.ts';
import type { Command } from '../../shared/command.ts';
import { clean, plain } from '../../shared/foreign-text.ts';
import { findTenant } from '../../shared/tenants/find-tenant.ts';
import type { Tenant, TenantId } from '../../shared/tenants/tenant.ts';
import { dayOf, type Instant, plusDays } from '../../shared/time.ts';
import { fullDay } from '../../shared/words.ts';
import { ask } from '../cards/actions.ts';
import type { Place, Reply, Services } from '../services.ts';
import { auditor } from './audit.ts';
import { type FoundPerson, findPerson } from './find-person.ts';
import { byId, namedIds, scopeInWords } from './grants-in-words.ts';
import { refuse, say } from './reply.ts';

type GrantCommand = Extract<Command, { kind: 'grant' }>;

/**
 * `grant @Ana operator contoso until 2027-03-31`. Nobody gives more than he has, nobody gives to himself, and a
 * person of another tenant can only become Customer of that tenant. Every try is audited.
 */
export async function grant(
  command: GrantCommand,
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  const now = services.now();
  const audit = auditor(who, where, services);
  const refused = async (say: string, detail: string): Promise<Reply> => {
    await audit('grant', 'refused', { detail: `${command.role}: ${detail}` });
    return refuse(where, say);
  };

  const until = command.until === undefined ? undefined : endOf(command.until);
  if (until !== undefined && until <= now) {
    return await refused(`${fullDay(command.until ?? '')} is over. Name a later day.`, 'date in the past');
  }
  const search = await findPerson(command.person, who, where, services);
  if (search.kind === 'not-found') return await refused(search.say, 'nobody found');
  const { person } = search;
  const key = `${person.tid}/${person.oid}`;
  if (person.tid === who.tid && person.oid === who.oid) {
    return await refused('Nobody gives a role to himself. Ask another Admin.', 'to himself');
  }

  const tenants = await services.store.tenants.list(scopeFor(who, where.audience, 'grant', now));
  const wanted = scopeWanted(command, person, who, tenants, where);
  if (wanted.kind === 'reply') {
    await audit('grant', 'refused', { detail: `${command.role} to ${key}: ${wanted.why}` });
    return wanted.reply;
  }
  const { scope } = wanted;
  if (!mayGrant(who, command.role, scope, now)) {
    return await refused(beyond(command.role, scope), `to ${key}: beyond the own role or scope`);
  }

  const given: Grant = {
    id: randomUUID(),
    role: command.role,
    scope,
    source: 'chat',
    by: clean(who.name, 80),
    at: now,
    ...(until === undefined ? {} : { until }),
  };
  const known = await services.store.people.get(person.tid, person.oid);
  if (known?.grants.some((one) => isSame(one, given))) {
    await audit('grant', 'done', { detail: `${command.role} to ${key}: was given before` });
    return done(person, given, command.until, tenants, where, 'has that already:');
  }
  await services.store.people.addGrant(person.tid, person.oid, clean(person.name, 200), given);
  const covered = scope === 'all' ? 'all tenants' : scope.join(' ');
  await audit('grant', 'done', { detail: `${command.role} of ${covered} to ${key}` });
  return done(person, given, command.until, tenants, where);
}

function done(
  person: FoundPerson,
  given: Grant,
  until: string | undefined,
  tenants: readonly Tenant[],
  where: Place,
  verb = 'is now',
): Reply {
  const named = byId(tenants);
  const ending = until === undefined ? '' : ` until the end of ${fullDay(until)} (UTC)`;
  const of = `${given.role} of ${scopeInWords(given.scope, named) ?? 'no tenant'}`;
  const text = `${plain(person.name, 80)} ${verb} ${of}${ending}.`;
  return say(
    where,
    { text, fallback: clean(`${person.name} ${verb} ${given.role}${ending}.`, 300) },
    namedIds(given.scope, named),
  );
}

type Wanted = { kind: 'scope'; scope: GrantScope } | { kind: 'reply'; reply: Reply; why: string };

/** The tenants meant, looked up only among those the giver may give; Customers get their own tenant or nothing. */
function scopeWanted(
  command: GrantCommand,
  person: FoundPerson,
  who: Caller,
  tenants: readonly Tenant[],
  where: Place,
): Wanted {
  const no = (say: string, why: string): Wanted => ({ kind: 'reply', reply: refuse(where, say), why });
  const own = tenants.find((tenant) => tenant.id === person.tid);
  const name = plain(person.name, 80);
  if (person.tid !== who.tid && command.role !== 'Customer') {
    return no(
      `${name} is not of this organisation and can only be Customer of the own tenant.`,
      'not of the home tenant',
    );
  }
  if (command.role === 'Customer' && own === undefined) {
    return no(
      `${name} is not of a connected tenant. Customer is for people of one.`,
      'not of a connected tenant',
    );
  }
  const ids: TenantId[] = [];
  for (const said of command.tenants) {
    const found = findTenant(said, tenants);
    if (found.kind === 'none') {
      return {
        kind: 'reply',
        reply: noSuchTenant(command, said, found.nearest, where),
        why: 'no such tenant',
      };
    }
    if (found.kind === 'several') {
      return no(`“${plain(said, 80)}” fits several tenants. Write the domain instead.`, 'tenant not clear');
    }
    if (!ids.includes(found.tenant.id)) ids.push(found.tenant.id);
  }
  if (command.role !== 'Customer') return { kind: 'scope', scope: ids.length === 0 ? 'all' : ids };
  if (own === undefined || ids.some((id) => id !== own.id)) {
    return no(`${name} can only be Customer of the own tenant.`, 'another tenant than the own');
  }
  return { kind: 'scope', scope: [own.id] };
}

/** The whole command again with the right name: a button would forget to whom and what. */
function noSuchTenant(command: GrantCommand, said: string, nearest: Tenant[], where: Place): Reply {
  const sentence = (wrong: string): string => `No tenant called "${wrong}" is available here.`;
  if (nearest.length === 0)
    return refuse(where, `${sentence(plain(said, 80))} Type tenants to see which are.`);
  const { person, role, until } = command;
  const whom =
    person.by === 'mention'
      ? person.text.replace(/<[^>]*>|^@/g, '')
      : person.by === 'oid'
        ? person.oid
        : person.address;
  const corrected = (right: Tenant): string => {
    const names = command.tenants.map((one) => (one === said ? typed(right) : `"${one}"`));
    const ending = until === undefined ? '' : ` until ${until}`;
    return `grant ${person.by === 'mention' ? '@' : ''}${whom} ${role.toLowerCase()} ${names.join(', ')}${ending}`;
  };
  const commands = nearest.map(corrected);
  return say(
    where,
    {
      text: `${sentence(plain(said, 80))} Did you mean:`,
      lines: commands.map((one) => plain(one, 300)),
      fallback: clean(`${sentence(said)} Did you mean: ${commands.join(' · ')}`, 700),
      buttons: [ask('Tenants', { verb: 'tenants' })],
    },
    nearest.map(({ id }) => id),
  );
}

/** A tenant as it can be typed again; a name with quotation marks in it cannot. */
function typed(tenant: Tenant): string {
  return /["“”„‟«»″＂]/.test(tenant.name) ? tenant.domain : `"${tenant.name}"`;
}

/** The same role of the same tenants until the same moment, given by hand; what Entra gives lapses by itself. */
function isSame(a: Grant, b: Grant): boolean {
  return (
    a.role === b.role &&
    a.until === b.until &&
    a.source !== 'app-role' &&
    String(a.scope === 'all' ? a.scope : [...a.scope].sort()) ===
      String(b.scope === 'all' ? b.scope : [...b.scope].sort())
  );
}

function beyond(role: Role, scope: GrantScope): string {
  return scope === 'all'
    ? `You cannot give ${role} of all tenants: your own role does not cover them all. Name tenants.`
    : `You cannot give ${role} of these tenants: your own role does not cover them.`;
}

/** The whole day counts: valid until the next one begins, UTC. */
function endOf(day: string): Instant {
  return `${plusDays(dayOf(day), 1)}T00:00:00.000Z`;
}
