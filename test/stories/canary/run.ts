import { Pool } from 'undici';
import type { Post } from '../../sandbox/ledger.ts';
import {
  buttonsIn,
  type CardButton,
  followLedger,
  openActors,
  type Said,
  type Spot,
} from '../../support/actors.ts';
import { seeded } from '../../support/counts.ts';
import type { InProcess } from '../../support/in-process.ts';
import { poll } from '../../support/program.ts';
import type { Sandbox } from '../../support/sandbox.ts';
import type { Customer } from './customers.ts';
import { bare, type Judge, type Leak } from './judge.ts';
import {
  type Allowed,
  allows,
  both,
  either,
  type GrantFact,
  nothing,
  type PlaceFact,
  personSees,
  placeShows,
  seenThere,
} from './truth.ts';
import { bind, idOf, type Person, personal, type Room, tellRoster, type World } from './world.ts';

/**
 * A change in the last moment before a post arrives may be overtaken by it: between the gate and the wire stands only
 * the request itself. Slow turns are held much longer than this, so what they say is judged by the new state alone.
 */
const onTheWireMs = 1_000;
const heldMs = 2_500;
const atOnce = 24;

export type Outcome = {
  actions: number;
  posts: number;
  answers: number;
  /** Slow turns whose place or person was changed under them. */
  held: number;
  /** Rooms that belong to somebody else since an Admin typed so, with the code that was shown there. */
  boundByCommand: number;
  /** Somebody got more than the giver has. */
  escalations: string[];
  leaks: Leak[];
  /** Answers with a status of 500 or more, or a message that was not taken. */
  broken: string[];
  seconds: number;
};

type Card = { conversation: string; activityId: string; buttons: CardButton[] };
type Thread = { actors: Set<Person>; since: number };

/** Does `actions` random things, many at once, and judges everything that came out. */
export async function run(options: {
  sandbox: Sandbox;
  inside: InProcess;
  world: World;
  customers: readonly Customer[];
  judge: Judge;
  actions: number;
  heldRounds: number;
  seed: number;
}): Promise<Outcome> {
  const { sandbox, inside, world, customers, judge } = options;
  const { services } = inside;
  const { home, people, rooms } = world;
  const began = performance.now();
  const actors = await openActors(sandbox, inside.url, atOnce * 2);
  const api = new Pool(inside.url, { connections: atOnce });
  const ledger = await followLedger(sandbox);
  const outcome: Outcome = {
    ...{ actions: 0, posts: 0, answers: 0, held: 0, boundByCommand: 0, seconds: 0 },
    ...{ escalations: [], leaks: [], broken: [] },
  };
  const cards: Card[] = [];
  const threads = new Map<string, Thread>();
  const typedIn = new Map<string, Set<string>>();
  const recipients = new Map<string, Person>();
  /** Judged at the end: only then is it known when each change began to count. */
  const toJudge: (() => void)[] = [];
  /** Conversations in which something was answered. */
  const heard = new Set<string>();
  const busy = new Map<string, Promise<unknown>>();
  let threadsOfBinding = 0;
  const personals = new Map(people.map((one) => [personal(one).id, one]));
  const roomsById = new Map(rooms.map((one) => [one.id, one]));
  const byOid = new Map(people.map((one) => [one.oid, one]));
  // The last two Admins of all are the story's own: nobody takes anything from them.
  const [keeper, second] = people.filter((one) => one.grants.now().some(({ scope }) => scope === 'all'));
  if (keeper === undefined || second === undefined) throw new Error('the story needs two Admins');
  // Nor do others give anything to these two: what they have comes and goes in the middle of their turns.
  const nobodies = people.filter((one) => one.home && one.grants.now().length === 0).slice(0, 2);

  // ------------------------------------------------------------------------------------------ what is judged

  function noteTyped(where: Spot, text: string): void {
    const set = typedIn.get(where.id) ?? new Set<string>();
    typedIn.set(where.id, set);
    const said = text.replace(/^(score|sync|grant|revoke|watch|unwatch|threshold|bind)\s+|\s+3%$/gi, '');
    for (const part of [said, text, ...text.split(/[\s,[\]]+/), ...(text.match(/[^,[\]]+/g) ?? [])])
      if (bare(part) !== '') set.add(bare(part));
  }

  function own(person: Person, from: number, to: number): Allowed {
    return either(person.grants.during(from, to).map((grants) => personSees(person.tid, grants)));
  }

  /** What this person alone may be shown there, at some time between the two. His own tenant's id is his own. */
  function alone(person: Person, room: Room | undefined, from: number, to: number): Allowed {
    const sees = own(person, from, to);
    const there =
      room === undefined
        ? sees
        : either(room.facts.during(from, to).map((fact) => seenThere(fact, home, person.tid, sees)));
    return either([there, new Set([person.tid])]);
  }

  function notePost(post: Post): void {
    outcome.posts += 1;
    if (post.activity?.type === 'message') heard.add(post.conversation);
    if (post.targeted) recipientOf(post);
    toJudge.push(() => judgePost(post));
  }

  function judgePost(post: Post): void {
    const [root = '', thread] = post.conversation.split(';messageid=');
    const at = Date.parse(post.at);
    const from = at - onTheWireMs;
    const typed = typedIn.get(root) ?? new Set<string>();
    outcome.leaks.push(...judge.leaks(contentOf(post), allowedFor(), typed, `${post.kind} in ${root}`));

    function allowedFor(): Allowed {
      const person = personals.get(root);
      if (person !== undefined) return alone(person, undefined, from, at);
      const room = roomsById.get(root);
      if (room === undefined) return nothing;
      if (post.targeted) {
        const recipient = recipientOf(post);
        return recipient === undefined ? nothing : alone(recipient, room, from, at);
      }
      const shown = either(room.facts.during(from, at).map((fact) => placeShows(fact, home)));
      const asked = thread === undefined ? undefined : threads.get(post.conversation);
      if (asked === undefined) return shown;
      // A thread has its askers: nobody hears there what none of them may see.
      const askers = [...asked.actors].map((actor) => alone(actor, room, asked.since, at));
      return both(shown, either(askers));
    }
  }

  function recipientOf(post: Post): Person | undefined {
    const { recipient } = (post.activity ?? {}) as { recipient?: { id?: string } };
    const found = people.find((one) => one.teamsId === recipient?.id);
    if (found !== undefined) recipients.set(post.activityId, found);
    return found ?? recipients.get(post.activityId);
  }

  async function readLedger(): Promise<void> {
    for (const post of await ledger.more()) {
      notePost(post);
      const buttons = buttonsIn(post.activity?.attachments);
      if (buttons.length === 0 || post.kind === 'delete') continue;
      cards.push({ conversation: post.conversation, activityId: post.activityId, buttons });
      if (cards.length > 600) cards.splice(0, 100);
    }
  }

  /** An answer to one person alone, asked for at `from` and there at `to`. */
  function noteAnswer(
    content: unknown,
    who: Person,
    room: Room | undefined,
    asked: { from: number; to: number; what: string; typed?: Spot },
  ): void {
    outcome.answers += 1;
    toJudge.push(() => {
      const typed =
        (asked.typed === undefined ? undefined : typedIn.get(asked.typed.id)) ?? new Set<string>();
      const allowed = alone(who, room, asked.from, asked.to);
      outcome.leaks.push(...judge.leaks(content, allowed, typed, asked.what));
      const { figures } = (content ?? {}) as { figures?: { tenants: number } };
      const counted = figures?.tenants ?? 0;
      if (allowed !== 'all' && counted > allowed.size)
        outcome.leaks.push({
          tenant: 'how many',
          canary: String(counted),
          where: asked.what,
          text: 'figures',
        });
    });
  }

  // ------------------------------------------------------------------------------------------ what is done

  /** One after the other for the same thing: the story must know what came of each change. */
  async function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = busy.get(key) ?? Promise.resolve();
    const ours = before.then(work, work);
    busy.set(
      key,
      ours.catch(() => undefined),
    );
    return await ours;
  }

  async function say(who: Person, where: Spot, text: string, said: Said = {}): Promise<void> {
    noteTyped(where, text);
    if (said.thread !== undefined) joinThread(`${where.id};messageid=${said.thread}`, who);
    const { status } = await actors.say(who, where, text, said);
    if (status !== 200) outcome.broken.push(`${status} for ${text}`);
  }

  function joinThread(conversation: string, who: Person): void {
    const thread = threads.get(conversation) ?? { actors: new Set<Person>(), since: Date.now() };
    threads.set(conversation, thread);
    thread.actors.add(who);
  }

  /** Somebody and a conversation he is in. */
  function scene(random: () => number): { who: Person; where: Spot; room: Room | undefined } {
    const who = pick(people, random);
    if (random() < 0.45) return { who, where: personal(who), room: undefined };
    const mine = rooms.filter(
      (room) => !room.held && room.facts.now().members.some((one) => one.oid === who.oid),
    );
    const room = mine.length === 0 ? undefined : pick(mine, random);
    return { who, where: room ?? personal(who), room };
  }

  function saidIn(room: Room | undefined, index: number, random: () => number): Said {
    if (room === undefined) return {};
    if (random() < 0.15) return { targeted: true };
    return room.kind === 'channel' ? { thread: String(1_700_000_000_000 + index) } : {};
  }

  /** A name as people type one: whole, in part, misspelt, a domain, an id; of anybody, or of nobody. */
  function name(random: () => number): string {
    const customer = pick(customers, random);
    const word = customer.name.split(' ');
    const ways = [
      () => customer.name,
      () => customer.name.toUpperCase(),
      () => customer.domain,
      () => customer.second,
      () => customer.id,
      () => word[0] ?? '',
      () => word[1] ?? '',
      () => (word[1] ?? '').slice(0, 5),
      () => `${word[0]} ${(word[1] ?? '').slice(0, 4)}`,
      () => (word[1] ?? '').replace(/.$/, 'q'),
      () => `"${customer.name}"?`,
      () => `Zz${(word[1] ?? '').slice(2)}`,
    ];
    return pick(ways, random)();
  }

  async function click(index: number, random: () => number): Promise<void> {
    const card = cards[Math.floor(random() * cards.length)];
    if (card === undefined) return await askTab(index, random);
    const [root = ''] = card.conversation.split(';messageid=');
    const from = personals.get(root);
    const room = roomsById.get(root);
    const members = (room?.facts.now().members ?? []).flatMap((one) => byOid.get(one.oid) ?? []);
    const elsewhere = random() < 0.2;
    const there = scene(random);
    const who = elsewhere ? there.who : (from ?? (members.length > 0 ? pick(members, random) : there.who));
    const where: Spot = elsewhere
      ? there.where
      : room === undefined
        ? personal(who)
        : { ...room, id: card.conversation };
    const button = pick(card.buttons, random);
    const pressed = random() < 0.15 ? tampered(button, random) : button;
    const began = Date.now();
    if (where.id.includes(';messageid=')) joinThread(where.id, who);
    const { status, body } = await actors.click(who, where, pressed, card.activityId, {
      ...(random() < 0.1 && room !== undefined ? { targeted: true } : {}),
    });
    if (status !== 200) outcome.broken.push(`${status} for a click on ${button.verb}`);
    const place = roomsById.get(where.id.split(';')[0] ?? '');
    const what = `click ${index} on ${button.verb} by ${who.name}`;
    noteAnswer(body, who, place, { from: began, to: Date.now(), what, typed: place ?? personal(who) });
  }

  function tampered(button: CardButton, random: () => number): CardButton {
    const { wp } = (button.data ?? {}) as { wp?: Record<string, unknown> };
    const changes = [
      { tenant: pick(customers, random).id },
      { verb: 'score' },
      { mac: 'AAAA' },
      { object: '2' },
    ];
    return { ...button, data: { wp: { ...wp, ...pick(changes, random) } } };
  }

  async function askTab(index: number, random: () => number): Promise<void> {
    const who = pick(people, random);
    const customer = pick(customers, random);
    const paths = [
      '/api/tab/tenants',
      `/api/tab/tenants?q=${encodeURIComponent(customer.words[0] ?? '')}`,
      `/api/tab/tenants?show=${pick(['fell', 'attention', 'blind'], random)}`,
      `/api/tab/tenants/${customer.id}`,
      `/api/tab/tenants/${customer.id}`,
      `/api/tab/tenants/${customer.domain}`,
      '/api/tab/me',
    ];
    const path = pick(paths, random);
    const began = Date.now();
    const answer = await api.request({
      method: 'GET',
      path,
      headers: { authorization: `Bearer ${who.token}` },
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 500) outcome.broken.push(`${answer.statusCode} for ${path}: ${text}`);
    noteAnswer(JSON.parse(text), who, undefined, {
      ...{ from: began, to: Date.now() },
      what: `${index}: ${path} for ${who.name}`,
    });
  }

  async function changeGrants(index: number, random: () => number): Promise<void> {
    const who = random() < 0.7 ? pick(people.slice(0, 7), random) : pick(people, random);
    const target = pick(
      people.filter((one) => one !== keeper && one !== second && !nobodies.includes(one)),
      random,
    );
    // A chat of its own for each: a turn may outlive its request, and its answer says that it is done.
    const where: Spot = { ...personal(who), id: `a:grant-${index}` };
    personals.set(where.id, who);
    const role = pick(['admin', 'operator', 'reader', 'reader', 'customer'], random);
    const names = random() < 0.2 ? '' : ` [${[name(random), name(random)].join(', ')}]`;
    const text = random() < 0.5 ? `revoke ${target.oid}` : `grant ${target.oid} ${role}${names}`;
    await inTurn(`person ${target.oid}`, async () => {
      const began = Date.now();
      const before = target.grants.now();
      await say(who, where, text, { id: `grant-${index}` });
      await poll(
        () => heard.has(where.id),
        30_000,
        () => `${text} was not answered`,
      );
      const stored = await services.store.people.get(idOf(target.tid), target.oid);
      const after = (stored?.grants ?? []).map(
        ({ role: given, scope }): GrantFact => ({ role: given, scope }),
      );
      target.grants.set(after, began, Date.now());
      const done = Date.now();
      toJudge.push(() => {
        const givers = who.grants.during(began, done);
        for (const grant of after.slice(before.length))
          if (!givers.some((grants) => mayGive(grants, grant)))
            outcome.escalations.push(`${who.name} gave ${JSON.stringify(grant)} by ${text}`);
      });
      if (after.length > 0 || before.length === 0) return;
      // Who has lost all gets back what he had, so that there is something to see to the end.
      const again = Date.now();
      target.grants.set(before, again, Date.now());
      for (const [at, { role: had, scope }] of before.entries())
        await services.store.people.addGrant(idOf(target.tid), target.oid, target.name, {
          id: `back-${index}-${at}`,
          role: had,
          scope: scope === 'all' ? 'all' : scope.map(idOf),
          source: 'cli',
          by: 'the story',
          at: services.now(),
        });
    });
  }

  async function changeRoom(random: () => number): Promise<void> {
    const room = pick(
      rooms.filter((one) => !one.held && one.host === home),
      random,
    );
    await inTurn(room.id, async () => {
      const fact = room.facts.now();
      if (random() < 0.5) {
        const binding = pick<PlaceFact['binding']>(
          [
            'none',
            'internal',
            { customer: pick(customers, random).id },
            { customer: pick(customers, random).id },
          ],
          random,
        );
        const began = Date.now();
        const typed = random() < 0.4;
        if (typed) await bindByCommand(room, binding);
        else await bind(services, room, binding);
        // What was typed may be refused: to whom the room belongs is what the store says then.
        const now = typed ? await boundTo(room) : binding;
        if (typed && JSON.stringify(now) !== JSON.stringify(fact.binding)) outcome.boundByCommand += 1;
        room.facts.set({ ...fact, binding: now }, began, Date.now());
        return;
      }
      const guests = fact.members.filter((one) => one.tid !== home);
      const someone = pick(
        people.filter((one) => !one.home),
        random,
      );
      const leaves = guests.length > 0 && random() < 0.6;
      const members = leaves
        ? fact.members.filter((one) => one.tid === home)
        : [...fact.members, { oid: someone.oid, tid: someone.tid, userRole: 'guest' as const }];
      const began = Date.now();
      await tellRoster(sandbox, room, members);
      const gone = guests.map(({ oid }) => ({ id: `29:${oid}` }));
      await actors.tell(room, keeper as Person, {
        ...(leaves ? { membersRemoved: gone } : { membersAdded: [{ id: someone.teamsId }] }),
      });
      await poll(
        async () => {
          const row = await services.store.places.get(room.id);
          return row?.roster === undefined || Date.parse(row.roster.readAt) >= began;
        },
        30_000,
        () => `the list of members of ${room.id} was not dropped`,
      );
      room.facts.set({ ...fact, members }, began, Date.now());
    });
  }

  /** As an Admin does it in the room: the code that is shown there typed back, and by a second one where it takes two. */
  async function bindByCommand(room: Room, binding: PlaceFact['binding']): Promise<void> {
    const admin = keeper as Person;
    if (typeof binding !== 'object') {
      await answered(room, admin, binding === 'none' ? 'unbind' : 'bind internal');
      return;
    }
    const customer = customers.find(({ id }) => id === binding.customer);
    const shown = await answered(room, admin, `bind ${customer?.domain}`);
    const code = /bind ([A-Z2-9]{4}-[A-Z2-9]{4})/.exec(shown)?.[1];
    if (code === undefined) return;
    const said = await answered(room, admin, `bind ${code}`);
    if (said.includes('a second Admin')) await answered(room, second as Person, `bind ${code}`);
  }

  /** Says it in a thread of its own, where there are threads, and waits for the words of the answer. */
  async function answered(room: Room, who: Person, text: string): Promise<string> {
    threadsOfBinding += 1;
    const thread = String(1_500_000_000_000 + threadsOfBinding);
    const conversation = room.kind === 'channel' ? `${room.id};messageid=${thread}` : room.id;
    const before = (await sandbox.posts(`?conversation=${encodeURIComponent(conversation)}`)).length;
    await say(who, room, text, room.kind === 'channel' ? { thread } : {});
    let words = '';
    await poll(
      async () => {
        const posts = await sandbox.posts(`?conversation=${encodeURIComponent(conversation)}`);
        words = posts
          .slice(before)
          .map((one) => JSON.stringify(contentOf(one)))
          .join(' ');
        return /bind|bound|internal|belong|not valid|second Admin|role|Nothing|available/i.test(words);
      },
      30_000,
      () => `${text} was not answered in ${conversation}`,
    );
    return words;
  }

  async function boundTo(room: Room): Promise<PlaceFact['binding']> {
    const row = await services.store.places.get(room.id);
    if (row?.binding === undefined) return 'none';
    return row.binding.kind === 'internal' ? 'internal' : { customer: row.binding.tenant };
  }

  /** What a channel hears is set up by anybody, of anybody, anywhere: the confirmation names what it is about. */
  function hearing(random: () => number): string {
    return pick(
      [
        `watch ${name(random)}`,
        `watch ${name(random)}, ${name(random)}`,
        'watch all',
        'watching',
        `unwatch ${name(random)}`,
        'unwatch',
        `threshold ${name(random)} 3%`,
        // A code is shown, and nothing is bound: nobody types it back.
        `bind ${name(random)}`,
      ],
      random,
    );
  }

  async function act(index: number): Promise<void> {
    const random = seeded(options.seed * 7_919 + index);
    const dice = random();
    const { who, where, room } = scene(random);
    const said = saidIn(room, index, random);
    if (dice < 0.24) await say(who, where, `score ${name(random)}`, said);
    else if (dice < 0.3) await say(who, where, hearing(random), said);
    else if (dice < 0.37)
      await say(who, where, pick(['score', 'score page 2', 'score page 4'], random), said);
    else if (dice < 0.43)
      await say(who, where, pick(['tenants', 'tenants page 2', 'tenants page 9'], random), said);
    else if (dice < 0.47) await say(who, where, pick(['help', 'hi', name(random)], random), said);
    else if (dice < 0.51) await say(who, where, 'who am i', said);
    else if (dice < 0.55)
      await say(who, where, pick(['people', 'people page 2', 'people page 3'], random), said);
    else if (dice < 0.59) await changeGrants(index, random);
    else if (dice < 0.78) await click(index, random);
    else if (dice < 0.93) await askTab(index, random);
    else if (dice < 0.97) await changeRoom(random);
    else if (dice < 0.98) await say(who, where, `sync ${pick(customers.slice(0, 6), random).domain}`, said);
    else await say(who, where, `sync ${name(random)}`, { ...said, id: `sync-${index}` });
    outcome.actions += 1;
  }

  // ------------------------------------------------------------------------------------------ slow turns

  /** A sync is slow; while it runs the room is given to another customer: nothing more of the first may come. */
  async function holdRoom(room: Room, round: number): Promise<void> {
    const binding = room.facts.now().binding;
    const bound = customers.find((one) => typeof binding === 'object' && one.id === binding.customer);
    const other = customers[6 + ((round * 11 + rooms.indexOf(room) * 5) % (customers.length - 6))];
    if (bound === undefined || other === undefined || other === bound) return;
    await slowly(bound, async () => {
      const thread = String(1_600_000_000_000 + round * 100 + rooms.indexOf(room));
      const turn = say(
        keeper as Person,
        room,
        `sync ${bound.domain}`,
        room.kind === 'channel' ? { thread } : {},
      );
      if (!(await announced(turn, room.id, thread))) return false;
      const began = Date.now();
      await bind(services, room, { customer: other.id });
      room.facts.set({ ...room.facts.now(), binding: { customer: other.id } }, began, Date.now());
      await turn;
      return true;
    });
  }

  /** The same for a person whose grants go meanwhile. */
  async function holdPerson(person: Person, round: number): Promise<void> {
    const customer = customers[(round + 11) % customers.length];
    if (customer === undefined) return;
    const given = Date.now();
    await services.store.people.addGrant(idOf(person.tid), person.oid, person.name, {
      id: `held-${round}`,
      role: 'Operator',
      scope: [idOf(customer.id)],
      source: 'cli',
      by: 'the story',
      at: services.now(),
    });
    person.grants.set([{ role: 'Operator', scope: [customer.id] }], given, Date.now());
    await slowly(customer, async () => {
      const turn = say(person, personal(person), `sync ${customer.domain}`);
      const held = await announced(turn, personal(person).id);
      const began = Date.now();
      await services.store.people.removeGrants(idOf(person.tid), person.oid);
      person.grants.set([], began, Date.now());
      await turn;
      return held;
    });
  }

  async function slowly(customer: Customer, work: () => Promise<boolean>): Promise<void> {
    await inTurn(`sync ${customer.id}`, async () => {
      const delay = { path: '/organization', tenant: customer.id, delayMs: heldMs, times: 1 };
      await sandbox.control('POST', '/_sandbox/faults', delay);
      if (await work()) outcome.held += 1;
    });
  }

  /** True when a sync was announced; false when the turn ended without: somebody else had just had it read. */
  async function announced(turn: Promise<void>, conversation: string, thread?: string): Promise<boolean> {
    const since = Date.now();
    const ids = [conversation, `${conversation};messageid=${thread}`];
    let over = false;
    const ended = (): void => {
      over = true;
    };
    turn.then(ended, ended);
    let heard = false;
    await poll(
      async () => {
        const last = over;
        for (const id of ids) {
          const posts = await sandbox.posts(`?conversation=${encodeURIComponent(id)}`);
          if (
            posts.some(
              (one) => Date.parse(one.at) >= since - 500 && /Syncing/.test(String(one.activity?.text)),
            )
          )
            heard = true;
        }
        return heard || last;
      },
      10_000,
      () => `no sync was announced in ${conversation}`,
    );
    return heard;
  }

  // ------------------------------------------------------------------------------------------ all of it

  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < options.actions) {
      next += 1;
      await act(next);
    }
  };
  let reading = true;
  const reader = (async () => {
    while (reading) {
      await readLedger();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  const holding = [
    ...rooms
      .filter((one) => one.held)
      .map(async (room) => {
        for (let round = 0; round < options.heldRounds; round += 1) await holdRoom(room, round);
      }),
    ...nobodies.map(async (person, at) => {
      for (let round = 0; round < options.heldRounds; round += 1) await holdPerson(person, round * 2 + at);
    }),
  ];
  await Promise.all([...Array.from({ length: atOnce }, worker), ...holding]);
  await quiet();
  reading = false;
  await reader;
  await readLedger();
  for (const judged of toJudge) judged();
  await actors.close();
  await api.close();
  outcome.seconds = Math.round((performance.now() - began) / 100) / 10;
  return outcome;

  /** Turns that outlived their request: no more posts for a second and nothing left to sync. */
  async function quiet(): Promise<void> {
    let posts = -1;
    let since = performance.now();
    await poll(
      () => {
        if (outcome.posts !== posts) {
          posts = outcome.posts;
          since = performance.now();
        }
        return performance.now() - since > heldMs;
      },
      30_000,
      () => 'the bot does not come to rest',
    );
  }
}

function contentOf(post: Post): unknown {
  const { summary, text, attachments } = post.activity ?? {};
  return [summary, text, attachments];
}

function mayGive(grants: readonly GrantFact[], given: GrantFact): boolean {
  const admin = either(
    grants.filter(({ role }) => role === 'Admin').map(({ role, scope }) => personSees('', [{ role, scope }])),
  );
  if (given.scope === 'all') return admin === 'all';
  return given.scope.every((id) => allows(admin, id));
}

function pick<T>(all: readonly T[], random: () => number): T {
  const found = all[Math.floor(random() * all.length)];
  if (found === undefined) throw new Error('nothing to pick from');
  return found;
}
