import { type Caller, may, roleOf, scopeFor } from '../../shared/access.ts';
import type { Command } from '../../shared/command.ts';
import { type CommandRow, rowOf, rowOfCommand } from '../../shared/command-table.ts';
import { plain } from '../../shared/foreign-text.ts';
import { isNameOf } from '../../shared/tenants/find-tenant.ts';
import { escapeUsage } from '../cards/help.ts';
import { inAudit } from '../noted.ts';
import type { Place, Reply, Services } from '../services.ts';
import { aboutHere } from './audit.ts';
import { bind, unbind } from './bind.ts';
import { claim } from './claim.ts';
import { connect } from './connect.ts';
import { grant } from './grant.ts';
import { health } from './health.ts';
import { help, noRole } from './help.ts';
import { people } from './people.ts';
import { ranking } from './ranking.ts';
import { refuse } from './reply.ts';
import { revoke } from './revoke.ts';
import { score } from './score.ts';
import { sync } from './sync.ts';
import { tenants } from './tenants.ts';
import { threshold } from './threshold.ts';
import { unwatch } from './unwatch.ts';
import { watch } from './watch.ts';
import { watching } from './watching.ts';
import { whoAmI } from './who-am-i.ts';

/** Answers a command; every refusal is a reply with the way forward. Throws only what the store throws. */
export async function runCommand(
  command: Command,
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  const row = rowOfCommand(command);
  const refusal = await whyNot(row, who, where, services);
  const about = aboutHere(row.name, who, where);
  if (refusal === null) {
    if (!row.changes) return await answer(command, who, where, services);
    return await inAudit(
      about,
      services,
      (inner) => answer(command, who, where, inner),
      (say) => refuse(where, say),
    );
  }
  if (refusal.kind === 'help') return await help({ kind: 'help' }, who, where, services);
  await services.store.audit.denied({ ...about, result: 'refused', detail: refusal.detail });
  return refuse(where, refusal.say);
}

/** True for what must be done once however often it is delivered (R8). */
export function changesSomething(command: Command): boolean {
  return rowOfCommand(command).changes;
}

async function answer(command: Command, who: Caller, where: Place, services: Services): Promise<Reply> {
  switch (command.kind) {
    case 'score':
      return await score(command, who, where, services);
    case 'ranking':
      return await ranking(command, who, where, services);
    case 'tenants':
      return await tenants(command, who, where, services);
    case 'health':
      return await health(command, who, where, services);
    case 'connect':
      return await connect(command, who, where, services);
    case 'sync':
      return await sync(command, who, where, services);
    case 'watch':
      return await watch(command, who, where, services);
    case 'watching':
      return await watching(command, who, where, services);
    case 'unwatch':
      return await unwatch(command, who, where, services);
    case 'threshold':
      return await threshold(command, who, where, services);
    case 'who-am-i':
      return await whoAmI(command, who, where, services);
    case 'people':
      return await people(command, who, where, services);
    case 'grant':
    case 'deny':
      return await grant(command, who, where, services);
    case 'revoke':
      return await revoke(command, who, where, services);
    case 'bind':
      return await bind(command, who, where, services);
    case 'unbind':
      return await unbind(command, who, where, services);
    case 'claim':
      return await claim(command, who, where, services);
    case 'misused':
      return refuse(where, `${command.say} Like this: ${escapeUsage(command.usage)}`);
    default:
      return await named(command, who, where, services);
  }
}

/** Text that is just the name of a tenant this person may see here asks for its score; anything else gets help. */
async function named(
  command: Extract<Command, { kind: 'help' }>,
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  const { said } = command;
  if (said === undefined || (await whyNot(rowOf('score'), who, where, services)) !== null) {
    return await help(command, who, where, services);
  }
  const tenants = await services.store.tenants.list(scopeFor(who, where.audience, 'view', services.now()));
  return isNameOf(said, tenants)
    ? await score({ kind: 'score', tenant: said }, who, where, services)
    : await help(command, who, where, services);
}

type Refusal = { kind: 'help' } | { kind: 'say'; say: string; detail: string };

/** The command table's word on person and place; null = go ahead. What is shown is decided later, by scope. */
export async function whyNot(
  row: CommandRow,
  who: Caller,
  where: Place,
  services: Services,
): Promise<Refusal | null> {
  const { audience } = where;
  const now = services.now();
  const forNews = !row.places.includes('personal');
  if (row.needs === 'bind' && audience.kind !== 'personal') {
    // To whom a place belongs is said by person alone: what the place may show does not matter.
    if (may(who, 'bind', undefined, now)) return null;
    return audience.kind === 'unbound'
      ? { kind: 'help' }
      : { kind: 'say', say: 'Only Admins can do that. Ask one of yours.', detail: 'not an Admin' };
  }
  if (audience.kind === 'unbound') {
    if (!forNews) return { kind: 'help' };
    return { kind: 'say', say: noNewsHere(audience.why, where), detail: 'in an unbound place' };
  }
  if (!row.places.includes(audience.kind)) {
    const say = forNews
      ? `That is for a channel or group chat. Mention me there: ${escapeUsage(row.usage)}`
      : 'That is for a personal chat: write to me there.';
    return { kind: 'say', say, detail: `in a ${audience.kind} place` };
  }
  if (row.needs === null) return null;

  const scope = scopeFor(who, audience, 'view', now);
  const seesSomething = scope.all || scope.ids.size > 0;
  if (row.needs === 'grant') {
    return may(who, 'grant', undefined, now) && seesSomething
      ? null
      : { kind: 'say', say: 'Only Admins can do that. Ask one of yours.', detail: 'not an Admin' };
  }
  if (seesSomething) {
    const watchable = row.needs === 'watch' ? scopeFor(who, audience, 'watch', now) : scope;
    if (watchable.all || watchable.ids.size > 0) return null;
    const say = 'What is heard here is decided by Operators and Admins. You may look: watching';
    return { kind: 'say', say, detail: 'not an Operator' };
  }
  return roleOf(who, now) === null
    ? { kind: 'say', say: await noRole(who, where, services), detail: 'no role' }
    : {
        kind: 'say',
        say: 'No tenants are available here. Ask me in a personal chat.',
        detail: 'nothing in scope',
      };
}

/** Why nothing of a tenant may be posted in this conversation, and where it may. */
function noNewsHere(why: string, where: Place): string {
  const here = where.kind === 'channel' ? 'channel' : 'chat';
  const reason = plain(why.trim().replace(/[.!?]+$/, ''), 200);
  const lower = reason.slice(0, 1).toLowerCase() + reason.slice(1);
  return `This ${here} may not hear of tenants: ${lower}. Type it in a channel or group chat with people of your own organisation only.`;
}
