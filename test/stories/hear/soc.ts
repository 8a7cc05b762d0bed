import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseKeyring } from '../../../bot/secrets.ts';
import type { Store } from '../../../bot/services.ts';
import { collections } from '../../../bot/store/collections.ts';
import type { Engine } from '../../../bot/store/engine/collection.ts';
import { storeOver } from '../../../bot/store/open.ts';
import type { Post } from '../../sandbox/ledger.ts';
import { type Backend, embedded } from '../../store/backends.ts';
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

/** What a post tells of a finding, as the ledger has it; `repeated`: it says itself that it may be one. */
export type Told = {
  id: string;
  generation: number;
  transition: string;
  post: Post;
  words: string;
  repeated: boolean;
};

export type SocOptions = {
  /** Default: the embedded engine. */
  backend?: Backend;
  /** Teams' published limits hold; default: they are off. */
  limits?: boolean;
  /** Modules to preload and settings, for every process. */
  preload?: string[];
  env?: Record<string, string>;
};

/**
 * A security operations centre: production Watchpost with every check on, its customers, an Admin (Ana), an Operator
 * (Bo), and channels of theirs. The sandbox's ledger is the only judge of what arrived.
 */
export type Soc = {
  sandbox: Sandbox;
  ana: Somebody;
  bo: Somebody;
  eli: Somebody;
  /** The database as it is, and the same as Watchpost sees it. */
  engine: Engine;
  store: Store;
  /** Of several processes over one database the `at`-th; so everywhere below. */
  program(at?: number): Program;
  instanceId(at: number): Promise<string>;
  channel(name: string, members?: object[]): Promise<Spot>;
  /** Says something and waits for the post in that conversation that fits; its words. */
  ask(who: Somebody, where: Spot, text: string, fits: RegExp): Promise<string>;
  connect(name: string): Promise<SandboxCustomer>;
  /** What Microsoft says of a customer's next day, and a sync that reads it. */
  score(customer: SandboxCustomer, call: object): Promise<void>;
  /** Says something; what comes of it is not waited for. */
  say(who: Somebody, where: Spot, text: string, at?: number): void;
  sync(customer: SandboxCustomer): Promise<string>;
  /** Everything told in a conversation, oldest first; updates and notes too. */
  told(where: Spot, kind?: Post['kind']): Promise<Told[]>;
  /** Waits until something is told there that fits. */
  hears(where: Spot, fits: (told: Told) => boolean, ms?: number): Promise<Told>;
  press(who: Somebody, where: Spot, post: Post, title: RegExp, at?: number): Promise<string>;
  tell(where: Spot, who: Somebody, event: Record<string, unknown>): Promise<void>;
  kill(at?: number): Promise<void>;
  /** Starts a process that is not there, in the folder it had; with settings of its own. */
  start(at?: number, env?: Record<string, string>): Promise<void>;
  end(): Promise<void>;
};

type Instance = { folder: string; program: Program; actors: Actors };

export async function openSoc(options: SocOptions = {}): Promise<Soc> {
  const keys = newEncryptionKeys();
  const database = await (options.backend ?? embedded).fresh();
  const { where: place } = database;
  const engine = await database.engine(collections);
  const store = storeOver(engine, { instanceId: 'the-story', keyring: parseKeyring(keys) });
  const folders: string[] = [];
  const sandbox = await startSandbox({ empty: true });
  // People ask faster here than they do in life; what news keeps to is proved where it is sent.
  if (options.limits !== true) await sandbox.control('POST', '/_sandbox/limits', { off: true });

  const somebody = (first: string): Somebody => {
    const found = sandbox.info.people.find((one) => one.name.startsWith(first));
    if (found === undefined) throw new Error(`nobody is called ${first}`);
    return { oid: found.oid, tid: found.tenantId, teamsId: found.teamsId, name: found.name };
  };
  const [ana, bo, eli] = [somebody('Ana'), somebody('Bo'), somebody('Eli')];
  const instances: Instance[] = [];

  async function start(at = 0, env: Record<string, string> = {}): Promise<void> {
    folders[at] ??= await mkdtemp(join(tmpdir(), 'wp-soc-'));
    const folder = folders[at];
    const program = await startProgram({
      ...{ sandbox, folder },
      ...(options.preload === undefined ? {} : { preload: options.preload }),
      env: {
        ENCRYPTION_KEYS: keys,
        ...(place.kind === 'mongo' ? { MONGODB_URI: place.uri } : {}),
        ...options.env,
        ...env,
      },
    });
    await instances[at]?.actors.close().catch(() => undefined);
    instances[at] = { folder, program, actors: await openActors(sandbox, program.url) };
  }

  function instance(at = 0): Instance {
    const found = instances[at];
    if (found === undefined) throw new Error(`there is no process ${at}`);
    return found;
  }

  if (place.kind === 'embedded') folders.push(place.folder);
  await start();
  const { program } = instance();

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
    const answered = await instance().actors.say(who, where, text);
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
    ...{ sandbox, engine, store, ana, bo, eli, ask, told, start },
    program: (at) => instance(at).program,
    instanceId: async (at) => (await readFile(join(instance(at).folder, 'instance-id'), 'utf8')).trim(),
    async channel(name, members) {
      const spot: Spot = { id: `19:${name}@thread.tacv2`, kind: 'channel', host: ana.tid };
      const roster = members === undefined ? {} : { members };
      await sandbox.control('POST', '/_sandbox/conversations', { id: spot.id, kind: 'channel', ...roster });
      return spot;
    },
    async connect(name) {
      const customer = await addCustomer(sandbox, name, `${name.toLowerCase().replaceAll(' ', '-')}.example`);
      const { code: done } = await connect(instance().program, customer);
      if (done !== 0) throw new Error(`${name} could not be connected`);
      return customer;
    },
    async score(customer, call) {
      await sandbox.control('POST', `/_sandbox/tenants/${customer.domain}/score`, call);
    },
    say(who, where, text, at) {
      // The one who answers may be killed meanwhile.
      instance(at)
        .actors.say(who, where, text)
        .catch(() => undefined);
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
    async press(who, where, post, title, at) {
      const button = buttonsIn(post.activity).find((one) => title.test(one.title));
      if (button === undefined) throw new Error(`no button ${title} on: ${wordsOf(post)}`);
      const { body } = await instance(at).actors.click(who, where, button, post.activityId);
      return JSON.stringify(body);
    },
    async tell(where, who, event) {
      const { status } = await instance().actors.tell(where, who, event);
      if (status !== 200) throw new Error(`an event was answered with ${status}`);
    },
    async kill(at) {
      const { actors, program } = instance(at);
      await actors.close();
      await program.kill();
    },
    async end() {
      for (const { actors, program } of instances) {
        await actors.close().catch(() => undefined);
        await program.end();
      }
      await sandbox.stop();
      await database.end();
      for (const folder of folders) await rm(folder, { recursive: true, force: true });
    },
  };
  const staff = await soc.channel('staff');
  await instance().actors.say(ana, staff, `grant <at>${bo.name}</at> operator`, { mentions: [bo] });
  await ask(bo, personalWith(bo), 'who am i', /Operator/);
  return soc;
}

function findingsIn(post: Post): Omit<Told, 'post' | 'words'>[] {
  const data = post.activity?.channelData as
    | { watchpost?: { findings?: Omit<Told, 'post' | 'words' | 'repeated'>[]; repeated?: boolean } }
    | undefined;
  const repeated = data?.watchpost?.repeated === true;
  return (data?.watchpost?.findings ?? []).map((one) => ({ ...one, repeated }));
}
