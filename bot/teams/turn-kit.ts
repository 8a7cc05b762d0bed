import { type Caller, callerOf } from '../../shared/access.ts';
import type { Command, Mention } from '../../shared/command.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { errorCode } from '../errors.ts';
import type { CardHandler, Place, Reply, Services } from '../services.ts';
import type { Turn } from './activity.ts';
import type { openArrivals } from './arrivals.ts';
import type { Audiences } from './audience.ts';
import type { CardSigner } from './card-data.ts';
import { activityKey } from './dedup.ts';
import type { Sender } from './sender.ts';

/** The handlers the door dispatches to. */
export type Commands = {
  parseCommand(text: string, mentions: readonly Mention[]): Command;
  runCommand(command: Command, who: Caller, where: Place, services: Services): Promise<Reply>;
  /** Such a command is done once, however often it is delivered, over all instances. */
  changesSomething(command: Command): boolean;
  cardActions: Readonly<Record<string, CardHandler>>;
};
/** What turns are made with. */
export type TurnParts = {
  services: Services;
  audiences: Audiences;
  sender: Sender;
  cards: CardSigner;
  commands: Commands;
  arrivals: ReturnType<typeof openArrivals>;
  /** Hears of work that outlives its request, so that a graceful stop can wait for it. */
  track(work: Promise<unknown>): void;
};

/** A conversation before its audience is known. */
export type Spot = Omit<Place, 'audience'>;

export const unsigned = 'Watchpost answers people who are signed in to Microsoft 365 only.';
export const outdated =
  'This card is from another time or place and no longer answers. Ask again to get a fresh one.';
export const notHere = 'That is not available here. With help I say what is.';
export const unknownAudience = { kind: 'unbound' as const, why: 'not asked' };

export type TurnKit = ReturnType<typeof openTurnKit>;

/** What every kind of turn needs: who asks, where, once only, told when it fails, one line in the log. */
export function openTurnKit({ services, audiences, sender }: TurnParts) {
  const { store, log, metrics, settings } = services;

  /** The person as the store knows them; a guest or foreign member belongs to the tenant Teams lists them with. */
  async function callerIn(turn: Turn, tenant: TenantId, where: Spot): Promise<Caller | null> {
    const { from } = turn;
    if (from?.oid === undefined) return null;
    const listed = where.kind === 'personal' ? tenant : await audiences.tenantOf(where, from.oid);
    const tid = listed ?? tenant;
    // Whose tenant Teams does not tell is answered, but not remembered as a person of the conversation's tenant: a role
    // given by object id would be given to somebody who does not exist there.
    if (listed !== undefined) {
      await store.people.seen({ tid, oid: from.oid, name: from.name, teamsId: from.id });
    }
    const known = await store.people.get(tid, from.oid);
    return callerOf(known, { tid, oid: from.oid, name: from.name }, settings.homeTenantId);
  }

  async function placeOf(spot: Spot, who: Caller): Promise<Place> {
    return spot.kind === 'personal'
      ? { ...spot, audience: { kind: 'personal', oid: who.oid, tid: who.tid } }
      : { ...spot, audience: await audiences.of(spot) };
  }

  function spotOf(turn: Turn, tenant: TenantId): Spot {
    return {
      kind: turn.conversation.kind,
      conversationId: turn.conversation.id,
      serviceUrl: turn.serviceUrl,
      hostTenantId: tenant,
      targeted: turn.targeted,
      personTeamsId: turn.from?.id ?? '',
    };
  }

  async function isFirst(turn: Turn, tenant: TenantId): Promise<boolean> {
    return await store.inbound.firstTime(activityKey(tenant, turn.conversation.id, turn.id ?? ''));
  }

  /** Runs a handler; a failure becomes a sentence with an id that is in the log, never a message of internals. */
  async function guarded(turn: Turn, work: () => Promise<Reply>): Promise<{ reply: Reply; failed: boolean }> {
    try {
      return { reply: await work(), failed: false };
    } catch (error) {
      return { reply: { text: wentWrong(turn, error), to: 'caller', tenants: [] }, failed: true };
    }
  }

  function wentWrong(turn: Turn, error: unknown): string {
    const problem = services.random().slice(0, 8);
    log.error({ problem, code: errorCode(error), kind: turn.type }, 'turn failed');
    return `Something went wrong on our side. Please try again; if it happens again, tell an Admin problem ${problem}.`;
  }

  function done(turn: Turn, who: Caller | null, kind: string, outcome: string, started: number): void {
    const ms = Math.round(performance.now() - started);
    metrics.turn(kind, outcome, ms);
    const person = who === null ? undefined : who.oid;
    log.info({ kind: turn.type, command: kind, outcome, ms, person, activity: turn.id }, 'turn');
  }

  async function sayTo(spot: Spot, text: string): Promise<void> {
    const nobody = callerOf(null, { tid: spot.hostTenantId, oid: '', name: '' }, settings.homeTenantId);
    await sender.send(
      { ...spot, audience: unknownAudience },
      { text, to: 'conversation', tenants: [] },
      nobody,
    );
  }

  return { callerIn, placeOf, spotOf, isFirst, guarded, wentWrong, done, sayTo };
}

/** The tenant of a turn that was let in. */
export function allowed(turn: Turn): TenantId {
  if (turn.tenant === null) throw new Error('a turn without a tenant was let in');
  return turn.tenant;
}
