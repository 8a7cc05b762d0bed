import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort, type Program, poll, startProgram } from '../support/program.ts';

const main = fileURLToPath(new URL('../../bot/main.ts', import.meta.url));
const guid = '3f1c9a52-6d0e-4b7a-9c55-0a1b2c3d4e5f';

/** Runs the program until it ends by itself; fails after 20 s. */
async function runToEnd(env: Record<string, string>): Promise<{ code: number | null; err: string }> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH ?? '', HOST: '127.0.0.1', ...env },
    timeout: 20_000,
  });
  let err = '';
  child.stderr.on('data', (piece: Buffer) => {
    err += piece.toString('utf8');
  });
  const code = await new Promise<number | null>((resolve) => child.once('exit', (status) => resolve(status)));
  return { code, err };
}

describe('a start that cannot be says why in a sentence and ends with 1', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wp-start-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('the port is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { code, err } = await runToEnd({ PORT: String(port), WATCHPOST_DATA: folder });
    await new Promise((resolve) => other.close(resolve));
    expect(err).toBe(
      `Port ${port} is taken by another program.\nStop that program, or set PORT to another number.\n`,
    );
    expect(code).toBe(1);
  });

  test('the data folder cannot be written', async () => {
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    const { code, err } = await runToEnd({
      PORT: String(await freePort()),
      WATCHPOST_DATA: join(file, 'data'),
    });
    expect(err).toMatch(/^The data folder .* cannot be (written|made|used)/);
    expect(err.trim().split('\n').length).toBeLessThanOrEqual(2);
    expect(code).toBe(1);
  });

  test('several settings are wrong: all are named, none shows a value', async () => {
    const { code, err } = await runToEnd({
      BOT_ID: 'not-a-guid',
      BOT_PASSWORD: 'hunter2-hunter2',
      PUBLIC_URL: 'http://example.com',
      WATCHPOST_DATA: folder,
    });
    for (const name of [
      'BOT_ID must be a GUID',
      'PUBLIC_URL must be',
      'BOT_TENANT_ID is missing',
      'ENCRYPTION_KEYS is missing',
      'AAD_APP_CLIENT_ID is missing',
      'AAD_APP_TENANT_ID is missing',
    ]) {
      expect(err).toContain(name);
    }
    expect(err).not.toContain('hunter2');
    expect(code).toBe(1);
  });

  test('an encryption key is too short', async () => {
    const { code, err } = await runToEnd({
      PORT: String(await freePort()),
      PUBLIC_URL: 'https://watchpost.example.com',
      BOT_ID: guid,
      BOT_PASSWORD: 'hunter2-hunter2',
      BOT_TENANT_ID: guid,
      AAD_APP_CLIENT_ID: guid,
      AAD_APP_TENANT_ID: guid,
      ENCRYPTION_KEYS: 'k1:c2hvcnQ=',
      WATCHPOST_DATA: folder,
    });
    expect(err).toMatch(/ENCRYPTION_KEYS/);
    expect(err).not.toContain('c2hvcnQ');
    expect(code).toBe(1);
  });
});

describe('the demo', () => {
  let program: Program;
  const folder = mkdtempSync(join(tmpdir(), 'wp-demo-'));
  beforeAll(async () => {
    program = await startProgram({ folder, until: /Ctrl-C stops everything/ });
  }, 90_000);
  afterAll(async () => {
    await program.end();
    rmSync(folder, { recursive: true, force: true });
  });

  test('says where to chat, where the tab and the desk are and what to type first, in a few lines', () => {
    const lines = program.out().trim().split('\n');
    expect(lines.length).toBeLessThan(12);
    for (const word of ['Chat', 'Tab', 'Desk', '/score contoso']) expect(program.out()).toContain(word);
    expect(program.err()).toBe('');
  });

  test('a second start on the same folder is refused in one sentence and leaves the first alone', async () => {
    const { code, err } = await runToEnd({ PORT: String(await freePort()), WATCHPOST_DATA: folder });
    expect(err).toMatch(/^Another Watchpost is already running/);
    expect(code).toBe(1);
    expect((await fetch(`${program.url}/healthz`)).status).toBe(200);
  });

  test('has its chat, its desk and its tab up', async () => {
    const info = addresses();
    expect((await fetch(info.chat)).status).toBe(200);
    expect(await (await fetch(info.url, { headers: { accept: 'text/html' } })).text()).toContain('<html');
    expect(await (await fetch(`${program.url}/tab`)).text()).toContain('<div id=');
  });

  test('figures of both threads are there, and no tenant is named in them', async () => {
    const text = await poll(
      async () => {
        const body = await (await fetch(`${program.url}/metrics`)).text();
        return body.includes('thread="clock"') ? body : null;
      },
      15_000,
      () => 'the clock thread sent no figures',
    );
    for (const name of [
      'watchpost_turn_seconds',
      'watchpost_sync_seconds',
      'watchpost_graph_seconds',
      'watchpost_store_seconds',
      'watchpost_nodejs_eventloop_lag',
    ]) {
      expect(text).toContain(name);
    }
    expect(text).toMatch(/watchpost_sync_seconds_count\{[^}]*thread="clock"[^}]*\} \d/);
    expect(text.toLowerCase()).not.toMatch(/contoso|fabrikam|woodgrove/);
  });

  test('ends within 5 s with its sandbox and its Playground, and starts again as it was', async () => {
    const info = addresses();
    const before = await tenantsOf(program);
    const ended = await program.stop();
    expect(ended.code).toBe(0);
    expect(ended.ms).toBeLessThan(5_000);
    for (const url of [info.url, info.chat]) await expect(fetch(url)).rejects.toThrow();

    program = await startProgram({ folder, until: /Ctrl-C stops everything/ });
    const after = await tenantsOf(program);
    const { url, chat } = addresses();
    expect({ url, chat }).toEqual({ url: info.url, chat: info.chat });
    expect(before.length).toBe(5);
    expect(after).toEqual(before);
  }, 60_000);

  test('killed and started again at once, it has the addresses it had, and nothing of before is left', async () => {
    const before = addresses();
    const { pid } = (await (await fetch(`${before.url}/_sandbox/alive`)).json()) as { pid: number };
    await program.kill();
    program = await startProgram({ folder, until: /Ctrl-C stops everything/ });
    const { url, chat } = addresses();
    expect({ url, chat }).toEqual({ url: before.url, chat: before.chat });
    expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
  }, 60_000);

  test('killed for good, its sandbox and its Playground end by themselves within seconds', async () => {
    const { url, chat } = addresses();
    await program.kill();
    await poll(
      async () => (await Promise.all([url, chat].map(isSilent))).every(Boolean),
      10_000,
      () => 'the sandbox or the Playground lives on',
    );
  }, 30_000);

  function addresses(): { url: string; chat: string } {
    return JSON.parse(readFileSync(join(folder, 'sandbox.json'), 'utf8'));
  }

  async function isSilent(url: string): Promise<boolean> {
    return await fetch(url).then(
      async (answer) => {
        await answer.body?.cancel();
        return false;
      },
      () => true,
    );
  }

  async function tenantsOf(
    running: Program,
  ): Promise<{ name: string; state: string; percent: number | null }[]> {
    const info = JSON.parse(readFileSync(join(folder, 'sandbox.json'), 'utf8')) as { url: string };
    const answer = await fetch(`${info.url}/_sandbox/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ for: 'tab', person: 'ana@fourthcoffee.example' }),
    });
    const { token } = (await answer.json()) as { token: string };
    const list = await fetch(`${running.url}/api/tab/tenants`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const body = (await list.json()) as {
      rows: { name: string; health: { state: string }; score: { percent: number | null } }[];
    };
    return body.rows.map((row) => ({ name: row.name, state: row.health.state, percent: row.score.percent }));
  }
});
