import { type Caller, covers, scopeFor } from '../../shared/access.ts';
import { defaultThreshold, parseThreshold } from '../../shared/alerts/threshold.ts';
import type { Command } from '../../shared/command.ts';
import { rowOfCommand } from '../../shared/command-table.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { inAudit } from '../noted.ts';
import type { CardHandler, Place, Reply, Services } from '../services.ts';
import { acknowledgeFromCard } from './acknowledge.ts';
import { aboutHere } from './audit.ts';
import { connectOf } from './connect.ts';
import { healthOf } from './health.ts';
import { refuse } from './reply.ts';
import { runCommand, whyNot } from './run-command.ts';
import { scoreOf } from './score.ts';
import { syncFromCard } from './sync.ts';
import { thresholdFor } from './threshold.ts';
import { unwatchTenant } from './unwatch.ts';
import { watchTenant } from './watch.ts';

/** The buttons by their verb. Each is authorised again by today's roles and place (R10), like the typed command. */
const handlers: Record<string, CardHandler> = {
  score: { changes: false, run: onTenant({ kind: 'score', tenant: '' }, scoreOf) },
  health: { changes: false, run: onTenant({ kind: 'health', tenant: '', page: 1 }, healthOf) },
  connect: { changes: true, run: onTenant({ kind: 'connect', tenant: '' }, connectOf) },
  'health-of-all': { changes: false, run: asCommand((page) => ({ kind: 'health', tenant: '', page })) },
  sync: { changes: true, run: onTenant({ kind: 'sync', tenant: '' }, syncFromCard) },
  acknowledge: { changes: true, run: acknowledgeFromCard },
  watch: { changes: true, run: onTenant({ kind: 'watch', tenants: [] }, forAll(watchTenant)) },
  unwatch: { changes: true, run: onTenant({ kind: 'unwatch', tenants: [] }, forAll(unwatchTenant)) },
  threshold: {
    changes: true,
    run: onTenant({ kind: 'threshold', tenant: '', threshold: defaultThreshold }, forAll(chosenThreshold)),
  },
  watching: { changes: false, run: asCommand(() => ({ kind: 'watching' })) },
  ranking: { changes: false, run: asCommand((page) => ({ kind: 'ranking', page })) },
  tenants: { changes: false, run: asCommand((page) => ({ kind: 'tenants', page })) },
  people: { changes: false, run: asCommand((page) => ({ kind: 'people', page })) },
  help: { changes: false, run: asCommand(() => ({ kind: 'help' })) },
};

/** Without a prototype: a verb like "constructor" is unknown, not a function. */
export const cardActions: Readonly<Record<string, CardHandler>> = Object.freeze(
  Object.assign(
    Object.create(null),
    Object.fromEntries(Object.entries(handlers).map(([verb, handler]) => [verb, audited(verb, handler)])),
  ),
);

/** A button that may change something leaves an entry, whatever its handler does (R61). */
export function audited(verb: string, handler: CardHandler): CardHandler {
  if (!handler.changes) return handler;
  return {
    ...handler,
    run: async (action, inputs, who, where, services) => {
      const { tenant, object } = action;
      return await inAudit(
        {
          ...aboutHere(verb, who, where),
          ...(tenant === undefined ? {} : { tenant }),
          ...(object === undefined ? {} : { target: object }),
        },
        services,
        (inner) => handler.run(action, inputs, who, where, inner),
        (say) => alone(refuse(where, say)),
      );
    },
  };
}

function asCommand(commandFor: (page: number) => Command): CardHandler['run'] {
  return async (action, _, who, where, services) => {
    const command = commandFor(pageOf(action.object));
    const reply = await runCommand(command, who, where, services);
    const refused = (await whyNot(rowOfCommand(command), who, where, services)) !== null;
    if (refused || where.kind !== 'personal') return alone(reply);
    // A page takes the place of the page before; anything else leaves the answer above as it is.
    return action.object === undefined ? await asMessage(reply, who, where, services) : reply;
  };
}

type OfTenant = (
  tenant: Tenant,
  who: Caller,
  where: Place,
  services: Services,
  object?: string,
) => Promise<Reply>;

function onTenant(command: Command, run: OfTenant): CardHandler['run'] {
  return async (action, _, who, where, services) => {
    const refusal = await whyNot(rowOfCommand(command), who, where, services);
    if (refusal?.kind === 'help') return alone(await runCommand({ kind: 'help' }, who, where, services));
    const deny = async (detail: string): Promise<void> =>
      await services.store.audit.denied({
        ...aboutHere(rowOfCommand(command).name, who, where),
        ...{ result: 'refused', detail },
        ...(action.tenant === undefined ? {} : { target: action.tenant }),
      });
    if (refusal !== null) {
      await deny(refusal.detail);
      return alone(refuse(where, refusal.say));
    }
    const scope = scopeFor(who, where.audience, 'view', services.now());
    const tenants = await services.store.tenants.list(scope);
    const tenant = tenants.find(({ id }) => id === action.tenant);
    // Gone, out of scope, or not for this place any more: one answer for all three.
    if (tenant === undefined) {
      await deny('tenant not available here');
      return alone(refuse(where, 'This tenant is not available here any more.'));
    }
    const reply = await run(tenant, who, where, services, action.object);
    return where.kind === 'personal' ? reply : alone(reply);
  };
}

/** What a channel hears is told to the channel, as if it had been typed; a private wish and a refusal are not. */
function forAll(run: OfTenant): OfTenant {
  return async (tenant, who, where, services, object) => {
    const may = covers(scopeFor(who, where.audience, 'watch', services.now()), tenant.id);
    const reply = await run(tenant, who, where, services, object);
    return where.targeted || !may ? reply : await asMessage(reply, who, where, services);
  };
}

/** The threshold that was typed before the choice of a tenant. */
async function chosenThreshold(
  tenant: Tenant,
  who: Caller,
  where: Place,
  services: Services,
  object?: string,
): Promise<Reply> {
  const wanted = parseThreshold(object ?? '');
  if (wanted.kind === 'wrong') return refuse(where, wanted.say);
  return await thresholdFor(tenant, wanted.threshold, who, where, services);
}

/** In a message of its own; in place of the card when Teams does not take that. */
async function asMessage(reply: Reply, who: Caller, where: Place, services: Services): Promise<Reply> {
  const delivery = await services.deliver.send(where, reply, who);
  if (delivery.kind !== 'sent') return reply;
  return { text: 'The answer is below.', to: 'caller', tenants: [] };
}

/**
 * What one person looks at, may, or may not, is for that person: where others read along, the card stays as it was
 * posted (R28).
 */
function alone(reply: Reply): Reply {
  return { ...reply, to: 'caller' };
}

/** A page number from signed data of an older card may be anything by now. */
function pageOf(object: string | undefined): number {
  return object !== undefined && /^[0-9]{1,6}$/.test(object) ? Math.max(1, Number(object)) : 1;
}
