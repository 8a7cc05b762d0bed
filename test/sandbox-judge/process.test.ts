import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { request } from 'undici';
import { clouds } from '../../bot/clouds.ts';
import { toSandbox } from '../../bot/sandbox-dispatcher.ts';
import { type Sandbox, startSandbox } from '../support/sandbox.ts';
import { ask, openPoster } from './talk.ts';

/** The sandbox as a process: what it keeps, what it refuses, and the way to it. */

const program = fileURLToPath(new URL('../sandbox/main.ts', import.meta.url));
const toSandboxFile = new URL('../support/to-sandbox.ts', import.meta.url).href;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'watchpost-sandbox-process-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(
  args: string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, args, { env: { ...process.env, NODE_OPTIONS: '', ...env } });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (piece: Buffer) => {
      said += piece.toString('utf8');
    });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said };
}

/** Everything another start must find again. */
async function memory(sandbox: Sandbox): Promise<unknown> {
  const keys = await ask(sandbox, 'GET', 'https://login.botframework.com/v1/.well-known/keys');
  const token = await sandbox.token({
    for: 'app',
    tenant: 'contoso.com',
    claims: { iat: 1, nbf: 1, exp: 4e9, uti: '' },
  });
  const scores = await ask(sandbox, 'GET', 'https://graph.microsoft.com/v1.0/security/secureScores?$top=3', {
    headers: { authorization: `Bearer ${token}` },
  });
  return {
    keys: keys.body,
    scores: scores.body,
    info: await sandbox.control('GET', '/_sandbox'),
    faults: await sandbox.control('GET', '/_sandbox/faults'),
    posts: await sandbox.posts(),
    token,
  };
}

test.each([{ signal: 'SIGTERM' as const }, { signal: 'SIGKILL' as const }])(
  'after $signal it starts again from its folder as it was',
  async ({ signal }) => {
    const own = await mkdtemp(join(folder, 'again-'));
    const first = await startSandbox({ folder: own });
    await first.control('POST', '/_sandbox/tenants', { name: 'Tailspin Toys', domain: 'tailspintoys.com' });
    await first.control('POST', '/_sandbox/tenants/contoso.com/score', { drop: 20 });
    await first.control('POST', '/_sandbox/tenants/fabrikam.com/consent', { revoke: true });
    await first.control('POST', '/_sandbox/keys/rotate', { for: 'bot' });
    await first.control('POST', '/_sandbox/faults', { path: '/domains', status: 503, times: 3 });
    const poster = await openPoster(first);
    await poster.send('POST', 'a:memory', 'activities', { type: 'message', text: 'remember' });
    const before = await memory(first);
    if (signal === 'SIGKILL') {
      // Changes are written within a quarter of a second; a kill may take the last of them, never the file.
      await written(own, 'a:memory');
      process.kill(first.pid, 'SIGKILL');
    }
    await first.stop();
    const second = await startSandbox({ folder: own });
    expect(await memory(second)).toEqual(before);
    await second.stop();
  },
);

async function written(own: string, mark: string): Promise<void> {
  const end = performance.now() + 5_000;
  while (performance.now() < end) {
    const [ledger, state] = await Promise.all(
      ['ledger.jsonl', 'state.json'].map((name) => readFile(join(own, name), 'utf8').catch(() => '')),
    );
    if (ledger?.includes(mark) && state?.includes('/domains')) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('The sandbox did not write its folder.');
}

test('half a line at the end of the ledger is what a kill leaves, and is left out', async () => {
  const own = await mkdtemp(join(folder, 'torn-'));
  const post = {
    seq: 1,
    at: 'x',
    conversation: 'a:x',
    kind: 'create',
    targeted: false,
    activityId: '1',
    activity: {},
    status: 201,
  };
  await writeFile(join(own, 'ledger.jsonl'), `${JSON.stringify(post)}\n{"seq":2,"at":"2026`);
  const sandbox = await startSandbox({ folder: own });
  expect(await sandbox.posts()).toEqual([post]);
  await sandbox.stop();
});

test.each([
  { name: 'another host than loopback', args: ['--folder', 'x', '--host', '0.0.0.0'], says: /loopback only/ },
  { name: 'no folder', args: [], says: /--folder is missing/ },
  { name: 'an option nobody knows', args: ['--open-to-all'], says: /open-to-all/ },
])('$name is refused', async ({ args, says }) => {
  const { code, said } = await run([program, ...args]);
  expect(code).not.toBe(0);
  expect(said).toMatch(says);
});

test('it proves who it is, and ends when it is asked to', async () => {
  const sandbox = await startSandbox();
  expect(await sandbox.control('GET', '/_sandbox/alive')).toEqual({
    pid: sandbox.pid,
    proof: createHash('sha256').update('a-test').digest('hex'),
  });
  await sandbox.control('POST', '/_sandbox/stop', {});
  const started = performance.now();
  await sandbox.stop();
  expect(performance.now() - started).toBeLessThan(2_000);
  await expect(fetch(`${sandbox.url}/_sandbox`)).rejects.toThrow();
});

test.each([
  { name: 'a form of another page', headers: { 'content-type': 'text/plain' }, status: 415 },
  {
    name: 'a name that points here by a trick',
    headers: { 'content-type': 'application/json', host: 'evil.example' },
    status: 421,
  },
])('$name cannot make tokens', async ({ headers, status }) => {
  const sandbox = await startSandbox();
  const answer = await request(`${sandbox.url}/_sandbox/tokens`, {
    method: 'POST',
    headers,
    body: '{"for":"bot"}',
  });
  expect(answer.statusCode).toBe(status);
  expect(await answer.body.text()).not.toContain('eyJ');
  await sandbox.stop();
});

test('every host of the cloud table ends at the sandbox, every other one is refused', async () => {
  const sandbox = await startSandbox();
  for (const cloud of Object.values(clouds)) {
    const hosts = [...cloud.connectorHosts.map((host) => host.replace('*', 'any')), ...cloud.metadataHosts];
    const urls = [cloud.authority, cloud.graph, ...hosts.map((host) => `https://${host}`)];
    for (const url of urls) {
      const answer = await ask(sandbox, 'GET', `${url}/nothing/at/all`);
      expect({ url, played: answer.status !== 421 }).toEqual({ url, played: true });
    }
    expect(await ask(sandbox, 'GET', cloud.botOpenIdMetadata)).toMatchObject({
      body: { issuer: cloud.botIssuer },
    });
  }
  for (const url of [
    'https://example.com/',
    'http://graph.microsoft.com/',
    'https://graph.microsoft.com:444/',
    'https://graph.microsoft.com.evil.example/',
  ])
    await expect(ask(sandbox, 'GET', url)).rejects.toThrow(/does not play/);
  expect(() => toSandbox('http://10.0.0.1:80')).toThrow(/loopback/);
  await sandbox.stop();
});

test('a process and its worker thread both reach the sandbox, with undici and with fetch', async () => {
  const sandbox = await startSandbox();
  const script = join(folder, 'both.mjs');
  const undici = import.meta.resolve('undici');
  await writeFile(
    script,
    `import { request } from ${JSON.stringify(undici)};
import { isMainThread, Worker } from 'node:worker_threads';
const url = 'https://login.botframework.com/v1/.well-known/openidconfiguration';
const one = await (await request(url)).body.json();
const other = await (await fetch(url)).json();
console.log(isMainThread ? 'main' : 'worker', one.issuer === other.issuer, one.issuer);
if (isMainThread) new Worker(new URL(import.meta.url));
`,
  );
  const { code, said } = await run(['--import', toSandboxFile, script], {
    WATCHPOST_TEST_SANDBOX: sandbox.url,
  });
  expect({ code, said: said.trim().split('\n') }).toEqual({
    code: 0,
    said: ['main true https://api.botframework.com', 'worker true https://api.botframework.com'],
  });
  await sandbox.stop();
});
