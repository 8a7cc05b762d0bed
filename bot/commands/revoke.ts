import type { Caller } from '../../shared/access.ts';
import type { Command } from '../../shared/command.ts';
import { clean, plain } from '../../shared/foreign-text.ts';
import { counted } from '../../shared/words.ts';
import { type Giver, liftDenies, takeRoles } from '../people/change-rights.ts';
import type { FoundPerson } from '../people/known-person.ts';
import type { Place, Reply, Services } from '../services.ts';
import { auditor } from './audit.ts';
import { findPerson } from './find-person.ts';
import { refuse, say } from './reply.ts';

/**
 * `revoke @Ana`: takes all roles of a person, and `revoke @Ana deny` lifts all that was denied. Only whoever could have
 * given each of them; never one's own.
 */
export async function revoke(
  command: Extract<Command, { kind: 'revoke' }>,
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  const search = await findPerson(command.person, who, where, services);
  if (search.kind === 'not-found') {
    await auditor(who, where, services)('revoke', 'refused', { detail: 'nobody found' });
    return refuse(where, search.say);
  }
  const giver: Giver = { who, from: 'chat', where: where.conversationId, services };
  return command.what === 'denies'
    ? await lift(search.person, where, giver)
    : await take(search.person, where, giver);
}

async function take(person: FoundPerson, where: Place, giver: Giver): Promise<Reply> {
  const name = plain(person.name, 80);
  const taken = await takeRoles(person, name, giver);
  if (taken.kind === 'refused') return refuse(where, taken.say);
  const { grants, denies } = taken.before;
  if (grants.length === 0) return refuse(where, `${name} has no role.`);
  const comesBack = grants.some(({ source }) => source === 'app-role' || source === 'group')
    ? ' A role given in Entra comes back when the tab is opened: take it there too.'
    : '';
  const stays = denies.length === 0 ? '' : ' What was denied stays denied.';
  const many = counted(grants.length, 'role');
  return say(where, {
    text: `${many} of ${name} taken. It takes effect everywhere within a minute.${comesBack}${stays}`,
    fallback: clean(`${many} of ${person.name} taken.${comesBack}`, 300),
  });
}

async function lift(person: FoundPerson, where: Place, giver: Giver): Promise<Reply> {
  const name = plain(person.name, 80);
  const lifted = await liftDenies(person, name, giver);
  if (lifted.kind === 'refused') return refuse(where, lifted.say);
  const { denies } = lifted.before;
  if (denies.length === 0) return refuse(where, `Nothing is denied to ${name}.`);
  return say(where, {
    text: `What was denied to ${name} is lifted. It takes effect everywhere within a minute.`,
    fallback: clean(`What was denied to ${person.name} is lifted.`, 300),
  });
}
