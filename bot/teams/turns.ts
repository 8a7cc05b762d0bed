import type { Caller } from '../../shared/access.ts';
import type { Command } from '../../shared/command.ts';
import type { Delivery, Reply, Services } from '../services.ts';
import type { Turn } from './activity.ts';
import { openAddresses } from './addresses.ts';
import { helloIn } from './arrivals.ts';
import { openClicks } from './clicks.ts';
import type { DoorAnswer } from './invoke.ts';
import {
  allowed,
  notHere,
  openTurnKit,
  outdated,
  type TurnParts,
  unknownAudience,
  unsigned,
} from './turn-kit.ts';
import { startTyping } from './typing.ts';

export type Turns = {
  message(turn: Turn): Promise<void>;
  click(turn: Turn): Promise<DoorAnswer>;
  arrival(turn: Turn): Promise<void>;
};

/** What happens in one turn once it is let in: who asks, where, what; then the handler, then the answer. */
export function openTurns(parts: TurnParts): Turns {
  const { services, sender, commands, arrivals } = parts;
  const kit = openTurnKit(parts);
  const { callerIn, placeOf, spotOf, isFirst, guarded, wentWrong, done, sayTo } = kit;
  const learnAddress = openAddresses(parts);

  async function message(turn: Turn): Promise<void> {
    const started = performance.now();
    const tenant = allowed(turn);
    const spot = spotOf(turn, tenant);
    let command: Command = { kind: 'help' };
    const typing = startTyping(() => sender.typing({ ...spot, audience: unknownAudience }));
    let who: Caller | null = null;
    let outcome = 'failed';
    try {
      command = commands.parseCommand(turn.text, turn.mentions);
      await arrivals.remember(turn, tenant);
      who = await callerIn(turn, tenant, spot);
      if (who === null) {
        outcome = 'unsigned';
        await typing.stop();
        await sayTo(spot, unsigned);
        return;
      }
      const person = who;
      if (commands.changesSomething(command) && !(await isFirst(turn, tenant))) {
        outcome = 'repeated';
        return;
      }
      const where = await placeOf(spot, person);
      const view = perTurn(typing.stop);
      const { reply, failed } = isOldSubmit(turn)
        ? { reply: { text: outdated, to: 'caller', tenants: [] } satisfies Reply, failed: false }
        : await guarded(turn, () => commands.runCommand(command, person, where, view));
      await typing.stop();
      const delivery = await sender.send(where, reply, person);
      if (delivery.kind === 'withheld' && reply.tenants.length > 0) await sayTo(spot, notHere);
      outcome = failed ? 'failed' : outcomeOf(delivery);
      learnAddress(spot, person);
    } catch (error) {
      // Before or after the handler, most likely the store: the person is told all the same.
      await typing.stop();
      await sayTo(spot, wentWrong(turn, error));
    } finally {
      await typing.stop();
      done(turn, who, command.kind, outcome, started);
    }
  }

  /** Services for one turn: what a handler sends by itself ends the typing sign, as the answer would. */
  function perTurn(stopTyping: () => Promise<void>): Services {
    const { deliver } = services;
    return {
      ...services,
      deliver: {
        typing: deliver.typing,
        post: deliver.post,
        async send(place, reply, who) {
          await stopTyping();
          return await deliver.send(place, reply, who);
        },
      },
    };
  }

  async function arrival(turn: Turn): Promise<void> {
    const started = performance.now();
    const tenant = allowed(turn);
    let outcome = 'failed';
    try {
      const asked = await arrivals.note(turn, tenant);
      outcome = asked.kind;
      if (asked.kind === 'nothing' || !(await arrivals.mayGreet(asked.conversationId))) return;
      const spot = { ...spotOf(turn, tenant), conversationId: asked.conversationId, targeted: false };
      if (spot.kind !== 'personal') {
        await sayTo(spot, helloIn(spot.kind, asked.by));
        return;
      }
      const who = await callerIn(turn, tenant, spot);
      if (who === null) return;
      const where = await placeOf(spot, who);
      const { reply } = await guarded(turn, () =>
        commands.runCommand({ kind: 'help' }, who, where, services),
      );
      outcome = outcomeOf(await sender.send(where, reply, who));
    } finally {
      done(turn, null, turn.type === 'installationUpdate' ? 'install' : 'update', outcome, started);
    }
  }

  return { message, click: openClicks(parts, kit), arrival };
}

/** A button of the old kind arrives as a message without text: none of our cards has one. */
function isOldSubmit(turn: Turn): boolean {
  return turn.text.trim() === '' && typeof turn.value === 'object' && turn.value !== null;
}

function outcomeOf(delivery: Delivery): string {
  return delivery.kind === 'sent' ? 'answered' : delivery.kind;
}
