import { Pool } from 'undici';
import type { Post } from '../../sandbox/ledger.ts';
import { followLedger, openActors, type Somebody, type Spot } from '../../support/actors.ts';
import { seeded } from '../../support/counts.ts';
import { type InProcess, openInProcess } from '../../support/in-process.ts';
import { newEncryptionKeys } from '../../support/production.ts';
import { poll } from '../../support/program.ts';
import type { Sandbox } from '../../support/sandbox.ts';
import { type Customer, canaryMaker, storeCustomers } from './customers.ts';
import { bind, idOf } from './world.ts';

export type Pairs = {
  asked: number;
  different: { asked: string; where: string; one: string; other: string }[];
  /** What the comparison says of an answer that must differ. */
  control: 'same' | 'differs';
  seconds: number;
};

type Question = { who: Somebody; where: 'personal' | 'customer' | 'tab'; text: string };

/**
 * The same question in two worlds: in one a customer exists that the asker may not see, in the other it does not
 * exist at all. Everything a person could read must be the same to the byte (R23).
 */
export async function askBoth(options: {
  sandbox: Sandbox;
  customers: readonly Customer[];
  count: number;
  random: () => number;
}): Promise<Pairs> {
  const { sandbox, customers, random } = options;
  const began = performance.now();
  const home = sandbox.info.apps.bot.tenantId;
  const visible = customers.slice(0, 5);
  const foreign = customers.slice(5);
  const env = { ENCRYPTION_KEYS: newEncryptionKeys() };
  const full = await openInProcess(sandbox, { env });
  const bare = await openInProcess(sandbox, { env });
  const worlds = [full, bare];
  try {
    // The customers that are seen are the same in both, word for word.
    for (const { services } of worlds) await storeCustomers(services, visible, canaryMaker(seeded(7)));
    await storeCustomers(full.services, foreign, canaryMaker(seeded(8)));
    const roles = ['Reader', 'Operator', 'Admin'] as const;
    const people = roles.map((role, at): Somebody & { role: string } => {
      const oid = `00000000-0000-4000-8000-00000000000${at}`;
      return { oid, tid: home, teamsId: `29:${oid}`, name: `${role} of five`, role };
    });
    const everything = {
      oid: '00000000-0000-4000-8000-000000000009',
      tid: home,
      teamsId: '29:all',
      name: 'Admin of all',
    };
    for (const { services } of worlds) {
      const given = { source: 'cli' as const, by: 'the story', at: services.now() };
      for (const [at, role] of roles.entries())
        await services.store.people.addGrant(idOf(home), people[at]?.oid ?? '', role, {
          ...given,
          id: role,
          role,
          scope: visible.map(({ id }) => idOf(id)),
        });
      await services.store.people.addGrant(idOf(home), everything.oid, 'all', {
        ...given,
        id: 'all',
        role: 'Admin',
        scope: 'all',
      });
    }

    const questions = Array.from({ length: options.count }, (_, at): Question => {
      const said = name(foreign, random);
      const [reader, operator, admin] = people;
      const kinds: Question[] = [
        { who: reader as Somebody, where: 'personal', text: `score ${said}` },
        { who: operator as Somebody, where: 'personal', text: `sync ${said}` },
        { who: admin as Somebody, where: 'personal', text: `grant ${reader?.oid} reader [${said}]` },
        // Who may see everything asks where only one customer may be shown.
        { who: everything, where: 'customer', text: `score ${said}` },
        { who: reader as Somebody, where: 'tab', text: foreign[at % foreign.length]?.id ?? '' },
      ];
      return kinds[at % kinds.length] as Question;
    });
    const answers = await Promise.all(worlds.map((world, at) => askAll(world, at, questions)));
    const different = questions.flatMap(({ text, where }, at) => {
      const [one = 'nothing', other = 'nothing'] = answers.map((all) => all[at]);
      const silent = one === '' || one === 'nothing';
      return one === other && !silent ? [] : [{ asked: text, where, one, other }];
    });
    const seen: Question = { who: everything, where: 'personal', text: `score ${foreign[0]?.name}` };
    const [there, notThere] = await Promise.all(worlds.map((world, at) => askAll(world, at + 2, [seen])));
    return {
      asked: questions.length,
      different,
      control: there?.[0] === notThere?.[0] ? 'same' : 'differs',
      seconds: Math.round((performance.now() - began) / 100) / 10,
    };
  } finally {
    await Promise.all(worlds.map((world) => world.close()));
  }

  /** Each question in a conversation of its own, so that its answer is known by it. */
  async function askAll(world: InProcess, series: number, questions: Question[]): Promise<string[]> {
    const actors = await openActors(sandbox, world.url, 16);
    const api = new Pool(world.url, { connections: 8 });
    const ledger = await followLedger(sandbox);
    const answers: string[] = [];
    const spots = questions.map(({ who, where }, at): Spot => {
      const id = `${series}-${at}`;
      return where === 'customer'
        ? { id: `19:pair-${id}@thread.v2`, kind: 'groupChat', host: home }
        : { id: `a:pair-${id}-${who.oid}`, kind: 'personal', host: home };
    });
    const byConversation = new Map(spots.map((spot, at) => [spot.id, at]));
    const tokens = new Map<string, string>();
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < questions.length) {
        const at = next++;
        const { who, where, text } = questions[at] as Question;
        const spot = spots[at] as Spot;
        if (where === 'tab') {
          answers[at] = await askTab(who, text);
          continue;
        }
        if (where === 'customer') {
          const { id: conversationId, kind } = spot;
          const serviceUrl = 'https://smba.trafficmanager.net/emea/';
          const seenAt = world.services.now();
          await world.services.store.places.save({
            conversationId,
            kind,
            serviceUrl,
            hostTenantId: idOf(home),
            seenAt,
          });
          await bind(world.services, spot, { customer: visible[0]?.id ?? '' });
        }
        await actors.say(who, spot, text);
      }
    };
    async function askTab(who: Somebody, id: string): Promise<string> {
      const token =
        tokens.get(who.oid) ??
        (await sandbox.token({ for: 'tab', claims: { oid: who.oid, tid: who.tid, name: who.name } }));
      tokens.set(who.oid, token);
      const answer = await api.request({
        method: 'GET',
        path: `/api/tab/tenants/${id}`,
        headers: { authorization: `Bearer ${token}` },
      });
      const { id: _, ...problem } = (await answer.body.json()) as Record<string, unknown>;
      return JSON.stringify({ status: answer.statusCode, problem });
    }
    await Promise.all(Array.from({ length: 8 }, worker));
    await poll(
      async () => {
        for (const post of await ledger.more()) {
          const at = byConversation.get(post.conversation);
          if (at !== undefined && post.activity?.type === 'message')
            answers[at] = read(post, spots[at] as Spot);
        }
        return questions.every((_, at) => answers[at] !== undefined);
      },
      20_000,
      () => 'some questions were not answered',
    );
    await actors.close();
    await api.close();
    return answers;
  }
}

/** A post as a person gets it: without the conversation's name, and without what signs its buttons. */
function read(post: Post, spot: Spot): string {
  const { conversation: _, id: __, ...activity } = post.activity ?? {};
  return JSON.stringify(activity, (name, value) =>
    ['mac', 'binding', 'exp', 'kid'].includes(name) ? undefined : value,
  ).replaceAll(spot.id, '');
}

function name(foreign: readonly Customer[], random: () => number): string {
  const customer = foreign[Math.floor(random() * foreign.length)];
  if (customer === undefined) throw new Error('no foreign customer');
  const [, word = ''] = customer.name.split(' ');
  const cut = 3 + Math.floor(random() * (word.length - 3));
  const ways = [
    customer.name,
    customer.name.toLowerCase(),
    customer.domain,
    customer.second,
    customer.id,
    word,
    word.slice(0, cut),
    `${word.slice(0, cut)}x${word.slice(cut + 1)}`,
    customer.domain.slice(0, -2),
  ];
  return ways[Math.floor(random() * ways.length)] ?? customer.name;
}
