import { type Caller, may, roleOf, scopeFor } from '../../shared/access.ts';
import type { Command } from '../../shared/command.ts';
import { type CommandRow, commandTable } from '../../shared/command-table.ts';
import { plain } from '../../shared/foreign-text.ts';
import { escapeUsage, helpCard } from '../cards/help.ts';
import type { Place, Reply, Services } from '../services.ts';
import { withCard } from './reply.ts';

/** `help`, greetings, unknown text: what this person can ask here, and the way forward when that is little. */
export async function help(
  command: Extract<Command, { kind: 'help' }>,
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  const rows = usable(who, where, services);
  // `unknown` comes escaped from the parser.
  const lead = command.unknown === undefined ? '' : `I do not know “${command.unknown}”.`;
  const why = whyNoMore(who, where, services);
  const asks = rows.map((row) => escapeUsage(row.usage)).join(' · ');
  const text = [lead, `You can ask: ${asks}.`, why].filter(Boolean).join(' ');
  return withCard(where, helpCard({ lead, rows, why }), text, []);
}

/** The commands this person may use in this place. */
export function usable(who: Caller, where: Place, services: Services): CommandRow[] {
  const { audience } = where;
  if (audience.kind === 'unbound') return commandTable.filter((row) => row.name === 'help');
  const now = services.now();
  return commandTable.filter((row) => {
    if (!row.places.includes(audience.kind)) return false;
    if (row.name === 'claim') return who.home && roleOf(who, now) === null;
    if (row.needs === null) return true;
    if (row.needs === 'grant') return may(who, 'grant', undefined, now);
    const scope = scopeFor(who, audience, row.needs, now);
    return scope.all || scope.ids.size > 0;
  });
}

/** Empty when the person can use Watchpost here. */
function whyNoMore(who: Caller, where: Place, services: Services): string {
  const { audience } = where;
  if (audience.kind === 'unbound') {
    return `Only help is answered here: ${plain(lowerFirst(audience.why), 200)} Ask me in a personal chat.`;
  }
  const scope = scopeFor(who, audience, 'view', services.now());
  return scope.all || scope.ids.size > 0 ? '' : noRole;
}

/** What a person without a role is told. */
export const noRole = 'You have no role here yet. An Admin can give you one: grant @you reader.';

function lowerFirst(text: string): string {
  const trimmed = text.trim();
  const bare = /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
  return bare.slice(0, 1).toLowerCase() + bare.slice(1);
}
