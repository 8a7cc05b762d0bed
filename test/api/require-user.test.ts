import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CompactSign, SignJWT } from 'jose';
import { hostClients, openRequireUser } from '../../bot/api/require-user.ts';
import { demoBotId, demoHome, demoPeople, demoTabAppId } from '../../bot/cast.ts';
import { WatchpostError } from '../../bot/errors.ts';
import { type LogFields, silentLog } from '../../bot/log.ts';
import { newKeyringText, parseKeyring } from '../../bot/secrets.ts';
import { openStore } from '../../bot/store/open.ts';
import { roleOf } from '../../shared/access.ts';
import { count, seeded } from '../support/counts.ts';
import { fiveTenants } from '../tab/seeded.ts';
import { openTabServer, type TabServer } from '../tab/tab-server.ts';
import { claimsOf, issuer } from '../tab/tab-tokens.ts';

/** R11 over real HTTP: tokens that differ from a good one in one thing. */

const elsewhere = '11111111-2222-4333-8444-555555555555';
const connected = 'a1b2c3d4-0000-4000-8000-000000000001';
const now = Math.floor(Date.now() / 1000);
let server: TabServer;

beforeAll(async () => {
  server = await openTabServer({ seeds: fiveTenants.slice(0, 1) });
  await server.grant(0, 'Reader', 'all');
});
afterAll(() => server.close());

type Row = { token: string; status: number; make: () => string | Promise<string> };

const good = (change: Record<string, unknown> = {}) => server.entra.token(change);
const signed = (header: Record<string, unknown>, key?: KeyObject, change: Record<string, unknown> = {}) =>
  new SignJWT(claimsOf(change))
    .setProtectedHeader({ alg: 'RS256', kid: 'k1', ...header } as never)
    .sign(key ?? server.entra.right);
const of = (tid: string) => ({ tid, iss: issuer.replace('{tid}', tid) });
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const byHand = (header: object, claims: object, signature = '') =>
  `Bearer ${base64(header)}.${base64(claims)}.${signature}`;
const bearer = async (token: string | Promise<string>) => `Bearer ${await token}`;

const rows: Row[] = [
  { token: 'as Teams sends it', status: 200, make: () => bearer(good({ uti: 'x', rh: 'y' })) },
  ...hostClients.map((azp) => ({
    token: `through the host ${azp.slice(0, 8)}`,
    status: 200,
    make: () => bearer(good({ azp })),
  })),
  { token: 'through our own popup', status: 200, make: () => bearer(good({ azp: demoTabAppId })) },
  { token: 'of a connected tenant', status: 200, make: () => bearer(good(of(connected))) },
  {
    token: 'with more scopes beside ours',
    status: 200,
    make: () => bearer(good({ scp: 'openid access_as_user' })),
  },
  { token: 'expired one minute ago', status: 200, make: () => bearer(good({ exp: now - 60 })) },
  {
    token: 'with a name of another script and an address nobody checks',
    status: 200,
    make: () => bearer(good({ name: 'Ana Ре́йес ✓', email: 'admin@evil.example', upn: 7, wids: ['x'] })),
  },
  {
    token: 'with our scope last of many',
    status: 200,
    make: () => bearer(good({ scp: 'a b c access_as_user' })),
  },
  { token: 'of a user, said in so many words', status: 200, make: () => bearer(good({ idtyp: 'user' })) },
  { token: 'of a guest', status: 200, make: () => bearer(good({ acct: 1 })) },
  { token: 'valid in one minute', status: 200, make: () => bearer(good({ nbf: now + 60, iat: now + 60 })) },

  { token: 'missing', status: 401, make: () => '' },
  { token: 'not of the Bearer kind', status: 401, make: async () => `Basic ${await good()}` },
  { token: 'with a lower-case scheme', status: 401, make: async () => `bearer ${await good()}` },
  { token: 'with something after it', status: 401, make: async () => `Bearer ${await good()} x` },
  {
    token: 'of two parts',
    status: 401,
    make: async () => `Bearer ${(await good()).split('.').slice(0, 2).join('.')}`,
  },
  { token: 'that is no token', status: 401, make: () => 'Bearer a.b.c' },
  {
    token: 'of 20 KB, which Node itself refuses',
    status: 431,
    make: () => bearer(good({ extra: 'x'.repeat(14_000) })),
  },
  {
    token: 'without signature, alg none',
    status: 401,
    make: () => byHand({ alg: 'none', kid: 'k1' }, claimsOf()),
  },
  {
    token: 'without signature, alg RS256',
    status: 401,
    make: () => byHand({ alg: 'RS256', kid: 'k1' }, claimsOf()),
  },
  {
    token: 'signed HS256 with the public key as secret',
    status: 401,
    make: async () => {
      const found = await server.entra.keys.find('k1');
      const pem = String(found?.key.export({ type: 'spki', format: 'pem' }));
      const head = `${base64({ alg: 'HS256', kid: 'k1' })}.${base64(claimsOf())}`;
      return `Bearer ${head}.${createHmac('sha256', pem).update(head).digest('base64url')}`;
    },
  },
  { token: 'signed RS384', status: 401, make: () => bearer(signed({ alg: 'RS384' })) },
  { token: 'signed PS256', status: 401, make: () => bearer(signed({ alg: 'PS256' })) },
  { token: 'signed with another key', status: 401, make: () => bearer(signed({}, server.entra.wrong)) },
  { token: 'with an unknown kid', status: 401, make: () => bearer(signed({ kid: 'k2' })) },
  { token: 'without a kid', status: 401, make: () => bearer(signed({ kid: undefined })) },
  {
    token: 'with a critical header nobody knows',
    status: 401,
    make: () => {
      const payload = new TextEncoder().encode(JSON.stringify(claimsOf()));
      return bearer(
        new CompactSign(payload)
          .setProtectedHeader({ alg: 'RS256', kid: 'k1', crit: ['x'], x: 1 })
          .sign(server.entra.right, { crit: { x: true } }),
      );
    },
  },
  {
    token: 'with claims changed after signing',
    status: 401,
    make: async () => {
      const [head, , signature] = (await good()).split('.');
      return `Bearer ${head}.${base64(claimsOf({ oid: elsewhere }))}.${signature}`;
    },
  },
  { token: 'for the bot', status: 401, make: () => bearer(good({ aud: demoBotId })) },
  { token: 'for Graph', status: 401, make: () => bearer(good({ aud: 'https://graph.microsoft.com' })) },
  { token: 'for us as api://', status: 401, make: () => bearer(good({ aud: `api://${demoTabAppId}` })) },
  { token: 'for us and another', status: 401, make: () => bearer(good({ aud: [demoTabAppId, demoBotId] })) },
  { token: 'for nobody', status: 401, make: () => bearer(good({ aud: undefined })) },
  {
    token: 'by the v1 issuer',
    status: 401,
    make: () => bearer(good({ iss: `https://sts.windows.net/${demoHome.id}/` })),
  },
  {
    token: 'by the issuer of another tenant',
    status: 401,
    make: () => bearer(good({ iss: of(connected).iss })),
  },
  {
    token: 'by our issuer, naming another tenant',
    status: 401,
    make: () => bearer(good({ tid: connected })),
  },
  {
    token: 'by the issuer of another cloud',
    status: 401,
    make: () => bearer(good({ iss: of(demoHome.id).iss.replace('.com', '.us') })),
  },
  { token: 'without an issuer', status: 401, make: () => bearer(good({ iss: undefined })) },
  { token: 'with common as its tenant', status: 401, make: () => bearer(good(of('common'))) },
  { token: 'of version 1.0', status: 401, make: () => bearer(good({ ver: '1.0' })) },
  { token: 'without scope', status: 401, make: () => bearer(good({ scp: undefined })) },
  {
    token: 'with another scope',
    status: 401,
    make: () => bearer(good({ scp: 'access_as_user2 User.Read' })),
  },
  {
    token: 'with roles only',
    status: 401,
    make: () => bearer(good({ scp: undefined, roles: ['Watchpost.Admin'] })),
  },
  { token: 'of an app', status: 401, make: () => bearer(good({ idtyp: 'app' })) },
  { token: 'through an unknown client', status: 401, make: () => bearer(good({ azp: elsewhere })) },
  { token: 'through no client', status: 401, make: () => bearer(good({ azp: undefined })) },
  {
    token: 'with v1 appid instead of azp',
    status: 401,
    make: () => bearer(good({ azp: undefined, appid: hostClients[0] })),
  },
  { token: 'without a person', status: 401, make: () => bearer(good({ oid: undefined })) },
  { token: 'with a person that is no id', status: 401, make: () => bearer(good({ oid: { $ne: '' } })) },
  { token: 'expired three minutes ago', status: 401, make: () => bearer(good({ exp: now - 180 })) },
  { token: 'valid in three minutes', status: 401, make: () => bearer(good({ nbf: now + 180 })) },
  { token: 'issued in three minutes', status: 401, make: () => bearer(good({ iat: now + 180 })) },
  { token: 'that never expires', status: 401, make: () => bearer(good({ exp: undefined })) },
  { token: 'without a beginning', status: 401, make: () => bearer(good({ nbf: undefined })) },
  { token: 'with a text as its end', status: 401, make: () => bearer(good({ exp: 'never' })) },
  { token: 'of a tenant that is not ours', status: 403, make: () => bearer(good(of(elsewhere))) },
  {
    token: 'of the tenant of personal accounts',
    status: 403,
    make: () => bearer(good(of('9188040d-6c67-4c5b-b112-36a304b66dad'))),
  },
  {
    token: 'of a tenant that is not ours, with an app role of ours',
    status: 403,
    make: () => bearer(good({ ...of(elsewhere), roles: ['Watchpost.Admin'] })),
  },

  // The header decides nothing but the key.
  {
    token: 'with its own key in the header',
    status: 401,
    make: () => {
      const jwk = createPublicKey(server.entra.wrong).export({ format: 'jwk' });
      return bearer(signed({ jwk }, server.entra.wrong));
    },
  },
  {
    token: 'that says where its keys are',
    status: 401,
    make: () => bearer(signed({ jku: 'https://evil.example/keys' }, server.entra.wrong)),
  },
  {
    token: 'with a certificate of its own',
    status: 401,
    make: () => bearer(signed({ x5u: 'https://evil.example/c.pem', x5c: ['MIIB'] }, server.entra.wrong)),
  },
  {
    token: 'with a path as kid',
    status: 401,
    make: () => bearer(signed({ kid: '../../../../dev/null' }, server.entra.wrong)),
  },
  { token: 'with a query as kid', status: 401, make: () => bearer(signed({ kid: "k1' or 1=1 --" })) },
  { token: 'with an empty kid', status: 401, make: () => bearer(signed({ kid: '' })) },
  { token: 'with a kid of 300 letters', status: 401, make: () => bearer(signed({ kid: 'k'.repeat(300) })) },
  { token: 'with a kid in capitals', status: 401, make: () => bearer(signed({ kid: 'K1' })) },
  {
    token: 'with a number as kid',
    status: 401,
    make: () => byHand({ alg: 'RS256', kid: 1 }, claimsOf(), 'c2ln'),
  },
  {
    token: 'with "None" as algorithm',
    status: 401,
    make: () => byHand({ alg: 'None', kid: 'k1' }, claimsOf()),
  },
  {
    token: 'with rs256 in small letters',
    status: 401,
    make: async () => {
      const [, claims, signature] = (await good()).split('.');
      return `Bearer ${base64({ alg: 'rs256', kid: 'k1' })}.${claims}.${signature}`;
    },
  },
  {
    token: 'signed ES256',
    status: 401,
    make: () =>
      bearer(signed({ alg: 'ES256' }, generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)),
  },
  {
    token: 'that is encrypted (five parts)',
    status: 401,
    make: () => `Bearer ${base64({ alg: 'RSA-OAEP', enc: 'A256GCM', kid: 'k1' })}.a.b.c.d`,
  },
  {
    token: 'with one bit of the signature changed',
    status: 401,
    make: async () => {
      const token = await good();
      const at = token.lastIndexOf('.') + 5;
      return `Bearer ${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
    },
  },
  {
    token: 'with the signature of another token',
    status: 401,
    make: async () => {
      const [head, claims] = (await good()).split('.');
      return `Bearer ${head}.${claims}.${(await good({ oid: elsewhere })).split('.')[2]}`;
    },
  },
  {
    token: 'in plain base64 with padding',
    status: 401,
    make: async () => `Bearer ${(await good()).replaceAll('-', '+').replaceAll('_', '/')}==`,
  },
  {
    token: 'whose claims are no JSON',
    status: 401,
    make: () =>
      bearer(
        new CompactSign(new TextEncoder().encode('not json'))
          .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
          .sign(server.entra.right),
      ),
  },
  {
    token: 'whose claims are a list',
    status: 401,
    make: () =>
      bearer(
        new CompactSign(new TextEncoder().encode('[]'))
          .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
          .sign(server.entra.right),
      ),
  },
  {
    token: 'twice in one line',
    status: 401,
    make: async () => `Bearer ${await good()}, Bearer ${await good()}`,
  },
  { token: 'with two spaces', status: 401, make: async () => `Bearer  ${await good()}` },
  { token: 'without the word Bearer', status: 401, make: async () => await good() },
  { token: 'of the word alone', status: 401, make: () => 'Bearer' },

  // Claims of the right name and the wrong kind, or of the wrong place.
  { token: 'with a list as its tenant', status: 401, make: () => bearer(good({ tid: [demoHome.id] })) },
  {
    token: 'with its tenant in capitals',
    status: 401,
    make: () => bearer(good(of(demoHome.id.toUpperCase()))),
  },
  { token: 'without a tenant', status: 401, make: () => bearer(good({ tid: undefined })) },
  { token: 'with organizations as its tenant', status: 401, make: () => bearer(good(of('organizations'))) },
  {
    token: 'by an issuer that only begins like ours',
    status: 401,
    make: () => bearer(good({ iss: `${of(demoHome.id).iss}.evil.example` })),
  },
  {
    token: 'by an issuer with a slash more',
    status: 401,
    make: () => bearer(good({ iss: `${of(demoHome.id).iss}/` })),
  },
  {
    token: 'by our issuer without TLS',
    status: 401,
    make: () => bearer(good({ iss: of(demoHome.id).iss.replace('https', 'http') })),
  },
  { token: 'for us in capitals', status: 401, make: () => bearer(good({ aud: demoTabAppId.toUpperCase() })) },
  {
    token: 'for us with something after it',
    status: 401,
    make: () => bearer(good({ aud: `${demoTabAppId} ` })),
  },
  {
    token: 'of Graph with our scope',
    status: 401,
    make: () => bearer(good({ aud: '00000003-0000-0000-c000-000000000000' })),
  },
  {
    token: 'with a scope that contains ours',
    status: 401,
    make: () => bearer(good({ scp: 'xaccess_as_user' })),
  },
  { token: 'with our scope in capitals', status: 401, make: () => bearer(good({ scp: 'ACCESS_AS_USER' })) },
  { token: 'with a list of scopes', status: 401, make: () => bearer(good({ scp: ['access_as_user'] })) },
  { token: 'with an empty scope', status: 401, make: () => bearer(good({ scp: '' })) },
  { token: 'of version 2', status: 401, make: () => bearer(good({ ver: 2 })) },
  { token: 'without a version', status: 401, make: () => bearer(good({ ver: undefined })) },
  { token: 'through the bot as client', status: 401, make: () => bearer(good({ azp: demoBotId })) },
  { token: 'through a list of clients', status: 401, make: () => bearer(good({ azp: [hostClients[0]] })) },
  {
    token: 'through Graph Explorer',
    status: 401,
    make: () => bearer(good({ azp: 'de8bc8b5-d9f9-48b1-a8ad-b748da725064' })),
  },
  {
    token: 'of a person in capitals',
    status: 401,
    make: () => bearer(good({ oid: elsewhere.toUpperCase().replaceAll('1', 'A') })),
  },
  { token: 'of an empty person', status: 401, make: () => bearer(good({ oid: '' })) },
  { token: 'without a time of issue', status: 401, make: () => bearer(good({ iat: undefined })) },
  { token: 'issued before all time', status: 401, make: () => bearer(good({ iat: -1 })) },
  { token: 'that ended in 1970', status: 401, make: () => bearer(good({ exp: 0 })) },
  { token: 'with a name of 300 letters', status: 401, make: () => bearer(good({ name: 'x'.repeat(300) })) },
  { token: 'with a text as its roles', status: 401, make: () => bearer(good({ roles: 'Watchpost.Admin' })) },
  {
    token: 'of the bot’s own door (Bot Framework)',
    status: 401,
    make: () =>
      bearer(good({ iss: 'https://api.botframework.com', aud: demoBotId, serviceurl: 'https://x' })),
  },
];

async function statusOf(row: Row, at: TabServer = server): Promise<number> {
  const authorization = await row.make();
  const answer = await at.get('/api/tab/me', authorization === '' ? undefined : authorization);
  const text = await answer.text();
  if (answer.status === 200 || answer.status === 431) return answer.status;
  // A refusal says a sentence and an id, and nothing of the token.
  expect(JSON.parse(text)).toEqual({
    title: expect.any(String),
    status: answer.status,
    detail: expect.stringMatching(/^[A-Z].*\.$/),
    id: expect.any(String),
  });
  return answer.status;
}

describe('the token of the tab', () => {
  test('the table has at least eighty bad ones, and no two are the same', async () => {
    const bad = rows.filter(({ status }) => status !== 200);
    expect(bad.length).toBeGreaterThanOrEqual(80);
    expect(new Set(rows.map(({ token }) => token)).size).toBe(rows.length);
    expect(new Set(await Promise.all(rows.map(({ make }) => make()))).size).toBe(rows.length);
  });

  test('a good token of one tenant opens nothing of another, whatever the address says', async () => {
    const token = await bearer(good(of(connected)));
    for (const path of [
      `/api/tab/tenants/${connected}`,
      `/api/tab/tenants/${demoHome.id}`,
      `/api/tab/tenants/${connected}?tid=${demoHome.id}`,
    ]) {
      expect((await server.get(path, token)).status).toBe(404);
    }
  });

  test.each(rows)('$token → $status', async (row) => {
    expect(await statusOf(row)).toBe(row.status);
  });

  test('a flood of bad ones is one line in the log for each reason', async () => {
    const lines: string[] = [];
    const note = (fields: LogFields) => lines.push(fields.reason ?? '');
    const { store, entra } = server;
    const requireUser = openRequireUser({
      services: { store, entraKeys: entra.keys, log: { ...silentLog(), warn: note }, now: () => store.now() },
      audience: demoTabAppId,
      homeTenantId: demoHome.id,
      issuer,
    });
    for (let n = 0; n < 20; n += 1) {
      await requireUser(await bearer(good({ azp: elsewhere, n })));
      await requireUser(await bearer(good({ ...of(elsewhere), n })));
      await requireUser('Bearer a.b.c');
    }
    expect(lines.sort()).toEqual(['client', 'header', 'tenant']);
  });

  test('a door that lets every tenant and client in would be noticed', async () => {
    const open = await openTabServer({
      seeds: [],
      requireUser: {
        allowedTenants: async () => true,
        clients: [...hostClients, demoTabAppId, elsewhere],
      },
    });
    const here = server;
    server = open;
    const wrong: string[] = [];
    try {
      for (const row of rows) if ((await statusOf(row)) !== row.status) wrong.push(row.token);
    } finally {
      server = here;
      await open.close();
    }
    expect(wrong).toEqual(
      expect.arrayContaining(['through an unknown client', 'of a tenant that is not ours']),
    );
  }, 60_000);
});

describe('who the person is and what the person may do', () => {
  const me = async (claims: Record<string, unknown>) =>
    (await (await server.get('/api/tab/me', `Bearer ${await server.tokenOf(4, claims)}`)).json()) as {
      role: string | null;
      reasons: string[];
    };

  test('app roles of the home tenant count and go again with a token that has none', async () => {
    // All four by one clock: the file may have been running for a while.
    expect((await me({ iat: now - 10 })).role).toBeNull();
    expect((await me({ roles: ['Watchpost.Operator', 'Else.Admin'], iat: now - 5 })).role).toBe('Operator');
    expect((await me({ iat: now - 4 })).role).toBeNull();
    // The older token is still good, but it brings nothing back.
    expect((await me({ roles: ['Watchpost.Operator'], iat: now - 8 })).role).toBeNull();
  });

  test('an older token brings no role back after a restart either', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'watchpost-tokens-'));
    const keyring = parseKeyring(newKeyringText());
    /** One run of the program: what each of these tokens is worth. */
    const rolesIn = async (tokens: Record<string, unknown>[]): Promise<(string | null)[]> => {
      const store = await openStore({ folder, instanceId: 'same', keyring });
      const services = { store, entraKeys: server.entra.keys, log: silentLog(), now: () => store.now() };
      const requireUser = openRequireUser({
        services,
        audience: demoTabAppId,
        homeTenantId: demoHome.id,
        issuer,
      });
      const roles: (string | null)[] = [];
      for (const claims of tokens) {
        const answer = await requireUser(await bearer(good(claims)));
        roles.push(answer.kind === 'user' ? roleOf(answer.who, store.now()) : answer.detail);
      }
      await store.close();
      return roles;
    };
    const asAdmin = { roles: ['Watchpost.Admin'] };
    try {
      // Two tokens with the role, of which one was never shown; then one without.
      expect(await rolesIn([{ ...asAdmin, iat: now - 90 }, { iat: now - 30 }])).toEqual(['Admin', null]);
      expect(await rolesIn([{ ...asAdmin, iat: now - 90 }])).toEqual([null]);
      expect(await rolesIn([{ ...asAdmin, iat: now - 60 }])).toEqual([null]);
      expect(await rolesIn([{ ...asAdmin, iat: now - 20 }])).toEqual(['Admin']);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test.each([
    { who: 'a guest by acct', claims: { acct: 1 } },
    { who: 'a guest by idp', claims: { idp: `https://sts.windows.net/${elsewhere}/` } },
    { who: 'a person of a connected tenant', claims: of(connected) },
  ])('an app role of $who does not count', async ({ claims }) => {
    expect((await me({ roles: ['Watchpost.Admin'], iat: now - 2, ...claims })).role).toBeNull();
  });

  test('names and addresses decide nothing', async () => {
    const body = await me({
      name: 'Ana Reyes',
      preferred_username: 'ana@fourthcoffee.example',
      upn: 'ana',
      email: 'ana',
    });
    expect(body.role).toBeNull();
  });

  test('whatever a token claims besides, who it is decides alone (R12)', async () => {
    const { store, entra } = server;
    const requireUser = openRequireUser({
      services: { store, entraKeys: entra.keys, log: silentLog(), now: () => store.now() },
      audience: demoTabAppId,
      homeTenantId: demoHome.id,
      issuer,
    });
    const people = demoPeople.slice(0, 5).map(({ oid }) => oid);
    const expected = new Map<string, unknown>();
    for (const oid of people) {
      const answer = await requireUser(await bearer(good({ oid, iat: now - 1 })));
      expected.set(oid, answer.kind === 'user' ? answer.who.grants : answer);
    }
    const random = seeded();
    const words = [
      'Ana Reyes',
      'ana@fourthcoffee.example',
      'Admin',
      '',
      people[0],
      'all',
      'Watchpost.Admin',
      '✓',
    ];
    const pick = () => words[Math.floor(random() * words.length)];
    const names = [
      'name',
      'preferred_username',
      'upn',
      'email',
      'unique_name',
      'sub',
      'wids',
      'groups',
      'given_name',
    ];
    for (let n = 0; n < count(300, 10_000); n += 1) {
      const oid = people[n % people.length] ?? '';
      const besides = Object.fromEntries(names.filter(() => random() < 0.5).map((claim) => [claim, pick()]));
      const answer = await requireUser(await bearer(good({ oid, iat: now - 1, ...besides })));
      expect(answer.kind === 'user' ? answer.who.grants : answer).toEqual(expected.get(oid));
    }
  }, 120_000);

  test('while Entra’s keys cannot be had nobody is told to sign in again', async () => {
    const { keys } = server.entra;
    const { find } = keys;
    keys.find = async () => {
      throw new WatchpostError('service-error', 'No keys.');
    };
    try {
      const answer = await server.get('/api/tab/me', await bearer(good({ iat: now - 1 })));
      expect(answer.status).toBe(503);
    } finally {
      keys.find = find;
    }
    expect((await server.get('/api/tab/me', await bearer(good({ iat: now - 1 })))).status).toBe(200);
  });

  test('a grant that goes takes effect on a token that is known already', async () => {
    const token = await server.tokenOf(3);
    const { store } = server;
    await server.grant(3, 'Reader', 'all');
    const role = async () =>
      ((await (await server.get('/api/tab/me', `Bearer ${token}`)).json()) as { role: string | null }).role;
    expect(await role()).toBe('Reader');
    await store.people.removeGrants(demoHome.id, demoPeople[3]?.oid ?? '');
    expect(await role()).toBeNull();
  });
});
