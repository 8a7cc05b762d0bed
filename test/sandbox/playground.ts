import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { request } from 'undici';
import { stringify } from 'yaml';
import { demoHome, demoPeople } from '../../bot/cast.ts';
import { serviceUrl } from './bot-keys.ts';
import type { PassOn } from './connector.ts';
import { rootOf } from './connector-words.ts';
import type { Answer, Call } from './http.ts';
import { botName } from './relay.ts';
import { type Conversation, extra, homeMembers, type State } from './state.ts';

export type Playground = { url: string; passOn: PassOn; stop(): Promise<void> };

/** The Playground's conversations, with ids as Teams writes them, the same at every start. */
export const playgroundPlaces = {
  personal: 'a:1demoPersonalChatOfWatchpost',
  group: '19:demo-group-chat@thread.v2',
  team: '19:demo-team-general@thread.tacv2',
  channel: '19:demo-security-operations@thread.tacv2',
} as const;
const places = Object.values(playgroundPlaces) as string[];

/** What the connector knows of them: all five people are of the home tenant. */
export function playgroundConversations(): Conversation[] {
  const members = homeMembers();
  const [me] = members;
  const kinds = { personal: 'personal', group: 'groupChat', team: 'channel', channel: 'channel' } as const;
  return (Object.keys(kinds) as (keyof typeof kinds)[]).map((name) => ({
    id: playgroundPlaces[name],
    kind: kinds[name],
    hostTenant: demoHome.id,
    members: name === 'personal' && me !== undefined ? [me] : members,
  }));
}

/**
 * Starts Microsoft's Agents Playground as a child, with our people and ids and the relay as its bot. It writes its
 * logs into `folder`, and takes another port when `port` is busy, so the true one is read from what it prints.
 */
export async function startPlayground(
  state: State,
  options: { folder: string; port: number; relay: string; signal: AbortSignal },
): Promise<Playground> {
  const folder = join(options.folder, 'playground');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, '.m365agentsplayground.yml'), stringify(configOf(state)));
  const child = spawn(
    process.execPath,
    [
      ...['--import', new URL('./playground-preload.ts', import.meta.url).href],
      join(
        dirname(createRequire(import.meta.url).resolve('@microsoft/m365agentsplayground/package.json')),
        'cli.js',
      ),
      'start',
      ...['-e', options.relay, '-c', 'msteams', '--dt', '-p', String(options.port || (await freePort()))],
    ],
    {
      cwd: folder,
      signal: options.signal,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...process.env,
        TEAMSAPPTESTER_BROWSER: 'none',
        M365_AGENTS_PLAYGROUND_SERVICE_URL: serviceUrl,
        // What a shell may have left behind must not change where it sends or what it calls things.
        M365_AGENTS_PLAYGROUND_CONFIG_PATH: '',
        M365_AGENTS_PLAYGROUND_CONVERSATION_ID: '',
        BOT_ENDPOINT: '',
        NODE_OPTIONS: '',
      },
    },
  );
  const url = `http://localhost:${await portOf(child)}`;
  await answering(child, url);
  return { url, passOn: passOnTo(url), stop: () => end(child) };
}

/** The Playground's own file format; `userPrincipleName` is its spelling. */
function configOf(state: State): unknown {
  const [me, ...others] = [...demoPeople, extra].map((person) => {
    const [givenName = '', surname = ''] = person.name.split(' ');
    return {
      id: person.teamsId,
      name: person.name,
      userPrincipleName: person.address,
      aadObjectId: person.oid,
      givenName,
      surname,
      email: person.address,
    };
  });
  return {
    version: '0.1.1',
    tenantId: demoHome.id,
    bot: { id: `28:${state.bot.appId}`, name: botName },
    currentUser: me,
    // Exactly five, the current user not among them.
    users: others,
    personalChat: { id: playgroundPlaces.personal },
    groupChat: { id: playgroundPlaces.group, name: 'Service desk' },
    team: {
      id: playgroundPlaces.team,
      name: demoHome.name,
      aadGroupId: '4f0d6c1e-95b7-4a3e-8d21-7c6b0e9f5a38',
      channels: [{ id: playgroundPlaces.channel, name: 'Security operations' }],
    },
  };
}

function passOnTo(url: string): PassOn {
  return {
    knows: (conversationId) => places.includes(rootOf(conversationId)),
    async send(call: Call, path: string): Promise<Answer | null> {
      try {
        const answered = await request(`${url}/_connector${path}`, {
          method: call.method as 'POST',
          headers: { 'content-type': 'application/json' },
          ...(call.body.length === 0 ? {} : { body: call.body }),
          headersTimeout: 10_000,
          bodyTimeout: 10_000,
        });
        const body = await answered.body.text();
        // It does not know deletion (501); whatever else it refuses is worth a line.
        if (answered.statusCode >= 400 && answered.statusCode !== 501)
          console.error(
            `the Playground answers ${call.method} with ${answered.statusCode}: ${body.slice(0, 200)}`,
          );
        return { status: answered.statusCode, body };
      } catch (error) {
        // The post counts as taken all the same: the ledger is the judge, the Playground only shows it.
        console.error('the Playground does not answer:', error instanceof Error ? error.message : error);
        return null;
      }
    },
  };
}

/** The port it says it listens on; fails after 30 s or when it ends, with the last thing it said. */
function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    const timer = setTimeout(() => fail('did not start within 30 s'), 30_000);
    function fail(why: string): void {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`The Agents Playground ${why}: ${said.slice(-5).join(' ')}`));
    }
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      // Read to the end, or it would stop when the pipe is full.
      createInterface({ input: stream }).on('line', (line) => {
        if (said.length < 50) said.push(line);
        const port = /^Listening on (\d+)/.exec(line)?.[1];
        if (port === undefined) return;
        clearTimeout(timer);
        resolve(Number(port));
      });
    }
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code) => fail(`ended with ${code}`));
  });
}

/** It says "Listening" before it has read its file, and ends when it does not like it: only an answer counts. */
async function answering(child: ChildProcess, url: string): Promise<void> {
  const end = performance.now() + 20_000;
  while (performance.now() < end && child.exitCode === null && child.signalCode === null) {
    try {
      const answered = await request(`${url}/_debug/ping`, { headersTimeout: 2_000, bodyTimeout: 2_000 });
      await answered.body.dump();
      if (answered.statusCode === 200) return;
    } catch (error) {
      if (child.killed) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill('SIGKILL');
  throw new Error(`The Agents Playground does not answer at ${url}; its log is in the sandbox's folder.`);
}

function end(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      resolve();
      return;
    }
    const timer = setTimeout(() => child.kill('SIGKILL'), 1_000);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill('SIGTERM');
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
