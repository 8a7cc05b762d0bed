import { type Caller, type Covered, type GrantScope, scopeFor } from '../../shared/access.ts';
import type { Command } from '../../shared/command.ts';
import { clean, plain } from '../../shared/foreign-text.ts';
import { findTenant } from '../../shared/tenants/find-tenant.ts';
import type { Tenant, TenantId } from '../../shared/tenants/tenant.ts';
import { dayOf, type Instant, plusDays } from '../../shared/time.ts';
import { fullDay } from '../../shared/words.ts';
import { ask } from '../cards/actions.ts';
import { denyPerson, type Giver, giveRole } from '../people/change-rights.ts';
import type { Place, Reply, Services } from '../services.ts';
import { auditor } from './audit.ts';
import { findPerson } from './find-person.ts';
import { byId, namedIds, scopeInWords } from './grants-in-words.ts';
import { refuse, say } from './reply.ts';

type GrantCommand = Extract<Command, { kind: 'grant' | 'deny' }>;

/**
 * `grant @Ana operator contoso, tag:retail until 2027-03-31`, and `grant @Ana deny contoso`. Nobody gives or denies
 * more than he has, nobody changes what he has himself, and a person of another tenant can only become Customer of
 * that tenant. Every try is audited.
 */
export async function grant(
  command: GrantCommand,
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  const now = services.now();
  const what = command.kind;
  const meant = command.kind === 'grant' ? command.role : 'deny';
  const audit = auditor(who, where, services);
  const refused = async (say: string, detail: string): Promise<Reply> => {
    await audit(what, 'refused', { detail: `${meant}: ${detail}` });
    return refuse(where, say);
  };

  const until = command.until === undefined ? undefined : endOf(command.until);
  if (until !== undefined && until <= now) {
    return await refused(`${fullDay(command.until ?? '')} is over. Name a later day.`, 'date in the past');
  }
  const search = await findPerson(command.person, who, where, services);
  if (search.kind === 'not-found') return await refused(search.say, 'nobody found');
  const { person } = search;
  const shown = plain(person.name, 80);

  const tenants = await services.store.tenants.list(scopeFor(who, where.audience, 'grant', now));
  const meantIds = idsOf(command, tenants, where);
  if (meantIds.kind === 'reply') {
    await audit(what, 'refused', { detail: `${meant} to ${person.tid}/${person.oid}: ${meantIds.why}` });
    return meantIds.reply;
  }
  const covered: Covered = { scope: meantIds.scope, tags: command.tags ?? [] };
  const giver: Giver = { who, from: 'chat', where: where.conversationId, services };
  const unknown = unknownTags(covered, tenants);
  const ending = command.until === undefined ? '' : ` until the end of ${fullDay(command.until)} (UTC)`;
  const named = byId(tenants);
  if (command.kind === 'deny') {
    const denied = await denyPerson(person, { ...covered, until }, shown, giver);
    if (denied.kind === 'refused') return refuse(where, denied.say);
    const text = `${shown} is denied ${scopeInWords(covered, named)}${ending}, whatever role there is. It takes effect everywhere within a minute; revoke @… deny lifts it.${unknown}`;
    const fallback = clean(`${person.name} is denied something${ending}.`, 300);
    return say(where, { text, fallback }, namedIds(covered, named));
  }
  const given = await giveRole(person, { ...covered, role: command.role, until }, shown, tenants, giver);
  if (given.kind === 'refused') return refuse(where, given.say);
  const verb = given.had ? 'has that already:' : 'is now';
  const of = `${given.grant.role} of ${scopeInWords(given.grant, named) ?? 'no tenant'}`;
  const { role } = given.grant;
  return say(
    where,
    {
      text: `${shown} ${verb} ${of}${ending}.${unknown}`,
      fallback: clean(`${person.name} ${verb} ${role}${ending}.`, 300),
    },
    namedIds(given.grant, named),
  );
}

/** A tag that nobody has may be meant for later, or be misspelt. */
function unknownTags({ tags = [] }: Covered, tenants: readonly Tenant[]): string {
  const there = new Set(tenants.flatMap((tenant) => tenant.tags ?? []));
  const missing = tags.filter((tag) => !there.has(tag)).map((tag) => `“${plain(tag, 40)}”`);
  return missing.length === 0
    ? ''
    : ` No tenant has the tag ${missing.join(', ')} yet: it counts from when one has it.`;
}

type Meant = { kind: 'ids'; scope: GrantScope } | { kind: 'reply'; reply: Reply; why: string };

/** The tenants meant, looked up only among those the giver may give. */
function idsOf(command: GrantCommand, tenants: readonly Tenant[], where: Place): Meant {
  const all = command.kind === 'deny' ? command.tenants === 'all' : command.tenants.length === 0;
  if (all && (command.tags ?? []).length === 0) return { kind: 'ids', scope: 'all' };
  const ids: TenantId[] = [];
  for (const said of command.tenants === 'all' ? [] : command.tenants) {
    const found = findTenant(said, tenants);
    if (found.kind === 'none') {
      return {
        kind: 'reply',
        reply: noSuchTenant(command, said, found.nearest, where),
        why: 'no such tenant',
      };
    }
    if (found.kind === 'several') {
      const say = `“${plain(said, 80)}” fits several tenants. Write the domain instead.`;
      return { kind: 'reply', reply: refuse(where, say), why: 'tenant not clear' };
    }
    if (!ids.includes(found.tenant.id)) ids.push(found.tenant.id);
  }
  return { kind: 'ids', scope: ids };
}

/** The whole command again with the right name: a button would forget to whom and what. */
function noSuchTenant(command: GrantCommand, said: string, nearest: Tenant[], where: Place): Reply {
  const sentence = (wrong: string): string => `No tenant called "${wrong}" is available here.`;
  if (nearest.length === 0)
    return refuse(where, `${sentence(plain(said, 80))} Type tenants to see which are.`);
  const { person, until } = command;
  const role = command.kind === 'grant' ? command.role : 'deny';
  const whom =
    person.by === 'mention'
      ? person.text.replace(/<[^>]*>|^@/g, '')
      : person.by === 'oid'
        ? person.oid
        : person.address;
  const corrected = (right: Tenant): string => {
    const listed = command.tenants === 'all' ? [] : command.tenants;
    const names = [
      ...listed.map((one) => (one === said ? typed(right) : `"${one}"`)),
      ...(command.tags ?? []).map((tag) => `tag:${/[ ,;"]/.test(tag) ? `"${tag}"` : tag}`),
    ];
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

/** The whole day counts: valid until the next one begins, UTC. */
function endOf(day: string): Instant {
  return `${plusDays(dayOf(day), 1)}T00:00:00.000Z`;
}
