import type { DefaultConversationState, DefaultTempState, DefaultUserState } from '@microsoft/teams-ai';
// Not the package's index: that reads its planners, models and tokenizers too, 3 MB that nobody here asks.
import { Application } from '@microsoft/teams-ai/lib/Application.js';
import { TurnState } from '@microsoft/teams-ai/lib/TurnState.js';
import { type Activity, CloudAdapter, type InvokeResponse, type TurnContext } from 'botbuilder';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { errorCode } from '../errors.ts';
import type { Services, SigningKeys } from '../services.ts';
import { parseActivity, type Turn } from './activity.ts';
import { openArrivals } from './arrivals.ts';
import type { Audiences } from './audience.ts';
import { openTokenCheck, type Refusal } from './authenticator.ts';
import type { CardSigner } from './card-data.ts';
import type { Connector } from './connector.ts';
import { activityKey, openSeen } from './dedup.ts';
import { type DoorAnswer, politeAnswer, withText } from './invoke.ts';
import type { Sender } from './sender.ts';
import { openStrangers } from './strangers.ts';
import { StrictAuthentication } from './strict-authentication.ts';
import type { Commands } from './turn-kit.ts';
import { openTurns } from './turns.ts';

export type DoorOptions = {
  services: Services;
  bot: {
    id: string;
    /** Home tenant or a connected one: whose activities are let in. */
    isAllowed(tenant: TenantId): Promise<boolean>;
  };
  keys: SigningKeys;
  issuer: string;
  allowedHosts: readonly string[];
  connector: Connector;
  audiences: Audiences;
  sender: Sender;
  cards: CardSigner;
  commands: Commands;
  /** Milliseconds since 1970, for the times of tokens, which keep real time. */
  nowMs?(): number;
  /** After this the request is answered while its turn goes on. */
  answerWithinMs?: number;
};

export type DoorRequest = { rawHeaders: readonly string[]; body: unknown };
export type Door = {
  /** One `POST /api/messages`; the body is JSON within the server's limits, still unknown. */
  handle(request: DoorRequest): Promise<DoorAnswer>;
  /** Resolves when every turn is done, or after `withinMs`. */
  idle(withinMs?: number): Promise<void>;
};

const turnKey = Symbol('turn');

/**
 * The bot's door: token, envelope, tenant, once only, then dispatch (design.md §3). The library takes the turn in and
 * finds its route; it authenticates by our rule, keeps no state, sends nothing and answers no invoke by itself.
 */
export function openDoor(options: DoorOptions): Door {
  const { services, bot } = options;
  const { log } = services;
  const nowMs = options.nowMs ?? Date.now;
  const answerWithinMs = options.answerWithinMs ?? 3000;
  const check = openTokenCheck({
    keys: options.keys,
    botId: bot.id,
    issuer: options.issuer,
    allowedHosts: options.allowedHosts,
  });
  const seen = openSeen();
  const arrivals = openArrivals({
    places: services.store.places,
    subscriptions: services.store.subscriptions,
    audiences: options.audiences,
    now: services.now,
  });
  const strangers = openStrangers({ audit: services.store.audit, connector: options.connector, log });
  const turns = openTurns({ ...options, arrivals, track });
  const adapter = new DoorAdapter(
    new StrictAuthentication(bot.id, (line, envelope) => check([line], envelope, nowMs())),
  );
  const application = openApplication();
  const running = new Set<Promise<unknown>>();
  const complain = openComplaints(services);

  /** teams-ai only dispatches: our handlers by kind of activity, one answer for every invoke. */
  function openApplication(): Application {
    const app = new Dispatcher({ removeRecipientMention: false, turnStateFactory: () => new NoState() });
    app.activity('message', async (context) => await turns.message(turnOf(context)));
    app.activity('installationUpdate', async (context) => await turns.arrival(turnOf(context)));
    app.activity('conversationUpdate', async (context) => await turns.arrival(turnOf(context)));
    app.addRoute(
      async (context) => context.activity.type === 'invoke',
      async (context) => {
        const turn = turnOf(context);
        const value = turn.name === 'adaptiveCard/action' ? await turns.click(turn) : politeAnswer(turn.name);
        await context.sendActivity({ type: 'invokeResponse', value });
      },
      true,
    );
    return app;
  }

  async function handle({ rawHeaders, body }: DoorRequest): Promise<DoorAnswer> {
    const lines = valuesOf(rawHeaders, 'authorization');
    const checked = await check(lines, typeof body === 'object' && body !== null ? body : {}, nowMs());
    if (checked.kind === 'refused') {
      complain(checked.why);
      return { status: checked.why === 'keys-unavailable' ? 503 : 401 };
    }
    const turn = parseActivity(body);
    if (turn === undefined) return { status: 400 };
    const { tenant } = turn;
    if (tenant === null || !(await bot.isAllowed(tenant))) return await strangers(turn);
    // What was not said to us is dropped unread.
    if (turn.type === 'message' && !isForUs(turn)) return { status: 200 };

    const key = turn.id === undefined ? undefined : activityKey(tenant, turn.conversation.id, turn.id);
    if (key !== undefined && !seen.first(key)) {
      return (await seen.answer(key)) ?? lateRepeat(turn);
    }
    const work = run(lines[0] ?? '', turn);
    track(work);
    if (turn.type !== 'invoke') {
      await firstOf(work, answerWithinMs);
      return { status: 200 };
    }
    if (key !== undefined) seen.keep(key, work);
    return await work;
  }

  function track(work: Promise<unknown>): void {
    running.add(work);
    const done = (): void => {
      running.delete(work);
    };
    work.then(done, done);
  }

  /** The turn through the library, which checks the token once more by the same rule. Never throws. */
  async function run(line: string, turn: Turn): Promise<DoorAnswer> {
    try {
      const answer = await adapter.run(line, asActivity(turn), async (context) => {
        context.turnState.set(turnKey, turn);
        await application.run(context);
      });
      return answer === undefined ? { status: 200 } : { status: answer.status, body: answer.body };
    } catch (error) {
      const problem = services.random().slice(0, 8);
      log.error({ problem, code: errorCode(error), kind: turn.type }, 'turn ended early');
      return { status: 200 };
    }
  }

  return {
    handle,
    async idle(withinMs = 5000) {
      await firstOf(Promise.allSettled([...running]), withinMs);
    },
  };
}

class DoorAdapter extends CloudAdapter {
  run(
    line: string,
    activity: Activity,
    logic: (context: TurnContext) => Promise<void>,
  ): Promise<InvokeResponse | undefined> {
    return this.processActivity(line, activity, logic);
  }
}

/** The library starts a typing timer for every message, one for all conversations, whatever its option says. */
class Dispatcher extends Application {
  override startTypingTimer(): void {
    // Typing is shown per turn, by typing.ts.
  }
}

/** Turn state is read-modify-write without merging (security.md §5.2): what the library wants to write is forgotten. */
class NoState extends TurnState {
  readonly #temp: DefaultTempState = {
    input: '',
    inputFiles: [],
    lastOutput: '',
    actionOutputs: {},
    authTokens: {},
  };
  override get temp(): DefaultTempState {
    return this.#temp;
  }
  override get user(): DefaultUserState {
    return {};
  }
  override get conversation(): DefaultConversationState {
    return {};
  }
  override async load(): Promise<boolean> {
    return false;
  }
  override async save(): Promise<void> {
    // Nothing was loaded.
  }
}

/** An invoke that comes again after its answer was forgotten: Teams wants one in the right shape all the same. */
function lateRepeat(turn: Turn): DoorAnswer {
  if (turn.type !== 'invoke') return { status: 200 };
  return turn.name === 'adaptiveCard/action'
    ? withText('That has been done already.')
    : politeAnswer(turn.name);
}

function turnOf(context: TurnContext): Turn {
  const turn: unknown = context.turnState.get(turnKey);
  if (turn === undefined) throw new Error('a turn without its activity');
  return turn as Turn;
}

/** Only what the library needs to find the route: the rest of the body never reaches it. */
function asActivity(turn: Turn): Activity {
  return {
    type: turn.type,
    id: turn.id,
    channelId: 'msteams',
    serviceUrl: turn.serviceUrl,
    name: turn.name,
    conversation: { id: turn.conversation.id },
    from: { id: turn.from?.id ?? '' },
    recipient: { id: turn.botId ?? '' },
  } as Activity;
}

function isForUs(turn: Turn): boolean {
  return turn.conversation.kind === 'personal' || turn.targeted || turn.mentions.some((one) => one.isBot);
}

function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() === name) values.push(rawHeaders[at + 1] ?? '');
  }
  return values;
}

/** A wrong setting shows itself here; a flood must not fill the log: one line a minute for each reason. */
function openComplaints(services: Services): (why: Refusal) => void {
  const last = new Map<Refusal, number>();
  return (why) => {
    const now = performance.now();
    if (now - (last.get(why) ?? Number.NEGATIVE_INFINITY) < 60_000) return;
    last.set(why, now);
    services.log.warn({ reason: why }, 'activity refused; more of the same kind are not logged for a minute');
  };
}

async function firstOf(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
