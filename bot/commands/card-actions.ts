import { type Caller, scopeFor } from '../../shared/access.ts';
import type { Command } from '../../shared/command.ts';
import { rowOfCommand } from '../../shared/command-table.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import type { CardAction, Place, Reply, Services } from '../services.ts';
import { refuse } from './reply.ts';
import { runCommand, whyNot } from './run-command.ts';
import { scoreOf } from './score.ts';
import { syncFromCard } from './sync.ts';

/** What a button does. `inputs` are what people typed into the card: bounded text, never ids. */
export type CardActionHandler = {
  changes: boolean;
  run(
    action: CardAction,
    inputs: Record<string, string>,
    who: Caller,
    where: Place,
    services: Services,
  ): Promise<Reply>;
};

/** The buttons by their verb. Each is authorised again by today's roles and place (R10), like the typed command. */
const handlers: Record<string, CardActionHandler> = {
  score: { changes: false, run: onTenant({ kind: 'score', tenant: '' }, scoreOf) },
  sync: { changes: true, run: onTenant({ kind: 'sync', tenant: '' }, syncFromCard) },
  ranking: { changes: false, run: asCommand((page) => ({ kind: 'ranking', page })) },
  tenants: { changes: false, run: asCommand((page) => ({ kind: 'tenants', page })) },
  people: { changes: false, run: asCommand((page) => ({ kind: 'people', page })) },
  help: { changes: false, run: asCommand(() => ({ kind: 'help' })) },
};

/** Without a prototype: a verb like "constructor" is unknown, not a function. */
export const cardActions: Readonly<Record<string, CardActionHandler>> = Object.freeze(
  Object.assign(Object.create(null), handlers),
);

function asCommand(commandFor: (page: number) => Command): CardActionHandler['run'] {
  return async (action, _, who, where, services) => {
    const command = commandFor(pageOf(action.object));
    const reply = await runCommand(command, who, where, services);
    const refused = whyNot(rowOfCommand(command), who, where, services) !== null;
    return refused || command.kind === 'help' ? alone(reply) : reply;
  };
}

function onTenant(
  command: Command,
  run: (tenant: Tenant, who: Caller, where: Place, services: Services) => Promise<Reply>,
): CardActionHandler['run'] {
  return async (action, _, who, where, services) => {
    const refusal = whyNot(rowOfCommand(command), who, where, services);
    if (refusal?.kind === 'help') return alone(await runCommand({ kind: 'help' }, who, where, services));
    if (refusal !== null) return alone(refuse(where, refusal.say));
    const scope = scopeFor(who, where.audience, 'view', services.now());
    const tenants = await services.store.tenants.list(scope);
    const tenant = tenants.find(({ id }) => id === action.tenant);
    // Gone, out of scope, or not for this place any more: one answer for all three.
    if (tenant === undefined) return alone(refuse(where, 'This tenant is not available here any more.'));
    return await run(tenant, who, where, services);
  };
}

/** What one person may not, or may, is for that person: the card that others read stays as it is (R28). */
function alone(reply: Reply): Reply {
  return { ...reply, to: 'caller' };
}

/** A page number from signed data of an older card may be anything by now. */
function pageOf(object: string | undefined): number {
  return object !== undefined && /^[0-9]{1,6}$/.test(object) ? Math.max(1, Number(object)) : 1;
}
