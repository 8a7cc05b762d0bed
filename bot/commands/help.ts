import { type Caller, may, roleOf, scopeFor } from '../../shared/access.ts';
import type { Command } from '../../shared/command.ts';
import { type CommandRow, commandTable } from '../../shared/command-table.ts';
import { plain } from '../../shared/foreign-text.ts';
import { escapeUsage, helpCard } from '../cards/help.ts';
import { adminsToAsk } from '../people/admins.ts';
import type { Place, Reply, Services } from '../services.ts';
import { withCard } from './reply.ts';

/** `help`, greetings, unknown text: what this person can ask here, and the way forward when that is little. */
export async function help(
  command: Extract<Command, { kind: 'help' }>,
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  const rows = await usable(who, where, services);
  // `unknown` comes escaped from the parser.
  const lead = command.unknown === undefined ? '' : `I do not know “${command.unknown}”.`;
  const why = await whyNoMore(who, where, services);
  const asks = rows.map((row) => escapeUsage(row.usage)).join(' · ');
  const elsewhere = canWatchElsewhere(who, where, services);
  const text = [lead, `You can ask: ${asks}.`, why, elsewhere].filter(Boolean).join(' ');
  return withCard(where, helpCard({ lead, rows, why, elsewhere }), text, []);
}

/** News goes where several read: in a personal chat nobody would find that out. For those who may ask for it. */
function canWatchElsewhere(who: Caller, { audience }: Place, services: Services): string {
  const tell = audience.kind === 'personal' && may(who, 'watch', undefined, services.now());
  return tell ? 'In a channel or group chat: watch contoso tells it when that score falls.' : '';
}

/** The commands this person may use in this place. */
export async function usable(who: Caller, where: Place, services: Services): Promise<CommandRow[]> {
  const { audience } = where;
  const now = services.now();
  const binds = may(who, 'bind', undefined, now);
  if (audience.kind === 'unbound') {
    return commandTable.filter((row) => row.name === 'help' || (row.name === 'bind' && binds));
  }
  // Once there is an Admin, there is nothing to claim.
  const claimable = who.home && roleOf(who, now) === null && !(await services.store.people.anyAdmin(now));
  return commandTable.filter((row) => {
    if (!row.places.includes(audience.kind)) return false;
    if (row.name === 'claim') return claimable;
    if (row.needs === null) return true;
    if (row.needs === 'grant') return may(who, 'grant', undefined, now);
    if (row.needs === 'bind') return binds;
    const scope = scopeFor(who, audience, row.needs, now);
    return scope.all || scope.ids.size > 0;
  });
}

/** Empty when the person can use Watchpost here. */
async function whyNoMore(who: Caller, where: Place, services: Services): Promise<string> {
  const { audience } = where;
  if (audience.kind === 'unbound') {
    return `Only help is answered here: ${plain(lowerFirst(audience.why), 200)} Ask me in a personal chat.`;
  }
  const scope = scopeFor(who, audience, 'view', services.now());
  return scope.all || scope.ids.size > 0 ? '' : await noRole(who, where, services);
}

/** What a person without a role is told. */
export async function noRole(who: Caller, where: Place, services: Services): Promise<string> {
  return `You have no role here yet. ${await whomToAsk(who, where, services)}`;
}

/** Who can give a role, as a sentence. Names only to people of the home tenant and only among themselves. */
export async function whomToAsk(who: Caller, where: Place, services: Services): Promise<string> {
  const amongUs = where.audience.kind === 'personal' || where.audience.kind === 'internal';
  if (!amongUs) return 'An Admin can give you one.';
  const names = (await adminsToAsk(who, services)).map((name) => plain(name, 60));
  if (names.length === 0) return 'An Admin can give you one.';
  return `An Admin can give you one: ask ${names.length === 1 ? names[0] : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`}.`;
}

function lowerFirst(text: string): string {
  const trimmed = text.trim();
  const bare = /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
  return bare.slice(0, 1).toLowerCase() + bare.slice(1);
}
