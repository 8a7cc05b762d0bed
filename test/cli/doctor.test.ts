import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { getGlobalDispatcher, MockAgent, setGlobalDispatcher } from 'undici';
import { secret, validity } from '../../bot/cli/doctor-certificates.ts';
import { examine } from '../../bot/cli/doctor-examine.ts';
import { examineNode } from '../../bot/cli/doctor-machine.ts';
import { clockAgainst } from '../../bot/cli/doctor-microsoft.ts';
import { judge } from '../../bot/cli/doctor-public-url.ts';
import { type Check, look, type Report, without } from '../../bot/cli/doctor-report.ts';
import { isSlip, secretsIn } from '../../bot/cli/doctor-settings.ts';
import { mongo } from '../../bot/cli/doctor-store.ts';
import { parseKeyring, Secret } from '../../bot/secrets.ts';
import { holdFolder } from '../../bot/store/engine/instance.ts';
import { openStore } from '../../bot/store/open.ts';
import { scopeOfSystem } from '../../shared/access.ts';
import { tenantId } from '../../shared/tenants/tenant.ts';
import { certificatePem, otherKeyPem, privateKeyPem } from '../microsoft/certificate.ts';
import { freePort, type Program, productionSettings, startProgram } from '../support/program.ts';
import { type Sandbox, startSandbox } from '../support/sandbox.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const keysOf = (kid: string, byte: number): string => `${kid}:${Buffer.alloc(32, byte).toString('base64')}`;
const guid = '3f1c9a52-6d0e-4b7a-9c55-0a1b2c3d4e5f';
const planted = 'pl4nted-Wrong-Secret~value';

let sandbox: Sandbox;
const before = getGlobalDispatcher();
beforeAll(async () => {
  sandbox = await startSandbox();
  setGlobalDispatcher(sandbox.dispatcher);
}, 60_000);
afterAll(async () => {
  setGlobalDispatcher(before);
  await sandbox.stop();
});

let folder: string;
let port: number;
const open: { close(): unknown }[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wp-doctor-'));
  port = await freePort();
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Settings with which nothing is wrong. */
function settings(): Record<string, string> {
  return {
    ...productionSettings(sandbox),
    ENCRYPTION_KEYS: keysOf('k1', 1),
    WATCHPOST_DATA: folder,
    PORT: String(port),
    HOST: '127.0.0.1',
  };
}
const wrongs = (checks: Check[]): Check[] => checks.filter(({ state }) => state === 'wrong');
const lines = (checks: Check[]): string[] => checks.map(({ about, says }) => `${about}: ${says}`);
const about = (checks: Check[], name: string): Check[] => checks.filter((check) => check.about === name);

function file(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

function ed25519Pem(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** A store with one customer's secret sealed by these keys. */
async function storeSealedWith(keys: string, mongodbUri?: string): Promise<void> {
  const contoso = tenantId(guid);
  if (contoso === undefined) throw new Error('no tenant id');
  const store = await openStore({
    ...(mongodbUri === undefined ? {} : { mongodbUri }),
    folder,
    instanceId: 'test',
    keyring: parseKeyring(keys),
  });
  await store.credentials.save(scopeOfSystem(), {
    tenantId: contoso,
    appId: guid,
    credential: { kind: 'secret', secret: new Secret(planted) },
  });
  await store.close();
}

async function listening(
  status: number,
  text: string,
  headers: Record<string, string> = {},
): Promise<number> {
  const server = createServer((_, response) => {
    // Not chained: where restify is loaded too, its writeHead returns nothing.
    response.writeHead(status, headers);
    response.end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({ close: () => new Promise((resolve) => server.close(resolve)) });
  return (server.address() as AddressInfo).port;
}

test('with good settings nothing is wrong, and what is not there yet is said to be made later', async () => {
  const checks = await examine(settings(), folder);
  expect(lines(wrongs(checks))).toEqual([]);
  expect(lines(checks)).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^mode: Production, because of /),
      expect.stringMatching(/^data folder: .* can be written\.$/),
      expect.stringMatching(/^port: \d+ is free; no Watchpost runs here\.$/),
      'store: The embedded file is made at the first start.',
      "clock: It agrees with Microsoft's within 30 s.",
      'Bot Framework keys: Microsoft publishes them and they can be read from here.',
      'Entra keys: Microsoft publishes them and they can be read from here.',
      'BOT_TENANT_ID: Microsoft Entra knows this tenant.',
      'AAD_APP_TENANT_ID: Microsoft Entra knows this tenant.',
      expect.stringMatching(/^BOT_PASSWORD: Microsoft Entra gives the bot a token with it/),
      'registrations: Each purpose has one of its own.',
    ]),
  );
  expect(about(checks, 'PUBLIC_URL')[0]).toMatchObject({ state: 'not checked' });
  // Only looked at: no store, no lock, no id was made.
  expect(readdirSync(folder)).toEqual([]);
});

test('a lock that this user may not read is not guessed about', async () => {
  mkdirSync(join(folder, 'lock'));
  const checks = await examine(settings(), folder);
  expect(lines(wrongs(checks))).toEqual([]);
  expect(about(checks, 'port')).toEqual([
    expect.objectContaining({
      state: 'not checked',
      says: expect.stringMatching(/No Watchpost answers on \d+; whether one works/),
    }),
  ]);
});

test('without settings it is the demo, and nothing is wrong', async () => {
  const checks = await examine({ WATCHPOST_DATA: join(folder, 'not/there'), PORT: String(port) }, folder);
  expect(wrongs(checks)).toEqual([]);
  expect(lines(checks)).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^mode: Demo/),
      expect.stringMatching(/^data folder: .* is made at the first start\.$/),
      'Microsoft: The demo plays Microsoft on this machine.',
    ]),
  );
  expect(existsSync(join(folder, 'not'))).toBe(false);
});

describe('each broken setting has its sentence', () => {
  type Row = {
    breaks: string;
    change(): Promise<Record<string, string | undefined>> | Record<string, string | undefined>;
    says: RegExp;
    /** What else is wrong because of it. */
    also?: RegExp;
  };
  const rows: Row[] = [
    { breaks: 'BOT_ID missing', change: () => ({ BOT_ID: undefined }), says: /^settings: BOT_ID is missing/ },
    { breaks: 'BOT_ID blank', change: () => ({ BOT_ID: ' ' }), says: /^settings: BOT_ID is missing/ },
    { breaks: 'BOT_ID no GUID', change: () => ({ BOT_ID: 'bot' }), says: /^settings: BOT_ID must be a GUID/ },
    {
      breaks: 'BOT_ID of nobody',
      change: () => ({ BOT_ID: guid }),
      says: /^BOT_PASSWORD: The tenant does not know this application\. \(AADSTS700016\)/,
    },
    {
      breaks: 'a wrong bot secret',
      change: () => ({ BOT_PASSWORD: planted }),
      says: /^BOT_PASSWORD: The client secret is wrong\. \(AADSTS7000215\)/,
    },
    {
      breaks: 'a tenant nobody knows',
      change: () => ({ AAD_APP_TENANT_ID: guid }),
      says: /^AAD_APP_TENANT_ID: Microsoft Entra does not know this tenant/,
    },
    {
      breaks: 'a home nobody knows',
      change: () => ({ HOME_TENANT_ID: guid }),
      says: /^HOME_TENANT_ID: Microsoft Entra does not know this tenant/,
    },
    {
      breaks: 'a wrong secret of the tab',
      change: () => ({ AAD_APP_SECRET: planted }),
      says: /^AAD_APP_CLIENT_ID: .*AADSTS/,
    },
    {
      breaks: 'half a pair',
      change: () => ({ BOT_PASSWORD: undefined, BOT_CERTIFICATE_FILE: file('c.pem', certificatePem) }),
      says: /^settings: BOT_CERTIFICATE_FILE and BOT_KEY_FILE belong together/,
    },
    {
      breaks: 'both kinds of credential',
      change: () => ({
        BOT_CERTIFICATE_FILE: file('c.pem', certificatePem),
        BOT_KEY_FILE: file('k.pem', privateKeyPem),
      }),
      says: /^settings: BOT_PASSWORD and BOT_CERTIFICATE_FILE are both set/,
    },
    {
      breaks: 'a file that is not there',
      change: () => ({ BOT_PASSWORD: undefined, BOT_CERTIFICATE_FILE: 'gone.pem', BOT_KEY_FILE: 'gone.key' }),
      says: /^settings: BOT_CERTIFICATE_FILE: the file cannot be read/,
      also: /^settings: BOT_KEY_FILE: the file cannot be read/,
    },
    {
      breaks: 'a key of another certificate',
      change: () => ({
        BOT_PASSWORD: undefined,
        BOT_CERTIFICATE_FILE: file('c.pem', certificatePem),
        BOT_KEY_FILE: file('k.pem', otherKeyPem),
      }),
      says: /^BOT_CERTIFICATE_FILE: The private key belongs to another certificate/,
      also: /^BOT_CERTIFICATE_FILE: The saved certificate does not belong to the key/,
    },
    {
      breaks: 'a certificate Entra does not know',
      change: () => ({
        BOT_PASSWORD: undefined,
        BOT_CERTIFICATE_FILE: file('c.pem', certificatePem),
        BOT_KEY_FILE: file('k.pem', privateKeyPem),
      }),
      says: /^BOT_CERTIFICATE_FILE: .*\(AADSTS\d+\)/,
    },
    {
      breaks: 'a key file that others read',
      change: () => ({ AUDIT_KEY_FILE: file('audit.pem', ed25519Pem(), 0o644) }),
      says: /^AUDIT_KEY_FILE: Others may read or change the file \(mode 0644\)/,
    },
    {
      breaks: 'a key for the checkpoints of another kind',
      change: () => ({ AUDIT_KEY_FILE: file('audit.pem', privateKeyPem) }),
      says: /^settings: AUDIT_KEY_FILE: the file holds no Ed25519 private key\./,
    },
    {
      breaks: 'a short encryption key',
      change: () => ({ ENCRYPTION_KEYS: 'k1:AAAA' }),
      says: /^settings: ENCRYPTION_KEYS key 1 is not the base64 of 32 bytes/,
    },
    {
      breaks: 'encryption keys without the old one',
      async change() {
        await storeSealedWith(keysOf('old', 7));
        return {};
      },
      says: /^ENCRYPTION_KEYS: They do not open the credentials of 1 of 1 tenant\. They were sealed with old, which/,
    },
    {
      breaks: 'another key under the same id',
      async change() {
        await storeSealedWith(keysOf('k1', 7));
        return {};
      },
      says: /^ENCRYPTION_KEYS: They do not open the credentials of 1 of 1 tenant\.$/,
    },
    {
      breaks: 'a damaged data file',
      change() {
        file('watchpost.sqlite', 'this is no database, and long enough to be seen as none. '.repeat(20));
        return {};
      },
      says: /^store: The data file is damaged/,
    },
    {
      breaks: 'PUBLIC_URL without https',
      change: () => ({ PUBLIC_URL: 'http://watchpost.example.com' }),
      says: /^settings: PUBLIC_URL must be an https address/,
    },
    {
      breaks: 'PUBLIC_URL of this machine',
      change: async () => ({ PUBLIC_URL: `http://127.0.0.1:${await listening(200, 'hello')}` }),
      says: /^PUBLIC_URL: It is an address of this machine/,
      also: /^PUBLIC_URL: Something else than Watchpost answers there \(200\)/,
    },
    {
      breaks: 'a TLS certificate nobody trusts',
      async change() {
        const server = createTlsServer({ cert: certificatePem, key: privateKeyPem }, (_, response) =>
          response.end('ok\n'),
        );
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        open.push({ close: () => new Promise((resolve) => server.close(resolve)) });
        return { PUBLIC_URL: `https://127.0.0.1:${(server.address() as AddressInfo).port}` };
      },
      says: /^PUBLIC_URL: Its TLS certificate is not trusted \(/,
      also: /^PUBLIC_URL: It is an address of this machine/,
    },
    {
      breaks: 'a data folder that is a file',
      change: () => ({ WATCHPOST_DATA: file('a-file', '') }),
      says: /^data folder: .* is a file, not a folder/,
    },
    {
      breaks: 'a data folder for everybody',
      change() {
        chmodSync(folder, 0o755);
        return {};
      },
      says: /^data folder: .* can be opened by other users/,
    },
    {
      breaks: 'a taken port',
      change: async () => ({ PORT: String(await listening(200, 'another program')) }),
      says: /^port: \d+ is taken by another program/,
    },
    {
      breaks: 'a Watchpost with another folder on the port',
      change: async () => ({ PORT: String(await listening(200, 'ok\n')) }),
      says: /^port: A Watchpost with another data folder answers/,
    },
    {
      breaks: 'a folder in use by a process that does not listen',
      change() {
        const held = holdFolder(folder);
        open.push({ close: () => held.release() });
        return {};
      },
      says: /^port: A process works in the data folder, but no Watchpost answers/,
    },
    { breaks: 'PORT no port', change: () => ({ PORT: '70000' }), says: /^settings: PORT must be a port/ },
    { breaks: 'CLOUD no cloud', change: () => ({ CLOUD: 'moon' }), says: /^settings: CLOUD must be one of/ },
    {
      breaks: 'a slip in a name',
      change: () => ({ TEAMS_APP_ID: undefined, BOT_CERTIFICATE_FIEL: 'x' }),
      says: /^settings: BOT_CERTIFICATE_FIEL is not a setting of Watchpost/,
    },
    {
      breaks: 'one registration for two purposes',
      change: () => ({ AAD_APP_CLIENT_ID: sandbox.info.apps.bot.appId }),
      says: /^registrations: BOT_ID and AAD_APP_CLIENT_ID are the same application/,
    },
    {
      breaks: 'a MongoDB that is not there',
      change: async () => ({
        MONGODB_URI: `mongodb://wp:${planted}@127.0.0.1:${await freePort()}/watchpost`,
      }),
      says: /^store: The MongoDB does not answer within 2 seconds/,
    },
    {
      breaks: 'MONGODB_URI of something else',
      change: () => ({ MONGODB_URI: `postgres://wp:${planted}@db/watchpost` }),
      says: /^settings: MONGODB_URI must begin with/,
    },
    {
      breaks: 'MONGODB_URI that cannot be read',
      change: () => ({ MONGODB_URI: `mongodb://wp:${planted}@:x/watchpost` }),
      says: /^store: MONGODB_URI is not an address of a MongoDB/,
    },
    {
      breaks: 'a role without MongoDB',
      change: () => ({ WATCHPOST_ROLE: 'web' }),
      says: /^settings: WATCHPOST_ROLE other than "all" needs MONGODB_URI/,
    },
    { breaks: 'DEBUG', change: () => ({ DEBUG: '*' }), says: /^settings: DEBUG must not be set/ },
    {
      breaks: 'half a Graph application',
      change: () => ({ GRAPH_APP_ID: guid }),
      says: /^settings: GRAPH_APP_ID is set without/,
    },
    {
      breaks: 'a Graph application nobody knows',
      change: () => ({ GRAPH_APP_ID: guid, GRAPH_APP_SECRET: planted }),
      says: /^GRAPH_APP_ID: .*\(AADSTS700016\)/,
    },
  ];

  test.each(rows)('$breaks', async ({ change, says, also }) => {
    const environment = { ...settings(), ...(await change()) };
    const checks = await examine(environment, folder);
    const found = lines(wrongs(checks));
    const expected = [says, ...(also === undefined ? [] : [also])];
    // This sentence, and no other thing is called wrong because of it.
    expect(found.filter((line) => !expected.some((one) => one.test(line)))).toEqual([]);
    expect(found).toEqual(expect.arrayContaining(expected.map((one) => expect.stringMatching(one))));
    for (const check of wrongs(checks)) expect(check.remedy ?? '').not.toBe('');
    // What is found is said without the printer's help in hiding it.
    for (const secret of [planted, ...secretsIn(environment)])
      expect(JSON.stringify(checks)).not.toContain(secret);
  });
});

describe('Microsoft in trouble', () => {
  afterEach(() => sandbox.control('DELETE', '/_sandbox/faults'));

  test('silence ends after five seconds and is said', async () => {
    await sandbox.control('POST', '/_sandbox/faults', {
      path: '/oauth2/v2.0/token',
      delayMs: 20_000,
      times: 1,
    });
    const began = performance.now();
    const checks = await examine(settings(), folder);
    expect(performance.now() - began).toBeLessThan(7_500);
    expect(lines(wrongs(checks))).toEqual([expect.stringMatching(/^reaching Microsoft: /)]);
    expect(about(checks, 'BOT_PASSWORD')).toMatchObject([{ state: 'not checked' }]);
  });

  test('without a network one thing is wrong, and what could not be looked at is not checked', async () => {
    const away = new MockAgent();
    away.disableNetConnect();
    setGlobalDispatcher(away);
    try {
      const checks = await examine(settings(), folder);
      const found = wrongs(checks);
      expect(found.map((check) => check.about)).toEqual(['reaching Microsoft']);
      expect(found[0]?.remedy).toContain('port 443');
      for (const name of ['clock', 'BOT_PASSWORD', 'BOT_TENANT_ID', 'Entra keys'])
        expect(about(checks, name)).toMatchObject([{ state: 'not checked' }]);
    } finally {
      setGlobalDispatcher(sandbox.dispatcher);
      await away.close();
    }
  });

  test('no keys: nobody could be let in', async () => {
    await sandbox.control('POST', '/_sandbox/faults', { path: '/v1/.well-known', status: 503, times: 5 });
    const checks = await examine(settings(), folder);
    expect(lines(wrongs(checks))).toEqual([expect.stringMatching(/^reaching Microsoft: /)]);
    expect(about(checks, 'Bot Framework keys')).toMatchObject([{ state: 'not checked' }]);
  });
});

describe('beside a Watchpost that runs', () => {
  let program: Program;
  let env: Record<string, string>;
  beforeAll(async () => {
    const free = await freePort();
    env = {
      ...productionSettings(sandbox),
      PUBLIC_URL: `http://127.0.0.1:${free}`,
      PORT: String(free),
      HOST: '127.0.0.1',
    };
    program = await startProgram({ sandbox, env, port: free });
    env.WATCHPOST_DATA = program.folder;
  }, 90_000);
  afterAll(() => program.end());

  test('it is told apart from a foreign process, and its public address is seen to lead to it', async () => {
    const checks = await examine(env, program.folder);
    expect(lines(checks)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^data folder: .*; a Watchpost works in it\.$/),
        `port: Watchpost runs and answers on ${program.port}.`,
        'store: The embedded file can be read.',
        'PUBLIC_URL: Watchpost answers there.',
        'PUBLIC_URL/api/messages: It leads to the bot, which asks for a token.',
      ]),
    );
    expect(lines(wrongs(checks))).toEqual([
      expect.stringMatching(/^PUBLIC_URL: It is an address of this machine/),
    ]);
    expect((await fetch(`${program.url}/readyz`)).status).toBe(200);
  });
});

describe('as a command', () => {
  async function run(
    args: string[],
    env: Record<string, string>,
  ): Promise<{ code: number | null; out: string }> {
    const preload = ['test/support/to-sandbox.ts', 'test/support/skew.ts'];
    const child = spawn(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        ...preload.flatMap((one) => ['--import', pathToFileURL(join(root, one)).href]),
        join(root, 'bot/cli/doctor.ts'),
        ...args,
      ],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        cwd: folder,
        env: { PATH: process.env.PATH ?? '', ...env },
        timeout: 30_000,
      },
    );
    let out = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (piece: Buffer) => {
        out += piece.toString('utf8');
      });
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, out };
  }

  test('exit code 0 and a line for each check when nothing is wrong', async () => {
    const { code, out } = await run([], settings());
    expect(out).toMatch(/^ok {10}BOT_TENANT_ID: /m);
    expect(out).toMatch(/\nNothing is wrong\. \d+ could not be checked from here\.\n$/);
    expect(code).toBe(0);
  });

  test('a planted wrong secret is found and never printed, in words and as JSON; a clock that is off is found', async () => {
    const key = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = String(key.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const env = {
      ...settings(),
      BOT_PASSWORD: planted,
      METRICS_TOKEN: `${planted}-of-metrics`,
      AAD_APP_CERTIFICATE_FILE: file('c.pem', certificatePem),
      AAD_APP_KEY_FILE: file('k.pem', pem),
      WATCHPOST_TEST_SKEW_MS: '600000',
    };
    for (const args of [[], ['--json']]) {
      const { code, out } = await run(args, env);
      expect(code).toBe(1);
      expect(out).toContain('The client secret is wrong. (AADSTS7000215)');
      expect(out).toMatch(/clock is (599|600|601) s ahead of Microsoft's/);
      for (const secret of [planted, ...secretsIn(env), pem.slice(40, 80)]) expect(out).not.toContain(secret);
      expect(out).not.toMatch(/PRIVATE KEY/);
      if (args.length > 0) {
        const report = JSON.parse(out) as Report;
        expect(report.wrong).toBe(report.checks.filter(({ state }) => state === 'wrong').length);
      }
    }
  });

  test('settings come from a file too; a wrong option and a missing file are said', async () => {
    const text = Object.entries(settings()).map(([name, value]) => `${name}=${value}`);
    const path = file('watchpost.env', text.join('\n'));
    const { code, out } = await run(['--env', path], { WATCHPOST_TEST_SANDBOX: sandbox.url });
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringMatching(/Production/) });
    const none = await run(['--env', 'gone.env'], { WATCHPOST_TEST_SANDBOX: sandbox.url });
    expect(none).toMatchObject({ code: 1, out: expect.stringMatching(/gone\.env cannot be read/) });
    const odd = await run(['--loud'], { WATCHPOST_TEST_SANDBOX: sandbox.url });
    expect(odd).toMatchObject({ code: 1, out: expect.stringMatching(/npm run doctor/) });
  });
});

describe('judged without looking', () => {
  const to = new Date('2026-12-20T10:00:00Z');
  test.each([
    { now: '2026-01-01T00:00:00Z', state: 'wrong', says: /valid from 2026-02-01 on, not yet/ },
    { now: '2026-11-20T09:59:59Z', state: 'ok', says: /valid until 2026-12-20/ },
    { now: '2026-11-20T10:00:01Z', state: 'wrong', says: /ends in 29 days, on 2026-12-20/ },
    { now: '2026-12-19T09:00:00Z', state: 'wrong', says: /ends in 1 day, on/ },
    { now: '2026-12-20T10:00:00Z', state: 'wrong', says: /ended on 2026-12-20/ },
  ])('a certificate at $now', ({ now, state, says }) => {
    const check = validity('x', new Date('2026-02-01T00:00:00Z'), to, Date.parse(now));
    expect(check).toMatchObject({ state, says: expect.stringMatching(says) });
  });

  test.each([
    { ends: undefined, states: [], says: /^$/ },
    { ends: '2027-03-31', states: ['ok'], says: /ends in 130 days, on 31 Mar 2027/ },
    { ends: '2026-12-20', states: ['wrong'], says: /ends in 29 days, on 20 Dec/ },
    { ends: '2026-11-01', states: ['wrong'], says: /ended on 1 Nov/ },
  ])('a secret that ends $ends', ({ ends, states, says }) => {
    const expiresAt = ends === undefined ? {} : { expiresAt: `${ends}T00:00:00.000Z` };
    const credential = { kind: 'secret' as const, secret: new Secret(planted), ...expiresAt };
    const checks = secret('BOT_PASSWORD', credential, Date.parse('2026-11-20T10:00:00Z'));
    expect(checks.map(({ state }) => state)).toEqual(states);
    expect(checks.map((check) => check.says).join()).toMatch(says);
    expect(JSON.stringify(checks)).not.toContain(planted);
  });

  test.each([
    { ours: 30_000, state: 'ok', says: /agrees/ },
    { ours: -30_000, state: 'ok', says: /agrees/ },
    { ours: 31_000, state: 'wrong', says: /31 s ahead of/ },
    { ours: -400_000, state: 'wrong', says: /400 s behind/ },
  ])('a clock that is $ours ms ahead', ({ ours, state, says }) => {
    expect(clockAgainst(0, ours)).toMatchObject({ state, says: expect.stringMatching(says) });
  });

  test.each([
    { status: 200, text: 'ok\n', running: true, state: 'ok', says: /Watchpost answers/ },
    {
      status: 502,
      text: 'bad gateway',
      running: false,
      state: 'not checked',
      says: /no Watchpost runs here/,
    },
    { status: 502, text: 'bad gateway', running: true, state: 'wrong', says: /does not reach Watchpost/ },
    { status: 302, text: '', running: false, state: 'wrong', says: /redirect/ },
    { status: 404, text: '', running: true, state: 'wrong', says: /Something else/ },
    { status: 200, text: '<html>', running: true, state: 'wrong', says: /Something else/ },
  ])(
    '$status "$text" at the public address, running here: $running',
    ({ status, text, running, state, says }) => {
      expect(judge(status, text, running)).toMatchObject({ state, says: expect.stringMatching(says) });
    },
  );

  const good = {
    members: 3,
    sharded: false,
    aheadMs: 5,
    uncertainMs: 1,
    missingIndexes: [],
    missingCollections: [],
  };
  test.each([
    { what: 'a replica set', change: {}, wrong: [] },
    { what: 'a single server', change: { members: 0 }, wrong: [/no replica set, so it has no transactions/] },
    { what: 'a sharded cluster', change: { members: 0, sharded: true }, wrong: [] },
    { what: 'a clock ahead', change: { aheadMs: 9_000 }, wrong: [/9 s ahead of/] },
    { what: 'a clock behind', change: { aheadMs: -9_000 }, wrong: [/9 s behind/] },
    { what: 'a slow answer', change: { aheadMs: 3_000, uncertainMs: 1_500 }, wrong: [] },
    {
      what: 'no index',
      change: { missingIndexes: ['tenants: domain'] },
      wrong: [/1 is missing \(tenants: domain\)/],
    },
    { what: 'a new collection', change: { missingCollections: ['outbox'] }, wrong: [] },
  ])('MongoDB: $what', ({ change, wrong }) => {
    const found = wrongs(mongo({ ...good, ...change })).map(({ says }) => says);
    expect(found).toEqual(wrong.map((one) => expect.stringMatching(one)));
  });

  test('another Node than the pinned one is wrong', () => {
    expect(examineNode('24.0.0').state).toBe('wrong');
    expect(examineNode(process.versions.node).state).toBe('ok');
  });

  test.each([
    { a: 'BOT_PASWORD', b: 'BOT_PASSWORD', slip: true },
    { a: 'BOT_PASSWODR', b: 'BOT_PASSWORD', slip: true },
    { a: 'BOT_OBJECT_ID', b: 'BOT_TENANT_ID', slip: false },
    { a: 'BOTID', b: 'BOT_ID', slip: true },
    { a: 'AAD_APP_ID', b: 'GRAPH_APP_ID', slip: false },
  ])('$a for $b: $slip', ({ a, b, slip }) => {
    expect(isSlip(a, b)).toBe(slip);
  });

  test('the printer hides whatever a check should let slip: planted, it is taken out', () => {
    const env = {
      BOT_PASSWORD: planted,
      MONGODB_URI: 'mongodb://wp:p%40ss-of-db@h/x',
      ENCRYPTION_KEYS: keysOf('k1', 3),
    };
    const leaky = `says ${planted} and p@ss-of-db and ${Buffer.alloc(32, 3).toString('base64')}`;
    expect(without(leaky, secretsIn(env))).toBe('says [secret] and [secret] and [secret]');
  });

  test('a look that fails in a way nobody foresaw shows no foreign words', async () => {
    const checks = await look('x', async () => {
      throw new Error(`the driver said ${planted}`);
    });
    expect(checks).toEqual([{ about: 'x', state: 'not checked', says: 'This look failed (Error).' }]);
  });
});

const uri = process.env.MONGODB_URI ?? '';
if (uri === '') {
  test.skip('the doctor on MongoDB: set MONGODB_URI, `npm run mongo` starts one', () => undefined);
} else {
  test('a MongoDB that answers is looked into and nothing is made in it; a lost index and lost keys are found', async () => {
    const address = new URL(uri);
    address.pathname = `/watchpost-doctor-${process.pid}`;
    const env: Record<string, string> = { ...settings(), MONGODB_URI: address.href };
    const said =
      "MongoDB's indexes: The database is empty; collections and indexes are made at the first start.";
    for (let i = 0; i < 2; i += 1) {
      const empty = await examine(env, folder);
      expect(lines(wrongs(empty))).toEqual([]);
      expect(lines(empty)).toContain(said);
    }
    const client = await MongoClient.connect(address.href, { serverSelectionTimeoutMS: 5_000 });
    open.push({ close: () => client.close() }, { close: () => client.db().dropDatabase() });
    open.reverse();
    await storeSealedWith(env.ENCRYPTION_KEYS ?? '', address.href);
    const full = await examine(env, folder);
    expect(lines(wrongs(full))).toEqual([]);
    expect(lines(full)).toEqual(
      expect.arrayContaining([
        "MongoDB's indexes: All that are declared are there.",
        "MongoDB's clock: It agrees with this machine's.",
        'ENCRYPTION_KEYS: They open the credentials of 1 tenant.',
      ]),
    );
    await client.db().collection('credentials').dropIndexes();
    const less = await examine({ ...env, ENCRYPTION_KEYS: keysOf('k2', 2) }, folder);
    expect(lines(wrongs(less))).toEqual([
      "MongoDB's indexes: 2 are missing (credentials: tenantId; credentials: expiresAt).",
      expect.stringMatching(/^ENCRYPTION_KEYS: They do not open the credentials of 1 of 1/),
    ]);
  });
}
