import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { certificatePem, otherKeyPem, privateKeyPem } from '../microsoft/certificate.ts';
import {
  addCustomer,
  newEncryptionKeys,
  watchpost as runWatchpost,
  type SandboxCustomer,
} from '../support/production.ts';
import { type Program, poll, productionSettings, startProgram } from '../support/program.ts';
import { type Sandbox, startSandbox } from '../support/sandbox.ts';

/** Beyond the demo: real settings, every check on, Microsoft's hosts answered by the sandbox. */

const folder = mkdtempSync(join(tmpdir(), 'wp-cli-'));
const data = join(folder, 'data');
const keys = newEncryptionKeys();
let sandbox: Sandbox;
let contoso: SandboxCustomer;
let fabrikam: SandboxCustomer;

beforeAll(async () => {
  sandbox = await startSandbox({ empty: true });
  contoso = await addCustomer(sandbox, 'Contoso Ltd', 'contoso.com');
  fabrikam = await addCustomer(sandbox, 'Fabrikam', 'fabrikam.com');
}, 30_000);
afterAll(async () => {
  await sandbox?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const watchpost = (...args: string[]) =>
  runWatchpost(args, { ...productionSettings(sandbox), ENCRYPTION_KEYS: keys, WATCHPOST_DATA: data });

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

describe('alone, without a server', () => {
  test('a wrong secret says what to do, and nothing is saved', async () => {
    const { code, out } = await watchpost(
      'connect',
      contoso.domain,
      '--app-id',
      contoso.appId,
      '--secret-file',
      file('wrong', 'not-the-secret-of-this-app'),
    );
    expect(out).toMatch(/failed Sign in to the tenant: .*secret/);
    expect(out).toMatch(/AADSTS7000215/);
    expect(out).toMatch(/ in Entra: https:\/\/entra\.microsoft\.com\/\S+Credentials\S+\n/);
    expect(out).toMatch(/Nothing was saved\./);
    expect(out).not.toContain('not-the-secret-of-this-app');
    expect(code).toBe(1);
  });

  test("settings come from the server's file when it is named; its cloud says which Entra is linked", async () => {
    const { WATCHPOST_TEST_SANDBOX = '', ...settings } = productionSettings(sandbox);
    const lines = Object.entries({
      ...settings,
      ENCRYPTION_KEYS: keys,
      WATCHPOST_DATA: data,
      CLOUD: 'usgov',
    });
    const env = file('server.env', lines.map(([name, value]) => `${name}=${value}\n`).join(''));
    const asked = (...more: string[]) =>
      runWatchpost(
        [
          ...['connect', contoso.domain, '--app-id', contoso.appId],
          ...['--secret-file', file('wrong', 'not-the-secret-of-this-app'), ...more],
        ],
        // Not the folder of a demo that somebody has run here.
        { WATCHPOST_TEST_SANDBOX, WATCHPOST_DATA: join(folder, 'nobody') },
      );
    const named = await asked('--env', env);
    expect(named.out).toMatch(/failed Sign in to the tenant: .*secret/);
    expect(named.out).toMatch(/ in Entra: https:\/\/entra\.microsoft\.us\/\S+Credentials\S+\n/);
    const without = await asked();
    expect(without.out).toMatch(/no production settings are set\.\n.*--env/);
    const gone = await asked('--env', join(folder, 'gone.env'));
    expect(gone.out).toMatch(/gone\.env cannot be read\./);
    expect([named.code, without.code, gone.code]).toEqual([1, 1, 1]);
  }, 60_000);

  test('a domain that nobody has, and options that do not fit, are a sentence each', async () => {
    const secret = file('secret', contoso.secret);
    const nobody = await watchpost(
      'connect',
      'nobody-has-this.com',
      '--app-id',
      contoso.appId,
      '--secret-file',
      secret,
    );
    expect(nobody.out).toMatch(/No Microsoft 365 tenant has the domain "nobody-has-this\.com"\./);
    const options = await watchpost(
      'connect',
      contoso.domain,
      '--app-id',
      'not-a-guid',
      '--secret-file',
      secret,
    );
    expect(options.out).toMatch(/--app-id must be a GUID/);
    const short = await watchpost(
      ...['connect', contoso.domain, '--app-id', contoso.appId],
      ...['--secret-file', file('short', 'abc\n')],
    );
    expect(short.out).toMatch(/holds no client secret: it wants the Value, .* not the Secret ID/);
    const unknown = await watchpost('connect', contoso.domain, '--colour', 'red');
    expect(unknown.out).toMatch(/--colour/);
    expect([nobody, options, short, unknown].map(({ code }) => code)).toEqual([1, 1, 1, 1]);
    expect(nobody.out + options.out + unknown.out).not.toMatch(/\n\s+at /);
  }, 60_000);

  test('a permission that is missing is named, and nothing is saved', async () => {
    await sandbox.control('POST', `/_sandbox/tenants/${contoso.domain}/consent`, {
      grant: ['Organization.Read.All', 'Domain.Read.All', 'LicenseAssignment.Read.All'],
    });
    const { code, out } = await watchpost(
      'connect',
      contoso.domain,
      '--app-id',
      contoso.appId,
      '--secret-file',
      file('secret', contoso.secret),
    );
    expect(out).toMatch(/ok +Read the domains/);
    expect(out).toMatch(/failed Read Secure Score: .*SecurityEvents\.Read\.All/);
    expect(out).toMatch(/Nothing was saved\./);
    expect(code).toBe(1);
    await sandbox.control('POST', `/_sandbox/tenants/${contoso.domain}/consent`, {
      grant: [
        'Organization.Read.All',
        'Domain.Read.All',
        'LicenseAssignment.Read.All',
        'SecurityEvents.Read.All',
      ],
    });
  }, 60_000);

  test('the right secret connects, reads once and says the score', async () => {
    const { code, out } = await watchpost(
      'connect',
      contoso.domain,
      '--app-id',
      contoso.appId,
      '--secret-file',
      file('secret', contoso.secret),
    );
    expect(out).toMatch(/Connected Contoso Ltd \(contoso\.com\)/);
    expect(out).toMatch(/First read: \d+\.\d.% \(/);
    expect(code).toBe(0);
  }, 60_000);
});

describe('beside a running server', () => {
  let program: Program;
  beforeAll(async () => {
    program = await startProgram({ sandbox, folder: data, env: { ENCRYPTION_KEYS: keys } });
  }, 60_000);
  afterAll(async () => {
    await program?.stop();
  });

  test('the socket is for the owner of the data alone', () => {
    expect(statSync(join(data, 'watchpost.sock')).mode & 0o777).toBe(0o600);
  });

  test('a certificate whose key is another one is refused with its reason; the right pair connects', async () => {
    await sandbox.control('POST', `/_sandbox/tenants/${fabrikam.domain}/app`, {
      certificate: certificatePem,
    });
    const certificate = file('certificate.pem', certificatePem);
    const wrong = await watchpost(
      'connect',
      fabrikam.domain,
      '--app-id',
      fabrikam.appId,
      '--certificate-file',
      certificate,
      '--key-file',
      file('other.pem', otherKeyPem),
    );
    expect(wrong.out).toMatch(/failed Sign in to the tenant/);
    expect(wrong.code).toBe(1);

    const right = await watchpost(
      'connect',
      fabrikam.domain,
      '--name',
      'Fabrikam Group',
      '--app-id',
      fabrikam.appId,
      '--certificate-file',
      certificate,
      '--key-file',
      file('key.pem', privateKeyPem),
    );
    expect(right.out).toMatch(/Connected Fabrikam Group \(fabrikam\.com\)[\s\S]*First read: /);
    expect(right.code).toBe(0);
  }, 90_000);

  test('the first Admin claims with the printed code; the code works once, and five wrong ones are enough', async () => {
    const [, code] = await program.said(/claim ([A-Z2-9]{4}-[A-Z2-9]{4})/);
    const ana = sandbox.info.people[0];
    const eli = sandbox.info.people[4];
    for (let tries = 0; tries < 5; tries += 1)
      expect(await say(eli?.oid ?? '', 'claim ABCD-EFGH')).toMatch(/not the code/);
    expect(await say(eli?.oid ?? '', `claim ${code}`)).toMatch(/Too many tries/);
    expect(await say(ana?.oid ?? '', `claim ${code}`)).toMatch(/You are an Admin now/);
    expect(await say(eli?.oid ?? '', `claim ${code}`)).toMatch(/Too many tries|no code/);
    expect(await say(ana?.oid ?? '', 'score contoso')).toMatch(/Contoso Ltd: \d+\.\d/);
    expect(await say(ana?.oid ?? '', 'score fabrikam')).toMatch(/Fabrikam/);
    // The code is nowhere but on the terminal.
    expect(program.err()).not.toContain(code);
  }, 60_000);

  test('no secret, key or certificate key lies in clear in the data folder', () => {
    const needles = [contoso.secret, privateKeyPem.split('\n')[3] ?? '', fabrikam.secret].filter(
      (one) => one.length > 10,
    );
    expect(needles.length).toBe(3);
    const found = readdirSync(data)
      .filter((name) => statSync(join(data, name)).isFile())
      .filter((name) => needles.some((needle) => readFileSync(join(data, name), 'latin1').includes(needle)));
    expect(found).toEqual([]);
    // The search itself is awake.
    const planted = file('planted', `x${contoso.secret}x`);
    chmodSync(planted, 0o600);
    expect(readFileSync(planted, 'latin1').includes(needles[0] ?? '')).toBe(true);
  });

  /** A person of the home tenant in the personal chat, with a real token; answers what the bot posted. */
  async function say(oid: string, text: string): Promise<string> {
    const conversation = `a:personal-of-${oid}`;
    const before = (await sandbox.posts(`?conversation=${encodeURIComponent(conversation)}`)).length;
    const serviceUrl = 'https://smba.trafficmanager.net/emea/';
    const tid = sandbox.info.apps.bot.tenantId;
    const token = await sandbox.token({ for: 'bot', claims: { serviceurl: serviceUrl } });
    const answer = await fetch(`${program.url}/api/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({
        type: 'message',
        id: `${Math.round(performance.now() * 1000)}`,
        channelId: 'msteams',
        serviceUrl,
        text,
        from: { id: `29:${oid}`, aadObjectId: oid, name: 'Somebody' },
        recipient: { id: `28:${sandbox.info.apps.bot.appId}` },
        conversation: { id: conversation, conversationType: 'personal', tenantId: tid },
        channelData: { tenant: { id: tid } },
      }),
    });
    expect(answer.status).toBe(200);
    const post = await poll(
      async () =>
        (await sandbox.posts(`?conversation=${encodeURIComponent(conversation)}`))
          .slice(before)
          .find((one) => one.activity?.type === 'message'),
      10_000,
      () => `no answer to ${text}`,
    );
    return [post.activity?.text, post.activity?.summary].filter(Boolean).join(' ');
  }
});
