import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Post } from '../../sandbox/ledger.ts';
import {
  type Actors,
  buttonsIn,
  openActors,
  personalWith,
  type Somebody,
  type Spot,
  wordsOf,
} from '../../support/actors.ts';
import { addCustomer, connect, newEncryptionKeys, type SandboxCustomer } from '../../support/production.ts';
import { type Program, poll, startProgram } from '../../support/program.ts';
import { type Sandbox, startSandbox } from '../../support/sandbox.ts';

/** What a post tells of a finding, as the ledger has it. */
export type Told = { id: string; generation: number; transition: string; post: Post; words: string };

/**
 * A security operations centre: production Watchpost with every check on, its customers, an Admin (Ana), an Operator
 * (Bo), and channels of theirs. The sandbox's ledger is the only judge of what arrived.
 */
export type Soc = {
  sandbox: Sandbox;
  ana: Somebody;
  bo: Somebody;
  eli: Somebody;
  program(): Program;
  channel(name: string, members?: object[]): Promise<Spot>;
  /** Says something and waits for the post in that conversation that fits; its words. */
  ask(who: Somebody, where: Spot, text: string, fits: RegExp): Promise<string>;
  connect(name: string): Promise<SandboxCustomer>;
  /** What Microsoft says of a customer's next day, and a sync that reads it. */
  score(customer: SandboxCustomer, call: object): Promise<void>;
  sync(customer: SandboxCustomer): Promise<string>;
  /** Everything told in a conversation, oldest first; updates and notes too. */
  told(where: Spot, kind?: Post['kind']): Promise<Told[]>;
  /** Waits until something is told there that fits. */
  hears(where: Spot, fits: (told: Told) => boolean, ms?: number): Promise<Told>;
  press(who: Somebody, where: Spot, post: Post, title: RegExp): Promise<string>;
  tell(where: Spot, who: Somebody, event: Record<string, unknown>): Promise<void>;
  kill(): Promise<void>;
  start(): Promise<void>;
  end(): Promise<void>;
};

export async function openSoc(): Promise<Soc> {
  const folder = await mkdtemp(join(tmpdir(), 'wp-soc-'));
  const env = { ENCRYPTION_KEYS: newEncryptionKeys() };
  const sandbox = await startSandbox({ empty: true });
  // People ask faster here than they do in life; what news keeps to is proved where it is sent.
  await sandbox.control('POST', '/_sandbox/limits', { off: true });

  const somebody = (first: string): Somebody => {
    const found = sandbox.info.people.find((one) => one.name.startsWith(first));
    if (found === undefined) throw new Error(`nobody is called ${first}`);
    return { oid: found.oid, tid: found.tenantId, teamsId: found.teamsId, name: found.name };
  };
  const [ana, bo, eli] = [somebody('Ana'), somebody('Bo'), somebody('Eli')];

  let program: Program = await startProgram({ sandbox, folder, env });
  let actors: Actors = await openActors(sandbox, program.url);

  async function start(): Promise<void> {
    program = await startProgram({ sandbox, folder, env });
    actors = await openActors(sandbox, program.url);
  }

  async function posts(where: Spot, after = 0): Promise<Post[]> {
    const found: Post[] = [];
    for (let from = after; ; ) {
      const page = await sandbox.posts(`?after=${from}&limit=500`);
      found.push(...page.filter((one) => one.conversation.split(';', 1)[0] === where.id));
      from = page.at(-1)?.seq ?? from;
      if (page.length < 500) return found;
    }
  }

  async function ask(who: Somebody, where: Spot, text: string, fits: RegExp): Promise<string> {
    const last = (await sandbox.posts('?limit=1')).at(-1)?.seq ?? 0;
    const answered = await actors.say(who, where, text);
    if (answered.status !== 200) throw new Error(`"${text}" was answered with ${answered.status}`);
    let heard = '';
    return await poll(
      async () => {
        const words = (await posts(where, last)).map(wordsOf);
        heard = words.join('\n');
        return words.find((one) => fits.test(one));
      },
      40_000,
      () => `"${text}" was not answered with ${fits}:\n${heard}`,
    );
  }

  async function told(where: Spot, kind?: Post['kind']): Promise<Told[]> {
    return (await posts(where)).flatMap((post) => {
      if (kind !== undefined && post.kind !== kind) return [];
      return findingsIn(post).map((one) => ({ ...one, post, words: wordsOf(post) }));
    });
  }

  const [, code = ''] = await program.said(/claim ([A-Z0-9]{4}-[A-Z0-9]{4})/);
  await ask(ana, personalWith(ana), `claim ${code}`, /You are an Admin now/);

  const soc: Soc = {
    ...{ sandbox, ana, bo, eli, ask, told, start },
    program: () => program,
    async channel(name, members) {
      const spot: Spot = { id: `19:${name}@thread.tacv2`, kind: 'channel', host: ana.tid };
      const roster = members === undefined ? {} : { members };
      await sandbox.control('POST', '/_sandbox/conversations', { id: spot.id, kind: 'channel', ...roster });
      return spot;
    },
    async connect(name) {
      const customer = await addCustomer(sandbox, name, `${name.toLowerCase().replaceAll(' ', '-')}.example`);
      const { code: done } = await connect(program, customer);
      if (done !== 0) throw new Error(`${name} could not be connected`);
      return customer;
    },
    async score(customer, call) {
      await sandbox.control('POST', `/_sandbox/tenants/${customer.domain}/score`, call);
    },
    async sync(customer) {
      return await ask(
        bo,
        personalWith(bo),
        `sync "${customer.name}"`,
        new RegExp(`${customer.name}[\\s\\S]*(is synced|could not)`),
      );
    },
    async hears(where, fits, ms = 60_000) {
      let all: Told[] = [];
      return await poll(
        async () => {
          all = await told(where);
          return all.find(fits);
        },
        ms,
        () =>
          `not heard in ${where.id}; told were:\n${all.map(({ transition, words }) => `${transition}: ${words}`).join('\n')}`,
      );
    },
    async press(who, where, post, title) {
      const button = buttonsIn(post.activity).find((one) => title.test(one.title));
      if (button === undefined) throw new Error(`no button ${title} on: ${wordsOf(post)}`);
      const { body } = await actors.click(who, where, button, post.activityId);
      return JSON.stringify(body);
    },
    async tell(where, who, event) {
      const { status } = await actors.tell(where, who, event);
      if (status !== 200) throw new Error(`an event was answered with ${status}`);
    },
    async kill() {
      await actors.close();
      await program.kill();
    },
    async end() {
      await actors.close().catch(() => undefined);
      await program.end();
      await sandbox.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  const staff = await soc.channel('staff');
  await actors.say(ana, staff, `grant <at>${bo.name}</at> operator`, { mentions: [bo] });
  await ask(bo, personalWith(bo), 'who am i', /Operator/);
  return soc;
}

function findingsIn(post: Post): { id: string; generation: number; transition: string }[] {
  const data = post.activity?.channelData as
    | { watchpost?: { findings?: { id: string; generation: number; transition: string }[] } }
    | undefined;
  return data?.watchpost?.findings ?? [];
}
