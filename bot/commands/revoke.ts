import { type Caller, mayGrant } from '../../shared/access.ts';
import type { Command } from '../../shared/command.ts';
import { clean, plain } from '../../shared/foreign-text.ts';
import { counted } from '../../shared/words.ts';
import type { Place, Reply, Services } from '../services.ts';
import { auditor } from './audit.ts';
import { findPerson } from './find-person.ts';
import { refuse, say } from './reply.ts';

/** `revoke @Ana`: takes all roles of a person. Only whoever could have given each of them; never one's own. */
export async function revoke(
  command: Extract<Command, { kind: 'revoke' }>,
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  const { store } = services;
  const now = services.now();
  const audit = auditor(who, where, services);
  const refused = async (say: string, detail: string): Promise<Reply> => {
    await audit('revoke', 'refused', { detail });
    return refuse(where, say);
  };

  const search = await findPerson(command.person, who, where, services);
  if (search.kind === 'not-found') return await refused(search.say, 'nobody found');
  const { person } = search;
  const key = `${person.tid}/${person.oid}`;
  const name = plain(person.name, 80);
  if (person.tid === who.tid && person.oid === who.oid) {
    // So at least one Admin is always left.
    return await refused('Nobody takes his own roles. Ask another Admin.', 'his own');
  }
  const ended = await store.people.revoke(person.tid, person.oid, (grants) =>
    grants.every((grant) => mayGrant(who, grant.role, grant.scope, now)),
  );
  if (ended.kind === 'none') return refuse(where, `${name} has no role.`);
  if (ended.kind === 'refused') {
    return await refused(
      `You cannot take the roles of ${name}: your own role does not cover them.`,
      `of ${key}: beyond`,
    );
  }

  const { grants } = ended;
  const count = grants.length;
  await audit('revoke', 'done', { detail: `${count} of ${key}` });
  const comesBack = grants.some((grant) => grant.source === 'app-role')
    ? ' A role given in Entra comes back when the tab is opened: take it there too.'
    : '';
  const text = `${counted(count, 'role')} of ${name} taken. It takes effect everywhere within a minute.${comesBack}`;
  return say(where, {
    text,
    fallback: clean(`${counted(count, 'role')} of ${person.name} taken.${comesBack}`, 300),
  });
}
