import { createRequire } from 'node:module';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { clouds } from '../../bot/clouds.ts';
import { openSigningKeys } from '../../bot/microsoft/keys.ts';
import { openTokenCheck } from '../../bot/teams/authenticator.ts';
import { parseCommand } from '../../shared/command.ts';
import { count, seeded } from '../support/counts.ts';
import { type Difference, mint, part } from './mint.ts';
import { openRig, type Rig, serviceUrl } from './rig.ts';

/** R1, R2, R5: one right token among many that differ from it in one thing, over real HTTP, with really published keys. */

let rig: Rig;
let handled = 0;
beforeAll(async () => {
  rig = await openRig({
    commands: {
      parseCommand,
      changesSomething: () => false,
      async runCommand() {
        handled += 1;
        return { text: 'let in', to: 'conversation', tenants: [] };
      },
      cardActions: {},
    },
  });
});
afterAll(() => rig.close());

const now = Math.floor(Date.now() / 1000);
const otherApp = '5f0c2b1a-6a7e-4a39-9a0b-3e2f7d5c8a10';
const home = '6f1c0a7e-51d2-4c39-9a0b-3e2f7d5c8a10';

type Row = {
  name: string;
  difference?: Difference;
  /** The header lines, given the right token and the one that differs. */
  lines?: (right: string, changed: string) => string[];
  activity?: Record<string, unknown>;
  /** The signed address follows the activity's, so that only the host is wrong. */
  claimFollows?: boolean;
};

const same = (address: string, name = `serviceUrl ${address}`): Row => ({
  name,
  activity: { serviceUrl: address },
  difference: { claims: { serviceurl: address } },
});

const wrong: Row[] = [
  { name: 'no header', lines: () => [] },
  { name: 'an empty header', lines: () => [''] },
  { name: 'only the scheme', lines: () => ['Bearer'] },
  { name: 'two headers, both right', lines: (right) => [`Bearer ${right}`, `Bearer ${right}`] },
  { name: 'two headers, the second empty', lines: (right) => [`Bearer ${right}`, ''] },
  { name: 'two tokens in one header', lines: (right) => [`Bearer ${right}, Bearer ${right}`] },
  { name: 'scheme in lower case', lines: (right) => [`bearer ${right}`] },
  { name: 'scheme in upper case', lines: (right) => [`BEARER ${right}`] },
  { name: 'two blanks after the scheme', lines: (right) => [`Bearer  ${right}`] },
  { name: 'a tab after the scheme', lines: (right) => [`Bearer\t${right}`] },
  { name: 'something behind the token', lines: (right) => [`Bearer ${right} x`] },
  { name: 'no scheme', lines: (right) => [right] },
  { name: 'scheme Basic', lines: (right) => [`Basic ${right}`] },
  { name: 'token in quotation marks', lines: (right) => [`Bearer "${right}"`] },
  { name: 'two parts', lines: (right) => [`Bearer ${right.split('.').slice(0, 2).join('.')}`] },
  { name: 'four parts', lines: (right) => [`Bearer ${right}.abcd`] },
  { name: 'signature with padding', lines: (right) => [`Bearer ${right}==`] },
  { name: 'signature in plain base64', lines: (right) => [`Bearer ${right}+/`] },
  { name: 'signature cut by one', lines: (right) => [`Bearer ${right.slice(0, -1)}`] },
  { name: 'signature longer by four', lines: (right) => [`Bearer ${right}AAAA`] },
  { name: 'no signature', lines: (right) => [`Bearer ${right.split('.').slice(0, 2).join('.')}.`] },
  {
    name: 'header that is no JSON',
    lines: (right) => [`Bearer ${part('nonsense')}.${right.split('.').slice(1).join('.')}`],
  },
  {
    name: 'header that is a list',
    lines: (right) => [`Bearer ${part([])}.${right.split('.').slice(1).join('.')}`],
  },
  {
    name: 'claims of another token',
    lines: (right, changed) => [
      `Bearer ${right.split('.')[0]}.${changed.split('.')[1]}.${right.split('.')[2]}`,
    ],
    difference: { claims: { extra: 1 } },
  },
  { name: 'algorithm none', difference: { how: 'none' } },
  { name: 'algorithm none with a signature', difference: { header: { alg: 'none' } } },
  { name: 'algorithm NONE', difference: { header: { alg: 'NONE' } } },
  { name: 'HS256 with the published key as secret', difference: { how: 'HS256' } },
  { name: 'RS384 by the right key', difference: { how: 'RS384' } },
  { name: 'RS512 by the right key', difference: { how: 'RS512' } },
  { name: 'PS256 by the right key', difference: { how: 'PS256' } },
  { name: 'PS256 that calls itself RS256', difference: { how: 'PS256', header: { alg: 'RS256' } } },
  { name: 'RS384 that calls itself RS256', difference: { how: 'RS384', header: { alg: 'RS256' } } },
  { name: 'ES256', difference: { how: 'ES256' } },
  { name: 'algorithm in lower case', difference: { header: { alg: 'rs256' } } },
  { name: 'no algorithm', difference: { header: { alg: undefined } } },
  { name: 'no kid', difference: { header: { kid: undefined } } },
  { name: 'empty kid', difference: { header: { kid: '' } } },
  { name: 'kid nobody publishes', difference: { header: { kid: 'nobody' } } },
  { name: 'kid that is a number', difference: { header: { kid: 7 } } },
  { name: 'kid that is a path', difference: { header: { kid: '../../etc/passwd' } } },
  { name: 'a key brought along', difference: { header: { jwk: { kty: 'RSA' } } } },
  { name: 'an address of keys brought along', difference: { header: { jku: 'https://evil.example/keys' } } },
  { name: 'an extension that must be understood', difference: { header: { crit: ['exp'] } } },
  { name: 'type JWE', difference: { header: { typ: 'JWE' } } },
  { name: "somebody else's key under the right kid", difference: { key: 'stranger' } },
  { name: "Entra's key with its own kid", difference: { key: 'entra' } },
  { name: 'issuer absent', difference: { claims: { iss: undefined } } },
  { name: 'issuer with a slash', difference: { claims: { iss: 'https://api.botframework.com/' } } },
  { name: 'issuer in upper case', difference: { claims: { iss: 'https://API.botframework.com' } } },
  {
    name: 'issuer of the emulator, v1',
    difference: { claims: { iss: `https://sts.windows.net/${home}/`, appid: 'BOT' } },
  },
  {
    name: 'issuer of the emulator, v2',
    difference: { claims: { iss: `https://login.microsoftonline.com/${home}/v2.0`, azp: 'BOT', ver: '2.0' } },
  },
  { name: 'issuer of another cloud', difference: { claims: { iss: 'https://api.botframework.us' } } },
  { name: 'issuers in a list', difference: { claims: { iss: ['https://api.botframework.com'] } } },
  { name: 'audience absent', difference: { claims: { aud: undefined } } },
  { name: 'audience another app', difference: { claims: { aud: otherApp } } },
  { name: 'audience in a list', difference: { claims: { aud: ['BOT'] } } },
  { name: 'audience with our own among others', difference: { claims: { aud: ['BOT', otherApp] } } },
  { name: 'audience as an address', difference: { claims: { aud: 'api://BOT' } } },
  { name: 'audience empty', difference: { claims: { aud: '' } } },
  { name: 'expired ten minutes ago', difference: { claims: { exp: now - 600, nbf: now - 4000 } } },
  { name: 'expired beyond the leeway', difference: { claims: { exp: now - 302 } } },
  { name: 'expiry absent', difference: { claims: { exp: undefined } } },
  { name: 'expiry as text', difference: { claims: { exp: String(now + 3600) } } },
  { name: 'expiry null', difference: { claims: { exp: null } } },
  { name: 'not valid for ten minutes', difference: { claims: { nbf: now + 600 } } },
  { name: 'beginning as text', difference: { claims: { nbf: 'soon' } } },
  { name: 'no service address signed', difference: { claims: { serviceurl: undefined } } },
  { name: 'empty service address signed', difference: { claims: { serviceurl: '' } } },
  {
    name: 'another service address signed',
    difference: { claims: { serviceurl: 'https://smba.trafficmanager.net/amer/' } },
  },
  {
    name: 'service address differs by its slash',
    difference: { claims: { serviceurl: serviceUrl.slice(0, -1) } },
  },
  {
    name: 'service address differs by case',
    difference: { claims: { serviceurl: serviceUrl.toUpperCase() } },
  },
  { name: 'service addresses in a list', difference: { claims: { serviceurl: [serviceUrl] } } },
  { name: 'activity without a service address', activity: { serviceUrl: undefined } },
  { name: 'activity with an empty service address', activity: { serviceUrl: '' } },
  { name: 'activity with null as service address', activity: { serviceUrl: null } },
  same('https://evil.example/', 'signed address of a stranger'),
  same('http://smba.trafficmanager.net/emea/', 'signed address without TLS'),
  same('https://smba.trafficmanager.net.evil.example/', 'signed address that begins like ours'),
  same('https://user@smba.trafficmanager.net/emea/', 'signed address with a user'),
  same('https://smba.trafficmanager.net:444/emea/', 'signed address with a port'),
  same('https://smba.trafficmanager.net:443/emea/', 'signed address with the usual port'),
  same('https://smba.trafficmanager.net./emea/', 'signed address with a dot at the end of its host'),
  same('https://SMBA.trafficmanager.net/emea/', 'signed address in upper case'),
  same('https://smba。trafficmanager。net/emea/', 'signed address with full-width dots'),
  same('https://xn--smba-trafficmanager.net/', 'signed address in punycode'),
  same('https://127.0.0.1/', 'signed address of this machine'),
  same('https://botframework.com.evil.example/', 'signed address with our suffix in the middle'),
  same('https://evilbotframework.com/', 'signed address with our suffix without its dot'),
  same('https://smba.trafficmanager.net\\@evil.example/', 'signed address with a backslash'),
  same('https://smba.trafficmanager.net/emea/?x=1', 'signed address with a query'),
  same('ftp://smba.trafficmanager.net/', 'signed address of another scheme'),
  { name: 'channel emulator', activity: { channelId: 'emulator' } },
  { name: 'channel webchat', activity: { channelId: 'webchat' } },
  { name: 'channel AseChannel', activity: { channelId: 'AseChannel' } },
  { name: 'channel in upper case', activity: { channelId: 'MSTEAMS' } },
  { name: 'channel absent', activity: { channelId: undefined } },
  { name: 'channel in a list', activity: { channelId: ['msteams'] } },
];

test(`of ${wrong.length + 1} tokens exactly one is let in`, async () => {
  expect(wrong.length).toBeGreaterThanOrEqual(60);
  expect(new Set(wrong.map((row) => row.name)).size).toBe(wrong.length);
  const right = mint(rig.botId, serviceUrl);
  const before = handled;
  const letIn: string[] = [];
  const statuses = new Set<number>();
  for (const row of [...wrong, { name: 'the right one' } satisfies Row]) {
    const difference = JSON.parse(
      JSON.stringify(row.difference ?? {}).replaceAll('BOT', rig.botId),
    ) as Difference;
    for (const kind of ['header', 'claims'] as const) {
      // JSON drops what is undefined: the member is to be taken away.
      for (const [name, value] of Object.entries(row.difference?.[kind] ?? {})) {
        if (value === undefined) difference[kind] = { ...difference[kind], [name]: undefined };
      }
    }
    const changed = mint(rig.botId, serviceUrl, difference);
    const authorization = row.lines?.(right, changed) ?? [`Bearer ${changed}`];
    const answer = await rig.post(rig.activity(row.activity), { authorization });
    if (answer.status === 200) letIn.push(row.name);
    else statuses.add(answer.status);
  }
  expect(letIn).toEqual(['the right one']);
  expect([...statuses]).toEqual([401]);
  expect(handled).toBe(before + 1);
});

test('every reason to refuse is the reason of some row', async () => {
  const reasons = new Set(rig.lines.map(({ fields }) => fields.reason).filter((one) => one !== undefined));
  expect([...reasons].sort()).toEqual([
    'algorithm',
    'audience',
    'channel',
    'claims',
    'expired',
    'header',
    'issuer',
    'no-header',
    'no-kid',
    'no-service-url',
    'not-a-jwt',
    'not-yet',
    'scheme',
    'service-url-claim',
    'service-url-host',
    'several-headers',
    'signature',
    'unknown-key',
  ]);
});

test('while Bot Framework’s keys cannot be had the door says so, and lets nobody in', async () => {
  const check = openTokenCheck({
    keys: openSigningKeys({
      outbound: () => Promise.reject(new Error('Microsoft is away')),
      metadataUrl: clouds.global.botOpenIdMetadata,
      now: Date.now,
    }),
    botId: rig.botId,
    issuer: clouds.global.botIssuer,
    allowedHosts: clouds.global.connectorHosts,
  });
  const line = `Bearer ${mint(rig.botId, serviceUrl)}`;
  expect(await check([line], { channelId: 'msteams', serviceUrl }, Date.now())).toEqual({
    kind: 'refused',
    why: 'keys-unavailable',
  });
});

test('our own tokens do not open our own door', async () => {
  // What we send to the connector, and what a person of the home tenant has for the tab: F1's two ways in.
  const outbound = await rig.sandbox.token({ for: 'tab' });
  const asTab = await rig.post(rig.activity(), { authorization: `Bearer ${outbound}` });
  expect(asTab.status).toBe(401);
  const own = mint(rig.botId, serviceUrl, {
    key: 'entra',
    claims: {
      iss: `https://sts.windows.net/${home}/`,
      aud: rig.botId,
      appid: rig.botId,
      tid: home,
      ver: '1.0',
    },
  });
  expect((await rig.post(rig.activity(), { authorization: `Bearer ${own}` })).status).toBe(401);
});

test('a remembered token is checked against each activity', async () => {
  const authorization = `Bearer ${mint(rig.botId, serviceUrl)}`;
  expect((await rig.post(rig.activity(), { authorization })).status).toBe(200);
  const elsewhere = rig.activity({ serviceUrl: 'https://smba.trafficmanager.net/amer/' });
  expect((await rig.post(elsewhere, { authorization })).status).toBe(401);
  expect((await rig.post(rig.activity({ channelId: 'emulator' }), { authorization })).status).toBe(401);
  expect((await rig.post(rig.activity(), { authorization: [authorization, authorization] })).status).toBe(
    401,
  );
  expect((await rig.post(rig.activity(), { authorization })).status).toBe(200);
});

test('a refused activity learns nothing but 401', async () => {
  const answer = await rig.post(rig.activity(), { authorization: null });
  expect(answer.status).toBe(401);
  expect(answer.body).toEqual({
    title: 'Sign-in needed',
    status: 401,
    detail: 'The token of this activity is not accepted.',
    id: expect.any(String),
  });
});

test('unsigned tokens of many tenants leave nothing behind in the library', async () => {
  const require = createRequire(import.meta.url);
  const { ToBotFromBotOrEmulatorTokenValidationParameters: shared } =
    require('botframework-connector/lib/auth/tokenValidationParameters.js') as {
      ToBotFromBotOrEmulatorTokenValidationParameters: { issuer: string[] };
    };
  const issuers = shared.issuer.length;
  expect(issuers).toBeGreaterThan(0);
  const fetches = (await rig.sandbox.requests()).length;
  const random = seeded();
  const many = count(1000, 20_000);
  for (let done = 0; done < many; done += 50) {
    const batch = Array.from({ length: 50 }, () => {
      const tid = `${Math.floor(random() * 1e8)}`.padStart(8, '0').concat('-51d2-4c39-9a0b-3e2f7d5c8a10');
      const token = mint(rig.botId, serviceUrl, {
        how: 'none',
        claims: { iss: `https://sts.windows.net/${tid}/`, tid, azp: rig.botId, ver: '2.0' },
      });
      const channelId = ['msteams', 'emulator', 'AseChannel'][Math.floor(random() * 3)];
      return rig.post(rig.activity({ channelId }), { authorization: `Bearer ${token}x` });
    });
    for (const answer of await Promise.all(batch)) expect(answer.status).toBe(401);
  }
  expect(shared.issuer.length).toBe(issuers);
  // And nobody was asked about any of them.
  expect((await rig.sandbox.requests()).length).toBe(fetches);
}, 120_000);
